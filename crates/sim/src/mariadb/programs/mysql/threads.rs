//! `START SLAVE`, `STOP SLAVE`, `RESET SLAVE`, `RESET MASTER`.

use crate::mariadb::gtid::Position;
use crate::world::World;

use super::SqlError;
use super::execute::{Outcome, Session, no_connection};
use super::functions::position_error;
use super::lexer::Cursor;

/// The error of a server that follows nobody.
pub(super) fn misconfigured() -> SqlError {
    let message = "Misconfigured slave: MASTER_HOST was not set; Fix in config file or with CHANGE MASTER TO";
    SqlError::new(1200, "HY000", message)
}

/// The error of a change that needs the threads to stand still.
pub(super) fn still_running(session: &Session, name: &str) -> SqlError {
    let message = if session.version.mariadb_from(10, 5) {
        format!(
            "This operation cannot be performed as you have a running slave '{name}'; run STOP SLAVE '{name}' first"
        )
    } else {
        "This operation cannot be performed as you have a running slave; run STOP SLAVE first".to_owned()
    };
    SqlError::new(1198, "HY000", message)
}

/// `SLAVE` or, with newer servers, `REPLICA`.
fn one(session: &Session, c: &mut Cursor<'_>) -> bool {
    c.take("slave") || session.version.mariadb_from(10, 5) && c.take("replica")
}

/// `STOP|START [ALL] SLAVE[S]|REPLICA[S] ['name'] [IO_THREAD|SQL_THREAD, …]`.
pub(super) fn switch(
    session: &mut Session,
    world: &mut World,
    c: &mut Cursor<'_>,
    start: bool,
) -> Result<Outcome, SqlError> {
    session.need(&["SUPER", "REPLICATION SLAVE ADMIN"])?;
    let mariadb = session.version.mariadb;
    let all = mariadb && c.take("all");
    let known = if all {
        c.take("slaves") || session.version.mariadb_from(10, 5) && c.take("replicas")
    } else {
        one(session, c)
    };
    if !known {
        return Err(c.syntax());
    }
    let name = if mariadb && !all { c.text() } else { None };
    let (mut io, mut sql) = (false, false);
    loop {
        match (c.take("io_thread"), c.take("sql_thread")) {
            (false, false) => break,
            (one, other) => (io, sql) = (io | one, sql | other),
        }
        if !c.symbol(',') {
            break;
        }
    }
    let until = until(c, start)?;
    c.end()?;
    if !io && !sql {
        (io, sql) = (true, true);
    }
    let wanted = name.clone().unwrap_or_default();
    let server = session.server(world)?;
    let chosen: Vec<usize> = (0..server.connections.len())
        .filter(|place| all || server.connections.get(*place).is_some_and(|c| c.name == wanted))
        .collect();
    if chosen.is_empty() && !all {
        return match name {
            Some(name) => Err(no_connection(&name)),
            None if start => Err(misconfigured()),
            None => {
                session.notes.push(("Note", 1255, "Slave already has been stopped".to_owned()));
                Ok(Outcome::Done)
            }
        };
    }
    for place in chosen {
        let Some(connection) = session.server(world)?.connections.get_mut(place) else { continue };
        let changed = connection.switch(io, sql, start);
        connection.until.clone_from(&until);
        let name = connection.name.clone();
        let note = match (changed, all, start) {
            (true, false, _) => continue,
            (true, true, true) => (1937, format!("SLAVE '{name}' started")),
            (true, true, false) => (1938, format!("SLAVE '{name}' stopped")),
            (false, _, true) => (1254, "Slave is already running".to_owned()),
            (false, _, false) => (1255, "Slave already has been stopped".to_owned()),
        };
        session.notes.push(("Note", note.0, note.1));
    }
    world.databases();
    Ok(Outcome::Done)
}

/// `UNTIL master_gtid_pos = '…'`.
fn until(c: &mut Cursor<'_>, start: bool) -> Result<Option<Position>, SqlError> {
    if !start || !c.take("until") {
        return Ok(None);
    }
    c.expect_word("master_gtid_pos")?;
    c.expect('=')?;
    let text = c.text().ok_or_else(|| c.syntax())?;
    Position::parse(&text).map(Some).map_err(|error| position_error(&error))
}

/// `RESET SLAVE ['name'] [ALL]`, `RESET MASTER`.
pub(super) fn reset(
    session: &mut Session,
    world: &mut World,
    c: &mut Cursor<'_>,
) -> Result<Outcome, SqlError> {
    session.need(&["RELOAD"])?;
    if c.take("master") {
        c.end()?;
        session.server(world)?.reset_log();
        return Ok(Outcome::Done);
    }
    if !one(session, c) {
        return if c.take("query") { Ok(Outcome::Done) } else { Err(c.syntax()) };
    }
    let name = if session.version.mariadb { c.text() } else { None };
    let all = c.take("all");
    c.end()?;
    let wanted = name.clone().unwrap_or_default();
    let server = session.server(world)?;
    let Some(connection) = server.connections.iter_mut().find(|c| c.name == wanted) else {
        return match name {
            Some(name) => Err(no_connection(&name)),
            None => Ok(Outcome::Done),
        };
    };
    if connection.io_started || connection.sql_started {
        return Err(still_running(session, &wanted));
    }
    connection.reset(session.version.mariadb_from(10, 10));
    if all {
        server.connections.retain(|c| c.name != wanted);
    }
    Ok(Outcome::Done)
}

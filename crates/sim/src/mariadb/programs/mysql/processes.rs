//! Who is connected: `SHOW PROCESSLIST`, `information_schema.processlist`, and `KILL`.

use crate::mariadb::session::Killed;
use crate::world::World;

use super::SqlError;
use super::execute::{Outcome, Session};
use super::format::Rows;
use super::lexer::Cursor;
use super::replication::{io_state, sql_state};
use super::value::Value;

/// A process as it is listed.
struct Process {
    id: u64,
    user: String,
    host: String,
    database: Option<String>,
    command: String,
    time: u64,
    state: String,
    info: Option<String>,
}

fn list(session: &Session, world: &mut World) -> Result<Vec<Process>, SqlError> {
    let now = world.now().as_secs_f64();
    session.server(world)?;
    let databases = world.databases();
    let Some(server) = databases.server(&session.host) else { return Ok(Vec::new()) };
    let mut found: Vec<Process> = Vec::new();
    let all = session.may("PROCESS");
    let mut thread = |user: &str, host: &str, command: &str, state: &str| {
        let id = 2 + found.len() as u64;
        found.push(Process {
            id,
            user: user.to_owned(),
            host: host.to_owned(),
            database: None,
            command: command.to_owned(),
            time: crate::posix::machine::count(now),
            state: state.to_owned(),
            info: None,
        });
    };
    if all {
        for following in databases.following(server) {
            let [io, sql] =
                if server.version.mariadb_from(10, 2) { ["Slave_IO", "Slave_SQL"] } else { ["Connect"; 2] };
            if following.connection.io_started {
                thread("system user", "", io, io_state(&following));
            }
            if following.connection.sql_started {
                thread("system user", "", sql, sql_state(server, &following));
            }
        }
        for (id, name) in databases.replicas_of(server) {
            // By its address, as every other client.
            let host = databases.servers().find(|replica| replica.server_id == id && replica.name == name);
            let host = host.map_or(name, |replica| replica.address.clone());
            let state = if server.version.mariadb_from(10, 5) {
                "Master has sent all binlog to slave; waiting for more updates"
            } else {
                "Master has sent all binlog to slave; waiting for binlog to be updated"
            };
            thread("repl", &format!("{host}:41230"), "Binlog Dump", state);
        }
    }
    let visible = server.sessions.iter().filter(|s| all || s.user == session.account.user);
    found.extend(visible.map(|s| Process {
        id: s.id,
        user: s.user.clone(),
        host: s.host.clone(),
        database: s.database.clone(),
        command: s.command.to_owned(),
        time: crate::posix::machine::count(now - s.since),
        state: s.state.clone(),
        info: s.info.clone(),
    }));
    Ok(found)
}

/// `SHOW [FULL] PROCESSLIST`.
pub(super) fn show(session: &Session, world: &mut World, full: bool) -> Result<Rows, SqlError> {
    let mut columns = vec!["Id", "User", "Host", "db", "Command", "Time", "State", "Info"];
    if session.version.mariadb {
        columns.push("Progress");
    }
    let mut rows = Rows::new(&columns);
    for p in list(session, world)? {
        let info = p.info.map(|info| if full { info } else { info.chars().take(100).collect() });
        let mut row = vec![
            Some(p.id.to_string()),
            Some(p.user),
            Some(p.host),
            p.database,
            Some(p.command),
            Some(p.time.to_string()),
            Some(p.state),
            info,
        ];
        if session.version.mariadb {
            row.push(Some("0.000".to_owned()));
        }
        rows.rows.push(row);
    }
    Ok(rows)
}

/// `information_schema.processlist`.
#[allow(clippy::type_complexity)]
pub(super) fn table(
    session: &Session,
    world: &mut World,
) -> Result<(Vec<String>, Vec<Vec<Value>>), SqlError> {
    let columns = ["ID", "USER", "HOST", "DB", "COMMAND", "TIME", "STATE", "INFO"];
    let row = |p: Process| {
        vec![
            Value::count(p.id),
            Value::text(p.user),
            Value::text(p.host),
            Value::from_cell(p.database.as_deref()),
            Value::text(p.command),
            Value::count(p.time),
            Value::text(p.state),
            Value::from_cell(p.info.as_deref()),
        ]
    };
    let rows = list(session, world)?.into_iter().map(row).collect();
    Ok((columns.iter().map(|c| (*c).to_owned()).collect(), rows))
}

/// `KILL [HARD|SOFT] [CONNECTION|QUERY] id`.
pub(super) fn kill(
    session: &mut Session,
    world: &mut World,
    c: &mut Cursor<'_>,
) -> Result<Outcome, SqlError> {
    c.take_any(&["hard", "soft"]);
    let query = c.take("query");
    if !query {
        c.take("connection");
    }
    let id = c.word_or_text()?;
    c.end()?;
    let may = session.may("SUPER") || session.may("CONNECTION ADMIN");
    let user = session.account.user.clone();
    let server = session.server(world)?;
    let found = id.parse().ok().and_then(|id| server.sessions.get_mut(id));
    let Some(target) = found.filter(|s| may || s.user == user) else {
        return Err(SqlError::new(1094, "HY000", format!("Unknown thread id: {id}")));
    };
    let id = target.id;
    if query {
        target.killed = Some(Killed::Query);
    } else {
        server.sessions.close(id);
    }
    Ok(Outcome::Done)
}

//! Statements that write: what each asks for, and how it gets into data and binary log.

mod define;
mod rows;

use std::sync::Arc;

use crate::mariadb::data::{Change, Effect, Table};
use crate::world::World;

use super::SqlError;
use super::accounts::if_exists;
use super::execute::{Outcome, Session};
use super::lexer::{Cursor, Token};
use super::select::table_name;

/// Does something on the session's server, and writes it into its binary log.
pub(super) fn commit(
    session: &mut Session,
    world: &mut World,
    sql: &str,
    effect: Effect,
) -> Result<(), SqlError> {
    session.may_write(world)?;
    session.server(world)?.apply_effect(&effect)?;
    session.wrote = true;
    if session.binlog {
        let database = session.database.clone().unwrap_or_default();
        let change = Change { sql: sql.to_owned(), database, effect };
        world.databases().log(&session.host, Arc::new(change));
    }
    Ok(())
}

/// A table's full name.
fn full(session: &Session, name: (Option<String>, String)) -> Result<(String, String), SqlError> {
    let chosen = name.0.or_else(|| session.database.clone());
    let database = chosen.ok_or_else(|| SqlError::new(1046, "3D000", "No database selected"))?;
    Ok((database, name.1))
}

/// The session's account needs a privilege on a database.
fn allowed(session: &Session, database: &str, privilege: &str) -> Result<(), SqlError> {
    if session.account.has_on(database, privilege) {
        return Ok(());
    }
    let (user, host) = (&session.account.user, &session.account.host);
    let message = format!("Access denied for user '{user}'@'{host}' to database '{database}'");
    Err(SqlError::new(1044, "42000", message))
}

/// A table as it is now.
fn the_table(session: &Session, world: &mut World, database: &str, name: &str) -> Result<Table, SqlError> {
    let missing = || SqlError::new(1146, "42S02", format!("Table '{database}.{name}' doesn't exist"));
    session.server(world)?.data.table(database, name).cloned().ok_or_else(missing)
}

/// Runs a statement whose first word is next.
pub(super) fn run(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
    let before = c.syntax();
    let Some(Token::Word(word)) = c.next() else { return Err(before) };
    match word.to_ascii_lowercase().as_str() {
        "insert" => rows::insert(session, world, c, false)?,
        "replace" => rows::insert(session, world, c, true)?,
        "update" => rows::update(session, world, c)?,
        "delete" => rows::delete(session, world, c)?,
        "truncate" => {
            c.take("table");
            let (database, name) = full(session, table_name(c)?)?;
            c.end()?;
            allowed(session, &database, "DROP")?;
            commit(session, world, c.sql(), Effect::Truncate { database, name })?;
        }
        "create" => define::create(session, world, c)?,
        "drop" => drop_what(session, world, c)?,
        "rename" => rename(session, world, c)?,
        _ => define::alter(session, world, c)?,
    }
    Ok(Outcome::Done)
}

/// `RENAME TABLE a TO b, c TO d`: all or none.
fn rename(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<(), SqlError> {
    if !c.take_any(&["table", "tables"]) {
        return Err(SqlError::unsupported(c.sql()));
    }
    let mut pairs = Vec::new();
    loop {
        let from = full(session, table_name(c)?)?;
        c.expect_word("to")?;
        let to = full(session, table_name(c)?)?;
        allowed(session, &from.0, "DROP")?;
        allowed(session, &to.0, "CREATE")?;
        pairs.push((from, to));
        if !c.symbol(',') {
            break;
        }
    }
    c.end()?;
    commit(session, world, c.sql(), Effect::RenameTables(pairs))
}

fn drop_what(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<(), SqlError> {
    if c.take_any(&["database", "schema"]) {
        let lenient = if_exists(c, false)?;
        let name = c.name()?;
        c.end()?;
        allowed(session, &name, "DROP")?;
        if lenient && !session.server(world)?.data.databases.contains_key(&name) {
            return Ok(());
        }
        return commit(session, world, c.sql(), Effect::DropDatabase(name));
    }
    let event = c.take("event");
    if !event && !c.take("table") {
        return Err(SqlError::unsupported(c.sql()));
    }
    let lenient = if_exists(c, false)?;
    let (database, name) = full(session, table_name(c)?)?;
    c.end()?;
    allowed(session, &database, if event { "EVENT" } else { "DROP" })?;
    let server = session.server(world)?;
    let known = if event {
        server.data.events.iter().any(|e| e.database == database && e.name == name)
    } else {
        server.data.table(&database, &name).is_some()
    };
    if !known && lenient {
        session.notes.push(("Note", 1051, format!("Unknown table '{database}.{name}'")));
        return Ok(());
    }
    if event && !known {
        return Err(SqlError::new(1539, "HY000", format!("Unknown event '{name}'")));
    }
    let effect =
        if event { Effect::DropEvent { database, name } } else { Effect::DropTable { database, name } };
    commit(session, world, c.sql(), effect)
}

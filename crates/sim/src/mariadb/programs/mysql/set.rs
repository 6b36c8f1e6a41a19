//! `SET`: variables of the server, of the session and of the user, and `SET STATEMENT … FOR …`.

use crate::mariadb::gtid::Position;
use crate::world::World;

use super::SqlError;
use super::eval::Env;
use super::execute::{Outcome, Session};
use super::expr::Expr;
use super::functions::position_error;
use super::lexer::{Cursor, Token};
use super::value::Value;
use super::variables;

/// Bytes that the user's variables of a session may have in all.
const LARGEST_SESSION: usize = 64 * 1024 * 1024;

/// Variables that only the option file sets.
static FIXED: &[&str] = &[
    "log_slave_updates",
    "log_bin",
    "version",
    "hostname",
    "port",
    "datadir",
    "have_ssl",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "gtid_binlog_pos",
    "gtid_current_pos",
    "socket",
    "bind_address",
    "skip_networking",
];

/// Variables of the whole server only.
static GLOBAL: &[&str] =
    &["read_only", "event_scheduler", "gtid_slave_pos", "gtid_strict_mode", "sync_binlog"];

pub(super) fn run(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
    if session.version.mariadb_from(10, 1) && c.take("statement") {
        return for_statement(session, world, c);
    }
    if c.take_any(&["names", "character", "transaction"]) {
        return Ok(Outcome::Done);
    }
    loop {
        one(session, world, c)?;
        if !c.symbol(',') {
            break;
        }
    }
    c.end()?;
    Ok(Outcome::Done)
}

fn equals(c: &mut Cursor<'_>) -> Result<(), SqlError> {
    c.symbol(':');
    c.expect('=')
}

/// `SET STATEMENT a = 1, b = 2 FOR statement`.
fn for_statement(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
    loop {
        let name = c.name()?.to_ascii_lowercase();
        equals(c)?;
        let value = value(session, world, c)?;
        if variables::one(session, world, &name)?.is_none() {
            return Err(unknown(&name));
        }
        if name == "max_statement_time" {
            session.limit_statement(value.number().unwrap_or(0.0));
        }
        if !c.symbol(',') {
            break;
        }
    }
    c.expect_word("for")?;
    session.statement_from(world, c)
}

fn unknown(name: &str) -> SqlError {
    SqlError::new(1193, "HY000", format!("Unknown system variable '{name}'"))
}

/// A value: an expression, or a bare word like ON.
fn value(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Value, SqlError> {
    let bare = match c.peek() {
        Some(Token::Word(_)) => !matches!(c.peek_second(), Some(Token::Symbol('(' | '.'))),
        _ => false,
    };
    if bare {
        return Ok(Value::text(c.name()?));
    }
    let expr = Expr::parse(c)?;
    Env { session, world, columns: &[], row: &[], group: None }.value(&expr)
}

fn one(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<(), SqlError> {
    let mut global = c.take("global");
    if !global {
        c.take_any(&["session", "local"]);
    }
    let before = c.syntax();
    let name = match c.next() {
        Some(Token::Word(name) | Token::Name(name)) => name.to_ascii_lowercase(),
        Some(Token::Variable(name)) => {
            global |= c.sql().to_ascii_lowercase().contains(&format!("@@global.{name}"));
            name
        }
        Some(Token::Symbol('@')) => {
            let name = c.word_or_text()?.to_lowercase();
            equals(c)?;
            let value = value(session, world, c)?;
            let size = |value: &Value| value.cell().map_or(0, |cell| cell.len()) + size_of::<Value>();
            let others = session.user_variables.iter().filter(|(other, _)| **other != name);
            let held: usize = others.map(|(name, value)| name.len() + size(value)).sum();
            if held + name.len() + size(&value) > LARGEST_SESSION {
                return Err(SqlError::new(1041, "HY000", "Out of memory"));
            }
            session.user_variables.insert(name, value);
            return Ok(());
        }
        _ => return Err(before),
    };
    equals(c)?;
    let value = value(session, world, c)?;
    if global && name == super::dump::KEPT {
        return super::dump::load(session, world, &value);
    }
    if variables::one(session, world, &name)?.is_none() {
        return Err(unknown(&name));
    }
    if FIXED.contains(&name.as_str()) {
        let message = format!("Variable '{name}' is a read only variable");
        return Err(SqlError::new(1238, "HY000", message));
    }
    if global {
        return set_global(session, world, &name, &value);
    }
    if GLOBAL.contains(&name.as_str()) {
        let message = format!("Variable '{name}' is a GLOBAL variable and should be set with SET GLOBAL");
        return Err(SqlError::new(1229, "HY000", message));
    }
    match name.as_str() {
        "sql_log_bin" => session.binlog = switch(&name, &value)?,
        "max_statement_time" => session.limit = value.number().unwrap_or(0.0),
        _ => {}
    }
    Ok(())
}

/// ON and OFF, in all their forms.
fn switch(name: &str, value: &Value) -> Result<bool, SqlError> {
    let text = value.cell().unwrap_or_else(|| "NULL".to_owned());
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "true" => Ok(true),
        "0" | "off" | "false" => Ok(false),
        _ => {
            let message = format!("Variable '{name}' can't be set to the value of '{text}'");
            Err(SqlError::new(1231, "42000", message))
        }
    }
}

fn set_global(session: &mut Session, world: &mut World, name: &str, value: &Value) -> Result<(), SqlError> {
    let text = value.cell().unwrap_or_default();
    match name {
        "read_only" => {
            // Since 10.11 SUPER alone does not do.
            let any: &[&str] = if session.version.mariadb_from(10, 11) {
                &["READ_ONLY ADMIN"]
            } else {
                &["SUPER", "READ_ONLY ADMIN"]
            };
            session.need(any)?;
            return set_read_only(session, world, switch(name, value)?);
        }
        "gtid_slave_pos" => {
            session.need(&["SUPER", "REPLICATION SLAVE ADMIN"])?;
            return set_slave_pos(session, world, &text);
        }
        _ => session.need(&["SUPER", "BINLOG ADMIN"])?,
    }
    let server = session.server(world)?;
    match name {
        "event_scheduler" => server.settings.event_scheduler = switch(name, value)?,
        "gtid_strict_mode" => server.settings.strict = switch(name, value)?,
        "server_id" => server.server_id = text.parse().unwrap_or(server.server_id),
        "gtid_domain_id" => server.settings.domain = text.parse().unwrap_or(0),
        "binlog_format" => server.settings.binlog_format = text.to_ascii_uppercase(),
        _ => {
            server.settings.others.insert(name.to_owned(), text);
        }
    }
    Ok(())
}

/// Turning it on waits for table locks and for commits under way, of everybody else.
fn set_read_only(session: &Session, world: &mut World, on: bool) -> Result<(), SqlError> {
    let (id, newer) = (session.id, session.version.mariadb_from(10, 5));
    let server = session.server(world)?;
    if on && !server.read_only && (server.sessions.writing(id) || server.faults.semi_sync_stuck) {
        return Err(SqlError::wait(if newer {
            "Waiting for backup lock"
        } else {
            "Waiting for global read lock"
        }));
    }
    server.read_only = on;
    Ok(())
}

fn set_slave_pos(session: &mut Session, world: &mut World, text: &str) -> Result<(), SqlError> {
    let server = session.server(world)?;
    if let Some(running) = server.connections.iter().find(|c| c.io_started || c.sql_started) {
        let name = running.name.clone();
        return Err(super::threads::still_running(session, &name));
    }
    let wanted = Position::parse(text).map_err(|error| position_error(&error))?;
    let warnings = server.set_slave_pos(wanted)?;
    session.notes.extend(warnings.into_iter().map(|w| ("Warning", w.code, w.message)));
    Ok(())
}

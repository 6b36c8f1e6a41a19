//! `SHOW …`.

use crate::world::World;

use super::SqlError;
use super::execute::{Session, no_connection};
use super::format::Rows;
use super::lexer::{Cursor, Token};
use super::{accounts, processes, replication, variables};

/// Whether a name is asked for.
type Wanted = Box<dyn Fn(&str) -> bool>;

pub(super) fn run(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
    let v = &session.version;
    let replica = v.mariadb_from(10, 5);
    let scoped = c.take_any(&["global", "session", "local"]);
    if c.take("variables") {
        return named(variables::all(session, world)?, c);
    }
    // A lone STATUS is a session's own.
    if c.take("status") {
        return named(variables::status(session, world)?, c);
    }
    if scoped {
        return Err(c.syntax());
    }
    if v.mariadb && c.take("all") {
        let known = c.take("slaves") || replica && c.take("replicas");
        if !(known && c.take("status")) {
            return Err(c.syntax());
        }
        c.end()?;
        session.need(&["SUPER", "SLAVE MONITOR", "REPLICATION CLIENT"])?;
        return replication::all_connections(session, world);
    }
    if c.take("slave") || replica && c.take("replica") {
        if c.take("hosts") {
            c.end()?;
            session.need(&["REPLICATION MASTER ADMIN", "REPLICATION SLAVE"])?;
            return replication::hosts(session, world);
        }
        let name = if v.mariadb { c.text() } else { None };
        if !c.take("status") {
            return Err(c.syntax());
        }
        c.end()?;
        session.need(&["SUPER", "SLAVE MONITOR", "REPLICATION CLIENT"])?;
        let wanted = name.clone().unwrap_or_default();
        let rows = replication::one_connection(session, world, &wanted)?;
        return match name {
            Some(name) if rows.rows.is_empty() => Err(no_connection(&name)),
            _ => Ok(rows),
        };
    }
    if c.take("master") {
        if c.take("logs") {
            c.end()?;
            return replication::logs(session, world);
        }
        finish(c.take("status"), c)?;
        session.need(&["SUPER", "BINLOG MONITOR", "REPLICATION CLIENT"])?;
        return replication::master_status(session, world);
    }
    if c.take("binary") {
        return finish(c.take("logs"), c).and_then(|()| replication::logs(session, world));
    }
    if replica && c.take("binlog") {
        return finish(c.take("status"), c).and_then(|()| replication::master_status(session, world));
    }
    let full = c.take("full");
    if c.take("processlist") {
        c.end()?;
        return processes::show(session, world, full);
    }
    if c.take("grants") {
        return accounts::show(session, world, c);
    }
    if !full && c.take_any(&["databases", "schemas"]) {
        c.end()?;
        let names: Vec<String> = session.server(world)?.data.databases.keys().cloned().collect();
        return Ok(one_column("Database", names));
    }
    if !full && c.take("tables") {
        return tables(session, world, c);
    }
    if !full && c.take("events") {
        return events(session, world, c);
    }
    if c.take_any(&[
        "create", "engine", "engines", "columns", "plugins", "binlog", "relaylog", "index", "table",
    ]) {
        return Err(SqlError::unsupported(c.sql()));
    }
    Err(c.syntax())
}

fn one_column(head: &str, names: Vec<String>) -> Rows {
    let mut rows = Rows::new(&[head]);
    rows.rows = names.into_iter().map(|name| vec![Some(name)]).collect();
    rows
}

/// The database after FROM or IN, else the chosen one.
fn database(session: &Session, c: &mut Cursor<'_>) -> Result<String, SqlError> {
    if c.take_any(&["from", "in"]) {
        return c.name();
    }
    session.database.clone().ok_or_else(|| SqlError::new(1046, "3D000", "No database selected"))
}

fn tables(session: &Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
    let database = database(session, c)?;
    let pattern = if c.take("like") { c.text().ok_or_else(|| c.syntax())? } else { "%".to_owned() };
    c.end()?;
    let server = session.server(world)?;
    let Some(tables) = server.data.databases.get(&database) else {
        return Err(SqlError::new(1049, "42000", format!("Unknown database '{database}'")));
    };
    let names = tables.keys().filter(|name| like(name, &pattern)).cloned().collect();
    Ok(one_column(&format!("Tables_in_{database}"), names))
}

fn events(session: &Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
    let database = database(session, c)?;
    c.end()?;
    let columns =
        ["Db", "Name", "Definer", "Time zone", "Type", "Interval value", "Interval field", "Status"];
    let mut rows = Rows::new(&columns);
    for e in session.server(world)?.data.events.iter().filter(|e| e.database == database) {
        let (number, unit) = &e.every;
        let number = number.to_string();
        let texts =
            [&*e.database, &*e.name, "root@localhost", "SYSTEM", "RECURRING", &*number, &**unit, e.status];
        rows.rows.push(texts.iter().map(|text| Some((*text).to_owned())).collect());
    }
    Ok(rows)
}

fn finish(known: bool, c: &Cursor<'_>) -> Result<(), SqlError> {
    if known { c.end() } else { Err(c.syntax()) }
}

/// Names and values, those that `LIKE` or `WHERE` asks for.
fn named(all: Vec<(&'static str, String)>, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
    let wanted: Wanted = if c.take("like") {
        let pattern = c.text().ok_or_else(|| c.syntax())?;
        Box::new(move |name| like(name, &pattern))
    } else if c.take("where") {
        let mut any: Vec<Wanted> = vec![condition(c)?];
        while c.take("or") {
            any.push(condition(c)?);
        }
        Box::new(move |name| any.iter().any(|condition| condition(name)))
    } else {
        Box::new(|_| true)
    };
    c.end()?;
    let mut rows = Rows::new(&["Variable_name", "Value"]);
    rows.rows = all
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| vec![Some(name.to_owned()), Some(value)])
        .collect();
    Ok(rows)
}

/// `Variable_name = '…'`, `LIKE '…'` or `IN ('…', …)`.
fn condition(c: &mut Cursor<'_>) -> Result<Wanted, SqlError> {
    match c.peek() {
        Some(Token::Word(name) | Token::Name(name)) if name.eq_ignore_ascii_case("variable_name") => c.next(),
        Some(Token::Word(name) | Token::Name(name)) if name.eq_ignore_ascii_case("value") => {
            return Err(SqlError::unsupported(c.sql()));
        }
        _ => return Err(c.syntax()),
    };
    if c.symbol('=') {
        let text = c.text().ok_or_else(|| c.syntax())?;
        return Ok(Box::new(move |name| name.eq_ignore_ascii_case(&text)));
    }
    if c.take("like") {
        let pattern = c.text().ok_or_else(|| c.syntax())?;
        return Ok(Box::new(move |name| like(name, &pattern)));
    }
    if !(c.take("in") && c.symbol('(')) {
        return Err(c.syntax());
    }
    let mut names = Vec::new();
    loop {
        names.push(c.text().ok_or_else(|| c.syntax())?);
        if c.symbol(')') {
            break;
        }
        if !c.symbol(',') {
            return Err(c.syntax());
        }
    }
    Ok(Box::new(move |name| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))))
}

/// Steps that a comparison takes at most; one that needs more does not match.
const MOST_STEPS: usize = 1 << 26;

/// SQL's `LIKE`, without regard to case: `%` is any text, `_` any character, `\` takes the next as it is.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    /// What one place of a pattern takes.
    enum Takes {
        AnyText,
        Any,
        One(char),
    }
    let mut wanted = Vec::new();
    let lower = pattern.to_lowercase();
    let mut chars = lower.chars();
    while let Some(c) = chars.next() {
        wanted.push(match c {
            '%' => Takes::AnyText,
            '_' => Takes::Any,
            '\\' => Takes::One(chars.next().unwrap_or('\\')),
            c => Takes::One(c),
        });
    }
    let text: Vec<char> = text.to_lowercase().chars().collect();
    // What follows the last `%` is tried one character further on, and nothing before that again.
    let (mut at, mut place, mut back) = (0, 0, None);
    for _ in 0..MOST_STEPS {
        match (wanted.get(place), text.get(at)) {
            (Some(Takes::AnyText), _) => {
                place += 1;
                back = Some((place, at));
            }
            (None, None) => return true,
            (Some(Takes::Any), Some(_)) => (at, place) = (at + 1, place + 1),
            (Some(Takes::One(want)), Some(have)) if want == have => (at, place) = (at + 1, place + 1),
            _ => match back {
                Some((after, from)) if from < text.len() => {
                    (at, place) = (from + 1, after);
                    back = Some((after, from + 1));
                }
                _ => return false,
            },
        }
    }
    false
}

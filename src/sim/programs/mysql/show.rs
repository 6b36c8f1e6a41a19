//! `SHOW …`.

use crate::sim::world::World;

use super::SqlError;
use super::execute::{SCHEMAS, Session, no_connection};
use super::format::Rows;
use super::lexer::{Cursor, Token};
use super::{replication, variables};

/// Whether a name is asked for.
type Wanted = Box<dyn Fn(&str) -> bool>;

pub(super) fn run(session: &Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
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
        return replication::all_connections(session, world);
    }
    if c.take("slave") || replica && c.take("replica") {
        if c.take("hosts") {
            c.end()?;
            return replication::hosts(session, world);
        }
        let name = if v.mariadb { c.text() } else { None };
        if !c.take("status") {
            return Err(c.syntax());
        }
        c.end()?;
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
        return finish(c.take("status"), c).and_then(|()| replication::master_status(session, world));
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
        return replication::processes(
            session,
            world,
            if full { "show full processlist" } else { "show processlist" },
        );
    }
    if !full && c.take_any(&["databases", "schemas"]) {
        c.end()?;
        let mut rows = Rows::new(&["Database"]);
        rows.rows = SCHEMAS.iter().map(|name| vec![Some((*name).to_owned())]).collect();
        return Ok(rows);
    }
    if c.take_any(&["tables", "grants", "create", "engine", "engines", "columns", "errors", "plugins"]) {
        return Err(SqlError::unsupported(c.sql()));
    }
    Err(c.syntax())
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

/// SQL's `LIKE`, without regard to case: `%` is any text, `_` any character, `\` takes the next as it is.
fn like(text: &str, pattern: &str) -> bool {
    fn matches(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => {
                (0..=text.len()).any(|skip| matches(text.get(skip..).unwrap_or_default(), rest))
            }
            Some(('_', rest)) => text.split_first().is_some_and(|(_, more)| matches(more, rest)),
            Some(('\\', rest)) => match (rest.split_first(), text.split_first()) {
                (Some((want, rest)), Some((have, more))) => want == have && matches(more, rest),
                _ => false,
            },
            Some((want, rest)) => {
                text.split_first().is_some_and(|(have, more)| have == want && matches(more, rest))
            }
        }
    }
    let chars = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    matches(&chars(text), &chars(pattern))
}

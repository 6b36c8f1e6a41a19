//! `SELECT` of values: variables, literals and a few functions; tables are not simulated.

use crate::sim::world::World;

use super::SqlError;
use super::execute::Session;
use super::format::Rows;
use super::lexer::{Cursor, Token};
use super::variables;

pub(super) fn run(session: &Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
    let mut result = Rows::default();
    let mut row = Vec::new();
    loop {
        let start = c.offset();
        let literal = match c.peek() {
            Some(Token::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let value = value(session, world, c)?;
        // A column is headed by its text as written; a quoted one by what it says.
        let mut head = literal.unwrap_or_else(|| c.text_since(start).to_owned());
        let explicit = c.take("as");
        match c.peek() {
            Some(Token::Word(word)) if !explicit && is_clause(word) => {}
            Some(Token::Word(name) | Token::Name(name) | Token::Text(name)) => {
                head = name.clone();
                c.next();
            }
            _ if explicit => return Err(c.syntax()),
            _ => {}
        }
        result.columns.push(head);
        row.push(value);
        if !c.symbol(',') {
            break;
        }
    }
    if c.take("from") && !c.take("dual") || matches!(c.peek(), Some(Token::Symbol(_))) && is_operator(c) {
        return Err(SqlError::unsupported(c.sql()));
    }
    if c.take("limit") {
        c.next();
    }
    c.end()?;
    result.rows.push(row);
    Ok(result)
}

fn is_clause(word: &str) -> bool {
    [
        "from", "limit", "where", "order", "group", "union", "is", "and", "or", "in", "like", "not",
        "between", "into",
    ]
    .iter()
    .any(|clause| word.eq_ignore_ascii_case(clause))
}

fn is_operator(c: &Cursor<'_>) -> bool {
    matches!(c.peek(), Some(Token::Symbol('+' | '-' | '*' | '/' | '=' | '<' | '>' | '!' | '|' | '&' | '%')))
}

fn value(session: &Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Option<String>, SqlError> {
    let before = c.syntax();
    match c.next() {
        Some(Token::Text(text)) => Ok(Some(text)),
        Some(Token::Number(number)) => Ok(Some(number)),
        Some(Token::Symbol('-')) => match c.next() {
            Some(Token::Number(number)) => Ok(Some(format!("-{number}"))),
            _ => Err(before),
        },
        Some(Token::Symbol('(')) => {
            let inner = value(session, world, c)?;
            if c.symbol(')') { Ok(inner) } else { Err(c.syntax()) }
        }
        Some(Token::Variable(name)) => match variables::one(session, world, &name)? {
            // A switch reads as a number here, as a word in SHOW VARIABLES.
            Some(switch) if variables::is_switch(&name) => {
                Ok(Some(if switch == "ON" { "1" } else { "0" }.to_owned()))
            }
            Some(value) => Ok(Some(value)),
            None => Err(SqlError::new(1193, "HY000", format!("Unknown system variable '{name}'"))),
        },
        Some(Token::Word(word)) => named(session, world, c, &word, before),
        _ => Err(before),
    }
}

fn named(
    session: &Session,
    world: &mut World,
    c: &mut Cursor<'_>,
    word: &str,
    before: SqlError,
) -> Result<Option<String>, SqlError> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "null" => return Ok(None),
        "true" => return Ok(Some("1".to_owned())),
        "false" => return Ok(Some("0".to_owned())),
        "from" | "where" | "limit" => return Err(before),
        _ => {}
    }
    let bare = matches!(lower.as_str(), "current_user" | "current_timestamp");
    if !c.symbol('(') {
        return if bare {
            Ok(function(session, world, &lower, &[]))
        } else {
            Err(SqlError::new(1054, "42S22", format!("Unknown column '{word}' in 'field list'")))
        };
    }
    let mut arguments = Vec::new();
    if !c.symbol(')') {
        loop {
            arguments.push(value(session, world, c)?);
            if c.symbol(')') {
                break;
            }
            if !c.symbol(',') {
                return if is_operator(c) { Err(SqlError::unsupported(c.sql())) } else { Err(c.syntax()) };
            }
        }
    }
    if !FUNCTIONS.contains(&lower.as_str()) {
        let message = match &session.database {
            Some(database) => format!("FUNCTION {database}.{word} does not exist"),
            None => format!("FUNCTION {word} does not exist"),
        };
        return Err(SqlError::new(1305, "42000", message));
    }
    Ok(function(session, world, &lower, &arguments))
}

static FUNCTIONS: &[&str] = &[
    "version",
    "current_user",
    "user",
    "session_user",
    "system_user",
    "now",
    "current_timestamp",
    "sysdate",
    "unix_timestamp",
    "connection_id",
    "database",
    "schema",
    "concat",
    "ifnull",
    "coalesce",
    "sleep",
];

fn function(session: &Session, world: &World, name: &str, arguments: &[Option<String>]) -> Option<String> {
    let epoch = world.epoch(&session.host);
    match name {
        "version" => Some(session.version.text.clone()),
        "current_user" | "user" | "session_user" | "system_user" => Some(session.account.clone()),
        "now" | "current_timestamp" | "sysdate" => {
            #[allow(clippy::cast_possible_truncation)] // seconds since 1970
            let time = jiff::Timestamp::from_second(epoch as i64).ok()?;
            Some(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
        }
        "unix_timestamp" => Some(format!("{:.0}", epoch.floor())),
        "connection_id" => Some("4711".to_owned()),
        "database" | "schema" => session.database.clone(),
        "concat" => arguments.iter().cloned().collect::<Option<Vec<String>>>().map(|parts| parts.concat()),
        "ifnull" | "coalesce" => arguments.iter().flatten().next().cloned(),
        _ => Some("0".to_owned()),
    }
}

//! `CREATE DATABASE|TABLE|EVENT`, `ALTER EVENT`.

use crate::mariadb::data::{Column, Effect, Event, Table};
use crate::world::World;

use super::super::SqlError;
use super::super::accounts::if_exists;
use super::super::execute::Session;
use super::super::lexer::{Cursor, Token};
use super::super::select::table_name;
use super::{allowed, commit, full};

pub(super) fn create(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<(), SqlError> {
    if c.take_any(&["database", "schema"]) {
        let lenient = if_exists(c, true)?;
        let name = c.name()?;
        allowed(session, &name, "CREATE")?;
        if lenient && session.server(world)?.data.databases.contains_key(&name) {
            session.notes.push(("Note", 1007, format!("Can't create database '{name}'; database exists")));
            return Ok(());
        }
        return commit(session, world, c.sql(), Effect::CreateDatabase(name));
    }
    if c.take("event") {
        return create_event(session, world, c);
    }
    if c.take("temporary") || !c.take("table") {
        return Err(SqlError::unsupported(c.sql()));
    }
    let lenient = if_exists(c, true)?;
    let (database, name) = full(session, table_name(c)?)?;
    allowed(session, &database, "CREATE")?;
    let table = definition(c)?;
    if lenient && session.server(world)?.data.table(&database, &name).is_some() {
        session.notes.push(("Note", 1050, format!("Table '{name}' already exists")));
        return Ok(());
    }
    commit(session, world, c.sql(), Effect::CreateTable { database, name, table })
}

/// `(name type [NOT NULL] …, PRIMARY KEY (…), UNIQUE [KEY] [name] (…), …) …`.
fn definition(c: &mut Cursor<'_>) -> Result<Table, SqlError> {
    let mut table = Table { next: 1, ..Table::default() };
    c.expect('(')?;
    loop {
        if c.take("primary") {
            c.expect_word("key")?;
            table.primary = key_places(c, &table)?;
        } else if c.take("unique") {
            c.take_any(&["key", "index"]);
            let given = if matches!(c.peek(), Some(Token::Symbol('('))) { None } else { Some(c.name()?) };
            let places = key_places(c, &table)?;
            let first = places.first().and_then(|p| table.columns.get(*p)).map(|c| c.name.clone());
            table.unique.push((given.or(first).unwrap_or_default(), places));
        } else if c.take_any(&["key", "index"]) {
            c.name()?;
            key_places(c, &table)?;
        } else {
            column(c, &mut table)?;
        }
        if !c.symbol(',') {
            break;
        }
    }
    c.expect(')')?;
    Ok(table)
}

fn key_places(c: &mut Cursor<'_>, table: &Table) -> Result<Vec<usize>, SqlError> {
    c.expect('(')?;
    let mut places = Vec::new();
    loop {
        let name = c.name()?;
        let unknown = || SqlError::new(1072, "42000", format!("Key column '{name}' doesn't exist in table"));
        places.push(table.place(&name).ok_or_else(unknown)?);
        if !c.symbol(',') {
            break;
        }
    }
    c.expect(')')?;
    Ok(places)
}

fn column(c: &mut Cursor<'_>, table: &mut Table) -> Result<(), SqlError> {
    let name = c.name()?;
    let mut kind = c.name()?.to_ascii_lowercase();
    if c.symbol('(') {
        kind.push('(');
        while !c.symbol(')') {
            kind.push_str(&if c.symbol(',') { ",".to_owned() } else { c.word_or_text()? });
        }
        kind.push(')');
    }
    let place = table.columns.len();
    let mut made = Column { name, kind, nullable: true, default: None, auto: false };
    loop {
        if c.take("not") {
            c.expect_word("null")?;
            made.nullable = false;
        } else if c.take("auto_increment") {
            made.auto = true;
        } else if c.take("primary") {
            c.expect_word("key")?;
            table.primary = vec![place];
            made.nullable = false;
        } else if c.take("unique") {
            c.take("key");
            table.unique.push((made.name.clone(), vec![place]));
        } else if c.take("default") {
            let value = c.word_or_text()?;
            made.default = (!value.eq_ignore_ascii_case("null")).then_some(value);
        } else if !c.take_any(&["null", "unsigned"]) {
            break;
        }
    }
    table.columns.push(made);
    Ok(())
}

fn create_event(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<(), SqlError> {
    if_exists(c, true)?;
    let (database, name) = full(session, table_name(c)?)?;
    allowed(session, &database, "EVENT")?;
    for word in ["on", "schedule", "every"] {
        c.expect_word(word)?;
    }
    let number = c.word_or_text()?.parse().unwrap_or(1);
    let every = (number, c.name()?.to_ascii_uppercase());
    if session.server(world)?.data.events.iter().any(|e| e.database == database && e.name == name) {
        return Err(SqlError::new(1537, "HY000", format!("Event '{name}' already exists")));
    }
    let event = Event { database, name, status: "ENABLED", every };
    commit(session, world, c.sql(), Effect::Event(event))
}

pub(super) fn alter(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<(), SqlError> {
    if !c.take("event") {
        return Err(SqlError::unsupported(c.sql()));
    }
    let (database, name) = full(session, table_name(c)?)?;
    allowed(session, &database, "EVENT")?;
    let found = session.server(world)?.data.events.iter().find(|e| e.database == database && e.name == name);
    let Some(mut event) = found.cloned() else {
        return Err(SqlError::new(1539, "HY000", format!("Unknown event '{name}'")));
    };
    event.status = if c.take("enable") {
        "ENABLED"
    } else {
        c.expect_word("disable")?;
        if c.take("on") {
            c.expect_word("slave")?;
            "SLAVESIDE_DISABLED"
        } else {
            "DISABLED"
        }
    };
    c.end()?;
    commit(session, world, c.sql(), Effect::Event(event))
}

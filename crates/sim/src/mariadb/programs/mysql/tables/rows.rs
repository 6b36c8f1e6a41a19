//! `INSERT`, `REPLACE`, `UPDATE`, `DELETE` on small tables.

use crate::apps::kinds::with_database;
use crate::mariadb::data::{Cell, Effect, Row, Table};
use crate::world::World;

use super::super::SqlError;
use super::super::eval::Env;
use super::super::execute::Session;
use super::super::expr::Expr;
use super::super::lexer::Cursor;
use super::super::select::table_name;
use super::super::value::Value;
use super::{allowed, commit, full, the_table};

fn cell(
    session: &mut Session,
    world: &mut World,
    expr: &Expr,
    names: &[String],
    row: &Row,
) -> Result<Cell, SqlError> {
    if matches!(expr, Expr::Column(name) if name.eq_ignore_ascii_case("default")) {
        return Ok(None);
    }
    let value = |cell: &Cell| match cell {
        None => Value::Null,
        Some(text) => text.parse().map_or_else(|_| Value::text(text.clone()), Value::Int),
    };
    let values: Vec<Value> = row.iter().map(value).collect();
    let mut env = Env { session, world, columns: names, row: &values, group: None };
    Ok(env.value(expr)?.cell())
}

fn names(table: &Table) -> Vec<String> {
    table.columns.iter().map(|c| c.name.clone()).collect()
}

fn place(table: &Table, name: &str, word: &str) -> Result<usize, SqlError> {
    let unknown = || SqlError::new(1054, "42S22", format!("Unknown column '{name}' in '{word}'"));
    table.place(name).ok_or_else(unknown)
}

/// `a = 1, b = 2`.
fn assignments(c: &mut Cursor<'_>, table: &Table, word: &str) -> Result<Vec<(usize, Expr)>, SqlError> {
    let mut list = Vec::new();
    loop {
        let name = table_name(c)?.1;
        c.symbol(':');
        c.expect('=')?;
        list.push((place(table, &name, word)?, Expr::parse(c)?));
        if !c.symbol(',') {
            return Ok(list);
        }
    }
}

/// An INSERT or REPLACE as it was read.
struct Insert {
    database: String,
    name: String,
    replace: bool,
    ignore: bool,
    on_duplicate: Vec<(usize, Expr)>,
    wanted: Vec<usize>,
    rows: Vec<Vec<Expr>>,
}

pub(super) fn insert(
    session: &mut Session,
    world: &mut World,
    c: &mut Cursor<'_>,
    replace: bool,
) -> Result<(), SqlError> {
    session.set_word("INSERT INTO");
    let ignore = c.take("ignore");
    c.take("into");
    let (database, name) = full(session, table_name(c)?)?;
    allowed(session, &database, "INSERT")?;
    let table = the_table(session, world, &database, &name)?;
    let (mut wanted, mut rows) = (Vec::new(), Vec::new());
    if c.take("set") {
        let pairs = assignments(c, &table, session.place_word())?;
        let (places, row): (Vec<usize>, Vec<Expr>) = pairs.into_iter().unzip();
        (wanted, rows) = (places, vec![row]);
    } else {
        if c.symbol('(') {
            while !c.symbol(')') {
                wanted.push(place(&table, &c.name()?, session.place_word())?);
                c.symbol(',');
            }
        }
        if !c.take_any(&["values", "value"]) {
            return Err(if c.is("select") { SqlError::unsupported(c.sql()) } else { c.syntax() });
        }
        loop {
            c.expect('(')?;
            if c.symbol(')') {
                rows.push(Vec::new());
            } else {
                rows.push(Expr::list(c)?);
                c.expect(')')?;
            }
            if !c.symbol(',') {
                break;
            }
        }
        if wanted.is_empty() {
            wanted = (0..table.columns.len()).collect();
        }
    }
    let mut on_duplicate = Vec::new();
    if c.take("on") {
        for word in ["duplicate", "key", "update"] {
            c.expect_word(word)?;
        }
        on_duplicate = assignments(c, &table, session.place_word())?;
    }
    c.end()?;
    session.may_write(world)?;
    let insert = Insert { database, name, replace, ignore, on_duplicate, wanted, rows };
    insert.run(session, world, table, c.sql())
}

impl Insert {
    fn run(
        self,
        session: &mut Session,
        world: &mut World,
        mut table: Table,
        sql: &str,
    ) -> Result<(), SqlError> {
        let names = names(&table);
        let (mut gone, mut come): (Vec<Row>, Vec<Row>) = (Vec::new(), Vec::new());
        if self.name == "journal" && with_database(&self.database).is_some() {
            table.next = table.next.max(session.server(world)?.journal_next());
        }
        for (number, exprs) in self.rows.iter().enumerate() {
            if exprs.len() != self.wanted.len() && !exprs.is_empty() {
                let message = format!("Column count doesn't match value count at row {}", number + 1);
                return Err(SqlError::new(1136, "21S01", message));
            }
            let mut row: Row = table.columns.iter().map(|column| column.default.clone()).collect();
            for (place, expr) in self.wanted.iter().zip(exprs) {
                let value = cell(session, world, expr, &names, &row)?;
                if let Some(slot) = row.get_mut(*place) {
                    *slot = value;
                }
            }
            let counting = table.columns.iter().position(|c| c.auto);
            if let Some(slot) = counting.and_then(|place| row.get_mut(place)).filter(|slot| slot.is_none()) {
                *slot = Some(table.next.max(1).to_string());
                session.last_insert_id = table.next.max(1);
            }
            match table.collision(&row) {
                Some(_) if self.ignore => continue,
                Some((at, ..)) if self.replace || !self.on_duplicate.is_empty() => {
                    let old = table.rows.remove(at);
                    if !self.replace {
                        row = self.updated(session, world, &names, &old)?;
                    }
                    // A row that this statement brought itself is not in the table yet.
                    match come.iter().position(|r| *r == old) {
                        Some(at) => drop(come.remove(at)),
                        None => gone.push(old),
                    }
                }
                _ => {}
            }
            table.insert(row.clone())?;
            come.push(row);
        }
        session.row_count = i64::try_from(gone.len() + come.len()).unwrap_or(0);
        if gone.is_empty() && come.is_empty() {
            return Ok(());
        }
        let (database, name) = (self.database, self.name);
        commit(session, world, sql, Effect::Rows { database, name, gone, come })
    }

    fn updated(
        &self,
        session: &mut Session,
        world: &mut World,
        names: &[String],
        old: &Row,
    ) -> Result<Row, SqlError> {
        let mut row = old.clone();
        for (place, expr) in &self.on_duplicate {
            let value = cell(session, world, expr, names, old)?;
            if let Some(slot) = row.get_mut(*place) {
                *slot = value;
            }
        }
        Ok(row)
    }
}

/// The rows that WHERE chooses.
fn chosen(
    session: &mut Session,
    world: &mut World,
    c: &mut Cursor<'_>,
    table: &Table,
) -> Result<Vec<Row>, SqlError> {
    session.set_word("WHERE");
    let condition = if c.take("where") { Some(Expr::parse(c)?) } else { None };
    if c.take("order") {
        c.expect_word("by")?;
        Expr::list(c)?;
        c.take_any(&["asc", "desc"]);
    }
    let limit = if c.take("limit") { c.word_or_text()?.parse().unwrap_or(usize::MAX) } else { usize::MAX };
    c.end()?;
    let names = names(table);
    let mut rows = Vec::new();
    for row in &table.rows {
        let holds = match &condition {
            None => true,
            Some(test) => cell(session, world, test, &names, row)?.is_some_and(|c| c != "0"),
        };
        if holds && rows.len() < limit {
            rows.push(row.clone());
        }
    }
    Ok(rows)
}

pub(super) fn update(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<(), SqlError> {
    session.set_word("SET");
    let (database, name) = full(session, table_name(c)?)?;
    allowed(session, &database, "UPDATE")?;
    let table = the_table(session, world, &database, &name)?;
    c.expect_word("set")?;
    let changes = assignments(c, &table, session.place_word())?;
    let rows = chosen(session, world, c, &table)?;
    session.may_write(world)?;
    let names = names(&table);
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for old in rows {
        let mut row = old.clone();
        for (place, expr) in &changes {
            let value = cell(session, world, expr, &names, &row)?;
            if let Some(slot) = row.get_mut(*place) {
                *slot = value;
            }
        }
        if row != old {
            gone.push(old);
            come.push(row);
        }
    }
    session.row_count = i64::try_from(come.len()).unwrap_or(0);
    if come.is_empty() {
        return Ok(());
    }
    commit(session, world, c.sql(), Effect::Rows { database, name, gone, come })
}

pub(super) fn delete(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<(), SqlError> {
    c.expect_word("from")?;
    let (database, name) = full(session, table_name(c)?)?;
    allowed(session, &database, "DELETE")?;
    let table = the_table(session, world, &database, &name)?;
    let gone = chosen(session, world, c, &table)?;
    session.may_write(world)?;
    session.row_count = i64::try_from(gone.len()).unwrap_or(0);
    if gone.is_empty() {
        return Ok(());
    }
    commit(session, world, c.sql(), Effect::Rows { database, name, gone, come: Vec::new() })
}

//! `SELECT`: of values, and of rows of one table with WHERE, GROUP BY, ORDER BY and LIMIT.

use std::cmp::Ordering;

use crate::world::World;

use super::SqlError;
use super::eval::Env;
use super::execute::Session;
use super::expr::{Expr, is_clause};
use super::format::Rows;
use super::lexer::{Cursor, Token};
use super::sources;
use super::value::Value;

/// A query.
#[derive(Debug, Clone)]
pub(super) struct Select {
    columns: Vec<(Expr, String)>,
    /// Database and table.
    from: Option<(Option<String>, String)>,
    condition: Option<Expr>,
    group: Vec<Expr>,
    having: Option<Expr>,
    order: Vec<(Expr, bool)>,
    limit: Option<usize>,
    offset: usize,
    distinct: bool,
}

/// `db.table` or `table`.
pub(super) fn table_name(c: &mut Cursor<'_>) -> Result<(Option<String>, String), SqlError> {
    let first = c.name()?;
    if c.symbol('.') { Ok((Some(first), c.name()?)) } else { Ok((None, first)) }
}

impl Select {
    /// Reads a query whose SELECT is next.
    pub(super) fn parse_after(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        c.expect_word("select")?;
        Self::parse(c)
    }

    /// Reads a query after its SELECT.
    pub(super) fn parse(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let distinct = c.take("distinct");
        while c.take_any(&["sql_no_cache", "sql_cache"]) {}
        let mut select = Self {
            columns: Vec::new(),
            from: None,
            condition: None,
            group: Vec::new(),
            having: None,
            order: Vec::new(),
            limit: None,
            offset: 0,
            distinct,
        };
        loop {
            select.columns.push(column(c)?);
            if !c.symbol(',') {
                break;
            }
        }
        if c.take("from") && !c.take("dual") {
            select.from = Some(table_name(c)?);
            // Another name for the one table says nothing here.
            if c.take("as") || matches!(c.peek(), Some(Token::Word(word)) if !is_clause(word)) {
                c.name()?;
            }
            if c.symbol(',') || c.is("join") || c.is("left") || c.is("inner") {
                return Err(SqlError::unsupported(c.sql()));
            }
        }
        if c.take("where") {
            select.condition = Some(Expr::parse(c)?);
        }
        select.tail(c)?;
        if c.is("union") || c.is("into") {
            return Err(SqlError::unsupported(c.sql()));
        }
        Ok(select)
    }

    fn tail(&mut self, c: &mut Cursor<'_>) -> Result<(), SqlError> {
        if c.take("group") {
            c.expect_word("by")?;
            self.group = Expr::list(c)?;
        }
        if c.take("having") {
            self.having = Some(Expr::parse(c)?);
        }
        if c.take("order") {
            c.expect_word("by")?;
            loop {
                let expr = Expr::parse(c)?;
                let down = c.take("desc");
                let _up = !down && c.take("asc");
                self.order.push((expr, down));
                if !c.symbol(',') {
                    break;
                }
            }
        }
        if c.take("limit") {
            let mut number = || c.word_or_text()?.parse::<usize>().map_err(|_| c.syntax());
            let first = number()?;
            if c.symbol(',') {
                self.offset = first;
                self.limit = Some(c.word_or_text()?.parse().map_err(|_| c.syntax())?);
            } else {
                self.limit = Some(first);
                if c.take("offset") {
                    self.offset = c.word_or_text()?.parse().map_err(|_| c.syntax())?;
                }
            }
        }
        if c.take("for") {
            c.expect_word("update")?;
        }
        Ok(())
    }

    /// Runs it.
    pub(super) fn run(&self, session: &mut Session, world: &mut World) -> Result<Rows, SqlError> {
        let (names, rows) = match &self.from {
            None => (Vec::new(), vec![Vec::new()]),
            Some((database, table)) => sources::rows(session, world, database.as_deref(), table)?,
        };
        let mut kept = Vec::new();
        for row in rows {
            let holds = match &self.condition {
                None => true,
                Some(test) => {
                    let mut env = Env { session, world, columns: &names, row: &row, group: None };
                    env.value(test)?.is_true() == Some(true)
                }
            };
            if holds {
                kept.push(row);
            }
        }
        let columns = self.heads(&names);
        let counted = self.columns.iter().any(|(expr, _)| expr.aggregates());
        let groups = if counted || !self.group.is_empty() {
            self.groups(session, world, &names, kept)?
        } else {
            kept.into_iter().map(|row| vec![row]).collect()
        };
        let mut results: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
        for group in &groups {
            if let Some(result) = self.result(session, world, &names, group, counted)? {
                results.push(result);
            }
        }
        results.sort_by(|(_, a), (_, b)| self.compare(a, b));
        let mut found = Rows { columns, rows: Vec::new() };
        for (row, _) in results {
            let row: Vec<Option<String>> = row.iter().map(Value::cell).collect();
            if !(self.distinct && found.rows.contains(&row)) {
                found.rows.push(row);
            }
        }
        let last = self.limit.unwrap_or(usize::MAX);
        found.rows = found.rows.into_iter().skip(self.offset).take(last).collect();
        Ok(found)
    }

    fn heads(&self, names: &[String]) -> Vec<String> {
        let mut heads = Vec::new();
        for (expr, head) in &self.columns {
            match expr {
                Expr::Star => heads.extend(names.iter().cloned()),
                _ => heads.push(head.clone()),
            }
        }
        heads
    }

    fn groups(
        &self,
        session: &mut Session,
        world: &mut World,
        names: &[String],
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Vec<Vec<Value>>>, SqlError> {
        if self.group.is_empty() {
            return Ok(vec![rows]);
        }
        let mut groups: Vec<(Vec<Value>, Vec<Vec<Value>>)> = Vec::new();
        for row in rows {
            let mut key = Vec::new();
            for expr in &self.group {
                let mut env = Env { session, world, columns: names, row: &row, group: None };
                key.push(env.value(self.meant(expr))?);
            }
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, members)) => members.push(row),
                None => groups.push((key, vec![row])),
            }
        }
        Ok(groups.into_iter().map(|(_, members)| members).collect())
    }

    /// The column that a name or a number after ORDER BY means.
    fn meant<'e>(&'e self, expr: &'e Expr) -> &'e Expr {
        let found = match expr {
            Expr::Column(name) => self.columns.iter().find(|(_, head)| head.eq_ignore_ascii_case(name)),
            Expr::Value(Value::Int(number)) => {
                usize::try_from(*number).ok().and_then(|n| self.columns.get(n.checked_sub(1)?))
            }
            _ => None,
        };
        found.map_or(expr, |(expr, _)| expr)
    }

    /// The row of a group, and what it is sorted by.
    #[allow(clippy::type_complexity)]
    fn result(
        &self,
        session: &mut Session,
        world: &mut World,
        names: &[String],
        group: &[Vec<Value>],
        counted: bool,
    ) -> Result<Option<(Vec<Value>, Vec<Value>)>, SqlError> {
        let nothing = vec![Value::Null; names.len()];
        let row = group.first().unwrap_or(&nothing);
        let over = (counted || !self.group.is_empty()).then_some(group);
        let mut env = Env { session, world, columns: names, row, group: over };
        if let Some(test) = &self.having
            && env.value(test)?.is_true() != Some(true)
        {
            return Ok(None);
        }
        let mut values = Vec::new();
        for (expr, _) in &self.columns {
            match expr {
                Expr::Star => values.extend(row.iter().cloned()),
                expr => values.push(env.value(expr)?),
            }
        }
        let mut keys = Vec::new();
        for (expr, _) in &self.order {
            keys.push(env.value(self.meant(expr))?);
        }
        Ok(Some((values, keys)))
    }

    fn compare(&self, a: &[Value], b: &[Value]) -> Ordering {
        for ((a, b), (_, down)) in a.iter().zip(b).zip(&self.order) {
            let order = match (a, b) {
                (Value::Null, Value::Null) => Ordering::Equal,
                (Value::Null, _) => Ordering::Less,
                (_, Value::Null) => Ordering::Greater,
                (a, b) => a.compare(b).unwrap_or(Ordering::Equal),
            };
            if order != Ordering::Equal {
                return if *down { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }
}

/// A column and its head: its text as written, a quoted one by what it says, or the name given with AS.
fn column(c: &mut Cursor<'_>) -> Result<(Expr, String), SqlError> {
    let start = c.offset();
    let literal = match c.peek() {
        Some(Token::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let expr = Expr::parse(c)?;
    let plain = matches!(expr, Expr::Value(Value::Text(_)));
    let mut head = literal.filter(|_| plain).unwrap_or_else(|| match &expr {
        Expr::Column(name) => name.clone(),
        _ => c.text_since(start).to_owned(),
    });
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
    Ok((expr, head))
}

/// A whole statement, after its SELECT.
pub(super) fn run(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
    let select = Select::parse(c)?;
    c.end()?;
    select.run(session, world)
}

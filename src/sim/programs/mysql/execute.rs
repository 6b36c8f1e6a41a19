//! The server's side: what a statement does.

use crate::domain::names::HostName;
use crate::sim::world::World;
use crate::sim::world::database::{Server, Version};

use super::format::Rows;
use super::lexer::{Cursor, Token};
use super::{SqlError, product, select, show, variables};

/// A connection to a server.
#[derive(Debug)]
pub(super) struct Session {
    /// The host whose server it is.
    pub(super) host: HostName,
    /// The account: `root@localhost`.
    pub(super) account: String,
    /// The server's version.
    pub(super) version: Version,
    /// The chosen database.
    pub(super) database: Option<String>,
    /// The last statement's note, for `SHOW WARNINGS`: code and text.
    pub(super) note: Option<(u32, String)>,
}

/// What a statement gives.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing to print.
    Done,
    /// Rows.
    Rows(Rows),
}

/// The databases that are on every server.
pub(super) static SCHEMAS: &[&str] = &["information_schema", "mysql", "performance_schema", "webplatform"];

impl Session {
    /// Runs one statement.
    pub(super) fn execute(&mut self, world: &mut World, sql: &str) -> Result<Outcome, SqlError> {
        let version = self.version.clone();
        let mut cursor = Cursor::new(sql, &version)?;
        let c = &mut cursor;
        if c.take("show") {
            if c.take("warnings") {
                return Ok(Outcome::Rows(self.warnings()));
            }
            return show::run(self, world, c).map(Outcome::Rows);
        }
        self.note = None;
        if c.take("select") {
            select::run(self, world, c).map(Outcome::Rows)
        } else if c.take_any(&["stop", "start"]) {
            let start = sql.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("start"));
            self.threads(world, c, start)
        } else if c.take("set") {
            self.set(world, c)
        } else if c.take("use") {
            self.choose(c)
        } else if c.take_any(&["flush", "unlock", "do", "commit", "begin", "rollback"]) {
            Ok(Outcome::Done)
        } else if c
            .take_any(&["insert", "update", "delete", "replace", "create", "drop", "alter", "truncate"])
        {
            self.refuse_write(world, sql)
        } else if c.take_any(&["change", "reset", "grant", "revoke", "kill", "explain", "describe", "desc"]) {
            Err(SqlError::unsupported(sql))
        } else {
            Err(cursor.syntax())
        }
    }

    /// The server this session talks to; it may have been stopped meanwhile.
    pub(super) fn server<'w>(&self, world: &'w mut World) -> Result<&'w mut Server, SqlError> {
        let gone = || SqlError::new(2013, "HY000", "Lost connection to server during query");
        world.databases().server_mut(&self.host).filter(|server| server.running).ok_or_else(gone)
    }

    /// `STOP|START [ALL] SLAVE[S]|REPLICA[S] ['name'] [IO_THREAD|SQL_THREAD, …]`.
    fn threads(&mut self, world: &mut World, c: &mut Cursor<'_>, start: bool) -> Result<Outcome, SqlError> {
        let all = self.version.mariadb && c.take("all");
        let replica = self.version.mariadb_from(10, 5);
        let known = match (all, replica) {
            (true, true) => c.take_any(&["slaves", "replicas"]),
            (true, false) => c.take("slaves"),
            (false, true) => c.take_any(&["slave", "replica"]),
            (false, false) => c.take("slave"),
        };
        if !known {
            return Err(c.syntax());
        }
        let name = if self.version.mariadb && !all { c.text() } else { None };
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
        c.end()?;
        if !io && !sql {
            (io, sql) = (true, true);
        }
        let server = self.server(world)?;
        let wanted = name.clone().unwrap_or_default();
        let mut chosen: Vec<_> =
            server.connections.iter_mut().filter(|connection| all || connection.name == wanted).collect();
        if chosen.is_empty() && !all {
            return match name {
                Some(name) => Err(no_connection(&name)),
                None if start => Err(SqlError::new(
                    1200,
                    "HY000",
                    "Misconfigured slave: MASTER_HOST was not set; Fix in config file or with CHANGE MASTER TO",
                )),
                None => Ok(Outcome::Done),
            };
        }
        let as_wanted =
            chosen.iter().all(|c| (!io || c.io_started == start) && (!sql || c.sql_started == start));
        for connection in &mut chosen {
            connection.io_started = if io { start } else { connection.io_started };
            connection.sql_started = if sql { start } else { connection.sql_started };
        }
        if as_wanted {
            self.note = Some(match start {
                true => (1254, "Slave is already running".to_owned()),
                false => (1255, "Slave already has been stopped".to_owned()),
            });
        }
        Ok(Outcome::Done)
    }

    /// `SET GLOBAL read_only = …`; a session's own settings are taken and have no effect here.
    fn set(&mut self, world: &mut World, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
        let mut global = c.take("global");
        if !global && c.take_any(&["session", "local", "names"]) {
            return Ok(Outcome::Done);
        }
        let name = match c.next() {
            Some(Token::Word(name) | Token::Name(name)) => name.to_ascii_lowercase(),
            Some(Token::Variable(name)) => {
                global |= c.sql().to_ascii_lowercase().contains("@@global.");
                name
            }
            // A variable of the user's own.
            Some(Token::Symbol('@')) => return Ok(Outcome::Done),
            _ => return Err(c.syntax()),
        };
        if !(c.symbol('=') || c.symbol(':') && c.symbol('=')) {
            return Err(c.syntax());
        }
        let value = c.next();
        c.end()?;
        if variables::one(self, world, &name)?.is_none() {
            return Err(SqlError::new(1193, "HY000", format!("Unknown system variable '{name}'")));
        }
        if name != "read_only" {
            return if global { Err(SqlError::unsupported(c.sql())) } else { Ok(Outcome::Done) };
        }
        if !global {
            let message = "Variable 'read_only' is a GLOBAL variable and should be set with SET GLOBAL";
            return Err(SqlError::new(1229, "HY000", message));
        }
        let word = match &value {
            Some(Token::Word(word) | Token::Text(word) | Token::Number(word)) => word.to_ascii_lowercase(),
            _ => return Err(c.syntax()),
        };
        let on = match word.as_str() {
            "1" | "on" | "true" => true,
            "0" | "off" | "false" => false,
            other => {
                let message = format!("Variable 'read_only' can't be set to the value of '{other}'");
                return Err(SqlError::new(1231, "42000", message));
            }
        };
        self.server(world)?.read_only = on;
        Ok(Outcome::Done)
    }

    fn choose(&mut self, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
        let Some(Token::Word(name) | Token::Name(name)) = c.next() else { return Err(c.syntax()) };
        c.end()?;
        if !SCHEMAS.contains(&name.as_str()) {
            return Err(SqlError::new(1049, "42000", format!("Unknown database '{name}'")));
        }
        self.database = Some(name);
        Ok(Outcome::Done)
    }

    /// Tables are not simulated. A read-only server refuses as a real one does anybody without SUPER.
    fn refuse_write(&self, world: &mut World, sql: &str) -> Result<Outcome, SqlError> {
        if self.server(world)?.read_only && !self.account.starts_with("root@") {
            let message = format!(
                "The {} server is running with the --read-only option so it cannot execute this statement",
                product(&self.version)
            );
            return Err(SqlError::new(1290, "HY000", message));
        }
        Err(SqlError::unsupported(sql))
    }

    fn warnings(&self) -> Rows {
        let mut rows = Rows::new(&["Level", "Code", "Message"]);
        if let Some((code, text)) = &self.note {
            rows.rows.push(vec![Some("Note".to_owned()), Some(code.to_string()), Some(text.clone())]);
        }
        rows
    }
}

/// The error of a connection that is not there.
pub(super) fn no_connection(name: &str) -> SqlError {
    SqlError::new(1617, "HY000", format!("There is no master connection '{name}'"))
}

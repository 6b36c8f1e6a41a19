//! The server's side: what a statement does. A statement that has to wait says so, and is run again later; what it has
//! worked out until then (a lock taken, a sleep slept) is remembered.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::mariadb::accounts::Account;
use crate::mariadb::session::Killed;
use crate::mariadb::{Server, Version};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::format::Rows;
use super::lexer::{Cursor, Token};
use super::snapshot::Snapshot;
use super::value::Value;
use super::{SqlError, accounts, change_master, checksum, processes, select, set, show, tables, threads};

/// A connection to a server.
#[derive(Debug)]
pub(super) struct Session {
    /// The host whose server it is.
    pub(super) host: HostName,
    /// `CONNECTION_ID()`.
    pub(super) id: u64,
    /// The account it became.
    pub(super) account: Account,
    /// Who logged in and from where: `root@localhost`.
    pub(super) login: String,
    /// The server's version.
    pub(super) version: Version,
    /// The chosen database.
    pub(super) database: Option<String>,
    /// What `SHOW WARNINGS` tells of the last statement: level, code, text.
    pub(super) notes: Vec<(&'static str, u32, String)>,
    pub(super) user_variables: BTreeMap<String, Value>,
    /// `sql_log_bin`.
    pub(super) binlog: bool,
    pub(super) row_count: i64,
    pub(super) last_insert_id: u64,
    /// `max_statement_time` of the session, seconds; 0 is none.
    pub(super) limit: f64,
    /// Whether something was written since BEGIN.
    pub(super) wrote: bool,
    /// What it sees since `START TRANSACTION WITH CONSISTENT SNAPSHOT`.
    pub(super) snapshot: Option<Box<Snapshot>>,
    statement: Running,
}

/// The statement under way.
#[derive(Debug, Default)]
struct Running {
    /// The world's seconds, and the real moment, when it began.
    since: Option<(f64, Instant)>,
    /// What SET STATEMENT limits it to, seconds.
    limit: Option<f64>,
    /// Values of functions that do something, in the order in which they were worked out.
    done: Vec<Value>,
    next: usize,
    /// Bytes of the texts that it has made.
    made: usize,
    /// What kind of statement it is, for messages.
    word: &'static str,
}

/// What a statement gives.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing to print.
    Done,
    /// Rows.
    Rows(Rows),
}

impl Session {
    pub(super) fn new(host: HostName, id: u64, account: Account, login: String, version: Version) -> Self {
        Self {
            host,
            id,
            account,
            login,
            version,
            database: None,
            notes: Vec::new(),
            user_variables: BTreeMap::new(),
            binlog: true,
            row_count: 0,
            last_insert_id: 0,
            limit: 0.0,
            wrote: false,
            snapshot: None,
            statement: Running::default(),
        }
    }

    /// Runs a statement, or goes on with one that waited. [`SqlError::is_wait`] tells that it has to be run again.
    /// Counts bytes of texts that the statement at hand has made.
    pub(super) fn made(&mut self, bytes: usize) -> Result<(), SqlError> {
        const MOST: usize = 256 * 1024 * 1024;
        self.statement.made += bytes;
        match self.statement.made > MOST {
            true => Err(SqlError::new(1041, "HY000", "Out of memory")),
            false => Ok(()),
        }
    }

    pub(super) fn execute(&mut self, world: &mut World, sql: &str) -> Result<Outcome, SqlError> {
        let now = world.now().as_secs_f64();
        let fresh = self.statement.since.is_none();
        if fresh {
            self.statement =
                Running { since: Some((now, Instant::now())), word: "SELECT", ..Running::default() };
        }
        self.statement.next = 0;
        self.statement.made = 0;
        // Expressions are read and worked out by recursion.
        const STACK: usize = 16 * 1024 * 1024;
        let result = stacker::maybe_grow(STACK, STACK, || {
            self.check(world, fresh, sql).and_then(|()| self.dispatch(world, sql))
        });
        let result = match result {
            Err(error) if error.is_wait() => self.wait(world, error),
            other => other,
        };
        if result.as_ref().err().is_some_and(SqlError::is_wait) {
            return result;
        }
        if let Err(error) = &result {
            self.notes.push(("Error", error.code, error.message.clone()));
        }
        self.statement.since = None;
        let (database, now) = (self.database.clone(), world.now().as_secs_f64());
        if let Some(open) = self.open(world) {
            open.command = "Sleep";
            open.since = now;
            open.state.clear();
            open.info = None;
            open.database = database;
        }
        result
    }

    /// Whether the connection is there, and its statement not killed; notes the statement.
    fn check(&mut self, world: &mut World, fresh: bool, sql: &str) -> Result<(), SqlError> {
        let newer = self.version.mariadb_from(10, 5);
        let now = world.now().as_secs_f64();
        // What was sent waits on its way, and arrives when the link is back.
        if self.is_cut(world) {
            return Err(SqlError::wait(""));
        }
        let Some(open) = self.open(world) else {
            return Err(match (fresh, newer) {
                (true, true) => SqlError::new(2006, "HY000", "Server has gone away"),
                (true, false) => SqlError::new(2006, "HY000", "MySQL server has gone away"),
                (false, true) => SqlError::new(2013, "HY000", "Lost connection to server during query"),
                (false, false) => {
                    SqlError::new(2013, "HY000", "Lost connection to MySQL server during query")
                }
            });
        };
        if fresh {
            open.killed = None;
            open.command = "Query";
            open.since = now;
            open.state = "starting".to_owned();
            open.info = Some(sql.to_owned());
        } else if open.killed.take() == Some(Killed::Query) {
            return Err(SqlError::new(1317, "70100", "Query execution was interrupted"));
        }
        Ok(())
    }

    fn wait(&mut self, world: &mut World, error: SqlError) -> Result<Outcome, SqlError> {
        let limit = self.statement.limit.or(Some(self.limit)).filter(|limit| *limit > 0.0);
        if limit.is_some_and(|limit| self.waited(world) >= limit) {
            let message = "Query execution was interrupted (max_statement_time exceeded)";
            return Err(SqlError::new(1969, "70100", message));
        }
        if let Some(open) = self.open(world) {
            open.state.clone_from(&error.message);
        }
        Err(error)
    }

    pub(super) fn open<'w>(&self, world: &'w mut World) -> Option<&'w mut crate::mariadb::session::Session> {
        self.server(world).ok()?.sessions.get_mut(self.id)
    }

    /// Whether the way from its client to its server is cut.
    pub(super) fn is_cut(&self, world: &mut World) -> bool {
        let from = self.login.rsplit_once('@').map_or("", |(_, from)| from).to_owned();
        let databases = world.databases();
        let to = databases.server(&self.host).map(|server| server.address.clone());
        to.is_some_and(|to| databases.is_cut(&from, &to))
    }

    /// Seconds since the statement began: the world's, or real ones where its time stands still.
    pub(super) fn waited(&self, world: &World) -> f64 {
        let Some((since, real)) = self.statement.since else { return 0.0 };
        (world.now().as_secs_f64() - since).max(real.elapsed().as_secs_f64())
    }

    /// The value that the next function that does something had, when the statement was run before.
    pub(super) fn remembered(&mut self) -> Option<Value> {
        let value = self.statement.done.get(self.statement.next).cloned()?;
        self.statement.next += 1;
        Some(value)
    }

    pub(super) fn remember(&mut self, value: Value) {
        self.statement.done.push(value);
        self.statement.next = self.statement.done.len();
    }

    /// Limits the statement, as SET STATEMENT does.
    pub(super) fn limit_statement(&mut self, seconds: f64) {
        self.statement.limit = Some(seconds);
    }

    /// What the statement is called where a column is not known.
    pub(super) fn place_word(&self) -> &'static str {
        match self.statement.word {
            "SELECT" if !self.version.mariadb_from(10, 11) => "field list",
            word => word,
        }
    }

    pub(super) fn set_word(&mut self, word: &'static str) {
        self.statement.word = word;
    }

    /// Runs what a statement says, from the cursor on.
    pub(super) fn dispatch(&mut self, world: &mut World, sql: &str) -> Result<Outcome, SqlError> {
        let version = self.version.clone();
        let mut cursor = Cursor::new(sql, &version)?;
        if cursor.peek().is_none() {
            return Err(SqlError::new(1065, "42000", "Query was empty"));
        }
        self.statement_from(world, &mut cursor)
    }

    pub(super) fn statement_from(
        &mut self,
        world: &mut World,
        c: &mut Cursor<'_>,
    ) -> Result<Outcome, SqlError> {
        if c.take("show") {
            if c.take_any(&["warnings", "errors"]) {
                return Ok(Outcome::Rows(self.warnings()));
            }
            return show::run(self, world, c).map(Outcome::Rows);
        }
        self.notes.clear();
        let ignored = self.server(world)?.faults.ignored.clone();
        let words = c.rest().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if ignored.iter().any(|beginning| words.starts_with(beginning)) {
            return Ok(Outcome::Done);
        }
        if c.take("select") {
            return select::run(self, world, c).map(Outcome::Rows);
        }
        let word = match c.peek() {
            Some(Token::Word(word)) => word.to_ascii_lowercase(),
            _ => return Err(c.syntax()),
        };
        match word.as_str() {
            "stop" | "start" if !matches!(c.peek_second(), Some(Token::Word(w)) if w.eq_ignore_ascii_case("transaction")) =>
            {
                c.next();
                threads::switch(self, world, c, word == "start")
            }
            "begin" | "start" | "commit" | "rollback" => self.transaction(world, c, &word),
            "set" => {
                c.next();
                set::run(self, world, c)
            }
            "do" => {
                c.next();
                select::run(self, world, c).map(|_| Outcome::Done)
            }
            "use" => {
                c.next();
                self.choose(world, c)
            }
            "change" => {
                c.next();
                change_master::run(self, world, c)
            }
            "reset" => {
                c.next();
                threads::reset(self, world, c)
            }
            "kill" => {
                c.next();
                processes::kill(self, world, c)
            }
            "flush" => {
                c.next();
                self.flush(world, c)
            }
            "lock" | "unlock" => {
                c.next();
                self.lock_tables(world, c, word == "lock")
            }
            "checksum" => {
                c.next();
                checksum::run(self, world, c).map(Outcome::Rows)
            }
            "grant" | "revoke" => accounts::run(self, world, c),
            "create" | "drop" | "alter" if accounts::is_about_accounts(c) => accounts::run(self, world, c),
            "insert" | "replace" | "update" | "delete" | "truncate" | "create" | "drop" | "alter"
            | "rename" => tables::run(self, world, c),
            "purge" | "explain" | "describe" | "desc" | "load" | "call" | "prepare" | "execute"
            | "analyze" | "optimize" | "check" | "repair" | "xa" | "savepoint" => {
                Err(SqlError::unsupported(c.sql()))
            }
            _ => Err(c.syntax()),
        }
    }

    /// The server this session talks to; it may have been stopped meanwhile.
    pub(super) fn server<'w>(&self, world: &'w mut World) -> Result<&'w mut Server, SqlError> {
        let gone = || SqlError::new(2013, "HY000", "Lost connection to server during query");
        world.databases().server_mut(&self.host).filter(|server| server.running).ok_or_else(gone)
    }

    fn warnings(&self) -> Rows {
        let mut rows = Rows::new(&["Level", "Code", "Message"]);
        let row = |(level, code, text): &(&str, u32, String)| {
            vec![Some((*level).to_owned()), Some(code.to_string()), Some(text.clone())]
        };
        rows.rows = self.notes.iter().map(row).collect();
        rows
    }
}

/// The error of a connection that is not there.
pub(super) fn no_connection(name: &str) -> SqlError {
    SqlError::new(1617, "HY000", format!("There is no master connection '{name}'"))
}

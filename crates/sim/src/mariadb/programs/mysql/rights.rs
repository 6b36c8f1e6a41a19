//! What a session may do, and what it holds: privileges, `read_only`, locks, transactions.

use crate::world::World;

use super::execute::{Outcome, Session};
use super::lexer::Cursor;
use super::snapshot::Snapshot;
use super::{SqlError, product};

impl Session {
    /// Whether the session's account has a privilege on everything.
    pub(super) fn may(&self, privilege: &str) -> bool {
        self.account.has(privilege)
    }

    /// The session's account must have one of these privileges.
    pub(super) fn need(&self, any: &[&str]) -> Result<(), SqlError> {
        let newer = self.version.mariadb_from(10, 5);
        let known: Vec<&str> = any
            .iter()
            .copied()
            .filter(|p| newer || matches!(*p, "SUPER" | "RELOAD" | "REPLICATION CLIENT" | "CREATE USER"))
            .collect();
        if known.is_empty() || known.iter().any(|privilege| self.may(privilege)) {
            return Ok(());
        }
        let message = format!(
            "Access denied; you need (at least one of) the {} privilege(s) for this operation",
            known.join(", ")
        );
        Err(SqlError::new(1227, "42000", message))
    }

    /// Whether it may write now: `read_only`, and locks of others.
    pub(super) fn may_write(&self, world: &mut World) -> Result<(), SqlError> {
        let id = self.id;
        let through = self.account.writes_through_read_only(&self.version);
        let server = self.server(world)?;
        if server.read_only && !through {
            let message = format!(
                "The {} server is running with the --read-only option so it cannot execute this statement",
                product(&self.version)
            );
            return Err(SqlError::new(1290, "HY000", message));
        }
        if server.sessions.get(id).is_some_and(|s| s.global_lock) {
            let message = "Can't execute the query because you have a conflicting read lock";
            return Err(SqlError::new(1223, "HY000", message));
        }
        if server.sessions.writes_locked(id) {
            let newer = self.version.mariadb_from(10, 5);
            return Err(SqlError::wait(if newer {
                "Waiting for backup lock"
            } else {
                "Waiting for global read lock"
            }));
        }
        if server.faults.semi_sync_stuck {
            return Err(SqlError::wait("Waiting for semi-sync ACK from slave"));
        }
        // "Waiting for someone to free space": in its commit, which `read_only` waits for.
        let full = server.faults.disk_full;
        if let Some(open) = server.sessions.get_mut(id) {
            open.committing = full;
        }
        if full {
            return Err(SqlError::wait("Commit"));
        }
        Ok(())
    }

    pub(super) fn transaction(
        &mut self,
        world: &mut World,
        c: &mut Cursor<'_>,
        word: &str,
    ) -> Result<Outcome, SqlError> {
        let words = c.rest().to_ascii_lowercase();
        self.snapshot = None;
        if word == "start" && words.contains("with consistent snapshot") {
            self.snapshot = Some(Box::new(Snapshot::of(self, world)?));
        }
        if word == "rollback" && self.wrote {
            return Err(SqlError::unsupported("ROLLBACK of what was written"));
        }
        self.wrote = false;
        let now = world.now().as_secs_f64();
        if let Some(open) = self.open(world) {
            open.transaction = matches!(word, "begin" | "start").then_some(now);
        }
        Ok(Outcome::Done)
    }

    pub(super) fn choose(&mut self, world: &mut World, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
        let name = c.name()?;
        c.end()?;
        if !self.server(world)?.data.databases.contains_key(&name) {
            return Err(SqlError::new(1049, "42000", format!("Unknown database '{name}'")));
        }
        self.database = Some(name);
        Ok(Outcome::Done)
    }

    /// `FLUSH TABLES WITH READ LOCK` is held until UNLOCK TABLES or the session's end.
    pub(super) fn flush(&mut self, world: &mut World, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
        self.need(&["RELOAD"])?;
        c.take_any(&["local", "no_write_to_binlog"]);
        let id = self.id;
        if c.take_any(&["binary", "engine"]) || c.is("logs") {
            c.expect_word("logs")?;
            self.server(world)?.rotate_log();
            return Ok(Outcome::Done);
        }
        if !c.take_any(&["tables", "table"]) || !c.take("with") {
            return Ok(Outcome::Done);
        }
        c.expect_word("read")?;
        c.expect_word("lock")?;
        let server = self.server(world)?;
        if server.sessions.writing(id) || server.faults.semi_sync_stuck {
            return Err(SqlError::wait("Waiting for commit lock"));
        }
        if let Some(open) = server.sessions.get_mut(id) {
            open.global_lock = true;
        }
        Ok(Outcome::Done)
    }

    /// `LOCK TABLES …`, `UNLOCK TABLES`.
    pub(super) fn lock_tables(
        &mut self,
        world: &mut World,
        c: &mut Cursor<'_>,
        lock: bool,
    ) -> Result<Outcome, SqlError> {
        if !c.take_any(&["tables", "table"]) {
            return Err(c.syntax());
        }
        let write = c.rest().to_ascii_lowercase().contains("write");
        if lock && write {
            self.may_write(world)?;
        }
        if let Some(open) = self.open(world) {
            open.table_lock = lock && write;
            open.global_lock &= lock;
        }
        Ok(Outcome::Done)
    }
}

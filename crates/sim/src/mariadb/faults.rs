//! What a lesson or a test can let go wrong with a database server.

use std::sync::Arc;

use crate::apps::kinds::WIKI;
use jumpdeck_fleet::names::HostName;

use super::accounts::{Account, Grant};
use super::data::{Change, Effect};
use super::replica::Filters;
use super::session::Session;
use super::{Databases, Server};

/// What goes wrong with a server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Transactions a second that its SQL threads apply at most; 0 never catches up.
    pub apply_rate: Option<u64>,
    /// Statements (by how they begin, in lower case) that report success and do nothing.
    pub ignored: Vec<String>,
    /// Whether each commit waits for a replica's acknowledgement that does not come.
    pub semi_sync_stuck: bool,
    /// Whether its disk is full: what writes waits for room, and what was received is not applied.
    pub disk_full: bool,
    /// Whether it says at once that it has applied what somebody waits for (`MASTER_GTID_WAIT`), whatever it has applied.
    pub waits_lie: bool,
    /// The number of coming row transactions for which it advances its position without applying the rows.
    pub loses_rows: u64,
    /// Clients that hold a connection and do nothing.
    pub idle_clients: u64,
    /// Connections that were refused, as all were in use.
    pub refused: u64,
}

impl Databases {
    fn changed(&mut self, host: &HostName, change: impl FnOnce(&mut Server)) -> bool {
        self.server_mut(host).map(change).is_some()
    }

    /// A replica applies at most so many transactions a second: with 0 it never catches up.
    pub fn limit_apply_rate(&mut self, host: &HostName, rate: Option<u64>) -> bool {
        self.changed(host, |s| s.faults.apply_rate = rate)
    }

    /// Somebody writes transactions on a server by hand, past `read_only`: errant ones, when it is a replica.
    pub fn write_by_hand(&mut self, host: &HostName, count: u64) -> bool {
        let change = Change {
            sql: "OPTIMIZE TABLE webplatform.page".to_owned(),
            database: String::new(),
            effect: Effect::Nothing,
        };
        let change = Arc::new(change);
        let Some(index) = self.index(host) else { return false };
        (0..count).all(|_| self.write(index, 1, false, Some(Arc::clone(&change))).is_some())
    }

    /// The applications' account gets a privilege on everything (`SUPER`, `READ_ONLY ADMIN`).
    pub fn empower_apps(&mut self, host: &HostName, privilege: &str) -> bool {
        let grant =
            Grant { privileges: [privilege.to_owned()].into(), database: None, option: false, tls: None };
        let effect = Effect::Grant { user: WIKI.user.to_owned(), host: "%".to_owned(), grant };
        self.server_mut(host).is_some_and(|s| s.apply_effect(&effect).is_ok())
    }

    /// Statements that begin so report success and do nothing.
    pub fn ignore_statements(&mut self, host: &HostName, beginning: &str) -> bool {
        self.changed(host, |s| s.faults.ignored.push(beginning.to_lowercase()))
    }

    /// Each commit waits for an acknowledgement that does not come.
    pub fn stick_semi_sync(&mut self, host: &HostName, stuck: bool) -> bool {
        self.changed(host, |s| s.faults.semi_sync_stuck = stuck)
    }

    /// Its disk is full, or has room again.
    pub fn fill_disk(&mut self, host: &HostName, full: bool) -> bool {
        self.changed(host, |s| s.faults.disk_full = full)
    }

    /// It says that it has applied what it has not, when somebody waits for it by GTID.
    pub fn lie_in_waits(&mut self, host: &HostName, lies: bool) -> bool {
        self.changed(host, |s| s.faults.waits_lie = lies)
    }

    /// Makes a replica advance its position past this many coming row transactions without applying their rows: by its
    /// position it has everything.
    pub fn lose_rows(&mut self, host: &HostName, transactions: u64) -> bool {
        self.changed(host, |s| s.faults.loses_rows = transactions)
    }

    /// A transaction that began so many seconds ago and does not end. With `committing`, `read_only` waits for it.
    pub fn open_transaction(&mut self, host: &HostName, now: f64, age: f64, committing: bool) -> Option<u64> {
        let server = self.server_mut(host)?;
        let account = Account { user: "batch".to_owned(), host: "%".to_owned(), ..Account::default() };
        let mut session = Session::new("batch", "10.10.10.99:51812", account, now - age);
        session.database = Some("webplatform".to_owned());
        session.transaction = Some(now - age);
        session.committing = committing;
        if committing {
            session.command = "Query";
            session.state = "Commit".to_owned();
            session.info = Some("COMMIT".to_owned());
        }
        Some(server.sessions.open(session))
    }

    /// Fault: idle clients hold that number of connections.
    pub fn hold_connections(&mut self, host: &HostName, clients: u64) -> bool {
        self.changed(host, |s| s.faults.idle_clients = clients)
    }

    /// Fault: that number of connections more are refused, as all are in use.
    pub fn refuse_connections(&mut self, host: &HostName, count: u64) -> bool {
        self.changed(host, |s| s.faults.refused += count)
    }

    /// A dump under way since so many seconds.
    pub fn run_dump(&mut self, host: &HostName, now: f64, age: f64) -> Option<u64> {
        let server = self.server_mut(host)?;
        let account =
            Account { user: "backup".to_owned(), host: "localhost".to_owned(), ..Account::default() };
        let mut session = Session::new("backup", "localhost", account, now - age);
        session.database = Some("webplatform".to_owned());
        session.command = "Query";
        session.state = "Sending data".to_owned();
        session.info = Some("SELECT /*!40001 SQL_NO_CACHE */ * FROM `revision`".to_owned());
        session.transaction = Some(now - age);
        Some(server.sessions.open(session))
    }

    /// Whether a replica's connections are encrypted; without, masters whose account asks for it refuse.
    pub fn set_replica_tls(&mut self, host: &HostName, tls: bool) -> bool {
        self.changed(host, |s| {
            for c in &mut s.connections {
                c.tls = tls;
                c.dump = None;
            }
        })
    }

    /// An account goes, without a word in the binary log.
    pub fn lose_account(&mut self, host: &HostName, user: &str) -> bool {
        self.server_mut(host).is_some_and(|s| {
            let found = s.data.accounts.iter().find(|a| a.user == user).map(|a| a.host.clone());
            found.is_some_and(|from| s.data.accounts.remove(user, &from))
        })
    }

    /// A server gets another `server_id`: twice in a fleet, replication breaks.
    pub fn set_server_id(&mut self, host: &HostName, id: u64) -> bool {
        self.changed(host, |s| {
            s.server_id = id;
            s.connections.iter_mut().for_each(|c| c.dump = None);
        })
    }

    /// A replica ignores a database.
    pub fn set_filters(&mut self, host: &HostName, filters: &Filters) -> bool {
        self.changed(host, |s| s.connections.iter_mut().for_each(|c| c.filters = filters.clone()))
    }

    /// A replica applies what it receives only after so many seconds.
    pub fn set_delay(&mut self, host: &HostName, seconds: u64) -> bool {
        self.changed(host, |s| s.connections.iter_mut().for_each(|c| c.delay = seconds))
    }
}

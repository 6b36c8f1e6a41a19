//! Who is connected to a server, and what each holds: locks that end with the session.

use std::collections::BTreeMap;

use super::accounts::Account;

/// What a `KILL` asked of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// Its statement ends.
    Query,
    /// It ends.
    Connection,
}

/// A connection to a server.
#[derive(Debug, Clone)]
pub struct Session {
    /// `CONNECTION_ID()`.
    pub id: u64,
    /// The user who logged in.
    pub user: String,
    /// `localhost`, or `address:port`.
    pub host: String,
    /// The account it became.
    pub account: Account,
    /// The chosen database.
    pub database: Option<String>,
    /// `Query`, `Sleep`, …
    pub command: &'static str,
    /// Since when, seconds of the world.
    pub since: f64,
    /// `State`.
    pub state: String,
    /// The statement.
    pub info: Option<String>,
    /// When its transaction began, if one is open: seconds of the world.
    pub transaction: Option<f64>,
    /// Whether its transaction is in its commit, so that `read_only` has to wait for it.
    pub committing: bool,
    /// `FLUSH TABLES WITH READ LOCK`.
    pub global_lock: bool,
    /// `LOCK TABLES … WRITE`.
    pub table_lock: bool,
    /// Whether it was killed.
    pub killed: Option<Killed>,
}

impl Session {
    /// An idle one; the server gives it its number.
    #[must_use]
    pub fn new(user: &str, host: &str, account: Account, now: f64) -> Self {
        Self {
            id: 0,
            user: user.to_owned(),
            host: host.to_owned(),
            account,
            database: None,
            command: "Sleep",
            since: now,
            state: String::new(),
            info: None,
            transaction: None,
            committing: false,
            global_lock: false,
            table_lock: false,
            killed: None,
        }
    }
}

/// Every connection to a server, and the named locks.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    open: BTreeMap<u64, Session>,
    last: u64,
    /// Name, owner and how often it was taken.
    locks: BTreeMap<String, (u64, u32)>,
}

impl Sessions {
    /// Lets somebody in; gives the connection's number.
    pub fn open(&mut self, session: Session) -> u64 {
        self.last = self.last.max(30) + 1;
        self.open.insert(self.last, Session { id: self.last, ..session });
        self.last
    }

    /// Ends a connection: what it held is free.
    pub fn close(&mut self, id: u64) {
        self.open.remove(&id);
        self.locks.retain(|_, (owner, _)| *owner != id);
    }

    /// Ends all of them, as a stopped server does.
    pub fn close_all(&mut self) {
        self.open.clear();
        self.locks.clear();
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Session> {
        self.open.get(&id)
    }

    /// One of them, to change it.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Session> {
        self.open.get_mut(&id)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.open.values()
    }

    /// The number that was given last.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Whether somebody else holds the global read lock: nobody writes.
    #[must_use]
    pub fn writes_locked(&self, except: u64) -> bool {
        self.iter().any(|s| s.global_lock && s.id != except)
    }

    /// Whether `read_only` and the global read lock have to wait for somebody: a table lock, or a commit under way.
    #[must_use]
    pub fn writing(&self, except: u64) -> bool {
        self.iter().any(|s| (s.table_lock || s.committing) && s.id != except)
    }

    /// Takes a named lock if it is free or the session's own (it counts then).
    pub fn take_lock(&mut self, name: &str, id: u64) -> bool {
        let (owner, count) = self.locks.entry(name.to_lowercase()).or_insert((id, 0));
        let own = *owner == id;
        *count += u32::from(own);
        own
    }

    /// `RELEASE_LOCK`: whether it was the session's own; `None` when there is no such lock.
    pub fn release_lock(&mut self, name: &str, id: u64) -> Option<bool> {
        let name = name.to_lowercase();
        let (owner, count) = self.locks.get_mut(&name)?;
        if *owner != id {
            return Some(false);
        }
        *count -= 1;
        if *count == 0 {
            self.locks.remove(&name);
        }
        Some(true)
    }

    /// `IS_USED_LOCK`: the owner of a named lock.
    #[must_use]
    pub fn lock_owner(&self, name: &str) -> Option<u64> {
        self.locks.get(&name.to_lowercase()).map(|(owner, _)| *owner)
    }
}

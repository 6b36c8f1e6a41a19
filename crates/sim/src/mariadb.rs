//! The database servers of a world: who writes, who follows whom, how far. Each has a binary log of GTIDs,
//! from which everything else follows: a replica attaches where its own position is found in its master's
//! log, applies what it receives, and stops where a real one would.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::apps::kinds::with_database;
use crate::posix::machine::Machine;
use crate::world::noise::key;
use crate::world::spec::{DatabaseSpec, EnvironmentSpec};
use jumpdeck_fleet::names::HostName;

pub mod accounts;
pub mod data;
pub mod faults;
pub mod gtid;
pub mod options;
pub mod programs;
pub mod replica;
pub mod session;

mod live;
mod log;
mod seeded;
mod server;
mod spans;
mod version;

use data::{Change, Effect};
use gtid::Gtid;
use log::Run;
use replica::{Connection, Using};

pub(crate) use live::quarter;
pub(crate) use server::due;
pub use server::{Server, Settings};
pub(crate) use spans::Span;
pub use version::{Place, Version};

/// Ticks in a second: how finely writes and replication are told.
pub(crate) const TICKS: u64 = 4;
/// The account that replicas log in with.
pub(crate) const REPLICATION_USER: &str = "repl";
/// Its password in the simulated world.
pub(crate) const REPLICATION_PASSWORD: &str = "repl-simulated";

/// A database description that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A replica's master is not there.
    #[error("{host}: its master {master} has no database server")]
    NoMaster {
        /// The replica.
        host: String,
        /// The master's name.
        master: String,
    },
    /// A version that is none.
    #[error("{host}: {version:?} is no version of MariaDB or MySQL")]
    Version {
        /// The server.
        host: String,
        /// Its version.
        version: String,
    },
}

/// What a connection is doing.
#[derive(Debug, Clone)]
pub struct Following<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// Whether the master hears it.
    pub connected: bool,
    /// Received up to here.
    pub read: Place,
    /// Applied up to here.
    pub executed: Place,
    /// Whether something received waits to be applied.
    pub behind: bool,
    /// `Seconds_Behind_Master`: NULL unless both threads run and the master is connected (as MariaDB 10.11 was seen to).
    pub seconds_behind: Option<u64>,
}

/// Every database server of a world.
#[derive(Debug, Default)]
pub struct Databases {
    servers: Vec<Server>,
    hosts: BTreeMap<HostName, usize>,
    alive: bool,
    tick: u64,
    /// What dumps of everything carry, by number.
    kept: Vec<spans::Kept>,
    /// Pairs of addresses between which nothing of the databases passes; the lesser first.
    cuts: BTreeSet<(String, String)>,
}

impl Databases {
    pub(crate) fn new(
        env: &EnvironmentSpec,
        machines: &BTreeMap<HostName, Machine>,
        alive: bool,
        seed: u64,
    ) -> Result<Self, DatabaseError> {
        let mut all = Self { alive, ..Self::default() };
        let mut specs: Vec<&DatabaseSpec> = Vec::new();
        for (host, spec) in env.hosts.iter().filter_map(|h| Some((h, h.database.as_ref()?))) {
            let found = machines.iter().find(|(name, _)| name.as_str() == host.name);
            let Some((name, machine)) = found else { continue };
            all.hosts.insert(name.clone(), all.servers.len());
            let full = format!("{}/{}", env.name, host.name);
            all.servers.push(Server::new(&host.name, &machine.address, key(seed, &full), seed, spec)?);
            specs.push(spec);
        }
        for outside in &env.outside {
            let own = key(seed, &outside.name);
            let mut server = Server::new(&outside.name, &outside.address, own, seed, &outside.database)?;
            server.outside = true;
            all.servers.push(server);
            specs.push(&outside.database);
        }
        for (index, spec) in specs.iter().enumerate() {
            all.write(index, spec.written, false, None);
        }
        for (index, spec) in specs.iter().enumerate() {
            all.connect(index, &specs)?;
            if let Some(server) = all.servers.get_mut(index) {
                server.read_only = spec.read_only;
            }
        }
        all.servers.iter_mut().for_each(|server| server.log.purge_old());
        all.attach_all();
        Ok(all)
    }

    /// Makes a server's connections, its masters' first, and gives it what they have written.
    fn connect(&mut self, index: usize, specs: &[&DatabaseSpec]) -> Result<(), DatabaseError> {
        let Some(spec) = specs.get(index) else { return Ok(()) };
        let done = self.servers.get(index).map_or(0, |s| s.connections.len());
        for connection in spec.connections.iter().skip(done) {
            let host = self.servers.get(index).map(|s| s.name.clone()).unwrap_or_default();
            let no_master = || DatabaseError::NoMaster { host, master: connection.master.clone() };
            let found = self.servers.iter().position(|s| s.name == connection.master);
            let master_index = found.ok_or_else(no_master)?;
            if master_index != index {
                self.connect(master_index, specs)?;
            }
            let Some(master) = self.servers.get(master_index) else { continue };
            let there = master.log.place(master.log.end());
            let runs: Vec<(u64, Run)> = master.log.from(0).collect();
            let mut made = Connection {
                name: connection.name.clone(),
                host: master.address.clone(),
                port: 3306,
                user: REPLICATION_USER.to_owned(),
                password: REPLICATION_PASSWORD.to_owned(),
                tls: connection.tls,
                using: if connection.gtid { Using::SlavePos } else { Using::No },
                io_started: true,
                sql_started: true,
                master_id: master.server_id,
                was_connected: true,
                wanted: Some(there),
                read: there,
                executed: there,
                ..Connection::default()
            };
            let Some(server) = self.servers.get_mut(index) else { continue };
            if made.tls && server.version.mariadb {
                made.tls_files = server.tls_files("client");
                made.verify = true;
            }
            for (_, run) in &runs {
                server.take(run);
            }
            made.received_gtid = server.slave_pos.clone();
            server.connections.push(made);
        }
        Ok(())
    }

    /// Whether nothing of the databases passes between two addresses.
    #[must_use]
    pub fn is_cut(&self, one: &str, other: &str) -> bool {
        !self.cuts.is_empty() && self.cuts.contains(&pair(one, other))
    }

    /// Lets nothing of the databases pass between two addresses, or lets it pass again.
    pub(crate) fn set_cut(&mut self, one: &str, other: &str, cut: bool) {
        match cut {
            true => self.cuts.insert(pair(one, other)),
            false => self.cuts.remove(&pair(one, other)),
        };
    }

    /// Whether a host has a database server.
    #[must_use]
    pub fn is_installed(&self, host: &HostName) -> bool {
        self.hosts.contains_key(host)
    }

    /// Whether a host's database server runs.
    #[must_use]
    pub fn is_running(&self, host: &HostName) -> bool {
        self.server(host).is_some_and(|s| s.running)
    }

    /// A host's server.
    #[must_use]
    pub fn server(&self, host: &HostName) -> Option<&Server> {
        self.servers.get(*self.hosts.get(host)?)
    }

    /// A host's server, to change it.
    pub fn server_mut(&mut self, host: &HostName) -> Option<&mut Server> {
        self.servers.get_mut(*self.hosts.get(host)?)
    }

    /// The hosts whose servers are so.
    pub(crate) fn hosts(&self, so: impl Fn(&Server) -> bool) -> impl Iterator<Item = HostName> {
        self.hosts.keys().filter(move |host| self.server(host).is_some_and(&so)).cloned()
    }

    /// Every server, those outside the environment last.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter()
    }

    /// A server by its place in the list.
    pub(crate) fn at(&self, index: usize) -> Option<&Server> {
        self.servers.get(index)
    }

    /// A server by its place in the list, to change it.
    pub(crate) fn at_mut(&mut self, index: usize) -> Option<&mut Server> {
        self.servers.get_mut(index)
    }

    /// A host's server's place in the list.
    pub(crate) fn index(&self, host: &HostName) -> Option<usize> {
        self.hosts.get(host).copied()
    }

    /// The place of the server that listens on an address.
    pub(crate) fn listening(&self, address: &str) -> Option<usize> {
        self.servers.iter().position(|s| s.address == address)
    }

    /// Seconds that have passed.
    pub(crate) fn seconds(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // a few ticks a second
        let seconds = self.tick as f64 / TICKS as f64;
        seconds
    }

    /// The ticks that have passed.
    pub(crate) fn tick(&self) -> u64 {
        self.tick
    }

    /// Writes transactions on a server, as its own; gives the first one's GTID.
    pub(crate) fn write(
        &mut self,
        index: usize,
        count: u64,
        journal: bool,
        change: Option<Arc<Change>>,
    ) -> Option<Gtid> {
        let at = self.tick;
        let server = self.servers.get_mut(index).filter(|_| count > 0)?;
        let domain = server.settings.domain;
        let seq =
            1 + server.log.state().highest(domain).max(server.slave_pos.get(domain).map_or(0, |g| g.seq));
        let first = Gtid { domain, server: server.server_id, seq };
        let ids = journal.then_some(server.journal_next);
        server.journal_next += if journal { count } else { 0 };
        server.applied.add(index, first, count);
        server.log.append(Run { first, count, writer: index, journal: ids, at, change });
        Some(first)
    }

    /// Writes a change that a host's server has made into its binary log.
    pub fn log(&mut self, host: &HostName, change: Arc<Change>) {
        let Some(index) = self.index(host) else { return };
        let rows = match &change.effect {
            Effect::Rows { database, name, come, .. }
                if with_database(database).is_some() && name == "journal" =>
            {
                come.len() as u64
            }
            _ => 0,
        };
        self.write(index, 1, rows > 0, Some(change));
        if let Some(server) = self.servers.get_mut(index) {
            server.journal_next += rows.saturating_sub(1);
        }
    }

    /// What each of a server's connections is doing.
    #[must_use]
    pub fn following<'a>(&self, server: &'a Server) -> Vec<Following<'a>> {
        let describe = |c: &'a Connection| {
            let connected = c.io_started && c.connected();
            let oldest = c.relay.front().map(|(_, run)| self.tick.saturating_sub(run.at) / TICKS);
            Following {
                connection: c,
                connected,
                read: c.read,
                executed: c.executed,
                behind: oldest.is_some(),
                seconds_behind: (connected && c.sql_started).then_some(oldest.unwrap_or(0)),
            }
        };
        server.connections.iter().map(describe).collect()
    }

    /// The replicas connected to a server: server id and host.
    #[must_use]
    pub fn replicas_of(&self, server: &Server) -> Vec<(u64, String)> {
        if !server.running {
            return Vec::new();
        }
        let served = |c: &Connection| {
            let master = c.dump.as_ref().and_then(|dump| self.servers.get(dump.master));
            master.is_some_and(|m| m.name == server.name)
        };
        let follows = |s: &&Server| s.running && s.connections.iter().any(served);
        let own = self.servers.iter().filter(follows).map(|s| (s.server_id, s.name.clone()));
        own.chain(server.outside_replicas.iter().cloned()).collect()
    }
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.min(other).to_owned(), one.max(other).to_owned())
}

//! The database servers of a world: who writes, who follows whom, how far. Transactions are counted; where they stand
//! in a binary log and which GTID they have is told by their number. A replica moves only while its threads run and
//! its master can be reached. May import `domain` names.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::names::HostName;

use super::machine::Machine;
use super::noise::{draw, key};
use super::spec::{DatabaseSpec, EnvironmentSpec};

mod live;
mod version;

pub use version::{Place, Version};

/// Bytes of a binary log before the next is begun (`max_binlog_size` of such servers).
const LOG_SIZE: u64 = 104_857_600;
/// Bytes of a transaction, about.
const TRANSACTION: u64 = 611;

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

/// A database server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its host, or the name of a server outside the environment.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its version.
    pub version: Version,
    /// `server_id`.
    pub server_id: u64,
    /// `read_only`: while it is on, applications write nothing.
    pub read_only: bool,
    /// Whether TLS is set up.
    pub tls: bool,
    /// Whether the process runs.
    pub running: bool,
    /// Its connections to masters.
    pub connections: Vec<Connection>,
    /// Replicas outside the environment that are connected to it: server id and host.
    pub outside_replicas: Vec<(u64, String)>,
    key: u64,
    outside: bool,
    writes_per_second: f64,
    written: u64,
    /// Second, and the transactions in the log by then; oldest first.
    history: VecDeque<(u64, u64)>,
}

/// A connection of a replica to its master.
#[derive(Debug, Clone)]
pub struct Connection {
    /// `Connection_name`.
    pub name: String,
    /// Whether it is encrypted.
    pub tls: bool,
    /// Whether it follows by GTID.
    pub gtid: bool,
    /// Whether the IO thread was started (it may still be trying).
    pub io_started: bool,
    /// Whether the SQL thread runs.
    pub sql_started: bool,
    master: usize,
    received: u64,
    executed: u64,
}

/// What a connection is doing.
#[derive(Debug, Clone)]
pub struct Following<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// The master.
    pub master: &'a Server,
    /// Whether the master hears it.
    pub connected: bool,
    /// Received up to here.
    pub read: Place,
    /// Applied up to here.
    pub executed: Place,
    /// GTID received.
    pub gtid_received: String,
    /// GTID applied.
    pub gtid_executed: String,
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
    second: u64,
}

impl Databases {
    pub(super) fn new(
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
            all.servers.push(Server::new(&host.name, &machine.address, key(seed, &full), spec)?);
            specs.push(spec);
        }
        for outside in &env.outside {
            let server =
                Server::new(&outside.name, &outside.address, key(seed, &outside.name), &outside.database)?;
            all.servers.push(Server { outside: true, ..server });
            specs.push(&outside.database);
        }
        for (index, spec) in specs.into_iter().enumerate() {
            all.connect(index, spec)?;
        }
        Ok(all)
    }

    fn connect(&mut self, index: usize, spec: &DatabaseSpec) -> Result<(), DatabaseError> {
        for connection in &spec.connections {
            let master = self.servers.iter().position(|s| s.name == connection.master);
            let host = self.servers.get(index).map(|s| s.name.clone()).unwrap_or_default();
            let Some(master) = master else {
                return Err(DatabaseError::NoMaster { host, master: connection.master.clone() });
            };
            let there = self.servers.get(master).map_or(0, Server::logged);
            if let Some(server) = self.servers.get_mut(index) {
                server.connections.push(Connection {
                    name: connection.name.clone(),
                    tls: connection.tls,
                    gtid: connection.gtid,
                    io_started: true,
                    sql_started: true,
                    master,
                    received: there,
                    executed: there,
                });
            }
        }
        Ok(())
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

    /// What each of a server's connections is doing.
    #[must_use]
    pub fn following<'a>(&'a self, server: &'a Server) -> Vec<Following<'a>> {
        server.connections.iter().filter_map(|c| self.describe(c)).collect()
    }

    fn describe<'a>(&'a self, c: &'a Connection) -> Option<Following<'a>> {
        let master = self.servers.get(c.master)?;
        let connected = c.io_started && master.running;
        let behind = c.executed < c.received;
        let lag = if behind { master.age_of_next(c.executed, self.second) } else { 0 };
        Some(Following {
            connection: c,
            master,
            connected,
            read: master.place(c.received),
            executed: master.place(c.executed),
            gtid_received: master.gtid(c.received),
            gtid_executed: master.gtid(c.executed),
            behind,
            seconds_behind: (connected && c.sql_started).then_some(lag),
        })
    }

    /// The replicas connected to a server: server id and host.
    #[must_use]
    pub fn replicas_of(&self, server: &Server) -> Vec<(u64, String)> {
        let Some(index) = self.servers.iter().position(|s| s.name == server.name) else { return Vec::new() };
        if !server.running {
            return Vec::new();
        }
        let follows =
            |s: &&Server| s.running && s.connections.iter().any(|c| c.master == index && c.io_started);
        let own = self.servers.iter().filter(follows).map(|s| (s.server_id, s.name.clone()));
        own.chain(server.outside_replicas.iter().cloned()).collect()
    }
}

impl Server {
    fn new(name: &str, address: &str, key: u64, spec: &DatabaseSpec) -> Result<Self, DatabaseError> {
        let version = Version::parse(&spec.version)
            .ok_or_else(|| DatabaseError::Version { host: name.to_owned(), version: spec.version.clone() })?;
        Ok(Self {
            name: name.to_owned(),
            address: address.to_owned(),
            version,
            server_id: spec.server_id,
            read_only: spec.read_only,
            tls: spec.tls,
            running: true,
            connections: Vec::new(),
            outside_replicas: spec.outside_replicas.iter().map(|r| (r.server_id, r.host.clone())).collect(),
            key,
            outside: false,
            writes_per_second: spec.writes_per_second,
            written: spec.written,
            history: VecDeque::new(),
        })
    }

    /// Whether it stands outside the environment.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.outside
    }

    /// Transactions in its log: its own, and those it applied (`log_slave_updates`).
    fn logged(&self) -> u64 {
        self.written + self.connections.iter().map(|c| c.executed).sum::<u64>()
    }

    /// The end of its binary log.
    #[must_use]
    pub fn log_end(&self) -> Place {
        self.place(self.logged())
    }

    /// The GTID of its last transaction (MariaDB: domain, server, number); of its master's when it only follows.
    #[must_use]
    pub fn gtid_current(&self, all: &Databases) -> String {
        let followed = all.following(self).into_iter().next().map(|f| f.gtid_executed);
        match followed {
            Some(gtid) if self.written == 0 => gtid,
            _ => self.gtid(self.logged()),
        }
    }

    fn gtid(&self, number: u64) -> String {
        format!("0-{}-{number}", self.server_id)
    }

    /// Where its transaction of that number ends.
    fn place(&self, number: u64) -> Place {
        let bytes = number * TRANSACTION + draw(self.key, number) % 400;
        Place { file: 1 + bytes / LOG_SIZE, position: 330 + bytes % LOG_SIZE }
    }

    /// How old, in seconds, the oldest transaction after that number is.
    fn age_of_next(&self, number: u64, now: u64) -> u64 {
        let next = self.history.iter().find(|(_, held)| *held > number);
        next.map_or(0, |(second, _)| now.saturating_sub(*second))
    }
}

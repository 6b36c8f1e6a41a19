//! Database servers and how they replicate, as they themselves say it.

mod activity;
mod cluster;
mod encryption;

use super::fact::Gap;
use super::text::Clean;

pub use activity::{OpenTransaction, RefusedLately, ServerActivity};
pub use cluster::{Cluster, ClusterKind, NodeHealth};
pub use encryption::{Encryption, encryption};

/// Which kind of server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// MariaDB.
    MariaDb,
    /// MySQL, Percona Server included.
    MySql,
}

impl Engine {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Engine::MariaDb => "mariadb",
            Engine::MySql => "mysql",
        }
    }
}

/// One database server on a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// Kind.
    pub engine: Engine,
    /// `@@version`, when it could be asked.
    pub version: Option<Clean>,
    /// What the server said of itself, or why it could not be asked.
    pub server: Result<ServerStatus, Gap>,
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerStatus {
    /// `@@server_id`.
    pub server_id: Option<u64>,
    /// `@@port`: where it listens itself.
    pub port: Option<u16>,
    /// `@@read_only`; `None` when it could not be read. Only `Some(false)` is writable.
    pub read_only: Option<bool>,
    /// `@@log_bin`.
    pub log_bin: Option<bool>,
    /// `@@log_slave_updates` / `@@log_replica_updates`.
    pub log_slave_updates: Option<bool>,
    /// `@@gtid_current_pos` (MariaDB) or `@@gtid_executed` (MySQL); empty where there is none, never a part of it.
    pub gtid: Option<Clean>,
    /// `@@have_ssl`.
    pub have_ssl: Option<bool>,
    /// File and position of its binary log; `None` with the binary log off, or see `gaps`.
    pub binlog: Option<BinlogPosition>,
    /// Its connections to masters: a row of `SHOW ALL SLAVES STATUS` each. `Err` when that could not be asked.
    pub connections: Result<Vec<Connection>, Gap>,
    /// The replicas connected to it, from `SHOW SLAVE HOSTS`. `Err` when that could not be asked.
    pub replicas: Result<Vec<ConnectedReplica>, Gap>,
    /// The cluster that it is a node of; `None` for a server of its own.
    pub cluster: Option<Cluster>,
    /// How busy it is.
    pub activity: ServerActivity,
    /// What else could not be asked, by its name ("binary log"), and why.
    pub gaps: Vec<(&'static str, Gap)>,
}

impl ServerStatus {
    /// Whether it takes writes; `None` when that is not known. A node that is not part of its cluster takes none, whatever
    /// its `read_only` says.
    #[must_use]
    pub fn writable(&self) -> Option<bool> {
        match (self.read_only, self.cluster.as_ref().map(Cluster::accepts_writes)) {
            (Some(true), _) | (Some(false), Some(Some(false))) => Some(false),
            (Some(false), None | Some(Some(true))) => Some(true),
            (None, _) | (Some(false), Some(None)) => None,
        }
    }
}

impl Default for ServerStatus {
    fn default() -> Self {
        Self {
            server_id: None,
            port: None,
            read_only: None,
            log_bin: None,
            log_slave_updates: None,
            gtid: None,
            have_ssl: None,
            binlog: None,
            connections: Err(Gap::NotAsked),
            replicas: Err(Gap::NotAsked),
            cluster: None,
            activity: ServerActivity::default(),
            gaps: Vec::new(),
        }
    }
}

/// A place in a binary log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinlogPosition {
    /// The file.
    pub file: Clean,
    /// The position in it, bytes.
    pub position: u64,
}

/// One connection of a replica to its master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// `Connection_name` / `Channel_Name`; empty for the default one.
    pub name: Clean,
    /// The master's host and port as the replica has them.
    pub master_host: Clean,
    /// Port.
    pub master_port: Option<u16>,
    /// `Master_Server_Id`: the master that answered, 0 or none before the first contact.
    pub master_server_id: Option<u64>,
    /// The IO thread.
    pub io: Thread,
    /// The SQL thread.
    pub sql: Thread,
    /// `Seconds_Behind_Master` as it was printed; `None` for NULL, which is *unknown*, never zero.
    /// It can read 0 on a replica whose IO thread is stopped: ask [`Connection::lag_s`].
    pub seconds_behind: Option<u64>,
    /// `SQL_Delay`: a delay that is wanted, seconds.
    pub delay_s: Option<u64>,
    /// `Master_SSL_Allowed`: TLS is asked for. Whether there is any: [`encryption()`].
    pub tls_requested: Option<bool>,
    /// `Master_SSL_Verify_Server_Cert`.
    pub tls_verified: Option<bool>,
    /// How it follows.
    pub gtid_mode: GtidMode,
    /// `Gtid_IO_Pos` or `Retrieved_Gtid_Set`.
    pub gtid_received: Option<Clean>,
    /// Read up to here in the master's log.
    pub read: Option<BinlogPosition>,
    /// Applied up to here in the master's log.
    pub executed: Option<BinlogPosition>,
    /// `Last_IO_Errno` and `Last_IO_Error`, when there is one.
    pub io_error: Option<ReplicationError>,
    /// `Last_SQL_Errno` and `Last_SQL_Error`, when there is one.
    pub sql_error: Option<ReplicationError>,
}

impl Connection {
    /// The lag that may be believed: only while both threads run. A stopped or connecting IO thread hears of no new
    /// write, so whatever `Seconds_Behind_Master` says then (often 0), the lag is unknown.
    #[must_use]
    pub fn lag_s(&self) -> Option<u64> {
        (self.io == Thread::Running && self.sql == Thread::Running).then_some(self.seconds_behind).flatten()
    }

    /// The delay that is wanted, when there is one.
    #[must_use]
    pub fn delay(&self) -> Option<u64> {
        self.delay_s.filter(|s| *s > 0)
    }

    /// The lag beyond the delay that is wanted: what is judged.
    #[must_use]
    pub fn lag_beyond_delay(&self) -> Option<u64> {
        self.lag_s().map(|lag| lag.saturating_sub(self.delay_s.unwrap_or(0)))
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            name: Clean::default(),
            master_host: Clean::default(),
            master_port: None,
            master_server_id: None,
            io: Thread::Unknown,
            sql: Thread::Unknown,
            seconds_behind: None,
            delay_s: None,
            tls_requested: None,
            tls_verified: None,
            gtid_mode: GtidMode::FilePosition,
            gtid_received: None,
            read: None,
            executed: None,
            io_error: None,
            sql_error: None,
        }
    }
}

/// A replication thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    /// `Yes`.
    Running,
    /// `Connecting` or `Preparing`: trying, not hearing.
    Connecting,
    /// `No`.
    Stopped,
    /// The server said something else, or nothing.
    Unknown,
}

impl Thread {
    /// The word for screens and the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Thread::Running => "running",
            Thread::Connecting => "connecting",
            Thread::Stopped => "stopped",
            Thread::Unknown => "unknown",
        }
    }
}

/// How a replica finds its place in the master's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GtidMode {
    /// File and position.
    FilePosition,
    /// MariaDB `Using_Gtid: Slave_Pos`.
    SlavePos,
    /// MariaDB `Using_Gtid: Current_Pos`.
    CurrentPos,
    /// MySQL `Auto_Position: 1`.
    AutoPosition,
}

impl GtidMode {
    /// The word for screens and the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            GtidMode::FilePosition => "file/position",
            GtidMode::SlavePos => "slave_pos",
            GtidMode::CurrentPos => "current_pos",
            GtidMode::AutoPosition => "auto_position",
        }
    }
}

/// An error a replication thread stopped or stumbled on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationError {
    /// The server's error number.
    pub number: u64,
    /// What it said.
    pub message: Clean,
}

/// A replica a master knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedReplica {
    /// Its server id.
    pub server_id: u64,
    /// `report_host`; often empty.
    pub host: Clean,
    /// `report_port`.
    pub port: Option<u16>,
}

/// What a server is in replication, told from its own words alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicationRole {
    /// Replicas hear it, or it writes a binary log and follows nobody.
    Master,
    /// It follows a master.
    Replica,
    /// Neither: no binary log, no master.
    Standalone,
    /// A node of a cluster (Galera, Group Replication) that follows nobody outside it.
    Member,
    /// It could not be asked.
    Unknown,
}

impl ReplicationRole {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Replica => "replica",
            Self::Standalone => "standalone",
            Self::Member => "member",
            Self::Unknown => "unknown",
        }
    }
}

impl Database {
    /// What it is in replication.
    #[must_use]
    pub fn role(&self) -> ReplicationRole {
        let Ok(server) = &self.server else {
            return ReplicationRole::Unknown;
        };
        match (&server.connections, &server.replicas) {
            (Err(_), _) => ReplicationRole::Unknown,
            (Ok(connections), _) if !connections.is_empty() => ReplicationRole::Replica,
            _ if server.cluster.is_some() => ReplicationRole::Member,
            (_, Ok(replicas)) if !replicas.is_empty() => ReplicationRole::Master,
            _ => match server.log_bin {
                Some(true) => ReplicationRole::Master,
                Some(false) => ReplicationRole::Standalone,
                None => ReplicationRole::Unknown,
            },
        }
    }
}

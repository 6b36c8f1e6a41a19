//! What a world file (`training/worlds/*.toml`) says.

use serde::Deserialize;

/// A world file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldSpec {
    /// One line for a list of worlds.
    pub summary: String,
    /// Whether its figures move.
    pub alive: bool,
    /// What its clocks show at its start, seconds since 1970, as long as it does not follow the real time.
    pub started: i64,
    /// Its environments; the first is shown first.
    #[serde(rename = "environment")]
    pub environments: Vec<EnvironmentSpec>,
}

/// One environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSpec {
    /// Name.
    pub name: String,
    /// The level in its hosts' grains.
    pub level: String,
    /// Whether changes are confirmed by a typed challenge.
    pub challenge: bool,
    /// The internal domain.
    pub domain: Option<String>,
    /// The jump box: one of the hosts.
    pub jump: String,
    /// The jump box's address as seen from outside.
    pub public_address: String,
    /// The second jump box: another of the hosts.
    pub second_jump: Option<String>,
    /// The second jump box's address as seen from outside.
    pub second_address: Option<String>,
    /// The first three numbers of its hosts' addresses.
    pub subnet: String,
    /// The people who have accounts.
    pub people: Vec<String>,
    /// Role requirements, where the defaults do not hold.
    pub requirements: Option<Vec<RequirementSpec>>,
    /// Roles that need a host besides.
    #[serde(default)]
    pub also_required: Vec<String>,
    /// Operating system of hosts that name none.
    pub os: String,
    /// Whose services its machines have.
    #[serde(default)]
    pub services: Era,
    /// The hosts.
    #[serde(rename = "host")]
    pub hosts: Vec<HostSpec>,
    /// Database servers outside the environment, which some of its own follow.
    #[serde(default, rename = "outside")]
    pub outside: Vec<OutsideSpec>,
}

/// The years that the fleets' documents describe: what is installed by role differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Era {
    /// Ganglia, rsync by xinetd, GlusterFS, Apache (document 000, 1.5 and 2.2).
    #[serde(rename = "2013")]
    Of2013,
    /// Monit, Exim on every machine, gdnsd (documents 001 and 002).
    #[default]
    #[serde(rename = "2015")]
    Of2015,
}

/// A role requirement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequirementSpec {
    /// The role.
    pub role: String,
    /// At least this many.
    pub at_least: u32,
    /// At most this many.
    pub at_most: Option<u32>,
}

/// A host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// Short name.
    pub name: String,
    /// The last number of its address; else by its place in the list.
    pub address: Option<String>,
    /// Its floating address, where that is known; else it gets one if its role has one.
    pub public_address: Option<String>,
    /// Operating system, one of `os.rs`.
    pub os: Option<String>,
    /// Virtual CPUs.
    pub cpus: u32,
    /// Memory, GB.
    pub ram_gb: f64,
    /// Disk, GB.
    pub disk_gb: u32,
    /// Load averages at the start.
    pub load: [f64; 3],
    /// What the load comes back to; the 15-minute load at the start when absent.
    pub load_mean: Option<f64>,
    /// Memory in use, percent.
    #[serde(default = "memory_default")]
    pub memory_percent: f64,
    /// Swap, MB, and how much of it is in use, percent.
    #[serde(default)]
    pub swap_mb: u64,
    /// Swap in use, percent.
    #[serde(default)]
    pub swap_percent: f64,
    /// Days since it was booted; from the seed when absent.
    pub uptime_days: Option<f64>,
    /// How far its clock is off, seconds.
    #[serde(default)]
    pub clock_skew: f64,
    /// Rows `DEVICE FSTYPE SIZE USED AVAIL USE% MOUNT` as `df -h` prints them.
    pub df: Vec<String>,
    /// Whether `df` also lists `udev` and `/run` (the seed of 2013 leaves them out).
    #[serde(default)]
    pub memory_filesystems: bool,
    /// MB an hour that the last filesystem of `df` fills by.
    #[serde(default)]
    pub grows_mb_per_hour: f64,
    /// Its level, when it is not the environment's; empty for none.
    pub level: Option<String>,
    /// Roles that its grains file lists; none are listed when absent (they are told by the name).
    pub grain_roles: Option<Vec<String>>,
    /// Rows a second that each of its applications writes to the database server that its configuration names.
    #[serde(default)]
    pub writes_per_second: f64,
    /// Its database server.
    pub database: Option<DatabaseSpec>,
}

fn memory_default() -> f64 {
    42.0
}

/// A database server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSpec {
    /// `5.1.41-3ubuntu12.10-log`, `10.0.17-MariaDB-1~trusty-log`.
    pub version: String,
    /// `server_id`.
    pub server_id: u64,
    /// `read_only`.
    #[serde(default)]
    pub read_only: bool,
    /// Whether TLS is set up.
    #[serde(default)]
    pub tls: bool,
    /// Transactions a second that applications write here.
    #[serde(default)]
    pub writes_per_second: f64,
    /// Others who write here without being hosts of the environment.
    #[serde(default)]
    pub writers: Vec<WriterSpec>,
    /// `log_slave_updates`.
    #[serde(default = "yes")]
    pub log_slave_updates: bool,
    /// `gtid_strict_mode`.
    #[serde(default)]
    pub gtid_strict_mode: bool,
    /// Transactions written before the world's start.
    #[serde(default)]
    pub written: u64,
    /// Connections to masters.
    #[serde(default, rename = "connection")]
    pub connections: Vec<ConnectionSpec>,
    /// Replicas outside the environment.
    #[serde(default)]
    pub outside_replicas: Vec<OutsideReplica>,
}

fn yes() -> bool {
    true
}

/// Somebody who writes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriterSpec {
    /// `environment/host` in its own world: the same writes then come from the same seed.
    pub name: String,
    /// Rows a second.
    pub writes_per_second: f64,
}

/// A replica that stands in no inventory of this environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideReplica {
    /// Its server id.
    pub server_id: u64,
    /// `report_host`.
    pub host: String,
}

/// A connection to a master.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionSpec {
    /// `Connection_name`.
    #[serde(default)]
    pub name: String,
    /// The master: a host of the environment, or the name of an `outside` server.
    pub master: String,
    /// Whether it is encrypted.
    #[serde(default)]
    pub tls: bool,
    /// Whether it follows by GTID (MariaDB `Slave_Pos`).
    #[serde(default)]
    pub gtid: bool,
}

/// A database server outside the environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideSpec {
    /// `environment/host` of the server in its own world.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its database server.
    pub database: DatabaseSpec,
}

//! What the inventory says a fleet is: environments, jump boxes, hosts, and the rules they are judged by.
//! `config` builds these from TOML, validated; nothing else makes them but the simulated worlds.

use std::sync::Arc;
use std::time::Duration;

mod change;
mod changes;
mod contacts;
mod management;
mod minions;

pub use change::{HostChange, Set};
pub use changes::Changes;
pub use management::{ADDRESS, DatabaseFile, FILE, Management, database_files_of_salt, with_database_files};
pub use minions::with_minions;

use super::access::Access;
use super::backup::DeclaredBackup;
use super::check::DeclaredCheck;
use super::contact::Contacts;
use super::declared::DeclaredService;
use super::log::DeclaredLog;
use super::names::{EnvName, HostId, HostName, RoleName, roles_from_host_name};
use super::outside::OutsideSettings;

/// Every environment of one inventory, in the order it names them. At least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// The environments.
    pub environments: Vec<Arc<Environment>>,
    /// Whether the fleet is simulated: every screen and export then says SIMULATED.
    pub simulated: bool,
}

impl Fleet {
    /// The environment of that name.
    #[must_use]
    pub fn environment(&self, name: &EnvName) -> Option<&Arc<Environment>> {
        self.environments.iter().find(|e| &e.name == name)
    }
}

/// One isolated fleet behind one jump box.
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    /// Its name, as on the tabs.
    pub name: EnvName,
    /// The level every host of it must carry in its Salt grains (`level: production`).
    pub level: String,
    /// How strictly changes are confirmed, and how loudly the screen names it.
    pub guard: Guard,
    /// Whether what people say in a run must be signed.
    pub signatures: Signatures,
    /// Whom a run keeps off where the jump box has no folder of leases.
    pub lease: LeaseScope,
    /// What writes its hosts' files.
    pub management: Management,
    /// Whom its problems are for.
    pub contacts: Contacts,
    /// The folder on the jump box where runs keep a copy of their journals; `None` for beside the leases.
    pub journals: Option<String>,
    /// The internal domain (`production.wpdn`), for display.
    pub domain: Option<String>,
    /// How the hosts are reached.
    pub jump: Jump,
    /// How they are reached while the jump box is gone: to look, and for no run. Leases and journals are on the jump box alone.
    pub second_jump: Option<JumpBox>,
    /// How reports are gathered.
    pub transport: Transport,
    /// When figures become problems.
    pub thresholds: Thresholds,
    /// How many hosts each role needs.
    pub requirements: Vec<Requirement>,
    /// How often hosts are asked.
    pub cadence: Cadence,
    /// What is looked at from outside.
    pub outside: OutsideSettings,
    /// The hosts, in the inventory's order.
    pub hosts: Vec<Arc<Host>>,
}

impl Environment {
    /// The host of that name.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&Arc<Host>> {
        self.hosts.iter().find(|h| &h.id.host == name)
    }

    /// The same environment as it is reached by its second jump box; `None` where it has none.
    #[must_use]
    pub fn by_second(&self) -> Option<Arc<Self>> {
        let jump = self.second_jump.clone()?;
        Some(Arc::new(Self { jump: Jump::Remote(jump), second_jump: None, ..self.clone() }))
    }

    /// Whether its jump boxes are those of `other`, logged in to the same way.
    #[must_use]
    pub fn has_jumps_of(&self, other: &Self) -> bool {
        self.jump == other.jump && self.second_jump == other.second_jump
    }

    /// Whether a mistake here costs somebody their data: shown so that nobody can overlook it.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.guard == Guard::Challenge
    }
}

/// How changes are confirmed in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// A yes is enough (staging, temporary).
    Confirm,
    /// A value on screen must be typed (production, secondary).
    Challenge,
}

/// Whether what people say in a run is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signatures {
    /// Where a key is at hand; without one the run says so and goes on.
    #[default]
    WhenPossible,
    /// Always: an answer or an approval that is not signed does not count.
    Required,
}

/// Whom a run that changes something keeps off, where root has made no folder of leases on the jump box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LeaseScope {
    /// Every other such run on the jump box, of every account.
    #[default]
    JumpBox,
    /// Runs of the same account of the jump box that change the same hosts: all operators use one account.
    OwnAccount,
}

/// How the hosts of an environment are reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Jump {
    /// Through a jump box, over SSH.
    Remote(JumpBox),
    /// The console runs on the jump box itself: hosts are reached directly, no hop.
    Local {
        /// The name this machine has in the fleet, if it is one of its hosts.
        name: HostName,
    },
}

impl Jump {
    /// The jump box's name.
    #[must_use]
    pub fn name(&self) -> &HostName {
        match self {
            Jump::Remote(jump) => &jump.name,
            Jump::Local { name } => name,
        }
    }
}

/// A jump box: the one address of an environment that accepts SSH from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct JumpBox {
    /// Its name; when a host of the environment has the same name, that host is asked over the jump connection itself.
    pub name: HostName,
    /// Host name or IP address as seen from here.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// How to log in.
    pub access: Arc<Access>,
    /// The jump box that this one is reached through; `None` when it is reached from here.
    pub via: Option<Arc<JumpBox>>,
}

impl JumpBox {
    /// The jump boxes in the order of the route from here; this one is the last.
    #[must_use]
    pub fn route(&self) -> Vec<&JumpBox> {
        let mut route: Vec<&JumpBox> =
            std::iter::successors(Some(self), |jump| jump.via.as_deref()).collect();
        route.reverse();
        route
    }

    /// The route in places: `198.51.100.1:22 → 10.0.0.9:22`.
    #[must_use]
    pub fn route_text(&self) -> String {
        let places: Vec<String> = self.route().into_iter().map(JumpBox::place).collect();
        places.join(" → ")
    }

    /// `host:port`, as it is dialled.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }
}

/// One host.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Environment and name.
    pub id: HostId,
    /// Every host of its environment, where it manages them: role `salt` or `deployment`.
    pub peers: Arc<[Peer]>,
    /// The files of its environment that name the database server, of every role.
    pub database_files: Arc<[DatabaseFile]>,
    /// Host name or IP address as seen from the jump box.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// How to log in.
    pub access: Arc<Access>,
    /// The roles it should have: from the inventory, or told by its name.
    pub roles: Vec<RoleName>,
    /// Whether `roles` stands in the inventory (else it was computed from the name).
    pub roles_declared: bool,
    /// The hostname the machine itself should report, when it is not the short name of `id`.
    pub hostname: Option<String>,
    /// Databases and mounts that want more rights are asked with `sudo -n`.
    pub sudo: bool,
    /// The services that must run on it and have no probe of their own.
    pub services: Vec<Arc<DeclaredService>>,
    /// The backups whose files it keeps.
    pub backups: Vec<Arc<DeclaredBackup>>,
    /// The checks of the inventory's own that it is asked for.
    pub checks: Vec<Arc<DeclaredCheck>>,
    /// Services that its roles run and that the inventory turns off: they are not looked at.
    pub unwatched: Vec<String>,
    /// The log files that are declared for it: those that are on it, [`DeclaredLog::is_on`] tells by its roles.
    pub logs: Vec<Arc<DeclaredLog>>,
}

impl Host {
    /// The roles its name tells.
    #[must_use]
    pub fn roles_by_name(&self) -> Vec<RoleName> {
        roles_from_host_name(self.id.host.as_str())
    }

    /// Whether a connection to `other` is one to this host: the same machine, logged in to the same way.
    #[must_use]
    pub fn is_reached_like(&self, other: &Host) -> bool {
        self.address == other.address && self.port == other.port && self.access == other.access
    }

    /// Whether it should have this role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r.as_str() == role)
    }

    /// The files on it that name the database server.
    pub fn own_database_files(&self) -> impl Iterator<Item = &DatabaseFile> {
        self.database_files.iter().filter(|file| self.has_role(file.role.as_str()))
    }

    /// Whether a database server is expected on it: by its role `db` or `masterdb`.
    #[must_use]
    pub fn expects_database(&self) -> bool {
        self.has_role("db") || self.has_role("masterdb")
    }
}

/// A host, as the one that manages it must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: HostName,
    /// Its address as seen from the jump box.
    pub address: String,
}

/// Tells the hosts that manage an environment which hosts it has.
#[must_use]
pub fn with_peers(mut hosts: Vec<Arc<Host>>) -> Vec<Arc<Host>> {
    let peer = |host: &Arc<Host>| Peer { name: host.id.host.clone(), address: host.address.clone() };
    let peers: Arc<[Peer]> = hosts.iter().map(peer).collect();
    for host in hosts.iter_mut().filter(|host| host.has_role("salt") || host.has_role("deployment")) {
        Arc::make_mut(host).peers = Arc::clone(&peers);
    }
    hosts
}

/// How reports are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// One SSH session a host, through the jump box.
    #[default]
    Ssh,
}

/// How often hosts are asked, and how long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    /// Time between two reports of one host.
    pub poll: Duration,
    /// A report that takes longer is given up.
    pub deadline: Duration,
    /// TCP, banner, key exchange and authentication together may take this long.
    pub connect: Duration,
}

impl Default for Cadence {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            deadline: Duration::from_secs(8),
            connect: Duration::from_secs(10),
        }
    }
}

/// A figure that warns at one value and is critical at a higher one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Above this: a warning.
    pub warning: f64,
    /// Above this: critical.
    pub critical: f64,
}

/// When figures become problems. Defaults: the fleet's own Monit rules (load 1 min > 4, 5 min > 2 on its 2-CPU
/// machines, memory > 85 %, swap > 25 %), per CPU where the number of CPUs is known; disks as is usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// One-minute load per CPU.
    pub load_one_per_cpu: Threshold,
    /// Five-minute load per CPU.
    pub load_five_per_cpu: Threshold,
    /// Memory in use, percent.
    pub memory: Threshold,
    /// Swap in use, percent.
    pub swap: Threshold,
    /// Filesystem in use, percent, as `df` counts it. Critical at or above `critical`.
    pub disk: Threshold,
    /// A filesystem that is full in fewer days, if it grows as it did: a warning. 0: none.
    pub disk_full_days: f64,
    /// Inodes in use, percent.
    pub inodes: Threshold,
    /// Replication lag, seconds.
    pub lag: Threshold,
    /// Difference between the host's clock and ours, seconds.
    pub clock: Threshold,
}

impl Default for Thresholds {
    fn default() -> Self {
        let t = |warning, critical| Threshold { warning, critical };
        Self {
            load_one_per_cpu: t(2.0, 4.0),
            load_five_per_cpu: t(1.0, 2.0),
            memory: t(85.0, 95.0),
            swap: t(25.0, 75.0),
            disk: t(85.0, 95.0),
            disk_full_days: 3.0,
            inodes: t(85.0, 95.0),
            lag: t(30.0, 300.0),
            clock: t(1.0, 30.0),
        }
    }
}

/// How many hosts of a role an environment needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The role.
    pub role: RoleName,
    /// At least this many.
    pub at_least: u32,
    /// At most this many, when there is a limit.
    pub at_most: Option<u32>,
    /// A host of this role must have these too (a masterdb is also a db).
    pub implies: Vec<RoleName>,
    /// It comes with the program, and nobody wrote it: it holds only where the inventory has a host of this role.
    pub built_in: bool,
}

impl Requirement {
    /// The requirement in words: `exactly 1`, `2 or more`, `1 to 3`, `any number`.
    #[must_use]
    pub fn describe(&self) -> String {
        match (self.at_least, self.at_most) {
            (low, Some(high)) if low == high => format!("exactly {low}"),
            (0, Some(high)) => format!("at most {high}"),
            (low, Some(high)) => format!("{low} to {high}"),
            (0, None) => "any number".to_owned(),
            (low, None) => format!("{low} or more"),
        }
    }
}

/// The requirements of a WebPlatform environment, where the fleet's own document states a number
/// ("VM Roles", `002` of the seeds): how many, and that a masterdb must also be a db.
#[must_use]
pub fn default_requirements() -> Vec<Requirement> {
    [
        ("source", 1, Some(1)),
        ("salt", 1, Some(1)),
        ("mail", 1, None),
        ("backup", 1, Some(1)),
        ("masterdb", 1, Some(1)),
        ("db", 1, None),
        ("sessions", 1, None),
        ("accounts", 1, Some(1)),
        ("memcache", 2, None),
        ("elastic", 1, None),
    ]
    .into_iter()
    .filter_map(|(role, at_least, at_most)| {
        let implies = if role == "masterdb" { RoleName::new("db").into_iter().collect() } else { Vec::new() };
        Some(Requirement { role: RoleName::new(role).ok()?, at_least, at_most, implies, built_in: true })
    })
    .collect()
}

//! The simulated world: the hosts of one environment with their figures, databases and files. It lives in
//! time from a seed: what it shows follows from the seed, the time and what was done to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::apps::{Apps, jobs};
use crate::cloud::{self, volumes};
use crate::mariadb::{self, DatabaseError, Databases, TICKS};
use crate::posix::machine::{self, Machine, Memory};
use crate::posix::storage::Mount;
use crate::posix::{files, held, log_files, snapshots, tasks, upkeep};
use crate::web::{self, cdn, tls};
use crate::{dns, elastic, git, gluster, mail, memcache, redis, salt, services};
use jumpdeck_fleet::names::{EnvName, HostName, NameError};

pub mod score;
pub mod spec;
pub mod sweep;
pub mod universe;

pub(crate) mod fleet;
mod generated;
pub(crate) mod noise;

use spec::EnvironmentSpec;

/// Why a world could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// There is none of that name.
    #[error("there is no world {0:?}; there are wpd-2015, wpd-2013 and big-N (N hosts, 1 to 5000)")]
    Unknown(String),
    /// Its file is wrong.
    #[error("world file: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A name in it is none.
    #[error("world file: {0}")]
    Name(#[from] NameError),
    /// A `df` row that no disk could print.
    #[error("world file: {host}: no figures print as the row {row:?}")]
    Row {
        /// The host.
        host: HostName,
        /// The row.
        row: String,
    },
    /// An operating system that is not described.
    #[error("world file: {host}: operating system {os:?} is not known")]
    Os {
        /// The host.
        host: HostName,
        /// Its operating system.
        os: String,
    },
    /// The jump box is none of the hosts.
    #[error("world file: the jump box {0} is none of the hosts")]
    Jump(HostName),
    /// Two hosts have one name.
    #[error("world file: host {0} is there twice")]
    Twice(HostName),
    /// A database follows a server that is not there.
    #[error("world file: {0}")]
    Database(#[from] DatabaseError),
}

/// One environment of a simulated fleet.
#[derive(Debug, Default)]
pub struct World {
    pub(crate) identity: Option<Identity>,
    pub(crate) machines: BTreeMap<HostName, Machine>,
    pub(crate) order: Vec<HostName>,
    pub(crate) databases: Databases,
    pub(crate) apps: Apps,
    pub(crate) dns: dns::Dns,
    pub(crate) ledger: score::Ledger,
    pub(crate) chores: upkeep::Chores,
    pub(crate) cloud: cloud::Cloud,
    pub(crate) elastic: elastic::Elastic,
    pub(crate) gluster: gluster::Bricks,
    pub(crate) held: Vec<held::HeldFile>,
    pub(crate) web: web::WebServers,
    pub(crate) public: web::public::PublicFaults,
    pub(crate) cdn: cdn::Cdn,
    pub(crate) mail: mail::Queues,
    pub(crate) memcached: memcache::Servers,
    pub(crate) redis: redis::Servers,
    pub(crate) tasks: tasks::Tasks,
    pub(crate) turns: log_files::Turns,
    pub(crate) tls: tls::Tls,
    pub(crate) jobs: jobs::Jobs,
    pub(crate) files: files::Entries,
    /// Hosts of which a disk was filled: only there is it looked at with each write.
    pub(crate) filled: std::collections::BTreeSet<HostName>,
    pub(crate) closed: files::ClosedPaths,
    pub(crate) volumes: Vec<volumes::Volume>,
    pub(crate) repositories: git::Repositories,
    pub(crate) salt: salt::Salt,
    pub(crate) services: services::Services,
    pub(crate) snapshots: snapshots::Snapshots,
    pub(crate) clock: Clock,
}

#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) name: EnvName,
    pub(crate) level: String,
    pub(crate) domain: Option<String>,
    pub(crate) jump: HostName,
    pub(crate) second_jump: Option<HostName>,
    pub(crate) people: Vec<String>,
    pub(crate) era: spec::Era,
    pub(crate) seed: u64,
    pub(crate) alive: bool,
}

/// The world's time: so much was advanced by hand, and, when it runs, what passed on the real clock since.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    pub(crate) started: i64,
    pub(crate) advanced: Duration,
    pub(crate) running: Option<Instant>,
}

impl World {
    /// Builds one environment. Its time stands still until [`World::advance`] or [`World::run`].
    ///
    /// # Errors
    /// When the description is wrong: the error says what and where.
    pub fn new(spec: &EnvironmentSpec, alive: bool, started: i64, seed: u64) -> Result<Self, WorldError> {
        let jump = HostName::new(&spec.jump)?;
        let second_jump = spec.second_jump.as_deref().map(HostName::new).transpose()?;
        let mut world = Self {
            identity: Some(Identity {
                name: EnvName::new(&spec.name)?,
                level: spec.level.clone(),
                domain: spec.domain.clone(),
                jump: jump.clone(),
                second_jump: second_jump.clone(),
                people: spec.people.clone(),
                era: spec.services,
                seed,
                alive,
            }),
            clock: Clock { started, ..Clock::default() },
            ..Self::default()
        };
        for (index, host) in spec.hosts.iter().enumerate() {
            let machine = Machine::new(host, spec, index, alive, seed)?;
            world.order.push(machine.name.clone());
            if let Some(twice) = world.machines.insert(machine.name.clone(), machine) {
                return Err(WorldError::Twice(twice.name));
            }
        }
        if let Some(none) = [Some(&jump), second_jump.as_ref()]
            .into_iter()
            .flatten()
            .find(|one| !world.machines.contains_key(one))
        {
            return Err(WorldError::Jump(none.clone()));
        }
        world.databases = Databases::new(spec, &world.machines, alive, seed)?;
        let machines: Vec<&Machine> = world.machines().collect();
        let cloud = cloud::Cloud::new(spec, &machines, seed);
        let elastic = elastic::Elastic::new(spec, &machines, seed, world.epoch(&jump));
        (world.cloud, world.elastic) = (cloud, elastic);
        world.apps = Apps::new(&world, spec, seed);
        world.start_salt();
        world.furnish();
        world.furnish_code();
        world.start_dns();
        world.start_cloud();
        world.start_cdn();
        world.start_mail();
        world.start_redis();
        world.start_jobs();
        world.start_backups();
        world.start_volumes();
        world.start_tls();
        Ok(world)
    }

    /// Lets the world's time follow the real one from now on.
    pub fn run(&mut self) {
        let before = self.true_time();
        self.clock.advanced = self.now();
        self.clock.running = Some(Instant::now());
        self.services.clocks_set(self.true_time() - before);
    }

    /// Moves the world's time on.
    pub fn advance(&mut self, by: Duration) {
        self.clock.advanced = self.clock.advanced.saturating_add(by);
    }

    /// Time since the world's start.
    #[must_use]
    pub fn now(&self) -> Duration {
        let ran = self.clock.running.map(|since| since.elapsed()).unwrap_or_default();
        self.clock.advanced.saturating_add(ran)
    }

    /// Whether its time follows the real one.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.clock.running.is_some()
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.now().as_secs_f64()
    }

    /// What a host's clock shows: seconds since 1970. A running world has the real time (and the host's own error).
    #[must_use]
    pub fn epoch(&self, host: &HostName) -> f64 {
        self.true_time() + self.machine(host).map_or(0.0, |m| m.clock_skew)
    }

    /// What a clock without error shows: seconds since 1970.
    pub(crate) fn true_time(&self) -> f64 {
        if self.clock.running.is_some() {
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
        } else {
            self.started_at() + self.seconds()
        }
    }

    /// When its time began: seconds since 1970.
    pub(crate) fn started_at(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // seconds since 1970 fit
        let started = self.clock.started as f64;
        started
    }

    /// The environment's name.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvName> {
        self.identity.as_ref().map(|i| &i.name)
    }

    /// The level of its hosts.
    #[must_use]
    pub fn level(&self) -> &str {
        self.identity.as_ref().map_or("", |i| i.level.as_str())
    }

    /// Its internal domain.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.identity.as_ref().and_then(|i| i.domain.as_deref())
    }

    /// Its jump box.
    #[must_use]
    pub fn jump(&self) -> Option<&HostName> {
        self.identity.as_ref().map(|i| &i.jump)
    }

    /// Its second jump box, where it has one.
    #[must_use]
    pub fn second_jump(&self) -> Option<&HostName> {
        self.identity.as_ref()?.second_jump.as_ref()
    }

    /// The people who have an account on every host, root not counted.
    #[must_use]
    pub fn people(&self) -> &[String] {
        self.identity.as_ref().map_or(&[], |i| i.people.as_slice())
    }

    /// The seed it lives from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.identity.as_ref().map_or(0, |i| i.seed)
    }

    /// Whether its figures move.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.identity.as_ref().is_some_and(|i| i.alive)
    }

    /// Its machines, in the order of the inventory.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.order.iter().filter_map(|name| self.machines.get(name))
    }

    /// One machine.
    #[must_use]
    pub fn machine(&self, host: &HostName) -> Option<&Machine> {
        self.machines.get(host)
    }

    /// The host that a name (short or with the domain) or an address means.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<HostName> {
        let name = name.trim_end_matches('.');
        let short = self
            .domain()
            .and_then(|domain| name.strip_suffix(domain))
            .and_then(|rest| rest.strip_suffix('.'))
            .unwrap_or(name);
        let called = |m: &&Machine| m.hostname.as_str() == short || m.address == name;
        let found = self.machines().find(called).map(|m| m.name.clone());
        found.or_else(|| HostName::new(name).ok().filter(|name| self.machines.contains_key(name)))
    }

    /// A host's full name.
    #[must_use]
    pub fn fqdn(&self, host: &HostName) -> String {
        let name = self.machine(host).map_or(host, |m| &m.hostname);
        match self.domain() {
            Some(domain) => format!("{name}.{domain}"),
            None => name.to_string(),
        }
    }

    /// Load averages over 1, 5 and 15 minutes, now.
    #[must_use]
    pub fn load(&self, host: &HostName) -> Option<[f64; 3]> {
        Some(self.machine(host)?.load(self.seconds()))
    }

    /// Memory, now.
    #[must_use]
    pub fn memory(&self, host: &HostName) -> Option<Memory> {
        Some(self.machine(host)?.memory(self.seconds()))
    }

    /// Mounted filesystems, now, in the order of the mount table.
    #[must_use]
    pub fn filesystems(&self, host: &HostName) -> Option<Vec<Mount>> {
        let mut mounts = self.machine(host)?.filesystems(self.seconds());
        self.count_files(host, &mut mounts);
        self.count_held(host, &mut mounts);
        Some(mounts)
    }

    /// Seconds since the host was booted.
    #[must_use]
    pub fn uptime(&self, host: &HostName) -> Option<f64> {
        Some(self.machine(host)?.uptime(self.seconds()))
    }

    /// Marks a mount as dead or alive: whoever asks a dead one never gets an answer. False when there is no such mount.
    pub fn set_hanging(&mut self, host: &HostName, path: &str, hanging: bool) -> bool {
        let mounts = self.machines.get_mut(host).map(|m| m.mounts.iter_mut()).into_iter().flatten();
        let mut found = false;
        for mount in mounts.filter(|m| m.path == path) {
            mount.hanging = hanging;
            found = true;
        }
        found
    }

    /// Makes a host's clock wrong by this many seconds from now on. False when there is no such host.
    pub fn set_clock_skew(&mut self, host: &HostName, seconds: f64) -> bool {
        self.machines.get_mut(host).map(|machine| machine.clock_skew = seconds).is_some()
    }

    /// Lets nothing of the databases (statements, replication) pass between two hosts, or lets it pass again. False when one
    /// of them is not there.
    pub fn cut_databases(&mut self, one: &HostName, other: &HostName, cut: bool) -> bool {
        self.live();
        let address = |host| self.machine(host).map(|machine| machine.address.clone());
        let (Some(one), Some(other)) = (address(one), address(other)) else { return false };
        self.databases.set_cut(&one, &other, cut);
        true
    }

    /// The database servers, brought up to now.
    pub fn databases(&mut self) -> &mut Databases {
        self.live();
        &mut self.databases
    }

    /// The applications, brought up to now.
    pub fn apps(&mut self) -> &Apps {
        self.live();
        &self.apps
    }

    /// Brings applications and databases up to now.
    pub(crate) fn live(&mut self) {
        self.databases_boot();
        self.follow_power();
        #[allow(clippy::cast_precision_loss)] // a few ticks a second
        let tick = machine::count(self.seconds() * TICKS as f64);
        if self.databases.tick() < tick {
            let orders = self.apps.orders(self);
            let mut told = Vec::new();
            while self.databases.tick() < tick {
                self.databases.begin_tick();
                if self.is_alive() {
                    self.apps.step(&orders, &mut self.databases, &mut told);
                }
                self.databases.end_tick();
                self.ledger.tick(self.databases.tick(), &told, &self.databases);
                told.clear();
            }
        }
        self.databases.attach_all();
    }

    /// The version of the database server installed on a host, if there is one.
    #[must_use]
    pub fn database_version(&self, host: &HostName) -> Option<mariadb::Version> {
        self.databases.server(host).map(|server| server.version.clone())
    }

    /// Whether a database server is installed on a host.
    #[must_use]
    pub fn has_database(&self, host: &HostName) -> bool {
        self.databases.is_installed(host)
    }
}

#[cfg(test)]
mod tests;

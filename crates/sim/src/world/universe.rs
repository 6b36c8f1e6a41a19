//! A whole simulated fleet: its environments, and the inventory that describes them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jumpdeck_fleet::access::Access;
use jumpdeck_fleet::backup::{DeclaredBackup, backups_of_roles, default_backups};
use jumpdeck_fleet::check::{CheckCommand, CheckLimits, CheckNumber, CheckRange, CheckRule, DeclaredCheck};
use jumpdeck_fleet::declared::{DeclaredService, default_services, services_of_roles};
use jumpdeck_fleet::fleet::{
    Cadence, Environment, Fleet, Guard, Host, Jump, JumpBox, Requirement, Thresholds, Transport,
    database_files_of_salt, default_requirements, with_database_files, with_peers,
};
use jumpdeck_fleet::log::default_logs;
use jumpdeck_fleet::names::{EnvName, HostId, RoleName};

use super::spec::{EnvironmentSpec, WorldSpec};
use super::{World, WorldError, generated};
use crate::apps::jobs::WIKI;

/// Most hosts of a generated world.
const MOST_HOSTS: usize = 5000;

/// The worlds that come with the program; the first is the default. A new one is one file and one line.
static WORLDS: &[(&str, &str)] = &[
    ("wpd-2015", include_str!("../../../../training/worlds/wpd-2015.toml")),
    ("wpd-2013", include_str!("../../../../training/worlds/wpd-2013.toml")),
];

/// A simulated fleet.
#[derive(Debug)]
pub struct Universe {
    /// Its name: `wpd-2015`.
    pub name: String,
    /// One line about it.
    pub summary: String,
    /// Its environments, the first shown first.
    pub environments: Vec<(EnvName, Arc<Mutex<World>>)>,
    rules: Vec<Rules>,
}

/// What the inventory says of an environment and its world does not.
#[derive(Debug)]
struct Rules {
    guard: Guard,
    public_address: String,
    second_address: Option<String>,
    requirements: Vec<Requirement>,
}

impl Universe {
    /// The names of the worlds that come with the program, the default one first. Besides, `big-N` makes a world of N
    /// hosts.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        WORLDS.iter().map(|(name, _)| *name).collect()
    }

    /// Loads a world and lets its time run with the real one.
    ///
    /// # Errors
    /// When there is no such world, or its file is wrong.
    pub fn load(name: &str, seed: u64) -> Result<Self, WorldError> {
        let now = jiff::Timestamp::now().as_second();
        let universe = Self::read(name, seed, Some(now))?;
        for (_, world) in &universe.environments {
            world.lock().unwrap_or_else(PoisonError::into_inner).run();
        }
        Ok(universe)
    }

    /// A world from its description (as in `training/worlds/`); its time runs with the real one.
    ///
    /// # Errors
    /// When the description is wrong.
    pub fn described(name: &str, text: &str, seed: u64) -> Result<Self, WorldError> {
        let now = jiff::Timestamp::now().as_second();
        let universe = Self::from_spec(name, &begun(toml::from_str(text)?, Some(now)), seed)?;
        for (_, world) in &universe.environments {
            world.lock().unwrap_or_else(PoisonError::into_inner).run();
        }
        Ok(universe)
    }

    /// Loads a world whose time stands still until it is advanced.
    ///
    /// # Errors
    /// As [`Universe::load`].
    pub fn load_still(name: &str, seed: u64) -> Result<Self, WorldError> {
        Self::read(name, seed, None)
    }

    /// A world that begins then, or when its description says. What a running one dates from before its start (backups) must
    /// fit the real time that its clocks show.
    fn read(name: &str, seed: u64, started: Option<i64>) -> Result<Self, WorldError> {
        let unknown = || WorldError::Unknown(name.to_owned());
        if let Some(hosts) = name.strip_prefix("big-") {
            let hosts = hosts.parse().ok().filter(|n| (1..=MOST_HOSTS).contains(n)).ok_or_else(unknown)?;
            return Self::from_spec(name, &begun(generated::spec(hosts), started), seed);
        }
        let (_, text) = WORLDS.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
        Self::from_spec(name, &begun(toml::from_str(text)?, started), seed)
    }

    /// A fleet of so many hosts in one environment, jump box included; its time stands still. For benchmarks.
    ///
    /// # Errors
    /// When the number is not between 1 and 5000.
    pub fn generated(hosts: usize, seed: u64) -> Result<Self, WorldError> {
        Self::load_still(&format!("big-{hosts}"), seed)
    }

    fn from_spec(name: &str, spec: &WorldSpec, seed: u64) -> Result<Self, WorldError> {
        let mut universe = Self {
            name: name.to_owned(),
            summary: spec.summary.clone(),
            environments: Vec::new(),
            rules: Vec::new(),
        };
        for env in &spec.environments {
            let world = World::new(env, spec.alive, spec.started, seed)?;
            universe.environments.push((EnvName::new(&env.name)?, Arc::new(Mutex::new(world))));
            universe.rules.push(Rules::new(env)?);
        }
        Ok(universe)
    }

    /// Its environments with their worlds and the addresses their jump box and the second one are reached at from outside.
    pub fn jumps(&self) -> impl Iterator<Item = (&EnvName, &Arc<Mutex<World>>, &str, Option<&str>)> {
        self.environments.iter().zip(&self.rules).map(|((name, world), rules)| {
            (name, world, rules.public_address.as_str(), rules.second_address.as_deref())
        })
    }

    /// The inventory of the fleet. `access` tells how to log in to an environment's jump box and hosts.
    #[must_use]
    pub fn fleet(&self, access: impl Fn(&EnvName) -> Arc<Access>) -> Fleet {
        let environments = self.environments.iter().zip(&self.rules).filter_map(|((name, world), rules)| {
            // First, as whoever tells it may look into the world, too.
            let access = access(name);
            let world = world.lock().unwrap_or_else(PoisonError::into_inner);
            inventory(name, &world, rules, &access).map(Arc::new)
        });
        Fleet { environments: environments.collect(), simulated: true }
    }
}

impl Rules {
    fn new(spec: &EnvironmentSpec) -> Result<Self, WorldError> {
        let required = |role: &str, at_least, at_most| -> Result<Requirement, WorldError> {
            let role = RoleName::new(role)?;
            Ok(Requirement { role, at_least, at_most, implies: Vec::new(), built_in: false })
        };
        let mut requirements = match &spec.requirements {
            None => default_requirements(),
            Some(own) => {
                own.iter().map(|r| required(&r.role, r.at_least, r.at_most)).collect::<Result<_, _>>()?
            }
        };
        for role in &spec.also_required {
            requirements.push(required(role, 1, None)?);
        }
        Ok(Self {
            guard: if spec.challenge { Guard::Challenge } else { Guard::Confirm },
            public_address: spec.public_address.clone(),
            second_address: spec.second_address.clone(),
            requirements,
        })
    }
}

/// A description, with its beginning at another moment when one is given (seconds since 1970).
fn begun(spec: WorldSpec, started: Option<i64>) -> WorldSpec {
    WorldSpec { started: started.unwrap_or(spec.started), ..spec }
}

/// What must run on a machine: what its roles run, as far as it is there in the years that the world shows.
fn services_of(world: &World, machine: &crate::posix::machine::Machine) -> Vec<Arc<DeclaredService>> {
    let roles = machine.roles();
    let all = default_services();
    let mut found = services_of_roles(&all, &roles);
    found.extend(all.into_iter().filter(|service| service.of_minions).map(Arc::new));
    found.retain(|service| {
        service.units.iter().any(|unit| world.service_named(&machine.name, unit).is_some())
    });
    found
}

/// What a machine keeps of backups, as far as the years that the world shows had them.
fn backups_of(world: &World, machine: &crate::posix::machine::Machine) -> Vec<Arc<DeclaredBackup>> {
    let mut found = backups_of_roles(&default_backups(), &machine.roles());
    found.retain(|backup| world.list_dir(&machine.name, &backup.folder).is_some());
    found
}

/// The job queue, where the jobs run: what a site of MediaWiki would write into its inventory.
fn checks_of(machine: &crate::posix::machine::Machine) -> Vec<Arc<DeclaredCheck>> {
    let command = format!("php {WIKI}/maintenance/showJobs.php");
    let over = |limit| CheckNumber::new(limit).map(CheckRange::over);
    let limits = CheckLimits { warning: over(5_000.0), critical: over(50_000.0) };
    let is_there = machine.roles().iter().any(|role| role.as_str() == "jobrunner");
    let check = CheckCommand::new(&command).ok().filter(|_| is_there).map(|command| DeclaredCheck {
        name: DeclaredCheck::name_of("jobs"),
        roles: machine.roles(),
        command,
        every: Duration::from_secs(60),
        timeout: Duration::from_secs(3),
        rule: CheckRule::Number(limits),
        when_bad: Some("Look which type of job waits: runbook job-queue.".to_owned()),
    });
    check.map(Arc::new).into_iter().collect()
}

fn inventory(name: &EnvName, world: &World, rules: &Rules, access: &Arc<Access>) -> Option<Environment> {
    let logs = default_logs();
    let hosts = world.machines().map(|machine| {
        Arc::new(Host {
            id: HostId { env: name.clone(), host: machine.name.clone() },
            peers: [].into(),
            database_files: [].into(),
            address: machine.address.clone(),
            port: 22,
            access: Arc::clone(access),
            roles: machine.roles(),
            roles_declared: machine.grain_roles.is_some(),
            hostname: None,
            services: services_of(world, machine),
            backups: backups_of(world, machine),
            checks: checks_of(machine),
            unwatched: Vec::new(),
            logs: logs.clone(),
            sudo: false,
        })
    });
    Some(Environment {
        name: name.clone(),
        level: world.level().to_owned(),
        guard: rules.guard,
        signatures: Default::default(),
        journals: None,
        lease: Default::default(),
        management: Default::default(),
        contacts: Default::default(),
        domain: world.domain().map(str::to_owned),
        jump: Jump::Remote(JumpBox {
            name: world.jump()?.clone(),
            address: rules.public_address.clone(),
            port: 22,
            access: Arc::clone(access),
            via: None,
        }),
        second_jump: world.second_jump().zip(rules.second_address.as_ref()).map(|(name, address)| JumpBox {
            name: name.clone(),
            address: address.clone(),
            port: 22,
            access: Arc::clone(access),
            via: None,
        }),
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: rules.requirements.clone(),
        cadence: Cadence::default(),
        outside: world.outside_settings(),
        hosts: with_database_files(with_peers(hosts.collect()), database_files_of_salt()),
    })
}

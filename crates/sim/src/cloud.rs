//! The cloud that an environment's machines run in: servers, their ports, and floating addresses. Servers are
//! known by their UUID; two may bear one name.

use std::collections::BTreeSet;

use crate::posix::machine::Machine;
use crate::world::noise::{draw, key, uuid};
use crate::world::spec::EnvironmentSpec;
use jumpdeck_fleet::names::HostName;

mod acts;
mod catalogue;
pub(crate) mod programs;
pub mod volumes;

pub use acts::{Order, USER_DATA};
pub use catalogue::{Flavor, Image};

/// Roles whose machines have an address in the world outside (`002`'s table; the web servers stand behind a cache that
/// reaches them from outside, `000` 2.2.1.1).
static PUBLIC_ROLES: &[&str] = &[
    "accounts", "app", "blog", "code", "mail", "masterdb", "nginx", "notes", "piwik", "project", "source",
    "specs",
];

/// Why the cloud refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// No such thing.
    #[error("No {kind} with a name or ID of '{name}' exists.")]
    Missing {
        /// `server`, `flavor`, `image`, …
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// Several bear that name.
    #[error("Multiple {kind} matches found for '{name}', use an ID to be more specific.")]
    Ambiguous {
        /// `server`, …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// It cannot be done now.
    #[error("{0}")]
    Conflict(String),
    /// It can never be done.
    #[error("{0}")]
    Bad(String),
}

/// A virtual machine as the cloud sees it.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its UUID.
    pub id: String,
    /// Its name, which another may bear, too.
    pub name: String,
    /// The machine it runs as; `None` when it never came up.
    pub machine: Option<HostName>,
    /// Flavor id.
    pub flavor: String,
    /// Image id.
    pub image: String,
    /// Key pair.
    pub key_name: String,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// Its address inside the environment.
    pub address: String,
    /// The UUID of its port.
    pub port: String,
    /// The port's hardware address.
    pub mac: String,
    /// When it was asked for, seconds since the world's start (negative: before it).
    pub created: f64,
    /// From when on it is `ACTIVE`; infinite when it never will be.
    pub active_at: f64,
    /// When it was deleted.
    pub deleted_at: Option<f64>,
    /// Whether it was stopped.
    pub stopped: bool,
    /// Whether the cloud gave it up.
    pub failed: bool,
    /// Whether its kernel hangs: it runs, and answers nothing.
    pub hung: bool,
    /// When the cloud last changed what it says of it; before that it is when it was built.
    pub changed_at: Option<f64>,
    faults: Faults,
}

/// What is made to go wrong with a server.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    foreign_console: bool,
    delete_does_nothing: bool,
    stop_does_nothing: bool,
    soft_reboot_does_nothing: bool,
}

/// What `Status` shows of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Being built.
    Build,
    /// Running.
    Active,
    /// Stopped.
    Shutoff,
    /// Given up by the cloud.
    Error,
}

impl Status {
    /// As the cloud's programs print it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Build => "BUILD",
            Self::Active => "ACTIVE",
            Self::Shutoff => "SHUTOFF",
            Self::Error => "ERROR",
        }
    }
}

/// An address in the world outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloatingIp {
    /// Its UUID.
    pub id: String,
    /// The address.
    pub address: String,
    /// The port it leads to.
    pub port: Option<String>,
}

/// The cloud of one environment.
#[derive(Debug, Default)]
pub struct Cloud {
    servers: Vec<Server>,
    floating: Vec<FloatingIp>,
    flavors: Vec<Flavor>,
    images: Vec<Image>,
    key_names: Vec<String>,
    security_groups: BTreeSet<String>,
    subnet: String,
    key: u64,
    drawn: u64,
    /// Whether the jump box has no program to speak to it.
    clients_removed: bool,
    /// Of servers built from now on.
    next_never_active: bool,
    next_foreign_console: bool,
}

/// Seconds that a deleted server is still listed.
const DELETING: f64 = 2.0;

impl Cloud {
    pub(crate) fn new(env: &EnvironmentSpec, machines: &[&Machine], seed: u64) -> Self {
        let mut cloud = Self {
            flavors: catalogue::flavors(machines),
            images: catalogue::images(seed, machines),
            key_names: env.people.iter().map(|person| format!("{person}-{}", env.level)).collect(),
            subnet: env.subnet.clone(),
            key: key(seed, &format!("{}/cloud", env.name)),
            ..Self::default()
        };
        if cloud.key_names.is_empty() {
            cloud.key_names.push(env.level.clone());
        }
        cloud.security_groups.insert("default".to_owned());
        for machine in machines {
            cloud.adopt(machine);
        }
        cloud.publish(env);
        cloud
    }

    /// A machine that was there before the world's start.
    fn adopt(&mut self, machine: &Machine) {
        let roles: Vec<String> = machine.roles().iter().map(ToString::to_string).collect();
        self.security_groups.extend(roles.iter().cloned());
        let flavor = self.flavors.iter().find(|flavor| flavor.fits(machine));
        let image = self.images.iter().find(|image| image.os == machine.os.id);
        let (flavor, image) = (
            flavor.map(|f| f.id.clone()).unwrap_or_default(),
            image.map(|i| i.id.clone()).unwrap_or_default(),
        );
        #[allow(clippy::cast_precision_loss)] // some months
        let age = (machine.uptime(0.0) + 90.0) as i64 as f64;
        let server = Server {
            id: self.uuid(),
            name: machine.name.to_string(),
            machine: Some(machine.name.clone()),
            flavor,
            image,
            key_name: self.key_names.first().cloned().unwrap_or_default(),
            security_groups: std::iter::once("default".to_owned()).chain(roles).collect(),
            address: machine.address.clone(),
            port: self.uuid(),
            mac: self.mac(),
            created: -age,
            active_at: 40.0 - age,
            deleted_at: None,
            stopped: false,
            failed: false,
            hung: false,
            changed_at: None,
            faults: Faults::default(),
        };
        self.servers.push(server);
    }

    /// A machine's server was built anew, at that address; what led to it leads to it again.
    pub(crate) fn moved(&mut self, machine: &HostName, address: &str) {
        let id = self.uuid();
        if let Some(server) = self.servers.iter_mut().find(|s| s.machine.as_ref() == Some(machine)) {
            server.id = id;
            address.clone_into(&mut server.address);
        }
    }

    /// Gives the machines that face the world their addresses, and keeps two to spare.
    fn publish(&mut self, env: &EnvironmentSpec) {
        let Some((net, first)) = env.public_address.rsplit_once('.') else { return };
        let first: u32 = first.parse().unwrap_or(1);
        let named =
            |name: &str| env.hosts.iter().find(|h| h.name == name).and_then(|h| h.public_address.clone());
        let taken: BTreeSet<String> = env.hosts.iter().filter_map(|h| h.public_address.clone()).collect();
        let mut free =
            (first + 1..255).map(|last| format!("{net}.{last}")).filter(|address| !taken.contains(address));
        let servers: Vec<(String, String, bool)> = self
            .servers
            .iter()
            .map(|s| {
                let public = s.security_groups.iter().any(|group| PUBLIC_ROLES.contains(&group.as_str()));
                (s.name.clone(), s.port.clone(), public)
            })
            .collect();
        for (name, port, public) in servers {
            let address = match named(&name) {
                Some(address) => Some(address),
                None if name == env.jump => Some(env.public_address.clone()),
                None if public => free.next(),
                None => None,
            };
            if let Some(address) = address {
                let id = self.uuid();
                self.floating.push(FloatingIp { id, address, port: Some(port) });
            }
        }
        for address in free.by_ref().take(2).collect::<Vec<_>>() {
            let id = self.uuid();
            self.floating.push(FloatingIp { id, address, port: None });
        }
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        draw(self.key, self.drawn)
    }

    /// A UUID, version 4 by its form (RFC 9562), drawn from the seed.
    fn uuid(&mut self) -> String {
        uuid(self.draw(), self.draw())
    }

    /// A hardware address of the cloud's own range (`fa:16:3e`, neutron's default).
    fn mac(&mut self) -> String {
        let drawn = self.draw();
        format!("fa:16:3e:{:02x}:{:02x}:{:02x}", drawn & 0xff, (drawn >> 8) & 0xff, (drawn >> 16) & 0xff)
    }

    /// The servers there are at that moment, the newest first.
    pub fn servers(&self, now: f64) -> impl Iterator<Item = &Server> {
        self.servers.iter().rev().filter(move |s| s.deleted_at.is_none_or(|at| now < at + DELETING))
    }

    /// The server that a UUID, or a name that only one bears, means.
    ///
    /// # Errors
    /// When there is none, or several bear the name.
    pub fn find(&self, wanted: &str, now: f64) -> Result<&Server, CloudError> {
        if let Some(server) = self.servers(now).find(|s| s.id == wanted) {
            return Ok(server);
        }
        let mut named = self.servers(now).filter(|s| s.name == wanted);
        match (named.next(), named.next()) {
            (Some(server), None) => Ok(server),
            (None, _) => Err(CloudError::Missing { kind: "server", name: wanted.to_owned() }),
            (Some(_), Some(_)) => Err(CloudError::Ambiguous { kind: "server", name: wanted.to_owned() }),
        }
    }

    /// The server whose port that is.
    #[must_use]
    pub fn server_of_port(&self, port: &str) -> Option<&Server> {
        self.servers.iter().find(|s| s.port == port)
    }

    /// The floating addresses, in the order they were had.
    #[must_use]
    pub fn floating_ips(&self) -> &[FloatingIp] {
        &self.floating
    }

    /// The floating address that leads to a server.
    #[must_use]
    pub fn public_address(&self, server: &Server) -> Option<&str> {
        self.floating.iter().find(|f| f.port.as_ref() == Some(&server.port)).map(|f| f.address.as_str())
    }

    /// The machine that an address in the world outside leads to.
    #[must_use]
    pub fn behind(&self, public: &str) -> Option<&HostName> {
        let port = self.floating.iter().find(|f| f.address == public)?.port.as_ref()?;
        self.server_of_port(port).filter(|s| s.deleted_at.is_none())?.machine.as_ref()
    }

    /// Whether the jump box has the programs that speak to it.
    #[must_use]
    pub fn has_clients(&self) -> bool {
        !self.clients_removed
    }

    /// The flavors.
    #[must_use]
    pub fn flavors(&self) -> &[Flavor] {
        &self.flavors
    }

    /// The images.
    #[must_use]
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// The key pairs' names.
    #[must_use]
    pub fn key_names(&self) -> &[String] {
        &self.key_names
    }

    /// A number that belongs to this cloud and to that name: project, user, network.
    #[must_use]
    pub fn identifier(&self, name: &str) -> String {
        format!("{:016x}{:016x}", key(self.key, name), draw(key(self.key, name), 1))
    }
}

impl Server {
    /// Its status at that moment.
    #[must_use]
    pub fn status(&self, now: f64) -> Status {
        if now < self.active_at {
            Status::Build
        } else if self.failed {
            Status::Error
        } else if self.stopped {
            Status::Shutoff
        } else {
            Status::Active
        }
    }

    /// When the cloud last changed what it says of it.
    #[must_use]
    pub fn updated(&self, now: f64) -> f64 {
        self.changed_at.unwrap_or(if now < self.active_at { self.created } else { self.active_at })
    }

    /// Whether its console is made to show other fingerprints than its machine has.
    #[must_use]
    pub fn shows_foreign_fingerprints(&self) -> bool {
        self.faults.foreign_console
    }

    /// What the cloud is doing with it: `spawning`, `deleting`.
    #[must_use]
    pub fn task(&self, now: f64) -> Option<&'static str> {
        match (self.deleted_at, self.status(now)) {
            (Some(_), _) => Some("deleting"),
            (None, Status::Build) => Some("spawning"),
            (None, _) => None,
        }
    }
}

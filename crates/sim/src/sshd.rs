//! The simulated fleet's SSH servers: the jump box of each environment, and every host behind it. Everything runs
//! over in-memory pipes; only [`SimFleet::listen`] opens a socket, on loopback.

pub mod fault;
mod keys;
mod link;
mod server;
mod session;
pub(crate) mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::SshId;
use russh::keys::{HashAlg, PrivateKey};
use russh::server::Config;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::program::SharedWorld;
use super::shell::Machine;
use super::world::World;
use super::world::universe::Universe;
use crate::dns::{self, server::ZoneReply};
use crate::sshd::stream::Stream;
use crate::web::public::{self, PublicPort};
use fault::{Fault, Switch};
use jumpdeck_fleet::access::{Access, KeySource, KnownHosts};
use jumpdeck_fleet::names::{EnvName, HostId, HostName};

/// The SSH port of every simulated machine.
pub(crate) const SSH_PORT: u16 = 22;
/// Bytes in flight on an in-memory connection to the jump box.
pub(crate) const IN_FLIGHT: usize = 32 * 1024;
/// What a channel may have in flight; a thousand hosts hold as many buffers.
const WINDOW: u32 = 64 * 1024;

/// A machine and its SSH server.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) machine: Arc<Machine>,
    pub(crate) switch: Arc<Switch>,
    /// What its keys were made from.
    label: String,
    key: PrivateKey,
    /// What it shows under [`Fault::ChangedKey`].
    other_key: PrivateKey,
}

/// One environment: its machines, and which of them is the jump box.
#[derive(Debug)]
pub(crate) struct Environment {
    name: EnvName,
    world: SharedWorld,
    pub(crate) jump: HostName,
    /// Where the jump box is reached from outside.
    public_address: String,
    /// The second jump box, and where that is reached from outside.
    second: Option<(HostName, String)>,
    down: AtomicBool,
    banner: String,
    /// Made once: who asks may hold the world.
    known_hosts: String,
    sites: Mutex<HashMap<HostName, Arc<Site>>>,
}

/// The servers of a whole simulated fleet. A clone is a handle to the same.
#[derive(Debug, Clone)]
pub struct SimFleet {
    environments: Arc<Vec<Arc<Environment>>>,
    client_key: Arc<str>,
}

/// A simulated fleet that listens on loopback. It stops when this is dropped; connections live on.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    /// The jump box's host key, as a line of `known_hosts`.
    pub known_hosts: String,
    /// Its fingerprint: `SHA256:…`.
    pub fingerprint: String,
    task: AbortHandle,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SimFleet {
    /// Starts the servers of every environment. Nothing runs until somebody connects.
    #[must_use]
    pub fn start(universe: &Universe) -> Self {
        let environments: Vec<_> = universe
            .jumps()
            .filter_map(|(name, world, address, second)| Environment::new(name, world, address, second))
            .map(Arc::new)
            .collect();
        let seed = environments.first().map_or(0, |environment| environment.lock().seed());
        let client_key = Arc::from(keys::private_text(&keys::key(seed, "client")));
        Self { environments: Arc::new(environments), client_key }
    }

    /// A private key that every machine accepts, in OpenSSH's format.
    #[must_use]
    pub fn client_key(&self) -> String {
        self.client_key.to_string()
    }

    /// The host keys of an environment, as the text of a `known_hosts` file: the jump box under the address it is
    /// reached at from outside, every machine under its name, full name and inner address.
    #[must_use]
    pub fn known_hosts(&self, environment: &EnvName) -> String {
        self.environment(environment).map(|e| e.known_hosts.clone()).unwrap_or_default()
    }

    /// How to log in to an environment's machines.
    #[must_use]
    pub fn access(&self, environment: &EnvName) -> Arc<Access> {
        Arc::new(Access {
            user: "root".to_owned(),
            keys: vec![KeySource::Memory(self.client_key())],
            agent: None,
            password: false,
            known_hosts: KnownHosts::Text(self.known_hosts(environment)),
        })
    }

    /// Makes something go wrong with a machine, or right again; false when there is no such machine.
    pub fn set_fault(&self, host: &HostId, fault: Option<Fault>) -> bool {
        let site = self.environment(&host.env).and_then(|environment| environment.site(&host.host));
        site.map(|site| site.switch.set(fault)).is_some()
    }

    /// Takes an environment's jump box down (live connections end, new ones are refused), or up again.
    pub fn set_jump_down(&self, environment: &EnvName, down: bool) {
        if let Some(environment) = self.environment(environment) {
            environment.down.store(down, Ordering::SeqCst);
            if let Some(jump) = environment.site(&environment.jump).filter(|_| down) {
                jump.switch.drop_connections();
            }
        }
    }

    /// Serves an environment's jump box to any SSH client, on loopback only: there is no authentication worth the
    /// name.
    ///
    /// # Errors
    /// `InvalidInput` for an address that is not loopback or an environment that is not there; what the system says
    /// when the port cannot be had.
    pub async fn listen(&self, environment: &EnvName, address: SocketAddr) -> io::Result<Listening> {
        let refuse = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why);
        if !address.ip().is_loopback() {
            return Err(refuse("a simulated fleet listens on loopback addresses only"));
        }
        let environment =
            self.environment(environment).cloned().ok_or_else(|| refuse("no such environment"))?;
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let key = environment.jump_key().ok_or_else(|| refuse("no jump box"))?;
        let known_hosts = format!("[{}]:{} {}", address.ip(), address.port(), key.0);
        let fingerprint = key.1;
        let accept = async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) if !environment.down.load(Ordering::SeqCst) => {
                        let _slower = stream.set_nodelay(true);
                        let jump = environment.jump.clone();
                        tokio::spawn(serve_jump(Arc::clone(&environment), jump, stream));
                    }
                    Ok(_) => {}
                    // Out of descriptors, or a client that has gone: the next one may do better.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        let task = tokio::spawn(accept).abort_handle();
        Ok(Listening { address, known_hosts, fingerprint, task })
    }

    fn environment(&self, name: &EnvName) -> Option<&Arc<Environment>> {
        self.environments.iter().find(|environment| environment.name == *name)
    }

    /// The environment that has something at this public address and port.
    pub(crate) fn public(&self, address: &str, port: u16) -> Option<(&Arc<Environment>, PublicPort)> {
        self.environments.iter().find_map(|env| env.public_port(address, port).map(|open| (env, open)))
    }

    /// What the resolver of the world outside answers to a question: every environment's public names, and no other.
    pub(crate) fn resolve(&self, question: &[u8]) -> Option<Vec<u8>> {
        dns::server::answer(question, |name, kind| {
            let known = self.environments.iter().find_map(|env| env.lock().public_reply(name, kind));
            Some(known.unwrap_or_else(ZoneReply::no_such_name))
        })
    }

    /// The environment, and which of its jump boxes, that is reached at this address.
    pub(crate) fn at(&self, address: &str) -> Option<(&Arc<Environment>, &HostName)> {
        self.environments.iter().find_map(|environment| {
            let jump = (environment.public_address == address).then_some(&environment.jump);
            let second = environment.second.as_ref().filter(|(_, at)| at == address).map(|(name, _)| name);
            Some((environment, jump.or(second)?))
        })
    }
}

/// Serves one connection to one of an environment's jump boxes.
pub(crate) async fn serve_jump(environment: Arc<Environment>, jump: HostName, stream: impl Stream) {
    server::serve(environment, &jump, stream).await;
}

impl Environment {
    fn new(
        name: &EnvName,
        world: &SharedWorld,
        public_address: &str,
        second_address: Option<&str>,
    ) -> Option<Self> {
        let held = world.lock().unwrap_or_else(PoisonError::into_inner);
        let jump = held.jump()?.clone();
        let second = held.second_jump().cloned().zip(second_address.map(str::to_owned));
        let seed = held.seed();
        let site = |host: &HostName| Some(Site::new(seed, keys::label(&held, host)?, host, world));
        let sites = held
            .machines()
            .filter_map(|m| Some((m.name.clone(), Arc::new(site(&m.name)?))))
            .collect::<HashMap<_, _>>();
        Some(Self {
            name: name.clone(),
            world: Arc::clone(world),
            public_address: public_address.to_owned(),
            down: AtomicBool::new(false),
            banner: banner(&held, &jump),
            known_hosts: known_hosts(&held, &sites, &[Some((&jump, public_address)), second_place(&second)]),
            jump,
            second,
            sites: Mutex::new(sites),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine that a name or an inner address means.
    pub(crate) fn resolve(&self, name: &str) -> Option<HostName> {
        let jump = || (name == self.public_address).then(|| self.jump.clone());
        let second =
            || second_place(&self.second).filter(|(_, at)| *at == name).map(|(host, _)| host.clone());
        self.lock().resolve(name).or_else(jump).or_else(second)
    }

    /// A machine's server; made when it is first asked for, as machines may be added.
    pub(crate) fn site(&self, host: &HostName) -> Option<Arc<Site>> {
        let (seed, label) = {
            let world = self.lock();
            (world.seed(), keys::label(&world, host)?)
        };
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = sites.get(host).filter(|site| site.label == label) {
            return Some(Arc::clone(site));
        }
        let made = Arc::new(Site::new(seed, label, host, &self.world));
        sites.insert(host.clone(), Arc::clone(&made));
        Some(made)
    }

    /// What takes connections at a public name or address of the environment.
    pub(crate) fn public_port(&self, address: &str, port: u16) -> Option<PublicPort> {
        self.lock().public_port(address, port)
    }

    pub(crate) async fn serve_public(&self, port: PublicPort, stream: impl Stream) {
        public::serve(Arc::clone(&self.world), port, stream).await;
    }

    /// What is told when that machine loses power; `None` when it has none now.
    pub(crate) fn power_cut(&self, host: &HostName) -> Option<Arc<Notify>> {
        let world = self.lock();
        world.power_cut(host).filter(|_| world.is_up(host))
    }

    pub(crate) fn banner(&self) -> &str {
        &self.banner
    }

    /// Whether that machine's SSH server takes connections.
    pub(crate) fn listens(&self, host: &HostName) -> bool {
        self.lock().is_up(host)
            && self.site(host).is_some_and(|site| site.switch.fault() != Some(Fault::Refuse))
    }

    /// Whether this one of the jump boxes takes connections from outside.
    pub(crate) fn is_up(&self, jump: &HostName) -> bool {
        let down = *jump == self.jump && self.down.load(Ordering::SeqCst);
        !down && self.listens(jump)
    }

    fn jump_key(&self) -> Option<(String, String)> {
        let site = self.site(&self.jump)?;
        let key = site.key.public_key();
        Some((key.to_openssh().ok()?, key.fingerprint(HashAlg::Sha256).to_string()))
    }
}

/// The second jump box and its address.
fn second_place(second: &Option<(HostName, String)>) -> Option<(&HostName, &str)> {
    second.as_ref().map(|(name, address)| (name, address.as_str()))
}

/// The text of a `known_hosts` file.
fn known_hosts(
    world: &World,
    sites: &HashMap<HostName, Arc<Site>>,
    public: &[Option<(&HostName, &str)>],
) -> String {
    let mut text = String::new();
    for machine in world.machines() {
        let Some(site) = sites.get(&machine.name) else { continue };
        let Ok(key) = site.key.public_key().to_openssh() else { continue };
        let mut names = vec![machine.name.to_string(), machine.address.clone()];
        let full = world.fqdn(&machine.name);
        names.extend((full != machine.name.as_str()).then_some(full));
        for (_, address) in public.iter().flatten().filter(|(jump, _)| **jump == machine.name) {
            if !names.iter().any(|name| name == address) {
                names.push((*address).to_owned());
            }
        }
        text.push_str(&format!("{} {key}\n", names.join(",")));
    }
    text
}

/// The fingerprint of a machine's SSH host key, `SHA256:…`: what `ssh-keygen -lf` and its console log say.
#[must_use]
pub fn host_key_fingerprint(world: &World, host: &HostName) -> Option<String> {
    Some(keys::host(world, host)?.public_key().fingerprint(HashAlg::Sha256).to_string())
}

/// A machine's SSH host key as one line: `ssh-ed25519 AAAA…`.
#[must_use]
pub fn host_key_line(world: &World, host: &HostName) -> Option<String> {
    keys::host(world, host)?.public_key().to_openssh().ok()
}

impl Site {
    fn new(seed: u64, label: String, host: &HostName, world: &SharedWorld) -> Self {
        Self {
            machine: Machine::new(host.clone(), Arc::clone(world)),
            switch: Arc::default(),
            key: keys::key(seed, &label),
            other_key: keys::key(seed, &format!("{label}/changed")),
            label,
        }
    }

    /// The server's settings for a new connection.
    pub(crate) fn config(&self) -> Arc<Config> {
        let changed = self.switch.fault() == Some(Fault::ChangedKey);
        Arc::new(Config {
            server_id: SshId::Standard("SSH-2.0-jumpdeck_simulated".into()),
            keys: vec![if changed { self.other_key.clone() } else { self.key.clone() }],
            auth_rejection_time: Duration::from_millis(1),
            inactivity_timeout: None,
            window_size: WINDOW,
            maximum_packet_size: WINDOW / 2,
            channel_buffer_size: 32,
            event_buffer_size: 8,
            nodelay: true,
            ..Config::default()
        })
    }
}

/// What the jump box shows before the login: where one is, in letters nobody overlooks.
fn banner(world: &World, jump: &HostName) -> String {
    let full = world.fqdn(jump);
    let level = world.level().to_uppercase();
    let bar = "=".repeat(62);
    format!(
        "{bar}\n       _                     _           _\n      (_)_   _ _ __ ___  _ __| |__   _____  __\n      | | | | | '_ ` _ \\| '_ \\ '_ \\ / _ \\ \\/ /\n      | | |_| | | | | | | |_) | |_) | (_) >  <\n     _/ |\\__,_|_| |_| |_| .__/|_.__/ \\___/_/\\_\\\n    |__/                |_|\n\n      {full}   level: {level}   SIMULATED\n{bar}\n"
    )
}

//! The Redis servers: keys, lists, who follows whom.

pub mod programs;

use std::collections::BTreeMap;

use crate::posix::machine::{Machine, count};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// A Redis server.
#[derive(Debug, Clone, Default)]
pub struct Redis {
    /// Keys that nobody names: sessions.
    pub sessions: u64,
    /// Strings.
    pub strings: BTreeMap<String, String>,
    /// Lists.
    pub lists: BTreeMap<String, Vec<String>>,
    /// The master's address and port, when it follows one.
    pub master: Option<(String, u16)>,
    /// Since when it follows, seconds since the world's start.
    pub since: f64,
    /// Whether it holds what its master has.
    pub synced: bool,
    /// Until when its clients' writes wait.
    pub paused_until: f64,
    /// How far its data have come.
    pub offset: u64,
    /// Keys it dropped for want of memory.
    pub evicted: u64,
    /// Its last save failed.
    pub save_failed: bool,
    /// It answers nobody who gives no password.
    pub wants_password: bool,
}

/// The servers by machine.
pub(crate) type Servers = BTreeMap<HostName, Redis>;

/// Seconds a full copy takes.
const COPY: f64 = 2.0;
/// Bytes of replication stream a second, of a server in use.
const STREAM: f64 = 640.0;

impl Redis {
    fn new(machine: &Machine) -> Self {
        let of = |role: &str| machine.roles().iter().any(|own| own.as_str() == role);
        let mut server = Self { offset: 1, ..Self::default() };
        if of("sessions") {
            server.sessions = 3000 + machine.number(0x4ed) % 4000;
        } else {
            let waiting = 5 + machine.number(74) % 30;
            let list = (0..waiting).map(|number| format!("{{\"job\":{number}}}")).collect();
            server.lists.insert("jobs".to_owned(), list);
        }
        server
    }

    /// Bytes in use: its own, and some for each key.
    #[must_use]
    pub fn used_memory(&self) -> u64 {
        831_488 + 1_536 * self.keys()
    }

    /// How many keys it has.
    #[must_use]
    pub fn keys(&self) -> u64 {
        let named = self.strings.len() + self.lists.len();
        self.sessions + u64::try_from(named).unwrap_or(0)
    }
}

impl World {
    /// The Redis server of a machine, brought up to now; `None` when none runs there.
    pub fn redis(&mut self, host: &HostName) -> Option<&mut Redis> {
        if !self.is_up(host) || !self.service_runs(host, "redis-server") {
            return None;
        }
        let now = self.seconds();
        let offset = count(now * STREAM) + 1;
        let master = self.redis.entry(host.clone()).or_default().master.clone();
        let followed = master.and_then(|(address, _)| self.resolve(&address)).filter(|master| {
            master != host && self.is_up(master) && self.service_runs(master, "redis-server")
        });
        let source = followed.map(|master| self.redis.get(&master).cloned().unwrap_or_default());
        let server = self.redis.get_mut(host)?;
        match (&server.master, source) {
            (None, _) => server.offset = offset,
            (Some(_), Some(source)) if now >= server.since + COPY => {
                (server.sessions, server.strings, server.lists) =
                    (source.sessions, source.strings, source.lists);
                server.synced = true;
                server.offset = offset;
            }
            (Some(_), Some(_)) => {}
            (Some(_), None) => server.synced = false,
        }
        Some(server)
    }

    /// The Redis servers that follow the one on a machine: machine and address.
    #[must_use]
    pub fn redis_followers(&self, host: &HostName) -> Vec<(HostName, String)> {
        let follows = |server: &Redis| {
            server.master.as_ref().and_then(|(address, _)| self.resolve(address)).as_ref() == Some(host)
        };
        let found = self.redis.iter().filter(|(_, server)| follows(server));
        found.filter_map(|(name, _)| Some((name.clone(), self.machine(name)?.address.clone()))).collect()
    }

    /// Makes a server on every machine that has one.
    pub(crate) fn start_redis(&mut self) {
        let with = self.machines().filter(|m| self.services(&m.name).contains(&"redis-server"));
        self.redis = with.map(|m| (m.name.clone(), Redis::new(m))).collect();
    }
}

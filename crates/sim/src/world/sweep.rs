//! A sweep over every host of a world: who still names a database server, or is connected to it. What a
//! switchover leaves behind stands here, wherever it is.

use std::fmt;

use serde_json::Value;

use crate::apps::kinds::{KINDS, ZONE_NAME};
use jumpdeck_fleet::names::HostName;

use super::World;

/// Where a server is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `/etc/hosts` has its address for a name that is not its own.
    HostsFile,
    /// The pillar that the minion holds in memory has its address under this key.
    Pillar(String),
    /// The pillar files on the master have its address under this key.
    PillarFile(String),
    /// A configuration file names it, by its address or by a name that means it on that host.
    Configuration(String),
    /// A connection of this account to it is open.
    Connection(String),
    /// A replica's connection to its master names it.
    Replication,
    /// The internal zone, as the name server serves it, has its address for this name, which is not its own.
    Zone(String),
    /// The host's resolver says that this name of the zone means it.
    Resolver(String),
}

/// One mention of a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The host that names it.
    pub host: HostName,
    /// Where.
    pub place: Place,
}

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match &self.place {
            Place::HostsFile => write!(f, "{host}: /etc/hosts"),
            Place::Pillar(key) => write!(f, "{host}: pillar {key}"),
            Place::PillarFile(key) => write!(f, "{host}: pillar file, {key}"),
            Place::Configuration(file) => write!(f, "{host}: {file}"),
            Place::Connection(user) => write!(f, "{host}: connection of {user}"),
            Place::Replication => write!(f, "{host}: replication"),
            Place::Zone(name) => write!(f, "{host}: zone, {name}"),
            Place::Resolver(name) => write!(f, "{host}: resolver, {name}"),
        }
    }
}

impl World {
    /// Everybody who names a host as the database server, or is connected to its server, in the order of the hosts.
    pub fn mentions_of(&mut self, server: &HostName) -> Vec<Mention> {
        self.live();
        let Some(address) = self.machine(server).map(|m| m.address.clone()) else { return Vec::new() };
        let hosts: Vec<HostName> = self.machines().map(|m| m.name.clone()).collect();
        let mut found = Vec::new();
        for host in hosts {
            let places = self.places_on(&host, server, &address);
            found.extend(places.into_iter().map(|place| Mention { host: host.clone(), place }));
        }
        found
    }

    fn places_on(&self, host: &HostName, server: &HostName, address: &str) -> Vec<Place> {
        let mut places = Vec::new();
        let file = self.read_file(host, "/etc/hosts").unwrap_or_default();
        if String::from_utf8_lossy(&file).lines().any(|line| self.renames(line, server, address)) {
            places.push(Place::HostsFile);
        }
        let keys = |pillar: &Value| {
            let mut keys = Vec::new();
            keys_with(pillar, address, "", &mut keys);
            keys
        };
        places.extend(keys(self.pillar_of(host)).into_iter().map(Place::Pillar));
        if self.jump() == Some(host) {
            let files = self.rendered_pillar(self.level()).unwrap_or_default();
            places.extend(keys(&files).into_iter().map(Place::PillarFile));
            places.extend(self.zone_names(server, address).into_iter().map(Place::Zone));
        }
        let configured = KINDS.iter().filter_map(|kind| Some((kind, self.configured(host, kind)?)));
        for (kind, configured) in configured {
            if self.address_of(host, &configured.server).as_deref() == Some(address) {
                places.push(Place::Configuration(kind.file.to_owned()));
            }
        }
        places.extend(self.users_connected(host, server).into_iter().map(Place::Connection));
        let replicates =
            self.databases.server(host).is_some_and(|s| s.connections.iter().any(|c| c.host == address));
        if replicates {
            places.push(Place::Replication);
        }
        if self.zone_path().is_some() {
            let name = self.full_name(ZONE_NAME);
            if self.address_at(host, &name).as_deref() == Some(address) {
                places.push(Place::Resolver(name));
            }
        }
        places
    }

    /// Whether a line of a hosts file gives a server's address a name that is not its own.
    fn renames(&self, line: &str, server: &HostName, address: &str) -> bool {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        words.next() == Some(address) && words.any(|name| !self.is_own_name(server, name))
    }

    fn is_own_name(&self, server: &HostName, name: &str) -> bool {
        name == server.as_str() || name == self.fqdn(server)
    }

    fn zone_names(&self, server: &HostName, address: &str) -> Vec<String> {
        let renames =
            |record: &&crate::dns::Record| record.data == address && !self.is_own_name(server, &record.name);
        self.zone().iter().filter(renames).map(|record| record.name.clone()).collect()
    }

    /// The accounts that are connected from a host to a server, each once; replicas are not counted.
    fn users_connected(&self, host: &HostName, server: &HostName) -> Vec<String> {
        let Some(from) = self.machine(host).map(|m| m.address.as_str()) else { return Vec::new() };
        let sessions = self.databases.server(server).filter(|s| s.running).map(|s| s.sessions.iter());
        let comes = |shown: &str| shown.rsplit_once(':').map_or(shown, |(address, _)| address) == from;
        let mut users: Vec<String> =
            sessions.into_iter().flatten().filter(|s| comes(&s.host)).map(|s| s.user.clone()).collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

/// The keys of a pillar whose value is an address.
fn keys_with(value: &Value, address: &str, key: &str, found: &mut Vec<String>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}:{name}") };
    match value {
        Value::String(text) if text == address => found.push(key.to_owned()),
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| keys_with(value, address, &below(name), found))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(number, value)| keys_with(value, address, &below(&number.to_string()), found)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

//! The Elasticsearch cluster of an environment: its nodes, indices, where each copy of a shard is, and its
//! snapshots. Copies move and recover in the world's time; a node that stops leaves copies behind that nobody
//! serves until they are started elsewhere or it is back.

use std::collections::BTreeMap;

use crate::posix::machine::Machine;
use crate::world::World;
use crate::world::noise::{draw, key, unit};
use crate::world::spec::EnvironmentSpec;
use jumpdeck_fleet::names::HostName;

mod allocation;
pub(crate) mod api;
mod indices;
mod snapshots;
#[cfg(test)]
mod tests;

pub use indices::{Copy, Health, Index, Place, Status};
pub use snapshots::{Outcome, Refusal, Repository, Restore, Snapshot};

/// Seconds a node takes from its start until it is in the cluster and answers (the Java machine, joining).
const STARTING: f64 = 6.0;
/// Indices of the fleet's search and annotations: name, primaries, documents, MB a shard.
static INDICES: &[(&str, u32, u64, u64)] = &[
    ("annotator", 5, 18_412, 3),
    ("wpwiki_content_first", 4, 21_877, 96),
    ("wpwiki_general_first", 4, 88_203, 141),
];

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    /// The machine it runs on.
    pub host: HostName,
    /// What it calls itself.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its address.
    pub address: String,
    /// Whether its service is started.
    pub started: bool,
    /// Since when, seconds since the world's start.
    since: f64,
    member: bool,
}

/// The cluster.
#[derive(Debug, Default)]
pub struct Elastic {
    /// Its name.
    pub name: String,
    nodes: Vec<Node>,
    indices: Vec<Index>,
    repositories: BTreeMap<String, Repository>,
    /// Transient settings by their full names.
    transient: BTreeMap<String, String>,
    /// Persistent settings by their full names.
    persistent: BTreeMap<String, String>,
    settled: f64,
    key: u64,
    shards_stay: bool,
    next_snapshot_fails: bool,
}

/// Since when each node's machine is up; `None` while it is not.
type Power = Vec<Option<f64>>;

impl Elastic {
    pub(crate) fn new(env: &EnvironmentSpec, machines: &[&Machine], seed: u64, epoch: f64) -> Self {
        let mut cluster = Self {
            name: format!("webplatform-{}", env.level),
            key: key(seed, &format!("{}/elastic", env.name)),
            ..Self::default()
        };
        for machine in machines.iter().filter(|m| m.roles().iter().any(|role| role.as_str() == "elastic")) {
            let node = cluster.node_of(machine, -STARTING);
            cluster.nodes.push(Node { started: true, member: true, ..node });
        }
        if cluster.nodes.is_empty() {
            return cluster;
        }
        let replicas = u32::from(cluster.nodes.len() > 1);
        for (name, shards, documents, megabytes) in INDICES {
            let mut index =
                Index::new(name, *shards, documents + draw(cluster.key, *documents) % 900, *megabytes);
            index.set_replicas(replicas);
            cluster.indices.push(index);
        }
        cluster.place_all();
        cluster.old_snapshots(machines, epoch);
        cluster
    }

    fn node_of(&self, machine: &Machine, since: f64) -> Node {
        let id = format!("{:016x}", draw(machine.number(0xe1a5), self.key));
        Node {
            host: machine.name.clone(),
            name: machine.hostname.to_string(),
            id,
            address: machine.address.clone(),
            started: false,
            since,
            member: false,
        }
    }

    /// Everything started at once: how the world begins.
    fn place_all(&mut self) {
        let count = self.nodes.len();
        for index in &mut self.indices {
            for copy in &mut index.copies {
                let shard = usize::try_from(copy.shard).unwrap_or(0);
                copy.place = Place::Started { node: (shard + usize::from(!copy.primary)) % count.max(1) };
            }
        }
    }

    /// The nodes in the cluster; the first is the master.
    pub fn members(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.member)
    }

    /// The node on a machine, when it is in the cluster: only then it answers.
    #[must_use]
    pub fn member(&self, host: &HostName) -> Option<&Node> {
        self.members().find(|node| node.host == *host)
    }

    /// A node by its number.
    #[must_use]
    pub fn node(&self, number: usize) -> Option<&Node> {
        self.nodes.get(number)
    }

    /// The indices, by name.
    #[must_use]
    pub fn indices(&self) -> &[Index] {
        &self.indices
    }

    /// Settings by their full names: transient, persistent.
    #[must_use]
    pub fn settings(&self) -> [&BTreeMap<String, String>; 2] {
        [&self.transient, &self.persistent]
    }

    /// Sets a setting, or with an empty value forgets it.
    ///
    /// # Errors
    /// When there is no such setting, or it has no such value.
    pub fn set(&mut self, transient: bool, name: &str, value: &str) -> Result<(), String> {
        const ENABLE: &str = "cluster.routing.allocation.enable";
        let known = name == ENABLE
            || ["_ip", "_name", "_host"]
                .iter()
                .any(|what| name == format!("cluster.routing.allocation.exclude.{what}"))
            || name.starts_with("indices.recovery.")
            || name.starts_with("cluster.routing.allocation.");
        if !known {
            return Err(format!("transient setting [{name}], not dynamically updateable"));
        }
        if name == ENABLE && !["", "all", "primaries", "new_primaries", "none"].contains(&value) {
            return Err(format!("Illegal allocation.enable value [{}]", value.to_uppercase()));
        }
        let settings = if transient { &mut self.transient } else { &mut self.persistent };
        if value.is_empty() {
            settings.remove(name);
        } else {
            settings.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// A setting that holds: the transient one, else the persistent one.
    fn setting(&self, name: &str) -> Option<&str> {
        self.transient.get(name).or_else(|| self.persistent.get(name)).map(String::as_str)
    }

    /// Fault: copies stay on nodes that are excluded from allocation.
    pub fn shards_never_leave(&mut self, stay: bool) {
        self.shards_stay = stay;
    }

    /// Fault: the next snapshot fails.
    pub fn next_snapshot_fails(&mut self) {
        self.next_snapshot_fails = true;
    }

    /// A number of its own.
    fn chance(&self, which: u64) -> f64 {
        unit(self.key, which)
    }
}

impl World {
    /// The Elasticsearch cluster, brought up to now.
    pub fn elastic(&mut self) -> &mut Elastic {
        let now = self.seconds();
        let power: Power = self
            .elastic
            .nodes
            .iter()
            .map(|node| {
                let machine = self.machines.get(&node.host).filter(|m| m.powered)?;
                // What never booted in this world's time runs since long before it.
                let up = if machine.boots_until > 0.0 { machine.boots_until } else { f64::NEG_INFINITY };
                (up <= now).then_some(up)
            })
            .collect();
        self.elastic.settle(now, &power);
        &mut self.elastic
    }

    /// Starts the node on a machine: one that was stopped, or a new one that joins. Starting one that runs does
    /// nothing. False when there is no such machine.
    pub fn start_elastic(&mut self, host: &HostName) -> bool {
        let now = self.seconds();
        self.elastic();
        let Some(machine) = self.machines.get(host) else { return false };
        let fresh = self.elastic.node_of(machine, now);
        match self.elastic.nodes.iter_mut().find(|node| node.host == *host) {
            Some(node) if node.started => {}
            Some(node) => (node.started, node.since) = (true, now),
            None => self.elastic.nodes.push(Node { started: true, ..fresh }),
        }
        true
    }

    /// Stops the node on a machine; false when there is none.
    pub fn stop_elastic(&mut self, host: &HostName) -> bool {
        self.elastic();
        let found = self.elastic.nodes.iter_mut().find(|node| node.host == *host);
        let stopped = found.map(|node| node.started = false).is_some();
        self.elastic();
        stopped
    }

    /// Whether a node's process runs on a machine.
    #[must_use]
    pub fn elastic_runs(&self, host: &HostName) -> bool {
        self.is_up(host) && self.elastic.nodes.iter().any(|node| node.host == *host && node.started)
    }
}

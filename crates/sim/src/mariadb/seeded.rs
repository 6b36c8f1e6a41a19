//! A server that is made of a copy of another's data, as `mariabackup` makes one.

use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::Databases;

impl Databases {
    /// Gives a host a server that is a copy of another's, read-only and with a server id of its own.
    fn copy(&mut self, from: &HostName, host: &HostName, (name, address): (&str, &str)) -> bool {
        let Some(mut copy) = self.server(from).cloned() else { return false };
        copy.server_id = self.servers.iter().map(|server| server.server_id).max().unwrap_or(0) + 1;
        (copy.name, copy.address) = (name.to_owned(), address.to_owned());
        (copy.read_only, copy.running, copy.lost_power) = (true, true, false);
        (copy.sessions, copy.faults) = Default::default();
        copy.outside_replicas.clear();
        self.hosts.insert(host.clone(), self.servers.len());
        self.servers.push(copy);
        true
    }
}

impl World {
    /// Seeds a new machine's database server with a copy of another's, which may be off by now; false when that has none. Its
    /// replication is as the other's was.
    pub fn seed_replica(&mut self, host: &HostName, from: &HostName) -> bool {
        self.databases();
        let Some(machine) = self.machine(host) else { return false };
        let (name, address) = (machine.hostname.to_string(), machine.address.clone());
        self.databases.copy(from, host, (&name, &address))
    }
}

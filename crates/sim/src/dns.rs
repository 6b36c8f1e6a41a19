//! Names: what `/etc/hosts` tells, and what gdnsd on the jump box tells of the internal zone. Each host keeps
//! an answer for as long as its TTL says (nscd).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::apps::kinds::{MASTERDB, ZONE_NAME};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

pub mod programs;
pub(crate) mod server;
mod zone;

use zone::Zone;

/// Seconds that an answer about the database server is kept.
const SHORT: u32 = 60;
/// Seconds that any other answer is kept.
const LONG: u32 = 3600;
/// The name server, as a service.
pub(crate) const GDNSD: &str = "gdnsd";
/// Its configuration.
const CONFIG: &str = "/etc/gdnsd/config";

/// A record of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The full name, without the dot at its end.
    pub name: String,
    /// Seconds that it may be kept.
    pub ttl: u32,
    /// `A` or `CNAME`.
    pub kind: String,
    /// The address, or the full name that it stands for.
    pub data: String,
}

/// The name server's zone, and the hosts' caches.
#[derive(Debug, Default)]
pub(crate) struct Dns {
    /// The zone as the server read it last.
    served: Zone,
    /// The addresses that it listens at; `None`: every one of its machine.
    listens: Option<Vec<String>>,
    /// Address and when it is forgotten, by host and name.
    kept: RefCell<BTreeMap<(HostName, String), (String, f64)>>,
}

impl Dns {
    /// The name server's machine is gone.
    pub(crate) fn forget(&mut self, host: &HostName) {
        self.served = Zone::default();
        self.listens = None;
        self.kept.borrow_mut().retain(|(owner, _), _| owner != host);
    }
}

impl World {
    /// The internal zone's file on the jump box; `None` where no name server runs.
    #[must_use]
    pub fn zone_path(&self) -> Option<String> {
        let jump = self.jump()?;
        self.service_named(jump, GDNSD)?;
        Some(format!("/etc/gdnsd/zones/{}", self.domain()?))
    }

    /// The internal zone with that address for the database server that takes writes, and that serial number.
    pub(crate) fn zone_text(&self, masterdb: &str, serial: &str) -> String {
        let domain = self.domain().unwrap_or_default();
        let jump = self.jump().map(ToString::to_string).unwrap_or_default();
        let mut text = format!(
            "; Managed by Salt\n$ORIGIN {domain}.\n$TTL {LONG}\n@ IN SOA {jump} hostmaster ( {serial} 7200 1800 1209600 300 )\n\
             @ IN NS {jump}\n"
        );
        // A machine that was built beside another of its name is in it when the other is gone; of the jump box the one that is it.
        let older = |name: &HostName| self.machines().any(|m| !m.added && m.hostname == *name);
        let jump_name = self.jump().and_then(|jump| self.machine(jump)).map(|m| (&m.name, &m.hostname));
        let named = |m: &&crate::posix::machine::Machine| match jump_name {
            Some((jump, name)) if m.hostname == *name => m.name == *jump,
            _ => !m.added || !older(&m.hostname),
        };
        for machine in self.machines().filter(named) {
            text.push_str(&format!("{} IN A {}\n", machine.hostname, machine.address));
        }
        text.push_str(&format!(
            "{MASTERDB} {SHORT} IN A {masterdb}\n{ZONE_NAME} {SHORT} IN CNAME {MASTERDB}\n"
        ));
        text
    }

    /// The zone file, as the name server reads it: nothing is served without one.
    fn read_zone(&self) -> Result<Zone, String> {
        let Some((path, jump)) = self.zone_path().zip(self.jump()) else { return Ok(Zone::default()) };
        let Some(text) = self.read_file(jump, &path) else { return Ok(Zone::default()) };
        zone::read(&path, &String::from_utf8_lossy(&text), LONG)
    }

    /// What keeps the name server from starting with its zone, in its own words.
    pub(crate) fn zone_problem(&self) -> Option<String> {
        self.read_zone().err()
    }

    /// The name server reads its configuration and its zone: it was started, or reloaded. False when it refuses them: it goes on with
    /// those that it has.
    pub(crate) fn load_zone(&mut self) -> bool {
        let Ok(zone) = self.read_zone() else { return false };
        self.dns.served = zone;
        let config = self.jump().and_then(|jump| self.read_file(jump, CONFIG));
        self.dns.listens = config.and_then(|text| zone::listens(&String::from_utf8_lossy(&text)));
        true
    }

    /// Whether the name server listens at an address of its machine. It may well be told to listen at one that is not there.
    pub(crate) fn name_server_listens(&self, address: &str) -> bool {
        let own = address == "127.0.0.1" || Some(address) == self.jump_address();
        own && self.dns.listens.as_ref().is_none_or(|told| told.iter().any(|one| one == address))
    }

    /// Writes configuration and zone of the world's start, and lets the name server read them.
    pub(crate) fn start_dns(&mut self) {
        let Some((path, jump)) = self.zone_path().zip(self.jump().cloned()) else { return };
        let masterdb = self.salt.initial_masterdb.clone();
        let serial = self.pillar_of(&jump).pointer("/infra/gdnsd_timestamp").cloned();
        let text = self
            .zone_text(masterdb.as_deref().unwrap_or("127.0.0.1"), &serial.unwrap_or_default().to_string());
        self.write_file(&jump, &path, text.into_bytes());
        let address = self.jump_address().unwrap_or("127.0.0.1");
        let config = format!("options => {{\n  listen => [ {address}, 127.0.0.1 ]\n}}\n");
        self.write_file(&jump, CONFIG, config.into_bytes());
        self.load_zone();
    }

    /// Whether a host asks the environment's name server: by the address that its `/etc/resolv.conf` has.
    #[must_use]
    pub fn asks_name_server(&self, host: &HostName) -> bool {
        let Some(jump) = self.jump().and_then(|jump| self.machine(jump)) else { return false };
        let file = self.read_file(host, "/etc/resolv.conf").unwrap_or_default();
        let text = String::from_utf8_lossy(&file).into_owned();
        let mut servers =
            text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")).map(str::trim);
        servers.any(|server| {
            (server == jump.address || server == "127.0.0.1" && *host == jump.name)
                && self.name_server_listens(server)
        })
    }

    /// What the name server answers to a question for a full name: aliases first, then the address. `None`: it does not
    /// answer.
    #[must_use]
    pub fn zone_answer(&self, name: &str) -> Option<Vec<Record>> {
        if !self.name_server_runs() {
            return None;
        }
        let mut found: Vec<Record> = Vec::new();
        let mut wanted = name.trim_end_matches('.').to_ascii_lowercase();
        while let Some(record) = self.zone().iter().find(|record| record.name == wanted) {
            if found.contains(record) {
                break;
            }
            found.push(record.clone());
            wanted.clone_from(&record.data);
        }
        Some(found)
    }

    /// The records of the zone that the name server serves.
    #[must_use]
    pub fn zone(&self) -> &[Record] {
        &self.dns.served.records
    }

    fn name_server_runs(&self) -> bool {
        self.jump().is_some_and(|jump| self.is_up(jump) && self.service_runs(jump, GDNSD))
    }

    /// The SOA that the name server answers for the internal zone, empty for another one. `None`: it does not answer.
    #[must_use]
    pub(crate) fn zone_soa(&self, name: &str) -> Option<&str> {
        let ours = Some(name.trim_end_matches('.')) == self.domain();
        self.name_server_runs().then_some(if ours { self.dns.served.soa.as_str() } else { "" })
    }

    /// The full name that a host's resolver asks for.
    #[must_use]
    pub fn full_name(&self, name: &str) -> String {
        match self.domain() {
            Some(domain) if !name.contains('.') => format!("{name}.{domain}"),
            _ => name.trim_end_matches('.').to_owned(),
        }
    }

    /// `/etc/hosts` with these addresses for the database that takes writes and for the Salt master.
    pub(crate) fn hosts_with(&self, host: &HostName, masterdb: Option<&str>, salt: Option<&str>) -> String {
        let name = self.minion_id(host);
        let mut text = format!("127.0.0.1 localhost\n127.0.1.1 {} {name}\n", self.fqdn(host));
        for (name, address) in [("masterdb", masterdb), ("salt", salt)] {
            let full = self.domain().map(|domain| format!("{name}.{domain} ")).unwrap_or_default();
            text.extend(address.map(|address| format!("{address} {full}{name}\n")));
        }
        text
    }

    /// The address that `/etc/hosts` of a host has for a name, and all names of its line.
    #[must_use]
    pub fn in_hosts_file(&self, host: &HostName, name: &str) -> Option<(String, Vec<String>)> {
        let file = self.read_file(host, "/etc/hosts").unwrap_or_default();
        let text = String::from_utf8_lossy(&file).into_owned();
        text.lines().find_map(|line| {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace().map(str::to_owned);
            let address = words.next()?;
            let names: Vec<String> = words.collect();
            names.iter().any(|word| word.eq_ignore_ascii_case(name)).then_some((address, names))
        })
    }

    /// The address that a name means on a host, as its programs find it: its hosts file first, then an answer that is kept,
    /// then the name server.
    #[must_use]
    pub fn address_at(&self, host: &HostName, name: &str) -> Option<String> {
        if name.parse::<IpAddr>().is_ok() {
            return Some(name.to_owned());
        }
        if let Some((address, _)) = self.in_hosts_file(host, name) {
            return Some(address);
        }
        let now = self.seconds();
        let full = self.full_name(name);
        let key = (host.clone(), full.clone());
        if let Some((address, until)) = self.dns.kept.borrow().get(&key)
            && *until > now
        {
            return Some(address.clone());
        }
        let answer = self.zone_answer(&full).filter(|_| self.asks_name_server(host))?;
        let address = answer.last().filter(|record| record.kind == "A")?.data.clone();
        let ttl = answer.iter().map(|record| record.ttl).min().unwrap_or(0);
        self.dns.kept.borrow_mut().insert(key, (address.clone(), now + f64::from(ttl)));
        Some(address)
    }

    /// A host forgets the answers that it keeps (`nscd -i hosts`).
    pub fn forget_names(&mut self, host: &HostName) {
        self.live();
        self.dns.kept.borrow_mut().retain(|(owner, _), _| owner != host);
    }

    /// The address that a name means on a host; names of machines that the zone does not have are found, too.
    pub(crate) fn address_of(&self, host: &HostName, name: &str) -> Option<String> {
        let own = || self.machine(&self.resolve(name)?).map(|m| m.address.clone());
        self.address_at(host, name).or_else(own)
    }
}

//! Salt: the master on the jump box, its keys, pillars, states and jobs, and a minion on every machine. As
//! Salt of 2014 and 2015 does it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::World;
use crate::world::noise::{draw, key};
use jumpdeck_fleet::names::HostName;

pub mod grains;
pub mod jobs;
pub mod keys;
pub mod lost;
pub mod pillar;
pub(crate) mod programs;
pub mod states;
pub mod target;

use jobs::Job;
use keys::Keys;

/// What can be wrong with a machine's minion.
#[derive(Debug, Clone, PartialEq)]
pub enum MinionFault {
    /// It takes jobs and never returns.
    NoReturn,
    /// It takes so many times as long.
    Slow(f64),
    /// The state of that id, or of any id with that in its name, fails.
    StateFails(String),
    /// Its states say `True` and leave the files as they were.
    SaysDone,
    /// Its pillar cannot be rendered.
    PillarBroken,
}

/// Everything Salt of one environment.
#[derive(Debug, Default)]
pub struct Salt {
    pub(crate) keys: Keys,
    /// What a minion holds in memory; a minion that is not in here holds what was there at the world's start.
    pub(crate) pillars: BTreeMap<HostName, Value>,
    initial_pillar: Value,
    /// The address that `db.ini` and `/etc/hosts` tell before a state was applied.
    pub(crate) initial_masterdb: Option<String>,
    /// Oldest first.
    pub(crate) jobs: Vec<Job>,
    /// Functions that `state.disable` switched off, by machine.
    pub(crate) disabled: BTreeMap<HostName, Vec<String>>,
    /// Machines a highstate has been through.
    pub(crate) settled: Vec<HostName>,
    faults: BTreeMap<HostName, MinionFault>,
    /// What each minion has found since it was started last.
    met: BTreeMap<HostName, lost::Met>,
    /// Whether the master's keys are what its disk holds when it is started next: the box is a new one.
    keys_on_disk: bool,
    /// Whether it was taken off every machine.
    removed: bool,
    next_pid: u32,
}

impl World {
    /// Salt's side of the world, keys and jobs brought up to now.
    pub fn salt(&mut self) -> &mut Salt {
        self.salt_until_now();
        &mut self.salt
    }

    /// Brings keys and jobs up to now: minions that have shown up, states that are through.
    pub(crate) fn salt_until_now(&mut self) {
        self.minions_connect();
        self.jobs_end();
    }

    /// Sets Salt up at the world's start: states and pillars on the jump box, a key for every machine.
    pub(crate) fn start_salt(&mut self) {
        let Some(jump) = self.jump().cloned() else { return };
        let master = self.databases.servers().find(|s| !s.is_outside() && s.connections.is_empty());
        self.salt.initial_masterdb = master.map(|s| s.address.clone());
        self.seed_pillar(&jump);
        states::seed(self, &jump);
        let user_data = format!("#cloud-config\nsalt_minion:\n  grains:\n    level: {}\n", self.level());
        self.write_file(&jump, "/srv/opsconfigs/userdata.txt", user_data.into_bytes());
        self.make_repository(&jump, "/srv/salt", "renoirb <renoirb@webplatform.org>", "States of the fleet");
        self.make_repository(
            &jump,
            "/srv/pillar",
            "renoirb <renoirb@webplatform.org>",
            "Addresses of the level",
        );
        self.salt.initial_pillar = self.rendered_pillar(self.level()).unwrap_or(Value::Null);
        let minions: Vec<(String, String)> = self
            .machines()
            .filter_map(|m| Some((m.hostname.to_string(), self.minion_fingerprint(&m.name)?)))
            .collect();
        self.salt.keys.accepted.extend(minions);
        self.write_master_key(&jump, 0);
        let config = format!(
            "interface: {}\nfile_roots:\n  base:\n    - /srv/salt\npillar_roots:\n  base:\n    - /srv/pillar\n    - \
             /srv/private/pillar\n",
            self.jump_address().unwrap_or("0.0.0.0")
        );
        self.write_file(&jump, lost::MASTER_CONFIG, config.into_bytes());
        self.salt.next_pid = 9000;
    }

    /// Whether there is Salt in this environment.
    #[must_use]
    pub fn has_salt(&self) -> bool {
        !self.salt.removed
    }

    /// Takes Salt off every machine: master, minions, states and pillars. What it had rendered stays as it is.
    pub fn remove_salt(&mut self) {
        let hosts: Vec<HostName> = self.machines().map(|m| m.name.clone()).collect();
        for host in &hosts {
            for path in ["/etc/hosts", "/etc/webplatform/db.ini", "/etc/webplatform/db.password"] {
                self.keep_file(host, path);
            }
            for folder in ["/etc/salt", "/srv/salt", "/srv/pillar", "/srv/private", "/srv/opsconfigs"] {
                self.take_below(host, folder);
            }
            for path in ["/etc/salt/minion_id", "/etc/salt/grains"] {
                self.remove_file(host, path);
            }
        }
        self.salt.keys = Keys::default();
        self.salt.pillars.clear();
        self.salt.initial_pillar = Value::Null;
        self.salt.removed = true;
    }

    /// The fingerprint of a machine's minion key, as `salt-key -f` and the machine's console tell it. MD5 on the old
    /// systems, SHA-256 on those whose Salt is younger than 2017.
    #[must_use]
    pub fn minion_fingerprint(&self, host: &HostName) -> Option<String> {
        let machine = self.machine(host)?;
        // A machine that was built without its user data has no minion.
        self.read_file(host, "/etc/salt/minion_id")?;
        let base = key(self.seed(), &format!("minion/{}", machine.machine_id));
        let words = if machine.os.has_systemd() { 4 } else { 2 };
        let bytes: Vec<u8> = (0..words).flat_map(|number| draw(base, number).to_be_bytes()).collect();
        Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
    }

    /// The fingerprint of the master's own public key.
    #[must_use]
    pub fn master_fingerprint(&self) -> Option<String> {
        let key = lost::digits(&self.read_file(self.jump()?, lost::MASTER_PUBLIC)?);
        let pairs = key.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
        Some(pairs.collect::<Vec<_>>().join(":"))
    }

    /// Whether the master accepted the key that this machine's minion has, running or not.
    #[must_use]
    pub fn is_accepted_minion(&self, host: &HostName) -> bool {
        let accepted = self.machine(host).and_then(|m| self.salt.keys.accepted.get(m.hostname.as_str()));
        accepted.is_some() && self.minion_fingerprint(host).as_ref() == accepted
    }

    /// The machine whose minion answers to an id: it is up, its minion runs, has found the master and knows its key, and its own key is
    /// the accepted one.
    #[must_use]
    pub fn minion(&self, id: &str) -> Option<HostName> {
        let accepted = self.salt.keys.accepted.get(id)?;
        let mine = |host: &HostName| self.minion_fingerprint(host).as_ref() == Some(accepted);
        let found = self.machines().find(|m| m.hostname.as_str() == id && mine(&m.name))?;
        let runs = self.is_up(&found.name) && self.service_runs(&found.name, "salt-minion");
        (runs && self.finds_master(&found.name) && self.trusts_master(&found.name))
            .then(|| found.name.clone())
    }

    /// Makes something go wrong with a machine's minion, or right again.
    pub fn set_minion_fault(&mut self, host: &HostName, fault: Option<MinionFault>) {
        match fault {
            Some(fault) => self.salt.faults.insert(host.clone(), fault),
            None => self.salt.faults.remove(host),
        };
    }

    pub(crate) fn minion_fault(&self, host: &HostName) -> Option<&MinionFault> {
        self.salt.faults.get(host)
    }

    /// How many times as long as usual a minion takes.
    pub(crate) fn minion_pace(&self, host: &HostName) -> f64 {
        match self.minion_fault(host) {
            Some(MinionFault::Slow(times)) => *times,
            _ => 1.0,
        }
    }

    /// Seconds a minion needs to answer anything: a new machine is busy with upgrades for its first minutes.
    pub(crate) fn minion_latency(&self, host: &HostName) -> f64 {
        let busy = self.machine(host).is_some_and(|m| m.added)
            && !self.salt.settled.contains(host)
            && self.uptime(host).is_some_and(|up| up < 90.0);
        let usual = 0.04 + 0.05 * crate::world::noise::unit(key(self.seed(), host.as_str()), 17);
        self.minion_pace(host) * if busy { 4.0 } else { usual }
    }
}

impl Salt {
    /// The master's list of keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn new_pid(&mut self) -> u32 {
        self.next_pid += 1;
        self.next_pid
    }
}

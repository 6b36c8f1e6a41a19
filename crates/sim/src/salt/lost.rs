//! A Salt master that is lost with its machine, and the one that is built in its place: whom minions find,
//! and whose key they believe.

use std::collections::BTreeMap;

use crate::world::World;
use crate::world::noise::{draw, key};
use jumpdeck_fleet::names::HostName;

use super::keys::Keys;

/// The master's key pair, as its disk holds it.
pub(crate) const MASTER_PRIVATE: &str = "/etc/salt/pki/master/master.pem";
pub(crate) const MASTER_PUBLIC: &str = "/etc/salt/pki/master/master.pub";
/// Its configuration.
pub(crate) const MASTER_CONFIG: &str = "/etc/salt/master";
/// Where it keeps the keys of minions that it accepted.
pub(crate) const ACCEPTED: &str = "/etc/salt/pki/master/minions";
/// The master's key, as a minion keeps it.
pub(crate) const KNOWN_MASTER: &str = "/etc/salt/pki/minion/minion_master.pub";

/// What a minion has found since it was started last.
#[derive(Debug)]
pub(super) struct Met {
    /// How often it had been started then.
    starts: u64,
    /// Its master's address.
    address: String,
    /// It was accepted, and has fetched its pillar.
    signed_in: bool,
}

/// What is between the first and the last line of a key.
pub(crate) fn digits(pem: &[u8]) -> String {
    String::from_utf8_lossy(pem).lines().filter(|line| !line.starts_with("---")).map(str::trim).collect()
}

/// A public key as a file holds it.
pub(crate) fn public_text(key: &str) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", key.replace(':', ""))
}

impl World {
    /// Makes a key pair for the master.
    pub(super) fn write_master_key(&mut self, jump: &HostName, number: u64) {
        let base = key(self.seed(), &format!("master/{jump}"));
        let made: String = (0..2).map(|word| format!("{:016x}", draw(base, 2 * number + word))).collect();
        let private = format!("-----BEGIN RSA PRIVATE KEY-----\n{made}\n-----END RSA PRIVATE KEY-----\n");
        self.write_file(jump, MASTER_PRIVATE, private.into_bytes());
        self.set_attributes(jump, MASTER_PRIVATE, |attributes| attributes.mode = 0o400);
        self.write_file(jump, MASTER_PUBLIC, public_text(&made).into_bytes());
    }

    /// The master was started: it makes a key pair where its disk has none, and has accepted the keys that are there.
    pub(crate) fn master_started(&mut self, host: &HostName) {
        if self.jump() != Some(host) {
            return;
        }
        if self.read_file(host, MASTER_PRIVATE).is_none() {
            self.write_master_key(host, 1 + self.salt.jobs.len() as u64);
        }
        if std::mem::take(&mut self.salt.keys_on_disk) {
            let ids = self.list_dir(host, ACCEPTED).unwrap_or_default();
            let key = |id: &String| {
                let found = digits(&self.read_file(host, &format!("{ACCEPTED}/{id}"))?);
                let pairs = found.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
                Some((id.clone(), pairs.collect::<Vec<_>>().join(":")))
            };
            let accepted: BTreeMap<String, String> = ids.iter().filter_map(key).collect();
            self.salt.keys = Keys::default();
            self.salt.keys.accepted = accepted;
        }
    }

    /// Whether a daemon of the jump box is told to listen at an address that the machine does not have.
    pub(crate) fn cannot_bind(&self, host: &HostName, name: &str) -> bool {
        let file = match name {
            "salt-master" => MASTER_CONFIG,
            _ => return false,
        };
        let text = self.read_file(host, file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let told = text.lines().find_map(|line| line.strip_prefix("interface:").map(str::trim));
        told.is_some_and(|told| told != "0.0.0.0" && self.machine(host).is_none_or(|m| m.address != told))
    }

    /// Whether there is a master that can be spoken to.
    pub(crate) fn master_runs(&self) -> bool {
        let Some(jump) = self.jump() else { return false };
        self.is_up(jump) && self.service(jump, "salt-master").is_none_or(|service| service.runs)
    }

    fn met(&self, host: &HostName) -> Option<&Met> {
        let starts = self.services.turns(host, "salt-minion").0;
        self.salt.met.get(host).filter(|met| met.starts == starts)
    }

    /// The address that a minion finds for its master; the master's own machine has its own name at a loopback address.
    fn master_seen_from(&self, host: &HostName) -> Option<String> {
        let found = self.address_at(host, "salt")?;
        let own = self.jump() == Some(host) && found.starts_with("127.");
        if own { self.jump_address().map(str::to_owned) } else { Some(found) }
    }

    /// Whether a minion speaks to the machine that is the master now: by the address that it found when it was started.
    pub(super) fn finds_master(&self, host: &HostName) -> bool {
        let found = match self.met(host) {
            Some(met) => Some(met.address.clone()),
            None => self.master_seen_from(host),
        };
        self.master_runs() && found.is_some() && found.as_deref() == self.jump_address()
    }

    /// Whether a minion believes the master: it has no other master's key.
    pub(super) fn trusts_master(&self, host: &HostName) -> bool {
        let known = self.read_file(host, KNOWN_MASTER);
        let own = self.jump().and_then(|jump| self.read_file(jump, MASTER_PUBLIC));
        known.is_none() || known == own
    }

    /// A minion has shown its key. From its start on it keeps to the address that it found; once it is accepted it keeps the master's
    /// key and fetches its pillar, and it ends when the master shows another key than the one it knows.
    pub(super) fn minion_met_master(&mut self, host: &HostName) {
        let starts = self.services.turns(host, "salt-minion").0;
        if self.met(host).is_none()
            && let Some(address) = self.master_seen_from(host)
        {
            self.salt.met.insert(host.clone(), Met { starts, address, signed_in: starts == 0 });
        }
        if !self.trusts_master(host) {
            self.set_service(host, "salt-minion", false);
            return;
        }
        if !self.is_accepted_minion(host) {
            return;
        }
        if self.read_file(host, KNOWN_MASTER).is_none()
            && let Some(own) = self.jump().and_then(|jump| self.read_file(jump, MASTER_PUBLIC))
        {
            self.write_file(host, KNOWN_MASTER, own);
        }
        if self.met(host).is_some_and(|met| !met.signed_in) {
            self.refresh_pillar(host);
            self.salt.met.entry(host.clone()).and_modify(|met| met.signed_in = true);
        }
    }

    /// Somebody shows the master a key under an id, whoever that is.
    pub fn show_key(&mut self, id: &str, fingerprint: &str) {
        self.salt.keys.offer(id, fingerprint);
    }

    /// The jump box is lost with everything on it, and somebody has built a bare machine of its name at that address: Salt, git and
    /// the name server are installed, nothing of them is configured or runs. False when the address is another machine's.
    pub fn lose_jump_box(&mut self, address: &str) -> bool {
        let Some((jump, old)) =
            self.jump().cloned().and_then(|jump| Some((jump.clone(), self.machine(&jump)?.clone())))
        else {
            return false;
        };
        if self.machines().any(|m| m.name != jump && m.address == address) {
            return false;
        }
        let hosts: Vec<HostName> =
            self.machines().map(|m| m.name.clone()).filter(|host| *host != jump).collect();
        for host in &hosts {
            for path in ["/etc/hosts", "/etc/resolv.conf", KNOWN_MASTER] {
                self.keep_file(host, path);
            }
            let starts = self.services.turns(host, "salt-minion").0;
            self.salt.met.insert(host.clone(), Met { starts, address: old.address.clone(), signed_in: true });
        }
        self.power_off(&jump);
        self.forget_machine(&jump);
        self.salt.keys = Keys::default();
        self.salt.keys_on_disk = true;
        self.salt.pillars.remove(&jump);
        self.salt.met.remove(&jump);
        self.salt.jobs.clear();
        let seconds = self.now().as_secs_f64();
        let number = draw(key(self.seed(), &format!("{jump}/{address}")), 7);
        self.replace_machine(&jump, address, number, seconds);
        true
    }
}

//! The master's list of minion keys.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::posix::machine::Machine;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::lost::{MASTER_PRIVATE, public_text};

/// Where the master keeps the keys: a folder for each list, a file for each key.
pub(crate) const MASTER_KEYS: &str = "/etc/salt/pki/master/";

/// Seconds after its boot that a machine's minion calls its master.
const CALLS_AFTER: f64 = 3.0;
/// Seconds after its key was deleted that a running minion notices and asks again.
const ASKS_AGAIN_AFTER: f64 = 240.0;

/// Minion ids and the fingerprints of their keys.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Answered to.
    pub accepted: BTreeMap<String, String>,
    /// Waiting for somebody to accept them.
    pub unaccepted: BTreeMap<String, String>,
    /// Another key than the one that is known under that id.
    pub denied: BTreeMap<String, String>,
    /// Turned away.
    pub rejected: BTreeMap<String, String>,
    /// When a key was deleted: fingerprint, seconds since the world's start.
    deleted: BTreeMap<String, f64>,
}

impl Keys {
    /// The four lists in the order `salt-key -L` shows them, with their titles and their names in JSON.
    #[must_use]
    pub fn lists(&self) -> [(&'static str, &'static str, &BTreeMap<String, String>); 4] {
        [
            ("Accepted Keys", "minions", &self.accepted),
            ("Denied Keys", "minions_denied", &self.denied),
            ("Unaccepted Keys", "minions_pre", &self.unaccepted),
            ("Rejected Keys", "minions_rejected", &self.rejected),
        ]
    }

    /// Accepts what waits under an id (or was rejected, or denied, when that is wanted).
    pub fn accept(&mut self, id: &str, rejected_too: bool, denied_too: bool) -> bool {
        let mut found = self.unaccepted.remove(id);
        if found.is_none() && rejected_too {
            found = self.rejected.remove(id);
        }
        if found.is_none() && denied_too {
            found = self.denied.remove(id);
        }
        found.map(|key| self.accepted.insert(id.to_owned(), key)).is_some()
    }

    /// Turns away what waits under an id.
    pub fn reject(&mut self, id: &str) -> bool {
        let found = self.unaccepted.remove(id);
        found.map(|key| self.rejected.insert(id.to_owned(), key)).is_some()
    }

    /// Deletes everything under an id; false when there was nothing.
    pub fn delete(&mut self, id: &str, now: f64) -> bool {
        let lists = [&mut self.accepted, &mut self.unaccepted, &mut self.denied, &mut self.rejected];
        let gone: Vec<String> = lists.into_iter().filter_map(|list| list.remove(id)).collect();
        let found = !gone.is_empty();
        self.deleted.extend(gone.into_iter().map(|fingerprint| (fingerprint, now)));
        found
    }

    /// Somebody shows a key under an id.
    pub(super) fn offer(&mut self, id: &str, fingerprint: &str) {
        let known = |list: &BTreeMap<String, String>| list.get(id).map(|known| known == fingerprint);
        if known(&self.rejected).is_some() || known(&self.accepted) == Some(true) {
            return;
        }
        if known(&self.accepted) == Some(false) || known(&self.unaccepted) == Some(false) {
            self.denied.insert(id.to_owned(), fingerprint.to_owned());
            return;
        }
        self.unaccepted.insert(id.to_owned(), fingerprint.to_owned());
    }
}

impl World {
    /// Whether a machine has the folders of a master's keys: one whose master was started once.
    pub(crate) fn keeps_keys(&self, host: &HostName) -> bool {
        super::programs::is_master(self, host) && self.read_file(host, MASTER_PRIVATE).is_some()
    }

    /// Those folders, and what the files in each are called.
    pub(crate) fn master_keys(&self) -> impl Iterator<Item = (String, Vec<&String>)> {
        let lists = self.salt.keys.lists().into_iter();
        lists.map(|(_, name, list)| (format!("{MASTER_KEYS}{name}"), list.keys().collect()))
    }

    /// The file of a key, on the master's machine.
    pub(crate) fn master_key_file(&self, host: &HostName, path: &str) -> Option<String> {
        let (folder, id) = path.strip_prefix(MASTER_KEYS)?.split_once('/')?;
        let (.., list) = self.salt.keys.lists().into_iter().find(|(_, name, _)| *name == folder)?;
        list.get(id).filter(|_| self.keeps_keys(host)).map(|key| public_text(key))
    }

    /// Accepts the key that a machine's minion has now.
    pub(crate) fn accept_minion_again(&mut self, host: &HostName) {
        let id = self.machine(host).map(|machine| machine.hostname.to_string());
        if let Some((id, key)) = id.zip(self.minion_fingerprint(host)) {
            self.salt.keys.accepted.insert(id, key);
        }
    }

    /// What the kernel of the master's machine says of the ports 4505 and 4506: a minion that runs keeps a connection to the first.
    pub(crate) fn minion_connections(&self, master: &Machine) -> Option<String> {
        if !super::programs::is_master(self, &master.name) || !self.master_runs() {
            return None;
        }
        let place = |address: &str, port: u16| {
            let number = address.parse::<Ipv4Addr>().map_or(0, |address| u32::from(address).swap_bytes());
            format!("{number:08X}:{port:04X}")
        };
        let mut text =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n".to_owned();
        let mut row = |own: String, other: String, state: &str| {
            text.push_str(&format!(
                "   0: {own} {other} {state} 00000000:00000000 00:00000000 00000000     0        0 4242 1 0\n"
            ));
        };
        [4505, 4506].into_iter().for_each(|port| row(place("0.0.0.0", port), place("0.0.0.0", 0), "0A"));
        let minions = self.salt.keys.accepted.keys().filter_map(|id| self.machine(&self.minion(id)?));
        for (port, minion) in (40_000..).zip(minions) {
            row(place(&master.address, 4505), place(&minion.address, port), "01");
        }
        Some(text)
    }

    /// Lets every machine that is up show its key.
    pub(super) fn minions_connect(&mut self) {
        let now = self.now().as_secs_f64();
        let mut callers: Vec<(f64, String, String, HostName)> = self
            .machines()
            .filter(|m| self.is_up(&m.name) && self.service_runs(&m.name, "salt-minion"))
            .filter(|m| self.finds_master(&m.name))
            .filter_map(|m| {
                let fingerprint = self.minion_fingerprint(&m.name)?;
                // One that was started since asks at once.
                let restarted = self.services.started(&m.name, "salt-minion");
                let again = self.salt.keys.deleted.get(&fingerprint).map(|at| {
                    restarted
                        .filter(|started| started > at)
                        .unwrap_or(f64::INFINITY)
                        .min(at + ASKS_AGAIN_AFTER)
                });
                let started = if m.added { m.boots_until + CALLS_AFTER } else { 0.0 };
                let since = again.unwrap_or(started);
                (since <= now).then(|| (since, m.hostname.to_string(), fingerprint, m.name.clone()))
            })
            .collect();
        callers.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, id, fingerprint, host) in callers {
            self.salt.keys.offer(&id, &fingerprint);
            self.minion_met_master(&host);
        }
    }
}

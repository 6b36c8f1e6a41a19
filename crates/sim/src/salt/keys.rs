//! The master's list of minion keys.

use std::collections::BTreeMap;

use crate::world::World;
use jumpdeck_fleet::names::HostName;

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

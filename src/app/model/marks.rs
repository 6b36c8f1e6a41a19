//! Marked hosts: by environment and name, so that they stay when rows move, when the filter or the screen changes, and while the
//! screen is paused.

use std::collections::{BTreeSet, HashMap};

use super::Model;
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::{EnvName, HostId, HostName};

/// How many hosts a notice names; the rest is counted.
const NAMED: usize = 3;

/// The marked hosts of each environment. An environment without any is not in it.
#[derive(Debug, Default)]
pub(in crate::app) struct HostMarks(HashMap<EnvName, BTreeSet<HostName>>);

impl HostMarks {
    fn has(&self, env: &EnvName, host: &HostName) -> bool {
        self.0.get(env).is_some_and(|marked| marked.contains(host))
    }

    fn add(&mut self, env: &EnvName, host: HostName) {
        self.0.entry(env.clone()).or_default().insert(host);
    }

    fn remove(&mut self, env: &EnvName, host: &HostName) {
        if let Some(marked) = self.0.get_mut(env) {
            marked.remove(host);
        }
        self.0.retain(|_, marked| !marked.is_empty());
    }

    /// Drops the marks of hosts that are not in the inventory; returns those hosts.
    pub(in crate::app) fn follow(&mut self, fleet: &Fleet) -> Vec<HostId> {
        let mut gone = Vec::new();
        for (env, marked) in &self.0 {
            let spec = fleet.environment(env);
            let is_gone = |host: &&HostName| spec.is_none_or(|spec| spec.host(host).is_none());
            gone.extend(
                marked.iter().filter(is_gone).map(|host| HostId { env: env.clone(), host: host.clone() }),
            );
        }
        gone.sort();
        gone.iter().for_each(|id| self.remove(&id.env, &id.host));
        gone
    }
}

impl Model {
    /// Whether a host of the environment shown is marked.
    #[must_use]
    pub fn is_marked(&self, host: &HostName) -> bool {
        self.environments.get(self.active).is_some_and(|env| self.marks.has(&env.spec.name, host))
    }

    /// The marked hosts of the environment shown, in the inventory's order.
    #[must_use]
    pub fn marked(&self) -> Vec<&HostName> {
        let Some(env) = self.environments.get(self.active) else { return Vec::new() };
        let hosts = env.spec.hosts.iter().map(|host| &host.id.host);
        hosts.filter(|host| self.marks.has(&env.spec.name, host)).collect()
    }

    /// How many marked hosts the screen on top does not list, although its rows are hosts.
    #[must_use]
    pub fn unlisted_marks(&self) -> usize {
        let marked = self.marked();
        let kind = self.screen().kind();
        if marked.is_empty() || !kind.rows_are_hosts() {
            return 0;
        }
        let listed: BTreeSet<&HostName> = kind.hosts(self).into_iter().collect();
        marked.iter().filter(|host| !listed.contains(*host)).count()
    }

    /// The host that a mark is for: the selected one among rows of hosts, or the one shown in full.
    #[must_use]
    pub fn markable(&self) -> Option<HostName> {
        let kind = self.screen().kind();
        let is_seen = if kind.is_of_one_host() { kind.host(self).is_some() } else { self.is_host_selected() };
        kind.host(self).filter(|_| is_seen)
    }

    fn is_host_selected(&self) -> bool {
        let kind = self.screen().kind();
        kind.rows_are_hosts() && kind.selected(self).is_some()
    }

    /// The hosts that a mark is for: those of the folded row that is selected, or one.
    #[must_use]
    pub fn markables(&self) -> Vec<HostName> {
        let folded = self.folded_row();
        if folded.is_empty() { self.markable().into_iter().collect() } else { folded }
    }

    /// Whether these hosts of the environment shown are marked, all of them.
    #[must_use]
    pub fn are_all_marked(&self, hosts: &[HostName]) -> bool {
        !hosts.is_empty() && hosts.iter().all(|host| self.is_marked(host))
    }

    /// Marks hosts of the environment shown, or removes their marks where all are marked.
    pub fn toggle_marks(&mut self, hosts: Vec<HostName>) {
        let Some(env) = self.shown_name() else { return };
        let (all, are_marked) = (hosts.len(), self.are_all_marked(&hosts));
        for host in hosts {
            if are_marked { self.marks.remove(&env, &host) } else { self.marks.add(&env, host) }
        }
        if all > 1 {
            self.say(format!("{} {}", counted(all), if are_marked { "unmarked" } else { "marked" }));
        }
    }

    /// Marks every host that the screen on top lists.
    pub(in crate::app) fn mark_listed(&mut self) {
        let Some(env) = self.shown_name() else { return };
        let listed: Vec<HostName> = self.screen().kind().hosts(self).into_iter().cloned().collect();
        let new = listed.iter().filter(|host| !self.is_marked(host)).count();
        let all = listed.len();
        listed.into_iter().for_each(|host| self.marks.add(&env, host));
        self.say(match all - new {
            0 => format!("{} marked", counted(new)),
            before => format!("{} marked; {before} of the hosts listed were marked before", counted(new)),
        });
    }

    /// Removes all marks of the environment shown.
    pub(in crate::app) fn clear_marks(&mut self) {
        let Some(env) = self.shown_name() else { return };
        if let Some(marked) = self.marks.0.remove(&env) {
            self.say(format!("marks of {} cleared", counted(marked.len())));
        }
    }

    /// Drops the marks of hosts that left the inventory; says which.
    pub(in crate::app) fn drop_gone_marks(&mut self) -> Option<String> {
        let gone = self.marks.follow(&self.fleet);
        let names: Vec<String> =
            gone.iter().take(NAMED).map(|id| format!("{} ({})", id.host, id.env)).collect();
        let more = match gone.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!gone.is_empty())
            .then(|| format!("no longer marked, as not in the inventory: {}{more}", names.join(", ")))
    }
}

fn counted(hosts: usize) -> String {
    if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") }
}

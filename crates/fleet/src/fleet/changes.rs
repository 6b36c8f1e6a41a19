//! What differs between two readings of an inventory, in words.

use std::fmt;

use super::{Environment, Fleet, Host};
use crate::names::{EnvName, HostName};

/// At most this many moved roles are named; more are counted.
const NAMED: usize = 4;

/// What a newer reading of an inventory changes. Displayed as `db2 is now masterdb; 1 host added`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Roles that hosts get and lose: `db2 is now masterdb`.
    pub roles: Vec<String>,
    /// Hosts that are new.
    pub added: Vec<(EnvName, HostName)>,
    /// Hosts that are gone.
    pub removed: Vec<(EnvName, HostName)>,
    /// Hosts that are reached another way, or asked otherwise.
    pub changed: Vec<(EnvName, HostName)>,
    /// Environments that are new.
    pub new_environments: Vec<EnvName>,
    /// Environments that are gone.
    pub gone_environments: Vec<EnvName>,
    /// Environments with another jump box, or another way to it.
    pub jumps: Vec<EnvName>,
    /// Environments of which something else differs: level, thresholds, requirements, cadence, guard.
    pub settings: Vec<EnvName>,
}

impl Changes {
    /// What `after` changes.
    #[must_use]
    pub fn between(before: &Fleet, after: &Fleet) -> Self {
        let mut changes = Self::default();
        for env in &after.environments {
            match before.environment(&env.name) {
                Some(old) => changes.environment(old, env),
                None => changes.new_environments.push(env.name.clone()),
            }
        }
        let gone = before.environments.iter().filter(|env| after.environment(&env.name).is_none());
        changes.gone_environments = gone.map(|env| env.name.clone()).collect();
        changes
    }

    /// The same for one environment that both have.
    #[must_use]
    pub fn within(before: &Environment, after: &Environment) -> Self {
        let mut changes = Self::default();
        changes.environment(before, after);
        changes
    }

    fn environment(&mut self, before: &Environment, after: &Environment) {
        let place = |host: &Host| (host.id.env.clone(), host.id.host.clone());
        for host in &after.hosts {
            match before.host(&host.id.host) {
                Some(old) if old == host => {}
                Some(old) => {
                    self.roles_of(old, host);
                    let same = Host {
                        roles: old.roles.clone(),
                        roles_declared: old.roles_declared,
                        // Those are other hosts' changes.
                        peers: old.peers.clone(),
                        database_files: old.database_files.clone(),
                        ..(**host).clone()
                    };
                    if **old != same {
                        self.changed.push(place(host));
                    }
                }
                None => self.added.push(place(host)),
            }
        }
        let gone = before.hosts.iter().filter(|host| after.host(&host.id.host).is_none());
        self.removed.extend(gone.map(|host| place(host)));
        if before.jump != after.jump {
            self.jumps.push(after.name.clone());
        }
        let same = Environment { jump: before.jump.clone(), hosts: before.hosts.clone(), ..after.clone() };
        if *before != same {
            self.settings.push(after.name.clone());
        }
    }

    fn roles_of(&mut self, before: &Host, after: &Host) {
        let name = &after.id.host;
        let lost = before.roles.iter().filter(|role| !after.roles.contains(role));
        let gained = after.roles.iter().filter(|role| !before.roles.contains(role));
        self.roles.extend(gained.map(|role| format!("{name} is now {role}")));
        self.roles.extend(lost.map(|role| format!("{name} is no longer {role}")));
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.roles.iter().take(NAMED).cloned().collect();
        if self.roles.len() > NAMED {
            parts.push(format!("{} more roles move", self.roles.len() - NAMED));
        }
        let named = |names: &[EnvName]| names.iter().map(EnvName::as_str).collect::<Vec<_>>().join(", ");
        for (hosts, word) in [(&self.added, "added"), (&self.removed, "removed"), (&self.changed, "changed")]
        {
            parts.extend(counted(hosts, word));
        }
        for (names, word) in [
            (&self.new_environments, "new environment"),
            (&self.gone_environments, "environment gone"),
            (&self.jumps, "another route to the jump box of"),
            (&self.settings, "other settings of"),
        ] {
            if !names.is_empty() {
                parts.push(format!("{word} {}", named(names)));
            }
        }
        if parts.is_empty() {
            return f.write_str("no change of hosts or settings");
        }
        f.write_str(&parts.join("; "))
    }
}

fn counted(hosts: &[(EnvName, HostName)], word: &str) -> Option<String> {
    match hosts {
        [] => None,
        [(_, host)] => Some(format!("1 host {word} ({host})")),
        more => Some(format!("{} hosts {word}", more.len())),
    }
}

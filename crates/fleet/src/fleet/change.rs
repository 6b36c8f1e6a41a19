//! What a runbook changes in an inventory.

use std::fmt;
use std::sync::Arc;

use super::{Fleet, Host};
use crate::names::{EnvName, HostName, RoleName};

/// One change of one host's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostChange {
    /// The host.
    pub host: HostName,
    /// What the inventory says of it from then on.
    pub set: Set,
}

/// What the inventory says of a host from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// It has this role.
    Gains(RoleName),
    /// It has not this role.
    Loses(RoleName),
    /// Its address.
    Address(String),
}

impl fmt::Display for HostChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match &self.set {
            Set::Gains(role) => write!(f, "{host} gains the role {role}"),
            Set::Loses(role) => write!(f, "{host} loses the role {role}"),
            Set::Address(address) => write!(f, "{host} has the address {address}"),
        }
    }
}

impl Fleet {
    /// The fleet with these changes, and nothing else changed. What it says already stays as it is.
    ///
    /// # Errors
    /// When there is no such environment or host.
    pub fn with(&self, env: &EnvName, changes: &[HostChange]) -> Result<Self, String> {
        let mut fleet = self.clone();
        let environment = fleet.environments.iter_mut().find(|e| e.name == *env);
        let environment = environment.ok_or_else(|| format!("the inventory has no environment {env}"))?;
        let environment = Arc::make_mut(environment);
        for change in changes {
            let host = environment.hosts.iter_mut().find(|host| host.id.host == change.host);
            let host = host.ok_or_else(|| format!("{env} has no host {} in the inventory", change.host))?;
            apply(host, &change.set);
        }
        Ok(fleet)
    }

    /// The lines that an inventory needs so that it says these changes: `db2: roles = ["db", "masterdb"]`.
    #[must_use]
    pub fn lines_for(&self, env: &EnvName, changes: &[HostChange]) -> Vec<String> {
        let after = self.with(env, changes);
        let mut lines: Vec<String> = Vec::new();
        for change in changes {
            let host = after.as_ref().ok().and_then(|fleet| fleet.environment(env)?.host(&change.host));
            let line = match (&change.set, host) {
                (Set::Address(address), _) => format!("{}: address = \"{address}\"", change.host),
                (Set::Gains(_) | Set::Loses(_), Some(host)) => {
                    let roles: Vec<String> = host.roles.iter().map(|role| format!("\"{role}\"")).collect();
                    format!("{}: roles = [{}]", change.host, roles.join(", "))
                }
                (Set::Gains(_) | Set::Loses(_), None) => change.to_string(),
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }
}

fn apply(host: &mut Arc<Host>, set: &Set) {
    match set {
        Set::Gains(role) if !host.roles.contains(role) => {
            let host = Arc::make_mut(host);
            host.roles.push(role.clone());
            host.roles_declared = true;
        }
        Set::Loses(role) if host.roles.contains(role) => {
            let host = Arc::make_mut(host);
            host.roles.retain(|there| there != role);
            host.roles_declared = true;
        }
        Set::Address(address) if host.address != *address => Arc::make_mut(host).address.clone_from(address),
        Set::Gains(_) | Set::Loses(_) | Set::Address(_) => {}
    }
}

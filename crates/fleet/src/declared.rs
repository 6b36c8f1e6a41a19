//! Services that the inventory names: a unit or a process that must run on hosts of a role. The built-in ones are those of the role
//! list of 2015 whose probe does not ask them more.

use std::sync::Arc;

use crate::names::RoleName;
use crate::problem::Severity;

/// The built-in service of every minion.
const MINION: &str = "salt-minion";

/// A service that must run on a host: it is looked for among the units of systemd and in the process table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredService {
    /// Its name in problems, on screens and in the JSON.
    pub name: String,
    /// Hosts of these roles run it.
    pub roles: Vec<RoleName>,
    /// Every host of an environment with a Salt master runs it: see `fleet::with_minions`.
    pub of_minions: bool,
    /// Its unit, without `.service`; several where systems call it differently.
    pub units: Vec<String>,
    /// The names of its process, as in `/proc/PID/comm`; any of them will do.
    pub processes: Vec<String>,
    /// A part of its command line, where the name of the process says too little: any program of Node is called `node`.
    pub command_line: Option<String>,
    /// What to do when it is stopped, in one sentence, where the inventory says it.
    pub when_stopped: Option<String>,
    /// How bad it is when it is stopped.
    pub stopped: Severity,
}

impl Default for DeclaredService {
    fn default() -> Self {
        Self {
            name: String::new(),
            roles: Vec::new(),
            of_minions: false,
            units: Vec::new(),
            processes: Vec::new(),
            command_line: None,
            when_stopped: None,
            stopped: Severity::Critical,
        }
    }
}

/// The services that have a probe of their own, by name: what an inventory may call by its name alone. A test of the probes keeps the
/// list true.
pub const PROBED_SERVICES: &[&str] = &[
    "ceph-health",
    "cloud-servers",
    "code-trees",
    "drbd",
    "elasticsearch",
    "exim",
    "gluster",
    "lvm-snapshots",
    "mdraid",
    "memcached",
    "monit",
    "nfs-server",
    "postfix",
    "redis",
    "salt-minions",
    "smart",
];

/// Name, roles, units, names of the process.
type BuiltIn = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

static BUILT_IN: &[BuiltIn] = &[
    ("apache", &["app", "blog", "project", "monitor"], &["apache2", "httpd"], &["apache2", "httpd"]),
    ("fxa-auth-server", &["accounts"], &["fxa-auth-server"], &["node", "nodejs"]),
    ("gdnsd", &["salt"], &["gdnsd"], &["gdnsd"]),
    ("glusterd", &["storage"], &["glusterd", "glusterfs-server"], &["glusterd"]),
    ("hhvm", &["hhvmbackend"], &["hhvm"], &["hhvm"]),
    ("hypothesis", &["notes"], &["hypothesis"], &["gunicorn", "python", "python3"]),
    ("lumberjack", &["bots"], &["lumberjack"], &["lumberjack"]),
    ("nginx", &["nginx", "piwik"], &["nginx"], &["nginx"]),
    ("opendkim", &["mail"], &["opendkim"], &["opendkim"]),
    ("pierc", &["bots"], &["pierc"], &["python", "python3"]),
    (
        "php-fpm",
        &["piwik"],
        &[
            "php-fpm",
            "php5-fpm",
            "php7.0-fpm",
            "php7.3-fpm",
            "php7.4-fpm",
            "php8.1-fpm",
            "php8.2-fpm",
            "php8.3-fpm",
            "php8.4-fpm",
        ],
        &[
            "php-fpm",
            "php5-fpm",
            "php-fpm7.0",
            "php-fpm7.3",
            "php-fpm7.4",
            "php-fpm8.1",
            "php-fpm8.2",
            "php-fpm8.3",
            "php-fpm8.4",
        ],
    ),
    ("salt-master", &["salt", "deployment"], &["salt-master"], &["salt-master"]),
];

/// The built-in ones that an interpreter runs, and a part of their command line.
static INTERPRETED: &[(&str, &str)] =
    &[("fxa-auth-server", "key_server"), ("hypothesis", "h.app"), ("pierc", "pierc")];

/// What the roles of the built-in list run. An inventory whose hosts have none of these roles gets none.
#[must_use]
pub fn default_services() -> Vec<DeclaredService> {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let service = |(name, roles, units, processes): &BuiltIn| DeclaredService {
        name: (*name).to_owned(),
        roles: roles.iter().filter_map(|role| RoleName::new(role).ok()).collect(),
        units: owned(units),
        processes: owned(processes),
        command_line: INTERPRETED.iter().find(|(known, _)| known == name).map(|(_, part)| (*part).to_owned()),
        ..DeclaredService::default()
    };
    // The services of a host run on without its minion.
    let minion = DeclaredService {
        name: MINION.to_owned(),
        of_minions: true,
        units: vec![MINION.to_owned()],
        processes: vec![MINION.to_owned()],
        stopped: Severity::Warning,
        ..DeclaredService::default()
    };
    BUILT_IN.iter().map(service).chain([minion]).collect()
}

/// Those of the services that a host of these roles must run.
#[must_use]
pub fn services_of_roles(services: &[DeclaredService], roles: &[RoleName]) -> Vec<Arc<DeclaredService>> {
    let here = services.iter().filter(|service| service.roles.iter().any(|role| roles.contains(role)));
    here.cloned().map(Arc::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_one_has_a_role_a_unit_and_a_process() {
        for service in default_services() {
            assert!(
                service.roles.is_empty() == service.of_minions && !service.units.is_empty(),
                "{service:?}"
            );
            assert!(service.processes.iter().all(|name| (1..=15).contains(&name.len())), "{service:?}");
            let interpreter = |name: &String| {
                ["java", "node", "nodejs", "perl", "php", "python", "ruby"].contains(&name.as_str())
            };
            assert!(
                service.command_line.is_some() || !service.processes.iter().any(interpreter),
                "{service:?}"
            );
        }
    }
}

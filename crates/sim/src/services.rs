//! Services of the machines: what is installed by role, what runs, and units that `systemd-run` made.

pub(crate) mod programs;

use std::collections::BTreeMap;

use tokio::task::AbortHandle;

use crate::dns::GDNSD;
use crate::world::World;
use crate::world::spec::Era;
use jumpdeck_fleet::names::HostName;

/// Services by role; every machine has those of `*`. A service that has another name elsewhere has it here.
static OF_2015: &[(&str, &[&str])] = &[
    ("*", &["ssh", "cron", "ntp", "monit", "exim4", "salt-minion", "rsyslog"]),
    ("app", &["apache2"]),
    ("accounts", &["fxa-auth-server"]),
    ("blog", &["apache2"]),
    ("bots", &["lumberjack", "pierc"]),
    ("notes", &["hypothesis"]),
    ("project", &["apache2"]),
    ("piwik", &["nginx", "php5-fpm"]),
    ("backup", &["rsync", "nfs-kernel-server"]),
    ("db", &["mysql"]),
    ("elastic", &["elasticsearch"]),
    ("hhvmbackend", &["nginx", "hhvm"]),
    ("jobrunner", &["jobrunner"]),
    ("mail", &["postfix", "opendkim"]),
    ("memcache", &["memcached"]),
    ("nginx", &["nginx"]),
    ("redis", &["redis-server"]),
    ("salt", &["salt-master", "gdnsd", "xinetd"]),
    ("deployment", &["salt-master"]),
    ("sessions", &["redis-server", "memcached"]),
];

/// The same in 2013: no Monit yet, Ganglia in its place, and GlusterFS between the machines. The applications are those of 2015,
/// and so are pierc and php5-fpm.
static OF_2013: &[(&str, &[&str])] = &[
    ("*", &["ssh", "cron", "ntp", "ganglia-monitor", "xinetd", "salt-minion", "rsyslog"]),
    ("app", &["apache2"]),
    ("bots", &["lumberjack", "pierc"]),
    ("code", &["tomcat6"]),
    ("db", &["mysql"]),
    ("deployment", &["salt-master"]),
    ("memcache", &["memcached"]),
    ("monitor", &["gmetad", "apache2"]),
    ("piwik", &["apache2", "php5-fpm"]),
    ("project", &["apache2"]),
    ("storage", &["glusterfs-server"]),
];

/// The services whose state is not what it was at the start, and units made since.
#[derive(Debug, Default)]
pub struct Services {
    changed: BTreeMap<(HostName, String), Service>,
    units: BTreeMap<(HostName, String), Unit>,
    /// Monit leaves these alone.
    pub(crate) unmonitored: BTreeMap<HostName, Vec<String>>,
    /// Services that do not come up however often they are started.
    broken: Vec<(HostName, String)>,
    next_pid: u32,
    /// How often each was started and reloaded.
    turns: BTreeMap<(HostName, String), (u64, u64)>,
    /// Machines whose database starts when they are through with booting.
    booting: Vec<HostName>,
}

#[derive(Debug, Clone)]
struct Service {
    runs: bool,
    /// Seconds since the world's start.
    since: f64,
    /// The same moment, seconds since 1970. A test may let the world's time run faster than the clocks of its hosts, and a file that was
    /// written before a service started must stay older than it.
    at: f64,
    pid: u32,
}

/// What a service is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceState {
    /// Whether it runs.
    pub runs: bool,
    /// Its process.
    pub pid: u32,
    /// Since when, seconds since 1970 by the host's clock.
    pub since: f64,
}

/// A unit that `systemd-run` made.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) command: String,
    pub(crate) pid: u32,
    /// Seconds since 1970.
    pub(crate) started: f64,
    /// Exit status and when, once it has ended.
    pub(crate) ended: Option<(u8, f64)>,
    /// `--remain-after-exit`.
    pub(crate) remains: bool,
    pub(crate) abort: Option<AbortHandle>,
}

impl World {
    /// What watches the services of this world's machines.
    #[must_use]
    pub(crate) fn watcher(&self) -> &'static str {
        match self.era() {
            Era::Of2013 => "ganglia-monitor",
            Era::Of2015 => "monit",
        }
    }

    fn era(&self) -> Era {
        self.identity.as_ref().map(|identity| identity.era).unwrap_or_default()
    }

    /// Services by role of the years this world shows.
    fn services_by_role(&self) -> &'static [(&'static str, &'static [&'static str])] {
        match self.era() {
            Era::Of2013 => OF_2013,
            Era::Of2015 => OF_2015,
        }
    }

    /// The services installed on a machine.
    #[must_use]
    pub fn services(&self, host: &HostName) -> Vec<&'static str> {
        let Some(machine) = self.machine(host) else { return Vec::new() };
        let roles = machine.roles();
        let mine = |role: &str| role == "*" || roles.iter().any(|own| own.as_str() == role);
        let mut found: Vec<&str> = Vec::new();
        for service in self
            .services_by_role()
            .iter()
            .filter(|(role, _)| mine(role))
            .flat_map(|(_, services)| services.iter())
        {
            let of_salt = service.starts_with("salt-") && !self.has_salt();
            // Postfix takes its place on the mail server.
            let of_mail = *service == "exim4" && mine("mail");
            if !found.contains(service)
                && !of_salt
                && !of_mail
                && (*service != "mysql" || self.has_database(host))
            {
                found.push(service);
            }
        }
        found
    }

    /// The service a name means: `mariadb` is `mysql`, `sshd` is `ssh`, `.service` goes.
    #[must_use]
    pub fn service_named(&self, host: &HostName, name: &str) -> Option<&'static str> {
        let name = match name.trim_end_matches(".service") {
            "mariadb" | "mysqld" => "mysql",
            "sshd" => "ssh",
            "redis" => "redis-server",
            "crond" => "cron",
            other => other,
        };
        self.services(host).into_iter().find(|service| *service == name)
    }

    /// What the script of a service in `/etc/init.d` holds.
    pub(crate) fn init_script(&self, host: &HostName, path: &str) -> Option<String> {
        let name = path.strip_prefix("/etc/init.d/")?;
        self.services(host).contains(&name).then(|| format!("#!/bin/sh\n# Provides: {name}\n"))
    }

    /// Whether a service runs. One that is not installed does not.
    #[must_use]
    pub fn service_runs(&self, host: &HostName, name: &str) -> bool {
        self.service(host, name).is_some_and(|service| service.runs)
    }

    /// What a service is doing; `None` when it is not installed.
    #[must_use]
    pub fn service(&self, host: &HostName, name: &str) -> Option<ServiceState> {
        let name = self.service_named(host, name)?;
        let machine = self.machine(host)?;
        let booted = self.epoch(host) - self.uptime(host)?;
        if name == "mysql" {
            // Whether it runs is the database's own business.
            let changed = self.services.changed.get(&(host.clone(), name.to_owned()));
            let since = changed.map_or(booted, |c| c.at + machine.clock_skew);
            return Some(ServiceState { runs: self.databases.is_running(host), pid: 1187, since });
        }
        Some(match self.services.changed.get(&(host.clone(), name.to_owned())) {
            Some(changed) => {
                ServiceState { runs: changed.runs, pid: changed.pid, since: changed.at + machine.clock_skew }
            }
            // On a new machine only what came with its image runs; the rest is started by its states.
            None if machine.added
                && !self.services_by_role().iter().any(|(role, own)| *role == "*" && own.contains(&name)) =>
            {
                ServiceState { runs: false, pid: 0, since: booted }
            }
            None => {
                let place = self.services(host).iter().position(|service| *service == name).unwrap_or(0);
                let offset = u32::try_from(machine.number(40) % 300).unwrap_or(0);
                let pid = 800 + offset + 13 * u32::try_from(place).unwrap_or(0);
                ServiceState { runs: true, pid, since: booted + 4.0 }
            }
        })
    }

    /// Starts or stops a service; false when it is not there, or does not come up.
    pub fn set_service(&mut self, host: &HostName, name: &str, runs: bool) -> bool {
        let Some(name) = self.service_named(host, name) else { return false };
        let key = (host.clone(), name.to_owned());
        if runs
            && (self.services.broken.contains(&key)
                || self.cannot_bind(host, name)
                || name == GDNSD && self.zone_problem().is_some())
        {
            return false;
        }
        if self.service_runs(host, name) == runs {
            return true;
        }
        if runs && !self.start_with_certificates(host, name) {
            return false;
        }
        self.services.next_pid += 1;
        let pid = 20_000 + self.services.next_pid;
        let since = self.seconds();
        // Until now it was as it was, and so were those who write through it.
        self.live();
        if runs {
            self.services.turns.entry(key.clone()).or_default().0 += 1;
        }
        self.services.changed.insert(key, Service { runs, since, at: self.true_time(), pid });
        self.log_turn(host, name, runs);
        self.service_changed(host, name, runs)
    }

    /// Stops a service and starts it; false as with [`World::set_service`].
    pub fn restart_service(&mut self, host: &HostName, name: &str) -> bool {
        self.set_service(host, name, false);
        self.set_service(host, name, true)
    }

    /// Lets a service read its configuration again without a restart; false when it is not there, does not run, or refuses it.
    pub fn reload_service(&mut self, host: &HostName, name: &str) -> bool {
        let Some(name) = self.service_named(host, name).filter(|name| self.service_runs(host, name)) else {
            return false;
        };
        self.live();
        match self.reload_certificates(host, name) {
            Some(true) => {}
            Some(false) => return false,
            None => {
                self.set_service(host, name, false);
                return false;
            }
        }
        self.services.turns.entry((host.clone(), name.to_owned())).or_default().1 += 1;
        name != GDNSD || self.load_zone()
    }

    /// Makes a service fail to start, or lets it start again.
    pub fn set_service_broken(&mut self, host: &HostName, name: &str, broken: bool) {
        let key = (host.clone(), name.to_owned());
        self.services.broken.retain(|other| *other != key);
        if broken {
            self.services.broken.push(key);
        }
    }

    pub(crate) fn unit(&self, host: &HostName, name: &str) -> Option<&Unit> {
        self.services.units.get(&(host.clone(), unit_name(name)))
    }

    pub(crate) fn unit_mut(&mut self, host: &HostName, name: &str) -> Option<&mut Unit> {
        self.services.units.get_mut(&(host.clone(), unit_name(name)))
    }

    /// The names of the units that `systemd-run` made and that failed.
    pub(crate) fn failed_units(&self, host: &HostName) -> Vec<&str> {
        let of = self.services.units.iter().filter(|((owner, _), _)| owner == host);
        let failed = of.filter(|(_, unit)| unit.ended.is_some_and(|(status, _)| status != 0));
        failed.map(|((_, name), _)| name.as_str()).collect()
    }

    pub(crate) fn set_unit(&mut self, host: &HostName, name: &str, unit: Option<Unit>) {
        let key = (host.clone(), unit_name(name));
        match unit {
            Some(unit) => drop(self.services.units.insert(key, unit)),
            None => drop(self.services.units.remove(&key)),
        }
    }

    /// A machine lost its power, or has it again: its database ends at once, and starts with it.
    pub(crate) fn power_changed(&mut self, host: &HostName, powered: bool) {
        self.services.booting.retain(|other| other != host);
        if powered {
            self.booted_anew(host);
            self.services.booting.push(host.clone());
            self.services_boot(host);
        } else {
            self.crash_database(host);
            self.end_tasks(host);
        }
    }

    /// What was stopped by hand starts with the machine, but for what does not come up; everything reads its configuration.
    fn services_boot(&mut self, host: &HostName) {
        let since = self.machine(host).map_or(0.0, |m| m.boots_until);
        let at = self.true_time() + since - self.seconds();
        for name in self.services(host) {
            let key = (host.clone(), name.to_owned());
            self.services.turns.entry(key.clone()).or_default().0 += 1;
            let broken = self.services.broken.contains(&key) || !self.start_with_certificates(host, name);
            // Whether these run is the business of their own parts of the world.
            let own = matches!(name, "mysql" | "elasticsearch");
            match self.services.changed.get_mut(&key).filter(|_| !own) {
                Some(service) => (service.runs, service.since, service.at) = (!broken, since, at),
                None if broken && !own => {
                    self.services.changed.insert(key, Service { runs: false, since, at, pid: 0 });
                }
                None => {}
            }
        }
    }

    /// Starts the databases of machines that are through with booting.
    pub(crate) fn databases_boot(&mut self) {
        if self.services.booting.is_empty() {
            return;
        }
        let (up, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.services.booting).into_iter().partition(|host| self.is_up(host));
        self.services.booting = waiting;
        for host in &up {
            self.start_database(host);
        }
    }

    /// What else of the world hears of a service that was started or stopped.
    fn service_changed(&mut self, host: &HostName, name: &str, runs: bool) -> bool {
        match (name, runs) {
            ("elasticsearch", true) => self.start_elastic(host),
            ("elasticsearch", false) => self.stop_elastic(host),
            ("mysql", true) => self.start_database(host),
            ("mysql", false) => self.stop_database(host),
            (GDNSD, true) => self.load_zone(),
            ("salt-master", true) => {
                self.master_started(host);
                true
            }
            _ => true,
        }
    }
}

impl Services {
    /// When a service was started last, seconds since the world's start; `None` when it never was since then.
    pub(crate) fn started(&self, host: &HostName, name: &str) -> Option<f64> {
        self.changed.get(&(host.clone(), name.to_owned())).filter(|service| service.runs).map(|s| s.since)
    }

    /// The hosts' clocks go forward by that many seconds, with everything that happened before.
    pub(crate) fn clocks_set(&mut self, by: f64) {
        for service in self.changed.values_mut() {
            service.at += by;
        }
    }

    /// Nothing is known of a machine's services any more.
    pub(crate) fn forget(&mut self, host: &HostName) {
        self.changed.retain(|(owner, _), _| owner != host);
        self.units.retain(|(owner, _), _| owner != host);
        self.turns.retain(|(owner, _), _| owner != host);
        self.unmonitored.remove(host);
    }

    /// How often a service was started and reloaded since the world began.
    pub(crate) fn turns(&self, host: &HostName, name: &str) -> (u64, u64) {
        self.turns.get(&(host.clone(), name.to_owned())).copied().unwrap_or_default()
    }
}

fn unit_name(name: &str) -> String {
    name.trim_end_matches(".service").to_owned()
}

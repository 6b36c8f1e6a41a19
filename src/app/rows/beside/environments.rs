//! Two environments side by side: what is compared of them. Nothing of a host that is silent, or whose last report is old, counts as
//! known; nothing at all behind a jump box that does not answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{ComparedFact, ComparedValue};
use crate::app::model::EnvironmentState;
use jumpdeck_fleet::fact::Fact;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::replication::{Database, Thread};
use jumpdeck_fleet::service::ServiceHealth;
use jumpdeck_fleet::snapshot::{HostSnapshot, LinkState};
use jumpdeck_fleet::summary::{HostsUp, ReplicationBrief, replication_brief};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::{Freshness, Moment};

#[cfg(test)]
mod tests;

/// One of two environments, at a moment.
#[derive(Debug, Clone, Copy)]
pub struct ComparedEnvironment<'a> {
    env: &'a EnvironmentState,
    now: Moment,
}

/// A host of the inventory, and what is known of it.
type CurrentHost<'a> = (&'a Arc<Host>, &'a Arc<HostSnapshot>);

/// The facts of two environments: roles, replication, services, versions by role, problems, the highest figures.
#[must_use]
pub fn environments_compared(sides: [ComparedEnvironment<'_>; 2]) -> Vec<ComparedFact> {
    let mut facts = Vec::new();
    let mut add = |name: String, moves: bool, values: [ComparedValue; 2]| {
        if values.iter().any(|value| *value != ComparedValue::Nothing) {
            facts.push(ComparedFact { name, values, moves });
        }
    };
    let roles: BTreeSet<&str> = sides.iter().flat_map(|side| side.roles()).collect();
    for role in &roles {
        add(format!("role {role}"), false, sides.map(|side| side.hosts_of(role)));
    }
    add("masters".to_owned(), false, sides.map(|side| side.replication().masters()));
    add("replicas".to_owned(), false, sides.map(|side| side.replication().replicas()));
    add("worst lag".to_owned(), true, sides.map(|side| side.replication().worst_lag()));
    let services: BTreeSet<&str> = sides.iter().flat_map(|side| side.services()).collect();
    for service in services {
        add(format!("service {service}"), false, sides.map(|side| side.service(service)));
    }
    // What versions a role has says nothing where there is no such role: its own row says that.
    for role in roles.iter().filter(|role| sides.iter().all(|side| side.with_role(role).next().is_some())) {
        add(format!("{role} system"), false, sides.map(|side| side.systems(role)));
        add(format!("{role} kernel"), false, sides.map(|side| side.kernels(role)));
        add(format!("{role} database"), false, sides.map(|side| side.databases(role)));
    }
    for severity in [Severity::Critical, Severity::Unknown, Severity::Warning] {
        add(format!("problems {}", severity.word()), false, sides.map(|side| side.problems(severity)));
    }
    add("highest load/CPU".to_owned(), true, sides.map(|side| side.highest_load()));
    add("highest memory".to_owned(), true, sides.map(|side| side.highest_memory()));
    add("fullest local disk".to_owned(), true, sides.map(|side| side.fullest_disk()));
    facts
}

impl<'a> ComparedEnvironment<'a> {
    /// The environment as it is known at a moment.
    #[must_use]
    pub fn new(env: &'a EnvironmentState, now: Moment) -> Self {
        Self { env, now }
    }

    /// The jump box and its link: `salt up`.
    #[must_use]
    pub fn way(&self) -> String {
        let jump = &self.env.jump;
        format!("{} {}", jump.in_use(), jump.link.state.label())
    }

    /// Of how many hosts there is a current report, and of how many there should be one.
    #[must_use]
    pub fn reports(&self) -> (usize, usize) {
        (self.env.hosts.iter().filter(|host| self.is_current(host)).count(), self.env.hosts.len())
    }

    /// How old the oldest of the last reports is; `None` where there is none.
    #[must_use]
    pub fn oldest(&self) -> Option<Duration> {
        self.env.hosts.iter().filter_map(|host| host.age(self.now)).max()
    }

    /// Why nothing of it is known; `None` while its jump box answers.
    fn gone(&self) -> Option<ComparedValue> {
        match self.env.jump.link.state {
            LinkState::Up => None,
            LinkState::Pending => Some(ComparedValue::Unknown("no data yet".to_owned())),
            state => Some(ComparedValue::Unknown(format!("jump box: {}", state.label()))),
        }
    }

    fn is_current(&self, host: &HostSnapshot) -> bool {
        let poll = self.env.spec.cadence.poll;
        let fresh = |age| Freshness::of(age, poll) == Freshness::Fresh;
        self.env.jump.link.is_up() && host.link.is_up() && host.age(self.now).is_some_and(fresh)
    }

    fn all(&self) -> impl Iterator<Item = CurrentHost<'a>> + use<'a> {
        self.env.spec.hosts.iter().zip(&self.env.hosts)
    }

    fn with_role(&self, role: &str) -> impl Iterator<Item = CurrentHost<'a>> {
        self.all().filter(move |(spec, _)| spec.has_role(role))
    }

    fn roles(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.env.spec.hosts.iter().flat_map(|host| host.roles.iter().map(|role| role.as_str()))
    }

    fn services(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.env.hosts.iter().flat_map(|host| host.facts.services.iter().map(|entry| entry.name()))
    }

    /// The value of a host's fact, where it is current.
    fn now_of<T>(&self, host: &HostSnapshot, fact: &'a Fact<T>) -> Option<&'a T> {
        fact.current().filter(|_| self.is_current(host))
    }

    fn hosts_of(&self, role: &str) -> ComparedValue {
        let hosts = || self.with_role(role).map(|(_, host)| &**host);
        let up = HostsUp::of(&self.env.jump, hosts(), |host| self.is_current(host));
        match (up.all(), up.known()) {
            (0, _) => ComparedValue::Nothing,
            (_, Some(_)) if self.env.jump.link.is_up() => ComparedValue::Known(up.short()),
            (all, _) if !self.env.jump.link.is_up() => ComparedValue::Unknown(format!("? of {all} up")),
            (_, Some(_) | None) => ComparedValue::Unknown(up.short()),
        }
    }

    fn replication(&self) -> KnownReplication {
        let mut found = KnownReplication { gone: self.gone(), ..KnownReplication::default() };
        for (spec, host) in self.all() {
            let databases = self.now_of(host, &host.facts.databases);
            match databases.map(|databases| replication_brief(databases)) {
                // Where no database is expected and none was seen, a silent host is no missing one.
                None => {
                    let seen = host.facts.databases.last().is_some_and(|databases| !databases.is_empty());
                    found.unknown += usize::from(seen || spec.expects_database());
                }
                Some(ReplicationBrief::Unknown(_)) => found.unknown += 1,
                Some(ReplicationBrief::Master { .. }) => {
                    found.masters.insert(spec.id.host.to_string());
                }
                Some(ReplicationBrief::Following { lag_s, .. }) => {
                    found.replicas += 1;
                    match lag_s {
                        Some(lag) => found.lag = found.lag.max(Some(lag)),
                        None => found.no_lag += 1,
                    }
                }
                Some(ReplicationBrief::Broken { state: Thread::Unknown, .. }) => found.unknown += 1,
                Some(ReplicationBrief::Broken { .. }) => {
                    found.replicas += 1;
                    found.no_lag += 1;
                }
                // A master that nobody follows.
                Some(ReplicationBrief::Standalone { .. }) if spec.has_role("masterdb") => {
                    found.masters.insert(spec.id.host.to_string());
                }
                Some(
                    ReplicationBrief::None
                    | ReplicationBrief::Standalone { .. }
                    | ReplicationBrief::Member { .. },
                ) => {}
            }
        }
        found
    }

    /// On how many of its hosts a service is not well.
    fn service(&self, name: &str) -> ComparedValue {
        if let Some(gone) = self.gone() {
            return gone;
        }
        let [mut all, mut down, mut degraded, mut unknown] = [0_usize; 4];
        for (_, host) in self.all() {
            let Some(entry) = host.facts.services.iter().find(|entry| entry.name() == name) else { continue };
            all += 1;
            let health = self.now_of(host, &entry.fact).map(|service| {
                ServiceHealth::of(service, &entry.findings(service, &self.env.spec.thresholds))
            });
            match health {
                Some(ServiceHealth::Ok) => {}
                Some(ServiceHealth::Degraded) => degraded += 1,
                Some(ServiceHealth::Down) => down += 1,
                Some(ServiceHealth::Unknown) | None => unknown += 1,
            }
        }
        let counts = [(down, "down"), (degraded, "degraded"), (unknown, "unknown")];
        let told = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} of {all} {word}"));
        let told = told.collect::<Vec<_>>().join(", ");
        match (all, unknown) {
            // A host that says nothing may run it.
            (0, _) => match self.silent() {
                0 => ComparedValue::Nothing,
                silent => ComparedValue::Unknown(format!("{silent} of {} unknown", self.env.hosts.len())),
            },
            (_, 0) if told.is_empty() => ComparedValue::Known("all ok".to_owned()),
            (_, 0) => ComparedValue::Known(told),
            (_, _) => ComparedValue::Unknown(told),
        }
    }

    /// Of how many hosts there is no current report.
    fn silent(&self) -> usize {
        let (current, all) = self.reports();
        all - current
    }

    fn systems(&self, role: &str) -> ComparedValue {
        self.set(role, |host| {
            let os = self.now_of(host, &host.facts.os)?;
            (!os.pretty.is_empty()).then(|| vec![os.pretty.to_string()])
        })
    }

    fn kernels(&self, role: &str) -> ComparedValue {
        self.set(role, |host| {
            let kernel = self.now_of(host, &host.facts.os)?.kernel.as_ref()?;
            Some(vec![kernel.to_string()])
        })
    }

    fn databases(&self, role: &str) -> ComparedValue {
        let version = |database: &Database| database.version.as_ref().map(Clean::to_string);
        self.set(role, |host| {
            self.now_of(host, &host.facts.databases)?.iter().map(version).collect::<Option<Vec<String>>>()
        })
    }

    /// The different texts of a role's hosts, as a set.
    fn set(&self, role: &str, texts: impl Fn(&'a HostSnapshot) -> Option<Vec<String>>) -> ComparedValue {
        if let Some(gone) = self.gone() {
            return gone;
        }
        let (mut found, mut unknown, mut all) = (BTreeSet::new(), 0_usize, 0_usize);
        for (_, host) in self.with_role(role) {
            all += 1;
            match texts(host) {
                Some(texts) => found.extend(texts),
                None => unknown += 1,
            }
        }
        let mut text = found.into_iter().collect::<Vec<_>>().join(", ");
        match unknown {
            0 if text.is_empty() => ComparedValue::Nothing,
            0 => ComparedValue::Known(text),
            _ => {
                if !text.is_empty() {
                    text.push_str(", ");
                }
                ComparedValue::Unknown(format!("{text}{unknown} of {all} unknown"))
            }
        }
    }

    /// How many problems of a severity there are. Behind what is unknown there may be more critical ones and warnings.
    fn problems(&self, severity: Severity) -> ComparedValue {
        if let Some(gone) = self.gone() {
            return gone;
        }
        if self.env.judged_at.is_none() {
            return ComparedValue::Unknown("not judged yet".to_owned());
        }
        let count = |wanted| self.env.problems.iter().filter(|problem| problem.severity == wanted).count();
        let n = count(severity);
        let is_all = self.silent() == 0 && (severity == Severity::Unknown || count(Severity::Unknown) == 0);
        if is_all {
            ComparedValue::Known(n.to_string())
        } else {
            ComparedValue::Unknown(format!("at least {n}"))
        }
    }

    fn highest_load(&self) -> ComparedValue {
        let of = |host: &'a HostSnapshot| {
            let load = self.now_of(host, &host.facts.load)?;
            Some(load.one / f64::from(load.cpus.filter(|cpus| *cpus > 0)?))
        };
        self.highest(of, |value| format!("{value:.2}"))
    }

    fn highest_memory(&self) -> ComparedValue {
        let of = |host: &'a HostSnapshot| {
            self.now_of(host, &host.facts.memory).filter(|memory| !memory.cache_unread)?.used_percent()
        };
        self.highest(of, |value| format!("{value:.0}%"))
    }

    fn fullest_disk(&self) -> ComparedValue {
        let of = |host: &'a HostSnapshot| {
            let disks = self.now_of(host, &host.facts.filesystems)?;
            let used = disks.iter().map(|disk| disk.usage.as_ref().ok()?.use_percent);
            used.collect::<Option<Vec<u8>>>()?.into_iter().max().map(f64::from)
        };
        self.highest(of, |value| format!("{value:.0}%"))
    }

    /// The highest figure and its host. It is a lower bound while it is not known of every host.
    fn highest(
        &self,
        of: impl Fn(&'a HostSnapshot) -> Option<f64>,
        show: impl Fn(f64) -> String,
    ) -> ComparedValue {
        if let Some(gone) = self.gone() {
            return gone;
        }
        let (mut highest, mut unknown): (Option<(f64, &str)>, usize) = (None, 0);
        for (spec, host) in self.all() {
            match of(host) {
                Some(value) if highest.is_none_or(|(most, _)| value > most) => {
                    highest = Some((value, spec.id.host.as_str()));
                }
                Some(_) => {}
                None => unknown += 1,
            }
        }
        match (highest, unknown) {
            (None, 0) => ComparedValue::Nothing,
            (None, _) => ComparedValue::Unknown("unknown of every host".to_owned()),
            (Some((value, host)), 0) => ComparedValue::Known(format!("{} {host}", show(value))),
            (Some((value, host)), n) => {
                ComparedValue::Unknown(format!("at least {} {host}, {n} unknown", show(value)))
            }
        }
    }
}

/// What is known of an environment's replication.
#[derive(Debug, Clone, Default)]
struct KnownReplication {
    gone: Option<ComparedValue>,
    masters: BTreeSet<String>,
    replicas: usize,
    lag: Option<u64>,
    /// Replicas whose lag is not known.
    no_lag: usize,
    /// Hosts that have or should have a database, of which nothing current is known.
    unknown: usize,
}

impl KnownReplication {
    fn masters(self) -> ComparedValue {
        let names = self.masters.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.told(names)
    }

    fn replicas(self) -> ComparedValue {
        let n = self.replicas;
        let text = if n == 0 && self.masters.is_empty() { String::new() } else { n.to_string() };
        self.told(text)
    }

    fn worst_lag(mut self) -> ComparedValue {
        self.unknown += self.no_lag;
        let text = self.lag.map_or_else(String::new, |lag| format!("{lag} s"));
        self.told(text)
    }

    fn told(self, text: String) -> ComparedValue {
        match (self.gone, self.unknown) {
            (Some(gone), _) => gone,
            (None, 0) if text.is_empty() => ComparedValue::Nothing,
            (None, 0) => ComparedValue::Known(text),
            (None, n) if text.is_empty() => ComparedValue::Unknown(format!("{n} unknown")),
            (None, n) => ComparedValue::Unknown(format!("{text}, {n} unknown")),
        }
    }
}

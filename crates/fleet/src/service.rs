//! Services of a host, as plain data. What is special about one (its roles, its rule, its words) is its [`ServiceKind`], which the
//! service's own probe declares; judgement, screens and the JSON loop over what they find here and name no service.

use std::fmt;
use std::sync::Arc;

use crate::backup::DeclaredBackup;
use crate::check::{CheckVerdict, DeclaredCheck, PerfDatum};
use crate::declared::DeclaredService;
use crate::fact::{Fact, Gap};
use crate::fleet::{Host, Thresholds};
use crate::problem::Severity;
use crate::text::Clean;
use crate::time::Moment;

pub mod backups;
pub mod checks;
mod figure;
#[cfg(test)]
mod tests;
pub mod web;

pub use figure::{Figure, ServiceReading, Unit};

/// Where a service with a probe of its own is looked for, as long as the inventory says nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostsOf {
    /// Hosts of any of these roles run it.
    Roles(&'static [&'static str]),
    /// Every host may have it, except those of these roles: it is shown where it is found. Where it is not there, nothing is missing.
    Found {
        /// The roles of hosts that are not asked.
        except: &'static [&'static str],
    },
    /// Hosts of any of these roles may have it. Where it is not installed, nothing is missing; any other gap is one.
    FoundIn(&'static [&'static str]),
}

impl HostsOf {
    fn has(self, host: &Host) -> bool {
        let any = |roles: &[&str]| roles.iter().any(|role| host.has_role(role));
        match self {
            Self::Roles(roles) | Self::FoundIn(roles) => any(roles),
            Self::Found { except } => !any(except),
        }
    }

    /// Whether this gap of one that was never found is nothing to say.
    fn is_silent(self, gap: &Gap) -> bool {
        match self {
            Self::Roles(_) => false,
            Self::Found { .. } => true,
            // Whether it is there, its first answer will say.
            Self::FoundIn(_) => matches!(gap, Gap::NotInstalled | Gap::NotAsked),
        }
    }
}

/// What is special about a service. One static, in the file of its probe.
pub struct ServiceKind {
    /// Its name in questions, screens and the JSON: a short word in lower case.
    pub name: &'static str,
    /// Where it is looked for.
    pub hosts: HostsOf,
    /// How bad it is when it is stopped.
    pub stopped: Severity,
    /// What to do when it is stopped, in one sentence.
    pub when_stopped: &'static str,
    /// What is wrong with one that runs. Gaps are reported without it.
    pub rule: fn(&Service, &Thresholds, &mut Vec<Finding>),
    /// What the fleet's row says of one that runs, in a word or two.
    pub short: fn(&Service) -> Option<&str>,
}

impl ServiceKind {
    /// Whether a host is asked for it.
    #[must_use]
    pub fn is_asked_of(&self, host: &Host) -> bool {
        (self.hosts.has(host) || host.services.iter().any(|service| service.name == self.name))
            && !host.unwatched.iter().any(|name| name == self.name)
    }

    /// What is wrong with a service: that it is stopped, else what its rule finds and what could not be read.
    #[must_use]
    pub fn findings(&self, service: &Service, limits: &Thresholds) -> Vec<Finding> {
        let mut found = Vec::new();
        if service.running {
            (self.rule)(service, limits, &mut found);
            found.extend(service.gaps.iter().map(|(what, gap)| {
                Finding::new(Severity::Unknown, format!("{} {what} {}", self.name, gap.describe()))
            }));
        } else {
            let message = format!("{} is stopped: {}. {}", self.name, service.detail, self.when_stopped);
            found.push(Finding::new(self.stopped, message));
        }
        found
    }
}

impl fmt::Debug for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for ServiceKind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What a probe read of a service. That nobody could tell is the [`Gap`] of its fact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// It runs and answers; else it is certain that it does not run.
    pub running: bool,
    /// One line about it: version and role, or what shows that it is stopped.
    pub detail: Clean,
    /// Its figures, in the order in which they are shown. One that does not exist here (a limit that is not set) is not listed.
    pub readings: Box<[ServiceReading]>,
    /// What could not be read of one that runs, and why.
    pub gaps: Box<[(&'static str, Gap)]>,
    /// What the answer of a check says; of other services `None`.
    pub check: Option<Box<CheckVerdict>>,
}

impl Service {
    /// A figure by its name.
    #[must_use]
    pub fn reading(&self, name: &str) -> Option<&Figure> {
        self.readings.iter().find(|reading| reading.name == name).map(|reading| &reading.figure)
    }

    /// The text of a figure that is one.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.reading(name)? {
            Figure::Text(text) => Some(text.as_str()),
            Figure::Flag(_) | Figure::Amount { .. } => None,
        }
    }

    /// The figures of a check.
    #[must_use]
    pub fn perfdata(&self) -> &[PerfDatum] {
        self.check.as_ref().map_or(&[], |check| &check.figures)
    }

    /// The number of a figure that is one.
    #[must_use]
    pub fn amount(&self, name: &str) -> Option<u64> {
        match self.reading(name)? {
            Figure::Amount { value, .. } => Some(*value),
            Figure::Text(_) | Figure::Flag(_) => None,
        }
    }
}

/// One thing that is wrong with a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The reading that shows it, where one does.
    pub reading: Option<&'static str>,
    /// What is wrong, and what to do next.
    pub message: String,
}

impl Finding {
    /// A finding about the whole service.
    #[must_use]
    pub fn new(severity: Severity, message: String) -> Self {
        Self { severity, reading: None, message }
    }

    /// A finding that a reading shows.
    #[must_use]
    pub fn of(reading: &'static str, severity: Severity, message: String) -> Self {
        Self { severity, reading: Some(reading), message }
    }
}

/// How a service is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceHealth {
    /// It runs, and nothing is wrong.
    Ok,
    /// It runs, and something is wrong.
    Degraded,
    /// It is stopped.
    Down,
    /// Nobody could tell.
    Unknown,
}

impl ServiceHealth {
    /// The health of a service with these findings.
    #[must_use]
    pub fn of(service: &Service, findings: &[Finding]) -> Self {
        let worst = findings.iter().map(|finding| finding.severity).max();
        match (service.running, worst) {
            (false, _) => Self::Down,
            (true, None) => Self::Ok,
            (true, Some(Severity::Unknown)) => Self::Unknown,
            (true, Some(Severity::Warning | Severity::Critical)) => Self::Degraded,
        }
    }

    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known of a host's services: a fact each, so that none overwrites another. A list, as a host runs few: the smallest
/// node of a map has room for eleven.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Services(Vec<ServiceEntry>);

/// The reading that names the unit of a service that is stopped.
pub const UNIT: &str = "unit";

/// What is wrong with a service that the inventory names: that it is stopped, or what its status page shows.
fn declared_findings(declared: &DeclaredService, service: &Service) -> Vec<Finding> {
    if service.running {
        return web::findings(&declared.name, service);
    }
    let next = declared.when_stopped.clone().unwrap_or_else(|| {
        let unit =
            service.text(UNIT).or(declared.units.first().map(String::as_str)).unwrap_or(&declared.name);
        format!("Look at its log, then start it: service {unit} start.")
    });
    let message = format!("{} is stopped: {}. {next}", declared.name, service.detail);
    vec![Finding::new(declared.stopped, message)]
}

/// What a service is: one with a probe of its own, or one that the inventory names: a process, a backup, a check.
#[derive(Debug, Clone, PartialEq)]
enum ServiceSort {
    Probed(&'static ServiceKind),
    Declared(Arc<DeclaredService>),
    Backup(Arc<DeclaredBackup>),
    Check(Arc<DeclaredCheck>),
}

/// One service of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceEntry {
    sort: ServiceSort,
    /// The inventory says that this host runs it.
    expected: bool,
    /// What is known of it.
    pub fact: Fact<Arc<Service>>,
}

impl ServiceEntry {
    /// Its name in questions, screens and the JSON.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.sort {
            ServiceSort::Probed(kind) => kind.name,
            ServiceSort::Declared(declared) => &declared.name,
            ServiceSort::Backup(backup) => &backup.name,
            ServiceSort::Check(check) => &check.name,
        }
    }

    /// What is wrong with it.
    #[must_use]
    pub fn findings(&self, service: &Service, limits: &Thresholds) -> Vec<Finding> {
        match &self.sort {
            ServiceSort::Probed(kind) => kind.findings(service, limits),
            ServiceSort::Declared(declared) => declared_findings(declared, service),
            ServiceSort::Backup(backup) => backups::findings(backup, service),
            ServiceSort::Check(check) => checks::findings(check, service),
        }
    }

    /// What the fleet's row says of one that runs, in a word or two.
    #[must_use]
    pub fn short<'a>(&self, service: &'a Service) -> Option<&'a str> {
        match &self.sort {
            ServiceSort::Probed(kind) => (kind.short)(service),
            ServiceSort::Declared(_) | ServiceSort::Backup(_) | ServiceSort::Check(_) => None,
        }
    }

    /// The inventory's words for it, where it is one that the inventory names.
    #[must_use]
    pub fn declared(&self) -> Option<&Arc<DeclaredService>> {
        match &self.sort {
            ServiceSort::Probed(_) | ServiceSort::Backup(_) | ServiceSort::Check(_) => None,
            ServiceSort::Declared(declared) => Some(declared),
        }
    }

    /// The inventory's words for it, where it is a backup.
    #[must_use]
    pub fn backup(&self) -> Option<&Arc<DeclaredBackup>> {
        match &self.sort {
            ServiceSort::Probed(_) | ServiceSort::Declared(_) | ServiceSort::Check(_) => None,
            ServiceSort::Backup(backup) => Some(backup),
        }
    }

    /// The inventory's words for it, where it is a check.
    #[must_use]
    pub fn check(&self) -> Option<&Arc<DeclaredCheck>> {
        match &self.sort {
            ServiceSort::Probed(_) | ServiceSort::Declared(_) | ServiceSort::Backup(_) => None,
            ServiceSort::Check(check) => Some(check),
        }
    }
}

impl Services {
    /// Takes what a probe read, or why it read nothing. Of a service that is shown where it is found, and that nobody expects here,
    /// there is nothing to say until it is found, or when it is gone.
    pub fn take(&mut self, kind: &'static ServiceKind, answer: Result<Service, Gap>, at: Moment) {
        if let Err(gap) = &answer
            && kind.hosts.is_silent(gap)
            && !self.0.iter().any(|entry| entry.name() == kind.name && entry.expected)
        {
            if *gap == Gap::NotInstalled {
                self.0.retain(|entry| entry.name() != kind.name);
            }
            if self.get(kind.name).is_none() {
                return;
            }
        }
        self.change(ServiceSort::Probed(kind), |entry| entry.fact.take(answer.map(Arc::new), at));
    }

    /// Changes the entry of a service, made where there is none. Where a service has a probe of its own, that is what it is.
    fn change(&mut self, sort: ServiceSort, change: impl FnOnce(&mut ServiceEntry)) {
        let mut new = ServiceEntry { sort, expected: false, fact: Fact::default() };
        match self.0.binary_search_by(|entry| entry.name().cmp(new.name())) {
            Ok(place) => {
                let Some(entry) = self.0.get_mut(place) else { return };
                if !matches!((&entry.sort, &new.sort), (ServiceSort::Probed(_), ServiceSort::Declared(_))) {
                    entry.sort = new.sort;
                }
                change(entry);
            }
            Err(place) => {
                change(&mut new);
                self.0.reserve_exact(1);
                self.0.insert(place, new);
            }
        }
    }

    /// Forgets the services that a host should not run any more: nobody asks for them, so they would age for ever. Those that the
    /// inventory names are there from the beginning: one that was never asked is unknown.
    pub fn follow(&mut self, host: &Host) {
        self.0.retain(|entry| match &entry.sort {
            ServiceSort::Probed(kind) => kind.is_asked_of(host),
            ServiceSort::Declared(declared) => {
                host.services.iter().any(|service| service.name == declared.name)
            }
            ServiceSort::Backup(backup) => host.backups.iter().any(|one| one.name == backup.name),
            ServiceSort::Check(check) => host.checks.iter().any(|one| one.name == check.name),
        });
        self.0.iter_mut().for_each(|entry| entry.expected = false);
        for declared in &host.services {
            self.change(ServiceSort::Declared(Arc::clone(declared)), |entry| entry.expected = true);
        }
        for backup in &host.backups {
            self.change(ServiceSort::Backup(Arc::clone(backup)), |_| {});
        }
        for check in &host.checks {
            self.change(ServiceSort::Check(Arc::clone(check)), |_| {});
        }
    }

    /// Every service, by name.
    pub fn iter(&self) -> std::slice::Iter<'_, ServiceEntry> {
        self.0.iter()
    }

    /// The same, to change them.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, ServiceEntry> {
        self.0.iter_mut()
    }

    /// A service by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Fact<Arc<Service>>> {
        self.0.iter().find(|entry| entry.name() == name).map(|entry| &entry.fact)
    }

    /// Whether jumpdeck looks at none on this host.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Services {
    type Item = &'a ServiceEntry;
    type IntoIter = std::slice::Iter<'a, ServiceEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

//! When hosts are alike, so that a table shows one row for many of them.
//!
//! Two hosts are alike when all of this is the same: their roles by the inventory, the roles that they report, the release of the
//! operating system, what they are in their replication, which services they have and how each is, and which problems they have
//! (kind, severity and service). Figures do not count: one that leaves its band is a problem.
//!
//! A host of which something is unknown is like no other: one that does not answer, whose report is not fresh, or with a problem that
//! says what is unknown ([`Unlike`]).

use std::collections::BTreeSet;
use std::time::Duration;

use super::Situation;
use super::roles::reported;
use crate::fleet::Host;
use crate::names::{HostName, RoleName};
use crate::problem::{Problem, ProblemKind, Severity};
use crate::service::ServiceHealth;
use crate::snapshot::{HostSnapshot, JumpSnapshot, LinkState};
use crate::summary::{ReplicationBrief, replication_brief, replication_words};
use crate::time::{Freshness, Moment};

/// What hosts that are alike have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likeness {
    /// Their roles by the inventory, sorted.
    pub roles: Vec<RoleName>,
    reported: Vec<RoleName>,
    release: String,
    replication: String,
    services: Vec<(String, &'static str)>,
    problems: BTreeSet<(Severity, ProblemKind, Option<String>)>,
}

/// Why a host is like no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlike {
    /// Its jump box does not answer.
    JumpDown,
    /// It does not answer.
    Silent(LinkState),
    /// Its last report is not fresh.
    Old,
    /// Something of it is not known.
    Unknown,
}

impl Unlike {
    /// In a word or two.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::JumpDown => "jump box down",
            Self::Silent(state) => state.label(),
            Self::Old => "old report",
            Self::Unknown => "unknown facts",
        }
    }
}

/// Whether a host, asked every `poll`, answers and its last report is fresh at a moment.
///
/// # Errors
/// Why it is like no other.
pub fn is_current(
    jump: &JumpSnapshot,
    host: &HostSnapshot,
    poll: Duration,
    now: Moment,
) -> Result<(), Unlike> {
    if !jump.link.is_up() {
        return Err(Unlike::JumpDown);
    }
    if !host.link.is_up() {
        return Err(Unlike::Silent(host.link.state));
    }
    match host.age(now).map(|age| Freshness::of(age, poll)) {
        Some(Freshness::Fresh) => Ok(()),
        Some(Freshness::Stale | Freshness::Expired) | None => Err(Unlike::Old),
    }
}

/// What a host has in common with those that are alike; `problems` are all that concern it.
///
/// # Errors
/// Why it is like no other.
pub fn likeness(
    situation: &Situation<'_>,
    spec: &Host,
    host: &HostSnapshot,
    problems: &[&Problem],
) -> Result<Likeness, Unlike> {
    is_current(situation.jump, host, situation.env.cadence.poll, situation.now)?;
    if problems.iter().any(|problem| problem.severity == Severity::Unknown) {
        return Err(Unlike::Unknown);
    }
    let facts = &host.facts;
    let limits = &situation.env.thresholds;
    let reported = reported(spec, host).ok_or(Unlike::Unknown)?;
    let release = facts.os.current().ok_or(Unlike::Unknown)?.release.to_string();
    let databases = facts.databases.current().ok_or(Unlike::Unknown)?;
    let services = facts.services.iter().map(|entry| {
        let service = entry.fact.current()?;
        match ServiceHealth::of(service, &entry.findings(service, limits)) {
            ServiceHealth::Unknown => None,
            known @ (ServiceHealth::Ok | ServiceHealth::Degraded | ServiceHealth::Down) => {
                Some((entry.name().to_owned(), known.word()))
            }
        }
    });
    Ok(Likeness {
        roles: sorted(&spec.roles),
        reported: sorted(&reported),
        release,
        replication: standing(replication_brief(databases)).ok_or(Unlike::Unknown)?,
        services: services.collect::<Option<_>>().ok_or(Unlike::Unknown)?,
        problems: problems
            .iter()
            .map(|problem| (problem.severity, problem.kind, problem.service.clone()))
            .collect(),
    })
}

fn sorted(roles: &[RoleName]) -> Vec<RoleName> {
    let mut roles = roles.to_vec();
    roles.sort();
    roles
}

/// What a host is in its replication, without its lag; `None` when that is not known.
fn standing(brief: ReplicationBrief<'_>) -> Option<String> {
    Some(match brief {
        ReplicationBrief::Unknown(_)
        | ReplicationBrief::Standalone { writable: None }
        | ReplicationBrief::Master { writable: None, .. }
        | ReplicationBrief::Master { replicas: None, .. }
        | ReplicationBrief::Member { writable: None, .. }
        | ReplicationBrief::Following { writable: None, .. }
        | ReplicationBrief::Following { lag_s: None, .. } => return None,
        ReplicationBrief::Following { delay_s, writable: Some(writable), lag_s: Some(_), .. } => {
            format!("replica, delay {delay_s:?}, writable {writable}")
        }
        ReplicationBrief::None
        | ReplicationBrief::Standalone { writable: Some(_) }
        | ReplicationBrief::Master { writable: Some(_), replicas: Some(_) }
        | ReplicationBrief::Member { writable: Some(_), .. }
        | ReplicationBrief::Broken { .. } => replication_words(brief),
    })
}

impl Likeness {
    /// In what another host differs, each in a word or two: `role`, `lag`, `disk`. Empty when they are alike.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut add = |what: &str| {
            if !found.iter().any(|one| one == what) {
                found.push(what.to_owned());
            }
        };
        if self.roles != other.roles || self.reported != other.reported {
            add("role");
        }
        let mut problems: Vec<_> = self.problems.symmetric_difference(&other.problems).collect();
        // Worst first.
        problems.reverse();
        for (_, kind, service) in problems {
            match (service, kind) {
                (Some(service), _) => add(service),
                (None, ProblemKind::ReplicationLag) => add("lag"),
                (None, kind) => add(&kind.word().replace('_', " ")),
            }
        }
        if self.replication != other.replication {
            add("replication");
        }
        for (name, state) in &self.services {
            if !other.services.iter().any(|(one, other)| one == name && other == state) {
                add(name);
            }
        }
        for (name, _) in &other.services {
            if !self.services.iter().any(|(one, _)| one == name) {
                add(name);
            }
        }
        if self.release != other.release {
            add("OS");
        }
        found
    }
}

/// Names of hosts in few letters: `app1..app17, app20`. Three and more whose numbers follow each other are a range.
#[must_use]
pub fn short_names(names: &[&HostName]) -> String {
    let mut parts: Vec<(&str, Option<u64>, &str)> = names
        .iter()
        .map(|name| {
            let name = name.as_str();
            let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
            let digits = name.get(stem.len()..).unwrap_or_default();
            // A number with a leading zero is another name than the one without.
            let number = digits.parse().ok().filter(|n: &u64| n.to_string() == digits);
            (if number.is_some() { stem } else { name }, number, name)
        })
        .collect();
    parts.sort_unstable();
    let mut texts: Vec<String> = Vec::new();
    let mut rest = parts.as_slice();
    while let Some((stem, number, name)) = rest.first() {
        let follows = |(at, (other, next, _)): (usize, &(&str, Option<u64>, &str))| {
            let wanted = number.and_then(|n| n.checked_add(u64::try_from(at).unwrap_or(u64::MAX)));
            other == stem && next.is_some() && *next == wanted
        };
        let run = rest.iter().enumerate().take_while(|part| follows(*part)).count().max(1);
        let run = if run < 3 { 1 } else { run };
        let (these, after) = rest.split_at(run);
        texts.push(match these.last() {
            Some((_, _, last)) if run > 1 => format!("{name}..{last}"),
            Some(_) | None => (*name).to_owned(),
        });
        rest = after;
    }
    texts.join(", ")
}

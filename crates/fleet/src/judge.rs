//! Judgement: what is known in, problems out, worst first. Pure. One file a rule under `judge/`; a new rule is one
//! new file and one line in `RULES`.

use std::sync::Arc;

use super::fleet::Environment;
use super::names::HostName;
use super::outside::OutsideSnapshot;
use super::problem::{Problem, ProblemKind, Severity};
use super::snapshot::{HostSnapshot, JumpSnapshot, LinkState};
use super::time::{Freshness, Moment};
use roles::RoleStanding;

mod answers;
mod clock;
mod daily_jobs;
mod database_files;
mod databases;
mod disks;
mod failed_units;
mod grains;
pub mod likeness;
mod links;
mod load;
mod memory;
mod oom;
mod os;
mod outside;
mod read_only;
mod reboot;
pub mod roles;
mod runs;
mod services;
mod support;
#[cfg(test)]
mod tests;
mod updates;

/// Every rule there is.
const RULES: &[Rule] = &[
    Rule::Plain(links::rule),
    Rule::Plain(runs::rule),
    Rule::Plain(outside::rule),
    Rule::Plain(databases::rule),
    Rule::Plain(database_files::rule),
    Rule::Plain(disks::rule),
    Rule::OfRoles(roles::rule),
    Rule::Plain(grains::rule),
    Rule::Plain(load::rule),
    Rule::Plain(memory::rule),
    Rule::Plain(services::rule),
    Rule::Plain(answers::rule),
    Rule::Plain(clock::rule),
    Rule::Plain(os::rule),
    Rule::Plain(read_only::rule),
    Rule::Plain(oom::rule),
    Rule::Plain(failed_units::rule),
    Rule::Plain(daily_jobs::rule),
    Rule::Plain(updates::rule),
    Rule::Plain(reboot::rule),
    Rule::Plain(support::rule),
];

/// A rule looks at a situation and adds the problems it sees.
enum Rule {
    Plain(fn(&Situation<'_>, &mut Vec<Problem>)),
    /// It looks at how the roles stand, too.
    OfRoles(fn(&Situation<'_>, &[RoleStanding], &mut Vec<Problem>)),
}

/// What is to be said of an environment at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Its problems, worst first; within a severity in the order of the rules, then the inventory's.
    pub problems: Vec<Problem>,
    /// How its roles stand.
    pub roles: Vec<RoleStanding>,
}

/// All that is known of one environment at one moment: what rules judge.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What the inventory says.
    pub env: &'a Environment,
    /// The jump box.
    pub jump: &'a JumpSnapshot,
    /// The hosts, in the inventory's order.
    pub hosts: &'a [Arc<HostSnapshot>],
    /// What is seen from outside.
    pub outside: &'a OutsideSnapshot,
    /// The moment.
    pub now: Moment,
}

impl<'a> Situation<'a> {
    /// The hosts whose figures may be judged: they answer, and their last report has not expired.
    pub fn judgeable(&self) -> impl Iterator<Item = &'a HostSnapshot> + '_ {
        self.hosts.iter().map(Arc::as_ref).filter(|h| self.is_judgeable(h))
    }

    /// Whether a host's figures may be judged.
    #[must_use]
    pub fn is_judgeable(&self, host: &HostSnapshot) -> bool {
        host.link.is_up()
            && host
                .age(self.now)
                .is_some_and(|age| Freshness::of(age, self.env.cadence.poll) != Freshness::Expired)
    }

    /// Whether nobody expects an answer of this host yet: the first connection is under way.
    fn is_awaited(&self, host: &HostSnapshot) -> bool {
        host.link.state == LinkState::Pending && host.reported_at.is_none()
    }

    /// Whether the jump box is not known to be down: then what is not known of hosts is one problem, its own.
    fn jump_is_there(&self) -> bool {
        matches!(self.jump.link.state, LinkState::Up | LinkState::Pending)
    }

    fn problem(
        &self,
        severity: Severity,
        host: Option<&HostName>,
        kind: ProblemKind,
        message: String,
    ) -> Problem {
        Problem {
            severity,
            env: self.env.name.clone(),
            host: host.cloned(),
            named: Vec::new(),
            kind,
            service: None,
            subject: None,
            message,
        }
    }

    /// The same, of one thing among others of the host.
    fn problem_with(
        &self,
        severity: Severity,
        host: Option<&HostName>,
        kind: ProblemKind,
        subject: &str,
        message: String,
    ) -> Problem {
        Problem { subject: Some(subject.to_owned()), ..self.problem(severity, host, kind, message) }
    }

    /// A problem of the environment that names some of its hosts.
    fn problem_of(
        &self,
        severity: Severity,
        named: &[&HostName],
        kind: ProblemKind,
        message: String,
    ) -> Problem {
        let named = named.iter().map(|name| (*name).clone()).collect();
        Problem { named, ..self.problem(severity, None, kind, message) }
    }
}

/// Judges an environment. The roles of a thousand hosts are counted once, for the rule and for whoever shows them.
#[must_use]
pub fn judge(situation: &Situation<'_>) -> Judgement {
    let roles = roles::standings(situation);
    let mut problems = Vec::new();
    for rule in RULES {
        match rule {
            Rule::Plain(rule) => rule(situation, &mut problems),
            Rule::OfRoles(rule) => rule(situation, &roles, &mut problems),
        }
    }
    problems.sort_by_key(|p| std::cmp::Reverse(p.severity));
    Judgement { problems, roles }
}

/// The worst of some problems.
pub fn worst<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> Option<Severity> {
    problems.into_iter().map(|p| p.severity).max()
}

/// `a, b and 3 more`: names of hosts, so that a message stays readable however many there are.
fn some_names(names: &[&HostName]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    some(&names)
}

/// The same with more than names.
fn some<T: AsRef<str>>(texts: &[T]) -> String {
    const SHOWN: usize = 6;
    let shown: Vec<&str> = texts.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match texts.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

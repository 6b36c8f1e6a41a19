//! Questions a host did not answer as it should: what is not known may be anything.

use super::Situation;
use crate::domain::fact::{Fact, Gap};
use crate::domain::names::HostName;
use crate::domain::problem::{Problem, ProblemKind, Severity};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let facts = &host.facts;
        let name = &host.id.host;
        tell(s, name, "load", &facts.load, out);
        tell(s, name, "memory", &facts.memory, out);
        tell(s, name, "filesystems", &facts.filesystems, out);
        tell(s, name, "network filesystems", &facts.network_filesystems, out);
        tell(s, name, "grains", &facts.grains, out);
        tell(s, name, "databases", &facts.databases, out);
        tell(s, name, "services", &facts.services, out);
        tell(s, name, "operating system", &facts.os, out);
    }
}

fn tell<T>(s: &Situation<'_>, host: &HostName, what: &str, fact: &Fact<T>, out: &mut Vec<Problem>) {
    // Not asked and not installed are no failures: rules that need the answer say so themselves.
    if let Some(gap @ (Gap::TimedOut | Gap::NotPermitted(_) | Gap::Unreadable(_) | Gap::Failed(_))) =
        &fact.gap
    {
        let message = format!("{what} {}", gap.describe());
        out.push(s.problem(Severity::Unknown, Some(host), ProblemKind::Unreadable, message));
    }
}

//! Operating systems that get no security updates any more: one finding of the environment. It names no host as one to mark: where
//! a whole fleet is old, every row would be.

use std::collections::BTreeMap;

use super::{Situation, some_names};
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::upkeep::support;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let mut ended: BTreeMap<(&str, &str), Vec<&HostName>> = BTreeMap::new();
    for host in s.judgeable() {
        let today = host.facts.upkeep.current().and_then(|upkeep| upkeep.today.as_ref());
        let (Some(os), Some(today)) = (host.facts.os.current(), today) else { continue };
        if let Some(day) = support::ended(os.release.as_str(), today.as_str()) {
            ended.entry((day, os.release.as_str())).or_default().push(&host.id.host);
        }
    }
    if ended.is_empty() {
        return;
    }
    let hosts: usize = ended.values().map(Vec::len).sum();
    let parts: Vec<String> = ended
        .iter()
        .map(|((day, release), hosts)| format!("{release} since {day} on {}", some_names(hosts)))
        .collect();
    let message = format!(
        "out of support on {hosts} of {} hosts: {}. No security updates come without a contract (Ubuntu Pro, ELTS): move to a newer release",
        s.hosts.len(),
        parts.join("; ")
    );
    out.push(s.problem(Severity::Warning, None, ProblemKind::OsSupport, message));
}

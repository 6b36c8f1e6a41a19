//! Operating systems that differ within an environment: one finding, the rarest named.

use std::collections::BTreeMap;

use super::{Situation, some_names};
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind, Severity};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let mut releases: BTreeMap<&str, Vec<&HostName>> = BTreeMap::new();
    for host in s.judgeable() {
        if let Some(os) = host.facts.os.current() {
            releases.entry(os.release.as_str()).or_default().push(&host.id.host);
        }
    }
    if releases.len() < 2 {
        return;
    }
    let mut by_count: Vec<_> = releases.into_iter().collect();
    by_count.sort_by_key(|(release, hosts)| (std::cmp::Reverse(hosts.len()), *release));
    let parts: Vec<String> = by_count
        .iter()
        .enumerate()
        .map(|(i, (release, hosts))| match i {
            0 if hosts.len() > 1 => format!("{release} on {} hosts", hosts.len()),
            _ => format!("{release} on {}", some_names(hosts)),
        })
        .collect();
    let message = format!("operating systems differ: {}", parts.join("; "));
    out.push(s.problem(Severity::Warning, None, ProblemKind::OsDiffers, message));
}

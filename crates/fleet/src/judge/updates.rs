//! Security updates that wait, and package lists so old that nobody knows: one problem each, however many hosts.

use super::{Situation, some};
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind, Severity};

/// Days. Systems that refresh their lists do it daily.
const OLDEST_LISTS: u64 = 30;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let mut waiting: Vec<(&HostName, u64)> = Vec::new();
    let mut old: Vec<(&HostName, u64)> = Vec::new();
    for host in s.judgeable() {
        let upkeep = host.facts.upkeep.current();
        let Some(updates) = upkeep.and_then(|upkeep| upkeep.updates.as_ref().ok()) else { continue };
        if updates.security > 0 {
            waiting.push((&host.id.host, updates.security));
        }
        if let Some(days) = updates.lists_age_s.map(|age| age / 86_400).filter(|days| *days > OLDEST_LISTS) {
            old.push((&host.id.host, days));
        }
    }
    waiting.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    old.sort_by_key(|(_, days)| std::cmp::Reverse(*days));
    match waiting.as_slice() {
        [] => {}
        [(host, count)] => {
            let message = if *count == 1 {
                "1 security update waits to be installed".to_owned()
            } else {
                format!("{count} security updates wait to be installed")
            };
            out.push(s.problem(Severity::Warning, Some(host), ProblemKind::SecurityUpdates, message));
        }
        hosts => {
            let texts: Vec<String> = hosts.iter().map(|(host, count)| format!("{host} ({count})")).collect();
            let message = format!("security updates wait on {} hosts: {}", hosts.len(), some(&texts));
            out.push(s.problem_of(Severity::Warning, &names(hosts), ProblemKind::SecurityUpdates, message));
        }
    }
    let unknown =
        "which updates wait is unknown. Refresh them: apt-get update, and see why it is not done daily";
    match old.as_slice() {
        [] => {}
        [(host, days)] => {
            let message = format!("its package lists are {days} days old: {unknown}");
            out.push(s.problem(Severity::Warning, Some(host), ProblemKind::PackageLists, message));
        }
        hosts => {
            let texts: Vec<String> =
                hosts.iter().map(|(host, days)| format!("{host} ({days} days)")).collect();
            let message =
                format!("package lists are old on {} hosts: {}: {unknown}", hosts.len(), some(&texts));
            out.push(s.problem_of(Severity::Warning, &names(hosts), ProblemKind::PackageLists, message));
        }
    }
}

fn names<'a>(hosts: &[(&'a HostName, u64)]) -> Vec<&'a HostName> {
    hosts.iter().map(|(host, _)| *host).collect()
}

//! Processes that the kernel ended for lack of memory: what else it ended nobody saw.

use super::Situation;
use crate::problem::{Problem, ProblemKind, Severity};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let upkeep = host.facts.upkeep.current();
        let Some(kills) = upkeep.and_then(|u| u.oom_kills.as_ref().ok()).filter(|kills| **kills > 0) else {
            continue;
        };
        let processes = if *kills == 1 { "1 process".to_owned() } else { format!("{kills} processes") };
        let message = format!(
            "the kernel killed {processes} for lack of memory since boot. See which: dmesg -T, or journalctl -k, and look for \
             \"Killed process\""
        );
        out.push(s.problem(Severity::Warning, Some(&host.id.host), ProblemKind::OomKill, message));
    }
}

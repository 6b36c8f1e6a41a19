//! Hosts that run older software than is installed, until they are rebooted: one problem, however many they are.

use super::{Situation, some};
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind, Severity};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let mut found: Vec<(&HostName, String)> = Vec::new();
    for host in s.judgeable() {
        let upkeep = host.facts.upkeep.current();
        if let Some(Ok(Some(reason))) = upkeep.map(|upkeep| &upkeep.reboot) {
            found.push((&host.id.host, reason.words()));
        }
    }
    let problem = match found.as_slice() {
        [] => return,
        [(host, why)] => {
            let message = format!("reboot required: {why}");
            s.problem(Severity::Warning, Some(host), ProblemKind::RebootRequired, message)
        }
        hosts => {
            let named: Vec<&HostName> = hosts.iter().map(|(host, _)| *host).collect();
            let texts: Vec<String> = hosts.iter().map(|(host, why)| format!("{host} ({why})")).collect();
            let message = format!("reboot required on {} hosts: {}", hosts.len(), some(&texts));
            s.problem_of(Severity::Warning, &named, ProblemKind::RebootRequired, message)
        }
    };
    out.push(problem);
}

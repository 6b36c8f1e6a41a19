//! Services that are not well: each is judged by its own rule. What could not be asked at all, the rule for answers reports.

use super::Situation;
use crate::problem::{Problem, ProblemKind};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        for entry in &host.facts.services {
            let Some(service) = entry.fact.current() else { continue };
            for finding in entry.findings(service, &s.env.thresholds) {
                let host = Some(&host.id.host);
                out.push(Problem {
                    service: Some(entry.name().to_owned()),
                    ..s.problem(finding.severity, host, ProblemKind::Service, finding.message)
                });
            }
        }
    }
}

//! Services that are not well.

use super::Situation;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::snapshot::ServiceState;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        for service in host.facts.services.current().into_iter().flatten() {
            let (severity, word) = match service.state {
                ServiceState::Ok => continue,
                ServiceState::Degraded => (Severity::Warning, "is degraded"),
                ServiceState::Down => (Severity::Critical, "is down"),
                ServiceState::Unknown => (Severity::Unknown, "could not be asked"),
            };
            let message = format!("{} {word}: {}", service.name, service.detail);
            out.push(s.problem(severity, Some(&host.id.host), ProblemKind::Service, message));
        }
    }
}

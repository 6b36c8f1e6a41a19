//! What a host says of itself against the inventory: its level, and its roles.

use super::{Situation, roles};
use crate::fact::Gap;
use crate::names::RoleName;
use crate::problem::{Problem, ProblemKind, Severity};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    // Both in the inventory's order: looking each of a thousand hosts up by name costs more than all other rules.
    for (spec, host) in s.env.hosts.iter().zip(s.hosts) {
        if !s.is_judgeable(host) {
            continue;
        }
        let name = Some(&host.id.host);
        match (&host.facts.grains.current(), &host.facts.grains.gap) {
            (Some(grains), _) => match &grains.level {
                Some(level) if level.as_str() == s.env.level => {}
                Some(level) => {
                    let message = format!("its level is {level}, this environment's is {}", s.env.level);
                    out.push(s.problem(Severity::Critical, name, ProblemKind::Level, message));
                }
                None => out.push(missing(s, name)),
            },
            (None, Some(Gap::NotInstalled)) => out.push(missing(s, name)),
            (None, _) => {}
        }
        let Some(found) = roles::reported(spec, host) else { continue };
        let (mut want, mut have) = (spec.roles.clone(), found);
        want.sort();
        have.sort();
        if want != have {
            let message = format!("roles differ: inventory says {}, the host {}", list(&want), list(&have));
            out.push(s.problem(Severity::Warning, name, ProblemKind::RolesDiffer, message));
        }
    }
}

fn missing(s: &Situation<'_>, name: Option<&crate::names::HostName>) -> Problem {
    let message = "its grains have no level, and many states then assume production. Set `level:` in its grains file (/etc/salt/grains) before you apply any state"
        .to_owned();
    s.problem(Severity::Warning, name, ProblemKind::Level, message)
}

fn list(roles: &[RoleName]) -> String {
    if roles.is_empty() {
        return "none".to_owned();
    }
    roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ")
}

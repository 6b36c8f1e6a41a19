//! Units of systemd that failed. Those of a service that the inventory names have its own problem.

use super::{Situation, some};
use crate::fleet::Host;
use crate::problem::{Problem, ProblemKind, Severity};

/// The most names of a host that the console keeps (`upkeep/read.rs`): there may be more.
const KEPT: usize = 40;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let upkeep = host.facts.upkeep.current();
        let Some(failed) = upkeep.and_then(|upkeep| upkeep.failed_units.as_ref().ok()) else { continue };
        let spec = s.env.host(&host.id.host);
        let others = |unit: &&str| !spec.is_some_and(|spec| is_declared(spec, unit));
        let units: Vec<&str> = failed.iter().map(|unit| unit.as_str()).filter(others).collect();
        let message = match units.as_slice() {
            [] => continue,
            [unit] => format!(
                "unit {unit} failed. See why: systemctl status -- '{unit}'. Then restart it, or forget it: systemctl reset-failed -- '{unit}'"
            ),
            units => {
                let least = if failed.len() < KEPT { "" } else { "at least " };
                let count = units.len();
                format!("{least}{count} units failed: {}. See why: systemctl status -- 'UNIT'", some(units))
            }
        };
        out.push(s.problem(Severity::Warning, Some(&host.id.host), ProblemKind::FailedUnits, message));
    }
}

fn is_declared(host: &Host, unit: &str) -> bool {
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    host.services.iter().any(|service| service.units.iter().any(|own| own == name || own == unit))
}

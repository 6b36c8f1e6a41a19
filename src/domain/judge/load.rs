//! Load averages against the thresholds, per CPU.

use super::Situation;
use crate::domain::problem::{Problem, ProblemKind, Severity};

/// Where a host cannot say how many CPUs it has, the fleet's own rule is meant for two.
const CPUS_ASSUMED: u32 = 2;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let limits = &s.env.thresholds;
    for host in s.judgeable() {
        let Some(load) = host.facts.load.current() else { continue };
        let cpus = load.cpus.filter(|c| *c > 0).unwrap_or(CPUS_ASSUMED);
        let one = load.one / f64::from(cpus);
        let five = load.five / f64::from(cpus);
        let critical = one > limits.load_one_per_cpu.critical || five > limits.load_five_per_cpu.critical;
        let warning = one > limits.load_one_per_cpu.warning || five > limits.load_five_per_cpu.warning;
        let severity = match (critical, warning) {
            (true, _) => Severity::Critical,
            (false, true) => Severity::Warning,
            (false, false) => continue,
        };
        let on = match load.cpus {
            Some(1) => "1 CPU".to_owned(),
            Some(n) => format!("{n} CPUs"),
            None => "an unknown number of CPUs".to_owned(),
        };
        let message =
            format!("load {:.2} {:.2} {:.2} on {on} ({one:.2} per CPU)", load.one, load.five, load.fifteen);
        out.push(s.problem(severity, Some(&host.id.host), ProblemKind::Load, message));
    }
}

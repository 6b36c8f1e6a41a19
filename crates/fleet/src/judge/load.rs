//! Load averages against the thresholds, per CPU.

use super::Situation;
use crate::fleet::Thresholds;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::snapshot::Load;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let limits = &s.env.thresholds;
    for host in s.judgeable() {
        let Some(load) = host.facts.load.current() else { continue };
        let Some(severity) = weigh(load, limits) else { continue };
        let averages = format!("load {:.2} {:.2} {:.2}", load.one, load.five, load.fifteen);
        let message = match (load.one_per_cpu(), load.cpus) {
            (Some(each), Some(1)) => format!("{averages} on 1 CPU ({each:.2} per CPU)"),
            (Some(each), Some(n)) => format!("{averages} on {n} CPUs ({each:.2} per CPU)"),
            (Some(_) | None, _) if load.of_container_host => format!(
                "{averages} is of the machine that runs this container, whose number of CPUs is unknown"
            ),
            (Some(_) | None, _) => format!("{averages} on an unknown number of CPUs"),
        };
        out.push(s.problem(severity, Some(&host.id.host), ProblemKind::Load, message));
    }
}

/// Without the number of CPUs nothing can be said, except that a load which is low for one CPU is low for any.
fn weigh(load: &Load, limits: &Thresholds) -> Option<Severity> {
    let known = load.one_per_cpu().zip(load.five_per_cpu());
    let (one, five) = known.unwrap_or((load.one, load.five));
    let critical = one > limits.load_one_per_cpu.critical || five > limits.load_five_per_cpu.critical;
    let warning = one > limits.load_one_per_cpu.warning || five > limits.load_five_per_cpu.warning;
    match (known.is_some(), critical, warning) {
        (true, true, _) => Some(Severity::Critical),
        (true, false, true) => Some(Severity::Warning),
        (false, true, _) | (false, _, true) => Some(Severity::Unknown),
        (_, false, false) => None,
    }
}

//! Memory and swap against the thresholds.

use super::Situation;
use crate::fleet::Threshold;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::storage::human_kb;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let Some(memory) = host.facts.memory.current() else { continue };
        let name = Some(&host.id.host);
        if memory.used_percent().is_none() {
            let message = "memory in use is unknown: the host reports a total of 0 kB".to_owned();
            out.push(s.problem(Severity::Unknown, name, ProblemKind::Memory, message));
        }
        if let Some((severity, used)) = over(memory.used_percent(), s.env.thresholds.memory) {
            let (free, all) = (human_kb(memory.available_kb), human_kb(memory.total_kb));
            // ZFS gives its cache back when memory is wanted.
            let (severity, message) = if memory.cache_unread {
                let message = format!(
                    "memory in use is unknown: {used:.0}% with the ZFS cache, whose size cannot be read \
                     (/proc/spl/kstat/zfs/arcstats)"
                );
                (Severity::Unknown, message)
            } else {
                (severity, format!("memory {used:.0}% in use ({free} of {all} available)"))
            };
            out.push(s.problem(severity, name, ProblemKind::Memory, message));
        }
        if let Some((severity, used)) = over(memory.swap_used_percent(), s.env.thresholds.swap) {
            let (free, all) = (human_kb(memory.swap_free_kb), human_kb(memory.swap_total_kb));
            let message = format!("swap {used:.0}% in use ({free} of {all} free)");
            out.push(s.problem(severity, name, ProblemKind::Swap, message));
        }
    }
}

fn over(used: Option<f64>, limit: Threshold) -> Option<(Severity, f64)> {
    let used = used?;
    if used > limit.critical {
        Some((Severity::Critical, used))
    } else if used > limit.warning {
        Some((Severity::Warning, used))
    } else {
        None
    }
}

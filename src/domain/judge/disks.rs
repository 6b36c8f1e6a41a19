//! Filesystems: how full, how many inodes, and network mounts that do not answer.

use super::Situation;
use crate::domain::fact::Gap;
use crate::domain::fleet::Threshold;
use crate::domain::names::HostName;
use crate::domain::problem::{Problem, ProblemKind, Severity};
use crate::domain::storage::{Filesystem, human_kb, human_signed_kb};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let facts = &host.facts;
        let local = facts.filesystems.current().into_iter().flatten();
        let network = facts.network_filesystems.current().into_iter().flatten();
        for filesystem in local.chain(network) {
            judge_one(s, &host.id.host, filesystem, out);
        }
    }
}

fn judge_one(s: &Situation<'_>, host: &HostName, filesystem: &Filesystem, out: &mut Vec<Problem>) {
    let mount = &filesystem.mount;
    let usage = match &filesystem.usage {
        Ok(usage) => usage,
        Err(gap) => {
            let severity = if *gap == Gap::TimedOut { Severity::Critical } else { Severity::Unknown };
            let message = format!("{mount} ({}) {}", filesystem.device, gap.describe());
            out.push(s.problem(severity, Some(host), ProblemKind::Mount, message));
            return;
        }
    };
    if let Some((severity, percent)) = at_or_over(usage.use_percent, s.env.thresholds.disk) {
        let (free, size) = (human_signed_kb(usage.available_kb), human_kb(usage.size_kb));
        let full = if percent >= 100 { "full" } else { "in use" };
        let message = format!("{mount} {percent}% {full} ({free} of {size} available)");
        out.push(s.problem(severity, Some(host), ProblemKind::Disk, message));
    }
    if let Some((severity, percent)) = at_or_over(usage.inodes_use_percent, s.env.thresholds.inodes) {
        let message = format!("{mount} {percent}% of inodes in use");
        out.push(s.problem(severity, Some(host), ProblemKind::Inodes, message));
    }
}

fn at_or_over(percent: Option<u8>, limit: Threshold) -> Option<(Severity, u8)> {
    let percent = percent?;
    if f64::from(percent) >= limit.critical {
        Some((Severity::Critical, percent))
    } else if f64::from(percent) >= limit.warning {
        Some((Severity::Warning, percent))
    } else {
        None
    }
}

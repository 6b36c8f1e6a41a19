//! Filesystems: how full, how many inodes, and network mounts that do not answer.

use super::Situation;
use crate::fact::Gap;
use crate::fleet::Threshold;
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::snapshot::HostSnapshot;
use crate::storage::{Filesystem, human_kb, human_signed_kb};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let facts = &host.facts;
        let (local, network) = (facts.filesystems.current(), facts.network_filesystems.current());
        if local.is_some_and(Vec::is_empty) && network.is_some_and(Vec::is_empty) {
            let message = "no filesystem is listed, not even the root: disk usage is unknown".to_owned();
            out.push(s.problem(Severity::Unknown, Some(&host.id.host), ProblemKind::Disk, message));
        }
        let all: Vec<&Filesystem> =
            local.into_iter().flatten().chain(network.into_iter().flatten()).collect();
        for filesystem in &all {
            judge_one(s, host, filesystem, out);
        }
        inodes_not_known(s, &host.id.host, &all, out);
    }
}

/// One problem for all of a host's mounts whose inodes are not known: the reason is often the same tool.
fn inodes_not_known(s: &Situation<'_>, host: &HostName, all: &[&Filesystem], out: &mut Vec<Problem>) {
    let mut missing = all.iter().filter_map(|f| Some((f, f.inodes_gap.as_ref()?)));
    let Some((first, gap)) = missing.next() else { return };
    let more = match missing.count() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let message = format!("inodes of {}{more} {}", first.mount, gap.describe());
    out.push(s.problem(Severity::Unknown, Some(host), ProblemKind::Inodes, message));
}

fn judge_one(s: &Situation<'_>, snapshot: &HostSnapshot, filesystem: &Filesystem, out: &mut Vec<Problem>) {
    let host = &snapshot.id.host;
    let mount = &filesystem.mount;
    let usage = match &filesystem.usage {
        Ok(usage) => usage,
        Err(gap) => {
            let hangs = matches!(gap, Gap::TimedOut | Gap::Stuck);
            let severity = if hangs { Severity::Critical } else { Severity::Unknown };
            let message = format!("{mount} ({}) {}", filesystem.device, gap.describe());
            out.push(s.problem_with(severity, Some(host), ProblemKind::Mount, mount.as_str(), message));
            return;
        }
    };
    // Without a size there is nothing to fill: a filesystem of the kernel's, or of a program that counts none.
    if usage.use_percent.is_none() && usage.size_kb > 0 {
        let message = format!("usage of {mount} is unknown: df reports none");
        out.push(s.problem_with(Severity::Unknown, Some(host), ProblemKind::Disk, mount.as_str(), message));
    }
    // One message for a filesystem: that it is nearly full already says more than that it will be.
    let growth = snapshot.growth_of(filesystem);
    let filling = growth.filter(|growth| growth.is_a_problem(usage, &s.env.thresholds));
    let filling = filling.and(usage.use_percent).map(|percent| (Severity::Warning, percent));
    if let Some((severity, percent)) = at_or_over(usage.use_percent, s.env.thresholds.disk).or(filling) {
        let (free, size) = (human_signed_kb(usage.available_kb), human_kb(usage.size_kb));
        let full = if percent >= 100 { "full" } else { "in use" };
        let fills = growth.and_then(|growth| growth.describe(usage)).map(|text| format!(", {text}"));
        let fills = fills.unwrap_or_default();
        let deleted = deleted_files(snapshot, filesystem, usage.size_kb).unwrap_or_default();
        let message = format!("{mount} {percent}% {full} ({free} of {size} available){fills}{deleted}");
        out.push(s.problem_with(severity, Some(host), ProblemKind::Disk, mount.as_str(), message));
    }
    if let Some((severity, percent)) = at_or_over(usage.inodes_use_percent, s.env.thresholds.inodes) {
        let message = format!("{mount} {percent}% of inodes in use");
        out.push(s.problem_with(severity, Some(host), ProblemKind::Inodes, mount.as_str(), message));
    }
}

/// What to do first, where deleted files that are still open take a hundredth of the filesystem or more. They may be the temporary
/// files of a query, a disk of a virtual machine or a log: whether their process may end, only a look at them says.
fn deleted_files(host: &HostSnapshot, filesystem: &Filesystem, size_kb: u64) -> Option<String> {
    if filesystem.remote {
        return None;
    }
    let all = host.facts.deleted_files.current()?;
    let held = all.iter().find(|deleted| deleted.mount == filesystem.mount)?.held.as_ref().ok()?;
    if held.kb == 0 || held.kb < size_kb / 100 {
        return None;
    }
    let process = held.holder.as_ref().map_or("PID".to_owned(), |holder| holder.process.to_string());
    Some(format!(
        "; {}. They are freed when the process closes them; see what they are first (ls -l /proc/{process}/fd): of a database they are \
         temporary files of a query; of a service whose log was removed, let it open its logs again",
        held.words()
    ))
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

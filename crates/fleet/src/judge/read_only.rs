//! Filesystems that are read-only and should not be: the kernel makes them so after an error of the disk.

use super::{Situation, some};
use crate::problem::{Problem, ProblemKind, Severity};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        let upkeep = host.facts.upkeep.current();
        let Some(mounts) = upkeep.and_then(|u| u.read_only.as_ref().ok()).filter(|mounts| !mounts.is_empty())
        else {
            continue;
        };
        let names: Vec<&str> = mounts.iter().map(|mount| mount.as_str()).collect();
        let message = format!(
            "{} is read-only, and /etc/fstab mounts it writable: every write fails. After an error of the disk the kernel does that: \
             see dmesg before you mount it writable again",
            some(&names)
        );
        out.push(s.problem(Severity::Critical, Some(&host.id.host), ProblemKind::ReadOnly, message));
    }
}

//! Filesystems in the status JSON.

use serde::Serialize;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::storage::{DeletedFiles, Filesystem, HeldFiles, Usage};

use super::told;

/// How full a filesystem is.
#[derive(Debug, Serialize)]
pub(crate) struct FilesystemStatus {
    pub(crate) device: String,
    pub(crate) mount: String,
    pub(crate) fstype: Option<String>,
    pub(crate) size_kb: Option<u64>,
    pub(crate) used_kb: Option<u64>,
    pub(crate) available_kb: Option<i64>,
    pub(crate) use_percent: Option<u8>,
    pub(crate) inodes_use_percent: Option<u8>,
    pub(crate) growth_kb_per_day: Option<u64>,
    pub(crate) full_in_days: Option<f64>,
    pub(crate) remote: bool,
    deleted: Option<DeletedStatus>,
    pub(crate) errors: Vec<String>,
}

/// Deleted files that are still open on it, and who holds most of them.
#[derive(Debug, Serialize)]
struct DeletedStatus {
    kb: u64,
    files: u64,
    at_least: bool,
    program: Option<String>,
    process: Option<u32>,
    program_kb: Option<u64>,
}

impl DeletedStatus {
    fn of(held: &HeldFiles) -> Self {
        let holder = held.holder.as_ref();
        Self {
            kb: held.kb,
            files: held.files,
            at_least: held.at_least,
            program: holder.map(|holder| holder.program.to_string()),
            process: holder.map(|holder| holder.process),
            program_kb: holder.map(|holder| holder.kb),
        }
    }
}

pub(super) fn filesystems(h: &HostSnapshot, judgeable: bool) -> Option<Vec<FilesystemStatus>> {
    let local = told(&h.facts.filesystems, judgeable)?;
    let network = told(&h.facts.network_filesystems, judgeable);
    let deleted = told(&h.facts.deleted_files, judgeable).map(Vec::as_slice).unwrap_or_default();
    let all = local.iter().chain(network.into_iter().flatten());
    Some(all.map(|one| filesystem(h, one, deleted)).collect())
}

fn filesystem(h: &HostSnapshot, f: &Filesystem, deleted: &[DeletedFiles]) -> FilesystemStatus {
    let deleted = deleted.iter().find(|one| !f.remote && one.mount == f.mount).map(|one| &one.held);
    let usage: Option<&Usage> = f.usage.as_ref().ok();
    // How fast it fills is told only with when it is full: it says nothing else for sure.
    let growth = h.growth_of(f);
    let full_in = growth.zip(usage).and_then(|(growth, usage)| growth.full_in(usage));
    FilesystemStatus {
        device: f.device.to_string(),
        mount: f.mount.to_string(),
        fstype: f.fstype.as_ref().map(ToString::to_string),
        size_kb: usage.map(|u| u.size_kb),
        used_kb: usage.map(|u| u.used_kb),
        available_kb: usage.map(|u| u.available_kb),
        use_percent: usage.and_then(|u| u.use_percent),
        inodes_use_percent: usage.and_then(|u| u.inodes_use_percent),
        growth_kb_per_day: full_in.and(growth).map(|growth| growth.kb_per_day),
        full_in_days: full_in.map(|time| (time.as_secs_f64() / 8_640.0).round() / 10.0),
        remote: f.remote,
        deleted: deleted.and_then(|held| held.as_ref().ok()).map(DeletedStatus::of),
        errors: filesystem_errors(f, deleted.and_then(|held| held.as_ref().err())),
    }
}

fn filesystem_errors(f: &Filesystem, deleted: Option<&Gap>) -> Vec<String> {
    let usage = f.usage.as_ref().err().map(Gap::describe);
    let inodes = f.inodes_gap.as_ref().map(|gap| format!("inodes {}", gap.describe()));
    let deleted = deleted.map(|gap| format!("deleted files {}", gap.describe()));
    usage.into_iter().chain(inodes).chain(deleted).collect()
}

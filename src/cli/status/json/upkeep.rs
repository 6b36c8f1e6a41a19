//! The upkeep of a host in the status JSON.

use serde::Serialize;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::Os;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::upkeep::{Upkeep, support};

/// What waits for a host's keeper.
#[derive(Debug, Serialize)]
pub(crate) struct UpkeepStatus {
    security_updates: Option<u64>,
    updates: Option<u64>,
    updates_from: Option<&'static str>,
    lists_age_s: Option<u64>,
    reboot_required: Option<bool>,
    reboot_reason: Option<String>,
    failed_units: Option<Vec<String>>,
    oom_kills: Option<u64>,
    read_only_mounts: Option<Vec<String>>,
    logged_in: Option<Vec<String>>,
    clock_keeper: Option<String>,
    states_age_s: Option<u64>,
    daily_jobs_age_s: Option<u64>,
    support_ends: Option<&'static str>,
    errors: Vec<String>,
}

pub(super) fn upkeep(upkeep: &Upkeep, os: Option<&Os>) -> UpkeepStatus {
    let updates = upkeep.updates.as_ref().ok();
    let reboot = upkeep.reboot.as_ref().ok();
    UpkeepStatus {
        security_updates: updates.map(|updates| updates.security),
        updates: updates.and_then(|updates| updates.all),
        updates_from: updates.map(|updates| updates.source.word()),
        lists_age_s: updates.and_then(|updates| updates.lists_age_s),
        reboot_required: reboot.map(Option::is_some),
        reboot_reason: reboot.and_then(Option::as_ref).map(|reason| reason.words()),
        failed_units: texts(&upkeep.failed_units),
        oom_kills: upkeep.oom_kills.as_ref().ok().copied(),
        read_only_mounts: texts(&upkeep.read_only),
        logged_in: texts(&upkeep.logged_in),
        clock_keeper: upkeep.clock_keeper.as_ref().ok().and_then(Option::as_ref).map(Clean::to_string),
        states_age_s: upkeep.states_age_s.as_ref().ok().copied().flatten(),
        daily_jobs_age_s: upkeep.daily_jobs_age_s.as_ref().ok().copied(),
        support_ends: os.and_then(|os| support::ends(os.release.as_str())),
        errors: upkeep
            .gaps()
            .filter(|(_, gap)| **gap != Gap::NotInstalled)
            .map(|(name, gap)| format!("{name} {}", gap.describe()))
            .collect(),
    }
}

fn texts(list: &Result<Vec<Clean>, Gap>) -> Option<Vec<String>> {
    list.as_ref().ok().map(|list| list.iter().map(Clean::to_string).collect())
}

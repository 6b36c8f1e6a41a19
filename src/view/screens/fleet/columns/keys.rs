//! What rows are ordered by when they are sorted by a column, where that takes more than a line.

use crate::app::rows::order::{HostRow, Key};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::replication::NodeHealth;
use jumpdeck_fleet::service::ServiceEntry;
use jumpdeck_fleet::snapshot::Load;
use jumpdeck_fleet::summary::{ReplicationBrief, replication_brief, worst_filesystem};

/// The highest load first, where it is known.
pub(super) fn load_key(row: &HostRow<'_>, of: impl Fn(&Load) -> Option<f64>) -> Key<'static> {
    Key::known(row.host.facts.load.trusted(row.now, row.poll).and_then(of))
}

pub(super) fn mount_key<'a>(row: &HostRow<'a>) -> Key<'a> {
    let known = row.host.facts.filesystems.trusted(row.now, row.poll);
    let fullest = known.and_then(|_| worst_filesystem(&row.host.facts));
    fullest.map_or(Key::LAST, |disk| Key::text(disk.mount.as_str()))
}

/// The worst service first, by the worst that is found of it; one that nobody can tell about is unknown. Hosts without services last.
pub(super) fn service_key<'a>(row: &HostRow<'a>) -> Key<'a> {
    let severity = |entry: &ServiceEntry| match entry.fact.trusted(row.now, row.poll) {
        Some(service) => entry.findings(service, row.thresholds).iter().map(|finding| finding.severity).max(),
        None => Some(Severity::Unknown),
    };
    let rank = |severity: Option<Severity>| severity.map_or(0.0, |severity| f64::from(severity as u8) + 1.0);
    let worst = row.host.facts.services.iter().map(|entry| rank(severity(entry))).reduce(f64::max);
    worst.map_or(Key::LAST, Key::highest)
}

pub(super) fn os_key<'a>(row: &HostRow<'a>) -> Key<'a> {
    let os = row.host.facts.os.trusted(row.now, row.poll);
    os.map_or(Key::LAST, |os| Key::text(os.release.as_str()))
}

/// Hosts of which it is not known first, then those that name none, then by name.
pub(super) fn level_key<'a>(row: &HostRow<'a>) -> Key<'a> {
    match row.host.facts.grains.trusted(row.now, row.poll).map(|grains| &grains.level) {
        None => Key::group(1),
        Some(None) => Key::group(2),
        Some(Some(level)) => Key::text(level.as_str()),
    }
}

/// Oldest report first.
pub(super) fn age_key<'a>(row: &HostRow<'a>) -> Key<'a> {
    match row.host.age(row.now) {
        None => Key::FIRST,
        // Reports that come as they should are of one age: rows stay where they are.
        Some(age) if age <= row.poll => Key::highest(0.0),
        Some(age) => Key::highest(age.as_secs_f64()),
    }
}

/// Broken first, then unknown, then the longest lag; masters after replicas; hosts without a database last.
pub(super) fn lag_key<'a>(row: &HostRow<'a>) -> Key<'a> {
    let facts = &row.host.facts;
    let Some(databases) = facts.databases.trusted(row.now, row.poll) else {
        let concerns = row.spec.expects_database() || facts.databases.last().is_some_and(|d| !d.is_empty());
        return if concerns { Key::group(1) } else { Key::LAST };
    };
    match replication_brief(databases) {
        ReplicationBrief::Broken { .. } => Key::FIRST,
        ReplicationBrief::Member { cluster, .. } => match cluster.health {
            NodeHealth::Out => Key::FIRST,
            NodeHealth::Unknown => Key::group(1),
            NodeHealth::Behind => Key::group(5),
            NodeHealth::InSync => Key::group(6),
        },
        ReplicationBrief::Unknown(_) | ReplicationBrief::Following { lag_s: None, .. } => Key::group(1),
        #[allow(clippy::cast_precision_loss)] // a lag is far below 2^52 seconds
        ReplicationBrief::Following { lag_s: Some(lag), .. } => Key::highest(lag as f64),
        ReplicationBrief::Master { .. } => Key::group(6),
        ReplicationBrief::Standalone { .. } => Key::group(7),
        ReplicationBrief::None => Key::LAST,
    }
}

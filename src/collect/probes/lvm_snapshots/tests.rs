#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;

fn of(status: u8, text: &str) -> Result<Service, Gap> {
    super::read(&Raw { status, text: text.to_owned() })
}

fn judged(service: &Service) -> Vec<(Severity, String)> {
    let found = PROBE.probe.kind.findings(service, &Thresholds::default());
    found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
}

const ORIGIN: &str = "@status\nbackup1-lvbackup1: 0 83886080 snapshot-origin 253:1\nbackup1-lvbackup1-real: 0 83886080 linear 8:16 2048\n\
    backup1-nightly--1-cow: 0 10485760 linear 8:16 83888128\n";

fn snapshot(fill: &str) -> Service {
    of(0, &format!("{ORIGIN}backup1-nightly--1: 0 83886080 snapshot {fill}\n")).unwrap()
}

fn pool(rest: &str) -> Service {
    of(0, &format!("@status\nvg-pool-tpool: 0 32768 thin-pool {rest}\nvg-thin: 0 8192 thin 4096 8191\n"))
        .unwrap()
}

#[test]
fn a_snapshot_is_judged_by_how_full_it_is() {
    let service = snapshot("5243600/10485760 20496");
    assert_eq!((service.detail.as_str(), judged(&service)), ("backup1/nightly-1 50 %", vec![]));
    for (fill, severity, words) in [
        (
            "8388608/10485760 1",
            Severity::Warning,
            "lvm-snapshots: backup1/nightly-1 80 % in use. Make it larger",
        ),
        (
            "9961472/10485760 1",
            Severity::Critical,
            "lvm-snapshots: backup1/nightly-1 95 %: a full snapshot is lost",
        ),
        ("Invalid", Severity::Critical, "lvm-snapshots: backup1/nightly-1 is invalid. See lvs"),
        ("Overflow", Severity::Critical, "backup1/nightly-1 overflowed"),
        ("Merge failed", Severity::Critical, "could not be merged: only a part"),
        ("", Severity::Unknown, "is in an unknown state"),
        ("Unknown", Severity::Unknown, "is in an unknown state"),
    ] {
        let found = judged(&snapshot(fill));
        assert!(
            found.len() == 1 && found[0].0 == severity && found[0].1.contains(words),
            "{fill}: {found:?}"
        );
    }
    assert!(judged(&snapshot("8283749/10485760 1")).is_empty(), "79 %");
}

#[test]
fn a_pool_has_room_for_data_and_for_metadata() {
    let service = pool("1 25/1024 128/256 - rw discard_passdown queue_if_no_space - 1024");
    assert_eq!(service.detail.as_str(), "vg/pool data 50 %, vg/pool metadata 2 %");
    assert!(judged(&service).is_empty());
    for (rest, severity, words) in [
        (
            "1 900/1024 128/256 - rw discard_passdown queue_if_no_space - 1024",
            Severity::Warning,
            "vg/pool metadata 87 % in use. Make it larger (lvextend --poolmetadatasize +SIZE VG/POOL)",
        ),
        (
            "1 25/1024 256/256 - rw discard_passdown queue_if_no_space - 1024",
            Severity::Critical,
            "vg/pool data 100 %: a full snapshot is lost, and a full pool refuses writes. Make it larger (lvextend -L +SIZE",
        ),
        (
            "1 25/1024 256/256 - out_of_data_space discard_passdown queue_if_no_space - 1024",
            Severity::Critical,
            "lvm-snapshots: vg/pool data has no room left: a full snapshot is lost, and a full pool refuses writes. Make it",
        ),
        (
            "1 25/1024 128/256 - ro discard_passdown queue_if_no_space needs_check 1024",
            Severity::Critical,
            "lvm-snapshots: vg/pool is read-only. See lvs -a and dmesg; lvmthin(7)",
        ),
        (
            "1 25/1024 128/256 - rw discard_passdown queue_if_no_space needs_check 1024",
            Severity::Critical,
            "lvm-snapshots: vg/pool needs thin_check. See lvs",
        ),
        (
            "1 1000/1024 128/256 - rw discard_passdown queue_if_no_space - 1024",
            Severity::Critical,
            "vg/pool metadata 97 %: a pool with full metadata becomes read-only. Make it larger (lvextend --poolm",
        ),
        ("Fail", Severity::Critical, "lvm-snapshots: vg/pool failed. See lvs"),
        // As dm-thin.c of the kernel says it where it cannot ask the metadata.
        ("Error", Severity::Unknown, "vg/pool has an error instead of its state. See dmsetup status"),
        ("1 25/1024", Severity::Unknown, "vg/pool is in an unknown state"),
    ] {
        let found = judged(&pool(rest));
        assert!(
            found.len() == 1 && found[0].0 == severity && found[0].1.contains(words),
            "{rest}: {found:?}"
        );
    }
}

#[test]
fn a_pool_without_room_for_data_or_metadata_is_not_lost() {
    // Its metadata is as well as it was.
    let service = pool("1 25/1024 250/256 - out_of_data_space discard_passdown queue_if_no_space - 1024");
    assert_eq!((service.text("lost"), service.text("metadata_full")), (None, None));
    assert_eq!(service.text("full"), Some("vg/pool data has no room left"));
    assert_eq!(service.amount("fullest_percent"), Some(100));
    // The kernel makes a pool read-only whose metadata is full: both are said.
    let found = judged(&pool("1 1024/1024 128/256 - ro discard_passdown queue_if_no_space - 1024"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].1.starts_with("lvm-snapshots: vg/pool is read-only"), "{found:?}");
    assert!(found[1].1.starts_with("lvm-snapshots: vg/pool metadata 100 %: a pool"), "{found:?}");
}

#[test]
fn a_snapshot_that_is_merged_gets_emptier_and_is_not_judged_by_how_full_it_is() {
    let merging = |fill: &str| {
        of(0, &format!("@status\nbackup1-lvbackup1: 0 83886080 snapshot-merge {fill}\n")).unwrap()
    };
    let service = merging("10380000/10485760 20496");
    assert_eq!(judged(&service), vec![]);
    assert_eq!(service.detail.as_str(), "a snapshot of backup1/lvbackup1 is being merged");
    assert_eq!(service.text("merging"), Some("a snapshot of backup1/lvbackup1 is being merged"));
    assert_eq!((service.amount("watched"), service.amount("fullest_percent")), (Some(1), None));
    for (fill, severity, words) in [
        (
            "Merge failed",
            Severity::Critical,
            "a snapshot of backup1/lvbackup1 could not be merged: only a part of it is in its origin. Keep both",
        ),
        ("Invalid", Severity::Critical, "a snapshot of backup1/lvbackup1 is invalid. See lvs"),
        ("Overflow", Severity::Critical, "overflowed"),
        ("Unknown", Severity::Unknown, "is in an unknown state"),
    ] {
        let found = judged(&merging(fill));
        assert!(
            found.len() == 1 && found[0].0 == severity && found[0].1.contains(words),
            "{fill}: {found:?}"
        );
    }
}

#[test]
fn none_is_nothing_to_say_and_no_answer_is_unknown() {
    assert_eq!(of(0, ""), Err(Gap::NotInstalled));
    for (status, said, words) in [
        // As dmsetup 1.02.185 says it to an account that is not root.
        (
            1,
            "/dev/mapper/control: open failed: Permission denied\nCommand failed.",
            "lvm-snapshots fill not permitted: /dev/mapper",
        ),
        (1, "sudo: a password is required", "lvm-snapshots fill not permitted"),
        (127, "dmsetup", "lvm-snapshots fill tool missing: dmsetup"),
        (124, "", "lvm-snapshots fill timed out"),
        (0, "@status\n\x1b[2J\n", "lvm-snapshots fill unreadable"),
    ] {
        let found = judged(&of(status, said).unwrap());
        assert!(
            found.len() == 1 && found[0].0 == Severity::Unknown && found[0].1.starts_with(words),
            "{found:?}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "@status\n(vg-a--b: 0 1 |snapshot |snapshot-merge |thin-pool |[0-9]{1,25}/|[0-9]{1,3} |Invalid|Fail|\n|\\PC)*") {
        let _ = of(0, &text);
    }
}

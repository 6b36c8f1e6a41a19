#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use jumpdeck_fleet::backup::default_backups;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::backups::findings;

const NOW: &str = "now 1000000\n";

fn named() -> DeclaredBackup {
    let mut declared = default_backups().into_iter().next().unwrap();
    declared.built_in = false;
    declared
}

fn read(text: &str) -> Result<Service, Gap> {
    BackupsAnswer::read(text).service(&named())
}

/// A look that is as old as that, and what it said.
fn looked(status: u8, seconds: u64, lines: &str) -> Result<Service, Gap> {
    read(&format!("@up {}\n@backup databases {status} 500\n{lines}", 500 + seconds * 100))
}

#[test]
fn the_newest_file_and_the_one_before_are_read() {
    let two = format!("{NOW}2048 999000\n1024 913600\nname b.sql.gz\nname a.sql.gz\n");
    let service = looked(0, 0, &two).unwrap();
    assert_eq!(service.detail.as_str(), "17 min old, 2K: b.sql.gz");
    assert_eq!((service.text(NEWEST), service.amount(AGE)), (Some("b.sql.gz"), Some(1000)));
    assert_eq!((service.amount(SIZE), service.amount(SIZE_BEFORE)), (Some(2048), Some(1024)));
    assert_eq!(findings(&named(), &service), []);
    // Its age goes on while nobody looks.
    assert_eq!(looked(0, 5000, &two).unwrap().amount(AGE), Some(6000));
    let late = findings(&named(), &looked(0, 93_000, &two).unwrap());
    assert_eq!((late.len(), late[0].severity), (1, Severity::Warning));
}

#[test]
fn one_that_is_being_written_is_not_the_newest() {
    let written = format!("{NOW}10 999990\n1000 900000\n999 800000\nname c\nname b\nname a\n");
    let service = looked(0, 0, &written).unwrap();
    assert_eq!((service.text(NEWEST), service.text("being_written")), (Some("b"), Some("c")));
    assert_eq!((service.amount(SIZE), service.amount(SIZE_BEFORE)), (Some(1000), Some(999)));
    let only = looked(0, 0, &format!("{NOW}10 999990\nname c\n")).unwrap();
    assert!(!only.running && only.detail.as_str().ends_with("c is being written"), "{only:?}");
}

#[test]
fn one_of_the_future_has_no_age() {
    let service = looked(0, 0, &format!("{NOW}10 1000061\nname c\n")).unwrap();
    assert_eq!((service.amount(AGE), service.text(NEWEST)), (None, Some("c")));
    assert_eq!(findings(&named(), &service)[0].severity, Severity::Unknown);
}

#[test]
fn what_is_not_there_is_certain_only_where_somebody_said_so() {
    let missing = looked(0, 0, "missing\n").unwrap();
    assert!(!missing.running, "{missing:?}");
    let said = &findings(&named(), &missing)[0].message;
    assert!(said.contains("/mnt/backup/mysql is missing. Mount it, or correct backups.databases"), "{said}");
    let none = looked(0, 0, "none\n").unwrap();
    assert_eq!(none.detail.as_str(), "there is no file /mnt/backup/mysql/*.sql.gz");

    let guess = DeclaredBackup { built_in: true, ..named() };
    let missing = BackupsAnswer::read("@up 5\n@backup databases 0 5\nmissing\n").service(&guess);
    assert!(matches!(missing, Err(Gap::Failed(_))), "{missing:?}");
}

#[test]
fn what_nobody_can_tell_is_unknown() {
    assert!(matches!(looked(126, 0, "/mnt/backup\n"), Err(Gap::NotPermitted(_))));
    assert_eq!(looked(127, 0, "stat\n"), Err(Gap::NoTool("stat".into())));
    assert_eq!(looked(123, 0, ""), Err(Gap::Stuck));
    assert_eq!(looked(124, 0, ""), Err(Gap::TimedOut));
    assert_eq!(read("@up 5\n"), Err(Gap::NotAsked));
    assert!(matches!(looked(1, 0, "/mnt/backup is there and cannot be opened\n"), Err(Gap::Failed(_))));
    let odd = [
        "",
        "now x\n10 5\nname a\n",
        "now 1000000\n",
        "now 1000000\n10 5\n10 6\nname a\n",
        "now 1000000\n10\nname a\n",
        "now 1000000\n-10 5\nname a\n",
        "now 1000000\n10 5\n\x1b[2Jname a\n",
        "now 1000000\nname a\n10 5\n",
    ];
    for text in odd {
        assert!(matches!(looked(0, 0, text), Err(Gap::Unreadable(_))), "{text:?}");
    }
}

/// A host may send any number.
#[test]
fn no_number_is_too_large() {
    for modified in [i64::MIN, i64::MAX] {
        for now in [i64::MIN, i64::MAX] {
            let service =
                looked(0, 1, &format!("now {now}\n{0} {modified}\n{0} 5\nname b\nname a\n", u64::MAX));
            let service = service.unwrap();
            let _ = (findings(&named(), &service), service.detail.as_str().len());
        }
    }
}

#[test]
fn a_name_cannot_reach_the_terminal() {
    let service = looked(0, 0, &format!("{NOW}10 5\nname \x1b[2Jevil\n")).unwrap();
    assert!(!service.detail.as_str().contains('\x1b') && !service.text(NEWEST).unwrap().contains('\x1b'));
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use super::record::LONGEST_LINE;
use super::*;
use jumpdeck_fleet::maintenance::{RunEntry, SessionWork};

const ID: &str = "20261130T2130-a3f9";

fn head() -> SessionHead {
    SessionHead {
        id: ID.to_owned(),
        env: EnvName::new("production").unwrap(),
        simulated: false,
        reason: "upgrade the databases".into(),
        ticket: "OPS-12".into(),
        people: vec!["anna".into(), "bob".into()],
        began: WallTime(1_796_000_000),
        by: "anna@desk".into(),
        until: WallTime(1_796_007_200),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_796_000_000_250 + seconds * 1000).unwrap()
}

fn note(text: &str) -> SessionEntry {
    SessionEntry::Note(Clean::lines(text))
}

/// A session that was started in a folder of its own.
fn started() -> (tempfile::TempDir, SessionStore, KeptSession) {
    let home = tempfile::tempdir().unwrap();
    let store = SessionStore::new(home.path().join("state/sessions"));
    let kept = store.session(&head().env, ID);
    kept.start("anna@desk", &head()).unwrap();
    (home, store, kept)
}

fn file(kept: &KeptSession) -> PathBuf {
    kept.folder.join("own.jsonl")
}

#[test]
fn every_kind_of_line_comes_back_as_it_was_written() {
    let (_home, store, kept) = started();
    let until = Some(WallTime(1_796_007_200));
    let entries = [
        SessionEntry::Joined { head: head(), confirms: None },
        SessionEntry::Joined { head: head(), confirms: Some("a:2".into()) },
        note("# a\n\n* b \u{1b}[2J"),
        SessionEntry::Run { run: "r1".into(), runbook: "x".into(), dry_run: true, how: RunEntry::Started },
        SessionEntry::Run { run: "r1".into(), runbook: "x".into(), dry_run: false, how: RunEntry::Resumed },
        SessionEntry::Run { run: "r1".into(), runbook: "x".into(), dry_run: false, how: RunEntry::TookOver },
        SessionEntry::RunOver { run: "r1".into(), says: "finished".into() },
        SessionEntry::Opened { work: "1".into(), what: SessionWork::Shell { host: "db1".into() } },
        SessionEntry::Opened {
            work: "2".into(),
            what: SessionWork::Command { hosts: vec!["db1".into()], command: Clean::lines("a\nb") },
        },
        SessionEntry::Closed { work: "1".into(), says: "exit 0".into() },
        SessionEntry::Event { state: "began".into(), host: None, key: "k".into(), says: "down".into() },
        SessionEntry::Event {
            state: "ended".into(),
            host: Some("db1".into()),
            key: "".into(),
            says: "down".into(),
        },
        SessionEntry::Acknowledged { problem: "p".into(), reason: "r".into(), until },
        SessionEntry::Acknowledged { problem: "p".into(), reason: "r".into(), until: None },
        SessionEntry::HandedOver { to: "bob".into() },
        SessionEntry::Clock { ahead: -7 },
        SessionEntry::Ended { reason: "all well".into() },
    ];
    for (entry, number) in entries.iter().zip(2..) {
        assert_eq!(
            kept.own().append("anna@desk", at(number), std::slice::from_ref(entry)).unwrap(),
            number as u64
        );
    }
    let record = kept.own().read().unwrap();
    assert_eq!((record.trouble, record.lines.len()), (None, entries.len() + 1));
    assert_eq!(record.lines[0].entry, SessionEntry::Started(head()));
    assert_eq!((record.lines[1].at, record.lines[1].ms), (WallTime(1_796_000_002), 250));
    let read: Vec<SessionEntry> = record.lines.into_iter().skip(1).map(|line| line.entry).collect();
    assert_eq!(read, entries);
    assert_eq!(fs::metadata(file(&kept)).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&kept.folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(store.open(&head().env).is_none(), "it has ended");
    assert_eq!(store.of(&head().env).len(), 1);
}

#[test]
fn half_a_line_of_a_killed_process_is_no_line_and_in_nobody_s_way() {
    let (_home, _, kept) = started();
    let mut torn = OpenOptions::new().append(true).open(file(&kept)).unwrap();
    torn.write_all(b"{\"n\":2,\"at\":\"2026-11").unwrap();
    assert_eq!(kept.own().read().unwrap().lines.len(), 1);
    assert_eq!(kept.own().append("anna@desk", at(1), &[note("a"), note("b")]).unwrap(), 3);
    let record = kept.own().read().unwrap();
    assert_eq!(record.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(record.trouble, None);
}

#[test]
fn a_line_of_another_version_is_named_and_what_comes_before_it_is_shown() {
    let (_home, store, kept) = started();
    let mut newer = OpenOptions::new().append(true).open(file(&kept)).unwrap();
    newer
        .write_all(b"{\"n\":2,\"at\":\"2026-11-30T21:30:00Z\",\"who\":\"a\",\"entry\":\"dance\"}\n")
        .unwrap();
    let (_, story) = store.open(&head().env).unwrap();
    let [trouble] = story.troubles.as_slice() else { unreachable!("{:?}", story.troubles) };
    assert!(
        trouble.as_str().contains(
            "line 3 and what follows it are not shown: it is of a kind that this version does not know"
        ),
        "{trouble}"
    );
    fs::write(file(&kept), "{\"jumpdeck_session\":2,\"record\":\"a\",\"session\":\"s\"}\n").unwrap();
    assert!(kept.own().read().unwrap().trouble.unwrap().as_str().contains("newer version"));
    fs::write(file(&kept), "rubbish\n\u{1b}[2J\n").unwrap();
    let broken = kept.own().read().unwrap();
    assert_eq!(
        (broken.trouble.unwrap().as_str(), broken.lines.len()),
        ("line 1 does not begin a record of this session", 0)
    );
    assert!(store.open(&head().env).is_none());
}

#[test]
fn what_is_too_long_is_refused_whole_and_a_full_record_can_still_be_ended() {
    let (_home, _, kept) = started();
    let before = fs::metadata(file(&kept)).unwrap().len();
    let long = kept.own().append("anna@desk", at(1), &[note("x"), note(&"y".repeat(LONGEST_LINE))]);
    assert!(long.unwrap_err().to_string().contains("write it in parts"));
    assert_eq!(fs::metadata(file(&kept)).unwrap().len(), before, "nothing of it was written");
    let large = note(&"z".repeat(LONGEST_LINE - 200));
    let full =
        (0..200).find_map(|_| kept.own().append("anna@desk", at(1), std::slice::from_ref(&large)).err());
    assert!(full.unwrap().to_string().contains("the record is full (4 MiB); end the session"));
    kept.own().append("anna@desk", at(2), &[SessionEntry::Ended { reason: "".into() }]).unwrap();
    assert!(!kept.story().unwrap().is_open());
}

#[test]
fn several_processes_of_an_account_lose_nothing_of_each_other() {
    let (_home, _, kept) = started();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let kept = &kept;
            scope.spawn(move || {
                for line in 0..10 {
                    kept.own().append("anna@desk", at(1), &[note(&format!("{writer} {line}"))]).unwrap();
                }
            });
        }
    });
    let record = kept.own().read().unwrap();
    assert_eq!(
        record.lines.iter().map(|line| line.number).collect::<Vec<_>>(),
        (1..=41).collect::<Vec<u64>>()
    );
    assert_eq!(record.trouble, None);
}

#[test]
fn a_record_that_others_could_have_written_is_not_read() {
    let (_home, _, kept) = started();
    fs::set_permissions(file(&kept), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(kept.own().append("anna@desk", at(1), &[note("x")]).is_err());
    let records = kept.records();
    assert!(records[0].lines.is_empty() && records[0].trouble.is_some(), "{records:?}");
}

#[test]
fn a_name_of_a_session_is_a_file_s_name_and_no_path() {
    assert!(is_id(&new_id(WallTime(1_796_000_000))) && is_id(ID));
    for wrong in ["", "..", "a/b", "-x", "a b", "a@b", &"x".repeat(65)] {
        assert!(!is_id(wrong), "{wrong}");
    }
}

//! What a journal does when things go wrong: bits flip, writes are cut short, disks fill, others meddle.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::runbook::event::{Ending, HostOutcome, Outcomes, Phase, SCHEMA, Verdict};
use crate::runbook::evidence::head_path;
use crate::runbook::ids::{RunId, StepId};
use crate::runbook::place::Place;
use crate::runbook::plan::Frozen;

mod disk;

pub(in crate::runbook) fn started() -> Event {
    Event::Started {
        schema: SCHEMA,
        run: RunId::new("r1").unwrap(),
        who: "anna@desk".to_owned(),
        why: "db1's disk is failing".to_owned(),
        dry_run: false,
        simulated: false,
        plan: Box::new(Frozen {
            runbook: "promote-masterdb".to_owned(),
            sources: vec![(
                "promote-masterdb.toml".to_owned(),
                "name = \"x\"\n\u{1b}[31m\u{2028}\n".to_owned(),
            )],
            hash: "ab".repeat(32),
            environment: "production".to_owned(),
            level: "production".to_owned(),
            domain: "production.wpdn".to_owned(),
            jump: "salt".to_owned(),
            managed_by: Default::default(),
            inputs: BTreeMap::new(),
            targets: BTreeMap::new(),
        }),
        accounts: Default::default(),
    }
}

fn note(text: &str) -> Event {
    Event::Note { who: "anna@desk".to_owned(), text: text.to_owned() }
}

fn intent(step: &str) -> Event {
    Event::Intent {
        step: StepId::new(step).unwrap(),
        phase: Phase::Run,
        attempt: 1,
        commands: BTreeMap::from([(Place::new("db2").unwrap(), "SET GLOBAL read_only=0".to_owned())]),
        facts: vec![],
    }
}

/// A folder with a journal of some entries, closed again.
fn written(events: &[Event]) -> (TempDir, PathBuf, Vec<Entry>) {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("runs");
    let mut journal = Journal::create(&folder, "r1").unwrap();
    let entries = events.iter().map(|e| journal.append(e).unwrap()).collect();
    (top, folder, entries)
}

fn four() -> [Event; 4] {
    [started(), intent("freeze"), note("ünïcode \u{7} \"quoted\""), Event::Ended { how: Ending::Finished }]
}

#[test]
fn what_is_written_is_read_again_and_goes_on() {
    let (_top, folder, entries) = written(&four()[..3]);
    let path = folder.join("r1.jsonl");
    assert_eq!(read(&path).unwrap(), entries);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);

    let (mut journal, again) = Journal::reopen(&folder, "r1").unwrap();
    assert_eq!(again, entries);
    let fourth = journal.append(&four()[3]).unwrap();
    assert_eq!((fourth.seq, fourth.prev.as_str()), (4, entries[2].hash.as_str()));
    drop(journal);
    let all = read(&path).unwrap();
    assert_eq!(all.len(), 4);
    let text = fs::read_to_string(&path).unwrap();
    for (line, entry) in text.lines().zip(&all) {
        assert_eq!(entry.line, line);
        assert_eq!(Entry::from_line(line).as_ref(), Some(entry));
    }
    assert!(text.lines().next().unwrap().starts_with("{\"seq\":1,\"at\":\"20"), "{text}");
    assert!(!folder.join("r1.torn").exists());
}

/// What was cut off may have been a change: it would be made again.
#[test]
fn a_journal_that_ends_before_its_head_does_not_go_on() {
    let (_top, folder, _) = written(&four()[..2]);
    let path = folder.join("r1.jsonl");
    let two = fs::read(&path).unwrap();
    let (mut journal, _) = Journal::reopen(&folder, "r1").unwrap();
    for event in [note("first"), note("second")] {
        let draft = journal.draft(event, None).unwrap();
        let signed = Signed { by: "anna@desk".to_owned(), sig: "AAAA".to_owned() };
        journal.append_draft(draft, Some(signed)).unwrap();
    }
    drop(journal);
    let (four, head) = (fs::read(&path).unwrap(), fs::read(head_path(&path)).unwrap());
    let third: usize = four.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(2).unwrap().0 + 1;
    let of_third = &four[two.len()..third];
    for (bytes, head, goes_on) in [
        (&four[..], &head[..], true),
        // A crash between an entry and its head.
        (&four[..], of_third, true),
        (&four[..third], of_third, true),
        (&four[..third], &head[..], false),
        // A torn last line is cut off on reopening; it was whole once, when there is a head of it.
        (&four[..four.len() - 9], &head[..], false),
        (&two[..], of_third, false),
        (&four[..], b"", false),
        (&four[..], &of_third[..of_third.len() - 1], false),
    ] {
        fs::write(&path, bytes).unwrap();
        fs::write(head_path(&path), head).unwrap();
        match Journal::reopen(&folder, "r1") {
            Ok(_) => assert!(goes_on),
            Err(error) => {
                assert!(!goes_on && error.to_string().contains("entries are missing"), "{error}");
                assert_eq!(
                    (fs::read(&path).unwrap(), fs::read(head_path(&path)).unwrap()),
                    (bytes.into(), head.into())
                );
            }
        }
    }
}

#[test]
fn the_hash_is_sha256_of_the_hash_before_and_the_line_up_to_it() {
    let (_top, folder, entries) = written(&four());
    let text = fs::read_to_string(folder.join("r1.jsonl")).unwrap();
    let second = text.lines().nth(1).unwrap();
    let body = &second[..second.rfind(",\"hash\"").unwrap()];
    let said = Command::new("sh")
        .args(["-c", "printf %s \"$1$2\" | sha256sum | cut -d' ' -f1", "sh", &entries[0].hash, body])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(said.stdout).unwrap().trim(), entries[1].hash);
}

#[test]
fn any_bit_flipped_is_refused_with_its_line() {
    let (_top, folder, _) = written(&four());
    let path = folder.join("r1.jsonl");
    let good = fs::read(&path).unwrap();
    let ends: Vec<usize> = good.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i).collect();
    for at in 0..good.len() {
        let line = ends.iter().take_while(|end| **end < at).count() + 1;
        // All bits of a middle entry, one a byte of the others.
        for bit in if line == 2 { 0..8 } else { at % 8..at % 8 + 1 } {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            match chain::scan(&bad).map_err(|d| d.at(&path)) {
                Err(JournalError::Damaged { line: said, .. }) => {
                    assert_eq!(said, line, "byte {at} bit {bit}")
                }
                other => panic!("byte {at} bit {bit}: {other:?}"),
            }
        }
    }
    let mut bad = good.clone();
    bad[ends[0] + 30] ^= 1;
    fs::write(&path, &bad).unwrap();
    let said = Journal::reopen(&folder, "r1").unwrap_err().to_string();
    assert!(said.contains("line 2"), "{said}");
    assert!(read(&path).is_err());
    assert_eq!(fs::read(&path).unwrap(), bad, "what is damaged stays as it is");
}

#[test]
fn lines_lost_doubled_or_swapped_in_the_middle_are_refused() {
    let (_top, folder, _) = written(&four());
    let text = fs::read_to_string(folder.join("r1.jsonl")).unwrap();
    let l: Vec<&str> = text.split_inclusive('\n').collect();
    for wrong in
        [vec![l[0], l[2], l[3]], vec![l[0], l[1], l[1], l[2]], vec![l[0], l[2], l[1], l[3]], vec![l[1]]]
    {
        assert!(chain::scan(wrong.concat().as_bytes()).is_err());
    }
    assert!(chain::scan(format!("{}\n{}", l[0], l[1]).as_bytes()).is_err(), "an empty line is no entry");
}

#[test]
fn cut_at_every_byte_it_reopens_with_every_whole_entry() {
    let (_top, folder, entries) = written(&four());
    let path = folder.join("r1.jsonl");
    let good = fs::read(&path).unwrap();
    for len in 0..=good.len() {
        for zeros in [0, 5] {
            let mut cut = good[..len].to_vec();
            let ends = cut.iter().filter(|b| **b == b'\n').count();
            let unended = len < good.len() && good[len] == b'\n';
            if unended && zeros > 0 {
                continue; // a whole entry with something after it: damage, tested above
            }
            let whole = ends + usize::from(unended);
            cut.extend(std::iter::repeat_n(0, zeros));
            fs::write(&path, &cut).unwrap();
            let _ = fs::remove_file(folder.join("r1.torn"));
            assert_eq!(read(&path).unwrap().len(), whole, "cut at {len}");
            if whole == 0 {
                assert!(
                    matches!(Journal::reopen(&folder, "r1"), Err(JournalError::Empty(_))),
                    "cut at {len}"
                );
                continue;
            }
            let (mut journal, read_again) = Journal::reopen(&folder, "r1").unwrap();
            assert_eq!(read_again, entries[..whole], "cut at {len}");
            journal.append(&note("goes on")).unwrap();
            drop(journal);
            assert_eq!(read(&path).unwrap().len(), whole + 1, "cut at {len}");
            let torn: usize = cut.iter().rev().take_while(|b| **b != b'\n').count();
            let kept = fs::read(folder.join("r1.torn")).unwrap_or_default();
            let expected =
                if unended || torn == 0 { vec![] } else { [&cut[cut.len() - torn..], b"\n"].concat() };
            assert_eq!(kept, expected, "cut at {len}");
        }
    }
}

#[test]
fn a_last_line_that_is_no_beginning_of_an_entry_is_damage_not_a_tear() {
    let (_top, folder, _) = written(&four()[..2]);
    let good = fs::read(folder.join("r1.jsonl")).unwrap();
    for tail in [&b"rm -rf"[..], b"{\"seq\":9,\"at\":\"", b"{\"seq\":3,\"at\":\"x\"}\n", b"\n"] {
        assert!(chain::scan(&[&good, tail].concat()).is_err(), "{tail:?}");
    }
}

#[test]
fn a_schema_of_a_newer_version_is_no_damage() {
    let mut newer = serde_json::to_value(started()).unwrap();
    newer["schema"] = 3.into();
    let event: Event = serde_json::from_value(newer).unwrap();
    let (_top, folder, _) = written(&[event, note("later")]);
    for error in [Journal::reopen(&folder, "r1").unwrap_err(), read(&folder.join("r1.jsonl")).unwrap_err()] {
        assert!(matches!(error, JournalError::Newer { schema: 3, .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains("the journal has schema 3") && said.contains("Use the version"), "{said}");
    }
    let listed = runs(&folder)[0].state.to_string();
    assert!(listed.contains("schema 3"), "{listed}");
    // Whatever else a newer version writes.
    let path = folder.join("r1.jsonl");
    let text = fs::read_to_string(&path).unwrap().replace("\"event\":\"started\"", "\"event\":\"begun\"");
    fs::write(&path, text).unwrap();
    assert!(matches!(read(&path), Err(JournalError::Newer { schema: 3, .. })));
}

#[test]
fn a_journal_says_its_schema() {
    let (_top, folder, _) = written(&[started()]);
    let text = fs::read_to_string(folder.join("r1.jsonl")).unwrap();
    assert!(text.contains("\"event\":{\"event\":\"started\",\"schema\":2,"), "{text}");
}

/// A copy becomes the journal here, byte for byte; what is here already is completed, and never lost.
#[test]
fn a_journal_is_adopted_from_a_copy_and_from_nothing_that_contradicts_what_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("theirs"), folder.path().join("ours"));
    let mut journal = Journal::create(&theirs, "r1").unwrap();
    let note = |text: &str| Event::Note { who: "anna".to_owned(), text: text.to_owned() };
    let entries: Vec<Entry> = ["a", "b", "c"].iter().map(|t| journal.append(&note(t)).unwrap()).collect();
    drop(journal);
    let text = |folder: &Path| std::fs::read_to_string(folder.join("r1.jsonl")).unwrap();
    drop(Journal::adopt(&ours, "r1", &entries[..2]).unwrap());
    let mut adopted = Journal::adopt(&ours, "r1", &entries).unwrap();
    assert_eq!(text(&ours), text(&theirs));
    adopted.append(&note("d")).unwrap();
    drop(adopted);
    assert_eq!(read(&ours.join("r1.jsonl")).unwrap().len(), 4);
    // The copy is older than what is here.
    let error = Journal::adopt(&ours, "r1", &entries).unwrap_err();
    assert!(matches!(error, JournalError::Ahead { .. }), "{error}");
    assert!(error.to_string().contains("jumpdeck runbook resume r1"), "{error}");
    // The run went on elsewhere from the second entry on.
    let other = folder.path().join("other");
    let mut journal = Journal::adopt(&other, "r1", &entries[..2]).unwrap();
    let forked = [&entries[..2], &[journal.append(&note("x")).unwrap()]].concat();
    let before = text(&ours);
    let error = Journal::adopt(&ours, "r1", &forked).unwrap_err();
    assert!(matches!(error, JournalError::Differs { line: 3, .. }), "{error}");
    assert_eq!(text(&ours), before);
}

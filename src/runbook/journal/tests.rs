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
            inputs: BTreeMap::new(),
            targets: BTreeMap::new(),
        }),
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

struct Bad {
    takes: usize,
    write: Option<i32>,
    sync: Option<i32>,
}

impl Disk for Bad {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write.map_or(Ok(bytes.len().min(self.takes)), |code| Err(io::Error::from_raw_os_error(code)))
    }
    fn sync(&mut self) -> io::Result<()> {
        self.sync.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
    }
    fn reserve(&mut self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_one_failed_write_nothing_more_is_written() {
    const EIO: i32 = 5;
    let bad = [
        Bad { takes: usize::MAX, write: Some(EIO), sync: None },
        Bad { takes: usize::MAX, write: None, sync: Some(EIO) },
        Bad { takes: 10, write: None, sync: None },
        Bad { takes: 0, write: None, sync: None },
    ];
    for disk in bad {
        let (_top, folder, _) = written(&four()[..1]);
        let (mut journal, _) = Journal::reopen(&folder, "r1").unwrap();
        let good = std::mem::replace(&mut journal.disk, Box::new(disk));
        assert!(matches!(journal.append(&note("a")), Err(JournalError::Io { .. })));
        journal.disk = good;
        assert!(matches!(journal.append(&note("b")), Err(JournalError::Poisoned(_))));
        drop(journal);
        assert_eq!(read(&folder.join("r1.jsonl")).unwrap().len(), 1);
    }
}

#[test]
fn links_are_refused_wherever_they_stand() {
    let (top, folder, _) = written(&four());
    let file = folder.join("r1.jsonl");
    symlink(&file, folder.join("r2.jsonl")).unwrap();
    assert!(Journal::reopen(&folder, "r2").is_err());
    assert!(read(&folder.join("r2.jsonl")).is_err());
    symlink(top.path().join("elsewhere"), folder.join("r3.jsonl")).unwrap();
    assert!(matches!(Journal::create(&folder, "r3"), Err(JournalError::Exists(_))));
    assert!(!top.path().join("elsewhere").exists());
    fs::hard_link(&file, top.path().join("twin")).unwrap();
    assert!(Journal::reopen(&folder, "r1").is_err());
    let link = top.path().join("link");
    symlink(&folder, &link).unwrap();
    assert!(matches!(Journal::create(&link, "r4"), Err(JournalError::Folder { .. })));

    fs::remove_file(top.path().join("twin")).unwrap();
    let mut torn = fs::read(&file).unwrap();
    torn.truncate(torn.len() - 9);
    fs::write(&file, torn).unwrap();
    symlink(top.path().join("elsewhere"), folder.join("r1.torn")).unwrap();
    assert!(Journal::reopen(&folder, "r1").is_err());
    assert!(!top.path().join("elsewhere").exists());
}

#[test]
fn a_folder_others_may_write_to_is_refused_one_they_may_read_is_closed() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("runs");
    fs::create_dir(&folder).unwrap();
    let root = rustix::process::geteuid().is_root();
    // A group that others are in; without root's rights there is none to give.
    std::os::unix::fs::chown(&folder, None, root.then_some(65534)).unwrap();
    for mode in [0o777, 0o770, 0o702, 0o1777].into_iter().filter(|mode| root || *mode != 0o770) {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(Journal::create(&folder, "r1"), Err(JournalError::Folder { .. })), "{mode:o}");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    Journal::create(&folder, "r1").unwrap();
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
    if root {
        std::os::unix::fs::chown(&folder, Some(65534), None).unwrap();
        assert!(matches!(Journal::create(&folder, "r2"), Err(JournalError::Folder { .. })));
    }
}

#[test]
fn one_process_at_a_time() {
    let (_top, folder, _) = written(&four()[..1]);
    let (held, _) = Journal::reopen(&folder, "r1").unwrap();
    assert!(matches!(Journal::reopen(&folder, "r1"), Err(JournalError::Busy(_))));
    assert_eq!(read(held.path()).unwrap().len(), 1, "reading needs no lock");
    assert_eq!(runs(&folder)[0].state.as_str(), "runs");
    drop(held);
    Journal::reopen(&folder, "r1").unwrap();
    assert!(matches!(Journal::create(&folder, "r1"), Err(JournalError::Exists(_))));
    assert!(matches!(Journal::reopen(&folder, "r2"), Err(JournalError::Missing(_))));
}

#[test]
fn names_are_only_names() {
    let top = tempfile::tempdir().unwrap();
    for name in ["", "..", "../x", "a/b", "-x", ".x", "a b", "a\nb", "ä"] {
        assert!(matches!(Journal::create(top.path(), name), Err(JournalError::Name(_))), "{name:?}");
    }
}

#[test]
fn runs_are_listed_as_they_stand() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("runs");
    assert_eq!(runs(&folder), vec![]);
    // A folder that cannot be read is not one without runs.
    std::fs::write(&folder, "").unwrap();
    let told = runs(&folder);
    assert_eq!(told.len(), 1);
    assert!(told[0].state.as_str().starts_with("cannot be read: "), "{told:?}");
    assert!(told[0].began.is_none() && told[0].id.ends_with("runs"), "{told:?}");
    std::fs::remove_file(&folder).unwrap();
    let stopped = Event::Stopped { reason: "the link was lost".to_owned() };
    let outcome = |phase| Event::Outcome {
        step: StepId::new("freeze").unwrap(),
        phase,
        attempt: 1,
        hosts: Outcomes::one(Place::Nowhere, HostOutcome::of(Verdict::Done)),
        withheld: Vec::new(),
        took_ms: 1,
    };
    let cases = [
        ("a", vec![], "cut off before it began; nothing was done"),
        ("b", vec![started()], "cut off before its first step"),
        ("c", vec![started(), intent("freeze")], "cut off during freeze: outcome unknown"),
        ("d", vec![started(), intent("freeze"), outcome(Phase::Run)], "cut off after freeze"),
        (
            "e",
            vec![started(), intent("freeze"), outcome(Phase::Run), stopped],
            "stopped at freeze: the link was lost",
        ),
        (
            "f",
            vec![started(), Event::Ended { how: Ending::Abandoned("too late\n".to_owned()) }],
            "aborted: too late^J",
        ),
    ];
    for (run, events, _) in &cases {
        let mut journal = Journal::create(&folder, run).unwrap();
        for event in events {
            journal.append(event).unwrap();
        }
    }
    fs::write(folder.join("g.jsonl"), "nonsense\n").unwrap();
    let listed = runs(&folder);
    for (run, _, state) in &cases {
        let summary = listed.iter().find(|r| r.id == *run).unwrap();
        assert_eq!(summary.state.as_str(), *state);
        assert_eq!(summary.over, matches!(*run, "a" | "f"));
        assert_eq!(summary.env.as_str(), if *run == "a" { "" } else { "production" });
    }
    let damaged = listed.iter().find(|r| r.id == "g").unwrap();
    assert!(damaged.state.as_str().starts_with("cannot be read"), "{damaged:?}");
    assert_eq!(listed.len(), 7);
}

/// Runs itself again on a file system of 64 kB, in a mount namespace of its own.
#[test]
fn a_full_disk_loses_no_entry_that_was_written() {
    if let Some(disk) = std::env::var_os("SMALL") {
        return on_a_small_disk(&PathBuf::from(disk));
    }
    let top = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=64k,mode=700 tmpfs \"$1\" || exit 77; \
                  SMALL=\"$1\" exec \"$2\" --nocapture --exact \"$3\"";
    let out = Command::new("unshare")
        .args(["-m", "sh", "-c", script, "sh"])
        .arg(top.path())
        .arg(std::env::current_exe().unwrap())
        .arg("runbook::journal::tests::a_full_disk_loses_no_entry_that_was_written")
        .output();
    let out = match out {
        Err(error) => return eprintln!("skipped: no unshare: {error}"),
        Ok(out)
            if out.status.code() == Some(77)
                || String::from_utf8_lossy(&out.stderr).contains("unshare failed") =>
        {
            return eprintln!("skipped: no mount namespace: {}", String::from_utf8_lossy(&out.stderr));
        }
        Ok(out) => out,
    };
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

fn on_a_small_disk(disk: &Path) {
    let folder = disk.join("runs");
    let mut journal = Journal::create(&folder, "r1").unwrap();
    let mut acknowledged = vec![journal.append(&started()).unwrap()];
    let error = loop {
        match journal.append(&note(&"x".repeat(997))) {
            Ok(entry) => acknowledged.push(entry),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 100, "the disk never filled");
    };
    assert!(matches!(error, JournalError::Io { .. }), "{error}");
    assert!(matches!(journal.append(&note("y")), Err(JournalError::Poisoned(_))));
    drop(journal);
    assert_eq!(read(&folder.join("r1.jsonl")).unwrap(), acknowledged);
    let grown = Command::new("mount").args(["-o", "remount,size=1m"]).arg(disk).status().unwrap();
    assert!(grown.success());
    let (mut journal, again) = Journal::reopen(&folder, "r1").unwrap();
    assert_eq!(again, acknowledged);
    journal.append(&note("room again")).unwrap();
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

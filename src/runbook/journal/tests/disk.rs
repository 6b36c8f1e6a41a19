//! Journals on disks and in folders that are not as they should be, and the list of runs.

use super::*;

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
        ("c", vec![started(), intent("freeze")], "cut off during step freeze: outcome unknown"),
        ("d", vec![started(), intent("freeze"), outcome(Phase::Run)], "cut off after step freeze"),
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
        .arg("runbook::journal::tests::disk::a_full_disk_loses_no_entry_that_was_written")
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

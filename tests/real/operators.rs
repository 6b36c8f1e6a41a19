//! Runs on the real fleet as people have them: the program in a pseudo-terminal, killed like a machine that loses power.
//! Two operators; secrets; a run killed at every entry of its journal. Needs `JUMPDECK_FLEET`, the directory of a fleet
//! that is up (tests/run gives it).

use crate::support::{desk, terminal};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use desk::{Answers, entries, fleet, journal, jumpdeck, lane};
use terminal::Terminal;

/// A change that must be done once: each repetition is a row more.
const NOTES: &str = r#"
name = "notes"
title = "Three notes"
summary = "For tests."
danger = "changes"

[[target]]
name = "master"
host = "db1-masterdb"

[[step]]
id = "one"
kind = "sql"
title = "The first note"
on = "master"
sql = "INSERT INTO fleet.notes (note) VALUES (CONCAT({run}, ' one'))"
effect = "mutate"
read_back = [{ says = "it is there", sql = "SELECT COUNT(*) > 0 FROM fleet.notes WHERE note = CONCAT({run}, ' one')", expect = [{ is = "1" }] }]
undo = { not_needed = "it is a note" }

[[step]]
id = "two"
kind = "sql"
title = "The second note"
on = "master"
sql = "INSERT INTO fleet.notes (note) VALUES (CONCAT({run}, ' two'))"
effect = "mutate"
read_back = [{ says = "it is there", sql = "SELECT COUNT(*) > 0 FROM fleet.notes WHERE note = CONCAT({run}, ' two')", expect = [{ is = "1" }] }]
undo = { not_needed = "it is a note" }
"#;

fn home_with_notes() -> tempfile::TempDir {
    desk::home_with("notes", NOTES)
}

/// Answers everything with what it wants, until it ends or the journal has so many entries; then it is killed.
/// True: it came to its end.
fn drive(terminal: &mut Terminal, home: &Path, kill_at: usize) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    let mut answers = Answers::new();
    loop {
        assert!(Instant::now() < end, "it neither ends nor asks; it said:\n{}", terminal.said);
        if entries(home).len() >= kill_at {
            terminal.kill();
            return false;
        }
        if terminal.has_ended() {
            return true;
        }
        terminal.pump();
        assert!(answers.give(terminal, &mut desk::go_on), "{}", terminal.said);
    }
}

#[test]
fn a_run_killed_at_every_entry_of_its_journal_does_nothing_twice() {
    let Some(dir) = fleet() else { return };
    let mut kill_at = 1;
    loop {
        let home = home_with_notes();
        lane(&dir, &["generallog", "db1-masterdb", "on"]);
        lane(&dir, &["generallog", "db1-masterdb", "clear"]);
        let words = ["run", "notes", "--why", "to see it die"];
        let mut terminal = Terminal::run(jumpdeck(home.path(), &dir, "anna", &words));
        let ended = drive(&mut terminal, home.path(), kill_at);
        let run = desk::run_id(home.path());
        if !ended && desk::ending(home.path()).is_none() {
            let mut again = Terminal::run(jumpdeck(home.path(), &dir, "anna", &["resume", &run]));
            assert!(drive(&mut again, home.path(), usize::MAX), "{}", again.said);
            assert_eq!(again.ends(), 0, "killed at entry {kill_at}; resumed it said:\n{}", again.said);
        }
        let log = lane(&dir, &["generallog", "db1-masterdb", "show"]);
        let inserted = |note: &str| {
            log.lines().filter(|l| l.contains("INSERT INTO fleet.notes") && l.contains(note)).count()
        };
        assert_eq!((inserted(" one"), inserted(" two")), (1, 1), "killed at entry {kill_at}:\n{log}");
        let rows = lane(
            &dir,
            &["sql", "db1-masterdb", &format!("SELECT note FROM fleet.notes WHERE note LIKE '{run}%'")],
        );
        assert_eq!(rows.matches(&run).count(), 2, "{rows}");
        if ended {
            break;
        }
        kill_at += 1;
    }
    lane(&dir, &["generallog", "db1-masterdb", "off"]);
    println!("killed at {} entries", kill_at - 1);
    assert!(kill_at > 6, "only {kill_at} entries");
}

#[test]
fn a_second_operator_is_refused_and_told_and_a_dead_one_holds_nothing_for_long() {
    let Some(dir) = fleet() else { return };
    let (anna, ben) = (home_with_notes(), home_with_notes());
    let words = ["run", "notes", "--why", "first come"];
    let mut first = Terminal::run(jumpdeck(anna.path(), &dir, "anna@desk", &words));
    first.until("type yes to begin> ");
    first.types("yes\n");
    first.until("to do it> ");
    let mut second = Terminal::run(jumpdeck(ben.path(), &dir, "ben@sofa", &words));
    second.until("type yes to begin> ");
    second.types("yes\n");
    let code = second.ends();
    assert_ne!(code, 0);
    for word in ["anna@desk", "one"] {
        assert!(second.said.contains(word), "{word:?} is missing:\n{}", second.said);
    }
    assert!(journal(ben.path()).is_none(), "who is refused leaves nothing behind");
    first.kill();
    let killed = Instant::now();
    loop {
        let mut third = Terminal::run(jumpdeck(ben.path(), &dir, "ben@sofa", &words));
        third.until("type yes to begin> ");
        third.types("yes\n");
        if third.until_or_end("to do it> ") {
            third.kill();
            break;
        }
        assert!(killed.elapsed() < Duration::from_secs(20), "still held: {}", third.said);
    }
    println!("free again {:.1} s after the kill", killed.elapsed().as_secs_f64());
}

/// What was seen of this machine's processes; one kernel, so those of every host are among them.
#[derive(Debug, Default)]
struct Sampled {
    sweeps: u64,
    /// Short-lived processes that were seen: the clients of databases.
    clients: usize,
    /// Where the secret stood.
    found: Vec<String>,
}

/// Reads arguments and environment of every process, new ones again and again, until it is told to stop.
fn sample(secret: &str, stop: &AtomicBool) -> Sampled {
    let mut sampled = Sampled::default();
    let mut seen: HashMap<u32, u32> = HashMap::new();
    while !stop.load(Ordering::Relaxed) {
        sampled.sweeps += 1;
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
            let times = seen.entry(pid).or_default();
            *times += 1;
            // What has been there for long changes no more; now and then it is looked at all the same.
            if pid == std::process::id() || (*times > 10 && !(*times).is_multiple_of(50)) {
                continue;
            }
            for file in ["cmdline", "environ"] {
                let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                if text.contains(secret) {
                    sampled.found.push(format!("/proc/{pid}/{file}"));
                }
                if *times == 1 && text.contains("--user=root") && text.contains("--batch") {
                    sampled.clients += 1;
                }
            }
        }
    }
    sampled
}

#[test]
fn the_secret_is_seen_nowhere() {
    let Some(dir) = fleet() else { return };
    lane(&dir, &["salt", "up"]);
    lane(&dir, &["db", "reset", "gtid"]);
    lane(&dir, &["writers", "start"]);
    let secrets: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.join("secrets.json")).unwrap()).unwrap();
    let canary = secrets["repl"].as_str().unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let sampling = {
        let (canary, stop) = (canary.clone(), stop.clone());
        std::thread::spawn(move || sample(&canary, &stop))
    };
    let words = desk::promote("old=db1-masterdb", "candidate=db2", "canary");
    let mut terminal = Terminal::run(jumpdeck(home.path(), &dir, "anna", &words));
    let patience = Duration::from_secs(240);
    let code = desk::to_the_end(&mut terminal, &mut Answers::new(), &mut desk::go_on, patience);
    stop.store(true, Ordering::Relaxed);
    let sampled = sampling.join().unwrap();
    lane(&dir, &["writers", "stop"]);
    assert_eq!(code, 0, "{}", terminal.said);
    println!("{} sweeps over /proc, {} database clients seen", sampled.sweeps, sampled.clients);
    assert_eq!(sampled.found, Vec::<String>::new());
    assert!(sampled.clients > 20, "processes go by unseen: {sampled:?}");
    assert!(!terminal.said.contains(&canary), "on the screen");
    let text = fs::read_to_string(journal(home.path()).unwrap()).unwrap();
    assert!(text.contains("repl-password") && text.contains("CHANGE MASTER"), "it was never used");
    assert!(!text.contains(&canary), "in the journal");
    let id = desk::run_id(home.path());
    for words in [&["log", &id][..], &["report", &id], &["report", &id, "--format", "json"]] {
        let said = jumpdeck(home.path(), &dir, "anna", words).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        assert!(!String::from_utf8_lossy(&said.stdout).contains(&canary), "in {words:?}");
    }
    let mut left = vec![home.path().to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => left.push(path),
                path => {
                    let bytes = fs::read(&path).unwrap_or_default();
                    assert!(!String::from_utf8_lossy(&bytes).contains(&canary), "in {}", path.display());
                }
            }
        }
    }
}

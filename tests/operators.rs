//! Runs on the real fleet as people have them: the program in a pseudo-terminal, killed like a machine that loses power.
//! Two operators; secrets; a run killed at every entry of its journal. Needs `JUMPDECK_FLEET`, the directory of a fleet
//! that is up (tests/run gives it).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

#[path = "support/terminal.rs"]
mod terminal;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use terminal::Terminal;

fn fleet() -> Option<PathBuf> {
    let dir = std::env::var_os("JUMPDECK_FLEET").map(PathBuf::from);
    if dir.is_none() {
        println!("skipped: JUMPDECK_FLEET is not set");
    }
    dir
}

/// `tests/fleet` with these words; what it printed.
fn lane(dir: &Path, words: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet");
    let said = Command::new(script).arg("--dir").arg(dir).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "tests/fleet {words:?}: {text}{}", String::from_utf8_lossy(&said.stderr));
    text
}

/// The program as that person has it, with a home of its own.
fn jumpdeck(home: &Path, fleet: &Path, who: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    command.arg("runbook").args(words).arg("--inventory").arg(fleet.join("inventory.toml"));
    for variable in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "JUMPDECK_INVENTORY", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.env("HOME", home).env("JUMPDECK_WHO", who).env("TERM", "xterm");
    command
}

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
    let home = tempfile::tempdir().unwrap();
    let runbooks = home.path().join(".config/jumpdeck/runbooks");
    fs::create_dir_all(&runbooks).unwrap();
    fs::write(runbooks.join("notes.toml"), NOTES).unwrap();
    home
}

/// The only journal there, when there is one.
fn journal(home: &Path) -> Option<PathBuf> {
    let runs = fs::read_dir(home.join(".local/state/jumpdeck/runs")).ok()?;
    runs.flatten().map(|e| e.path()).find(|p| p.extension().is_some_and(|e| e == "jsonl"))
}

fn entries(home: &Path) -> usize {
    journal(home).and_then(|p| fs::read_to_string(p).ok()).map_or(0, |t| t.matches('\n').count())
}

/// Answers everything with what it wants, until it ends or the journal has so many entries; then it is killed.
/// True: it came to its end.
fn drive(terminal: &mut Terminal, home: &Path, kill_at: usize) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    let mut answered = 0;
    loop {
        assert!(Instant::now() < end, "it neither ends nor asks; it said:\n{}", terminal.said);
        if entries(home) >= kill_at {
            terminal.kill();
            return false;
        }
        if terminal.has_ended() {
            return true;
        }
        terminal.pump();
        let fresh = terminal.said[answered..].to_owned();
        let answer = [
            ("type yes to begin> ", "yes\n"),
            ("type yes to go on> ", "yes\n"),
            ("type db1-masterdb to do it> ", "db1-masterdb\n"),
            ("r/s/a> ", "r\n"),
        ];
        if let Some((at, question, reply)) =
            answer.iter().filter_map(|(q, r)| fresh.find(q).map(|at| (at, *q, *r))).min()
        {
            answered += at + question.len();
            terminal.types(reply);
        }
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
        let run = journal(home.path()).unwrap().file_stem().unwrap().to_str().unwrap().to_owned();
        let is_over =
            fs::read_to_string(journal(home.path()).unwrap()).unwrap().contains(r#""event":"ended""#);
        if !ended && !is_over {
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

#[test]
fn the_secret_is_seen_nowhere() {
    let Some(dir) = fleet() else { return };
    lane(&dir, &["salt", "up"]);
    let secrets: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.join("secrets.json")).unwrap()).unwrap();
    let canary = secrets["repl"].as_str().unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let words = [
        "run",
        "promote-masterdb",
        "--set",
        "old=db1-masterdb",
        "--set",
        "candidate=db2",
        "--set",
        "repl_user=repl",
        "--set",
        "app_user=wiki",
        "--why",
        "canary",
    ];
    let mut terminal = Terminal::run(jumpdeck(home.path(), &dir, "anna", &words));
    terminal.until("type yes to begin> ");
    terminal.types("yes\n");
    // Everything that reads the password has been done when the first confirmation comes.
    let own = std::process::id();
    let mut samples = 0;
    let end = Instant::now() + Duration::from_secs(150);
    while !terminal.said.contains("to do it> ") {
        assert!(Instant::now() < end, "no confirmation came:\n{}", terminal.said);
        terminal.pump();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
            if pid == own {
                continue;
            }
            for file in ["cmdline", "environ"] {
                let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
                samples += 1;
                assert!(!String::from_utf8_lossy(&bytes).contains(&canary), "in /proc/{pid}/{file}");
            }
        }
    }
    assert!(samples > 100, "{samples}");
    assert!(!terminal.said.contains(&canary), "on the screen");
    let run = journal(home.path()).unwrap();
    let text = fs::read_to_string(&run).unwrap();
    assert!(text.contains("repl-password") && !text.contains(&canary), "in the journal");
    terminal.kill();
    let id = run.file_stem().unwrap().to_str().unwrap().to_owned();
    for words in [["log", &id], ["report", &id]] {
        let said = jumpdeck(home.path(), &dir, "anna", &words).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        assert!(!String::from_utf8_lossy(&said.stdout).contains(&canary), "in {words:?}");
    }
}

//! Bad luck on the real fleet, as a person at a terminal meets it: the jump box restarted in mid-step, a database cut off
//! while its lock is held, no room left for the journal. Each time it is told what happened, nothing is done twice,
//! nothing is lost. Needs `JUMPDECK_FLEET`.

use crate::support::{desk, terminal};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use desk::{Answers, ask_lane, jumpdeck, lane};
use terminal::Terminal;

/// Longer than anything here takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(200);

/// Three changes that take their time, each of which leaves a mark every time it is done.
const SLOW: &str = r#"
name = "slow"
title = "Slow changes"
summary = "For tests."
danger = "changes"

[[target]]
name = "master"
host = "db1-masterdb"

[[target]]
name = "app"
host = "app1"

[[step]]
id = "row"
kind = "sql"
title = "A row, slowly"
on = "master"
sql = "INSERT INTO fleet.notes (note) SELECT CONCAT({run}, ' row', SLEEP(4))"
effect = "mutate"
read_back = [{ says = "it is there", sql = "SELECT COUNT(*) > 0 FROM fleet.notes WHERE note LIKE CONCAT({run}, ' row%')", expect = [{ is = "1" }] }]
undo = { not_needed = "it is a note" }

[[step]]
id = "line"
kind = "run"
title = "A line, slowly"
on = "app"
with = ["run"]
run = "sleep 4; echo line >>/tmp/slow-\"$run\""
effect = "mutate"
read_back = [{ says = "it is there", with = ["run"], run = "grep -c line /tmp/slow-\"$run\"", expect = [{ at_least = 1 }] }]
undo = { not_needed = "it is a note" }

[[step]]
id = "word"
kind = "run"
detached = true
title = "A word, slowly, whatever becomes of the link"
on = "app"
with = ["run"]
run = "sleep 4; echo word >>/tmp/slow-\"$run\""
effect = "mutate"
read_back = [{ says = "it is there", with = ["run"], run = "grep -c word /tmp/slow-\"$run\"", expect = [{ at_least = 1 }] }]
undo = { not_needed = "it is a note" }
"#;

/// The jump box goes away, all sessions with it, and comes back.
fn restart_jump(dir: &Path) {
    lane(dir, &["jump", "stop"]);
    lane(dir, &["jump", "start"]);
}

/// Resumes as often as it stops, and says yes to everything. What was said on the way.
fn resume_to_the_end(dir: &Path, home: &Path) -> String {
    let mut told = String::new();
    for _ in 0..20 {
        let mut terminal = Terminal::run(jumpdeck(home, dir, "anna", &["resume", &desk::run_id(home)]));
        let code = desk::to_the_end(&mut terminal, &mut Answers::new(), &mut desk::go_on, PATIENCE);
        told.push_str(&terminal.said);
        match code {
            0 => return told,
            // The lease of the process before is not free yet, or the way there is not open again.
            1 | 3 => std::thread::sleep(Duration::from_millis(200)),
            _ => break,
        }
    }
    panic!("it does not come to its end:\n{told}");
}

#[test]
fn a_jump_box_restarted_in_mid_step_leaves_nothing_done_twice() {
    let Some(dir) = desk::fleet() else { return };
    for step in ["row", "line", "word"] {
        let home = desk::home_with("slow", SLOW);
        let words = ["run", "slow", "--why", "to lose the way there"];
        let mut terminal = Terminal::run(jumpdeck(home.path(), &dir, "anna", &words));
        let mut answers = Answers::new();
        let reached = ("intent", step);
        assert!(
            desk::to_the_entry(&mut terminal, &mut answers, &mut desk::go_on, home.path(), reached),
            "{}",
            terminal.said
        );
        restart_jump(&dir);
        // It says what became of it, and stops or goes on; it never says that it succeeded and did not.
        let code = desk::to_the_end(&mut terminal, &mut answers, &mut desk::go_on, PATIENCE);
        let mut told = terminal.said.clone();
        println!("{step}: exit {code}");
        if code != 0 {
            assert!([3, 5].contains(&code), "exit {code}:\n{told}");
            assert!(told.contains("resume"), "it does not say how to go on:\n{told}");
            told += &resume_to_the_end(&dir, home.path());
        }
        assert_eq!(desk::ending(home.path()).as_deref(), Some("finished"), "{told}");
        let run = desk::run_id(home.path());
        let query = format!("SELECT COUNT(*) AS n FROM fleet.notes WHERE note LIKE '{run} row%'");
        let rows = lane(&dir, &["sql", "db1-masterdb", &query]);
        assert_eq!(rows.lines().next_back().map(str::trim), Some("1"), "{step}: {rows}\n{told}");
        let marks = lane(&dir, &["exec", "app1", "cat", &format!("/tmp/slow-{run}")]);
        assert_eq!(marks, "line\nword\n", "{step}:\n{told}");
        lane(&dir, &["exec", "app1", "rm", &format!("/tmp/slow-{run}")]);
    }
}

fn read_only(dir: &Path, host: &str) -> String {
    let said = lane(dir, &["sql", host, "SELECT @@global.read_only"]);
    said.trim().lines().next_back().unwrap_or_default().to_owned()
}

/// What the writers lost, and what was wrong otherwise: nothing.
fn nothing_lost(dir: &Path) {
    lane(dir, &["writers", "stop"]);
    let (_, score) = ask_lane(dir, &["writers", "score", "--json"]);
    let score: serde_json::Value = serde_json::from_str(score.trim()).unwrap();
    println!("longest time without a write: {} ms", score["longest_gap_ms"]);
    assert_eq!(score["clean"], true, "{score:#}");
}

/// A switchover begun, with applications that write.
fn begin_switchover(dir: &Path, home: &Path) -> Terminal {
    lane(dir, &["salt", "up"]);
    lane(dir, &["db", "reset", "gtid"]);
    lane(dir, &["writers", "start"]);
    let words = desk::promote("old=db1-masterdb", "candidate=db2", "bad luck");
    Terminal::run(jumpdeck(home, dir, "anna", &words))
}

#[test]
fn a_jump_box_restarted_in_the_freeze_loses_no_write() {
    let Some(dir) = desk::fleet() else { return };
    let home = tempfile::tempdir().unwrap();
    let mut terminal = begin_switchover(&dir, home.path());
    let mut answers = Answers::new();
    let reached = ("intent", "stop-candidate");
    assert!(
        desk::to_the_entry(&mut terminal, &mut answers, &mut desk::go_on, home.path(), reached),
        "{}",
        terminal.said
    );
    restart_jump(&dir);
    let code = desk::to_the_end(&mut terminal, &mut answers, &mut desk::go_on, PATIENCE);
    if code != 0 {
        // 5: a change was under way when the jump box went, and nobody knows whether it was done.
        assert!([3, 5].contains(&code), "exit {code}:\n{}", terminal.said);
        resume_to_the_end(&dir, home.path());
    }
    assert_eq!(desk::ending(home.path()).as_deref(), Some("finished"));
    assert_eq!((read_only(&dir, "db1-masterdb").as_str(), read_only(&dir, "db2").as_str()), ("1", "0"));
    nothing_lost(&dir);
}

#[test]
fn a_master_cut_off_while_its_lock_is_held_is_never_followed_by_a_promotion() {
    let Some(dir) = desk::fleet() else { return };
    let home = tempfile::tempdir().unwrap();
    let mut terminal = begin_switchover(&dir, home.path());
    let mut answers = Answers::new();
    // Everything up to the question before the window: the old master's lock is held.
    let reached = ("outcome", "flip-ready");
    let reached = desk::to_the_entry(&mut terminal, &mut answers, &mut desk::go_on, home.path(), reached);
    assert!(reached, "{}", terminal.said);
    terminal.until("type db2 to do it> ");
    let mended_at_last = Mended(&dir);
    lane(&dir, &["cut", "db1-masterdb"]);
    // It is noticed while the question still stands, which is taken back: first the lock is to be had again, which was agreed to.
    terminal.until("(lock-old) failed");
    answers.skip_to_the_last(&terminal, "(lock-old) failed");
    // Whoever is asked says yes. What fails is taken back as soon as the master is there again.
    let mut mended = false;
    let mut choose = |told: &str, letters: &[char]| {
        if !mended {
            assert!(told.contains("(lock-old) failed"), "{told}");
            lane(&dir, &["mend", "db1-masterdb"]);
            mended = true;
        }
        ['b', 'l', 'r'].into_iter().find(|letter| letters.contains(letter))
    };
    let code = desk::to_the_end(&mut terminal, &mut answers, &mut choose, PATIENCE);
    drop(mended_at_last);
    // A minion that was cut off is slow to come back: whoever needs Salt next begins it anew.
    lane(&dir, &["salt", "down"]);
    assert_eq!(code, 4, "{}", terminal.said);
    let events = desk::entries(home.path());
    let about = |event: &str, step: &str| events.iter().any(|e| e["event"] == event && e["step"] == step);
    assert!(about("hold_lost", "lock-old"), "it was not noticed:\n{}", terminal.said);
    assert!(!about("intent", "promote"), "it was promoted:\n{}", terminal.said);
    assert_eq!((read_only(&dir, "db1-masterdb").as_str(), read_only(&dir, "db2").as_str()), ("0", "1"));
    let status = lane(&dir, &["sql", "--vertical", "db2", "SHOW ALL SLAVES STATUS"]);
    assert!(status.contains("Slave_SQL_Running: Yes"), "{status}");
    nothing_lost(&dir);
}

/// Whatever becomes of a test, the cable is taken up again.
struct Mended<'a>(&'a Path);

impl Drop for Mended<'_> {
    fn drop(&mut self) {
        let _ = ask_lane(self.0, &["mend", "db1-masterdb"]);
    }
}

/// A small disk, gone with this.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path());
        assert!(mount.status().unwrap().success());
        Self(folder)
    }

    fn fill(&self) {
        let mut block = 65_536;
        let mut text = Vec::new();
        while block > 0 {
            text.resize(text.len() + block, b'x');
            if fs::write(self.0.path().join("full"), &text).is_err() {
                text.truncate(text.len() - block);
                block /= 2;
            }
        }
    }

    fn clear(&self) {
        fs::remove_file(self.0.path().join("full")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_under_the_journal_stops_before_the_change_and_goes_on_with_room() {
    let Some(dir) = desk::fleet() else { return };
    let home = desk::home_with("slow", SLOW);
    fs::create_dir_all(home.path().join(".local")).unwrap();
    let disk = Disk::mount("512k");
    std::os::unix::fs::symlink(disk.0.path(), home.path().join(".local/state")).unwrap();
    let words = ["run", "slow", "--why", "no room"];
    let mut terminal = Terminal::run(jumpdeck(home.path(), &dir, "anna", &words));
    let mut answers = Answers::new();
    let reached = ("outcome", "row");
    assert!(desk::to_the_entry(&mut terminal, &mut answers, &mut desk::go_on, home.path(), reached));
    disk.fill();
    // The journal has room kept for what is under way; notes take of it, so that it must have more before the change.
    terminal.until("type app1 to do it> ");
    for _ in 0..2 {
        terminal.types(&format!("n {}\n", "x".repeat(3000)));
        terminal.until("type app1 to do it> ");
    }
    answers.skip_to_the_last(&terminal, "type app1 to do it> ");
    let code = desk::to_the_end(&mut terminal, &mut answers, &mut desk::go_on, PATIENCE);
    assert_eq!(code, 3, "{}", terminal.said);
    // In lines, each with its colour.
    let coloured = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
    let said = coloured.replace_all(&terminal.said, "");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["journal cannot be written", "No space left", "make room", "resume"] {
        assert!(said.contains(words), "{words:?} is missing:\n{}", terminal.said);
    }
    let run = desk::run_id(home.path());
    let marks = format!("/tmp/slow-{run}");
    assert_eq!(lane(&dir, &["exec", "app1", "sh", "-c", &format!("ls {marks} 2>/dev/null; true")]), "");
    disk.clear();
    resume_to_the_end(&dir, home.path());
    assert_eq!(desk::ending(home.path()).as_deref(), Some("finished"));
    assert_eq!(lane(&dir, &["exec", "app1", "cat", &marks]), "line\nword\n");
    lane(&dir, &["exec", "app1", "rm", &marks]);
}

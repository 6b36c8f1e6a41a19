//! promote-masterdb on the real fleet, killed like a machine that loses power: at every change, before and after its
//! statement, resumed each time, in one switchover. It must end as if nothing had happened: every statement and every
//! job once, no write lost. Needs `JUMPDECK_FLEET`. `JUMPDECK_KILLS=all`: at every entry of the journal instead;
//! `changes`: at every change, before and after it, twice over with other delays between the entry and the kill.

use crate::support::{desk, terminal};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::{Answers, ask_lane, entries, jumpdeck, lane};
use rustix::process::{Pid, Signal, kill_process};
use terminal::Terminal;

const DATABASES: [&str; 3] = ["db1-masterdb", "db2", "db3"];

/// What a run has been killed at: each only once, so that it gets on.
type Killed = Arc<Mutex<BTreeSet<String>>>;

/// Which entries it is killed at, and how long after the entry is on the disk.
#[derive(Clone, Copy)]
struct Plan {
    at: At,
    delays_ms: &'static [u64],
    /// Whether the machine dies with its console, and a colleague takes over; else the same operator resumes.
    colleagues: bool,
}

/// Which entries a run is killed at.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// The intents of the changes that matter most, and the outcomes of those on which everything hangs.
    Turns,
    /// The intent and the outcome of every change.
    Changes,
    /// Every entry but the last.
    Everything,
}

/// The name of an entry that a run is killed at once.
fn name(entry: &serde_json::Value, plan: Plan) -> Option<String> {
    let event = entry["event"].as_str()?;
    let (step, phase) = (entry["step"].as_str().unwrap_or_default(), entry["phase"].as_str());
    let name = format!("{event} {step} {}", phase.unwrap_or_default());
    let plain = step.rsplit('/').next().unwrap_or(step);
    let turn = TURNS.contains(&plain) && (event == "intent" || HINGES.contains(&plain));
    let change = TURNS.contains(&plain) || OTHERS.contains(&plain);
    let wanted = match plan.at {
        At::Turns => turn,
        At::Changes => change,
        At::Everything => true,
    };
    (wanted && (plan.at == At::Everything || phase == Some("run")) && event != "ended").then_some(name)
}

const TURNS: [&str; 12] = [
    "hold-highstate",
    "pillar-edit",
    "freeze",
    "stop-candidate",
    "promote",
    "flip",
    "stop-siblings",
    "release-candidate",
    "siblings-follow",
    "old-position",
    "start-others",
    "hosts-files",
];

/// After these, another server takes writes, or none.
const HINGES: [&str; 3] = ["freeze", "promote", "flip"];

const OTHERS: [&str; 8] = [
    "lock-candidate",
    "candidate-read-only",
    "pillar-known",
    "pillar-sent",
    "flip-ready",
    "go",
    "old-follows",
    "allow-highstate",
];

/// Kills a process as soon as an entry that it was not killed at yet is on the disk. True: it did.
fn reap(home: PathBuf, pid: u32, killed: Killed, plan: Plan, stop: Arc<AtomicBool>) -> bool {
    let mut known = entries(&home).len();
    while !stop.load(Ordering::Relaxed) {
        let all = entries(&home);
        for entry in all.iter().skip(known) {
            let Some(name) = name(entry, plan) else { continue };
            let number = {
                let mut killed = killed.lock().unwrap();
                if !killed.insert(name) {
                    continue;
                }
                killed.len()
            };
            std::thread::sleep(Duration::from_millis(plan.delays_ms[number % plan.delays_ms.len()]));
            let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            // It may have ended by itself meanwhile: then nothing was killed.
            return kill_process(pid, Signal::KILL).is_ok();
        }
        known = all.len();
        std::thread::sleep(Duration::from_micros(500));
    }
    false
}

/// A switchover that is killed and resumed until it ends. How often it was killed, and every choice that was asked for.
fn switch(dir: &Path, home: &Path, pair: (&str, &str), plan: Plan) -> (usize, Vec<(String, char)>) {
    let (old, candidate) = (format!("old={}", pair.0), format!("candidate={}", pair.1));
    let mut words: Vec<String> =
        desk::promote(&old, &candidate, "to see it die").into_iter().map(str::to_owned).collect();
    let killed = Killed::default();
    let (mut kills, mut chosen, mut refused) = (0, Vec::new(), 0);
    let mut first = None::<FirstMachine>;
    loop {
        let all: Vec<&str> = words.iter().map(String::as_str).collect();
        let began = Instant::now();
        let who = format!("anna{kills}");
        let mut terminal = Terminal::run(jumpdeck(home, dir, &who, &all));
        let stop = Arc::new(AtomicBool::new(false));
        let reaper = {
            let (home, pid, killed, stop) = (home.to_owned(), terminal.pid(), killed.clone(), stop.clone());
            std::thread::spawn(move || reap(home, pid, killed, plan, stop))
        };
        let mut answers = Answers::new();
        // What was begun and not done is begun again; what nobody knows is looked for.
        let mut choose = |_: &str, letters: &[char]| {
            letters.iter().copied().find(|l| *l == 'l').or(letters.contains(&'r').then_some('r'))
        };
        let code = desk::to_the_end(&mut terminal, &mut answers, &mut choose, Duration::from_secs(150));
        stop.store(true, Ordering::Relaxed);
        let was_killed = reaper.join().unwrap();
        if std::env::var_os("JUMPDECK_STORY").is_some() {
            println!(
                "---- {words:?} {:?} exit {code}, killed {was_killed}\n{}",
                began.elapsed(),
                terminal.said
            );
        }
        chosen.extend(answers.chosen);
        match (was_killed, code) {
            (true, -1) => {
                kills += 1;
                // The last entry may have come between the one it was killed at and its death.
                if desk::ending(home).is_some() {
                    return (kills, chosen);
                }
                if plan.colleagues && desk::journal(home).is_some() {
                    words = vec!["takeover".to_owned(), desk::run_id(home)];
                    let kept = FirstMachine::of(home);
                    first.get_or_insert(kept);
                    std::fs::remove_dir_all(desk::runs(home)).unwrap();
                }
            }
            (_, 0) => {
                if let Some(first) = first {
                    first.comes_back(dir);
                }
                return (kills, chosen);
            }
            // The lease outlives its holder by a moment: a person tries again.
            (_, 1) if terminal.said.contains("anna") && refused < 20 => {
                refused += 1;
                std::thread::sleep(Duration::from_millis(200));
            }
            _ => panic!("exit {code} after {kills} kills; it said:\n{}", terminal.said),
        }
        if !plan.colleagues {
            words = vec!["resume".to_owned(), desk::run_id(home)];
        }
    }
}

/// The first operator's machine, that was thought lost.
struct FirstMachine {
    home: tempfile::TempDir,
    run: String,
}

impl FirstMachine {
    fn of(home: &Path) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let runs = desk::runs(kept.path());
        std::fs::create_dir_all(&runs).unwrap();
        for file in std::fs::read_dir(desk::runs(home)).unwrap().flatten() {
            std::fs::copy(file.path(), runs.join(file.file_name())).unwrap();
        }
        Self { home: kept, run: desk::run_id(home) }
    }

    /// It finds that others went on, and does nothing.
    fn comes_back(&self, dir: &Path) {
        let before = entries(self.home.path());
        let mut terminal = Terminal::run(jumpdeck(self.home.path(), dir, "anna", &["resume", &self.run]));
        let (mut answers, mut none) = (Answers::new(), |_: &str, _: &[char]| None);
        let code = desk::to_the_end(&mut terminal, &mut answers, &mut none, Duration::from_secs(60));
        assert!(code == 1 && terminal.said.contains("is not resumed"), "exit {code}: {}", terminal.said);
        assert!(terminal.said.contains("it is over"), "{}", terminal.said);
        assert_eq!(entries(self.home.path()), before);
    }
}

/// The statements on a database that change something, in order, without passwords.
fn mutations(dir: &Path, host: &str) -> Vec<String> {
    let kinds = ["SET GLOBAL", "SET STATEMENT", "STOP ", "START ", "RESET ", "CHANGE MASTER", "FLUSH "];
    let log = lane(dir, &["generallog", host, "show"]);
    let statements = log.lines().filter_map(|line| line.split('\t').nth(4));
    let statements = statements.map(|s| s.trim_start_matches("/*M!100101 ").trim());
    let own = |s: &&str| kinds.iter().any(|k| s.to_uppercase().starts_with(k)) && !s.contains("general_log");
    let short = |s: &str| s.split(" MASTER_PASSWORD").next().unwrap_or_default().to_owned();
    statements.filter(own).map(short).collect()
}

/// The statements without those that were undone, and without what undid them.
fn without_undone(seen: &[String], forward: &str, back: &str) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    for statement in seen {
        match statement.starts_with(back) {
            true if left.last().is_some_and(|last| last.starts_with(forward)) => drop(left.pop()),
            // A kill before the statement was sent: it is undone all the same.
            true => {}
            false => left.push(statement.clone()),
        }
    }
    left
}

/// Salt's jobs that change something and that the jump box gave out: function and arguments, how often. What a host
/// applies by its own `salt-call` has that host alone as its target.
fn jobs(dir: &Path, since: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for (id, job) in all_jobs(dir) {
        let function = job["Function"].as_str().unwrap_or_default();
        let changes = ["state.sls", "state.disable", "state.enable", "saltutil.refresh_pillar"];
        if since.contains(&id) || !changes.contains(&function) {
            continue;
        }
        // Salt keeps a list of minions in no order.
        let mut on: Vec<String> = match &job["Target"] {
            serde_json::Value::String(all) if all == "*" => vec![all.clone()],
            serde_json::Value::String(_) => continue,
            list => serde_json::from_value(list.clone()).unwrap(),
        };
        on.sort();
        let told = format!("{function} {} on {}", job["Arguments"], on.join(","));
        *counted.entry(told).or_default() += 1;
    }
    counted
}

fn all_jobs(dir: &Path) -> serde_json::Map<String, serde_json::Value> {
    let text = lane(dir, &["ssh", "salt", "salt-run", "--out=json", "jobs.list_jobs"]);
    let json = &text[text.find('{').unwrap()..=text.rfind('}').unwrap()];
    serde_json::from_str(json).unwrap()
}

fn sql(dir: &Path, host: &str, statement: &str) -> String {
    lane(dir, &["sql", host, statement]).trim().to_owned()
}

fn commits(dir: &Path) -> usize {
    let said = lane(dir, &["ssh", "salt", "git", "-C", "/srv/pillar", "rev-list", "--count", "HEAD"]);
    said.trim().parse().unwrap()
}

/// One switchover from db1-masterdb to db2 with kills, and everything that must hold afterwards.
fn survives(dir: &Path, plan: Plan) {
    lane(dir, &["db", "reset", "gtid"]);
    let (jobs_before, commits_before) =
        (all_jobs(dir).keys().cloned().collect::<BTreeSet<String>>(), commits(dir));
    for host in DATABASES {
        lane(dir, &["generallog", host, "on"]);
    }
    lane(dir, &["writers", "start"]);
    let home = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let (kills, chosen) = switch(dir, home.path(), ("db1-masterdb", "db2"), plan);
    println!("{kills} kills, {} choices asked for, in {:.0?}", chosen.len(), began.elapsed());
    for (told, letter) in &chosen {
        let about = told.lines().skip_while(|l| !l.contains(") failed") && !l.contains("outcome unknown"));
        println!("{letter}: {}", about.take(4).collect::<Vec<_>>().join(" | "));
    }
    lane(dir, &["writers", "stop"]);
    assert_eq!(desk::ending(home.path()).as_deref(), Some("finished"));

    let seen: Vec<Vec<String>> = DATABASES.iter().map(|host| mutations(dir, host)).collect();
    println!("{seen:#?}");
    // A kill in the window undoes it: what was undone may be done again, and only that.
    let seen = [
        without_undone(&seen[0], "SET STATEMENT max_statement_time=2", "SET GLOBAL read_only = 0"),
        without_undone(&seen[1], "STOP ALL SLAVES", "START ALL SLAVES"),
        seen[2].clone(),
    ];
    for host in DATABASES {
        lane(dir, &["generallog", host, "off"]);
    }
    let read_only = DATABASES.map(|host| sql(dir, host, "SELECT @@global.read_only"));
    assert!(
        read_only[0].ends_with('1') && read_only[1].ends_with('0') && read_only[2].ends_with('1'),
        "{read_only:?}"
    );
    let (_, score) = ask_lane(dir, &["writers", "score", "--json"]);
    let score: serde_json::Value = serde_json::from_str(score.trim()).unwrap();
    println!("longest time without a write: {} ms", score["longest_gap_ms"]);
    assert_eq!(score["clean"], true, "{score:#}");
    for follower in ["db1-masterdb", "db3"] {
        let status = lane(dir, &["sql", "--vertical", follower, "SHOW ALL SLAVES STATUS"]);
        for line in ["Slave_IO_Running: Yes", "Slave_SQL_Running: Yes"] {
            assert!(status.contains(line), "{follower}:\n{status}");
        }
    }
    let jobs = jobs(dir, &jobs_before);
    println!("{seen:#?}\n{jobs:#?}");
    let wanted: [&[&str]; 3] = [
        &["SET STATEMENT max_statement_time=2", "SET GLOBAL gtid_slave_pos", "CHANGE MASTER", "START SLAVE"],
        &[
            "SET GLOBAL read_only = 1",
            "STOP ALL SLAVES",
            "SET GLOBAL read_only = IF(",
            // The new master is released, and made writable once more: it may have restarted.
            "STOP ALL SLAVES",
            "RESET SLAVE ALL",
            "SET GLOBAL read_only = 0",
        ],
        &["STOP SLAVE", "CHANGE MASTER", "START SLAVE"],
    ];
    for ((host, wanted), seen) in DATABASES.iter().zip(wanted).zip(&seen) {
        let same = wanted.len() == seen.len() && wanted.iter().zip(seen).all(|(w, s)| s.starts_with(w));
        assert!(same, "on {host}: {seen:#?}");
    }
    // The pillar is sent twice: as it is, before it is changed, and changed.
    let once = |job: &str, times| times == if job.contains("refresh_pillar") { 2 } else { 1 };
    assert!(jobs.iter().all(|(job, times)| once(job, *times)), "{jobs:#?}");
    assert_eq!(jobs.values().sum::<usize>(), 5, "{jobs:#?}");
    assert_eq!(commits(dir) - commits_before, 1, "commits in the pillar");
}

#[test]
fn a_switchover_killed_at_every_change_does_nothing_twice_and_loses_nothing() {
    let Some(dir) = desk::fleet() else { return };
    lane(&dir, &["salt", "up"]);
    match std::env::var("JUMPDECK_KILLS").unwrap_or_default().as_str() {
        "changes" => {
            survives(&dir, Plan { at: At::Changes, delays_ms: &[0], colleagues: false });
            survives(
                &dir,
                Plan { at: At::Changes, delays_ms: &[2, 5, 10, 20, 40, 80, 600], colleagues: false },
            );
        }
        "all" => survives(&dir, Plan { at: At::Everything, delays_ms: &[0, 2, 5], colleagues: false }),
        _ => survives(&dir, Plan { at: At::Turns, delays_ms: &[0, 3, 8, 15, 30, 300], colleagues: false }),
    }
}

/// Done when 4, on the real fleet: the operator's machine is gone at every change that matters, between freeze and promotion above
/// all, and a colleague takes over each time. The first operator's machine that comes back resumes nothing.
#[test]
fn a_switchover_taken_over_at_every_turn_does_nothing_twice_and_loses_nothing() {
    let Some(dir) = desk::fleet() else { return };
    lane(&dir, &["salt", "up"]);
    survives(&dir, Plan { at: At::Turns, delays_ms: &[0, 3, 8, 15, 30, 300], colleagues: true });
}

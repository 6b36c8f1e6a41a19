//! Windows that fail, on the real fleet while applications write: whatever goes wrong between the freeze and the promotion,
//! the old master becomes writable again without anybody, and nothing is lost. Needs `JUMPDECK_FLEET`. Each case once;
//! `JUMPDECK_WINDOWS=20 JUMPDECK_MODES=gtid,gtid-nolsu,position` makes the table of docs/performance.md.

use crate::support::{desk, lane, terminal};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use desk::{Answers, entries, jumpdeck};
use lane::{MASTER, Scene, fleet};
use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};
use terminal::Terminal;

const CANDIDATE: &str = "db2";

/// What goes wrong between the freeze and the promotion.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Case {
    /// The candidate does not catch up within the limit.
    Lag,
    /// The candidate's server is killed.
    ReplicaKilled,
    /// Somebody with SUPER writes to the old master after the freeze.
    LateWrite,
    /// Every connection of the jump box is closed, and it takes no new ones for three seconds.
    LinkCut,
    /// The console is killed.
    ConsoleKilled,
    /// Packets between this machine and the jump box are dropped: no connection is closed.
    JumpSilent,
    /// Packets between the jump box and the old master are dropped; the candidate is reached all the time.
    OldSilent,
    /// The sessions on the old master end, and the jump box cannot reach it any more; the candidate is reached all the time.
    OldCut,
}

const CASES: [Case; 8] = [
    Case::ConsoleKilled,
    Case::LinkCut,
    Case::Lag,
    Case::ReplicaKilled,
    Case::LateWrite,
    Case::JumpSilent,
    Case::OldSilent,
    Case::OldCut,
];

impl Case {
    /// How soon writes must run again on a busy machine: the window's limit and a second, and where nothing tells of the fault
    /// but silence, the time in which silence is taken for a cut, too.
    fn limit(self) -> Duration {
        match self {
            Self::ConsoleKilled => Duration::from_secs(1),
            Self::Lag | Self::ReplicaKilled | Self::LateWrite | Self::LinkCut | Self::OldCut => {
                Duration::from_secs(5)
            }
            Self::JumpSilent | Self::OldSilent => Duration::from_secs(20),
        }
    }

    /// Whether somebody has to mend the link before the console can go on.
    fn is_apart(self) -> bool {
        match self {
            Self::JumpSilent | Self::OldSilent | Self::OldCut => true,
            Self::Lag | Self::ReplicaKilled | Self::LateWrite | Self::LinkCut | Self::ConsoleKilled => false,
        }
    }
}

const JUMP: &str = "salt";

/// Nothing that the jump box and the old master send to each other arrives.
fn cut_old(scene: &Scene) {
    scene.lane(&["cut", JUMP, "--from", MASTER]);
    scene.lane(&["cut", MASTER, "--from", JUMP]);
}

/// The clock of the writers' records.
fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

/// When the first row after that moment was acknowledged.
fn first_row_after(dir: &Path, moment: u64) -> Option<u64> {
    let records = ["app1", "app2"].map(|app| dir.join(format!("hosts/{app}/log/writer.log")));
    let times = records.iter().filter_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().rev().filter_map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let at = fields.get(3)?.parse::<u64>().ok()?;
            matches!(fields[0], "ack" | "found").then_some(at)
        });
        lines.take_while(|at| *at > moment).last()
    });
    times.min()
}

/// Waits until applications write again after that moment, which a person does not help with; how long it took.
fn writes_again(dir: &Path, moment: u64) -> Duration {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(at) = first_row_after(dir, moment) {
            return Duration::from_nanos(at - moment);
        }
        assert!(Instant::now() < end, "writes did not resume by themselves");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Somebody who writes with SUPER from the freeze on, every five milliseconds for a second.
fn late_writer(scene: &Scene) -> Child {
    let statement = "delimiter //\n\
        BEGIN NOT ATOMIC DECLARE n INT DEFAULT 0; \
        WHILE @@global.read_only = 0 DO DO SLEEP(0.005); END WHILE; \
        WHILE n < 200 DO INSERT INTO fleet.notes (note) VALUES ('in spite of read_only'); DO SLEEP(0.005); SET n = n + 1; END WHILE; \
        END//\n";
    let mut client = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet"));
    client.arg("--dir").arg(&scene.dir).args([
        "exec",
        MASTER,
        "mariadb",
        "--defaults-file=/etc/mysql/my.cnf",
    ]);
    let mut client = client.stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut client.stdin.take().unwrap(), statement.as_bytes()).unwrap();
    let waits = "SELECT COUNT(*) FROM information_schema.processlist WHERE STATE = 'User sleep'";
    lane::until("the late writer is there", 20, || scene.sql(MASTER, waits) != "0");
    client
}

/// What is known of one window that failed.
struct Outcome {
    /// From what went wrong until applications wrote again.
    again: Duration,
    score: serde_json::Value,
    said: String,
}

/// What goes wrong when the freeze is on the disk; when that was.
fn go_wrong(scene: &Scene, case: Case, terminal: &Terminal, home: &Path) -> u64 {
    let frozen = |e: &serde_json::Value| e["event"] == "outcome" && e["step"] == "freeze";
    let end = Instant::now() + Duration::from_secs(600);
    while !entries(home).iter().any(frozen) {
        assert!(Instant::now() < end, "it is never frozen");
        std::thread::sleep(Duration::from_micros(500));
    }
    let moment = now_ns();
    match case {
        Case::Lag | Case::LateWrite => {}
        Case::ReplicaKilled => drop(scene.lane(&["db", CANDIDATE, "kill"])),
        Case::LinkCut => {
            scene.lane(&["jump", "stop"]);
            let moment = now_ns();
            std::thread::sleep(Duration::from_secs(3));
            scene.lane(&["jump", "start"]);
            return moment;
        }
        Case::ConsoleKilled => {
            let pid = Pid::from_raw(i32::try_from(terminal.pid()).unwrap()).unwrap();
            kill_process(pid, Signal::KILL).unwrap();
        }
        Case::JumpSilent => drop(scene.lane(&["cut", JUMP])),
        Case::OldSilent => cut_old(scene),
        Case::OldCut => {
            scene.lane(&["exec", MASTER, "pkill", "-KILL", "-f", "sshd: .*@notty"]);
            cut_old(scene);
        }
    }
    moment
}

/// An operator who tries again what fails on the way (Salt is slow on a busy machine), and takes everything back once the
/// window has failed.
fn takes_back(told: &str, letters: &[char]) -> Option<char> {
    let wanted = if told.contains("The window failed") { ['b', 'l', 'r'] } else { ['l', 'r', 'b'] };
    wanted.into_iter().find(|letter| letters.contains(letter))
}

/// One switchover whose window fails in that way, and the way back.
fn failing(dir: &Path, mode: &str, case: Case) -> Outcome {
    let scene = Scene::new(dir.to_owned(), mode);
    let home = tempfile::tempdir().unwrap();
    let pair = [format!("old={MASTER}"), format!("candidate={CANDIDATE}")];
    let words = desk::promote(&pair[0], &pair[1], "a window that fails");
    let mut terminal = Terminal::run(jumpdeck(home.path(), dir, "anna", &words));
    let mut answers = Answers::new();
    // Up to the question before writes stop: then the fault is prepared.
    let asked = |terminal: &Terminal| terminal.said.contains("type db2 to do it> ");
    let end = Instant::now() + Duration::from_secs(600);
    while !asked(&terminal) {
        assert!(Instant::now() < end && !terminal.has_ended(), "{}", terminal.said);
        terminal.pump();
        if !asked(&terminal) {
            assert!(answers.give(&mut terminal, &mut takes_back), "{}", terminal.said);
        }
    }
    let mut late = None;
    match case {
        Case::LateWrite => late = Some(late_writer(&scene)),
        // The window stays open up to its limit: there is time for what goes wrong.
        Case::Lag
        | Case::ReplicaKilled
        | Case::LinkCut
        | Case::ConsoleKilled
        | Case::JumpSilent
        | Case::OldSilent
        | Case::OldCut => {
            scene.lane(&["db", "inject", "blocked", CANDIDATE]);
        }
    }
    let patience = Duration::from_secs(600);
    let again = std::thread::scope(|threads| {
        assert!(answers.give(&mut terminal, &mut takes_back), "{}", terminal.said);
        let moment = go_wrong(&scene, case, &terminal, home.path());
        let waits = threads.spawn(move || writes_again(dir, moment));
        if case == Case::ConsoleKilled {
            // Nobody does anything until writes go on.
            let again = waits.join().unwrap();
            terminal.kill();
            while terminal.pump() {}
            return again;
        }
        if case.is_apart() {
            // Nobody mends anything until writes go on.
            let again = waits.join();
            scene.lane(&["mend", JUMP]);
            scene.lane(&["mend", MASTER]);
            desk::to_the_end(&mut terminal, &mut answers, &mut takes_back, patience);
            return again.unwrap();
        }
        desk::to_the_end(&mut terminal, &mut answers, &mut takes_back, patience);
        waits.join().unwrap()
    });
    let mut said = terminal.said.clone();
    if case == Case::ReplicaKilled {
        scene.lane(&["db", CANDIDATE, "start"]);
    } else if case != Case::LateWrite {
        scene.lane(&["db", "heal", "blocked", CANDIDATE]);
    }
    for _ in 0..5 {
        if desk::ending(home.path()).is_some() {
            break;
        }
        let run = desk::run_id(home.path());
        let mut again = Terminal::run(jumpdeck(home.path(), dir, "anna", &["resume", &run]));
        desk::to_the_end(&mut again, &mut Answers::new(), &mut takes_back, patience);
        said.push_str(&again.said);
    }
    if let Some(mut late) = late {
        assert!(late.wait().unwrap().success(), "the late writer could not write");
    }
    if std::env::var_os("JUMPDECK_STORY").is_some() {
        println!("{case:?}, {mode}:\n{said}");
    }
    assert_eq!(desk::ending(home.path()).as_deref(), Some("rolled_back"), "{said}");
    scene.is_untouched();
    scene.lane(&["writers", "stop"]);
    lane::until("the replicas have caught up", 30, || {
        let end = scene.sql(MASTER, "SELECT @@global.gtid_binlog_pos");
        [CANDIDATE, "db3"].iter().all(|h| lane::slave(dir, h, "Gtid_IO_Pos") == end || mode == "position")
    });
    let score = lane::score(dir);
    assert_eq!(score["clean"], true, "{score:#}\n{said}");
    Outcome { again, score, said }
}

fn report(case: Case, mode: &str, outcome: &Outcome) {
    let score = &outcome.score;
    println!(
        "| {case:?} | {mode} | writes again {} ms after it | {} ms without writes | {} refused | {} unknown | lost {} | doubled {} | on two masters {} |",
        outcome.again.as_millis(),
        score["longest_gap_ms"],
        score["refused"],
        score["unknown"],
        score["lost"],
        score["duplicated"],
        score["acknowledged_by_two"],
    );
}

#[test]
fn writes_go_on_by_themselves_when_a_window_fails() {
    let Some(dir) = fleet() else { return };
    let wanted = std::env::var("JUMPDECK_WINDOWS").ok().and_then(|n| n.parse().ok());
    let only = std::env::var("JUMPDECK_CASE").ok();
    let modes = std::env::var("JUMPDECK_MODES").unwrap_or_else(|_| "gtid".to_owned());
    let cases = CASES.iter().filter(|case| only.as_ref().is_none_or(|only| format!("{case:?}") == *only));
    let cases: Vec<Case> = cases.copied().collect();
    let times = wanted.unwrap_or(cases.len());
    for mode in modes.split(',') {
        for case in cases.iter().cycle().take(times) {
            let outcome = failing(&dir, mode, *case);
            report(*case, mode, &outcome);
            assert!(outcome.again < case.limit(), "{case:?}, {:?}: {}", outcome.again, outcome.said);
        }
    }
}

//! Deliberate mutants of promote-masterdb: each proof that the runbook rests on is taken away, and something must find it: the
//! reader of runbooks (`check`), the plan, the run itself, which stops or rolls back where the runbook as it is goes to its end, or the
//! checker of histories. `JUMPDECK_MUTANT=N` plays one alone; without `JUMPDECK_THOROUGH` only those that no run is needed for,
//! and some of the others. See docs/proofs.md.

use crate::support::{mutate, play, schedule};
use std::sync::Arc;

use mutate::{Change, mutate};
use play::{Patience, play_on, stage};
use schedule::{Fault, Next, Schedule};
use tokio::sync::Semaphore;

/// A mutant, and what goes wrong in the run that is to show it.
struct Mutant {
    name: &'static str,
    changes: &'static [Change],
    gtid: bool,
    faults: Vec<(&'static str, u64, Fault)>,
    /// Where nothing finds it: what proves the same in the runbook, or why these schedules cannot show it.
    redundant: Option<&'static str>,
}

/// What found a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Check(String),
    Plan(String),
    /// The run did not come to its end, where that of the runbook as it is does.
    Run(String),
    Checker(String),
    Nothing,
}

fn mutant(name: &'static str, changes: &'static [Change], faults: &[(&'static str, u64, Fault)]) -> Mutant {
    Mutant { name, changes, gtid: true, faults: faults.to_vec(), redundant: None }
}

fn redundant(mutant: Mutant, why: &'static str) -> Mutant {
    Mutant { redundant: Some(why), ..mutant }
}

fn by_position(mutant: Mutant) -> Mutant {
    Mutant { gtid: false, ..mutant }
}

#[allow(clippy::too_many_lines)] // a list
fn mutants() -> Vec<Mutant> {
    use Change::{Before, NoField, NoLine, Without, Word};
    let lag = || Fault::Lag("db2", 8000);
    let lies = || Fault::WaitsLie("db2", 8000);
    let db1_again = || Fault::Crash("db1-masterdb", 50);
    vec![
        mutant("no freeze", &[Without(&["freeze"])], &[]),
        mutant("the freeze is not read back", &[NoField("freeze", "read_back")], &[]),
        mutant("the freeze cannot be undone", &[NoField("freeze", "undo")], &[]),
        mutant(
            "a freeze that freezes nothing",
            &[Word("freeze", "SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0")],
            &[],
        ),
        mutant("no guard", &[Without(&["guard"])], &[]),
        mutant(
            "nobody waits until the candidate has everything, nor proves it",
            &[Without(&["level-gtid", "end-of-old", "candidate-level", "exact-gtid", "candidate-exact"])],
            &[("go", 0, lag())],
        ),
        mutant(
            "what the wait says is not looked at, and nothing else proves it",
            &[
                Word("candidate-level", "is = \"0\"", "at_least = -1"),
                Without(&["exact-gtid", "candidate-exact"]),
            ],
            &[("go", 0, lag())],
        ),
        mutant(
            "the candidate's place is not proved exact, and its waits lie",
            &[Without(&["exact-gtid", "candidate-exact"])],
            &[("go", 0, lies())],
        ),
        by_position(mutant(
            "by position: nobody waits, nor proves the place",
            &[Without(&["level-log", "candidate-level-log", "candidate-exact-log"])],
            &[("go", 0, lag())],
        )),
        mutant(
            "the end of the old master is read before the freeze",
            &[
                Before("end-of-old-log", "freeze"),
                Without(&["exact-gtid", "candidate-exact"]),
                NoLine("promote", "has not grown since"),
                Word("candidate-level", "{g}, 0.4", "{now_at}, 0.4"),
            ],
            &[("go", 0, lag())],
        ),
        mutant(
            "the promotion does not look whether the old master is frozen",
            &[
                NoLine("promote", "{old} is read-only"),
                NoLine("promote", "has not grown since"),
                Without(&["restart-old"]),
            ],
            &[("stop-candidate", 0, db1_again())],
        ),
        redundant(
            mutant(
                "the old master's end is not read a second time",
                &[NoLine("promote", "has not grown since")],
                &[],
            ),
            "no account that could write in spite of read_only is left (privileges, events); it is the second proof",
        ),
        mutant("replication is not stopped before the promotion", &[Without(&["stop-candidate"])], &[]),
        mutant("the promotion before the stop of replication", &[Before("promote", "stop-candidate")], &[]),
        mutant(
            "the promotion before the catch-up",
            &[Before("promote", "end-of-old-log")],
            &[("go", 0, lag())],
        ),
        mutant(
            "a promotion that promotes nothing",
            &[Word("promote", ", 0, @@global.read_only)", ", 1, 1)")],
            &[],
        ),
        mutant("the promotion is not read back", &[NoField("promote", "read_back")], &[]),
        mutant("the applications are not moved", &[Without(&["flip"])], &[]),
        mutant("the flip is not read back", &[NoField("flip", "read_back")], &[]),
        mutant(
            "a flip that moves nobody",
            &[Word("flip", "mv -f /etc/webplatform/db.ini.next /etc/webplatform/db.ini", "true")],
            &[],
        ),
        mutant("the applications' next configuration is not written", &[Without(&["flip-ready"])], &[]),
        mutant(
            "the other applications are not moved",
            &[Without(&["others", "left", "nobody-connected"])],
            &[],
        ),
        redundant(
            mutant("the old master's position is not set", &[Without(&["old-position"])], &[]),
            "in this fleet {old} alone ever wrote, and a replica skips what it wrote itself; elsewhere all-follow finds error 1236 or 1062",
        ),
        mutant("the other replicas are not led to the new master", &[Without(&["siblings-follow"])], &[]),
        mutant(
            "a restart of the old master after the promotion is not thought of",
            &[Without(&["restart-old"])],
            &[("promote", 4, Fault::Crash("db1-masterdb", 300))],
        ),
        mutant(
            "a restart of the new master is not thought of",
            &[Without(&["restart-candidate", "writable-again", "new-still-writable"])],
            &[("writes-arrive", 0, Fault::Crash("db2", 300))],
        ),
        mutant("nobody is started again", &[Without(&["start-others"])], &[]),
        mutant("nobody is started again, and nobody looks", &[Without(&["start-others", "all-follow"])], &[]),
        mutant(
            "rows of its own on the candidate are not looked for",
            &[Without(&["no-errant-proof", "own-known"])],
            &[("following", 0, Fault::ByHand("db2"))],
        ),
        redundant(
            mutant(
                "the window does not look whether the old master is writable, nor who is frozen already",
                &[
                    NoLine("switch", "{old} is writable"),
                    NoField("promote", "pre"),
                    Without(&["restart-old"]),
                ],
                &[("stop-candidate", 0, db1_again())],
            ),
            "in some runs the held session on the old master is lost with the restart first, and the window is rolled back",
        ),
        redundant(
            mutant(
                "the lock does not stand between a late promotion and the guard",
                &[
                    Word(
                        "promote",
                        "IF(IS_USED_LOCK('jumpdeck_promote') = CONNECTION_ID(), 0, @@global.read_only)",
                        "0",
                    ),
                    NoField("promote", "pre"),
                    NoField("promote", "in"),
                ],
                &[("begin-of-new", 0, Fault::Console(Next::Resume, 1500))],
            ),
            "not shown here: it is for a statement that arrives after its console died, and here a session ends with its console; \
             tests/fast/guard.rs holds it",
        ),
    ]
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().take(160).collect()
}

/// Plays a mutant; says what found it.
async fn hunt(mutant: &Mutant, seed: u64) -> (Found, String) {
    let mut schedule = Schedule::calm(seed, "promote-masterdb", mutant.gtid);
    for (step, sends, fault) in &mutant.faults {
        schedule = schedule.with(step, *sends, fault.clone());
    }
    let mut stage = stage(&schedule);
    let text = mutate(&stage.text("promote-masterdb"), mutant.changes);
    // What never comes is not waited for as long as in life.
    let text = text
        .replace("timeout = \"60s\"", "timeout = \"10s\"")
        .replace("timeout = \"30s\"", "timeout = \"10s\"");
    if let Err(why) = stage.try_add("promote-masterdb", &text) {
        return (Found::Check(first_line(&why)), why);
    }
    let patience = if mutant.faults.is_empty() { Patience::BRIEF } else { Patience::LONG };
    let played = match play_on(Arc::new(stage), &schedule, patience).await {
        Err(why) => return (Found::Plan(first_line(&why)), why),
        Ok(played) => played,
    };
    let told = played.tell();
    let found = match played.wrongs().first() {
        Some(wrong) => Found::Checker(format!("{wrong} ({} in all)", played.wrongs().len())),
        // With a fault the runbook as it is may stop, too: there only the checker counts.
        None if mutant.faults.is_empty() && (played.ended != "finished" || played.asked > 0) => {
            Found::Run(format!("{}: {}", first_line(&played.ended), played.why))
        }
        None => Found::Nothing,
    };
    (found, told)
}

/// With one change each, in CI those that are found without a run, and those by which the checker alone finds most.
#[tokio::test(flavor = "multi_thread")]
async fn mutants_of_the_switchover_are_found() {
    let only: Option<usize> = std::env::var("JUMPDECK_MUTANT").ok().map(|text| text.parse().unwrap());
    let thorough = std::env::var_os("JUMPDECK_THOROUGH").is_some();
    let places = Arc::new(Semaphore::new(3));
    let mut hunting = tokio::task::JoinSet::new();
    for (number, mutant) in mutants().into_iter().enumerate() {
        if only.is_some_and(|only| only != number) || only.is_none() && !thorough && number % 4 != 1 {
            continue;
        }
        let places = places.clone();
        hunting.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let (found, told) = hunt(&mutant, 4000 + number as u64).await;
            println!("| {number} | {} | {found:?} |", mutant.name);
            if only.is_some() {
                println!("{told}");
            }
            (number, mutant, found, told)
        });
    }
    let mut all = hunting.join_all().await;
    all.sort_by_key(|(number, ..)| *number);
    for (number, mutant, found, _) in &all {
        let found = match found {
            Found::Check(why) => format!("check: {why}"),
            Found::Plan(why) => format!("the plan: {why}"),
            Found::Run(why) => format!("the run: {why}"),
            Found::Checker(why) => format!("the checker: {why}"),
            Found::Nothing => format!("nothing; {}", mutant.redundant.unwrap_or("A HOLE")),
        };
        println!("| {number} | {} | {found} |", mutant.name);
    }
    let holes: Vec<String> = all
        .iter()
        .filter(|(_, mutant, found, _)| *found == Found::Nothing && mutant.redundant.is_none())
        .map(|(number, mutant, _, told)| {
            format!("mutant {number}, {}: nothing found it\n{told}", mutant.name)
        })
        .collect();
    assert!(holes.is_empty(), "{}", holes.join("\n----\n"));
}

/// The faults that show mutants do no harm to the runbook as it is: else they would prove nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_runbook_as_it_is_survives_what_shows_its_mutants() {
    if std::env::var_os("JUMPDECK_THOROUGH").is_none() && std::env::var_os("JUMPDECK_MUTANT").is_none() {
        println!(
            "skipped: with JUMPDECK_THOROUGH only; the schedules of tests/fast/histories.rs have the same faults"
        );
        return;
    }
    let mut seen = std::collections::BTreeSet::new();
    for mutant in mutants() {
        let mut schedule = Schedule::calm(4100, "promote-masterdb", mutant.gtid);
        for (step, sends, fault) in &mutant.faults {
            schedule = schedule.with(step, *sends, fault.clone());
        }
        if !seen.insert(schedule.to_string()) {
            continue;
        }
        let played = play::play(&schedule).await.unwrap();
        println!("{}", played.line());
        let by_hand = mutant.faults.iter().any(|(.., fault)| matches!(fault, Fault::ByHand(_)));
        assert!(by_hand || played.wrongs().is_empty(), "{}", played.tell());
    }
}

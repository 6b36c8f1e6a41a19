//! promote-masterdb on the real fleet: real MariaDB, real Salt, applications that write all the time. Needs
//! `JUMPDECK_FLEET`, the directory of a fleet that is up (tests/run gives it).
//! `JUMPDECK_SWITCHOVERS=20 JUMPDECK_THINKS=15` makes the table of docs/performance.md; `JUMPDECK_THOROUGH=1` tries every mode of replication.

use crate::support::{lane, sweep};
use std::collections::BTreeSet;
use std::path::Path;

use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState, StepState};
use lane::{Scene, Told, agrees, fleet, lane, own_runbooks, run, thorough};

/// An operator who takes that long for every answer: `JUMPDECK_THINKS=15` for 15 s.
fn slow(mut answer: impl FnMut(&Prompt) -> Reply) -> impl FnMut(&Prompt) -> Reply {
    let thinks = std::env::var("JUMPDECK_THINKS").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    move |prompt| {
        std::thread::sleep(std::time::Duration::from_secs(thinks));
        answer(prompt)
    }
}

/// The same as [`agrees`], but what fails before the window is tried again, three times: Salt is slow on a busy machine.
fn persists() -> impl FnMut(&Prompt) -> Reply {
    let mut tries = 3;
    move |prompt| match &prompt.kind {
        PromptKind::Choose(choices)
            if tries > 0
                && choices.iter().any(|c| c.key == 'r')
                && !prompt.title.as_str().contains("window failed") =>
        {
            tries -= 1;
            println!(
                "tried again: {}: {}",
                prompt.title,
                prompt.text.first().map_or("", |line| line.as_str())
            );
            Reply::Chosen('r', None)
        }
        _ => agrees(prompt),
    }
}

async fn switch(dir: &Path, folder: &Path, old: &str, candidate: &str) -> std::time::Duration {
    let what = ("promote-masterdb", &[("old", old), ("candidate", candidate)][..]);
    let told = run(dir, folder, &own_runbooks(), what, slow(persists())).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    told.took
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_move_to_a_replica_and_back_and_none_is_lost() {
    let Some(dir) = fleet() else { return };
    let times: usize = std::env::var("JUMPDECK_SWITCHOVERS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let modes = std::env::var("JUMPDECK_MODES").unwrap_or_else(|_| "gtid".to_owned());
    let folder = tempfile::tempdir().unwrap();
    lane(&dir, &["salt", "up"]);
    for mode in modes.split(',') {
        lane(&dir, &["db", "reset", mode]);
        lane(&dir, &["writers", "start"]);
        for turn in 0..times {
            let pair = if turn % 2 == 0 { ("db1-masterdb", "db2") } else { ("db2", "db1-masterdb") };
            let took = switch(&dir, folder.path(), pair.0, pair.1).await;
            println!("{mode} {turn}: {} -> {} in {took:?}", pair.0, pair.1);
            // There and back once; the others differ in nothing.
            if turn < 2 {
                assert_eq!(sweep::mentions(&dir, pair.0), BTreeSet::new());
            }
        }
        lane(&dir, &["writers", "stop"]);
        println!("{mode}: {}", lane(&dir, &["writers", "score"]));
        let score = lane::score(&dir);
        assert_eq!(score["clean"], true, "{score:#}");
        let mut gaps: Vec<f64> =
            score["gaps"].as_array().unwrap().iter().map(|gap| gap["ms"].as_f64().unwrap()).collect();
        gaps.sort_unstable_by(f64::total_cmp);
        // The longest are the switchovers', one each.
        let longest = gaps.split_off(gaps.len().saturating_sub(times));
        println!("{mode}: times without writes, sorted: {longest:?} ms; others over 200 ms: {gaps:?}");
    }
}

/// A switchover to db2; at decisions everything is taken back where that can be.
async fn tried(scene: &Scene, mut before: impl FnMut(&Prompt)) -> Told {
    let what = ("promote-masterdb", &[("old", lane::MASTER), ("candidate", "db2")][..]);
    let answer = |prompt: &Prompt| {
        before(prompt);
        match &prompt.kind {
            PromptKind::Choose(choices) if choices.iter().any(|c| c.key == 'b') => Reply::Chosen('b', None),
            _ => agrees(prompt),
        }
    };
    scene.run(&own_runbooks(), what, answer).await
}

/// That the run was refused at that step, with these words, before anything was changed; and that no row is lost.
fn refused(scene: &Scene, told: &Told, step: &str, words: &str) {
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = told.said(&format!("({step}) failed"));
    assert!(said.contains(words), "{said}");
    assert_eq!(told.state_of("prepare"), StepState::Waiting, "{}", told.story());
    scene.is_untouched();
    scene.lane(&["writers", "stop"]);
    println!("{}", scene.lane(&["writers", "score"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_with_a_transaction_of_its_own_is_refused() {
    let Some(dir) = fleet() else { return };
    for (mode, kind, step, words) in [
        ("gtid", "errant-domain", "no-errant-proof", "7-2-1"),
        ("gtid-nolsu", "errant-domain", "no-errant-proof", "7-2-1"),
        (
            "position",
            "errant-domain",
            "own-known",
            "errant transactions: the candidate wrote up to 7-2-1, the master has only up to 0",
        ),
        ("position", "errant", "own-known", "errant transactions: the candidate wrote up to 0-2-"),
    ] {
        let usual = matches!((mode, kind), ("gtid", "errant-domain") | ("position", "errant"));
        if !usual && !thorough() {
            continue;
        }
        println!("{mode}, {kind}");
        let scene = Scene::new(dir.clone(), mode);
        scene.lane(&["db", "inject", kind, "db2"]);
        let told = tried(&scene, |_| ()).await;
        refused(&scene, &told, step, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_does_not_keep_up_is_refused() {
    let Some(dir) = fleet() else { return };
    for (mode, kind, step, words) in [
        ("gtid", "stuck", "following", "db2: Slave_SQL_Running: expected \"Yes\", got No"),
        ("gtid", "delay", "no-delay", "db2: SQL_Delay: expected \"0\", got 3600"),
        ("gtid", "blocked", "lag", "db2: waited: expected \"0\", got -1"),
        ("position", "blocked", "lag-log", "db2: waited: expected at least 0, got -1"),
    ] {
        if !matches!((mode, kind), ("gtid", "stuck") | ("position", "blocked")) && !thorough() {
            continue;
        }
        println!("{mode}, {kind}");
        let scene = Scene::new(dir.clone(), mode);
        scene.lane(&["db", "inject", kind, "db2"]);
        let told = tried(&scene, |_| ()).await;
        scene.lane(&["db", "heal", kind, "db2"]);
        refused(&scene, &told, step, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_writes_through_read_only_is_refused() {
    let Some(dir) = fleet() else { return };
    let scene = Scene::new(dir, "gtid");
    scene.lane(&["db", "inject", "super"]);
    let told = tried(&scene, |_| ()).await;
    refused(&scene, &told, "privileges", "'wiki'@'%'");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_falls_behind_after_the_checks_leaves_the_master_writing() {
    let Some(dir) = fleet() else { return };
    for (mode, step) in [("gtid", "candidate-level")] {
        let scene = Scene::new(dir.clone(), mode);
        let told = tried(&scene, |prompt| {
            if prompt.title.as_str().starts_with("Move writes from db1-masterdb") {
                scene.lane(&["db", "inject", "blocked", "db2"]);
            }
        })
        .await;
        assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
        let said = told.said("The window failed");
        assert!(said.contains(&format!("{step}: ")), "{said}");
        assert!(said.contains("proved: db1-masterdb: db1-masterdb is writable: 0"), "{said}");
        println!("{mode}: {said}");
        scene.is_untouched();
        scene.lane(&["db", "heal", "blocked", "db2"]);
        let states = scene.lane(&["exec", "salt", "salt", "db*", "state.list_disabled"]);
        assert!(!states.contains("highstate"), "{states}");
        scene.lane(&["writers", "stop"]);
        println!("{mode}: {}", scene.lane(&["writers", "score"]));
    }
}

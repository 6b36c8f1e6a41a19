//! promote-masterdb and failover-masterdb as a database's own test would prove them: clients write and read while everything goes
//! wrong that a seed finds, and a checker judges what they saw. `JUMPDECK_SEED=N` plays the schedule of that seed alone,
//! `JUMPDECK_SCHEDULES=N` the first N; 200 with `JUMPDECK_THOROUGH`, else 10. See docs/proofs.md.

use crate::support::{history, play, schedule};
use std::sync::Arc;

use history::Wrong;
use play::{Played, play};
use schedule::{Fault, Schedule};
use tokio::sync::Semaphore;

/// Fleets that live at the same time.
const AT_ONCE: usize = 3;

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.trim().parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn seeds() -> Vec<u64> {
    if let Some(seed) = number("JUMPDECK_SEED") {
        return vec![seed];
    }
    let thorough = std::env::var_os("JUMPDECK_THOROUGH").is_some();
    let first = number("JUMPDECK_FIRST").unwrap_or(1);
    let many = number("JUMPDECK_SCHEDULES").unwrap_or(if thorough { 200 } else { 10 });
    (first..first + many).collect()
}

async fn all(schedules: Vec<Schedule>) -> Vec<Played> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut playing = tokio::task::JoinSet::new();
    for schedule in schedules {
        let places = places.clone();
        playing.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            println!("{schedule}");
            let played = play(&schedule).await.unwrap_or_else(|why| panic!("{schedule}: {why}"));
            println!("{}", played.line());
            played
        });
    }
    let mut played = playing.join_all().await;
    played.sort_by_key(|played| played.schedule.seed);
    played
}

/// A run in which nothing goes wrong is right, and moves every client: the checker has something to look at.
#[tokio::test(flavor = "multi_thread")]
async fn a_calm_switchover_moves_every_client_and_its_history_is_right() {
    for gtid in [true, false] {
        let played = play(&Schedule::calm(1, "promote-masterdb", gtid)).await.unwrap();
        println!("{}", played.line());
        assert_eq!(played.wrongs(), Vec::<String>::new(), "{}", played.tell());
        assert_eq!(played.ended, "finished", "{}", played.tell());
        assert_eq!(played.end.master, "db2", "{}", played.tell());
        let by = |server: &str| played.ops.iter().filter(|op| op.server.as_deref() == Some(server)).count();
        assert!(by("db1-masterdb") > 50 && by("db2") > 20, "{}", played.tell());
        assert!(played.end.servers.values().filter(|held| held.level).count() == 2, "{}", played.tell());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_of_seeds_lose_nothing_and_have_one_master() {
    let seeds = seeds();
    let played = all(seeds.iter().map(|seed| Schedule::of(*seed)).collect()).await;
    let sum = |what: fn(&Played) -> u64| played.iter().map(what).sum::<u64>();
    println!("\n{} schedules, seeds {:?} to {:?}", played.len(), seeds.first(), seeds.last());
    println!(
        "operations {}, acknowledged {}, refused {}, indeterminate {} ({} of them there), lost {}, lost with a dead master {}, \
         duplicated {}, stale {}, two masters {}, refused and there {}; {} faults struck, {} consoles",
        sum(|p| p.counts().operations),
        sum(|p| p.counts().acknowledged),
        sum(|p| p.counts().refused),
        sum(|p| p.counts().unknown),
        sum(|p| p.counts().unknown_there),
        sum(|p| p.verdict.count(Wrong::Lost) as u64),
        sum(|p| p.verdict.lost_with_the_dead.len() as u64),
        sum(|p| p.verdict.count(Wrong::Duplicated) as u64),
        sum(|p| p.verdict.count(Wrong::Stale) as u64),
        sum(|p| p.verdict.count(Wrong::TwoMasters) as u64),
        sum(|p| p.verdict.count(Wrong::Phantom) as u64),
        sum(|p| p.struck.len() as u64),
        sum(|p| p.consoles as u64),
    );
    let mut ends = std::collections::BTreeMap::<&str, u64>::new();
    played.iter().for_each(|played| *ends.entry(&played.ended).or_default() += 1);
    println!("{ends:#?}");
    let hung = |played: &&Played| played.ended.starts_with("hangs");
    let bad: Vec<String> =
        played.iter().filter(|p| !p.wrongs().is_empty() || hung(p)).map(Played::tell).collect();
    assert!(bad.is_empty(), "{} of {} are wrong\n{}", bad.len(), played.len(), bad.join("\n----\n"));
}

/// A schedule is a function of its seed, so that a failing one is played again by its number.
#[test]
fn a_seed_gives_the_same_schedule_every_time() {
    assert_eq!(Schedule::of(7), Schedule::of(7));
    assert_ne!(Schedule::of(7).faults, Schedule::of(8).faults);
    let all: Vec<Schedule> = (1..=200).map(Schedule::of).collect();
    let faults = || all.iter().flat_map(|schedule| &schedule.faults);
    let kinds: std::collections::BTreeSet<String> = faults()
        .map(|planned| format!("{:?}", planned.fault).split('(').next().unwrap_or_default().to_owned())
        .collect();
    // Each kind is planned at least once in two hundred; rows lost or written by hand have tests of their own.
    assert_eq!(kinds.len(), 14, "{kinds:?}");
    assert!(all.iter().any(|s| !s.gtid) && all.iter().any(|s| s.runbook == "failover-masterdb"));
}

/// A replica that moves its position on and loses rows cannot be told from a good one by what runbooks ask: the checker finds
/// it, so the whole way from clients to the verdict can fail.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_replica_loses_behind_its_position_are_found() {
    let lies = Fault::LosesRows("db2", 3);
    let schedule = Schedule::calm(3, "promote-masterdb", true).with("hold-highstate", 0, lies);
    let played = play(&schedule).await.unwrap();
    println!("{}", played.tell());
    assert!(played.verdict.count(Wrong::Lost) >= 1, "{}", played.tell());
}

/// A server that restarts right after the promotion: the new master must come back as one, and the old one must not.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_after_the_promotion_comes_back_as_what_it_is_now() {
    let cases = [
        ("promote", 4, Fault::Crash("db1-masterdb", 300)),
        ("flip", 1, Fault::Crash("db1-masterdb", 300)),
        ("writes-arrive", 0, Fault::Crash("db2", 300)),
        ("release-candidate", 1, Fault::Reboot("db2")),
        ("role", 0, Fault::Reboot("db1-masterdb")),
    ];
    let schedules = cases.into_iter().zip(9001..).map(|((step, sends, fault), seed)| {
        Schedule::calm(seed, "promote-masterdb", true).with(step, sends, fault)
    });
    let failover =
        Schedule::calm(9010, "failover-masterdb", true).with("promote", 2, Fault::Crash("db2", 300));
    let played = all(schedules.chain([failover]).collect()).await;
    let bad: Vec<String> = played.iter().filter(|p| !p.wrongs().is_empty()).map(Played::tell).collect();
    assert!(bad.is_empty(), "{} of {} are wrong\n{}", bad.len(), played.len(), bad.join("\n----\n"));
}

/// A server that restarts before the promotion: it is the master still, and writable when the run is rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_master_that_restarts_before_the_promotion_is_writable_afterwards() {
    let at = ["pillar-sent", "restart-old-ready", "guard", "freeze", "restart-old", "stop-candidate"];
    let crashes = at.into_iter().zip(9101..).map(|(step, seed)| {
        let crash = Fault::Crash("db1-masterdb", 600);
        Schedule::calm(seed, "promote-masterdb", seed % 2 == 0).with(step, 0, crash)
    });
    let reboot =
        Schedule::calm(9110, "promote-masterdb", true).with("pillar-sent", 4, Fault::Reboot("db1-masterdb"));
    let played = all(crashes.chain([reboot]).collect()).await;
    let bad: Vec<String> = played.iter().filter(|p| !p.wrongs().is_empty()).map(Played::tell).collect();
    assert!(bad.is_empty(), "{} of {} are wrong\n{}", bad.len(), played.len(), bad.join("\n----\n"));
}

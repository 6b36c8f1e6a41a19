//! promote-masterdb on the real fleet: real MariaDB, real Salt, applications that write all the time. Needs
//! `JUMPDECK_FLEET`, the directory of a fleet that is up (tests/run gives it).
//! `JUMPDECK_SWITCHOVERS=20` makes the table of docs/performance.md.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/operator.rs"]
mod operator;

#[path = "support/lane.rs"]
mod support;

use std::path::Path;

use jumpdeck::domain::run::RunState;
use support::{agrees, fleet, lane, own_runbooks, run};

async fn switch(dir: &Path, folder: &Path, old: &str, candidate: &str) -> std::time::Duration {
    let what = ("promote-masterdb", &[("old", old), ("candidate", candidate)][..]);
    let told = run(dir, folder, &own_runbooks(), what, agrees).await;
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
        }
        lane(&dir, &["writers", "stop"]);
        println!("{mode}: {}", lane(&dir, &["writers", "score"]));
    }
}

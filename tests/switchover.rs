//! promote-masterdb on the real fleet: real MariaDB, real Salt, applications that write all the time. Needs
//! `JUMPDECK_FLEET`, the directory of a fleet that is up (tests/run gives it).
//! `JUMPDECK_SWITCHOVERS=20` makes the table of docs/performance.md.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "support/operator.rs"]
mod operator;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use jumpdeck::collect::clock::Clock;
use jumpdeck::config::files;
use jumpdeck::domain::run::{Mode, RunState};
use jumpdeck::runbook::library::Library;
use jumpdeck::runbook::over_ssh::OverSsh;
use jumpdeck::runbook::{planner, runner};
use jumpdeck::ssh::ask::RefuseAll;
use jumpdeck::ssh::dial::TcpDial;
use zeroize::Zeroizing;

fn fleet() -> Option<PathBuf> {
    std::env::var_os("JUMPDECK_FLEET").map(PathBuf::from)
}

/// Runbooks of one's own to try instead of those that come with the program.
fn own_runbooks() -> PathBuf {
    std::env::var_os("JUMPDECK_RUNBOOKS").map_or_else(|| PathBuf::from("/nonexistent"), PathBuf::from)
}

/// `tests/fleet` with these words; what it printed.
fn lane(dir: &Path, words: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet");
    let said = Command::new(script).arg("--dir").arg(dir).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "tests/fleet {words:?}: {text}{}", String::from_utf8_lossy(&said.stderr));
    text
}

async fn switch(dir: &Path, folder: &Path, old: &str, candidate: &str) -> std::time::Duration {
    let context = files::context().unwrap();
    let fleet = files::load_inventory(&dir.join("inventory.toml"), &context).unwrap();
    let env = fleet.environments[0].clone();
    let reach = Arc::new(OverSsh::new(env.clone(), Arc::new(TcpDial), Arc::new(RefuseAll)));
    let (library, errors) = Library::load(&own_runbooks());
    assert!(errors.is_empty(), "{}", errors.iter().map(|e| e.render(false)).collect::<String>());
    let runbook = library.get("promote-masterdb").unwrap();
    let inputs: BTreeMap<String, Zeroizing<String>> =
        [("old", old), ("candidate", candidate)].map(|(k, v)| (k.to_owned(), v.to_owned().into())).into();
    let (plan, view) = planner::make(runbook, &env, false, inputs, reach.as_ref()).await.unwrap();
    assert!(view.problems.is_empty(), "{:?}", view.problems);
    let clock = Clock::start();
    let launch = runner::Launch {
        env,
        simulated: false,
        reach,
        folder: folder.to_owned(),
        who: "test@here".to_owned(),
        clock: Arc::new(move || clock.now()),
    };
    let began = std::time::Instant::now();
    let handle = runner::start(launch, plan, "a rehearsal".to_owned(), Mode::Live).await.unwrap();
    let (view, prompts) = operator::agree(handle, Vec::new()).await;
    assert_eq!(view.state, RunState::Finished, "{}", operator::story(&view, &prompts));
    if std::env::var_os("JUMPDECK_STORY").is_some() {
        println!("{}", operator::story(&view, &prompts));
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_move_to_a_replica_and_back_and_none_is_lost() {
    let Some(dir) = fleet() else {
        println!("skipped: JUMPDECK_FLEET is not set");
        return;
    };
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

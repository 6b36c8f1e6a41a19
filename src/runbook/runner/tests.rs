//! Runs over scripted hosts: nothing is repeated, whatever entry of the journal a run dies at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::runbook::approval::Approval;
use crate::runbook::definition::Runbook;
use crate::runbook::event::Verdict;
use crate::runbook::ids::RunId;
use crate::runbook::plan::{Frozen, FrozenHost, Plan};
use crate::runbook::redact::Redactor;
use crate::transport::BoxFuture;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{Held, HostSessions, Limits, Ran, Session};
use jumpdeck_fleet::access::{Access, KnownHosts};
use jumpdeck_fleet::fleet::{Cadence, Guard, Host, Jump, Thresholds, Transport};
use jumpdeck_fleet::names::{EnvName, HostId, HostName, RoleName};
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply};

#[path = "../../../tests/support/same_run.rs"]
mod same_run;

mod armed;
mod asking;
mod fixture;
mod impossible;
mod in_effect;
mod lease;
mod lent;
mod safety;
mod salt_job;
mod schema_1;
mod secrets;
mod signed;
mod stored;
mod waits;
mod window;
mod window_cut;

use super::launch as launch_unseen;
use fixture::launch;
use fixture::*;
use lent::Lent;

async fn go_on(world: &Arc<World>, paper: &Paper, began: bool) -> (RunState, Vec<String>) {
    let mut paper = paper.clone();
    let machine = if began { resumed(machine(), &mut paper) } else { machine() };
    drive(launch(machine, needs(world, &paper)), yes).await
}

#[tokio::test]
async fn a_run_goes_to_its_end() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (state, asked) = go_on(&world, &paper, false).await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["First", "Second on app1", "Second on app2", "Last"]);
    let done = world.done.lock().unwrap().clone();
    assert_eq!(done, ["app1 set first", "app1 set second", "app2 set second", "app1 set last"]);
}

#[tokio::test]
async fn killed_at_any_entry_and_resumed_nothing_is_done_twice() {
    let whole = Paper::default();
    go_on(&Arc::new(World::default()), &whole, false).await;
    let entries = whole.entries.lock().unwrap().len();
    assert!(entries > 10, "{entries}");
    for at in 1..=entries {
        for written in [false, true] {
            let world = Arc::new(World::default());
            let dying = Paper { dies_at: Some((at, written)), ..Paper::default() };
            let (state, _) = go_on(&world, &dying, false).await;
            assert!(matches!(state, RunState::Stopped(_)), "{at} {written}: {state:?}");
            let alive = Paper { dies_at: None, ..dying.clone() };
            let (state, _) = go_on(&world, &alive, true).await;
            assert_eq!(state, RunState::Finished, "{at} {written}");
            let done = world.done.lock().unwrap().clone();
            let wanted = ["app1 set first", "app1 set second", "app2 set second", "app1 set last"];
            assert_eq!(done, wanted, "killed at entry {at}, written: {written}");
        }
    }
}

#[tokio::test]
async fn a_change_that_reports_success_and_did_nothing_fails_and_is_taken_back() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.idle.lock().unwrap().push("set second".to_owned());
    let handle = launch(machine(), needs(&world, &paper));
    let (state, asked) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('b', None),
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::RolledBack);
    assert!(asked.iter().any(|a| a.contains(") failed")), "{asked:?}");
    let done = world.done.lock().unwrap().clone();
    assert_eq!(done, ["app1 set first", "app1 set second", "app1 unset second", "app1 unset first"]);
    assert!(world.set.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_link_lost_in_the_middle_of_a_change_is_looked_for_and_not_repeated() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.cut.lock().unwrap().push("set first".to_owned());
    let handle = launch(machine(), needs(&world, &paper));
    let (state, asked) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(choices) => {
            assert!(choices.iter().all(|c| c.key != 'r'), "never repeated blindly: {choices:?}");
            Reply::Chosen('l', None)
        }
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::Finished);
    assert!(asked.iter().any(|a| a.contains("outcome unknown")), "{asked:?}");
    assert_eq!(world.done.lock().unwrap().iter().filter(|d| *d == "app1 set first").count(), 1);
}

#[tokio::test]
async fn no_is_what_happens_unless_somebody_says_yes() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let handle = launch(machine(), needs(&world, &paper));
    let (state, _) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => Reply::No,
    })
    .await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    assert!(world.done.lock().unwrap().is_empty());
}

#[tokio::test]
async fn behind_the_point_of_no_return_nothing_is_taken_back() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.idle.lock().unwrap().push("set last".to_owned());
    let handle = launch(machine(), needs(&world, &paper));
    let (state, _) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(choices) => {
            assert!(choices.iter().all(|c| c.key != 'b'), "{choices:?}");
            Reply::Chosen('a', Some("enough".to_owned()))
        }
        _ => yes(prompt),
    })
    .await;
    assert!(matches!(state, RunState::Abandoned(_)), "{state:?}");
    assert!(!world.done.lock().unwrap().iter().any(|d| d.contains("unset")));
}

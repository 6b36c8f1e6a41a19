//! The lease on a simulated jump box, over SSH: the same program that real jump boxes run.

use std::sync::Arc;
use std::time::Duration;

use crate::support::reach::over_ssh;
use jumpdeck::runbook::event::Event;
use jumpdeck::runbook::journal::{Entry, Journal};
use jumpdeck::runbook::lease::{Holder, Lease, LeaseError, LeaseState, WatcherSees, look, watch};
use jumpdeck::transport::SessionPool;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::{HostSessions, Session};
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;

/// The jump box of the first environment, over a connection of its own.
async fn jump(fleet: &SimFleet, universe: &Universe) -> (SessionPool, Arc<dyn Session>) {
    let inventory = universe.fleet(|name| fleet.access(name));
    let reach = over_ssh(inventory.environments[0].clone(), Arc::new(fleet.clone()), Arc::new(RefuseAll));
    let session = reach.host(reach.jump()).await.unwrap();
    (reach, session)
}

fn entry() -> Entry {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&folder.path().join("runs"), "first").unwrap();
    journal.append(&Event::Note { who: "anna".to_owned(), text: "a \\ 'b'".to_owned() }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_holds_on_a_simulated_jump_box() {
    let universe = Universe::load("wpd-2015", 7).unwrap();
    let fleet = SimFleet::start(&universe);
    let (_first, one) = jump(&fleet, &universe).await;
    let (_second, two) = jump(&fleet, &universe).await;
    let keys = ["production.promote-masterdb".to_owned(), "production.host.db2".to_owned()];
    let anna = Holder::new("anna@desk", "first", "promote-masterdb");
    let bob = Holder::new("bob@desk", "second", "promote-masterdb");

    let lease = Lease::take(one.as_ref(), &keys, &anna).await.unwrap();
    lease.step("freeze");
    lease.prove().await.unwrap();
    match Lease::take(two.as_ref(), &keys[1..], &bob).await {
        Err(LeaseError::Held(holders)) => assert_eq!(holders[0].step.as_str(), "freeze"),
        other => panic!("{other:?}"),
    }
    assert_eq!(look(two.as_ref(), "production").await.unwrap().len(), 1);

    let entry = entry();
    lease.say(&entry);
    lease.prove().await.unwrap();
    let mut watching = watch(two.clone(), "first").unwrap();
    let seen = watching.poll().await.unwrap().unwrap();
    assert!(seen.contains(&WatcherSees::Entry(Box::new(entry))), "{seen:?}");

    // It outlives the four seconds after which a silent holder ends.
    let mut state = lease.state();
    let lost = state.wait_for(|s| matches!(s, LeaseState::Lost(_)));
    assert!(tokio::time::timeout(Duration::from_secs(6), lost).await.is_err());
    lease.release().await;
    Lease::take(two.as_ref(), &keys, &bob).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_cut_frees_it() {
    let universe = Universe::load("wpd-2015", 7).unwrap();
    let fleet = SimFleet::start(&universe);
    let keys = ["production.x".to_owned()];
    let (first, one) = jump(&fleet, &universe).await;
    let lease = Lease::take(one.as_ref(), &keys, &Holder::new("anna@desk", "first", "x")).await.unwrap();
    let (_second, two) = jump(&fleet, &universe).await;
    let bob = Holder::new("bob@desk", "second", "x");
    assert!(matches!(Lease::take(two.as_ref(), &keys, &bob).await, Err(LeaseError::Held(_))));
    drop((one, first));
    let from = std::time::Instant::now();
    while let Err(error) = Lease::take(two.as_ref(), &keys, &bob).await {
        assert!(matches!(error, LeaseError::Held(_)) && from.elapsed() < Duration::from_secs(10), "{error}");
    }
    assert!(from.elapsed() < Duration::from_secs(5));
    assert!(lease.lost().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_many_hosts_gets_its_lease() {
    let universe = Universe::load("wpd-2015", 7).unwrap();
    let fleet = SimFleet::start(&universe);
    let (_reach, one) = jump(&fleet, &universe).await;
    let keys: Vec<String> = (0..9).map(|n| format!("production.host.app{n}")).collect();
    let lease = Lease::take(one.as_ref(), &keys, &Holder::new("anna@desk", "first", "x")).await.unwrap();
    lease.prove().await.unwrap();
    lease.release().await;
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::world::universe::Universe;

use super::*;

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

/// Production, and a second node that joined it.
fn two_nodes() -> Arc<Mutex<World>> {
    let shared = Universe::load_still("wpd-2015", 3).unwrap().environments[0].1.clone();
    {
        let mut world = shared.lock().unwrap();
        assert_eq!(world.elastic().health().status, Status::Green);
        world.add_machine(&host("elastic2"), "10.10.10.90", &host("elastic")).unwrap();
        pass(&mut world, 30);
        assert_eq!(world.elastic().health().nodes, 1, "its service is not started yet");
        assert!(world.start_elastic(&host("elastic2")));
        assert_eq!(world.elastic().health().nodes, 1, "it takes a while to join");
        pass(&mut world, 10);
        assert_eq!(world.elastic().health().nodes, 2);
    }
    shared
}

fn pass(world: &mut World, seconds: u64) {
    world.advance(Duration::from_secs(seconds));
}

fn on(world: &mut World, name: &str) -> usize {
    let elastic = world.elastic();
    let copies: Vec<Option<usize>> =
        elastic.indices().iter().flat_map(|i| &i.copies).map(|copy| copy.place.node()).collect();
    let of = |number: usize| elastic.node(number).is_some_and(|node| node.name == name);
    copies.into_iter().flatten().filter(|number| of(*number)).count()
}

const EXCLUDE: &str = "cluster.routing.allocation.exclude._name";
const ENABLE: &str = "cluster.routing.allocation.enable";

#[test]
fn excluding_a_node_empties_it_and_stopping_it_then_costs_nothing() {
    let shared = two_nodes();
    let mut world = shared.lock().unwrap();
    let all = world.elastic().health().active;
    assert_eq!(on(&mut world, "elastic"), all);
    world.elastic().set(true, EXCLUDE, "elastic").unwrap();
    pass(&mut world, 2);
    let health = world.elastic().health();
    assert_eq!((health.status, health.relocating > 0), (Status::Green, true));
    pass(&mut world, 120);
    assert_eq!((on(&mut world, "elastic"), on(&mut world, "elastic2")), (0, all));
    assert!(world.stop_elastic(&host("elastic")));
    let health = world.elastic().health();
    assert_eq!((health.status, health.nodes), (Status::Green, 1));
}

#[test]
fn a_node_that_restarts_makes_yellow_then_green_and_no_recovery_starts_while_allocation_is_off() {
    let shared = two_nodes();
    let mut world = shared.lock().unwrap();
    for name in world.elastic().named("_all") {
        assert!(world.elastic().set_replicas(&name, 1));
    }
    assert_eq!(world.elastic().health().status, Status::Yellow);
    pass(&mut world, 120);
    assert_eq!(world.elastic().health().status, Status::Green);
    world.elastic().set(true, ENABLE, "none").unwrap();
    world.stop_elastic(&host("elastic"));
    let health = world.elastic().health();
    assert_eq!((health.status, health.primaries), (Status::Yellow, 13), "replicas took over");
    world.start_elastic(&host("elastic"));
    pass(&mut world, 60);
    let health = world.elastic().health();
    assert_eq!((health.status, health.nodes), (Status::Yellow, 2), "nothing is allocated");
    world.elastic().set(true, ENABLE, "all").unwrap();
    pass(&mut world, 60);
    assert_eq!(world.elastic().health().status, Status::Green);
}

#[test]
fn the_only_node_away_is_red_until_it_is_back() {
    let shared = Universe::load_still("wpd-2015", 3).unwrap().environments[0].1.clone();
    let mut world = shared.lock().unwrap();
    world.power_off(&host("elastic"));
    assert_eq!(world.elastic().health().status, Status::Red);
    assert!(world.elastic().member(&host("elastic")).is_none());
    world.power_on(&host("elastic"), 10.0);
    pass(&mut world, 17);
    assert!(world.elastic().member(&host("elastic")).is_some(), "it starts with its machine");
    pass(&mut world, 30);
    assert_eq!(world.elastic().health().status, Status::Green);
}

#[test]
fn copies_may_be_made_to_stay() {
    let shared = two_nodes();
    let mut world = shared.lock().unwrap();
    world.elastic().shards_never_leave(true);
    world.elastic().set(true, EXCLUDE, "elastic").unwrap();
    pass(&mut world, 600);
    assert_eq!(on(&mut world, "elastic2"), 0);
}

#[test]
fn a_snapshot_takes_time_has_one_name_and_is_not_restored_over_open_indices() {
    let shared = two_nodes();
    let mut world = shared.lock().unwrap();
    let now = world.seconds();
    let elastic = world.elastic();
    assert_eq!(elastic.repository("nfsshared").unwrap().snapshots.len(), 7);
    elastic.begin_snapshot("nfsshared", "before", "", now).unwrap();
    assert_eq!(elastic.snapshot("nfsshared", "before").unwrap().state(now), "IN_PROGRESS");
    assert_eq!(elastic.begin_snapshot("nfsshared", "other", "", now).unwrap_err().status, 503);
    assert_eq!(elastic.snapshot("nfsshared", "before").unwrap().state(now + 30.0), "SUCCESS");
    let later = now + 30.0;
    let again = elastic.begin_snapshot("nfsshared", "before", "", later).unwrap_err();
    assert!(again.text.contains("already exists"), "{again:?}");
    let refused = elastic.restore("nfsshared", "before", &Restore::default(), later).unwrap_err();
    assert!(refused.text.contains("because it's open"), "{refused:?}");
    let rename = Some(("(.+)".to_owned(), "test_$1".to_owned()));
    let wish = Restore { indices: "annotator".to_owned(), rename };
    assert_eq!(elastic.restore("nfsshared", "before", &wish, later).unwrap(), ["test_annotator"]);
    assert!(elastic.open("annotator", false));
    let wish = Restore { indices: "annotator".to_owned(), rename: None };
    elastic.restore("nfsshared", "before", &wish, later).unwrap();
    pass(&mut world, 60);
    assert_eq!(world.elastic().health().status, Status::Green);
    assert_eq!(world.elastic().indices().len(), 4);
    let now = world.seconds();
    world.elastic().next_snapshot_fails();
    world.elastic().begin_snapshot("nfsshared", "failing", "", now).unwrap();
    assert_eq!(world.elastic().snapshot("nfsshared", "failing").unwrap().state(now + 60.0), "FAILED");
}

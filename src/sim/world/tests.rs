#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::universe::Universe;
use super::*;

fn still(name: &str, seed: u64) -> Universe {
    Universe::load_still(name, seed).unwrap()
}

#[test]
fn every_world_loads() {
    for name in Universe::names() {
        let universe = still(name, 7);
        assert!(!universe.summary.is_empty());
    }
}

//! The screens of runbooks and runs as text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::fixtures::*;
use super::run_fixtures::*;
use super::tests::{SIZES, drawn, rows, snapshot, text};
use super::*;

#[test]
fn the_list_at_every_size() {
    for size in SIZES {
        snapshot("runbooks", &list(), size);
    }
}

#[test]
fn a_plan_at_every_size() {
    for size in SIZES {
        snapshot("plan", &planned(plan()), size);
    }
}

#[test]
fn runs_at_every_size() {
    for (title, run) in [
        ("run", run()),
        ("run-confirm", confirm()),
        ("run-challenge", challenge()),
        ("run-failed", failed()),
        ("run-unknown", unknown()),
        ("run-finished", finished()),
        ("run-stopped", stopped()),
        ("run-watching", watching()),
    ] {
        let model = armed(with(run), 1499);
        for size in SIZES {
            snapshot(title, &model, size);
        }
    }
}

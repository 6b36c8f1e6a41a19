//! Rows of hosts that are alike, folded into one, as they are drawn.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use jumpdeck_fleet::snapshot::LinkState;

fn folded(mut model: Model) -> Model {
    model.fold();
    model.environments[0].selection.chosen = true;
    settled(model)
}

/// Twelve applications, some with other figures; one differs, one is old, one is silent.
fn apps() -> Model {
    let mut model = large(15);
    let env = &mut model.environments[0];
    edit(env, "app1", |h| h.facts.filesystems.learn(vec![disk("/", 12)], NOW));
    edit(env, "app7", |h| h.facts.load.learn(load(0.94, 0.5, 0.2), NOW));
    edit(env, "app8", |h| h.facts.filesystems.learn(vec![disk("/", 97)], NOW));
    edit(env, "app9", |h| h.reported_at = Some(Moment(NOW.0 - 14_000)));
    edit(env, "app10", |h| h.link.state = LinkState::TimedOut);
    settled(model)
}

#[test]
fn hosts_that_are_alike_are_one_row_with_the_range_of_their_figures() {
    for size in SIZES {
        snapshot("folded", &folded(trouble()), size);
        snapshot("folded-apps", &folded(apps()), size);
    }
    snapshot("folded-narrow", &folded(apps()), (60, 15));
    let screen = text(&folded(apps()), (160, 40));
    let row = |name: &str| {
        screen.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}\n{screen}"))
    };
    assert!(row("12 alike").contains("app1..app7, app11..app15"), "{screen}");
    assert!(row("app8 ").contains("disk"), "{screen}");
    assert!(row("app9 ").contains("old report"), "{screen}");
    assert!(row("app10 ").contains("timed out"), "{screen}");
}

#[test]
fn marks_of_a_folded_row_are_counted() {
    let mut model = folded(apps());
    model.toggle_marks(vec![name("app2"), name("app3")]);
    let screen = text(&model, (120, 40));
    assert!(screen.contains("(2 marked)") && screen.contains("2 marked"), "{screen}");
    model.toggle_marks((1..=7).chain(11..=15).map(|n| name(&format!("app{n}"))).collect());
    let screen = text(&model, (120, 40));
    assert!(screen.lines().any(|line| line.contains("+") && line.contains("12 alike")), "{screen}");
}

/// A folded row is never green by what is unknown of one of its hosts, whatever that is.
#[test]
fn a_host_of_which_something_is_unknown_has_a_row_of_its_own() {
    for (question, miss) in jumpdeck_fleet::snapshot::unknowns::misses() {
        let mut model = large(4);
        let env = &mut model.environments[0];
        edit(env, "app1", |h| h.facts.filesystems.learn(vec![disk("/", 12)], NOW));
        edit(env, "app3", |h| {
            serve(h, 0);
            miss(&mut h.facts, &jumpdeck_fleet::fact::Gap::TimedOut, true);
        });
        let screen = text(&folded(settled(model)), (160, 20));
        assert!(screen.contains("3 alike: app1, app2, app4"), "{question}\n{screen}");
    }
}

#[test]
fn no_size_is_too_odd_for_folded_rows() {
    for size in [(60, 15), (61, 16), (133, 15), (300, 80)] {
        drawn(&folded(odd()), &styles("dark"), size);
        drawn(&folded(apps()), &styles("dark").in_ascii(true), size);
    }
}

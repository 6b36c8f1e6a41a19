//! Two hosts side by side, as they are drawn.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::app::screens::compare::HostPair;

fn compared(model: Model, left: &str, right: &str) -> Model {
    on(model, Screen::Compare(HostPair { left: name(left), right: name(right) }))
}

#[test]
fn two_hosts_side_by_side() {
    snapshot("compare", &compared(trouble(), "db2", "db3"), SIZES[2]);
    snapshot("compare-silent", &compared(trouble(), "app1", "piwik"), (80, 24));
    snapshot("compare-jump-down", &compared(jump_down(300), "app1", "app2"), (80, 24));
    snapshot("compare-narrow", &compared(trouble(), "app1", "nginx1"), (60, 15));
}

#[test]
fn nothing_of_a_host_that_does_not_answer_is_alike_or_different() {
    let screen = text(&compared(trouble(), "app1", "piwik"), (200, 100));
    let row = |name: &str| screen.lines().find(|line| line.contains(name)).unwrap().trim_start().to_owned();
    for fact in ["system", "kernel", "load 1m", "memory in use", "disk /", "replication", "service "] {
        if screen.contains(fact) {
            assert!(row(fact).starts_with('?'), "{fact}\n{screen}");
        }
    }
    assert!(row("state").starts_with('≠'), "{screen}");
    let unread = text(&compared(trouble(), "nginx1", "nginx1"), (200, 100));
    let row = unread.lines().find(|line| line.contains("problems")).unwrap();
    assert!(row.trim_start().starts_with("? problems"), "what is unknown of both is not alike: {row}");
    let same = text(&compared(healthy(), "memcache1", "memcache2"), (200, 100));
    assert!(same.contains("DIFFERENT (0)"), "{same}");
}

#[test]
fn ascii_terminals_tell_different_from_unknown() {
    let buf = drawn(&compared(trouble(), "db2", "db3"), &styles("dark").in_ascii(true), (80, 24));
    assert!(buf.content.iter().all(|cell| cell.symbol().is_ascii()));
    assert!(rows(&buf).iter().any(|row| row.starts_with(" # replication")), "{}", rows(&buf).join("\n"));
}

#[test]
fn no_size_is_too_odd_for_it() {
    for size in [(60, 15), (61, 16), (133, 15), (300, 80)] {
        drawn(&compared(odd(), "app1", "db1"), &styles("dark"), size);
    }
}

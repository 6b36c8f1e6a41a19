//! Marks of hosts, as they are drawn.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::app::message::Msg;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};

pub(super) fn keys(mut model: Model, keys: &str) -> Model {
    for c in keys.chars() {
        let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
        update(&mut model, Msg::Key(KeyPress { code, ctrl: false, alt: false }));
        model.settle();
    }
    model
}

#[test]
fn marks_are_in_the_row_and_counted() {
    for size in [(80, 24), (120, 40)] {
        snapshot("marks", &keys(trouble(), "mjm"), size);
    }
    let screen = text(&keys(trouble(), "mmm/role:db\n"), (120, 40));
    assert!(screen.contains("3 marked, 3 hidden by the filter"), "{screen}");
    let screen = text(&keys(trouble(), "mmm/role:db\n"), (80, 24));
    assert!(screen.contains("FILTER /role:db (23 hidden) Esc clears"), "{screen}");
    assert!(screen.contains("3 marked, 3 hidden  3 of 26"), "{screen}");
    let screen = text(&keys(trouble(), "mm2"), (80, 24));
    assert!(screen.contains("2 marked, 2 not in this list"), "{screen}");
    let screen = text(&keys(trouble(), "*\n"), (80, 24));
    assert!(screen.contains("26 marked, this host, too"), "{screen}");
    let screen = text(&keys(trouble(), "/weight>3\nm"), (80, 24));
    assert!(screen.contains("1 marked"), "a filter that cannot be read covers no mark\n{screen}");
}

#[test]
fn ascii_terminals_tell_marked_hosts_apart() {
    let buf = drawn(&keys(trouble(), "mjm"), &styles("dark").in_ascii(true), (80, 24));
    let marked = rows(&buf).into_iter().filter(|row| row.get(1..2) == Some("+")).count();
    assert_eq!(marked, 2, "{}", rows(&buf).join("\n"));
}

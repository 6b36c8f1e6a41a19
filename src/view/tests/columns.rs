//! Columns that an operator chose, and the dialog for it.

use super::*;
use crate::app::message::Msg;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};

fn keys(mut model: Model, keys: &str) -> Model {
    for c in keys.chars() {
        update(&mut model, Msg::Key(KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false }));
        model.settle();
    }
    model
}

#[test]
fn the_dialog_and_what_does_not_fit() {
    for size in [(80, 24), (120, 40)] {
        snapshot("columns", &keys(trouble(), "Cjj jl"), size);
    }
    snapshot("columns-host", &keys(trouble(), "C "), (60, 15));
    let mut model = trouble();
    model.columns = Some(vec!["OS", "HOST", "DISK", "WORST PROBLEM", "REPLICATION", "ENV", "UP"]);
    let model = settled(model);
    for size in [(80, 24), (120, 40)] {
        snapshot("columns-chosen", &model, size);
    }
    assert!(text(&model, (80, 24)).contains("no room for"));
}

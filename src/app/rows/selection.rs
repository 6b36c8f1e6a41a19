//! Which row is selected: by what it is, not by where it stands.

use super::count;
use crate::app::model::Model;

/// The place of the selected row among the rows of the screen on top; `None` when it is not among them.
#[must_use]
pub fn selected(model: &Model) -> Option<usize> {
    model.screen().kind().selected(model)
}

/// Selects the row at that place; the last when there are fewer. Says whether there was one.
pub(in crate::app) fn select(model: &mut Model, at: usize) -> bool {
    let at = at.min(count(model).saturating_sub(1));
    if !model.screen().kind().select(model, at) {
        return false;
    }
    if let Some(env) = model.shown_mut() {
        env.selection.row = at;
    }
    true
}

/// Keeps the selection on what it was on; when that is gone from the rows, takes the neighbour. While nobody has
/// chosen a host, it is the first.
pub(in crate::app) fn reconcile(model: &mut Model) {
    let by_host = model.screen().kind().rows_are_hosts();
    if by_host && model.shown().is_some_and(|env| !env.selection.chosen) {
        select(model, 0);
        return;
    }
    match selected(model) {
        Some(at) => {
            if let Some(env) = model.shown_mut() {
                env.selection.row = at;
            }
        }
        None => {
            let row = model.shown().map_or(0, |env| env.selection.row);
            select(model, row);
        }
    }
}

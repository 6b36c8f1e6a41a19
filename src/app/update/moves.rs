//! Moving: rows, pages, screens, environments, back.

use crate::app::message::AppEffect;
use crate::app::model::{Model, Screen};
use crate::app::screens::step;
use crate::config::action::Action;

/// Up, down, a page, the ends: of whatever lies on top.
pub(super) fn by(model: &mut Model, action: Action) {
    if let Some(at) = model.help {
        model.help = Some(step(action, at, model.page, usize::from(u16::MAX)));
    } else {
        model.screen().kind().go(model, action);
    }
}

/// Selects the first row: another view is shown.
pub(super) fn to_first_row(model: &mut Model) {
    crate::app::rows::selection::select(model, 0);
}

/// One step back: out of help, out of the filter, down the screens.
pub(super) fn back(model: &mut Model) {
    if model.help.is_some() {
        model.help = None;
        return;
    }
    // A fleet that was opened for a role goes with the filter that it was opened with.
    let opened = *model.screen() == Screen::ROOT && model.screens.len() > 1;
    let filter = model.filter_mut().filter(|filter| !filter.text.is_empty());
    if let Some(filter) = filter {
        filter.text.clear();
        if !opened {
            return;
        }
    }
    if model.screens.len() > 1 {
        model.screens.pop();
    }
}

/// Shows the environment `by` places further on, round the corner if need be.
pub(super) fn switch(model: &mut Model, forward: bool) -> Vec<AppEffect> {
    let many = model.environments.len();
    if many < 2 {
        return Vec::new();
    }
    switch_to(model, (model.active + if forward { 1 } else { many - 1 }) % many)
}

/// Shows the environment at that place.
pub(super) fn switch_to(model: &mut Model, at: usize) -> Vec<AppEffect> {
    model.stop_editing();
    model.active = at;
    // A host of the one environment is none of the other, and neither is what a notice tells.
    model.notice = None;
    super::arming::disarm(model, "another environment is shown");
    while model.screens.last().is_some_and(|screen| screen.kind().is_text()) {
        model.screens.pop();
    }
    if model.screens.is_empty() {
        model.screens.push(Screen::ROOT);
    }
    let mut effects = model.start();
    effects.extend(model.screen().kind().asks(model));
    effects
}

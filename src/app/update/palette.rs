//! The keys of the command palette, and the way to its environments and hosts.

use super::{moves, pause};
use crate::app::message::AppEffect;
use crate::app::model::editor::Editor;
use crate::app::model::palette::PaletteTarget;
use crate::app::model::{Model, SMALLEST, Screen};
use crate::config::action::Action;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::names::{EnvName, HostId};

/// Whether a key opens the palette although text is being typed: one that is no text.
pub(super) fn is_opened_while_typing(model: &Model, key: KeyPress) -> bool {
    model.keymap.action(model.layer(), key) == Some(Action::Palette) && !Editor::takes(key)
}

/// Opens it, and asks for the runbooks of the environment while they are not known.
pub(super) fn open(model: &mut Model) -> Vec<AppEffect> {
    if !is_drawn(model) {
        return Vec::new();
    }
    model.help = None;
    model.open_palette();
    let wanted = model.shown_name().filter(|_| model.listing().is_none());
    wanted.map(AppEffect::ListRunbooks).into_iter().collect()
}

/// Nothing is taken from a list that cannot be seen.
fn is_drawn(model: &Model) -> bool {
    model.size.0 >= SMALLEST.0 && model.size.1 >= SMALLEST.1
}

/// Takes a key; gives what was taken with it.
pub(super) fn key(model: &mut Model, key: KeyPress) -> Option<PaletteTarget> {
    let page = model.page;
    match key.code {
        KeyCode::Esc => model.palette.close(),
        _ if is_opened_while_typing(model, key) => model.palette.close(),
        _ if !is_drawn(model) => {}
        KeyCode::Enter => return take(model),
        KeyCode::Up => model.palette.go(|at| at.saturating_sub(1)),
        KeyCode::Down => model.palette.go(|at| at.saturating_add(1)),
        KeyCode::PageUp => model.palette.go(|at| at.saturating_sub(page)),
        KeyCode::PageDown => model.palette.go(|at| at.saturating_add(page)),
        _ => model.type_into_palette(key),
    }
    None
}

/// What is selected; what is gone since the last frame is not taken.
fn take(model: &mut Model) -> Option<PaletteTarget> {
    model.forget_gone_entries();
    let target = model.palette.take()?;
    // As after Enter in the filter under it.
    model.stop_editing();
    Some(target)
}

/// Shows an environment.
pub(super) fn switch(model: &mut Model, env: &EnvName) -> Vec<AppEffect> {
    let place = model.environments.iter().position(|one| one.spec.name == *env);
    match place.filter(|place| *place != model.active) {
        Some(place) => moves::switch_to(model, place),
        None => Vec::new(),
    }
}

/// Shows a host in full; the way back leads to the fleet.
pub(super) fn go_to(model: &mut Model, HostId { env, host }: HostId) -> Vec<AppEffect> {
    let effects = switch(model, &env);
    model.show(Screen::ROOT);
    if model.shown().is_some_and(|shown| shown.place(&host).is_none()) {
        // The screen was paused before the inventory had this host.
        pause::unpause(model);
    }
    model.open_host(host);
    effects
}

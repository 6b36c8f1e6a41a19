//! Looks at a host: begun, asked again, taken in, and ended when they are not on screen any more.

use crate::app::message::AppEffect;
use crate::app::model::look::{LookPlace, LookState, LookView};
use crate::app::model::{Model, Screen};
use crate::app::rows::{LOOK_WORDS, holds};
use crate::config::action::{Action, Need};
use jumpdeck_fleet::look::{LookEvent, LookKind};

/// Shows processes, ports or mounts of the host that is selected; on such a screen, of the same host.
pub(super) fn open(model: &mut Model, kind: LookKind) {
    if let Some(why) = model.obstacle(Need::RowHost) {
        return model.say(why.to_owned());
    }
    let Some((host, env)) = model.row_host().zip(model.shown_name()) else { return };
    let place = LookPlace { env, host, kind };
    let before = model.screen().look().cloned();
    if before.as_ref() == Some(&place) {
        return;
    }
    super::pause::unpause(model);
    if before.is_some() {
        model.screens.pop();
    }
    // One that lies deeper would be the same one twice.
    model.screens.retain(|screen| screen.look().is_none());
    model.open_look(place);
    if let Some(filter) = model.filter_mut() {
        filter.text.clear();
    }
}

/// Sorts by the next column, or the other way round.
pub(super) fn sort(model: &mut Model, action: Action) {
    let Some(look) = &mut model.look else { return };
    if action == Action::SortReverse {
        look.reversed = !look.reversed;
    } else {
        (look.order, look.reversed) = (look.order.next(look.place.kind), false);
    }
}

/// Asks no more, or again.
pub(super) fn pause(model: &mut Model) -> Vec<AppEffect> {
    let Some(look) = &mut model.look else { return Vec::new() };
    if look.state == LookState::Paused {
        look.state = LookState::Asking;
        let place = look.place.clone();
        model.looks += 1;
        if let Some(look) = &mut model.look {
            look.number = model.looks;
        }
        return begin(model, place);
    }
    look.state = LookState::Paused;
    vec![AppEffect::StopLooking]
}

/// Takes news in.
pub(super) fn take(model: &mut Model, number: u64, event: LookEvent) {
    if let Some(look) = model.look.as_mut().filter(|look| look.number == number) {
        // What was on its way when it was paused.
        if look.state != LookState::Paused {
            look.take(event);
        }
        model.changed = true;
        arrange(model);
    }
}

/// After a key: what is on screen is asked for, what is not is asked for no longer, and rows follow filter and order.
pub(super) fn settle(model: &mut Model) -> Vec<AppEffect> {
    let shown = model.shown_name();
    model.screens.retain(|screen| screen.look().is_none_or(|place| Some(&place.env) == shown.as_ref()));
    if model.screens.is_empty() {
        model.screens.push(Screen::ROOT);
    }
    let wanted = model.screen().look().cloned();
    let now = model.look.as_ref().map(|look| &look.place);
    if now == wanted.as_ref() {
        arrange(model);
        return Vec::new();
    }
    let Some(place) = wanted else {
        model.look = None;
        return vec![AppEffect::StopLooking];
    };
    model.looks += 1;
    model.look = Some(LookView::new(model.looks, place.clone()));
    begin(model, place)
}

fn begin(model: &Model, place: LookPlace) -> Vec<AppEffect> {
    let env = model.environments.iter().find(|env| env.spec.name == place.env).map(|env| env.spec.clone());
    let LookPlace { host, kind, .. } = place;
    env.map(|env| AppEffect::Look { number: model.looks, env, host, kind }).into_iter().collect()
}

fn arrange(model: &mut Model) {
    let holds = holds(model.filter_of(&LOOK_WORDS).text.as_str());
    if let Some(look) = &mut model.look {
        look.arrange(holds);
    }
}

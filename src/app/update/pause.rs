//! Holding the screen still.

use crate::app::model::{Model, Paused};
use crate::config::action::Need;

/// Lets a held screen go on.
pub(super) fn unpause(model: &mut Model) {
    if model.paused.is_some() {
        pause(model);
    }
}

/// Holds the screen, or lets it go on; what was selected meanwhile stays selected.
pub(super) fn pause(model: &mut Model) {
    if let Some(why) = model.obstacle(Need::Pause) {
        model.say(why.to_owned());
        return;
    }
    match model.paused.take() {
        None => {
            model.paused = Some(Paused { since: model.now, environments: model.environments.clone() });
        }
        Some(held) => {
            for (env, held) in model.environments.iter_mut().zip(held.environments) {
                env.selection = held.selection;
            }
        }
    }
}

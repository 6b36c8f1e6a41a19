//! Keys that are pressed one after another. The beginning of a sequence does nothing, and what follows goes to the sequence
//! alone: it answers no question and confirms nothing. Whatever comes between ends it.
//!
//! Nothing waits for a time to pass: no sequence is the beginning of another, so a key is never ambiguous.

use super::prompts;
use crate::app::model::pending::PendingKeys;
use crate::app::model::{Model, SMALLEST};
use crate::config::action::Action;
use crate::config::keymap::{KeyCode, KeyMatch, KeyPress};

/// A key that nothing else took: gives its action, or begins a sequence.
pub(super) fn begin(model: &mut Model, key: KeyPress) -> Option<Action> {
    match model.keymap.find(model.layer(), &[key]) {
        KeyMatch::Action(action) => return Some(action),
        // What can follow must be seen.
        KeyMatch::Begins if is_drawn(model) => {
            let (screen, asked) = (model.screen().clone(), model.asking());
            model.notice = None;
            model.pending = Some(PendingKeys { keys: vec![key], screen, asked });
        }
        KeyMatch::Begins | KeyMatch::Nothing => {}
    }
    None
}

/// The next key of the sequence that is under way; gives the action of the whole one.
pub(super) fn go_on(model: &mut Model, mut pending: PendingKeys, key: KeyPress) -> Option<Action> {
    // A letter of it may be an answer, too: the silence that an answer needs starts over.
    prompts::disturb(model);
    if key.code == KeyCode::Esc && !key.ctrl && !key.alt {
        return None;
    }
    pending.keys.push(key);
    match model.keymap.find(model.layer(), &pending.keys) {
        KeyMatch::Action(action) => return Some(action),
        KeyMatch::Begins => model.pending = Some(pending),
        KeyMatch::Nothing => model.say(format!("{} is not bound", pending.typed())),
    }
    None
}

/// Ends a sequence that something came between: a question, a dialog, another screen.
pub(super) fn end_if_interrupted(model: &mut Model) {
    let goes_on = |pending: &PendingKeys| {
        is_drawn(model)
            && model.questions.is_empty()
            && model.runs.dialogs.is_empty()
            && model.shell.is_none()
            && !model.palette.is_open()
            && model.asking() == pending.asked
            && *model.screen() == pending.screen
    };
    if model.pending.as_ref().is_some_and(|pending| !goes_on(pending))
        && let Some(pending) = model.pending.take()
    {
        model.say(format!("{} ended: the screen has changed", pending.typed()));
    }
}

fn is_drawn(model: &Model) -> bool {
    model.size.0 >= SMALLEST.0 && model.size.1 >= SMALLEST.1
}

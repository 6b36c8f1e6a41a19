//! Answering what a run asks. No is what Enter means; a letter counts only after the prompt was drawn and a moment of
//! silence; typed values only when the prompt has stood a moment; a paste confirms nothing. An answer that leads to a
//! change is sent only while the environment is armed; the run looks for itself before it changes anything.

use super::{arming, edit};
use crate::app::message::Effect;
use crate::app::model::Model;
use crate::app::model::runs::{PromptId, Reply, secret};
use crate::config::keymap::{KeyCode, KeyPress};
use crate::domain::run::{self, Choice, Mode, PromptKind, RunCommand};

/// What was read wrong: the value on screen is another.
pub(super) const OTHER: &str = "that is not the value on screen";
/// Why pasted text is refused.
pub(super) const PASTED: &str = "pasted text is not taken here: type it";
/// A value is missing.
pub(super) const EMPTY: &str = "a value is needed";
/// A reason is missing.
pub(super) const REASON: &str = "a reason is needed: it is kept in the journal";

/// Answers the prompt on screen; `None` when the key is none of it.
pub(super) fn key(model: &mut Model, key: KeyPress) -> Option<Vec<Effect>> {
    let kind = begin(model)?;
    if model.runs.reply.given {
        return None;
    }
    match kind {
        PromptKind::Confirm => confirm(model, key, true),
        PromptKind::Challenge(value) => {
            text(model, key, false, |typed| (typed == value.as_str()).then_some(()).ok_or(OTHER))
        }
        PromptKind::Input(input) if !input.choices.is_empty() => value(model, key, &input),
        PromptKind::Input(input) => {
            text(model, key, input.sensitive, |typed| (!typed.is_empty()).then_some(()).ok_or(EMPTY))
        }
        PromptKind::Choose(choices) => choose(model, key, &choices),
        PromptKind::Approve(_) => confirm(model, key, false),
    }
}

/// The kind of the open prompt, the reply being one to it.
fn begin(model: &mut Model) -> Option<PromptKind> {
    let (run, prompt) = model.open_prompt()?;
    let (id, kind) = (PromptId::Run(run.id.clone(), prompt.number), prompt.kind.clone());
    if model.runs.reply.to.as_ref() != Some(&id) {
        let at = match &kind {
            PromptKind::Input(input) => input.choices.iter().position(|c| Some(c) == input.default.as_ref()),
            _ => None,
        };
        model.runs.reply = Reply { to: Some(id), at, ..Reply::default() };
    }
    Some(kind)
}

/// Yes or no; where a second person says yes, only no.
fn confirm(model: &mut Model, key: KeyPress, yes: bool) -> Option<Vec<Effect>> {
    let plain = !key.ctrl && !key.alt;
    let reply = match key.code {
        KeyCode::Char('y' | 'Y') if plain && yes => run::Reply::Yes,
        KeyCode::Char('n' | 'N') if plain => run::Reply::No,
        KeyCode::Esc | KeyCode::Enter if plain && yes => run::Reply::No,
        _ => {
            model.prompt_disturbed();
            return None;
        }
    };
    if !model.may_reply() {
        model.prompt_disturbed();
        return Some(Vec::new());
    }
    Some(answer(model, reply))
}

/// A value that is typed; `fits` says whether it may be sent.
fn text(
    model: &mut Model,
    key: KeyPress,
    secret_text: bool,
    fits: impl Fn(&str) -> Result<(), &'static str>,
) -> Option<Vec<Effect>> {
    let plain = !key.ctrl && !key.alt;
    let typing = matches!(key.code, KeyCode::Char(_)) && (plain || key.ctrl);
    let editing = matches!(
        key.code,
        KeyCode::Enter
            | KeyCode::Esc
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Home
            | KeyCode::End
    );
    if !typing && !editing {
        return None;
    }
    if !model.may_reply() {
        return Some(Vec::new());
    }
    match key.code {
        KeyCode::Enter => match fits(&model.runs.reply.typed) {
            Ok(()) => {
                let typed = std::mem::replace(&mut model.runs.reply.typed, secret());
                return Some(answer(model, run::Reply::Text(typed)));
            }
            Err(why) => {
                let typed = !model.runs.reply.typed.is_empty();
                model.runs.reply.wrong = Some(if typed { why } else { EMPTY });
                model.runs.reply.typed = secret();
            }
        },
        KeyCode::Esc if model.runs.reply.typed.is_empty() => return Some(answer(model, run::Reply::No)),
        KeyCode::Esc => (model.runs.reply.typed, model.runs.reply.wrong) = (secret(), None),
        _ => {
            model.runs.reply.wrong = None;
            edit::line_of(&mut model.runs.reply.typed, key, secret_text);
        }
    }
    Some(Vec::new())
}

/// A value out of several.
fn value(model: &mut Model, key: KeyPress, input: &run::InputView) -> Option<Vec<Effect>> {
    let last = input.choices.len().saturating_sub(1);
    let reply = &mut model.runs.reply;
    match key.code {
        KeyCode::Up => reply.at = Some(reply.at.unwrap_or(1).saturating_sub(1)),
        KeyCode::Down => reply.at = Some(reply.at.map_or(0, |at| at + 1).min(last)),
        KeyCode::Enter if !model.may_reply() => {}
        KeyCode::Enter => {
            let Some(choice) = model.runs.reply.at.and_then(|at| input.choices.get(at)) else {
                model.runs.reply.wrong = Some("choose one: ↑ ↓");
                return Some(Vec::new());
            };
            let mut chosen = secret();
            chosen.push_str(choice.as_str());
            return Some(answer(model, run::Reply::Text(chosen)));
        }
        _ => return None,
    }
    Some(Vec::new())
}

fn choose(model: &mut Model, key: KeyPress, choices: &[Choice]) -> Option<Vec<Effect>> {
    if let Some(chosen) = model.runs.reply.chosen {
        return reason(model, key, chosen);
    }
    let picked = match key.code {
        KeyCode::Char(c) if !key.ctrl && !key.alt => choices.iter().find(|choice| choice.key == c),
        _ => None,
    };
    let Some(choice) = picked else {
        model.prompt_disturbed();
        return None;
    };
    if !model.may_reply() {
        model.prompt_disturbed();
        return Some(Vec::new());
    }
    if choice.reason {
        model.runs.reply.chosen = Some(choice.key);
        return Some(Vec::new());
    }
    Some(answer(model, run::Reply::Chosen(choice.key, None)))
}

fn reason(model: &mut Model, key: KeyPress, chosen: char) -> Option<Vec<Effect>> {
    if key.alt || matches!(key.code, KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown) {
        return None;
    }
    let reply = &mut model.runs.reply;
    match key.code {
        KeyCode::Esc => (reply.chosen, reply.typed, reply.wrong) = (None, secret(), None),
        KeyCode::Enter if reply.typed.trim().is_empty() => reply.wrong = Some(REASON),
        KeyCode::Enter => {
            let reason = reply.typed.trim().to_owned();
            return Some(answer(model, run::Reply::Chosen(chosen, Some(reason))));
        }
        _ => {
            reply.wrong = None;
            edit::line(&mut reply.typed, key);
        }
    }
    Some(Vec::new())
}

/// Whether something may be changed on an answer.
fn leads_to_changes(kind: &PromptKind, reply: &run::Reply) -> bool {
    match (kind, reply) {
        (_, run::Reply::No) => false,
        (_, run::Reply::Yes) | (PromptKind::Challenge(_), _) => true,
        (PromptKind::Choose(ways), run::Reply::Chosen(key, _)) => {
            // A way that is not offered is none that is known to be harmless.
            ways.iter().find(|way| way.key == *key).is_none_or(|way| way.changes)
        }
        (
            PromptKind::Choose(_) | PromptKind::Confirm | PromptKind::Input(_) | PromptKind::Approve(_),
            run::Reply::Text(_) | run::Reply::Chosen(..),
        ) => false,
    }
}

/// Sends an answer. A yes to changes waits until the environment is armed; it is then to be given again.
fn answer(model: &mut Model, reply: run::Reply) -> Vec<Effect> {
    let Some((run, prompt)) = model.open_prompt() else { return Vec::new() };
    let (id, number, env, why) = (run.id.clone(), prompt.number, run.env.clone(), run.why.to_string());
    let changes = leads_to_changes(&prompt.kind, &reply);
    if changes && run.mode == Mode::Live && arming::wanted(model, &env, why) {
        return Vec::new();
    }
    model.runs.reply.given = true;
    vec![Effect::TellRun(id, RunCommand::Answer { prompt: number, reply })]
}

/// Pasted text is a value or a reason at most, never a yes.
pub(super) fn paste(model: &mut Model, line: &str) {
    let Some(kind) = begin(model) else { return };
    if !model.may_reply() || model.runs.reply.given {
        return;
    }
    match kind {
        PromptKind::Challenge(_) => model.runs.reply.wrong = Some(PASTED),
        PromptKind::Input(input) if input.choices.is_empty() => {
            edit::insert_bounded(&mut model.runs.reply.typed, line, input.sensitive);
        }
        PromptKind::Choose(_) if model.runs.reply.chosen.is_some() => {
            edit::insert_bounded(&mut model.runs.reply.typed, line, false);
        }
        _ => {}
    }
}

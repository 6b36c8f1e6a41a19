//! Answering what a run asks. No is what Enter means; a letter counts only after the prompt was drawn and a moment of
//! silence; typed values only when the prompt has stood a moment; a paste confirms nothing. An answer that leads to a
//! change is sent only while the environment is armed; the run looks for itself before it changes anything.
//!
//! Nothing is answered while another step than the one that asks is looked at: its command and facts are not on screen.
//! Leaving the screen is no answer: the run goes on waiting.

use zeroize::Zeroizing;

use super::arming;
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::model::editor::Editor;
use crate::app::model::picker::Picker;
use crate::app::model::runs::{PromptId, ReplyDraft};
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::run::{self, Choice, Mode, PromptKind, RunCommand};

/// Pasted text is refused.
pub(super) const PASTED: &str = "pasted text is not accepted here: type it";
/// A value is missing.
pub(super) const EMPTY: &str = "a value is needed";
/// Nothing is chosen.
pub(super) const CHOOSE: &str = "choose one: type a part of it, or ↑ ↓";
/// The value is the answer to a question that this one must differ from.
pub(super) const TAKEN: &str = "another question has this answer already; the two must differ";
/// A reason is missing.
pub(super) const REASON: &str = "a reason is needed: it is kept in the journal";
/// What was typed is another value than the one on screen.
pub(super) const OTHER: &str = "does not match the value on screen";

/// Answers the prompt on screen; `None` when the key is none of it.
pub(super) fn key(model: &mut Model, key: KeyPress) -> Option<Vec<AppEffect>> {
    let kind = begin(model)?;
    if model.runs.reply.given {
        return None;
    }
    let elsewhere = model.runs.step.is_some();
    let plain_enter = key.code == KeyCode::Enter && !key.ctrl && !key.alt;
    let leads_back = elsewhere && plain_enter;
    if !leads_back && !model.prompt_takes(key) {
        disturb(model);
        return None;
    }
    if elsewhere {
        // What would be answered is brought on screen first.
        (model.runs.step, model.runs.scroll) = (None, None);
        model.runs.asked = None;
        return Some(Vec::new());
    }
    Some(match kind {
        PromptKind::Confirm | PromptKind::Approve(_) => confirm(model, key),
        PromptKind::Challenge(value) => {
            text(model, key, |typed| (typed == value.as_str()).then_some(()).ok_or(OTHER))
        }
        PromptKind::Input(input) if !input.choices.is_empty() => value(model, key, &input),
        PromptKind::Input(_) => text(model, key, |typed| (!typed.is_empty()).then_some(()).ok_or(EMPTY)),
        PromptKind::Choose(choices) => choose(model, key, &choices),
    })
}

/// A key that was not meant for the prompt on screen was pressed: a letter answers only after a moment of silence.
pub(super) fn disturb(model: &mut Model) {
    let Some(kind) = model.open_prompt().map(|(_, prompt)| prompt.kind.clone()) else { return };
    if waits_for_silence(model, &kind) {
        model.prompt_disturbed();
    }
}

/// Whether a single letter answers, which may be one of a word that is being typed.
fn waits_for_silence(model: &Model, kind: &PromptKind) -> bool {
    match kind {
        PromptKind::Confirm | PromptKind::Approve(_) => true,
        PromptKind::Choose(_) => model.runs.reply.chosen.is_none(),
        PromptKind::Challenge(_) | PromptKind::Input(_) => false,
    }
}

/// The kind of the open prompt, the reply being one to it.
fn begin(model: &mut Model) -> Option<PromptKind> {
    let (run, prompt) = model.open_prompt()?;
    let (id, kind) = (PromptId::Run(run.id.clone(), prompt.number), prompt.kind.clone());
    if model.runs.reply.to.as_ref() != Some(&id) {
        let input = match &kind {
            PromptKind::Input(input) => Some(input),
            PromptKind::Confirm
            | PromptKind::Challenge(_)
            | PromptKind::Choose(_)
            | PromptKind::Approve(_) => None,
        };
        let chosen = input.and_then(|input| input.default.as_ref()).map(ToString::to_string);
        let picker = Picker { chosen, ..Picker::default() };
        let secret = input.is_some_and(|input| input.sensitive);
        let typed = if secret { Editor::secret() } else { Editor::line() };
        model.runs.reply = ReplyDraft { to: Some(id), typed, picker, ..ReplyDraft::default() };
    }
    Some(kind)
}

/// Yes or no; where a second person says yes, only no (`prompt_takes` lets nothing else through).
fn confirm(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let reply = match key.code {
        KeyCode::Char('y' | 'Y') => run::Reply::Yes,
        _ => run::Reply::No,
    };
    if !model.may_reply() {
        model.prompt_disturbed();
        return Vec::new();
    }
    answer(model, reply)
}

/// Whether a key declines where text is typed.
fn declines(key: KeyPress) -> bool {
    key.ctrl && key.code == KeyCode::Char('d')
}

/// A value that is typed; `fits` says whether it may be sent.
fn text(model: &mut Model, key: KeyPress, fits: impl Fn(&str) -> Result<(), &'static str>) -> Vec<AppEffect> {
    if !model.may_reply() {
        return Vec::new();
    }
    if declines(key) {
        return answer(model, run::Reply::No);
    }
    match key.code {
        KeyCode::Enter => match fits(model.runs.reply.typed.as_str()) {
            Ok(()) => {
                let typed = Zeroizing::new(model.runs.reply.typed.as_str().to_owned());
                return answer(model, run::Reply::Text(typed));
            }
            Err(why) => {
                let typed = !model.runs.reply.typed.is_empty();
                model.runs.reply.wrong = Some(if typed { why } else { EMPTY });
                model.runs.reply.typed.clear();
            }
        },
        KeyCode::Esc => {
            model.runs.reply.typed.clear();
            model.runs.reply.wrong = None;
        }
        _ => {
            model.runs.reply.wrong = None;
            model.runs.reply.typed.key(key);
        }
    }
    Vec::new()
}

/// A value out of several.
fn value(model: &mut Model, key: KeyPress, input: &run::InputView) -> Vec<AppEffect> {
    if matches!(key.code, KeyCode::Enter | KeyCode::Char(_)) && !model.may_reply() {
        return Vec::new();
    }
    if declines(key) {
        return answer(model, run::Reply::No);
    }
    let reply = &mut model.runs.reply;
    match key.code {
        KeyCode::Esc => reply.picker.filter.clear(),
        KeyCode::Enter => {
            let chosen = reply.picker.chosen.as_deref();
            let Some(choice) = input.choices.iter().find(|choice| Some(choice.as_str()) == chosen) else {
                reply.wrong = Some(CHOOSE);
                return Vec::new();
            };
            return answer(model, run::Reply::Text(Zeroizing::new(choice.to_string())));
        }
        _ => {
            reply.wrong = None;
            reply.picker.key(key, &input.choices);
        }
    }
    Vec::new()
}

fn choose(model: &mut Model, key: KeyPress, choices: &[Choice]) -> Vec<AppEffect> {
    if let Some(chosen) = model.runs.reply.chosen {
        return reason(model, key, chosen);
    }
    let Some(choice) = choices.iter().find(|choice| key.code == KeyCode::Char(choice.key)) else {
        return Vec::new();
    };
    if !model.may_reply() {
        model.prompt_disturbed();
        return Vec::new();
    }
    if choice.reason {
        model.runs.reply.chosen = Some(choice.key);
        return Vec::new();
    }
    answer(model, run::Reply::Chosen(choice.key, None))
}

fn reason(model: &mut Model, key: KeyPress, chosen: char) -> Vec<AppEffect> {
    let reply = &mut model.runs.reply;
    match key.code {
        KeyCode::Esc => {
            reply.typed.clear();
            (reply.chosen, reply.wrong) = (None, None);
        }
        KeyCode::Enter if reply.typed.as_str().trim().is_empty() => reply.wrong = Some(REASON),
        KeyCode::Enter => {
            let reason = reply.typed.as_str().trim().to_owned();
            return answer(model, run::Reply::Chosen(chosen, Some(reason)));
        }
        _ => {
            reply.wrong = None;
            reply.typed.key(key);
        }
    }
    Vec::new()
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

/// Sends an answer. A yes to changes waits until the environment is armed; what was typed stays, and is to be sent again.
fn answer(model: &mut Model, reply: run::Reply) -> Vec<AppEffect> {
    let Some((run, prompt)) = model.open_prompt() else { return Vec::new() };
    let (id, number, env, why) = (run.id.clone(), prompt.number, run.env.clone(), run.why.to_string());
    let changes = leads_to_changes(&prompt.kind, &reply);
    if changes && run.mode == Mode::Live && arming::wanted(model, &env, why) {
        return Vec::new();
    }
    model.runs.reply.given = true;
    model.runs.reply.typed.clear();
    vec![AppEffect::TellRun(id, RunCommand::Answer { prompt: number, reply })]
}

/// Pasted text is a value or a reason at most, never a yes.
pub(super) fn paste(model: &mut Model, line: &str) {
    let Some(kind) = begin(model) else { return };
    if model.runs.reply.given || model.runs.step.is_some() {
        return;
    }
    if matches!(kind, PromptKind::Challenge(_)) {
        model.runs.reply.wrong = Some(PASTED);
        return;
    }
    if !model.may_reply() {
        return;
    }
    match kind {
        PromptKind::Input(input) if input.choices.is_empty() => {
            model.runs.reply.typed.insert(line);
        }
        PromptKind::Input(input) => {
            model.runs.reply.picker.insert(line, &input.choices);
        }
        PromptKind::Choose(_) if model.runs.reply.chosen.is_some() => {
            model.runs.reply.typed.insert(line);
        }
        PromptKind::Choose(_) | PromptKind::Confirm | PromptKind::Approve(_) | PromptKind::Challenge(_) => {}
    }
}

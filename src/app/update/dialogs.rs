//! Dialogs: inputs, start, arming, notes; what a person tells a run unasked.

use super::{acknowledge, arming, columns, commands, export, forms, leave, prompts, sessions, views};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::model::note::Note;
use crate::app::model::runs::Dialog;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::run::{Mode, RunCommand};

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    match model.runs.dialogs.last() {
        Some(Dialog::Inputs(_)) => forms::key(model, key),
        Some(Dialog::Start { .. }) => start(model, key),
        Some(Dialog::Arm { .. }) => {
            arm(model, key);
            Vec::new()
        }
        Some(Dialog::Acknowledge(_)) => {
            acknowledge::key(model, key);
            Vec::new()
        }
        Some(Dialog::Note { .. }) => write(model, key),
        Some(Dialog::Session(_)) => sessions::form_key(model, key),
        Some(Dialog::SessionNote(_)) => sessions::note_key(model, key),
        Some(Dialog::Command(_)) => commands::key(model, key),
        Some(Dialog::Leave(_)) => leave::key(model, key),
        Some(Dialog::SaveView { .. }) => views::name_key(model, key),
        Some(Dialog::Export(_)) => export::key(model, key),
        Some(Dialog::Columns(_)) => {
            columns::key(model, key);
            Vec::new()
        }
        Some(Dialog::ViewQuestion(_)) => views::question_key(model, key),
        Some(Dialog::Refused(_)) => {
            if matches!(key.code, KeyCode::Esc | KeyCode::Enter) {
                model.runs.dialogs.pop();
            }
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn start(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let env = model.runs.plan.as_ref().map(|p| p.env.clone());
    let Some(Dialog::Start { mode, why, wrong }) = model.runs.dialogs.last_mut() else { return Vec::new() };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down => {
            *mode = if *mode == Mode::Live { Mode::DryRun } else { Mode::Live };
        }
        KeyCode::Enter if why.as_str().trim().is_empty() => *wrong = Some(prompts::REASON),
        KeyCode::Enter => {
            let (mode, why) = (*mode, why.as_str().trim().to_owned());
            let Some(env) = env else { return Vec::new() };
            if mode == Mode::Live && arming::wanted(model, &env, why.clone()) {
                return Vec::new();
            }
            model.runs.dialogs.pop();
            return model.start_plan(mode, &why);
        }
        _ => {
            *wrong = None;
            why.key(key);
        }
    }
    Vec::new()
}

fn arm(model: &mut Model, key: KeyPress) {
    let Some(Dialog::Arm { reason, time, at_time, wrong }) = model.runs.dialogs.last_mut() else { return };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down => *at_time = !*at_time,
        KeyCode::Enter if reason.as_str().trim().is_empty() => {
            (*wrong, *at_time) = (Some(prompts::REASON), false)
        }
        KeyCode::Enter => match arming::span(time.as_str()) {
            Some(span) => {
                let reason = reason.as_str().trim().to_owned();
                model.runs.dialogs.pop();
                arming::arm(model, &reason, span);
            }
            None => (*wrong, *at_time) = (Some("a time such as 30m or 2h, at most 8h"), true),
        },
        _ => {
            *wrong = None;
            if *at_time { time } else { reason }.key(key);
        }
    }
}

/// A note on the run on screen.
pub(super) fn note(model: &mut Model) {
    if let Some(run) = shown_here(model) {
        model.runs.dialogs.push(Dialog::Note { run, text: Note::default() });
    }
}

fn write(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::Note { run, text }) = model.runs.dialogs.last_mut() else { return Vec::new() };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        // A new line, as terminals send Ctrl-J and Alt-Enter.
        KeyCode::Enter if key.alt => text.insert("\n"),
        KeyCode::Char('j') if key.ctrl => text.insert("\n"),
        KeyCode::Enter => {
            // A note is one line wherever it is shown: several lines are several notes.
            let lines = text.lines().iter().map(|line| line.trim()).filter(|line| !line.is_empty());
            let note = |line: &str| AppEffect::TellRun(run.clone(), RunCommand::Note(line.to_owned()));
            let notes = lines.map(note).collect();
            model.runs.dialogs.pop();
            return notes;
        }
        _ => text.key(key),
    }
    Vec::new()
}

/// The run on screen, when it goes on and is this console's; else says what is in the way.
fn shown_here(model: &mut Model) -> Option<String> {
    match model.own_run() {
        Ok(run) => Some(run.id.clone()),
        Err(why) => {
            model.say(why.to_owned());
            None
        }
    }
}

/// Stops the run on screen before its next step.
pub(super) fn stop(model: &mut Model) -> Vec<AppEffect> {
    match shown_here(model) {
        Some(run) => leave::stop(model, run),
        None => Vec::new(),
    }
}

/// Wants the run on screen rolled back: it lists what that would do, and asks.
pub(super) fn roll_back(model: &mut Model) -> Vec<AppEffect> {
    let Some(run) = shown_here(model) else { return Vec::new() };
    vec![AppEffect::TellRun(run, RunCommand::Rollback)]
}

/// Pasted text goes where text is typed; it submits nothing.
pub(super) fn paste(model: &mut Model, text: &str) {
    let line = text.lines().next().unwrap_or_default();
    match model.runs.dialogs.last_mut() {
        Some(Dialog::Inputs(form)) => forms::paste(form, line),
        Some(Dialog::Start { why, .. }) => why.insert(line),
        Some(Dialog::Arm { reason, time, at_time, .. }) => {
            if *at_time { time } else { reason }.insert(line);
        }
        Some(Dialog::Acknowledge(form)) => {
            if form.at_until { &mut form.until } else { &mut form.reason }.insert(line);
        }
        Some(Dialog::Note { text: note, .. }) => note.insert(text),
        Some(Dialog::Session(form)) => sessions::paste(form, line),
        Some(Dialog::SessionNote(note)) => note.text.insert(text),
        Some(Dialog::SaveView { name, .. }) => name.insert(line),
        Some(Dialog::Export(form)) => form.name.insert(line),
        Some(Dialog::Command(form)) => commands::paste(form, text),
        // The word that leaves is typed.
        Some(Dialog::Leave(_) | Dialog::Refused(_) | Dialog::ViewQuestion(_) | Dialog::Columns(_)) | None => {
        }
    }
}

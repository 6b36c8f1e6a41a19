//! Leaving: the program, or a run that is told to stop. Whoever leaves is told what is still in effect, and is offered the
//! rollback first; leaving it as it is takes a typed word.

use super::{moves, pause};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::model::editor::Editor;
use crate::app::model::runs::{Dialog, LEAVE_WORD, Leave, LeaveQuestion};
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::run::RunCommand;

/// Leaves the program, or asks first when that would stop a run or leave something in effect.
pub(super) fn quit(model: &mut Model) -> Vec<AppEffect> {
    let effects = in_effect(model, &LeaveQuestion::Quit);
    match model.runs.dialogs.last() {
        // Told to stop already: it is waited for no longer.
        Some(Dialog::Leave(Leave { stopping: true, .. })) => return vec![AppEffect::Quit],
        // Twice is meant, but not past what is still in effect.
        Some(Dialog::Leave(Leave { what: LeaveQuestion::Quit, .. })) => {
            return if effects { Vec::new() } else { vec![AppEffect::Quit] };
        }
        Some(_) | None => {}
    }
    if !effects && model.runs_under_way().next().is_none() && model.commands_under_way().next().is_none() {
        return vec![AppEffect::Quit];
    }
    model.help = None;
    model.palette.close();
    model.runs.dialogs.push(Dialog::Leave(Leave::new(LeaveQuestion::Quit)));
    Vec::new()
}

/// Stops a run before its next step, or asks first when that leaves something in effect.
pub(super) fn stop(model: &mut Model, run: String) -> Vec<AppEffect> {
    let what = LeaveQuestion::Stop(run.clone());
    if in_effect(model, &what) {
        model.runs.dialogs.push(Dialog::Leave(Leave::new(what)));
        return Vec::new();
    }
    stop_now(model, run)
}

fn stop_now(model: &mut Model, run: String) -> Vec<AppEffect> {
    model.say("stopping before the next step".to_owned());
    vec![AppEffect::TellRun(run, RunCommand::Stop)]
}

/// Whether something stays in effect.
fn in_effect(model: &Model, what: &LeaveQuestion) -> bool {
    model.left_by(what).any(|run| !run.in_effect.is_empty())
}

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::Leave(leave)) = model.runs.dialogs.last() else { return Vec::new() };
    let (what, typing, stopping) = (leave.what.clone(), leave.typed.is_some(), leave.stopping);
    if typing {
        return type_word(model, key);
    }
    let plain = !key.ctrl && !key.alt;
    let effects = in_effect(model, &what) && !stopping;
    match key.code {
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('n' | 'N') if plain => {
            model.runs.dialogs.pop();
            Vec::new()
        }
        KeyCode::Char('u' | 'U') if plain && effects && model.may_reply() => roll_back(model, &what),
        KeyCode::Char('l' | 'L') if plain && effects && model.may_reply() => {
            if let Some(Dialog::Leave(leave)) = model.runs.dialogs.last_mut() {
                leave.typed = Some(Editor::line());
            }
            Vec::new()
        }
        KeyCode::Char('y' | 'Y') if plain && !effects && model.may_reply() => go(model),
        _ => {
            model.prompt_disturbed();
            Vec::new()
        }
    }
}

/// The word that leaves things as they are.
fn type_word(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::Leave(Leave { typed, wrong, .. })) = model.runs.dialogs.last_mut() else {
        return Vec::new();
    };
    match (key.code, typed.as_ref().map(Editor::as_str)) {
        (KeyCode::Esc, _) => (*typed, *wrong) = (None, None),
        (KeyCode::Enter, Some(LEAVE_WORD)) => return go(model),
        (KeyCode::Enter, _) => (*typed, *wrong) = (Some(Editor::line()), Some(super::prompts::OTHER)),
        (_, _) => {
            *wrong = None;
            typed.get_or_insert_default().key(key);
        }
    }
    Vec::new()
}

/// Leaves: runs under way are told to stop, and are waited for.
fn go(model: &mut Model) -> Vec<AppEffect> {
    let Some(Dialog::Leave(leave)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    match leave.what.clone() {
        LeaveQuestion::Stop(run) => {
            model.runs.dialogs.pop();
            stop_now(model, run)
        }
        LeaveQuestion::Quit => {
            (leave.stopping, leave.typed) = (true, None);
            let stop = |run: &str| AppEffect::TellRun(run.to_owned(), RunCommand::Stop);
            let stops: Vec<_> = model.runs_under_way().map(|run| stop(&run.id)).collect();
            if stops.is_empty() { vec![AppEffect::Quit] } else { stops }
        }
    }
}

/// Shows the run that has something in effect, and rolls it back; one that has stopped is resumed first, which asks.
fn roll_back(model: &mut Model, what: &LeaveQuestion) -> Vec<AppEffect> {
    let first = model.left_by(what).find(|run| !run.in_effect.is_empty()).cloned();
    let Some(run) = first else { return Vec::new() };
    model.runs.dialogs.pop();
    pause::unpause(model);
    let at = model.environments.iter().position(|env| env.spec.name == run.env);
    let mut effects = Vec::new();
    if let Some(at) = at.filter(|at| *at != model.active) {
        effects.extend(moves::switch_to(model, at));
    }
    if model.shown_run().is_none_or(|shown| shown.id != run.id) {
        model.show_list();
        model.show_run(run.id.clone());
    }
    if run.state.is_under_way() {
        effects.push(AppEffect::TellRun(run.id.clone(), RunCommand::Rollback));
    } else {
        model.say("this run has stopped: Enter resumes it, then u rolls it back".to_owned());
    }
    effects
}

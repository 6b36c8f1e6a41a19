//! What a runbook asks before a plan is made: field by field.

use super::{edit, prompts, runbooks};
use crate::app::message::{Effect, Inputs};
use crate::app::model::Model;
use crate::app::model::runs::{Dialog, Form};
use crate::config::keymap::{KeyCode, KeyPress};

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<Effect> {
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    let last = form.fields.len().saturating_sub(1);
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Tab => (form.at, form.wrong) = ((form.at + 1).min(last), None),
        KeyCode::BackTab => (form.at, form.wrong) = (form.at.saturating_sub(1), None),
        KeyCode::Enter => {
            if is_missing(form, form.at) {
                form.wrong = Some(prompts::EMPTY);
            } else if form.at < last {
                (form.at, form.wrong) = (form.at + 1, None);
            } else {
                return submit(model);
            }
        }
        KeyCode::Up | KeyCode::Down if is_choice(form) => choose(form, key.code == KeyCode::Down),
        KeyCode::Up => (form.at, form.wrong) = (form.at.saturating_sub(1), None),
        KeyCode::Down => (form.at, form.wrong) = ((form.at + 1).min(last), None),
        _ if is_choice(form) => {}
        _ => {
            form.wrong = None;
            if let Some((input, value)) = form.fields.get_mut(form.at) {
                edit::line_of(value, key, input.sensitive);
            }
        }
    }
    Vec::new()
}

fn is_choice(form: &Form) -> bool {
    form.fields.get(form.at).is_some_and(|(input, _)| !input.choices.is_empty())
}

fn is_missing(form: &Form, at: usize) -> bool {
    form.fields.get(at).is_some_and(|(input, value)| value.is_empty() && input.default.is_none())
}

fn choose(form: &mut Form, forward: bool) {
    form.wrong = None;
    let Some((input, value)) = form.fields.get_mut(form.at) else { return };
    let last = input.choices.len().saturating_sub(1);
    let to = match (input.choices.iter().position(|c| c.as_str() == value.as_str()), forward) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => (at + 1).min(last),
        (Some(at), false) => at.saturating_sub(1),
    };
    if let Some(choice) = input.choices.get(to) {
        value.clear();
        value.push_str(choice.as_str());
    }
}

fn submit(model: &mut Model) -> Vec<Effect> {
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    if let Some(missing) = (0..form.fields.len()).find(|at| is_missing(form, *at)) {
        (form.at, form.wrong) = (missing, Some(prompts::EMPTY));
        return Vec::new();
    }
    let runbook = form.runbook.clone();
    let values = form.fields.drain(..).map(|(input, mut value)| {
        if let (true, Some(default)) = (value.is_empty(), &input.default) {
            value.push_str(default.as_str());
        }
        (input.name, value)
    });
    let inputs = Inputs(values.collect());
    model.runs.dialogs.pop();
    runbooks::plan(model, runbook, inputs)
}

pub(super) fn paste(form: &mut Form, line: &str) {
    if !is_choice(form)
        && let Some((input, value)) = form.fields.get_mut(form.at)
    {
        edit::insert_bounded(value, line, input.sensitive);
    }
}

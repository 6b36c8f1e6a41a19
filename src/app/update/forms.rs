//! What a runbook asks before a plan is made: field by field.

use super::prompts;
use crate::app::message::{AppEffect, Inputs};
use crate::app::model::Model;
use crate::app::model::runs::{Dialog, Form};
use crate::config::keymap::{KeyCode, KeyPress};

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    let last = form.fields.len().saturating_sub(1);
    let choice = is_choice(form);
    match key.code {
        // What narrows the choice goes first.
        KeyCode::Esc if choice && !form.picker.filter.is_empty() => form.picker.filter.clear(),
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Tab => form.go_to(form.at + 1),
        KeyCode::BackTab => form.go_to(form.at.saturating_sub(1)),
        KeyCode::Enter => {
            if let Some(why) = wrong(form, form.at) {
                form.wrong = Some(why);
            } else if form.at < last {
                form.go_to(form.at + 1);
            } else {
                return submit(model);
            }
        }
        _ if choice => {
            let choices = form.choices();
            if form.picker.takes(key, choices.len()) {
                form.picker.key(key, &choices);
                chosen(form);
            }
        }
        KeyCode::Up => form.go_to(form.at.saturating_sub(1)),
        KeyCode::Down => form.go_to(form.at + 1),
        _ => {
            form.wrong = None;
            if let Some((_, value)) = form.fields.get_mut(form.at) {
                value.key(key);
            }
        }
    }
    Vec::new()
}

fn is_choice(form: &Form) -> bool {
    form.fields.get(form.at).is_some_and(|(input, _)| !input.choices.is_empty())
}

/// What is wrong with an answer.
fn wrong(form: &Form, at: usize) -> Option<&'static str> {
    let (input, value) = form.fields.get(at)?;
    let excluded = !value.is_empty()
        && form
            .fields
            .iter()
            .any(|(other, v)| input.not.contains(&other.name) && v.as_str() == value.as_str());
    if excluded {
        return Some(prompts::TAKEN);
    }
    if value.is_empty() && input.default.is_none() {
        return Some(if input.choices.is_empty() { prompts::EMPTY } else { prompts::CHOOSE });
    }
    None
}

/// The value chosen is the answer.
fn chosen(form: &mut Form) {
    form.wrong = None;
    let Some((_, value)) = form.fields.get_mut(form.at) else { return };
    value.set(form.picker.chosen.as_deref().unwrap_or_default());
}

fn submit(model: &mut Model) -> Vec<AppEffect> {
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    if let Some((at, why)) = (0..form.fields.len()).find_map(|at| Some((at, wrong(form, at)?))) {
        form.go_to(at);
        form.wrong = Some(why);
        return Vec::new();
    }
    let runbook = form.runbook.clone();
    let values = form.fields.drain(..).map(|(input, mut value)| {
        if let (true, Some(default)) = (value.is_empty(), &input.default) {
            value.set(default.as_str());
        }
        (input.name, value.take())
    });
    let inputs = Inputs(values.collect());
    model.runs.dialogs.pop();
    model.make_plan(runbook, inputs)
}

pub(super) fn paste(form: &mut Form, line: &str) {
    if is_choice(form) {
        let choices = form.choices();
        form.picker.insert(line, &choices);
        chosen(form);
    } else if let Some((_, value)) = form.fields.get_mut(form.at) {
        value.insert(line);
    }
}

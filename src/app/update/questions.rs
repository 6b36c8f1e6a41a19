//! Answering a question. The default is to refuse: accepting a host key wants `yes` typed out and Enter, all of it
//! after the question was drawn; keys typed ahead are dropped, and a paste never confirms.

use super::edit;
use crate::app::message::Effect;
use crate::app::model::{ANSWER_MAX, Model, YES, empty_answer};
use crate::config::keymap::{KeyCode, KeyPress};
use crate::domain::event::{Answer, QuestionKind};

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<Effect> {
    if !model.may_answer() {
        return Vec::new();
    }
    match key.code {
        KeyCode::Esc => answer(model, |_| Answer::Refuse),
        KeyCode::Enter => enter(model),
        KeyCode::Char('u') if key.ctrl => {
            model.answer = empty_answer();
            Vec::new()
        }
        KeyCode::Backspace => {
            edit::backspace(&mut model.answer);
            Vec::new()
        }
        KeyCode::Char(c) if !key.ctrl && !key.alt => {
            type_char(model, c);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn enter(model: &mut Model) -> Vec<Effect> {
    let Some(question) = model.questions.first() else { return Vec::new() };
    match question.kind {
        QuestionKind::UnknownHostKey { .. } => {
            if model.answer.eq_ignore_ascii_case(YES) {
                return answer(model, |_| Answer::Accept);
            }
            if model.answer.eq_ignore_ascii_case("no") {
                return answer(model, |_| Answer::Refuse);
            }
            model.answer = empty_answer();
            model.say(format!("type {YES} to accept the key, Esc to refuse it"));
            Vec::new()
        }
        QuestionKind::Passphrase { .. } | QuestionKind::Prompt { .. } => {
            answer(model, |model| Answer::Secret(std::mem::replace(&mut model.answer, empty_answer())))
        }
    }
}

fn answer(model: &mut Model, make: impl FnOnce(&mut Model) -> Answer) -> Vec<Effect> {
    if model.questions.is_empty() {
        return Vec::new();
    }
    let question = model.questions.remove(0);
    let answer = make(model);
    model.answer = empty_answer();
    vec![Effect::Answer(question.id, answer)]
}

/// Pasted text may be a secret's, never a confirmation's.
pub(super) fn paste(model: &mut Model, line: &str) {
    let secret =
        model.questions.first().is_some_and(|q| !matches!(q.kind, QuestionKind::UnknownHostKey { .. }));
    if secret && model.may_answer() {
        for c in line.chars() {
            type_char(model, c);
        }
    }
}

fn type_char(model: &mut Model, c: char) {
    if !c.is_control() && model.answer.len() + c.len_utf8() <= ANSWER_MAX {
        model.answer.push(c);
    }
}

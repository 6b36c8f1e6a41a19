//! Answering a question. The default is to refuse. A key accepts only after the question was drawn and a moment of
//! silence; keys typed ahead are dropped, and a paste never confirms.

use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::event::{Answer, QuestionKind};

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    match model.questions.first().map(|q| &q.kind) {
        Some(QuestionKind::UnknownHostKey { .. } | QuestionKind::LogInAgain { .. }) => yes_or_no(model, key),
        Some(QuestionKind::Waiting { .. }) if key.code == KeyCode::Esc && model.may_answer() => {
            answer(model, Answer::Refuse)
        }
        Some(QuestionKind::Waiting { .. }) => Vec::new(),
        Some(QuestionKind::Passphrase { .. } | QuestionKind::Prompt { .. }) if model.may_answer() => {
            secret(model, key)
        }
        _ => Vec::new(),
    }
}

fn yes_or_no(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let plain = !key.ctrl && !key.alt;
    match key.code {
        KeyCode::Char('y' | 'Y') if plain && model.may_answer() => answer(model, Answer::Accept),
        KeyCode::Esc | KeyCode::Char('n' | 'N') if plain && model.may_answer() => {
            answer(model, Answer::Refuse)
        }
        _ => {
            model.disturbed();
            Vec::new()
        }
    }
}

fn secret(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    match key.code {
        KeyCode::Esc => return answer(model, Answer::Refuse),
        KeyCode::Enter => {
            let typed = model.answer.take();
            return answer(model, Answer::Secret(typed));
        }
        _ => {
            model.answer.key(key);
        }
    }
    Vec::new()
}

fn answer(model: &mut Model, answer: Answer) -> Vec<AppEffect> {
    if model.questions.is_empty() {
        return Vec::new();
    }
    let question = model.questions.remove(0);
    model.answer.clear();
    vec![AppEffect::Answer(question.id, answer)]
}

/// Pasted text may be a secret's, never a confirmation's.
pub(super) fn paste(model: &mut Model, line: &str) {
    let secret = model.questions.first().is_some_and(|q| match q.kind {
        QuestionKind::Passphrase { .. } | QuestionKind::Prompt { .. } => true,
        QuestionKind::UnknownHostKey { .. }
        | QuestionKind::Waiting { .. }
        | QuestionKind::LogInAgain { .. } => false,
    });
    if secret && model.may_answer() {
        model.answer.insert(line);
    }
}

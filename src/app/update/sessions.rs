//! Maintenance sessions: started, joined, noted in, handed over, ended.

use super::{arming, prompts};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::model::note::Note;
use crate::app::model::runs::Dialog;
use crate::app::model::session::{SessionForm, SessionNote, SessionQuestion};
use crate::config::action::Need;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::maintenance::{SessionNews, SessionOrder};
use jumpdeck_fleet::text::Clean;

/// Characters of a reason, a ticket, a name.
const LONGEST: usize = 300;

/// Asks for a note.
pub(super) fn note(model: &mut Model) {
    if let Some(env) = taking_part(model) {
        push(model, Dialog::SessionNote(SessionNote { env, text: Note::default() }));
    }
}

/// Asks to whom the session is handed over.
pub(super) fn hand_over(model: &mut Model) {
    if let Some(env) = taking_part(model) {
        push(model, Dialog::Session(SessionForm::hand_over(env)));
    }
}

/// Asks whether the session ends.
pub(super) fn end(model: &mut Model) {
    let Some(env) = taking_part(model) else { return };
    let guard = model.environments.get(model.active).map(|one| one.spec.guard);
    if let Some(guard) = guard {
        push(model, Dialog::Session(SessionForm::end(env, guard)));
    }
}

/// The environment, if the operator takes part in its session; else says what is in the way.
fn taking_part(model: &mut Model) -> Option<jumpdeck_fleet::names::EnvName> {
    match model.obstacle(Need::Session) {
        Some(why) => {
            model.say(why.to_owned());
            None
        }
        None => model.shown_name(),
    }
}

/// What is asked is asked from now on: keys typed before are no answer.
fn push(model: &mut Model, dialog: Dialog) {
    model.runs.asked = None;
    model.runs.dialogs.push(dialog);
}

pub(super) fn note_key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::SessionNote(SessionNote { env, text })) = model.runs.dialogs.last_mut() else {
        return Vec::new();
    };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        // A new line, as terminals send Ctrl-J and Alt-Enter.
        KeyCode::Enter if key.alt => text.insert("\n"),
        KeyCode::Char('j') if key.ctrl => text.insert("\n"),
        KeyCode::Enter => {
            let (env, lines) = (env.clone(), Clean::lines(text.lines().join("\n").trim()));
            model.runs.dialogs.pop();
            if !lines.is_empty() {
                return vec![AppEffect::Session(env, SessionOrder::Note(lines))];
            }
        }
        _ => text.key(key),
    }
    Vec::new()
}

pub(super) fn form_key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::Session(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    let last = form.fields.len().saturating_sub(1);
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Tab | KeyCode::Down => form.at = if form.at == last { 0 } else { form.at + 1 },
        KeyCode::BackTab | KeyCode::Up => form.at = form.at.checked_sub(1).unwrap_or(last),
        KeyCode::Enter if form.at < last => match wrong(form, form.at) {
            Some(why) => form.wrong = Some(why),
            None => form.at += 1,
        },
        KeyCode::Enter => return submit(model),
        _ => {
            form.wrong = None;
            if let Some((_, text)) = form.fields.get_mut(form.at) {
                text.key(key);
            }
        }
    }
    Vec::new()
}

/// What is wrong with what is typed in a field.
fn wrong(form: &SessionForm, at: usize) -> Option<&'static str> {
    let text = form.text(at);
    if text.chars().count() > LONGEST {
        return Some("at most 300 characters");
    }
    match (&form.what, at) {
        (SessionQuestion::Start, 0) if text.is_empty() => Some(prompts::REASON),
        (SessionQuestion::Start, 2) if names(text).len() > 20 => Some("at most 20 names"),
        (SessionQuestion::Start, 3) => {
            arming::span_up_to(text, MOST_HOURS).is_none().then_some("a time such as 90m or 3h, at most 48h")
        }
        (SessionQuestion::HandOver, 0) if text.is_empty() => Some("name somebody: anna, or anna@desk"),
        (SessionQuestion::End(word), 1) if text != word => Some("that is not the word"),
        (SessionQuestion::Start | SessionQuestion::HandOver | SessionQuestion::End(_), _) => None,
    }
}

/// The longest session that a console plans, in hours.
const MOST_HOURS: u64 = 48;

fn names(text: &str) -> Vec<Clean> {
    let names = text.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty());
    names.map(Clean::new).collect()
}

fn submit(model: &mut Model) -> Vec<AppEffect> {
    let Some(Dialog::Session(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    if let Some((at, why)) = (0..form.fields.len()).find_map(|at| Some((at, wrong(form, at)?))) {
        (form.at, form.wrong) = (at, Some(why));
        return Vec::new();
    }
    let order = match form.what {
        SessionQuestion::Start => SessionOrder::Start {
            reason: Clean::new(form.text(0)),
            ticket: Clean::new(form.text(1)),
            people: names(form.text(2)),
            lasts: arming::span_up_to(form.text(3), MOST_HOURS).unwrap_or_default(),
        },
        SessionQuestion::HandOver => SessionOrder::HandOver(Clean::new(form.text(0))),
        SessionQuestion::End(_) => SessionOrder::End(Clean::new(form.text(0))),
    };
    let env = form.env.clone();
    model.runs.dialogs.pop();
    vec![AppEffect::Session(env, order)]
}

/// Pasted text goes where text is typed; a word that confirms is typed.
pub(super) fn paste(form: &mut SessionForm, line: &str) {
    if matches!(form.what, SessionQuestion::End(_)) && form.at == 1 {
        return;
    }
    if let Some((_, text)) = form.fields.get_mut(form.at) {
        text.insert(line);
    }
}

/// Takes in what is known now.
pub(super) fn take(model: &mut Model, news: SessionNews) {
    model.changed = true;
    match news.said.clone() {
        Some(Ok(said)) => model.say(said.to_string()),
        Some(Err(why)) => push_refusal(model, why),
        None => {}
    }
    match model.sessions.iter_mut().find(|known| known.env == news.env) {
        Some(known) => *known = news,
        None => model.sessions.push(news),
    }
}

/// What could not be done must not be missed.
fn push_refusal(model: &mut Model, why: Clean) {
    push(model, Dialog::Refused(vec![why]));
}

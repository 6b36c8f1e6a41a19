//! Saved views: opened, saved under a name, deleted. Replacing and deleting ask first.

use super::{moves, palette, pause};
use crate::app::message::{AppEffect, ViewChange, ViewsNews};
use crate::app::model::Model;
use crate::app::model::editor::Editor;
use crate::app::model::runs::Dialog;
use crate::app::model::views::ViewQuestion;
use crate::app::opening::OpeningView;
use crate::app::screens::Screen;
use crate::config::action::Need;
use crate::config::keymap::{KeyCode, KeyPress};
use crate::config::views::{SavedView, wrong_name};
use jumpdeck_fleet::names::HostId;

/// Shows a view, in its environment.
pub(super) fn open(model: &mut Model, view: &SavedView) -> Vec<AppEffect> {
    let (name, env) = (&view.name, &view.environment);
    let place = model.environments.iter().position(|one| one.spec.name == *env);
    let Some(place) = place else {
        model.say(format!("view {name}: environment {env} is not in the inventory"));
        return Vec::new();
    };
    if let Some(host) = &view.host {
        let is_there = model.environments.get(place).is_some_and(|env| env.place(host).is_some());
        if !is_there {
            model.say(format!("view {name}: host {host} is not in the inventory"));
            return Vec::new();
        }
        return palette::go_to(model, HostId { env: env.clone(), host: host.clone() });
    }
    let Some(shown) = OpeningView::saved(view, &model.views.orders) else {
        model.say(format!("view {name}: its order is unknown"));
        return Vec::new();
    };
    let mut effects = palette::switch(model, env);
    if Screen::at(shown.screen).is_some_and(|screen| !screen.kind().may_pause()) {
        pause::unpause(model);
    }
    shown.enter(model);
    moves::to_first_row(model);
    effects.extend(model.screen().kind().asks(model));
    effects
}

/// Asks for the name of the view on screen.
pub(super) fn ask_name(model: &mut Model) {
    if let Some(why) = model.obstacle(Need::View) {
        model.say(why.to_owned());
    } else if let Some(env) = model.shown_name() {
        let view = OpeningView::of(model).to_save(env);
        push(model, Dialog::SaveView { view, name: Editor::line(), wrong: None });
    }
}

/// Asks whether the selected view is deleted.
pub(super) fn ask_delete(model: &mut Model) {
    match model.screen().kind().view(model).map(|view| view.name) {
        Some(name) => push(model, Dialog::ViewQuestion(ViewQuestion::Delete(name))),
        None => model.say(model.obstacle(Need::SavedView).unwrap_or_default().to_owned()),
    }
}

/// What is asked is asked from now on: keys typed before are no answer.
fn push(model: &mut Model, dialog: Dialog) {
    model.runs.asked = None;
    model.runs.dialogs.push(dialog);
}

/// A key of the dialog that asks for a name.
pub(super) fn name_key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::SaveView { view, name, wrong }) = model.runs.dialogs.last_mut() else {
        return Vec::new();
    };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Enter => {
            let named = name.as_str().trim().to_owned();
            *wrong = wrong_name(&named);
            if wrong.is_some() {
                return Vec::new();
            }
            let view = SavedView { name: named, ..view.clone() };
            match model.views.named(&view.name) {
                Some(_) => push(model, Dialog::ViewQuestion(ViewQuestion::Replace(view))),
                None => {
                    model.runs.dialogs.pop();
                    return vec![AppEffect::SaveView { view, replace: false }];
                }
            }
        }
        _ => {
            *wrong = None;
            name.key(key);
        }
    }
    Vec::new()
}

/// A key of a question: only `y` is yes, and only after a moment of silence.
pub(super) fn question_key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let may_reply = model.may_reply();
    let Some(Dialog::ViewQuestion(question)) = model.runs.dialogs.last() else { return Vec::new() };
    let plain = !key.ctrl && !key.alt;
    match key.code {
        KeyCode::Char('y' | 'Y') if plain && may_reply => {
            let effect = match question {
                ViewQuestion::Replace(view) => AppEffect::SaveView { view: view.clone(), replace: true },
                ViewQuestion::Delete(name) => AppEffect::DeleteView(name.clone()),
            };
            model.runs.dialogs.pop();
            if matches!(model.runs.dialogs.last(), Some(Dialog::SaveView { .. })) {
                model.runs.dialogs.pop();
            }
            return vec![effect];
        }
        KeyCode::Char('n' | 'N') if plain => drop(model.runs.dialogs.pop()),
        KeyCode::Enter | KeyCode::Esc => drop(model.runs.dialogs.pop()),
        _ => model.prompt_disturbed(),
    }
    Vec::new()
}

/// The file was read, or changed.
pub(super) fn take(model: &mut Model, news: ViewsNews) {
    model.views.take(news.views);
    match news.change {
        None => {}
        Some(ViewChange::Saved(name)) => model.say(format!("view {name} saved")),
        Some(ViewChange::Deleted(name)) => model.say(format!("view {name} deleted")),
        // Another console, or an editor, was faster.
        Some(ViewChange::Exists(view)) => push(model, Dialog::ViewQuestion(ViewQuestion::Replace(view))),
        Some(ViewChange::Failed(why)) => push(model, Dialog::Refused(vec![why])),
    }
}

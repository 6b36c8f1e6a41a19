//! `(Model, Msg) → effects`: the one way the model changes.

use std::time::Duration;

use zeroize::Zeroize;

use super::message::{AppEffect, HandoverNews, Msg};
use super::model::Model;
use jumpdeck_fleet::time::Moment;

mod acknowledge;
mod act;
mod arming;
mod columns;
mod commands;
mod dialogs;
mod export;
mod forms;
mod inventory;
mod leave;
mod logs;
mod look;
mod moves;
mod news;
mod palette;
mod pause;
mod power;
mod prompts;
mod questions;
#[cfg(test)]
mod run_tests;
mod runs;
mod sequence;
mod sessions;
mod shell;
#[cfg(test)]
mod tests;
mod views;

/// Takes in what happened and says what is to be done about it.
pub fn update(model: &mut Model, msg: Msg) -> Vec<AppEffect> {
    let effects = take(model, msg);
    sequence::end_if_interrupted(model);
    effects
}

fn take(model: &mut Model, msg: Msg) -> Vec<AppEffect> {
    match msg {
        Msg::Key(key) => {
            model.changed = true;
            model.runs.touched = model.now;
            let mut effects = act::key(model, key);
            effects.extend(logs::settle(model));
            effects.extend(look::settle(model));
            effects
        }
        Msg::Paste(mut text) => {
            model.changed = true;
            model.runs.touched = model.now;
            paste(model, &text);
            // It may have been a passphrase.
            text.zeroize();
            let mut effects: Vec<AppEffect> = logs::settle(model).into_iter().collect();
            effects.extend(look::settle(model));
            effects
        }
        Msg::Resize(columns, rows) => {
            model.size = (columns, rows);
            model.changed = true;
            Vec::new()
        }
        Msg::Tick(now) => {
            tick(model, now);
            Vec::new()
        }
        Msg::Handover(HandoverNews::Copied(copied)) => {
            model.copied(&copied);
            Vec::new()
        }
        Msg::Handover(HandoverNews::Exported(exported)) => {
            model.exported(exported);
            Vec::new()
        }
        Msg::Logs(number, event) => {
            logs::take(model, number, event);
            Vec::new()
        }
        Msg::Shell(news) => {
            shell::take(model, news);
            Vec::new()
        }
        Msg::Views(news) => {
            model.changed = true;
            views::take(model, news);
            Vec::new()
        }
        Msg::Clock(at) => {
            model.clock = (at, model.now);
            Vec::new()
        }
        Msg::Timeline(news) => {
            model.take_timeline(news);
            Vec::new()
        }
        Msg::Session(news) => {
            sessions::take(model, *news);
            Vec::new()
        }
        Msg::Courses(host, courses) => {
            model.take_courses(host, courses);
            Vec::new()
        }
        Msg::Look(number, event) => {
            look::take(model, number, event);
            Vec::new()
        }
        Msg::Fleet(event) => {
            let mut effects = news::take(model, event);
            // Its host may have left the inventory.
            if model.look.is_some() && model.shown_look().is_none() {
                effects.extend(look::settle(model));
            }
            effects
        }
        Msg::Run(event) => {
            model.changed = true;
            runs::take(model, event)
        }
    }
}

/// A paste goes where text is being typed, and nowhere else: it never acts and never confirms.
fn paste(model: &mut Model, text: &str) {
    let line = text.lines().next().unwrap_or_default();
    if model.is_meant_for_what_vanished() {
        return;
    }
    if !model.questions.is_empty() {
        questions::paste(model, line);
    } else if model.shell.is_some() {
        // Meant for the shell, which is not there yet.
    } else if !model.runs.dialogs.is_empty() {
        dialogs::paste(model, text);
    } else if model.palette.is_open() {
        model.paste_into_palette(line);
    } else if model.filter().editing && model.help.is_none() {
        if let Some(filter) = model.filter_mut() {
            filter.text.insert(line);
            act::best_match(model);
        }
    } else {
        prompts::paste(model, line);
    }
}

fn tick(model: &mut Model, now: Moment) {
    let second = |m: Moment| m.since(Moment::default()).as_secs();
    if second(now) != second(model.now) && model.ages() {
        model.changed = true;
    }
    model.now = model.now.max(now);
    arming::tick(model);
    if model.notice.as_ref().is_some_and(|(_, until)| until.since(model.now) == Duration::ZERO) {
        model.notice = None;
        model.changed = true;
    }
}

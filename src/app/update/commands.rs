//! Commands on hosts: typed, shown with what is to be said before, agreed to as the inventory's `guard` asks, then followed.

use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

use super::pause;
use crate::app::message::AppEffect;
use crate::app::model::commands::{CommandForm, CommandStage, LONGEST_COMMAND};
use crate::app::model::editor::Editor;
use crate::app::model::runs::Dialog;
use crate::app::model::{Model, SMALLEST};
use crate::config::action::Need;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::command::{CommandOrder, CommandState, CommandText, CommandView};
use jumpdeck_fleet::fleet::Signatures;
use jumpdeck_fleet::text::Clean;

/// Nothing is typed.
const NO_COMMAND: &str = "no command is typed";
/// It would not be seen to its end.
const TOO_LONG: &str = "longer than this dialog can show: use jumpdeck exec";
/// Of a paste.
const ONE_LINE: &str = "only the first line was pasted";
/// A yes is typed.
const PASTED: &str = "pasted text is not accepted here: type it";

/// Asks for a command for the hosts that are chosen now.
pub(super) fn open(model: &mut Model) {
    if let Some(why) = model.obstacle(Need::CommandHost) {
        return model.say(why.to_owned());
    }
    let Some(env) = model.environments.get(model.active).map(|env| env.spec.clone()) else { return };
    let name = &env.name;
    match env.signatures {
        Signatures::Required => {
            return model.say(format!(
                "{name} has signatures = \"required\", and a command leaves nothing signed: use a runbook"
            ));
        }
        Signatures::WhenPossible => {}
    }
    if model.last_command().is_some_and(|last| last.view.is_under_way()) {
        let text = format!("hosts of {name} are still being asked for the last command");
        show_answers(model);
        return model.say(text);
    }
    let hosts = model.command_hosts();
    let is_marked = !model.screen().kind().is_of_one_host() && !model.marked().is_empty();
    let (chosen_as, unlisted) = if is_marked { ("marked", model.unlisted_marks()) } else { ("selected", 0) };
    model.commands.orders += 1;
    let form = CommandForm {
        id: model.commands.orders,
        env: name.clone(),
        guard: env.guard,
        hosts,
        chosen_as,
        unlisted,
        text: Editor::line(),
        stage: CommandStage::Typing,
        wrong: None,
        scroll: 0,
    };
    model.runs.dialogs.push(Dialog::Command(form));
}

/// Shows the answers to the last command.
pub(super) fn show_answers(model: &mut Model) {
    match model.obstacle(Need::Answers) {
        Some(why) => model.say(why.to_owned()),
        None => {
            pause::unpause(model);
            model.open_answers();
        }
    }
}

/// Asks no more hosts for the command on screen.
pub(super) fn stop(model: &mut Model) -> Vec<AppEffect> {
    let Some(id) = model.last_command().map(|last| last.view.order.id) else { return Vec::new() };
    model.say("no more hosts are asked; where the command was sent, it may still be running".to_owned());
    vec![AppEffect::DropOrder(id)]
}

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    // Nothing is agreed to that is not drawn.
    let is_drawn = model.size.0 >= SMALLEST.0 && model.size.1 >= SMALLEST.1;
    let may_answer = model.may_reply() && is_drawn;
    let Some(Dialog::Command(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    match key.code {
        KeyCode::PageUp => form.scroll = form.scroll.saturating_sub(1),
        KeyCode::PageDown => form.scroll = form.scroll.saturating_add(1),
        _ => {
            return match form.stage {
                CommandStage::Typing => type_command(model, key),
                CommandStage::Looking | CommandStage::Refused(_) => {
                    if matches!(key.code, KeyCode::Esc | KeyCode::Enter) { back(model) } else { Vec::new() }
                }
                CommandStage::Asking { .. } if form.is_challenge() => type_yes(model, key, may_answer),
                CommandStage::Asking { .. } => letter(model, key, may_answer),
            };
        }
    }
    Vec::new()
}

fn type_command(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(Dialog::Command(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Enter if form.text.as_str().trim().is_empty() => form.wrong = Some(NO_COMMAND),
        KeyCode::Enter if form.text.as_str().width() > LONGEST_COMMAND => form.wrong = Some(TOO_LONG),
        KeyCode::Enter => {
            (form.stage, form.wrong) = (CommandStage::Looking, None);
            return vec![AppEffect::LookBefore(form.id, form.env.clone())];
        }
        _ => {
            form.wrong = None;
            form.text.key(key);
        }
    }
    Vec::new()
}

/// Back to typing. What was asked for under this id is dropped, and another try has an id of its own.
fn back(model: &mut Model) -> Vec<AppEffect> {
    model.commands.orders += 1;
    let next = model.commands.orders;
    let Some(Dialog::Command(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    let dropped = std::mem::replace(&mut form.id, next);
    (form.stage, form.wrong) = (CommandStage::Typing, None);
    vec![AppEffect::DropOrder(dropped)]
}

/// A single letter is the yes.
fn letter(model: &mut Model, key: KeyPress, may_answer: bool) -> Vec<AppEffect> {
    let plain = !key.ctrl && !key.alt;
    match key.code {
        KeyCode::Char('y' | 'Y') if plain && may_answer => run(model),
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('n' | 'N') if plain => back(model),
        _ => {
            model.prompt_disturbed();
            Vec::new()
        }
    }
}

/// The environment's name is the yes.
fn type_yes(model: &mut Model, key: KeyPress, may_answer: bool) -> Vec<AppEffect> {
    let Some(Dialog::Command(form)) = model.runs.dialogs.last_mut() else { return Vec::new() };
    let CommandStage::Asking { typed, .. } = &mut form.stage else { return Vec::new() };
    match key.code {
        KeyCode::Esc => return back(model),
        KeyCode::Enter if typed.is_empty() => return back(model),
        // Typed before it was seen, it is no answer to it.
        _ if !may_answer => {}
        KeyCode::Enter if typed.as_str() == form.env.as_str() => return run(model),
        KeyCode::Enter => {
            typed.clear();
            form.wrong = Some(super::prompts::OTHER);
        }
        _ => {
            form.wrong = None;
            typed.key(key);
        }
    }
    Vec::new()
}

fn run(model: &mut Model) -> Vec<AppEffect> {
    let Some(Dialog::Command(form)) = model.runs.dialogs.pop() else { return Vec::new() };
    let order = Arc::new(CommandOrder {
        id: form.id,
        env: form.env,
        hosts: form.hosts,
        text: CommandText::new(form.text.as_str()),
    });
    model.command_began(Arc::new(CommandView::new(order.clone(), model.now)));
    pause::unpause(model);
    model.open_answers();
    vec![AppEffect::RunOnHosts(order)]
}

pub(super) fn paste(form: &mut CommandForm, text: &str) {
    match &form.stage {
        CommandStage::Typing => {
            let mut lines = text.lines();
            form.text.insert(lines.next().unwrap_or_default());
            form.wrong = lines.any(|line| !line.trim().is_empty()).then_some(ONE_LINE);
        }
        CommandStage::Asking { .. } => form.wrong = Some(PASTED),
        CommandStage::Looking | CommandStage::Refused(_) => {}
    }
}

/// What is to be said before a command is known.
pub(super) fn ready(model: &mut Model, id: u64, said: Result<Vec<Clean>, Clean>) {
    for dialog in &mut model.runs.dialogs {
        let Dialog::Command(form) = dialog else { continue };
        if form.id != id || !matches!(form.stage, CommandStage::Looking) {
            continue;
        }
        form.stage = match &said {
            Ok(said) => CommandStage::Asking { said: said.clone(), typed: Editor::line() },
            Err(why) => CommandStage::Refused(why.clone()),
        };
        // What is asked now has not been drawn yet.
        model.runs.asked = None;
    }
}

/// A command went on.
pub(super) fn take(model: &mut Model, view: Arc<CommandView>) {
    let (env, hosts) = (view.order.env.clone(), view.order.hosts.len());
    let ended = match &view.state {
        CommandState::UnderWay => String::new(),
        CommandState::Over(_) => view.counts(),
        CommandState::NotBegun(why) => format!("nothing was run: {why}"),
    };
    let over = model.command_went_on(view);
    let is_seen = model.shows_answers() && model.shown_name().as_ref() == Some(&env);
    if over && !is_seen {
        let hosts = if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") };
        model.say(format!("the command on {hosts} of {env} is over: {ended}"));
    }
}

//! A key finds its place (question, filter, keymap) and becomes an action.

use super::{arming, dialogs, edit, moves, prompts, questions, runbooks};
use crate::app::message::Effect;
use crate::app::model::{Model, Paused, Screen, SortColumn};
use crate::config::action::Action;
use crate::config::keymap::{KeyCode, KeyPress};

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<Effect> {
    // Whatever a keymap says and whatever lies on top: this ends the program.
    if key.ctrl && key.code == KeyCode::Char('c') {
        return dialogs::quit(model);
    }
    if !model.questions.is_empty() {
        return questions::key(model, key);
    }
    if !model.runs.dialogs.is_empty() {
        return dialogs::key(model, key);
    }
    if model.filter.editing && model.help.is_none() {
        filter_key(model, key);
        return Vec::new();
    }
    if let Some(effects) = prompts::key(model, key) {
        return effects;
    }
    match model.keymap.action(key) {
        Some(action) => act(model, action),
        None => Vec::new(),
    }
}

fn filter_key(model: &mut Model, key: KeyPress) {
    let text = &mut model.filter.text;
    match key.code {
        KeyCode::Esc => {
            text.clear();
            model.filter.editing = false;
        }
        KeyCode::Enter => model.filter.editing = false,
        KeyCode::Backspace => edit::backspace(text),
        KeyCode::Char('h') if key.ctrl => edit::backspace(text),
        KeyCode::Char('u') if key.ctrl => text.clear(),
        KeyCode::Char('w') if key.ctrl => edit::delete_word(text),
        KeyCode::Char(c) if !key.ctrl && !key.alt => edit::insert(text, c.encode_utf8(&mut [0; 4])),
        KeyCode::Up => moves::by(model, Action::Up),
        KeyCode::Down => moves::by(model, Action::Down),
        KeyCode::PageUp => moves::by(model, Action::PageUp),
        KeyCode::PageDown => moves::by(model, Action::PageDown),
        _ => {}
    }
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if model.help.is_some() && !allowed_in_help(action) {
        return Vec::new();
    }
    match action {
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
            moves::by(model, action);
        }
        Action::Open => return open(model),
        Action::Back => {
            moves::back(model);
            return runbooks::list(model);
        }
        Action::Filter => filter(model),
        Action::SortNext => {
            model.sort.by = next_column(model.sort.by);
            model.sort.reversed = false;
        }
        Action::SortReverse => model.sort.reversed = !model.sort.reversed,
        Action::NextEnvironment => return moves::switch(model, true),
        Action::PreviousEnvironment => return moves::switch(model, false),
        Action::ScreenFleet => moves::show(model, Screen::Fleet),
        Action::ScreenReplication => moves::show(model, Screen::Replication),
        Action::ScreenRoles => moves::show(model, Screen::Roles),
        Action::ScreenProblems => moves::show(model, Screen::Problems),
        Action::Runbooks => return runbooks::show(model),
        Action::Arm => arming::toggle(model),
        Action::Note => dialogs::note(model),
        Action::StopRun => return dialogs::stop(model),
        Action::Rollback => return dialogs::roll_back(model),
        Action::Refresh => return refresh(model),
        Action::Retry => return retry(model),
        Action::Pause => pause(model),
        Action::NextTheme => return next_theme(model),
        Action::Help => model.help = if model.help.is_some() { None } else { Some(0) },
        // Who reads help and presses quit wants to leave help.
        Action::Quit if model.help.is_some() => model.help = None,
        Action::Quit => return dialogs::quit(model),
    }
    Vec::new()
}

/// What lies under help is not acted on unseen.
fn allowed_in_help(action: Action) -> bool {
    use Action as A;
    matches!(
        action,
        A::Up
            | A::Down
            | A::PageUp
            | A::PageDown
            | A::First
            | A::Last
            | A::Back
            | A::Help
            | A::Quit
            | A::NextTheme
    )
}

fn open(model: &mut Model) -> Vec<Effect> {
    match model.screen() {
        Screen::Runbooks | Screen::Plan | Screen::Run(_) => runbooks::open(model),
        _ => {
            moves::open(model);
            Vec::new()
        }
    }
}

/// Whether the screen's rows are filtered.
pub(super) fn is_filtered(model: &Model) -> bool {
    matches!(model.screen(), Screen::Fleet | Screen::Roles | Screen::Problems | Screen::Runbooks)
}

fn filter(model: &mut Model) {
    if is_filtered(model) {
        model.filter.editing = true;
    }
}

fn next_column(column: SortColumn) -> SortColumn {
    match column {
        SortColumn::Inventory => SortColumn::Host,
        SortColumn::Host => SortColumn::Severity,
        SortColumn::Severity => SortColumn::Load,
        SortColumn::Load => SortColumn::Disk,
        SortColumn::Disk => SortColumn::Lag,
        SortColumn::Lag => SortColumn::Age,
        SortColumn::Age => SortColumn::Inventory,
    }
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(env) = model.environments.get(model.active) else { return Vec::new() };
    let (name, hosts) = (env.spec.name.clone(), env.hosts.len());
    model.say(format!("asking {hosts} {}", if hosts == 1 { "host" } else { "hosts" }));
    vec![Effect::Refresh(name)]
}

/// Tries again what is in the way: the jump box while it does not answer, else the selected host.
fn retry(model: &mut Model) -> Vec<Effect> {
    let Some(env) = model.environments.get(model.active) else { return Vec::new() };
    let name = env.spec.name.clone();
    if !env.jump.link.is_up() {
        let jump = env.jump.name.clone();
        model.say(format!("trying jump box {jump} again"));
        return vec![Effect::Retry(name, None)];
    }
    let Some(host) = moves::selected_host(model) else {
        model.say("select a host to try again".to_owned());
        return Vec::new();
    };
    model.say(format!("trying {host} again"));
    vec![Effect::Retry(name, Some(host))]
}

/// Lets a held screen go on.
pub(super) fn unpause(model: &mut Model) {
    if model.paused.is_some() {
        pause(model);
    }
}

/// Holds the screen, or lets it go on; what was selected meanwhile stays selected.
fn pause(model: &mut Model) {
    // What a run asks must not be missed, nor its age be a held one.
    if matches!(model.screen(), Screen::Runbooks | Screen::Plan | Screen::Run(_)) {
        model.say("runs are not held still".to_owned());
        return;
    }
    match model.paused.take() {
        None => {
            model.paused = Some(Paused { since: model.now, environments: model.environments.clone() });
        }
        Some(held) => {
            for (env, held) in model.environments.iter_mut().zip(held.environments) {
                env.selection = held.selection;
            }
        }
    }
}

fn next_theme(model: &mut Model) -> Vec<Effect> {
    if model.themes.is_empty() {
        return Vec::new();
    }
    model.theme = (model.theme + 1) % model.themes.len();
    let Some(name) = model.themes.get(model.theme).cloned() else { return Vec::new() };
    model.say(format!("theme {name}"));
    vec![Effect::UseTheme(name)]
}

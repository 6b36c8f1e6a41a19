//! A key finds its place (question, filter, keymap) and becomes an action.

use super::{
    acknowledge, arming, commands, dialogs, export, leave, logs, look, moves, palette, pause, power, prompts,
    questions, sequence, sessions, shell, views,
};
use crate::app::message::AppEffect;
use crate::app::model::palette::PaletteTarget;
use crate::app::model::{Model, Screen};
use crate::app::rows::selection::select;
use crate::app::rows::sorting;
use crate::config::action::{Action, Destination, Need};
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::look::LookKind;
use jumpdeck_fleet::names::HostId;

pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let pending = model.pending.take();
    // Whatever a keymap says and whatever lies on top: this ends the program.
    if key.ctrl && key.code == KeyCode::Char('c') {
        return leave::quit(model);
    }
    // A screen that something else wrote on is repaired whatever lies on top, and whatever is typed.
    if pending.is_none() && key.ctrl && model.keymap.action(model.layer(), key) == Some(Action::Redraw) {
        return vec![AppEffect::Redraw];
    }
    if model.is_meant_for_what_vanished() {
        return Vec::new();
    }
    if !model.questions.is_empty() {
        return questions::key(model, key);
    }
    if model.shell.is_some() {
        return shell::key(model, key);
    }
    if !model.runs.dialogs.is_empty() {
        return dialogs::key(model, key);
    }
    if model.palette.is_open() {
        let Some(target) = palette::key(model, key) else { return Vec::new() };
        let mut effects = vec![AppEffect::KeepChosen((&target).into())];
        effects.extend(take(model, target));
        return effects;
    }
    if model.filter().editing && model.help.is_none() {
        // Any other key of the palette is text here.
        if palette::is_opened_while_typing(model, key) {
            return palette::open(model);
        }
        filter_key(model, key);
        return Vec::new();
    }
    let action = match pending {
        Some(pending) => sequence::go_on(model, pending, key),
        None => match prompts::key(model, key) {
            Some(effects) => return effects,
            None => sequence::begin(model, key),
        },
    };
    action.map_or_else(Vec::new, |action| act(model, action))
}

/// What was taken from the palette: an action goes the way of its key, a runbook the way of the list of runbooks.
fn take(model: &mut Model, target: PaletteTarget) -> Vec<AppEffect> {
    match target {
        PaletteTarget::Action(action, _) => act(model, action),
        PaletteTarget::Environment(env) => palette::switch(model, &env),
        PaletteTarget::View(name) => {
            let view = model.views.named(&name).cloned();
            view.map_or_else(Vec::new, |view| views::open(model, &view))
        }
        PaletteTarget::Host(host) => palette::go_to(model, host),
        PaletteTarget::Runbook(_, name) => {
            let mut effects = go(model, Model::RUNBOOKS);
            effects.extend(model.open_runbook(&name));
            effects
        }
    }
}

fn filter_key(model: &mut Model, key: KeyPress) {
    match key.code {
        KeyCode::Up => return moves::by(model, Action::Up),
        KeyCode::Down => return moves::by(model, Action::Down),
        KeyCode::PageUp => return moves::by(model, Action::PageUp),
        KeyCode::PageDown => return moves::by(model, Action::PageDown),
        _ => {}
    }
    let Some(filter) = model.filter_mut() else { return };
    match key.code {
        KeyCode::Esc => {
            filter.text.clear();
            filter.editing = false;
        }
        KeyCode::Enter => filter.editing = false,
        _ => {
            let before = filter.text.as_str().to_owned();
            filter.text.key(key);
            if filter.text.as_str() != before {
                best_match(model);
            }
        }
    }
}

/// Runbooks come with the best match first: that is the one to open.
pub(super) fn best_match(model: &mut Model) {
    if model.screen().kind().best_match_first() {
        select(model, 0);
    }
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<AppEffect> {
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
            return model.screen().kind().asks(model);
        }
        Action::Filter => filter(model),
        Action::SortNext | Action::SortReverse if model.screen().kind().has_own_order() => {
            look::sort(model, action)
        }
        Action::SortNext => {
            model.sort.by = sorting::next(model);
            model.sort.reversed = false;
        }
        Action::SortReverse => model.sort.reversed = !model.sort.reversed,
        Action::Columns => match model.obstacle(Need::Columns) {
            Some(why) => model.say(why.to_owned()),
            None => model.ask_columns(),
        },
        Action::Fold => match model.obstacle(Need::Folds) {
            Some(why) => model.say(why.to_owned()),
            None => fold(model),
        },
        Action::Mark => mark(model),
        Action::MarkAll => marks(model, Need::Hosts, Model::mark_listed),
        Action::ClearMarks => marks(model, Need::Marks, Model::clear_marks),
        Action::NextEnvironment => return moves::switch(model, true),
        Action::PreviousEnvironment => return moves::switch(model, false),
        Action::Screen(to) => return go(model, to),
        Action::Compare => match model.pair() {
            Ok(pair) => model.open_comparison(pair),
            Err(why) => model.say(model.obstacle(Need::Pair).unwrap_or(why).to_owned()),
        },
        Action::CompareEnvironments => match model.environment_pair() {
            Ok(pair) => return model.open_environments(pair),
            Err(why) => model.say(why.to_owned()),
        },
        Action::Command => commands::open(model),
        Action::Answers => commands::show_answers(model),
        Action::Arm => arming::toggle(model),
        Action::Note => dialogs::note(model),
        Action::StopRun if model.is_command_shown_under_way() => return commands::stop(model),
        Action::StopRun => return dialogs::stop(model),
        Action::Rollback => return dialogs::roll_back(model),
        Action::Refresh if model.shows_power() => return power::open(model),
        Action::Refresh => {
            let mut effects = refresh(model);
            effects.extend(model.screen().kind().asks(model));
            return effects;
        }
        Action::Redraw => return vec![AppEffect::Redraw],
        Action::Retry => return retry(model),
        Action::FirstJump => return first_jump(model),
        // Lines go on being read, and the fleet being asked: only the list stays where it is.
        Action::Pause if model.shown_logs().is_some() => {
            if let Some(logs) = &mut model.logs {
                logs.hold();
            }
        }
        Action::Pause if model.shown_look().is_some() => return look::pause(model),
        Action::Pause => pause::pause(model),
        Action::Processes => look::open(model, LookKind::Processes),
        Action::Ports => look::open(model, LookKind::Ports),
        Action::Charts => charts(model),
        Action::LongerSpan | Action::ShorterSpan => match model.obstacle(Need::Charts) {
            Some(why) => model.say(why.to_owned()),
            None => model.change_span(action == Action::LongerSpan),
        },
        Action::Mounts => look::open(model, LookKind::Mounts),
        Action::Logs => return logs::open(model),
        Action::LogFilter | Action::LogOnly | Action::LogHide | Action::LogWrap => {
            return logs::act(model, action);
        }
        Action::Export => export::open(model),
        Action::Copy => {
            model.say("copying this view".to_owned());
            return vec![AppEffect::CopyView];
        }
        Action::Power => return power::open(model),
        Action::Shell => return shell::open(model),
        Action::SessionNote => sessions::note(model),
        Action::SessionHandOver => sessions::hand_over(model),
        Action::SessionEnd => sessions::end(model),
        Action::SaveView => views::ask_name(model),
        Action::DeleteView => views::ask_delete(model),
        Action::Acknowledge => acknowledge::toggle(model),
        Action::AllEnvironments => match model.obstacle(Need::Events) {
            Some(why) => model.say(why.to_owned()),
            None => model.all_events = !model.all_events,
        },
        Action::NextTheme => return next_theme(model),
        Action::Palette => return palette::open(model),
        Action::Help => model.help = if model.help.is_some() { None } else { Some(0) },
        // Who reads help and presses quit wants to leave help.
        Action::Quit if model.help.is_some() => model.help = None,
        // As in most programs with pages: it leads out of the page first.
        Action::Quit if model.screen().kind().is_page() => {
            moves::back(model);
            return model.screen().kind().asks(model);
        }
        Action::Quit => return leave::quit(model),
    }
    Vec::new()
}

/// Opens what is selected; a host of another environment, in that one.
fn open(model: &mut Model) -> Vec<AppEffect> {
    let kind = model.screen().kind();
    if let Some(view) = kind.view(model) {
        return views::open(model, &view);
    }
    let Some(HostId { env, host }) = kind.leads_to(model) else { return kind.open(model) };
    let place = model.environments.iter().find(|one| one.spec.name == env);
    if place.is_none_or(|place| place.host(&host).is_none()) {
        model.say(format!("{host} is not in the inventory of {env}"));
        return Vec::new();
    }
    let effects = palette::switch(model, &env);
    if model.shown().is_some_and(|shown| shown.host(&host).is_none()) {
        // The screen was paused before the inventory had this host.
        pause::unpause(model);
    }
    model.open_host(host);
    effects
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
            | A::Palette
            | A::Help
            | A::Quit
            | A::NextTheme
            | A::Redraw
    )
}

/// Goes to the screen of a key. A page that is already shown stays as it is.
fn go(model: &mut Model, to: Destination) -> Vec<AppEffect> {
    let Some(screen) = Screen::at(to) else { return Vec::new() };
    let kind = screen.kind();
    if kind.is_page() && model.screen() == &screen {
        return Vec::new();
    }
    if !kind.may_pause() {
        pause::unpause(model);
    }
    if kind.arrive(model) {
        model.push(screen);
    } else {
        model.show(screen);
    }
    kind.asks(model)
}

fn filter(model: &mut Model) {
    if let Some(why) = model.obstacle(Need::Filter) {
        model.say(why.to_owned());
    } else if let Some(filter) = model.filter_mut() {
        filter.editing = true;
    }
}

/// Shows the charts of the host that is selected.
fn charts(model: &mut Model) {
    match (model.obstacle(Need::RowHost), model.row_host()) {
        (None, Some(host)) => model.open_charts(host),
        (Some(why), _) => model.say(why.to_owned()),
        (None, None) => {}
    }
}

/// Marks the host, or all of a folded row, or removes their marks; among rows the next one is selected then.
fn mark(model: &mut Model) {
    marks(model, Need::Host, |model| {
        model.toggle_marks(model.markables());
        if model.screen().kind().rows_are_hosts() {
            moves::by(model, Action::Down);
        }
    });
}

/// Folds the rows or unfolds them, and says how many there are now.
fn fold(model: &mut Model) {
    model.fold();
    let rows = model.screen().kind().count(model);
    let hosts = model.screen().kind().hosts(model).len();
    model.say(match (model.folded, rows == hosts) {
        (true, true) => "folded: no two hosts are alike".to_owned(),
        (true, false) => format!("folded: {hosts} hosts in {rows} rows"),
        (false, _) => "unfolded: a row for each host".to_owned(),
    });
}

/// Changes marks, or says what is in the way.
fn marks(model: &mut Model, need: Need, change: impl FnOnce(&mut Model)) {
    match model.obstacle(need) {
        Some(why) => model.say(why.to_owned()),
        None => change(model),
    }
}

fn refresh(model: &mut Model) -> Vec<AppEffect> {
    let Some(env) = model.environments.get(model.active) else { return Vec::new() };
    let (name, hosts) = (env.spec.name.clone(), env.hosts.len());
    model.say(format!("asking {hosts} {}", if hosts == 1 { "host" } else { "hosts" }));
    vec![AppEffect::Redraw, AppEffect::Refresh(name)]
}

/// Tries again what is in the way: the jump box while it does not answer, else the selected host.
fn retry(model: &mut Model) -> Vec<AppEffect> {
    let Some(env) = model.environments.get(model.active) else { return Vec::new() };
    let name = env.spec.name.clone();
    if !env.jump.link.is_up() {
        let jump = env.jump.name.clone();
        model.say(format!("trying jump box {jump} again"));
        return vec![AppEffect::Retry(name, None)];
    }
    if let Some(why) = model.obstacle(Need::Retry) {
        model.say(why.to_owned());
    }
    let Some(host) = model.screen().kind().host(model) else { return Vec::new() };
    model.say(format!("trying {host} again"));
    vec![AppEffect::Retry(name, Some(host))]
}

/// Goes back to the first jump box: the second stays in use until the login there is made.
fn first_jump(model: &mut Model) -> Vec<AppEffect> {
    if let Some(why) = model.obstacle(Need::SecondJump) {
        model.say(why.to_owned());
        return Vec::new();
    }
    let Some(env) = model.environments.get(model.active) else { return Vec::new() };
    let (name, jump) = (env.spec.name.clone(), env.jump.name.clone());
    model.say(format!("going back to jump box {jump}"));
    vec![AppEffect::Retry(name, None)]
}

fn next_theme(model: &mut Model) -> Vec<AppEffect> {
    if model.themes.is_empty() {
        return Vec::new();
    }
    model.theme = (model.theme + 1) % model.themes.len();
    let Some(name) = model.themes.get(model.theme).cloned() else { return Vec::new() };
    model.say(format!("theme {name}; to keep it: theme = {name:?} in config.toml"));
    vec![AppEffect::UseTheme(name)]
}

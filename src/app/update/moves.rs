//! Moving: rows, pages, screens, environments, drill-down and back.

use crate::app::message::Effect;
use crate::app::model::{Model, Screen};
use crate::app::rows::selection::{select, selected, selected_problem};
use crate::app::rows::{count, role_rows};
use crate::config::action::Action;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::problem::ProblemKind;

/// Up, down, a page, the ends: of whatever lies on top.
pub(super) fn by(model: &mut Model, action: Action) {
    let page = model.page;
    if let Some(at) = model.help {
        model.help = Some(step(action, at, page, usize::from(u16::MAX)));
    } else if matches!(model.screen(), Screen::Plan) {
        if let Some(plan) = &mut model.runs.plan {
            plan.scroll = step(action, plan.scroll, page, usize::from(u16::MAX));
        }
    } else if matches!(model.screen(), Screen::Run(_)) {
        in_run(model, action);
    } else if matches!(model.screen(), Screen::Host(_) | Screen::PastRun(_)) {
        if let Some(env) = model.shown_mut() {
            let at = env.selection.detail_scroll;
            env.selection.detail_scroll = step(action, at, page, usize::from(u16::MAX));
        }
    } else {
        let last = count(model).saturating_sub(1);
        let at = selected(model).unwrap_or(0);
        if select(model, step(action, at, page, last)) {
            choose(model);
        }
    }
}

/// Arrows walk over the steps, pages turn what the step says; the last step is left to follow the run again.
fn in_run(model: &mut Model, action: Action) {
    let Some(run) = model.shown_run() else { return };
    let (last, current) = (run.steps.len().saturating_sub(1), run.current);
    let at = model.shown_step().unwrap_or(0);
    match action {
        Action::PageUp | Action::PageDown => {
            // From what is chosen by itself a page up leads to the end; drawing tells where that is.
            let end = usize::from(u16::MAX);
            let from =
                model.runs.scroll.unwrap_or(if action == Action::PageUp { end + model.page } else { 0 });
            model.runs.scroll = Some(step(action, from, model.page, end));
        }
        Action::Last => (model.runs.step, model.runs.scroll) = (None, None),
        _ => {
            let to = step(action, at, 1, last);
            model.runs.step = (Some(to) != current).then_some(to);
            model.runs.scroll = None;
        }
    }
}

fn choose(model: &mut Model) {
    if matches!(model.screen(), Screen::Fleet | Screen::Replication)
        && let Some(env) = model.shown_mut()
    {
        env.selection.chosen = true;
    }
}

fn step(action: Action, at: usize, page: usize, last: usize) -> usize {
    let to = match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => at.saturating_add(1),
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at.saturating_add(page),
        Action::First => 0,
        Action::Last => last,
        _ => at,
    };
    to.min(last)
}

/// Goes to one of the four main screens; the way back leads to the fleet.
pub(super) fn show(model: &mut Model, screen: Screen) {
    stop_editing(model);
    model.screens = vec![Screen::Fleet];
    if screen != Screen::Fleet {
        model.screens.push(screen);
    }
    from_the_top(model);
}

fn stop_editing(model: &mut Model) {
    if let Some(filter) = model.filter_mut() {
        filter.editing = false;
    }
}

pub(super) fn push(model: &mut Model, screen: Screen) {
    if model.screen() != &screen {
        model.screens.push(screen);
    }
    from_the_top(model);
}

fn from_the_top(model: &mut Model) {
    if let Some(env) = model.shown_mut() {
        env.selection.row = 0;
        env.selection.detail_scroll = 0;
    }
}

fn open_host(model: &mut Model, host: HostName) {
    if let Some(env) = model.shown_mut() {
        env.selection.host = Some(host.clone());
        env.selection.chosen = true;
    }
    push(model, Screen::Host(host));
}

/// Opens what is selected.
pub(super) fn open(model: &mut Model) {
    match model.screen() {
        Screen::Fleet | Screen::Replication => {
            if selected(model).is_some()
                && let Some(host) = selected_host(model)
            {
                open_host(model, host);
            }
        }
        Screen::Roles => open_role(model),
        Screen::Problems => open_problem(model),
        Screen::Host(_)
        | Screen::Runbooks
        | Screen::Plan
        | Screen::Run(_)
        | Screen::PastRuns
        | Screen::PastRun(_) => {}
    }
}

/// A role that one host has leads to that host; one that several have, to the fleet filtered by it.
fn open_role(model: &mut Model) {
    let rows = role_rows(model);
    let Some(role) = selected(model).and_then(|at| rows.get(at).copied()) else { return };
    let mut hosts = role.hosts.iter().chain(&role.unknown);
    match (hosts.next().cloned(), hosts.next()) {
        (None, _) => {
            let notice = format!("no host has the role {}", role.role);
            model.say(notice);
        }
        (Some(host), None) => open_host(model, host),
        (Some(_), Some(_)) => {
            let text = format!("role:{}", role.role);
            push(model, Screen::Fleet);
            if let Some(filter) = model.filter_mut() {
                filter.text.set(&text);
            }
        }
    }
}

/// A problem leads to its host; one of the whole environment to the screen that shows it.
fn open_problem(model: &mut Model) {
    let Some((_, problem)) = selected_problem(model) else { return };
    match (problem.host.clone(), problem.kind) {
        (Some(host), _) => open_host(model, host),
        (None, ProblemKind::RoleCount | ProblemKind::RoleImplies | ProblemKind::RolesDiffer) => {
            push(model, Screen::Roles);
        }
        (
            None,
            ProblemKind::WritableMasters
            | ProblemKind::ServerId
            | ProblemKind::Cluster
            | ProblemKind::Replication
            | ProblemKind::ReplicationLag
            | ProblemKind::ReplicationTls,
        ) => push(model, Screen::Replication),
        (None, _) => model.say("this is about the whole environment, not one host".to_owned()),
    }
}

/// The host that is selected, or shown in full, or that the selected problem is about.
pub(super) fn selected_host(model: &Model) -> Option<HostName> {
    match model.screen() {
        Screen::Host(host) => Some(host.clone()),
        Screen::Fleet | Screen::Replication => model.shown()?.selection.host.clone(),
        Screen::Problems => selected_problem(model)?.1.host.clone(),
        Screen::Roles
        | Screen::Runbooks
        | Screen::Plan
        | Screen::Run(_)
        | Screen::PastRuns
        | Screen::PastRun(_) => None,
    }
}

/// One step back: out of help, out of the filter, down the screens.
pub(super) fn back(model: &mut Model) {
    if model.help.is_some() {
        model.help = None;
        return;
    }
    // A fleet that was opened for a role goes with the filter that it was opened with.
    let opened = *model.screen() == Screen::Fleet && model.screens.len() > 1;
    let filter = model.filter_mut().filter(|filter| !filter.text.is_empty());
    if let Some(filter) = filter {
        filter.text.clear();
        if !opened {
            return;
        }
    }
    if model.screens.len() > 1 {
        model.screens.pop();
    }
}

/// Shows the environment `by` places further on, round the corner if need be.
pub(super) fn switch(model: &mut Model, forward: bool) -> Vec<Effect> {
    let many = model.environments.len();
    if many < 2 {
        return Vec::new();
    }
    switch_to(model, (model.active + if forward { 1 } else { many - 1 }) % many)
}

/// Shows the environment at that place.
pub(super) fn switch_to(model: &mut Model, at: usize) -> Vec<Effect> {
    stop_editing(model);
    model.active = at;
    // A host of the one environment is none of the other, and neither is what a notice tells.
    model.notice = None;
    super::arming::disarm(model, "another environment is shown");
    while matches!(model.screen(), Screen::Host(_) | Screen::Plan | Screen::Run(_) | Screen::PastRun(_)) {
        model.screens.pop();
    }
    if model.screens.is_empty() {
        model.screens.push(Screen::Fleet);
    }
    let mut effects = model.start();
    effects.extend(super::runbooks::list(model));
    effects
}

//! Which row is selected: by what it is, not by where it stands.

use super::{count, fleet_rows, past_rows, problem_rows, replication_rows, role_rows, runbook_rows};
use crate::app::model::{Model, Screen};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::problem::Problem;

/// What a row is, so that it can be found again.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Row {
    Host(HostName),
    Problem(Identity, usize),
    Role(jumpdeck_fleet::names::RoleName),
    Runbook(crate::app::model::Row),
    Past(String),
}

type Identity = (jumpdeck_fleet::problem::ProblemKind, Option<HostName>);

/// The place of the selected row among the rows of the screen on top; `None` when it is not among them.
#[must_use]
pub fn selected(model: &Model) -> Option<usize> {
    let selection = &model.shown()?.selection;
    match model.screen() {
        Screen::Fleet => place(fleet_rows(model).iter().map(|h| &h.id.host), selection.host.as_ref()?),
        Screen::Replication => {
            place(replication_rows(model).iter().map(|h| &h.id.host), selection.host.as_ref()?)
        }
        Screen::Roles => place(role_rows(model).iter().map(|r| &r.role), selection.role.as_ref()?),
        Screen::Problems => selected_problem(model).map(|(at, _)| at),
        Screen::Runbooks => {
            let wanted = selection.runbook.as_ref()?;
            runbook_rows(model).iter().position(|r| r.id() == *wanted)
        }
        Screen::Run(_) => model.shown_step(),
        Screen::PastRuns => place(past_rows(model).iter().map(|r| &r.id), selection.past_run.as_ref()?),
        Screen::Host(_) | Screen::Plan | Screen::PastRun(_) => None,
    }
}

fn place<'a, T: PartialEq + 'a>(mut rows: impl Iterator<Item = &'a T>, wanted: &T) -> Option<usize> {
    rows.position(|row| row == wanted)
}

/// The selected problem, and its place among the problem rows.
#[must_use]
pub fn selected_problem(model: &Model) -> Option<(usize, &Problem)> {
    let selection = &model.shown()?.selection;
    let (kind, host) = selection.problem.as_ref()?;
    problem_rows(model)
        .into_iter()
        .enumerate()
        .filter(|(_, p)| p.kind == *kind && p.host == *host)
        .nth(selection.problem_nth)
}

fn row_at(model: &Model, at: usize) -> Option<Row> {
    match model.screen() {
        Screen::Fleet => fleet_rows(model).get(at).map(|h| Row::Host(h.id.host.clone())),
        Screen::Replication => replication_rows(model).get(at).map(|h| Row::Host(h.id.host.clone())),
        Screen::Roles => role_rows(model).get(at).map(|r| Row::Role(r.role.clone())),
        Screen::Problems => {
            let rows = problem_rows(model);
            let problem = rows.get(at)?;
            let twins = rows.iter().take(at).filter(|p| p.kind == problem.kind && p.host == problem.host);
            Some(Row::Problem((problem.kind, problem.host.clone()), twins.count()))
        }
        Screen::Runbooks => runbook_rows(model).get(at).map(|r| Row::Runbook(r.id())),
        Screen::PastRuns => past_rows(model).get(at).map(|r| Row::Past(r.id.clone())),
        Screen::Host(_) | Screen::Plan | Screen::Run(_) | Screen::PastRun(_) => None,
    }
}

/// Selects the row at that place; the last when there are fewer. Says whether there was one.
pub(in crate::app) fn select(model: &mut Model, at: usize) -> bool {
    let at = at.min(count(model).saturating_sub(1));
    let Some(row) = row_at(model, at) else { return false };
    let Some(env) = model.shown_mut() else { return false };
    let selection = &mut env.selection;
    selection.row = at;
    match row {
        Row::Host(host) => selection.host = Some(host),
        Row::Role(role) => selection.role = Some(role),
        Row::Past(run) => selection.past_run = Some(run),
        Row::Runbook(row) => selection.runbook = Some(row),
        Row::Problem(problem, nth) => {
            selection.problem = Some(problem);
            selection.problem_nth = nth;
        }
    }
    true
}

/// Keeps the selection on what it was on; when that is gone from the rows, takes the neighbour. While nobody has
/// chosen a host, it is the first.
pub(in crate::app) fn reconcile(model: &mut Model) {
    let by_host = matches!(model.screen(), Screen::Fleet | Screen::Replication);
    if by_host && model.shown().is_some_and(|env| !env.selection.chosen) {
        select(model, 0);
        return;
    }
    match selected(model) {
        Some(at) => {
            if let Some(env) = model.shown_mut() {
                env.selection.row = at;
            }
        }
        None => {
            let row = model.shown().map_or(0, |env| env.selection.row);
            select(model, row);
        }
    }
}

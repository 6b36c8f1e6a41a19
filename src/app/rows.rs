//! The rows of each screen: filtered, sorted, and which of them is selected. Every screen and every key goes through
//! here, so that what is drawn and what a key acts on are the same rows.

use std::sync::Arc;

use super::model::runs::is_over;
use super::model::{Filtered, Model, Row, Screen};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::judge::roles::RoleStanding;
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::run::{PastRun, RunBrief, RunView, RunbookEntry};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::topology::tree;

mod filter;
pub mod order;
pub mod selection;
#[cfg(test)]
mod tests;

pub use filter::wrong;

use filter::About;

/// The hosts of the fleet table: filtered, sorted.
#[must_use]
pub fn fleet_rows(model: &Model) -> Vec<&Arc<HostSnapshot>> {
    let Some(env) = model.shown() else { return Vec::new() };
    let terms = filter::of(model, Filtered::Fleet);
    let about = About { env, at: model.now };
    let mut rows: Vec<(&Arc<Host>, &Arc<HostSnapshot>)> = env
        .spec
        .hosts
        .iter()
        .zip(&env.hosts)
        .filter(|(spec, host)| terms.match_host(&about, spec, host))
        .collect();
    order::sort(&mut rows, env, model);
    rows.into_iter().map(|(_, host)| host).collect()
}

/// The problems, worst first, that the filter lets through.
#[must_use]
pub fn problem_rows(model: &Model) -> Vec<&Problem> {
    let Some(env) = model.shown() else { return Vec::new() };
    let terms = filter::of(model, Filtered::Problems);
    env.problems.iter().filter(|p| terms.match_problem(p)).collect()
}

/// The roles that the filter lets through, required ones first.
#[must_use]
pub fn role_rows(model: &Model) -> Vec<&RoleStanding> {
    let Some(env) = model.shown() else { return Vec::new() };
    let terms = filter::of(model, Filtered::Roles);
    env.roles.iter().filter(|r| terms.match_role(r)).collect()
}

/// The past runs that the filter lets through, the newest first.
#[must_use]
pub fn past_rows(model: &Model) -> Vec<&PastRun> {
    let Some(Ok(runs)) = model.runs.past.as_ref().map(|past| &past.runs) else { return Vec::new() };
    let terms = filter::of(model, Filtered::PastRuns);
    runs.iter().filter(|run| terms.match_past(run)).collect()
}

/// The hosts of the replication screen, which is not filtered: a chain with a link left out tells a wrong story.
/// Those that have a database or should, in the order of the tree, each once.
#[must_use]
pub fn replication_rows(model: &Model) -> Vec<&Arc<HostSnapshot>> {
    let Some(env) = model.shown() else { return Vec::new() };
    let mut rows: Vec<&Arc<HostSnapshot>> = Vec::new();
    for host in tree(&env.spec, &env.hosts).iter().filter_map(|branch| branch.server.host()) {
        let row = env.hosts.iter().find(|h| h.id == host.id);
        rows.extend(row.filter(|row| rows.iter().all(|r| r.id != row.id)));
    }
    rows
}

/// A row of the list of runbooks.
#[derive(Debug, Clone, Copy)]
pub enum RunbookRow<'a> {
    /// A run this console has.
    Here(&'a Arc<RunView>),
    /// A run to resume, or to watch.
    Run(&'a RunBrief),
    /// A runbook.
    Runbook(&'a RunbookEntry),
}

impl RunbookRow<'_> {
    /// What it is, so that it can be found again.
    #[must_use]
    pub fn id(&self) -> Row {
        match self {
            Self::Here(run) => Row::Run(run.id.clone()),
            Self::Run(run) => Row::Run(run.id.clone()),
            Self::Runbook(runbook) => Row::Runbook(runbook.name.clone()),
        }
    }
}

/// Runs under way, runs that stand, runs of others, runs that are over, then the runbooks; as the filter lets through.
#[must_use]
pub fn runbook_rows(model: &Model) -> Vec<RunbookRow<'_>> {
    let Some(env) = model.environments.get(model.active) else { return Vec::new() };
    let terms = filter::of(model, Filtered::Runbooks);
    let mut here: Vec<&Arc<RunView>> =
        model.runs.known.iter().rev().filter(|r| r.env == env.spec.name).collect();
    here.sort_by_key(|r| (!r.state.is_under_way(), is_over(&r.state)));
    let over = here.partition_point(|r| !is_over(&r.state));
    let (open, over) = here.split_at(over);
    let mut rows: Vec<RunbookRow<'_>> = open.iter().map(|r| RunbookRow::Here(r)).collect();
    if let Some(listing) = model.listing() {
        let others = listing.runs.iter().filter(|r| here.iter().all(|h| h.id != r.id));
        rows.extend(others.map(RunbookRow::Run));
    }
    rows.extend(over.iter().map(|r| RunbookRow::Here(r)));
    rows.extend(model.listing().into_iter().flat_map(|l| &l.runbooks).map(RunbookRow::Runbook));
    rows.retain(|row| terms.match_runbook(row));
    // The best match first: whoever types a name means that runbook.
    rows.sort_by_key(|row| terms.distance(row));
    rows
}

/// How many rows the screen on top has.
#[must_use]
pub fn count(model: &Model) -> usize {
    match model.screen() {
        Screen::Fleet => fleet_rows(model).len(),
        Screen::Host(_) | Screen::Plan | Screen::PastRun(_) => 0,
        Screen::PastRuns => past_rows(model).len(),
        Screen::Run(_) => model.shown_run().map_or(0, |run| run.steps.len()),
        Screen::Runbooks => runbook_rows(model).len(),
        Screen::Replication => replication_rows(model).len(),
        Screen::Roles => role_rows(model).len(),
        Screen::Problems => problem_rows(model).len(),
    }
}

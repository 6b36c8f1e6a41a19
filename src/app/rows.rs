//! The rows of each screen: filtered, sorted, and which of them is selected. Every screen and every key goes through
//! here, so that what is drawn and what a key acts on are the same rows.

use std::cmp::Ordering;
use std::sync::Arc;

use super::model::runs::is_over;
use super::model::{EnvironmentState, Filtered, Model, Row, Screen, SortColumn};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::judge::roles::RoleStanding;
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::replication::NodeHealth;
use jumpdeck_fleet::run::{PastRun, RunBrief, RunView, RunbookEntry};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::summary::{ReplicationBrief, replication_brief, worst_filesystem};
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::topology::tree;

mod filter;
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
    sort(&mut rows, env, model);
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

fn sort(rows: &mut [(&Arc<Host>, &Arc<HostSnapshot>)], env: &EnvironmentState, model: &Model) {
    let at = model.now;
    let poll = env.spec.cadence.poll;
    // Keys are made so that the first row is the one to look at; equal ones keep the inventory's order.
    let reversed = model.sort.reversed;
    let mut by = |key: &dyn Fn(&Host, &HostSnapshot) -> Key| {
        let mut keyed: Vec<_> = rows.iter().map(|row| (key(row.0, row.1), *row)).collect();
        keyed.sort_by(|(a, _), (b, _)| a.compare(b, reversed));
        for (slot, (_, row)) in rows.iter_mut().zip(keyed) {
            *slot = row;
        }
    };
    match model.sort.by {
        SortColumn::Inventory if reversed => rows.reverse(),
        SortColumn::Inventory => {}
        SortColumn::Host => {
            rows.sort_by(|(a, _), (b, _)| {
                let order = a.id.host.cmp(&b.id.host);
                if reversed { order.reverse() } else { order }
            });
        }
        SortColumn::Severity => by(&|_, host| {
            Key::highest(env.worst.get(&host.id.host).map_or(0.0, |s| f64::from(*s as u8) + 1.0))
        }),
        SortColumn::Roles => {
            rows.sort_by(|(a, _), (b, _)| {
                let order = a.roles.cmp(&b.roles);
                if reversed { order.reverse() } else { order }
            });
        }
        SortColumn::Load => {
            by(&|_, host| host.facts.load.trusted(at, poll).map_or(Key::LAST, |load| Key::highest(load.one)))
        }
        SortColumn::Five => {
            by(&|_, host| host.facts.load.trusted(at, poll).map_or(Key::LAST, |load| Key::highest(load.five)))
        }
        SortColumn::PerCpu => by(&|_, host| {
            let load = host.facts.load.trusted(at, poll);
            load.and_then(|load| load.one_per_cpu()).map_or(Key::LAST, Key::highest)
        }),
        SortColumn::Memory => by(&|_, host| {
            let memory = host.facts.memory.trusted(at, poll);
            memory.and_then(|memory| memory.used_percent()).map_or(Key::LAST, Key::highest)
        }),
        SortColumn::Uptime => by(&|_, host| {
            let uptime = host.facts.uptime.trusted(at, poll);
            uptime.map_or(Key::LAST, |uptime| Key::highest(-uptime.as_secs_f64()))
        }),
        SortColumn::Disk => by(&|_, host| match worst_filesystem(&host.facts).map(|f| &f.usage) {
            None => Key::LAST,
            Some(Err(_)) => Key::FIRST,
            Some(Ok(usage)) => usage.use_percent.map_or(Key::LAST, |p| Key::highest(f64::from(p))),
        }),
        SortColumn::Lag => by(&|spec, host| lag_key(spec, host, at, poll)),
        SortColumn::Age => by(&|_, host| match host.age(at) {
            None => Key::FIRST,
            // Reports that come as they should are of one age: rows stay where they are.
            Some(age) if age <= poll => Key::highest(0.0),
            Some(age) => Key::highest(age.as_secs_f64()),
        }),
    }
}

/// Where a row goes: a group, and within it the highest figure first.
#[derive(Clone, Copy)]
struct Key {
    group: u8,
    figure: f64,
}

impl Key {
    const FIRST: Self = Self { group: 0, figure: 0.0 };
    const LAST: Self = Self { group: 9, figure: 0.0 };

    fn highest(figure: f64) -> Self {
        Self { group: 5, figure }
    }

    /// Hosts without the figure come last, whichever way the others are sorted.
    fn compare(&self, other: &Self, reversed: bool) -> Ordering {
        let last = (self.group == Self::LAST.group).cmp(&(other.group == Self::LAST.group));
        let order = self.group.cmp(&other.group).then_with(|| other.figure.total_cmp(&self.figure));
        last.then(if reversed { order.reverse() } else { order })
    }
}

/// Broken first, then unknown, then the longest lag; masters after replicas; hosts without a database last.
fn lag_key(spec: &Host, host: &HostSnapshot, at: Moment, poll: std::time::Duration) -> Key {
    let group = |group| Key { group, figure: 0.0 };
    let Some(databases) = host.facts.databases.trusted(at, poll) else {
        let concerns = spec.expects_database() || host.facts.databases.last().is_some_and(|d| !d.is_empty());
        return if concerns { group(1) } else { Key::LAST };
    };
    match replication_brief(databases) {
        ReplicationBrief::Broken { .. } => group(0),
        ReplicationBrief::Member { cluster, .. } => match cluster.health {
            NodeHealth::Out => group(0),
            NodeHealth::Unknown => group(1),
            NodeHealth::Behind => group(5),
            NodeHealth::InSync => group(6),
        },
        ReplicationBrief::Unknown(_) | ReplicationBrief::Following { lag_s: None, .. } => group(1),
        #[allow(clippy::cast_precision_loss)] // a lag is far below 2^52 seconds
        ReplicationBrief::Following { lag_s: Some(lag), .. } => Key::highest(lag as f64),
        ReplicationBrief::Master { .. } => group(6),
        ReplicationBrief::Standalone { .. } => group(7),
        ReplicationBrief::None => Key::LAST,
    }
}

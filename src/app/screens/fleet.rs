//! Every host of the environment: filtered, sorted; a row leads to the host.

use std::cmp::Reverse;
use std::sync::Arc;

use super::{Door, Screen, ScreenKind, open_selected, select_host};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::rows::filter::{self, About, Field, TermFigure};
use crate::app::rows::{Words, sorting};
use crate::config::action::{Action, Destination, Need};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::snapshot::HostSnapshot;

mod lines;

pub use lines::{FleetLine, fleet_lines};

pub(super) struct Kind;

/// What its filter may name.
pub static WORDS: Words = Words {
    screen: "fleet",
    example: Some("role:db load>1 !app"),
    fields: &[
        ("host", Field::Host),
        ("name", Field::Host),
        ("role", Field::Role),
        ("roles", Field::Role),
        ("state", Field::State),
        ("severity", Field::State),
        ("env", Field::Env),
        ("level", Field::Env),
        ("os", Field::Os),
        ("addr", Field::Address),
        ("address", Field::Address),
        ("problem", Field::Problem),
    ],
    figures: &[
        ("load", TermFigure::Load),
        ("cpu", TermFigure::PerCpu),
        ("load/cpu", TermFigure::PerCpu),
        ("mem", TermFigure::Memory),
        ("memory", TermFigure::Memory),
        ("disk", TermFigure::Disk),
        ("lag", TermFigure::Lag),
        ("age", TermFigure::Age),
        ("up", TermFigure::Up),
    ],
};

/// The keys of the footer.
const HINTS: &[(Action, &str)] = &[
    (Action::Help, "help"),
    (Action::Quit, "quit"),
    (Action::Filter, "filter"),
    (Action::NextEnvironment, "env"),
    (Action::Palette, "find"),
    (Action::SortNext, "sort"),
    (Action::Open, "open"),
    (Action::Refresh, "refresh"),
    (Action::Pause, "pause"),
    (Action::Mark, "mark"),
    (Action::Logs, "logs"),
    (Action::Processes, "processes"),
    (Action::Shell, "shell"),
    (Action::Fold, "fold"),
    (Action::Columns, "columns"),
    (Action::Export, "export"),
];
/// The same while hosts are marked: what is done with them.
const WITH_MARKS: &[(Action, &str)] = &[
    (Action::Help, "help"),
    (Action::Quit, "quit"),
    (Action::Command, "command"),
    (Action::Logs, "logs"),
    (Action::ClearMarks, "unmark all"),
    (Action::Mark, "mark"),
    (Action::Filter, "filter"),
    (Action::Palette, "find"),
    (Action::SortNext, "sort"),
    (Action::Open, "open"),
];
/// The same while two hosts are chosen.
const TO_COMPARE: &[(Action, &str)] = &[
    (Action::Help, "help"),
    (Action::Quit, "quit"),
    (Action::Compare, "compare"),
    (Action::Command, "command"),
    (Action::Logs, "logs"),
    (Action::Filter, "filter"),
    (Action::NextEnvironment, "env"),
    (Action::Palette, "find"),
    (Action::SortNext, "sort"),
    (Action::Open, "open"),
];

/// The hosts of the fleet table: filtered, sorted.
#[must_use]
pub fn fleet_rows(model: &Model) -> Vec<&Arc<HostSnapshot>> {
    let Some(env) = model.shown() else { return Vec::new() };
    let terms = filter::of(model, &WORDS);
    let about = About { env, at: model.now };
    let mut rows: Vec<(&Arc<Host>, &Arc<HostSnapshot>)> = env
        .spec
        .hosts
        .iter()
        .zip(&env.hosts)
        .filter(|(spec, host)| terms.match_host(&about, spec, host))
        .collect();
    sorting::sort(&mut rows, env, model);
    rows.into_iter().map(|(_, host)| host).collect()
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON THE FLEET"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[
            A::Up,
            A::Down,
            A::Open,
            A::Mark,
            A::MarkAll,
            A::ClearMarks,
            A::Compare,
            A::CompareEnvironments,
            A::Command,
            A::Answers,
            A::Filter,
            A::SortNext,
            A::SortReverse,
            A::Columns,
            A::Fold,
            A::Retry,
            A::Shell,
            A::Power,
            A::Export,
            A::Refresh,
            A::Pause,
        ]
    }

    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        if model.pair().is_ok() {
            TO_COMPARE
        } else if model.marked().is_empty() {
            HINTS
        } else {
            WITH_MARKS
        }
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Fleet
    }

    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Fleet, screen: Screen::Fleet, tab: Some("fleet") })
    }

    fn filter(&self) -> Option<&'static Words> {
        Some(&WORDS)
    }

    fn sorts(&self) -> bool {
        true
    }

    fn rows_are_hosts(&self) -> bool {
        true
    }

    fn hosts<'a>(&self, model: &'a Model) -> Vec<&'a HostName> {
        fleet_rows(model).into_iter().map(|host| &host.id.host).collect()
    }

    fn count(&self, model: &Model) -> usize {
        fleet_lines(model).len()
    }

    /// A folded row stays selected as long as hosts that were in it are still alike.
    fn selected(&self, model: &Model) -> Option<usize> {
        let selection = &model.shown()?.selection;
        let host = selection.host.as_ref()?;
        let lines = fleet_lines(model);
        if !model.folded || !selection.alike.contains(host) {
            return lines.iter().position(|line| line.has(host));
        }
        let shared = |line: &FleetLine<'_>| match line {
            FleetLine::Host(..) => 0,
            FleetLine::Alike(hosts) => {
                hosts.iter().filter(|host| selection.alike.contains(&host.id.host)).count()
            }
        };
        let rows = lines.iter().map(shared).enumerate().filter(|(_, shared)| *shared > 0);
        rows.max_by_key(|(at, shared)| (*shared, Reverse(*at))).map(|(at, _)| at)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let hosts: Vec<HostName> = match fleet_lines(model).get(at) {
            None => return false,
            Some(line) => line.hosts().iter().map(|host| host.id.host.clone()).collect(),
        };
        let is_selected = select_host(model, hosts.first().cloned());
        if let Some(env) = model.shown_mut().filter(|_| hosts.len() > 1) {
            env.selection.alike = hosts;
        }
        is_selected
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        model.shown()?.selection.host.clone().filter(|_| model.folded_row().is_empty())
    }

    fn folds(&self) -> bool {
        true
    }

    fn folded_row(&self, model: &Model) -> Vec<HostName> {
        if !model.folded {
            return Vec::new();
        }
        match self.selected(model).and_then(|at| fleet_lines(model).into_iter().nth(at)) {
            Some(FleetLine::Alike(hosts)) => hosts.iter().map(|host| host.id.host.clone()).collect(),
            Some(FleetLine::Host(..)) | None => Vec::new(),
        }
    }

    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        if let Some(why) = model.obstacle(Need::Selected) {
            model.say(why.to_owned());
            return Vec::new();
        }
        open_selected(model)
    }

    fn opens(&self, model: &Model) -> bool {
        self.selected(model).is_some() && model.folded_row().is_empty()
    }
}

impl Model {
    /// Shows the hosts that have a role. This fleet goes with the filter that it was opened with.
    pub(in crate::app) fn open_hosts_of(&mut self, role: &RoleName) {
        self.push(Screen::Fleet);
        if let Some(filter) = self.filter_mut() {
            filter.text.set(&format!("role:{role}"));
        }
    }
}

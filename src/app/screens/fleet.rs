//! Every host of the environment: filtered, sorted; a row leads to the host.

use std::sync::Arc;

use super::{Door, Screen, ScreenKind, open_selected, place, select_host};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::rows::filter::{self, About, Field, TermFigure};
use crate::app::rows::{Words, sorting};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::snapshot::HostSnapshot;

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
];
/// The same while two hosts are chosen.
const TO_COMPARE: &[(Action, &str)] = &[
    (Action::Help, "help"),
    (Action::Quit, "quit"),
    (Action::Compare, "compare"),
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
            A::Command,
            A::Answers,
            A::Filter,
            A::SortNext,
            A::SortReverse,
            A::Retry,
            A::Shell,
            A::Refresh,
            A::Pause,
        ]
    }

    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        if model.pair().is_ok() { TO_COMPARE } else { HINTS }
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
        fleet_rows(model).len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        let wanted = model.shown()?.selection.host.as_ref()?;
        place(fleet_rows(model).iter().map(|h| &h.id.host), wanted)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let host = fleet_rows(model).get(at).map(|h| h.id.host.clone());
        select_host(model, host)
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        model.shown()?.selection.host.clone()
    }

    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        open_selected(model)
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

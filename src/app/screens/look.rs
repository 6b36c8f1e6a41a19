//! A host's processes, listening ports or mounts, asked for while this is on screen.

use super::{Screen, ScreenKind};
use crate::app::message::AppEffect;
use crate::app::model::look::{LookPlace, LookView};
use crate::app::model::{EnvironmentState, Model};
use crate::app::rows::{LOOK_WORDS, Words};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::HostName;

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON PROCESSES, PORTS AND MOUNTS"
    }

    fn name(&self, screen: &Screen) -> String {
        screen.look().map_or_else(
            || "processes".to_owned(),
            |place| format!("{} of {}", place.kind.word(), place.host),
        )
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[
            A::Up,
            A::Down,
            A::PageUp,
            A::PageDown,
            A::Processes,
            A::Ports,
            A::Mounts,
            A::SortNext,
            A::SortReverse,
            A::Filter,
            A::Pause,
            A::Refresh,
            A::Open,
            A::Back,
        ]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::SortNext, "sort"),
            (Action::Filter, "filter"),
            (Action::Processes, "processes"),
            (Action::Ports, "ports"),
            (Action::Mounts, "mounts"),
            (Action::Pause, "pause"),
            (Action::Refresh, "ask now"),
            (Action::Open, "host"),
        ]
    }

    fn tab(&self) -> Destination {
        Destination::Fleet
    }

    fn filter(&self) -> Option<&'static Words> {
        Some(&LOOK_WORDS)
    }

    fn has_own_order(&self) -> bool {
        true
    }

    fn count(&self, model: &Model) -> usize {
        model.shown_look().map_or(0, |look| look.counts().0)
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        model.shown_look()?.selected_at()
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        model.look.as_mut().is_some_and(|look| look.select_at(at))
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        model.screen().look().map(|place| place.host.clone())
    }

    fn is_of_one_host(&self) -> bool {
        true
    }

    fn opens(&self, model: &Model) -> bool {
        self.host(model).is_some()
    }

    /// The host in full.
    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        if let Some(host) = self.host(model) {
            model.open_host(host);
        }
        Vec::new()
    }

    /// It is asked now.
    fn asks(&self, model: &Model) -> Vec<AppEffect> {
        model.shown_look().map(|_: &LookView| AppEffect::LookAgain).into_iter().collect()
    }

    fn still_holds(&self, screen: &Screen, env: &EnvironmentState) -> bool {
        screen.look().is_none_or(|place| env.place(&place.host).is_some())
    }
}

impl Model {
    /// Shows that.
    pub(in crate::app) fn open_look(&mut self, place: LookPlace) {
        self.push(Screen::Look(place));
    }
}

//! A host's figures over time: load, memory, replication lag, and what its disks have in use.

use super::{Screen, ScreenKind};
use crate::app::model::{EnvironmentState, Model};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::HostName;

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON CHARTS"
    }

    fn name(&self, screen: &Screen) -> String {
        screen.charted().map_or_else(|| "charts".to_owned(), |host| format!("charts of {host}"))
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::PageUp, A::PageDown, A::LongerSpan, A::ShorterSpan, A::Pause, A::Open, A::Back]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::LongerSpan, "longer"),
            (Action::ShorterSpan, "shorter"),
            (Action::Down, "scroll"),
            (Action::Pause, "pause"),
            (Action::Open, "host"),
        ]
    }

    fn tab(&self) -> Destination {
        Destination::Fleet
    }

    fn is_text(&self) -> bool {
        true
    }

    fn scroll<'a>(&self, model: &'a mut Model) -> Option<&'a mut usize> {
        model.shown_mut().map(|env| &mut env.selection.detail_scroll)
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        model.screen().charted().cloned()
    }

    fn opens(&self, model: &Model) -> bool {
        self.host(model).is_some()
    }

    /// The host in full.
    fn open(&self, model: &mut Model) -> Vec<crate::app::message::AppEffect> {
        if let Some(host) = self.host(model) {
            model.open_host(host);
        }
        Vec::new()
    }

    /// The charts of a host that is gone are left.
    fn still_holds(&self, screen: &Screen, env: &EnvironmentState) -> bool {
        screen.charted().is_none_or(|host| env.place(host).is_some())
    }
}

impl Model {
    /// Shows the charts of a host.
    pub(in crate::app) fn open_charts(&mut self, host: HostName) {
        // Those of another host that lie deeper would be of this one's time.
        self.screens.retain(|screen| screen.charted() != Some(&host));
        self.push(Screen::Charts(host));
    }
}

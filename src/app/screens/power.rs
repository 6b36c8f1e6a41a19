//! What the cloud says of a host: its power state, and the end of its console log.

use super::{Screen, ScreenKind};
use crate::app::model::power::PowerLook;
use crate::app::model::{EnvironmentState, Model};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::HostName;

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON A POWER STATE"
    }

    fn name(&self, screen: &Screen) -> String {
        host_of(screen).map_or_else(|| "power state".to_owned(), |host| format!("power state of {host}"))
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::PageUp, A::PageDown, A::Back, A::Refresh, A::Shell]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Refresh, "ask again"),
            (Action::Down, "scroll"),
        ]
    }

    fn tab(&self) -> Destination {
        Destination::Fleet
    }

    fn is_text(&self) -> bool {
        true
    }

    /// What the cloud says is shown as it comes.
    fn may_pause(&self) -> bool {
        false
    }

    fn scroll<'a>(&self, model: &'a mut Model) -> Option<&'a mut usize> {
        model.shown_power()?;
        model.power.as_mut().map(|look| &mut look.scroll)
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        host_of(model.screen()).cloned()
    }

    /// The page of a host that is gone is left.
    fn still_holds(&self, screen: &Screen, env: &EnvironmentState) -> bool {
        host_of(screen).is_none_or(|host| env.place(host).is_some())
    }
}

/// The host whose power state a screen shows.
#[must_use]
pub fn host_of(screen: &Screen) -> Option<&HostName> {
    if let Screen::Power(host) = screen { Some(host) } else { None }
}

impl Model {
    /// What is known of the host on screen.
    #[must_use]
    pub fn shown_power(&self) -> Option<&PowerLook> {
        let host = host_of(self.screen())?;
        let env = &self.environments.get(self.active)?.spec.name;
        self.power.as_ref().filter(|look| look.host == *host && look.env == *env)
    }

    /// Shows the power state of a host.
    pub(in crate::app) fn open_power(&mut self, host: HostName) {
        let screen = Screen::Power(host);
        if self.screen() != &screen {
            self.push(screen);
        }
    }

    /// Whether a power state is on screen.
    #[must_use]
    pub fn shows_power(&self) -> bool {
        host_of(self.screen()).is_some()
    }
}

//! One host in full.

use super::{Screen, ScreenKind};
use crate::app::model::{EnvironmentState, Model};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::snapshot::LinkState;

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON A HOST"
    }

    fn name(&self, screen: &Screen) -> String {
        host_of(screen).map_or_else(|| "host".to_owned(), |host| format!("host {host}"))
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[
            A::Up,
            A::Down,
            A::PageUp,
            A::PageDown,
            A::Acknowledge,
            A::Back,
            A::Mark,
            A::Compare,
            A::Command,
            A::Charts,
            A::Processes,
            A::Ports,
            A::Mounts,
            A::Retry,
            A::Shell,
            A::Power,
            A::Refresh,
        ]
    }

    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        if is_silent(model) {
            &[
                (Action::Help, "help"),
                (Action::Back, "back"),
                (Action::Power, "power state"),
                (Action::Retry, "retry"),
                (Action::Down, "scroll"),
                (Action::NextEnvironment, "env"),
                (Action::Palette, "find"),
                (Action::Refresh, "refresh"),
            ]
        } else {
            &[
                (Action::Help, "help"),
                (Action::Back, "back"),
                (Action::Down, "scroll"),
                (Action::NextEnvironment, "env"),
                (Action::Palette, "find"),
                (Action::Charts, "charts"),
                (Action::Processes, "processes"),
                (Action::Ports, "ports"),
                (Action::Mounts, "mounts"),
                (Action::Logs, "logs"),
                (Action::Shell, "shell"),
                (Action::Retry, "retry"),
                (Action::Refresh, "refresh"),
            ]
        }
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
        host_of(model.screen()).cloned()
    }

    fn problem<'a>(&self, model: &'a Model) -> Option<&'a Problem> {
        let host = host_of(model.screen());
        let env = model.shown()?;
        let own = || env.problems.iter().filter(|problem| problem.host.as_ref() == host);
        // What somebody knows of comes last.
        own().find(|problem| env.acknowledgement(problem).is_none()).or_else(|| own().next())
    }

    fn acknowledges(&self) -> bool {
        true
    }

    /// The page of a host that is gone is left.
    fn still_holds(&self, screen: &Screen, env: &EnvironmentState) -> bool {
        host_of(screen).is_none_or(|host| env.place(host).is_some())
    }
}

/// Whether the host on screen does not answer: what the cloud says of it is what one needs then.
fn is_silent(model: &Model) -> bool {
    let host = host_of(model.screen()).and_then(|name| model.shown()?.host(name));
    host.is_some_and(|(_, host)| match host.link.state {
        LinkState::Unreachable | LinkState::TimedOut | LinkState::NotUsable => true,
        LinkState::Up
        | LinkState::Pending
        | LinkState::NoAlgorithm
        | LinkState::AuthFailed
        | LinkState::HostKeyUnknown
        | LinkState::HostKeyChanged
        | LinkState::HostKeyRefused
        | LinkState::IdentityMismatch => false,
    })
}

/// The host that a screen shows in full.
#[must_use]
pub fn host_of(screen: &Screen) -> Option<&HostName> {
    if let Screen::Host(host) = screen { Some(host) } else { None }
}

impl Model {
    /// Selects a host and shows it in full.
    pub(in crate::app) fn open_host(&mut self, host: HostName) {
        if let Some(env) = self.shown_mut() {
            env.selection.host = Some(host.clone());
            env.selection.alike.clear();
            env.selection.chosen = true;
        }
        self.push(Screen::Host(host));
    }
}

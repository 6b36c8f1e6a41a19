//! Two environments side by side: where they differ, what is unknown, their figures, where they are alike.

use super::{Screen, ScreenKind};
use crate::app::message::AppEffect;
use crate::app::model::{EnvironmentState, Model};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::EnvName;

pub(super) struct Kind;

/// Two environments: the one that is shown, and another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentPair {
    /// The one that is shown, at the left.
    pub shown: EnvName,
    /// The one at the right.
    pub other: EnvName,
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON TWO ENVIRONMENTS"
    }

    fn name(&self, screen: &Screen) -> String {
        environments_of(screen)
            .map_or_else(|| "comparison".to_owned(), |pair| format!("{} beside {}", pair.shown, pair.other))
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::PageUp, A::PageDown, A::CompareEnvironments, A::Back, A::Refresh, A::Pause]
    }

    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        const TWO: &[(Action, &str)] = &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Down, "scroll"),
            (Action::PageDown, "page"),
            (Action::Refresh, "refresh"),
        ];
        const MORE: &[(Action, &str)] = &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::CompareEnvironments, "the next one"),
            (Action::Down, "scroll"),
            (Action::PageDown, "page"),
            (Action::Refresh, "refresh"),
        ];
        if model.environments.len() > 2 { MORE } else { TWO }
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

    /// The other one is asked as well: only then is anything known of it.
    fn asks(&self, model: &Model) -> Vec<AppEffect> {
        let Some(pair) = environments_of(model.screen()) else { return Vec::new() };
        vec![AppEffect::Activate(pair.other.clone()), AppEffect::Refresh(pair.other.clone())]
    }

    /// The other one may be gone; the screen then says so.
    fn still_holds(&self, screen: &Screen, env: &EnvironmentState) -> bool {
        environments_of(screen).is_none_or(|pair| pair.shown == env.spec.name)
    }
}

/// The environments that a screen compares.
#[must_use]
pub fn environments_of(screen: &Screen) -> Option<&EnvironmentPair> {
    if let Screen::CompareEnvironments(pair) = screen { Some(pair) } else { None }
}

impl Model {
    /// The environment that is shown and the one after it; where two are compared already, the one after the other.
    ///
    /// # Errors
    /// What is in the way.
    pub(in crate::app) fn environment_pair(&self) -> Result<EnvironmentPair, &'static str> {
        const ONE: &str = "this is the only environment: there is none to compare it with";
        let before = environments_of(self.screen()).map(|pair| &pair.other);
        let place = |name: &EnvName| self.environments.iter().position(|env| env.spec.name == *name);
        let from = before.and_then(place).unwrap_or(self.active);
        let many = self.environments.len();
        let next = (1..=many).map(|by| (from + by) % many).find(|at| *at != self.active).ok_or(ONE)?;
        let name = |at: usize| self.environments.get(at).map(|env| env.spec.name.clone()).ok_or(ONE);
        let pair = EnvironmentPair { shown: name(self.active)?, other: name(next)? };
        if before == Some(&pair.other) {
            return Err("there are only these two environments");
        }
        Ok(pair)
    }

    /// Shows two environments side by side.
    pub(in crate::app) fn open_environments(&mut self, pair: EnvironmentPair) -> Vec<AppEffect> {
        // Another one is compared in the same place: one step back leads out.
        if environments_of(self.screen()).is_some() {
            self.screens.pop();
        }
        self.push(Screen::CompareEnvironments(pair));
        self.screen().kind().asks(self)
    }

    /// Whether news of an environment shows beside the one that is shown.
    pub(in crate::app) fn is_beside(&self, name: &EnvName) -> bool {
        environments_of(self.screen()).is_some_and(|pair| pair.other == *name)
    }
}

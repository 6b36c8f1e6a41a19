//! Two hosts side by side: where they differ, what is unknown, their figures, where they are alike.

use super::{Screen, ScreenKind};
use crate::app::model::{EnvironmentState, Model};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::HostName;

pub(super) struct Kind;

/// Two hosts of the environment, in the inventory's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPair {
    /// The one at the left.
    pub left: HostName,
    /// The one at the right.
    pub right: HostName,
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON A COMPARISON"
    }

    fn name(&self, screen: &Screen) -> String {
        pair_of(screen)
            .map_or_else(|| "comparison".to_owned(), |pair| format!("{} beside {}", pair.left, pair.right))
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::PageUp, A::PageDown, A::Back, A::Refresh]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Down, "scroll"),
            (Action::PageDown, "page"),
            (Action::Refresh, "refresh"),
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

    /// Another screen follows when one of the two is gone.
    fn still_holds(&self, screen: &Screen, env: &EnvironmentState) -> bool {
        pair_of(screen)
            .is_none_or(|pair| [&pair.left, &pair.right].iter().all(|host| env.place(host).is_some()))
    }
}

/// The hosts that a screen compares.
#[must_use]
pub fn pair_of(screen: &Screen) -> Option<&HostPair> {
    if let Screen::Compare(pair) = screen { Some(pair) } else { None }
}

impl Model {
    /// The two hosts that would be compared now: those that are marked, or the marked one and the one that is seen.
    ///
    /// # Errors
    /// What is in the way.
    pub(in crate::app) fn pair(&self) -> Result<HostPair, &'static str> {
        const TWO: &str = "mark two hosts, or mark one and select another";
        let pair = match self.marked().as_slice() {
            [one, other] => [(*one).clone(), (*other).clone()],
            [one] => match self.markable() {
                Some(other) if other != **one => [(*one).clone(), other],
                Some(_) | None => return Err(TWO),
            },
            [] => return Err(TWO),
            [_, _, ..] => return Err("more than two hosts are marked: two can be compared"),
        };
        let env = self.environments.get(self.active).ok_or(TWO)?;
        let places = pair.clone().map(|host| env.place(&host));
        let [Some(first), Some(second)] = places else {
            return Err("one of the two is not in the inventory");
        };
        let [one, other] = pair;
        let (left, right) = if first <= second { (one, other) } else { (other, one) };
        Ok(HostPair { left, right })
    }

    /// Shows two hosts side by side.
    pub(in crate::app) fn open_comparison(&mut self, pair: HostPair) {
        self.push(Screen::Compare(pair));
    }
}

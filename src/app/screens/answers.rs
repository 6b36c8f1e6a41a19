//! The answers to the last command of the environment: groups of hosts that answered the same, and what one of them printed.

use super::{Screen, ScreenKind, step};
use crate::app::model::Model;
use crate::app::model::commands::LastCommand;
use crate::config::action::{Action, Destination};

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON ANSWERS"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::PageUp, A::PageDown, A::StopRun, A::Back]
    }

    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        if model.is_command_shown_under_way() {
            &[
                (Action::Help, "help"),
                (Action::Back, "back"),
                (Action::StopRun, "ask no more hosts"),
                (Action::Down, "group"),
                (Action::PageDown, "output"),
            ]
        } else {
            &[
                (Action::Help, "help"),
                (Action::Back, "back"),
                (Action::Down, "group"),
                (Action::PageDown, "output"),
            ]
        }
    }

    fn tab(&self) -> Destination {
        Destination::Fleet
    }

    fn is_text(&self) -> bool {
        true
    }

    /// What hosts answer is shown as it comes.
    fn may_pause(&self) -> bool {
        false
    }

    fn count(&self, model: &Model) -> usize {
        model.last_command().map_or(0, LastCommand::rows)
    }

    fn scroll<'a>(&self, model: &'a mut Model) -> Option<&'a mut usize> {
        model.last_command_mut().map(|last| &mut last.scroll)
    }

    /// Arrows walk over the groups, pages turn what one of them printed.
    fn go(&self, model: &mut Model, action: Action) {
        let page = model.page;
        let Some(last) = model.last_command_mut() else { return };
        if matches!(action, Action::PageUp | Action::PageDown) {
            last.scroll = step(action, last.scroll, page, usize::from(u16::MAX));
        } else {
            let to = step(action, last.place(), 1, last.rows().saturating_sub(1));
            if to != last.place() {
                last.choose(to);
            }
        }
    }
}

impl Model {
    /// Shows the answers to the last command.
    pub(in crate::app) fn open_answers(&mut self) {
        if !self.shows_answers() {
            self.push(Screen::Answers);
        }
    }

    /// Whether answers are on screen.
    #[must_use]
    pub fn shows_answers(&self) -> bool {
        self.screen() == &Screen::Answers
    }

    /// Whether answers are on screen, and hosts are still being asked.
    #[must_use]
    pub fn is_command_shown_under_way(&self) -> bool {
        self.shows_answers() && self.last_command().is_some_and(|last| last.view.is_under_way())
    }
}

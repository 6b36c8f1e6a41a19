//! The report of a past run: only to read.

use super::{Screen, ScreenKind, ShownRun};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::config::action::{Action, Destination};

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON A PAST RUN"
    }

    fn name(&self, screen: &Screen) -> String {
        if let Screen::PastRun(run) = screen { format!("past run {run}") } else { "past run".to_owned() }
    }

    fn run_of<'a>(&self, screen: &'a Screen) -> Option<ShownRun<'a>> {
        if let Screen::PastRun(run) = screen { Some(ShownRun::Past(run)) } else { None }
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::PageUp, A::PageDown, A::Back]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Down, "scroll"),
            (Action::PageDown, "page"),
        ]
    }

    fn tab(&self) -> Destination {
        Destination::Runbooks
    }

    fn is_text(&self) -> bool {
        true
    }

    fn scroll<'a>(&self, model: &'a mut Model) -> Option<&'a mut usize> {
        model.shown_mut().map(|env| &mut env.selection.detail_scroll)
    }
}

impl Model {
    /// The past run whose report is on screen.
    #[must_use]
    pub fn shown_past_run(&self) -> Option<&str> {
        if let Screen::PastRun(run) = self.screen() { Some(run) } else { None }
    }

    /// Opens the report of a past run.
    pub(in crate::app) fn open_past_run(&mut self, run: String) -> Vec<AppEffect> {
        self.push(Screen::PastRun(run.clone()));
        vec![AppEffect::ReadPastRun(run)]
    }
}

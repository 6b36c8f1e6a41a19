//! The maintenance session of the environment: who takes part, what happened, the newest last.

use super::{Door, Screen, ScreenKind};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::maintenance::SessionRow;

pub(super) struct Kind;

/// What happened in the session, the oldest first.
#[must_use]
pub fn session_rows(model: &Model) -> &[SessionRow] {
    model.session().map_or(&[], |seen| seen.session.story.as_slice())
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON THE SESSION"
    }

    fn name(&self, _: &Screen) -> String {
        "maintenance session".to_owned()
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::Open, A::SessionNote, A::SessionHandOver, A::SessionEnd, A::Back]
    }

    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        match model.session() {
            None => &[
                (Action::Help, "help"),
                (Action::Back, "back"),
                (Action::Open, "start"),
                (Action::NextEnvironment, "env"),
            ],
            Some(seen) if !seen.takes_part => &[
                (Action::Help, "help"),
                (Action::Back, "back"),
                (Action::Open, "join"),
                (Action::NextEnvironment, "env"),
            ],
            Some(_) => &[
                (Action::Help, "help"),
                (Action::Back, "back"),
                (Action::SessionNote, "note"),
                (Action::Open, "open"),
                (Action::SessionHandOver, "hand over"),
                (Action::SessionEnd, "end"),
                (Action::NextEnvironment, "env"),
            ],
        }
    }

    fn tab(&self) -> Destination {
        Destination::Problems
    }

    /// It has no tab, as the events.
    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Session, screen: Screen::Session, tab: None })
    }

    fn behind(&self) -> Option<Screen> {
        Some(Screen::ROOT)
    }

    fn is_view(&self) -> bool {
        false
    }

    /// Others write into it, and its end must be seen.
    fn may_pause(&self) -> bool {
        false
    }

    fn count(&self, model: &Model) -> usize {
        session_rows(model).len()
    }

    /// Without a choice, the newest.
    fn selected(&self, model: &Model) -> Option<usize> {
        let rows = session_rows(model);
        let chosen = model.shown().and_then(|env| env.selection.session.as_ref());
        let at = chosen.and_then(|chosen| {
            rows.iter().position(|row| (row.at, &row.who, row.mark) == (chosen.0, &chosen.1, chosen.2))
        });
        at.or(rows.len().checked_sub(1))
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let rows = session_rows(model);
        // At the end it stays at the end.
        let chosen = (at + 1 < rows.len()).then(|| rows.get(at)).flatten();
        let chosen = chosen.map(|row| (row.at, row.who.clone(), row.mark));
        let is_there = at < rows.len();
        if let Some(env) = model.shown_mut().filter(|_| is_there) {
            env.selection.session = chosen;
        }
        is_there
    }

    fn opens(&self, _: &Model) -> bool {
        true
    }

    /// Starts or joins a session; in one's own, opens the run that the row is about.
    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let to_confirm = model.session().is_some_and(|seen| seen.leads_when_joined);
        if model.own_session().is_none() || to_confirm {
            return model.start_or_join_session();
        }
        let at = self.selected(model);
        let run = at.and_then(|at| session_rows(model).get(at)?.run.clone());
        match run {
            Some(run) => model.open_run_of_session(run),
            None => {
                model.say("this row is not about a run".to_owned());
                Vec::new()
            }
        }
    }
}

impl Model {
    /// Opens a run that a session names: one of this console as it is, another operator's to watch, one that is over as its report.
    fn open_run_of_session(&mut self, run: String) -> Vec<AppEffect> {
        if self.runs.known.iter().any(|known| known.id == run) {
            self.show_run(run);
            return Vec::new();
        }
        let told = self.session().and_then(|seen| seen.session.runs.iter().find(|one| one.run == run));
        if told.is_some_and(|told| told.says.is_some()) {
            return self.open_past_run(run);
        }
        self.say(format!("looking for {run}"));
        self.runs.opening = Some(run.clone());
        vec![AppEffect::WatchRun(run)]
    }
}

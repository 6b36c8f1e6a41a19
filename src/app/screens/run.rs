//! A run: its steps, what the one looked at does, and what it asks.

use std::sync::Arc;

use super::{Screen, ScreenKind, ShownRun, step};
use crate::app::message::AppEffect;
use crate::app::model::runs::Dialog;
use crate::app::model::{LibraryRow, Model};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::run::{Mode, RunState, RunView};

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON A RUN"
    }

    fn name(&self, screen: &Screen) -> String {
        if let Screen::Run(run) = screen { format!("run {run}") } else { "run".to_owned() }
    }

    fn run_of<'a>(&self, screen: &'a Screen) -> Option<ShownRun<'a>> {
        if let Screen::Run(run) = screen { Some(ShownRun::Live(run)) } else { None }
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[
            A::Up,
            A::Down,
            A::Last,
            A::PageUp,
            A::PageDown,
            A::StopRun,
            A::Rollback,
            A::Note,
            A::Arm,
            A::Open,
            A::Back,
        ]
    }

    /// What a person may do with the run.
    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        match model.shown_run() {
            Some(run) if !run.watching && run.state.is_under_way() => &[
                (Action::Help, "help"),
                (Action::StopRun, "stop"),
                (Action::Note, "note"),
                (Action::Rollback, "roll back"),
                (Action::PageDown, "more"),
                (Action::Arm, "arm"),
                (Action::Back, "back"),
            ],
            Some(run) if !run.watching && matches!(run.state, RunState::Stopped(_)) => &[
                (Action::Help, "help"),
                (Action::Open, "resume"),
                (Action::Arm, "arm"),
                (Action::Back, "back"),
            ],
            Some(_) | None => &[(Action::Help, "help"), (Action::PageDown, "more"), (Action::Back, "back")],
        }
    }

    fn tab(&self) -> Destination {
        Destination::Runbooks
    }

    fn is_text(&self) -> bool {
        true
    }

    fn may_pause(&self) -> bool {
        false
    }

    fn count(&self, model: &Model) -> usize {
        model.shown_run().map_or(0, |run| run.steps.len())
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        model.shown_step()
    }

    fn scroll<'a>(&self, model: &'a mut Model) -> Option<&'a mut usize> {
        model.runs.scroll.as_mut()
    }

    /// Arrows walk over the steps, pages turn what the step says; the last step is left to follow the run again.
    fn go(&self, model: &mut Model, action: Action) {
        let Some(run) = model.shown_run() else { return };
        let (last, current) = (run.steps.len().saturating_sub(1), run.current);
        let at = model.shown_step().unwrap_or(0);
        match action {
            Action::PageUp | Action::PageDown => {
                // From what is chosen by itself a page up leads to the end; drawing tells where that is.
                let end = usize::from(u16::MAX);
                let from =
                    model.runs.scroll.unwrap_or(if action == Action::PageUp { end + model.page } else { 0 });
                model.runs.scroll = Some(step(action, from, model.page, end));
            }
            Action::Last => (model.runs.step, model.runs.scroll) = (None, None),
            _ => {
                let to = step(action, at, 1, last);
                model.runs.step = (Some(to) != current).then_some(to);
                model.runs.scroll = None;
            }
        }
    }

    fn opens(&self, model: &Model) -> bool {
        model.shown_run().is_some_and(|run| !run.watching && matches!(run.state, RunState::Stopped(_)))
    }

    /// A run that stands goes on.
    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        if !self.opens(model) {
            return Vec::new();
        }
        let Some(run) = model.shown_run() else { return Vec::new() };
        let (id, mode) = (run.id.clone(), run.mode);
        model.resume_run(id, mode)
    }
}

impl Model {
    /// The run on screen.
    #[must_use]
    pub fn shown_run(&self) -> Option<&Arc<RunView>> {
        if let Screen::Run(id) = self.screen() { self.run(id) } else { None }
    }

    /// Whether that run is on screen, also when nothing is known of it yet.
    pub(in crate::app) fn shows_run(&self, run: &str) -> bool {
        matches!(self.screen(), Screen::Run(id) if id == run)
    }

    /// Shows a run from its current step.
    pub(in crate::app) fn show_run(&mut self, id: String) {
        if let Some(env) = self.environments.get_mut(self.active) {
            env.selection.runbook = Some(LibraryRow::Run(id.clone()));
        }
        (self.runs.step, self.runs.scroll) = (None, None);
        self.push(Screen::Run(id));
    }

    /// Lets a run go on that stands; one that changes anything, only where changes may be made.
    pub(in crate::app) fn resume_run(&mut self, id: String, mode: Mode) -> Vec<AppEffect> {
        let Some(env) = self.shown_name() else { return Vec::new() };
        if let Some(why) = self.no_runs() {
            self.runs.dialogs.push(Dialog::Refused(vec![why.into()]));
            return Vec::new();
        }
        if mode == Mode::Live && !self.is_armed(&env) {
            self.ask_arming(format!("resume {id}"));
            return Vec::new();
        }
        self.say(format!("resuming {id}"));
        self.runs.opening = Some(id.clone());
        vec![AppEffect::ResumeRun(id)]
    }
}

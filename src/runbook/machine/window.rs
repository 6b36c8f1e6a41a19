//! Windows. A window is *open* from its first intent until its point of no return is done, or all of its steps are. While it is
//! open, anything but a step that is done makes it fail. Then what was begun in it is undone before anything else: what stopped
//! writes first, and nobody is asked. Its point of no return is never undone: when nobody knows whether it was done, it is looked
//! for, and in the end a person decides.

use std::sync::Arc;

use super::next::{LOOK, NextOrBlocked};
use super::{
    Decision, Event, Impossible, Machine, Next, Phase, PlannedStep, StepId, StepRef, StepStatus, Task, Undo,
};
use crate::runbook::definition::Writes;
use crate::runbook::event::Way;
use crate::runbook::plan::Window;

/// So often it is looked for by itself whether a point of no return, or what is behind it, was done; then a person is asked.
pub(super) const LOOKS: u32 = 3;
/// So often an undo is tried by itself; then a person is asked.
const TRIES_BACK: u32 = 30;

/// How a window stands that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stands {
    /// It was opened; why it must fail, when something happened besides its steps.
    Opened(Option<String>),
    /// It failed: why.
    Failed(String),
}

impl Machine {
    /// The window that is open: nobody may be asked anything.
    #[must_use]
    pub fn open_window(&self) -> Option<&Arc<Window>> {
        self.windows_that(|stands| matches!(stands, Stands::Opened(_))).find(|window| !self.is_closed(window))
    }

    /// The window that failed and is being undone, and why it failed.
    #[must_use]
    pub fn backing_out(&self) -> Option<(&Arc<Window>, &str)> {
        let failed = self.windows_that(|stands| matches!(stands, Stands::Failed(_)));
        let window = failed.into_iter().find(|window| !self.left_to_undo(&window.id).is_empty())?;
        match self.windows.get(&window.id)? {
            Stands::Failed(why) => Some((window, why)),
            Stands::Opened(_) => None,
        }
    }

    /// Whether a window is being undone, and what stopped writes in it could not be undone at the first try.
    #[must_use]
    pub fn is_freeze_kept(&self) -> bool {
        let Some((window, _)) = self.backing_out() else { return false };
        let stops = |at: &StepRef<'_>| at.step().writes == Some(Writes::Stop);
        self.in_window(&window.id)
            .filter(stops)
            .any(|at| at.record().tries_back > 0 && at.record().status != StepStatus::Undone)
    }

    /// Whether a step is the first one of a window that is not open yet: the window's facts are proved right before it.
    #[must_use]
    pub fn opens_window(&self, planned: &PlannedStep) -> bool {
        let Some(window) = &planned.window else { return false };
        let begun = |at: StepRef<'_>| {
            at.record().status.is_settled() && !matches!(at.record().status, StepStatus::Skipped(_))
        };
        !self.windows.contains_key(&window.id) && !self.in_window(&window.id).any(begun)
    }

    /// Whether a step is behind the point of no return of its window, which is done: it goes on without anybody, as agreed.
    #[must_use]
    pub fn is_behind_return(&self, planned: &PlannedStep) -> bool {
        let Some(window) = &planned.window else { return false };
        let opened = matches!(self.windows.get(&window.id), Some(Stands::Opened(_)));
        let mut before = self.in_window(&window.id).take_while(|at| at.planned().position < planned.position);
        opened && before.any(|at| at.step().point_of_no_return && at.record().status == StepStatus::Done)
    }

    fn windows_that(&self, stands: impl Fn(&Stands) -> bool) -> impl Iterator<Item = &Arc<Window>> {
        let first =
            move |id: &StepId| self.steps.iter().filter_map(|(p, _)| p.window.as_ref()).find(|w| w.id == *id);
        self.windows.iter().filter(move |(_, how)| stands(how)).filter_map(move |(id, _)| first(id))
    }

    fn in_window<'m>(&'m self, id: &'m StepId) -> impl DoubleEndedIterator<Item = StepRef<'m>> {
        self.steps().filter(move |at| at.planned().window.as_ref().is_some_and(|window| window.id == *id))
    }

    /// Whether nothing in it can be undone any more, or nothing is left to do.
    fn is_closed(&self, window: &Window) -> bool {
        let passed = |at: StepRef<'_>| at.step().point_of_no_return && at.record().status == StepStatus::Done;
        self.in_window(&window.id).any(passed)
            || self.in_window(&window.id).all(|at| at.record().status.is_settled())
    }

    /// What was begun in a window and is to be undone: what stopped writes first, then the others, the last first.
    fn left_to_undo(&self, id: &StepId) -> Vec<StepRef<'_>> {
        let mut left: Vec<StepRef<'_>> = self
            .steps()
            .rev()
            .filter(|at| at.planned().window.as_ref().is_some_and(|window| window.id == *id))
            .filter(|at| at.record().touched && matches!(at.step().undo, Undo::By { .. }))
            .filter(|at| match &at.record().status {
                StepStatus::Undone | StepStatus::Skipped(_) | StepStatus::Printed => false,
                // Whoever said that it was not done may err, and writes must run.
                StepStatus::NotDone => at.step().writes == Some(Writes::Stop),
                StepStatus::Waiting
                | StepStatus::Open(_)
                | StepStatus::Done
                | StepStatus::Failed(_)
                | StepStatus::Unknown(_)
                | StepStatus::UndoFailed(_)
                | StepStatus::UndoUnknown(_) => true,
            })
            .collect();
        left.sort_by_key(|at| at.step().writes != Some(Writes::Stop));
        left
    }

    /// What comes next because of a window; before everything else.
    pub(super) fn next_of_windows(&self) -> NextOrBlocked<Option<Next>> {
        if self.dry_run {
            return Ok(None);
        }
        for (id, stands) in &self.windows {
            let Some(window) = self.in_window(id).find_map(|at| at.planned().window.as_ref()) else {
                continue;
            };
            let next = match stands {
                Stands::Opened(_) if self.is_closed(window) => None,
                Stands::Opened(broken) => self.next_of_open(window, broken.as_deref())?,
                Stands::Failed(why) => self.next_of_failed(window, why)?,
            };
            if next.is_some() {
                return Ok(next);
            }
        }
        Ok(None)
    }

    /// Of an open window: whether it must fail.
    fn next_of_open(&self, window: &Arc<Window>, broken: Option<&str>) -> NextOrBlocked<Option<Next>> {
        if let Some(at) =
            self.in_window(&window.id).find(|at| at.step().point_of_no_return && at.record().touched)
            && let Some(next) = self.next_of_return(at)?
        {
            return Ok(Some(next));
        }
        if let Some(why) = broken {
            return Ok(Some(failed(window, why.to_owned())));
        }
        for at in self.in_window(&window.id) {
            let why = match &at.record().status {
                StepStatus::Waiting
                | StepStatus::Done
                | StepStatus::Printed
                | StepStatus::Skipped(_)
                | StepStatus::Undone => {
                    continue;
                }
                StepStatus::Open(_) => "it was cut off, and its outcome is unknown",
                StepStatus::NotDone => "it was started, but was not done",
                StepStatus::Failed(why)
                | StepStatus::Unknown(why)
                | StepStatus::UndoFailed(why)
                | StepStatus::UndoUnknown(why) => why,
            };
            return Ok(Some(failed(window, format!("{}: {why}", at.id()))));
        }
        Ok(self.leaving.as_ref().map(|_| failed(window, "the run was left".to_owned())))
    }

    /// Of a point of no return that was begun: it is looked for until it is known whether it was done.
    fn next_of_return(&self, at: StepRef<'_>) -> NextOrBlocked<Option<Next>> {
        let record = at.record();
        let why = match &record.status {
            StepStatus::Done | StepStatus::Printed | StepStatus::Skipped(_) | StepStatus::NotDone => {
                return Ok(None);
            }
            StepStatus::Failed(why) | StepStatus::Unknown(why) => why.clone(),
            StepStatus::Open(_) | StepStatus::Waiting => "it was cut off".to_owned(),
            StepStatus::Undone | StepStatus::UndoFailed(_) | StepStatus::UndoUnknown(_) => {
                return Err(at.impossible("a point of no return was undone"));
            }
        };
        match record.looks < LOOKS {
            true => self.look(at).map(Some),
            false => Ok(Some(self.decide_on(at, why, true, &LOOK))),
        }
    }

    /// Of a window that failed: what is undone next, and in the end what a person decides.
    fn next_of_failed(&self, window: &Arc<Window>, why: &str) -> NextOrBlocked<Option<Next>> {
        if let Some(at) = self.left_to_undo(&window.id).first() {
            return self.next_back_out(*at).map(Some);
        }
        let Some(first) = self.in_window(&window.id).next().filter(|_| self.leaving.is_none()) else {
            return Ok(None);
        };
        let mut ways = vec![Way::Retry];
        if !self.undoable().is_empty() {
            ways.push(Way::Rollback);
        }
        ways.extend([Way::Stop, Way::Abandon]);
        let (step, why) = (first.planned().clone(), why.to_owned());
        Ok(Some(Next::Decide(Decision { step, why, unknown: false, ways, window: Some(window.clone()) })))
    }

    /// A step of a failed window is undone, whatever is known of it: its undo is right in every case.
    fn next_back_out(&self, at: StepRef<'_>) -> NextOrBlocked<Next> {
        let record = at.record();
        let asked = record.tries_back >= TRIES_BACK;
        let people = |why: &str, unknown, ways: &[Way]| {
            let ways = [ways, &[Way::Stop, Way::Abandon]].concat();
            let (step, why) = (at.planned().clone(), why.to_owned());
            Ok(Next::Decide(Decision { step, why, unknown, ways, window: None }))
        };
        let (phase, attempt) = match &record.status {
            StepStatus::UndoFailed(why) if asked => return people(why, false, &[Way::Retry, Way::WasDone]),
            StepStatus::UndoUnknown(why) if asked => return people(why, true, &LOOK),
            StepStatus::Unknown(why) if asked => return people(why, true, &[Way::Look]),
            StepStatus::Open(Phase::Undo | Phase::UndoProbe) | StepStatus::UndoUnknown(_) => {
                (Phase::UndoProbe, record.undos)
            }
            StepStatus::Waiting
            | StepStatus::Open(Phase::Run | Phase::Probe)
            | StepStatus::Done
            | StepStatus::Printed
            | StepStatus::NotDone
            | StepStatus::Failed(_)
            | StepStatus::Unknown(_)
            | StepStatus::Skipped(_)
            | StepStatus::Undone
            | StepStatus::UndoFailed(_) => (Phase::Undo, record.undos + 1),
        };
        let places = self.undo_places(at)?;
        Ok(Next::Do(Task { step: at.planned().clone(), phase, attempt, places, confirm: false }))
    }

    /// In an open window nobody is asked: what would ask makes it fail.
    pub(super) fn unasked(&self, next: Next) -> Next {
        let Some(window) = self.open_window() else { return next };
        match next {
            Next::Decide(decision) => failed(window, format!("{}: {}", decision.step.id, decision.why)),
            Next::Do(task) if task.confirm => {
                failed(window, format!("{} was not confirmed before the window", task.step.id))
            }
            Next::Do(_) | Next::Record(_) | Next::Ended(_) => next,
        }
    }

    /// Something was begun in a window.
    pub(super) fn open_window_of(&mut self, window: Option<StepId>) {
        if let Some(id) = window {
            self.windows.entry(id).or_insert(Stands::Opened(None));
        }
    }

    /// Something happened that no open window survives.
    pub(super) fn break_windows(&mut self, why: &str) {
        let Some(id) = self.open_window().map(|window| window.id.clone()) else { return };
        if let Some(Stands::Opened(broken)) = self.windows.get_mut(&id) {
            broken.get_or_insert_with(|| why.to_owned());
        }
    }

    pub(super) fn fail_window(&mut self, id: &StepId, why: &str) -> Result<(), Impossible> {
        if self.in_window(id).next().is_none() {
            return Err(Impossible::UnknownStep(id.clone()));
        }
        self.windows.insert(id.clone(), Stands::Failed(why.to_owned()));
        for (_, record) in self.steps.iter_mut().filter(|(planned, _)| is_in(planned, id)) {
            record.tries_back = 0;
        }
        Ok(())
    }

    /// Whether trying a step again is to try its window again, which failed and is undone.
    pub(super) fn is_retry_of_window(&self, step: &StepId) -> Result<bool, Impossible> {
        let Some(window) = &self.find(step)?.planned().window else { return Ok(false) };
        let failed = matches!(self.windows.get(&window.id), Some(Stands::Failed(_)));
        Ok(failed && self.left_to_undo(&window.id).is_empty())
    }

    /// All of a window is to be done again: nothing of it is in effect.
    pub(super) fn retry_window(&mut self, step: &StepId) -> Result<(), Impossible> {
        let Some(window) = self.find(step)?.planned().window.clone() else { return Ok(()) };
        self.windows.remove(&window.id);
        for (_, record) in self.steps.iter_mut().filter(|(planned, _)| is_in(planned, &window.id)) {
            record.status = StepStatus::Waiting;
            record.hosts.clear();
            record.touched_on.clear();
            (record.touched, record.looks, record.tries_back) = (false, 0, 0);
        }
        Ok(())
    }
}

fn is_in(planned: &PlannedStep, id: &StepId) -> bool {
    planned.window.as_ref().is_some_and(|window| window.id == *id)
}

fn failed(window: &Window, reason: String) -> Next {
    Next::Record(Event::WindowFailed { window: window.id.clone(), reason })
}

//! What comes next.

use std::sync::Arc;

use super::{
    Confirming, Effect, Ending, Event, Impossible, Leaving, Machine, OnFail, Phase, PlannedStep, StepRef,
    StepStatus, Verdict,
};
use crate::runbook::event::Way;
use crate::runbook::place::{Place, Places};
use crate::runbook::plan::Window;
use crate::runbook::scope::ScopeError;
use jumpdeck_fleet::names::HostName;

use super::window::LOOKS;

/// What comes next in a run.
#[derive(Debug, Clone)]
pub enum Next {
    /// Something follows from what is known: to be written down.
    Record(Event),
    /// Something is to be done.
    Do(Task),
    /// A person decides.
    Decide(Decision),
    /// It is over.
    Ended(Ending),
}

/// Something to be done.
#[derive(Debug, Clone)]
pub struct Task {
    /// The step.
    pub step: Arc<PlannedStep>,
    /// What for.
    pub phase: Phase,
    /// From 1.
    pub attempt: u32,
    /// Where it is to be done: on no host, or on at least one.
    pub places: Places,
    /// Whether a person is asked right before.
    pub confirm: bool,
}

/// A step that waits for a person's decision, and how it may go on.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The step.
    pub step: Arc<PlannedStep>,
    /// What happened.
    pub why: String,
    /// Whether nobody knows if it was done.
    pub unknown: bool,
    /// The ways on, the safest first.
    pub ways: Vec<Way>,
    /// The window that failed and was undone, when it is about that and not about the step alone.
    pub window: Option<Arc<Window>>,
}

/// What comes next, or what cannot be.
pub(super) type NextOrBlocked<T> = Result<T, Impossible>;

pub(super) const LOOK: [Way; 3] = [Way::Look, Way::WasDone, Way::WasNotDone];

impl Machine {
    /// What comes next.
    ///
    /// # Errors
    /// When the run is in a state that cannot be: it must stop.
    pub fn next(&self) -> NextOrBlocked<Next> {
        if let Some(ended) = &self.ended {
            return Ok(Next::Ended(ended.clone()));
        }
        if let Some(next) = self.next_of_windows()? {
            return Ok(next);
        }
        match &self.leaving {
            Some(Leaving::Back(_)) => return self.next_back(),
            Some(Leaving::Abandon(reason)) => {
                let ending = Ending::Abandoned(reason.clone());
                return Ok(self.closing()?.unwrap_or(Next::Ended(ending)));
            }
            None => {}
        }
        for step in self.steps() {
            if let Some(next) = self.next_of(step)? {
                return Ok(self.unasked(next));
            }
        }
        Ok(Next::Ended(Ending::Finished))
    }

    /// What comes next of a step; `None` when the run goes on behind it.
    fn next_of(&self, at: StepRef<'_>) -> NextOrBlocked<Option<Next>> {
        Ok(match &at.record().status {
            StepStatus::Done | StepStatus::Printed | StepStatus::Skipped(_) | StepStatus::Undone => None,
            StepStatus::Waiting => Some(self.begin(at)?),
            StepStatus::Open(_) => Some(self.look(at)?),
            StepStatus::Failed(why) => match self.failed(at, why) {
                // A dry run reports everything that a live one would stop at.
                Next::Decide(_) if self.dry_run => None,
                next => Some(next),
            },
            // Behind the promotion writes are refused until the rest is done: what was agreed to goes on by itself.
            StepStatus::NotDone if self.is_behind_return(at.planned()) && at.record().attempts < 3 => {
                Some(self.begin(at)?)
            }
            StepStatus::Unknown(_) if self.is_behind_return(at.planned()) && at.record().looks < LOOKS => {
                Some(self.look(at)?)
            }
            StepStatus::NotDone => {
                let why = format!("step {} was started, but was not done", at.id());
                Some(self.decide_on(at, why, false, &[Way::Retry]))
            }
            StepStatus::Unknown(why) => Some(self.decide_on(at, why.clone(), true, &LOOK)),
            // Of the closing steps: what could not be undone is not done anew.
            StepStatus::UndoFailed(_) | StepStatus::UndoUnknown(_) => None,
        })
    }

    fn begin(&self, at: StepRef<'_>) -> NextOrBlocked<Next> {
        let (record, planned) = (at.record(), at.planned());
        let skipped = |reason: String| Ok(Next::Record(Event::Skipped { step: planned.id.clone(), reason }));
        if let Some(why) = self.cannot_tell(planned) {
            return Ok(self.decide_on(at, why, false, &[Way::Skip]));
        }
        if let Some(reason) = self.left_out(planned) {
            return skipped(reason);
        }
        if self.dry_run
            && let Some(reason) = self.rests_on_unknown(planned)
        {
            return skipped(reason);
        }
        let places = match at.hosts() {
            Ok(None) => Places::nowhere(),
            Ok(Some(hosts)) if hosts.is_empty() => return skipped("no host left".to_owned()),
            // Of a change that was done on some hosts, those are not touched again.
            Ok(Some(hosts)) => not_done(at, hosts)
                .ok_or_else(|| at.impossible("every host reports it as done, but the step is not"))?,
            // The step that brings the host was left out.
            Err(error @ ScopeError::Unknown(_)) => return skipped(error.to_string()),
            Err(error @ ScopeError::NotKept(..)) => {
                return Ok(self.decide_on(at, error.to_string(), false, &[Way::Skip]));
            }
            Err(error) => return Err(at.impossible(&error.to_string())),
        };
        // A session that was held and is opened again was agreed to; whoever tries a window again agrees to all of it.
        let agreed = planned.step.kind.keeps_session().is_some() || planned.window.is_some();
        let confirm = match &planned.step.confirm {
            Confirming::No => false,
            Confirming::Asked => !(agreed && record.attempts > 0),
            // What covers it may have been left out, or this is another attempt than the one that was agreed to.
            Confirming::CoveredBy(id) => (record.attempts > 0 && !agreed) || !self.is_done_near(planned, id),
        };
        let (step, attempt) = (planned.clone(), record.attempts + 1);
        Ok(Next::Do(Task { step, phase: Phase::Run, attempt, places, confirm }))
    }

    /// Whether the confirmation of that id was given: in the same batch, or outside of all batches.
    fn is_done_near(&self, planned: &PlannedStep, id: &str) -> bool {
        let near = format!("{}{id}", planned.id.prefix());
        self.steps().any(|step| {
            (*step.id() == near.as_str() || *step.id() == id) && step.record().status == StepStatus::Done
        })
    }

    /// A step was begun, and how it went is not known: it is looked for, never done again blindly. What changes nothing
    /// is done again.
    pub(super) fn look(&self, at: StepRef<'_>) -> NextOrBlocked<Next> {
        let planned = at.planned();
        // A value that a person saw only a person knows.
        if !Self::changes(planned) || planned.step.kind.only_people_know() {
            return self.begin(at);
        }
        let places = match at.hosts().map_err(|error| at.impossible(&error.to_string()))? {
            None => Places::nowhere(),
            Some(hosts) => match not_done(at, hosts) {
                Some(places) => places,
                None => {
                    let why = format!("no host left to ask whether {} was done", at.id());
                    return Ok(self.decide_on(at, why, true, &LOOK));
                }
            },
        };
        let (step, attempt) = (planned.clone(), at.record().attempts);
        Ok(Next::Do(Task { step, phase: Phase::Probe, attempt, places, confirm: false }))
    }

    fn failed(&self, at: StepRef<'_>, why: &str) -> Next {
        let planned = at.planned();
        let failed = at.record().hosts.iter().filter(|(_, v)| matches!(v, Verdict::Failed(_)));
        let bad: Vec<&HostName> = failed.filter_map(|(place, _)| place.host()).collect();
        // A batch may lose so many hosts by itself; more than that is a person's decision.
        if let Some(host) = bad.first()
            && self.excluded.len() + bad.len() <= planned.max_failures
        {
            let reason = format!("{why} (the step allows up to {} failed hosts)", planned.max_failures);
            return Next::Record(Event::Excluded { host: (*host).clone(), step: planned.id.clone(), reason });
        }
        let more: &[Way] = match &planned.step.on_fail {
            OnFail::Stop => &[],
            OnFail::Rollback if !self.undoable().is_empty() => {
                let mut next = self.decide_on(at, why.to_owned(), false, &[Way::Retry]);
                if let Next::Decide(decision) = &mut next {
                    decision.ways.retain(|w| *w != Way::Rollback);
                    decision.ways.insert(0, Way::Rollback);
                }
                return next;
            }
            OnFail::Rollback => &[],
            OnFail::Skip(_) => &[Way::Skip],
            OnFail::Exclude(_) => &[Way::Exclude],
        };
        self.decide_on(at, why.to_owned(), false, &[&[Way::Retry], more].concat())
    }

    pub(super) fn decide_on(&self, at: StepRef<'_>, why: String, unknown: bool, ways: &[Way]) -> Next {
        let mut ways = ways.to_vec();
        if self.leaving.is_none() && !self.undoable().is_empty() && !unknown {
            ways.push(Way::Rollback);
        }
        ways.push(Way::Stop);
        ways.push(Way::Abandon);
        Next::Decide(Decision { step: at.planned().clone(), why, unknown, ways, window: None })
    }

    /// What comes next on the way back.
    fn next_back(&self) -> NextOrBlocked<Next> {
        if let Some(at) = self.undoable().first() {
            return match self.next_reading()? {
                Some(reading) => Ok(reading),
                None => self.next_undo(*at),
            };
        }
        Ok(self.closing()?.unwrap_or(Next::Ended(Ending::RolledBack)))
    }

    /// The next reading of a value that was not kept. An undo or a closing step may use it, and may print it: nothing hides
    /// a secret that is not known. A reading that fails is left to a person.
    fn next_reading(&self) -> NextOrBlocked<Option<Next>> {
        let read = self.steps().filter(|at| at.step().effect == Effect::Read);
        for at in read.filter(|at| self.not_kept.iter().any(|value| value.step == *at.id())) {
            if let StepStatus::Failed(why) = &at.record().status {
                return Ok(Some(self.decide_on(at, why.clone(), false, &[Way::Retry, Way::Skip])));
            }
            if let Some(next) = self.next_of(at)? {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    /// What comes next of a step that is to be undone.
    fn next_undo(&self, at: StepRef<'_>) -> NextOrBlocked<Next> {
        let record = at.record();
        let (phase, attempt) = match &record.status {
            // First it must be known whether there is anything to take back.
            StepStatus::Open(Phase::Run | Phase::Probe) => return self.look(at),
            StepStatus::Unknown(why) => return Ok(self.decide_on(at, why.clone(), true, &LOOK)),
            StepStatus::UndoFailed(why) => {
                return Ok(self.decide_on(at, why.clone(), false, &[Way::Retry, Way::WasDone]));
            }
            StepStatus::UndoUnknown(why) => return Ok(self.decide_on(at, why.clone(), true, &LOOK)),
            StepStatus::Open(Phase::Undo | Phase::UndoProbe) => (Phase::UndoProbe, record.undos),
            StepStatus::Waiting | StepStatus::Done | StepStatus::Printed | StepStatus::Failed(_) => {
                (Phase::Undo, record.undos + 1)
            }
            StepStatus::NotDone | StepStatus::Skipped(_) | StepStatus::Undone => {
                return Err(at.impossible("it should be undone, but there is nothing to undo"));
            }
        };
        let places = self.undo_places(at)?;
        Ok(Next::Do(Task { step: at.planned().clone(), phase, attempt, places, confirm: false }))
    }

    /// Where a step is undone: on every host it was begun on, those that were left out since too.
    pub(super) fn undo_places(&self, at: StepRef<'_>) -> NextOrBlocked<Places> {
        if let Some(places) = Places::hosts_of(at.record().touched_on.iter().cloned()) {
            return Ok(places);
        }
        match at.hosts().map_err(|error| at.impossible(&error.to_string()))? {
            None => Ok(Places::nowhere()),
            Some(hosts) => Places::hosts_of(hosts)
                .ok_or_else(|| at.impossible("it was started, but no host is left to undo it on")),
        }
    }

    /// The next of the steps that are done even after a failure.
    fn closing(&self) -> NextOrBlocked<Option<Next>> {
        if !self.steps().any(|step| step.record().touched) {
            return Ok(None);
        }
        for step in self.steps().filter(|step| step.step().always) {
            if let Some(next) = self.next_of(step)? {
                return Ok(Some(self.next_reading()?.unwrap_or(next)));
            }
        }
        Ok(None)
    }
}

/// The hosts a step is not known to be done on; of one that changes nothing, all of them.
fn not_done(at: StepRef<'_>, hosts: Vec<HostName>) -> Option<Places> {
    let all = !Machine::changes(at.planned());
    let done = |host: &HostName| at.record().hosts.get(&Place::from(host)) == Some(&Verdict::Done);
    Places::hosts_of(hosts.into_iter().filter(|host| all || !done(host)))
}

//! The step machine: events in, what comes next out. Pure: no clock, no I/O; what it knows after a crash is
//! what the journal tells. A state that cannot be is an error of its own: it stops the run, and never counts
//! as done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Asks, Effect};

use super::definition::{Confirming, OnFail, Undo};
use super::event::{Ending, Event, OperatorAnswer, Phase, Verdict, Way};
use super::ids::{RunId, StepId};
use super::judge;
use super::place::Place;
use super::plan::{Plan, PlannedStep};
use super::scope::{Captured, NotKept, Scope, ScopeError};
use super::uses;
use super::value::{Value, ValueKind};

mod apply;
mod next;
mod step;
mod window;

pub use next::{Decision, Next, Task};
pub use step::{Impossible, StepRef};
use window::Stands;

/// The state of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepStatus {
    /// Not done yet, or to be done again.
    Waiting,
    /// Begun; how it went is not known (yet).
    Open(Phase),
    /// Done and proved.
    Done,
    /// Printed only (dry run).
    Printed,
    /// It was begun, and was looked for: it was not done.
    NotDone,
    /// It failed: why.
    Failed(String),
    /// Nobody knows: what to look at.
    Unknown(String),
    /// Left out: why.
    Skipped(String),
    /// Taken back.
    Undone,
    /// Could not be taken back: why.
    UndoFailed(String),
    /// Nobody knows whether it was taken back: what to look at.
    UndoUnknown(String),
}

impl StepStatus {
    /// Whether the run goes on behind it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Done | Self::Printed | Self::Skipped(_) | Self::Undone)
    }
}

/// What is known of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// Its state.
    pub status: StepStatus,
    /// How it went, place by place, the last time. Hosts that were left out since are not here.
    pub hosts: BTreeMap<Place, Verdict>,
    /// The hosts it was begun on, those that were left out since too: what a rollback undoes.
    pub touched_on: BTreeSet<HostName>,
    /// What was about to be done the last time, by place.
    pub commands: BTreeMap<Place, String>,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it was begun to be taken back.
    pub undos: u32,
    /// Whether it was begun at all: what is not begun needs no taking back.
    pub touched: bool,
    /// Values of it that were not written, as they hold a secret.
    pub withheld: BTreeSet<String>,
    /// How often it was looked for since it was begun.
    pub looks: u32,
    /// How often it was tried to undo it since its window failed.
    pub tries_back: u32,
    /// Whether the operator skipped it.
    pub skipped_by_operator: bool,
}

/// How a run is being left before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Leaving {
    /// Step by step, back to the last safe point: why.
    Back(String),
    /// As it is, but for the closing steps: why.
    Abandon(String),
}

/// A run's state.
#[derive(Debug, Clone)]
pub struct Machine {
    plan: Arc<Plan>,
    /// The run's id.
    pub run: RunId,
    /// Who began it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// The day it began.
    pub today: String,
    /// Whether changes are only printed.
    pub dry_run: bool,
    steps: Vec<(Arc<PlannedStep>, StepRecord)>,
    captured: Captured,
    not_kept: Vec<NotKept>,
    excluded: BTreeMap<HostName, String>,
    /// The windows that were opened, and how each stands.
    windows: BTreeMap<StepId, Stands>,
    leaving: Option<Leaving>,
    ended: Option<Ending>,
}

impl Machine {
    /// A run that has not begun. `today` is the day its `started` entry was written, `20261121`.
    #[must_use]
    pub fn new(plan: Arc<Plan>, run: &RunId, who: &str, reason: &str, today: &str, dry_run: bool) -> Self {
        let fresh = StepRecord {
            status: StepStatus::Waiting,
            hosts: BTreeMap::new(),
            touched_on: BTreeSet::new(),
            commands: BTreeMap::new(),
            attempts: 0,
            undos: 0,
            touched: false,
            withheld: BTreeSet::new(),
            looks: 0,
            tries_back: 0,
            skipped_by_operator: false,
        };
        Self {
            steps: plan.steps.iter().map(|planned| (planned.clone(), fresh.clone())).collect(),
            plan,
            run: run.clone(),
            who: who.to_owned(),
            reason: reason.to_owned(),
            today: today.to_owned(),
            dry_run,
            captured: Captured::new(),
            not_kept: Vec::new(),
            excluded: BTreeMap::new(),
            windows: BTreeMap::new(),
            leaving: None,
            ended: None,
        }
    }

    /// Its plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = StepRef<'_>> + ExactSizeIterator {
        self.steps.iter().map(|(planned, record)| StepRef::new(self, planned, record))
    }

    /// A step of its plan.
    ///
    /// # Errors
    /// When it is of another plan.
    pub fn step(&self, planned: &PlannedStep) -> Result<StepRef<'_>, Impossible> {
        let found = self.steps().nth(planned.position).filter(|step| *step.id() == planned.id);
        found.ok_or_else(|| Impossible::UnknownStep(planned.id.clone()))
    }

    /// The step with that id.
    ///
    /// # Errors
    /// When the plan has none.
    pub fn find(&self, id: &StepId) -> Result<StepRef<'_>, Impossible> {
        self.steps().find(|step| step.id() == id).ok_or_else(|| Impossible::UnknownStep(id.clone()))
    }

    /// What was captured.
    #[must_use]
    pub fn captured(&self) -> &Captured {
        &self.captured
    }

    /// Whether a secret that an earlier process had is not known: what hosts print could show it.
    #[must_use]
    pub fn lacks_a_secret(&self) -> bool {
        self.not_kept.iter().any(|value| value.secret)
    }

    /// Hosts that are left out, and why.
    #[must_use]
    pub fn excluded(&self) -> &BTreeMap<HostName, String> {
        &self.excluded
    }

    /// Why it is being taken back, when it is.
    #[must_use]
    pub fn rolling_back(&self) -> Option<&str> {
        match &self.leaving {
            Some(Leaving::Back(reason)) => Some(reason),
            Some(Leaving::Abandon(_)) | None => None,
        }
    }

    /// How it ended, when it has.
    #[must_use]
    pub fn ended(&self) -> Option<&Ending> {
        self.ended.as_ref()
    }

    /// A value that must not be kept: known to this process only.
    pub fn keep_secret(&mut self, name: &str, place: Place, value: Value) {
        self.captured.entry(name.to_owned()).or_default().insert(place, value);
    }

    /// A captured or typed value that holds a secret: used like any other, shown without the secret, and known to this
    /// process only.
    ///
    /// # Errors
    /// When the plan has no such step, or the value is not one of it.
    pub fn keep_hidden(
        &mut self,
        step: &StepId,
        name: &str,
        place: Place,
        text: &str,
        shown: &str,
    ) -> Result<(), Impossible> {
        let at = self.find(step)?;
        let kind = kind_of(at.planned(), name);
        let kind = kind.ok_or_else(|| at.impossible(&format!("it does not capture {name}")))?;
        let value = Value::new(kind, text).map_err(|error| at.impossible(&format!("{name}: {error}")))?;
        self.keep_secret(name, place, value.hiding(shown));
        Ok(())
    }

    /// Whether a change was only printed so far: what is read after it may be different in a live run.
    #[must_use]
    pub fn has_printed(&self) -> bool {
        self.steps().any(|step| {
            let changes = step.step().effect != Effect::Read || step.step().kind.entry().asks == Asks::Work;
            step.record().status == StepStatus::Printed && changes
        })
    }

    /// What a step rests on that a dry run does not know, as the step before that would have told it did not.
    fn rests_on_unknown(&self, planned: &PlannedStep) -> Option<String> {
        let uses = uses::names(&planned.step);
        self.steps().take(planned.position).rev().find_map(|before| {
            let (name, _) = kinds(before.planned())
                .into_iter()
                .find(|(name, _)| uses.contains(name.as_str()) && !self.captured.contains_key(name))?;
            Some(format!("it depends on {{{name}}}, which step {} did not read", before.id()))
        })
    }

    /// Calls with the place of a step, to look variables up from.
    pub fn at<T>(
        &self,
        planned: &PlannedStep,
        host: Option<&HostName>,
        look: impl FnOnce(Scope<'_>) -> T,
    ) -> T {
        look(Scope {
            plan: &self.plan,
            captured: &self.captured,
            not_kept: &self.not_kept,
            excluded: &self.excluded,
            run: self.run.as_str(),
            reason: &self.reason,
            today: &self.today,
            operator: &self.who,
            step: planned,
            host,
        })
    }

    /// The hosts a step runs on: `None` for no host at all, an empty list when none is left.
    ///
    /// # Errors
    /// When what it says of its hosts means nothing, or no host.
    pub fn hosts(&self, planned: &PlannedStep) -> Result<Option<Vec<HostName>>, ScopeError> {
        self.at(planned, None, |scope| scope.hosts(&planned.step.on))
    }

    /// Whether a step changes something that stays.
    fn changes(planned: &PlannedStep) -> bool {
        planned.step.effect != Effect::Read && planned.step.kind.keeps_session().is_none()
    }

    /// The steps a rollback would take back, the last first. It never goes past a point of no return, nor a safe point.
    #[must_use]
    pub fn undoable(&self) -> Vec<StepRef<'_>> {
        let mut steps = Vec::new();
        for at in self.steps().rev() {
            let (record, step) = (at.record(), at.step());
            let begun =
                record.touched && !matches!(record.status, StepStatus::Skipped(_) | StepStatus::NotDone);
            if begun && step.point_of_no_return {
                break;
            }
            if step.safe_point && record.status == StepStatus::Done {
                break;
            }
            if begun && record.status != StepStatus::Undone && matches!(step.undo, Undo::By { .. }) {
                steps.push(at);
            }
        }
        steps
    }

    /// Whether the point of no return was passed, or may have been.
    #[must_use]
    pub fn is_past_return(&self) -> bool {
        self.steps().any(|at| {
            at.step().point_of_no_return
                && at.record().touched
                && !matches!(at.record().status, StepStatus::NotDone | StepStatus::Skipped(_))
        })
    }

    /// Why it is not known whether a step is to be done: a condition rests on a value that was not kept.
    fn cannot_tell(&self, planned: &PlannedStep) -> Option<String> {
        let branches = planned.under.iter().flat_map(|(_, branch)| &branch.when);
        let mut conditions = planned.step.when.iter().chain(branches);
        self.at(planned, None, |scope| {
            let gone = conditions.find_map(|condition| {
                judge::condition(condition, &scope).err().filter(|e| matches!(e, ScopeError::NotKept(..)))
            });
            gone.map(|error| error.to_string())
        })
    }

    /// What keeps a step from being done at all: a condition that does not hold.
    fn left_out(&self, planned: &PlannedStep) -> Option<String> {
        self.at(planned, None, |scope| {
            for (wanted, branch) in &planned.under {
                let all = branch.when.iter().all(|c| judge::condition(c, &scope).unwrap_or(false));
                if all != *wanted {
                    let failing = branch.when.iter().find(|c| !judge::condition(c, &scope).unwrap_or(false));
                    return Some(match (wanted, failing) {
                        (true, Some(condition)) => judge::unmet(condition, &scope),
                        (true, None) | (false, _) => format!("branch {} went the other way", branch.id),
                    });
                }
            }
            for condition in &planned.step.when {
                match judge::condition(condition, &scope) {
                    Ok(true) => {}
                    Ok(false) => return Some(judge::unmet(condition, &scope)),
                    Err(error) => return Some(error.to_string()),
                }
            }
            None
        })
    }
}

/// The kind of a variable a step gives a value to.
fn kind_of(planned: &PlannedStep, name: &str) -> Option<ValueKind> {
    kinds(planned).into_iter().find(|(n, _)| n == name).map(|(_, kind)| kind)
}

/// The variables a step gives values to, and their kinds.
fn kinds(planned: &PlannedStep) -> Vec<(String, ValueKind)> {
    let mut kinds: Vec<(String, ValueKind)> =
        planned.step.capture.iter().map(|c| (c.name.clone(), c.kind)).collect();
    kinds.extend(planned.step.kind.brings().map(|brings| (brings.name.to_owned(), brings.kind)));
    kinds
}

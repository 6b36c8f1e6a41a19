//! The step machine: events in, what comes next out. Pure: no clock, no I/O; what it knows after a crash is what the
//! journal tells. Imports `event`, `judge`, `plan`, `scope`, `spec`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::run::Effect;

use super::event::{Ending, Event, Phase, Verdict};
use super::judge;
use super::plan::{Plan, PlannedStep};
use super::scope::{Captured, Scope};
use super::spec::{Act, Confirming, OnFail, Undo};
use super::uses;
use super::value::{Value, ValueKind};

mod apply;
mod next;

pub use next::{Decision, Doing, Next, Way};

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
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

impl Status {
    /// Whether the run goes on behind it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Done | Self::Printed | Self::Skipped(_) | Self::Undone)
    }
}

/// What is known of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// How it stands.
    pub status: Status,
    /// How it went by host, the last time.
    pub hosts: BTreeMap<String, Verdict>,
    /// What was about to be done the last time, by host.
    pub commands: BTreeMap<String, String>,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it was begun to be taken back.
    pub undos: u32,
    /// Whether it was begun at all: what is not begun needs no taking back.
    pub touched: bool,
    /// Whether a value of it was not written, as it holds a secret.
    pub withheld: bool,
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
    pub run: String,
    /// Who began it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// The day it began.
    pub today: String,
    /// Whether changes are only printed.
    pub dry_run: bool,
    records: Vec<Record>,
    captured: Captured,
    excluded: BTreeMap<String, String>,
    leaving: Option<Leaving>,
    ended: Option<Ending>,
}

impl Machine {
    /// A run that has not begun. `today` is the day its `started` entry was written, `20261121`.
    #[must_use]
    pub fn new(plan: Arc<Plan>, run: &str, who: &str, reason: &str, today: &str, dry_run: bool) -> Self {
        let fresh = Record {
            status: Status::Waiting,
            hosts: BTreeMap::new(),
            commands: BTreeMap::new(),
            attempts: 0,
            undos: 0,
            touched: false,
            withheld: false,
        };
        Self {
            records: vec![fresh; plan.steps.len()],
            plan,
            run: run.to_owned(),
            who: who.to_owned(),
            reason: reason.to_owned(),
            today: today.to_owned(),
            dry_run,
            captured: Captured::new(),
            excluded: BTreeMap::new(),
            leaving: None,
            ended: None,
        }
    }

    /// Its plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// What is known of each step.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// What was captured.
    #[must_use]
    pub fn captured(&self) -> &Captured {
        &self.captured
    }

    /// Hosts that are left out, and why.
    #[must_use]
    pub fn excluded(&self) -> &BTreeMap<String, String> {
        &self.excluded
    }

    /// Why it is being taken back, when it is.
    #[must_use]
    pub fn rolling_back(&self) -> Option<&str> {
        match &self.leaving {
            Some(Leaving::Back(reason)) => Some(reason),
            _ => None,
        }
    }

    /// How it ended, when it has.
    #[must_use]
    pub fn ended(&self) -> Option<&Ending> {
        self.ended.as_ref()
    }

    /// A value that must not be kept: known to this process only.
    pub fn keep_secret(&mut self, name: &str, host: &str, value: Value) {
        self.captured.entry(name.to_owned()).or_default().insert(host.to_owned(), value);
    }

    /// A captured or typed value that holds a secret: used like any other, shown without the secret, and known to this
    /// process only.
    pub fn keep_hidden(&mut self, step: &str, name: &str, host: &str, text: &str, shown: &str) {
        let kind = self.plan.index(step).and_then(|i| self.plan.steps.get(i)).and_then(|p| kind_of(p, name));
        // It fitted when it came.
        if let Ok(value) = Value::new(kind.unwrap_or(ValueKind::Lines), text) {
            self.keep_secret(name, host, value.hiding(shown));
        }
    }

    /// Whether a change was only printed so far: what is read after it may be different in a live run.
    #[must_use]
    pub fn has_printed(&self) -> bool {
        self.records.iter().zip(&self.plan.steps).any(|(record, planned)| {
            let changes =
                planned.step.effect != Effect::Read || matches!(planned.step.act, Act::Manual { .. });
            record.status == Status::Printed && changes
        })
    }

    /// What a step rests on that a dry run does not know, as the step before that would have told it did not.
    fn rests_on_unknown(&self, index: usize) -> Option<String> {
        let uses = uses::names(&self.plan.steps.get(index)?.step);
        let before = self.plan.steps.iter().take(index);
        before.rev().find_map(|planned| {
            let (name, _) = kinds(planned)
                .into_iter()
                .find(|(name, _)| uses.contains(name.as_str()) && !self.captured.contains_key(name))?;
            Some(format!("it rests on {{{name}}}, which {} would have told", planned.id))
        })
    }

    /// Calls with the place of a step, to look variables up from.
    pub fn at<T>(&self, step: usize, host: Option<&str>, look: impl FnOnce(Scope<'_>) -> T) -> Option<T> {
        let planned = self.plan.steps.get(step)?;
        let excluded: BTreeSet<String> = self.excluded.keys().cloned().collect();
        Some(look(Scope {
            plan: &self.plan,
            captured: &self.captured,
            excluded: &excluded,
            run: &self.run,
            reason: &self.reason,
            today: &self.today,
            step: planned,
            host,
        }))
    }

    /// The hosts a step runs on; `None` for none at all.
    #[must_use]
    pub fn hosts(&self, step: usize) -> Option<Vec<String>> {
        let on = &self.plan.steps.get(step)?.step.on;
        self.at(step, None, |scope| scope.hosts(on)).flatten()
    }

    /// Whether a step changes something that stays.
    fn changes(planned: &PlannedStep) -> bool {
        planned.step.effect != Effect::Read && !matches!(planned.step.act, Act::Hold { .. })
    }

    /// The steps a rollback would take back, the last first. It never goes past a point of no return, nor a safe point.
    #[must_use]
    pub fn undoable(&self) -> Vec<usize> {
        let mut steps = Vec::new();
        for (index, (record, planned)) in self.records.iter().zip(&self.plan.steps).enumerate().rev() {
            let begun = record.touched && !matches!(record.status, Status::Skipped(_) | Status::NotDone);
            if begun && planned.step.point_of_no_return {
                break;
            }
            if planned.step.safe_point && record.status == Status::Done {
                break;
            }
            if begun && record.status != Status::Undone && matches!(planned.step.undo, Undo::By { .. }) {
                steps.push(index);
            }
        }
        steps
    }

    /// Whether the point of no return was passed, or may have been.
    #[must_use]
    pub fn is_past_return(&self) -> bool {
        self.records.iter().zip(&self.plan.steps).any(|(record, planned)| {
            planned.step.point_of_no_return
                && record.touched
                && !matches!(record.status, Status::NotDone | Status::Skipped(_))
        })
    }

    /// Whether a condition keeps a step from being done, as far as is known now.
    #[must_use]
    pub fn is_left_out(&self, index: usize) -> bool {
        self.left_out(index).is_some()
    }

    /// The hosts a step failed on.
    #[must_use]
    pub fn failed_hosts(&self, index: usize) -> Vec<String> {
        let hosts = self.records.get(index).map(|r| &r.hosts).into_iter().flatten();
        let bad =
            hosts.filter(|(h, v)| !h.is_empty() && matches!(v, Verdict::Failed(_) | Verdict::Unknown(_)));
        bad.map(|(h, _)| h.clone()).collect()
    }

    /// What keeps a step from being done at all: a condition that does not hold.
    fn left_out(&self, index: usize) -> Option<String> {
        let planned = self.plan.steps.get(index)?;
        self.at(index, None, |scope| {
            for (wanted, branch) in &planned.under {
                let all = branch.when.iter().all(|c| judge::condition(c, &scope).unwrap_or(false));
                if all != *wanted {
                    let failing = branch.when.iter().find(|c| !judge::condition(c, &scope).unwrap_or(false));
                    return Some(match (wanted, failing) {
                        (true, Some(condition)) => judge::told(condition, &scope),
                        _ => format!("the other branch of {} was taken", branch.id),
                    });
                }
            }
            for condition in &planned.step.when {
                match judge::condition(condition, &scope) {
                    Ok(true) => {}
                    Ok(false) => return Some(judge::told(condition, &scope)),
                    Err(error) => return Some(error.to_string()),
                }
            }
            None
        })
        .flatten()
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

//! A step of a run: what is planned, and what is known of it.

use std::sync::Arc;

use super::{Machine, PlannedStep, StepRecord, Verdict};
use crate::runbook::definition::{Condition, Step};
use crate::runbook::ids::StepId;
use crate::runbook::judge;
use crate::runbook::place::Places;
use crate::runbook::scope::{Scope, ScopeError};
use crate::runbook::template::Template;
use jumpdeck_fleet::names::HostName;

/// A state that cannot be: a fault of this program, or a journal of another plan. Nothing more is done then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// The journal is about another plan.
    #[error("the journal names step {0}, which the plan does not have")]
    UnknownStep(StepId),
    /// Something at a step.
    #[error("internal error at step {step}: {what}")]
    At {
        /// The step.
        step: StepId,
        /// What is wrong.
        what: String,
    },
}

/// A step of a run. The machine alone gives it, so that it is there: what is planned and what is known belong together.
#[derive(Clone, Copy)]
pub struct StepRef<'m> {
    machine: &'m Machine,
    planned: &'m Arc<PlannedStep>,
    record: &'m StepRecord,
}

impl<'m> StepRef<'m> {
    pub(super) fn new(machine: &'m Machine, planned: &'m Arc<PlannedStep>, record: &'m StepRecord) -> Self {
        Self { machine, planned, record }
    }

    /// The run.
    #[must_use]
    pub fn machine(self) -> &'m Machine {
        self.machine
    }

    /// What is planned.
    #[must_use]
    pub fn planned(self) -> &'m Arc<PlannedStep> {
        self.planned
    }

    /// What the runbook says.
    #[must_use]
    pub fn step(self) -> &'m Step {
        &self.planned.step
    }

    /// Its id.
    #[must_use]
    pub fn id(self) -> &'m StepId {
        &self.planned.id
    }

    /// What is known of it.
    #[must_use]
    pub fn record(self) -> &'m StepRecord {
        self.record
    }

    /// Looks variables up, as they are at this step on a host.
    pub fn at<T>(self, host: Option<&HostName>, look: impl FnOnce(Scope<'_>) -> T) -> T {
        self.machine.at(self.planned, host, look)
    }

    /// A text for eyes.
    #[must_use]
    pub fn shown(self, template: &Template) -> String {
        self.at(None, |scope| scope.shown(template))
    }

    /// The hosts it runs on: `None` for no host at all, an empty list when none is left.
    ///
    /// # Errors
    /// When what it says of its hosts means nothing, or no host.
    pub fn hosts(self) -> Result<Option<Vec<HostName>>, ScopeError> {
        self.machine.hosts(self.planned)
    }

    /// The same for eyes: none when they are not known.
    #[must_use]
    pub fn known_hosts(self) -> Vec<HostName> {
        self.hosts().ok().flatten().unwrap_or_default()
    }

    /// Where it runs, for eyes: nowhere when that is not known.
    #[must_use]
    pub fn known_places(self) -> Places {
        Places::hosts_of(self.known_hosts()).unwrap_or_else(Places::nowhere)
    }

    /// Whether a condition keeps it from being done, as far as is known now.
    #[must_use]
    pub fn is_left_out(self) -> bool {
        self.machine.left_out(self.planned).is_some()
    }

    /// Why a condition of its own keeps it from being done, when everything that it rests on is known already.
    #[must_use]
    pub fn known_not_to_apply(self) -> Option<String> {
        self.at(None, |scope| {
            let fails = |condition: &&Condition| judge::condition(condition, &scope) == Ok(false);
            self.step().when.iter().find(fails).map(|condition| judge::unmet(condition, &scope))
        })
    }

    /// Whether a condition of its own or of a branch around it keeps it from being done, whatever becomes known later.
    #[must_use]
    pub fn is_known_out(self) -> bool {
        let by_branch = self.at(None, |scope| {
            let known = |condition| judge::condition(condition, &scope);
            self.planned.under.iter().any(|(wanted, branch)| match wanted {
                true => branch.when.iter().any(|condition| known(condition) == Ok(false)),
                false => branch.when.iter().all(|condition| known(condition) == Ok(true)),
            })
        });
        by_branch || self.known_not_to_apply().is_some()
    }

    /// Whether what its hosts print is not shown: it is sensitive, or a secret that nothing hides could be in it.
    #[must_use]
    pub fn is_quiet(self) -> bool {
        self.planned.step.sensitive || self.machine.lacks_a_secret()
    }

    /// The hosts it failed on.
    #[must_use]
    pub fn failed_hosts(self) -> Vec<HostName> {
        let bad =
            self.record.hosts.iter().filter(|(_, v)| matches!(v, Verdict::Failed(_) | Verdict::Unknown(_)));
        bad.filter_map(|(place, _)| place.host().cloned()).collect()
    }

    /// An internal error at this step.
    #[must_use]
    pub fn impossible(self, what: &str) -> Impossible {
        Impossible::At { step: self.planned.id.clone(), what: what.to_owned() }
    }
}

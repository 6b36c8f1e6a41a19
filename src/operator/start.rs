//! Beginning a run. A plan is made, a plan that nothing blocks can be started, and only that one.

use std::sync::Arc;

use super::access::{EnvAccess, MayChange};
use super::inputs::Gathered;
use crate::runbook::definition::Runbook;
use crate::runbook::plan::Plan;
use crate::runbook::planner::{self, PlanError};
use crate::runbook::replay::StartError;
use crate::runbook::runner::{self, RunHandle};
use jumpdeck_fleet::run::{Mode, PlanView};

/// A plan, and what is shown of it.
pub struct Planned {
    plan: Plan,
    view: PlanView,
}

/// The plan has problems, so it cannot be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the plan is blocked; its problems are listed above")]
pub struct Blocked;

/// A plan that nothing blocks.
pub struct Startable(Plan);

impl Planned {
    /// Makes a plan. Only reads.
    ///
    /// # Errors
    /// When inputs or targets do not fit.
    pub async fn make(
        access: &EnvAccess,
        runbook: Arc<Runbook>,
        Gathered { values, because }: Gathered,
    ) -> Result<Self, PlanError> {
        let (env, simulated) = (&access.env, access.simulated);
        let (plan, view) = planner::make(runbook, env, simulated, values, &because, &*access.reach).await?;
        Ok(Self { plan, view })
    }

    /// What is shown of it.
    #[must_use]
    pub fn view(&self) -> &PlanView {
        &self.view
    }

    /// What it is told apart from others by.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.plan.frozen.hash
    }

    /// The plan, when nothing keeps it from running.
    ///
    /// # Errors
    /// When it has problems.
    pub fn startable(self) -> Result<Startable, Blocked> {
        if self.view.problems.is_empty() { Ok(Startable(self.plan)) } else { Err(Blocked) }
    }
}

impl Startable {
    /// Begins the run.
    ///
    /// # Errors
    /// When somebody else holds the lease, or the journal cannot be made.
    pub async fn start(
        self,
        access: &EnvAccess,
        armed: MayChange,
        why: String,
        mode: Mode,
    ) -> Result<RunHandle, StartError> {
        runner::start(access.launch(armed), self.0, why, mode).await
    }
}

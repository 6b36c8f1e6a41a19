//! Taking over a run whose console is gone, from its entries on the jump box. They are read first, as they say what the run
//! needs; only then it can be taken over: [`CopiedRun`], [`Adoptable`].

use zeroize::Zeroizing;

use super::access::{EnvAccess, MayChange};
use super::inputs::{self, InputValues};
use super::resume::{self, UnreadableRunbook};
use crate::runbook::plan::Frozen;
use crate::runbook::replay::StartError;
use crate::runbook::runner::{self, Launch, RunHandle};
use jumpdeck_fleet::run::InputView;

/// Why a run cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// Its entries, or the lease.
    #[error("{0}")]
    Start(#[from] StartError),
    /// They do not begin with a plan.
    #[error("its entries have no start of the run")]
    NoBeginning,
}

/// A run as its entries on the jump box say it began.
pub struct CopiedRun {
    run: String,
    plan: Frozen,
    with: Launch,
}

/// A run of another console, with all that it needs to go on here.
pub struct Adoptable {
    run: String,
    secrets: InputValues,
    with: Launch,
}

impl CopiedRun {
    /// Reads the entries of a run on the jump box.
    ///
    /// # Errors
    /// When there are none, or they are damaged; when the jump box cannot be asked.
    pub async fn read(access: &EnvAccess, armed: MayChange, run: &str) -> Result<Self, TakeoverError> {
        let with = access.launch(armed);
        let entries = runner::copied(&with, run).await?;
        let plan = runner::frozen(&entries).cloned().ok_or(TakeoverError::NoBeginning)?;
        Ok(Self { run: run.to_owned(), plan, with })
    }

    /// Asks the operator for its secrets: they are kept nowhere.
    ///
    /// # Errors
    /// When its runbook cannot be read any more; what `ask` says.
    pub async fn ask<E: From<UnreadableRunbook>>(
        self,
        ask: impl AsyncFnMut(&InputView) -> Result<Zeroizing<String>, E>,
    ) -> Result<Adoptable, E> {
        let runbook = resume::runbook(&self.plan)?;
        let secrets = inputs::secrets(&self.with.env, &runbook, ask).await?;
        Ok(Adoptable { run: self.run, secrets, with: self.with })
    }
}

impl Adoptable {
    /// Goes on with it here: nothing is repeated.
    ///
    /// # Errors
    /// While the other console has the lease; when the entries are damaged, of another environment, or over.
    pub async fn take_over(self) -> Result<RunHandle, TakeoverError> {
        Ok(runner::take_over(self.with, &self.run, self.secrets).await?)
    }
}

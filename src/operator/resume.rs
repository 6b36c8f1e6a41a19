//! Going on with a run of this machine. Its journal is read first: it says in which fleet the run began, and which secrets it
//! needs again. Each step has its own type, so that none can be skipped: [`Begun`], [`OfThisFleet`], [`Resumable`].

use std::path::Path;

use zeroize::Zeroizing;

use super::access::{EnvAccess, MayChange};
use super::inputs::{self, InputValues};
use super::past::{self, PastError};
use crate::runbook::definition::Runbook;
use crate::runbook::event::Event;
use crate::runbook::plan::Frozen;
use crate::runbook::replay::StartError;
use crate::runbook::runner::{self, RunHandle};
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::run::InputView;

/// How a run began, by its journal.
pub struct Begun {
    run: String,
    plan: Frozen,
    simulated: bool,
}

/// The fleet at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FleetAtHand {
    /// A real one.
    Real,
    /// A simulated one, which lives as long as its program.
    Simulated {
        /// Whether the run began in it.
        began_in_it: bool,
    },
}

/// A run goes on in the fleet that it began in, and the one at hand is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherFleet {
    /// It began in a simulated one, and this one is real.
    Simulated,
    /// It began in the simulated fleet of a program that has ended.
    Gone,
    /// It began in a real one, and this one is simulated.
    Real,
}

/// A run of the fleet at hand.
pub struct OfThisFleet {
    run: String,
    plan: Frozen,
}

/// The runbook that a run began with cannot be read any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadableRunbook(pub String);

/// Why a run cannot go on without the operator's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAlone {
    /// Its runbook.
    Unreadable(UnreadableRunbook),
    /// It needs secrets, and they are kept nowhere.
    NeedsSecrets,
}

/// A run of this machine, with all that it needs to go on.
pub struct Resumable {
    run: String,
    secrets: InputValues,
}

impl Begun {
    /// Reads how a run began, from that folder of journals.
    ///
    /// # Errors
    /// When its journal cannot be read, or does not say so.
    pub fn read(folder: &Path, run: &str) -> Result<Self, PastError> {
        let (path, entries) = past::entries(folder, run)?;
        let Some(Event::Started { simulated, plan, .. }) = entries.first().map(|entry| &entry.event) else {
            return Err(PastError::NoBeginning(path));
        };
        Ok(Self { run: run.to_owned(), plan: Frozen::clone(plan), simulated: *simulated })
    }

    /// The run, when it began in the fleet at hand.
    ///
    /// # Errors
    /// When it began in another.
    pub fn of_this_fleet(self, fleet: FleetAtHand) -> Result<OfThisFleet, OtherFleet> {
        match (self.simulated, fleet) {
            (false, FleetAtHand::Real) | (true, FleetAtHand::Simulated { began_in_it: true }) => {
                Ok(OfThisFleet { run: self.run, plan: self.plan })
            }
            (true, FleetAtHand::Real) => Err(OtherFleet::Simulated),
            (true, FleetAtHand::Simulated { began_in_it: false }) => Err(OtherFleet::Gone),
            (false, FleetAtHand::Simulated { .. }) => Err(OtherFleet::Real),
        }
    }
}

impl OfThisFleet {
    /// The environment that it is of.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.plan.environment
    }

    /// Asks the operator for its secrets: they are kept nowhere.
    ///
    /// # Errors
    /// When its runbook cannot be read any more; what `ask` says.
    pub async fn ask<E: From<UnreadableRunbook>>(
        self,
        env: &Environment,
        ask: impl AsyncFnMut(&InputView) -> Result<Zeroizing<String>, E>,
    ) -> Result<Resumable, E> {
        let runbook = runbook(&self.plan)?;
        Ok(Resumable { run: self.run, secrets: inputs::secrets(env, &runbook, ask).await? })
    }

    /// Without asking anything.
    ///
    /// # Errors
    /// When it needs secrets, or its runbook cannot be read any more.
    pub fn without_asking(self) -> Result<Resumable, NotAlone> {
        let runbook = runbook(&self.plan).map_err(NotAlone::Unreadable)?;
        match runbook.inputs.iter().any(|input| input.sensitive) {
            true => Err(NotAlone::NeedsSecrets),
            false => Ok(Resumable { run: self.run, secrets: InputValues::new() }),
        }
    }
}

/// The runbook that a run began with, whatever became of the files since.
pub(super) fn runbook(plan: &Frozen) -> Result<Runbook, UnreadableRunbook> {
    Runbook::from_sources(&plan.sources).map_err(UnreadableRunbook)
}

impl Resumable {
    /// Goes on with its next step.
    ///
    /// # Errors
    /// When its journal is damaged, in use, or over; when somebody else holds the lease.
    pub async fn resume(self, access: &EnvAccess, armed: MayChange) -> Result<RunHandle, StartError> {
        runner::resume(access.launch(armed), &self.run, self.secrets).await
    }

    /// Goes on only to be rolled back: what it began and has not ended is undone, after a yes.
    ///
    /// # Errors
    /// As [`Resumable::resume`].
    pub async fn roll_back(self, access: &EnvAccess, armed: MayChange) -> Result<RunHandle, StartError> {
        runner::roll_back(access.launch(armed), &self.run, self.secrets).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_only_in_the_fleet_that_it_began_in() {
        let begun = |simulated| Begun { run: "1".to_owned(), plan: plan(), simulated };
        let (real, own) = (FleetAtHand::Real, FleetAtHand::Simulated { began_in_it: true });
        let other = FleetAtHand::Simulated { began_in_it: false };
        for (simulated, fleet, refused) in [
            (false, real, None),
            (true, own, None),
            (true, other, Some(OtherFleet::Gone)),
            (true, real, Some(OtherFleet::Simulated)),
            (false, own, Some(OtherFleet::Real)),
            (false, other, Some(OtherFleet::Real)),
        ] {
            assert_eq!(begun(simulated).of_this_fleet(fleet).err(), refused, "{simulated} {fleet:?}");
        }
    }

    fn plan() -> Frozen {
        Frozen {
            runbook: "x".to_owned(),
            sources: Vec::new(),
            hash: String::new(),
            environment: "production".to_owned(),
            level: String::new(),
            domain: String::new(),
            jump: "jump".to_owned(),
            managed_by: crate::runbook::plan::ManagedBy::Ssh,
            inputs: std::collections::BTreeMap::new(),
            targets: std::collections::BTreeMap::new(),
        }
    }
}

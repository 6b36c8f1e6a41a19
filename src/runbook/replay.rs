//! A run's machine, made again from the entries of its journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use super::definition::Runbook;
use super::event::Event;
use super::journal::{Entry, JournalError};
use super::machine::{Impossible, Machine};
use super::planner::{self, PlanError, Secrets};

/// Why a run was not begun, or not gone on with.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its journal.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// Its plan.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// Somebody else does the same, or something with the same hosts.
    #[error("{0}")]
    Lease(String),
    /// The journal is of something else.
    #[error("{0}")]
    Odd(String),
    /// An entry of the journal does not fit its plan.
    #[error("entry {0}: {1}; the run cannot be resumed: look at its journal, and start a new run")]
    Replay(u64, Impossible),
    /// The run is in a state that cannot be.
    #[error("{0}; the run is not resumed")]
    Impossible(Impossible),
}

/// What a journal tells: the machine as it stood.
///
/// # Errors
/// When it does not begin with a plan, or that cannot be read any more.
pub fn replay(
    entries: &[Entry],
    secrets: BTreeMap<String, Zeroizing<String>>,
) -> Result<Machine, StartError> {
    replay_with(entries, &Secrets::Given(secrets))
}

/// The same, for those who do not have the secrets, too.
fn replay_with(entries: &[Entry], secrets: &Secrets) -> Result<Machine, StartError> {
    let Some((first, rest)) = entries.split_first() else {
        return Err(StartError::Odd("the journal is empty".to_owned()));
    };
    let Event::Started { run, who, why, dry_run, plan, .. } = &first.event else {
        return Err(StartError::Odd("the journal does not begin with a plan".to_owned()));
    };
    let plan = planner::again(plan, Runbook::from_sources, secrets)?;
    let today = first.at.to_zoned(TimeZone::system()).strftime("%Y%m%d").to_string();
    let mut machine = Machine::new(Arc::new(plan), run, who, why, &today, *dry_run);
    for entry in rest {
        machine.apply(&entry.event).map_err(|what| StartError::Replay(entry.seq, what))?;
    }
    Ok(machine)
}

/// A run's machine as its entries tell it, without its secrets.
///
/// # Errors
/// When they do not begin with a plan, or that cannot be read here.
pub fn machine(entries: &[Entry]) -> Result<Machine, StartError> {
    replay_with(entries, &Secrets::NotKnown)
}

//! Runs that were, from the journals of this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::runbook::in_effect::{self, Marks};
use crate::runbook::journal::{self, Entry, JournalError, RunSummary};
use crate::runbook::replay::{self, StartError};
use crate::runbook::report::RunReport;
use crate::runbook::wall;
use jumpdeck_fleet::run::{InEffect, PastRun, PastRuns};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::{Moment, short_age};

/// Why nothing can be said of a past run.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// No run can have that name.
    #[error("{0:?} is not a run's name")]
    Name(String),
    /// Its journal cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// Its journal does not begin with a plan.
    #[error("{}: it has no entry of the run's start", .0.display())]
    NoBeginning(PathBuf),
}

/// The entries of a run, from that folder of journals, and the file.
///
/// # Errors
/// When no run can have that name, or its journal cannot be read.
pub fn entries(folder: &Path, run: &str) -> Result<(PathBuf, Vec<Entry>), PastError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if run.is_empty() || !run.chars().all(fits) {
        return Err(PastError::Name(run.to_owned()));
    }
    let path = folder.join(format!("{run}.jsonl"));
    let entries = journal::read(&path)?;
    Ok((path, entries))
}

/// The report of a run, from that folder of journals.
///
/// # Errors
/// As [`entries`], and when its journal does not say how the run began.
pub fn report(folder: &Path, run: &str) -> Result<RunReport, PastError> {
    let (path, entries) = entries(folder, run)?;
    RunReport::of(&entries).ok_or(PastError::NoBeginning(path))
}

/// What a run began and has not ended, from its entries.
///
/// # Errors
/// When its machine cannot be made from them.
pub fn in_effect(entries: &[Entry]) -> Result<Vec<InEffect>, StartError> {
    let machine = replay::machine(entries)?;
    // The screen's clock plays no part here.
    Ok(in_effect::in_effect(&machine, &Marks::of(entries), (Moment::default(), Timestamp::now())))
}

/// The runs of a folder as the console lists them.
#[must_use]
pub fn list(folder: &Path) -> PastRuns {
    let zone = TimeZone::system();
    let told = |run: RunSummary| {
        let dry = if run.dry_run { ", dry run" } else { "" };
        let simulated = if run.simulated { ", SIMULATED" } else { "" };
        PastRun {
            began: run.began.map(|at| Clean::new(&wall::minute(at, &zone))),
            says: Clean::new(&format!("{}{dry}{simulated}", run.state)),
            id: run.id,
            runbook: run.runbook,
            env: run.env,
            who: run.who,
            end: run.end,
        }
    };
    let name = folder.display().to_string();
    // A folder that cannot be read is listed as if it were a run of that name: no run has one like it.
    let (unread, runs): (Vec<_>, Vec<_>) = journal::runs(folder).into_iter().partition(|run| run.id == name);
    let runs = match unread.into_iter().next() {
        Some(unread) => Err(Clean::new(&format!("{name} {}", unread.state))),
        None => Ok(runs.into_iter().map(told).collect()),
    };
    PastRuns { folder: Clean::new(&name), runs }
}

/// How a run stands and how long ago it began, in a few words: `finished 3d ago`.
#[must_use]
pub fn short(run: &RunSummary, now: Timestamp) -> String {
    let Some(began) = run.began else { return "cannot be read".to_owned() };
    let age = Duration::try_from(now.duration_since(began)).unwrap_or_default();
    // `runbook runs` says why it stopped.
    let state = run.state.as_str();
    let state = state.split(':').next().unwrap_or(state);
    let dry = if run.dry_run { ", dry run" } else { "" };
    let simulated = if run.simulated { ", SIMULATED" } else { "" };
    format!("{state} {} ago{simulated}{dry}", short_age(age))
}

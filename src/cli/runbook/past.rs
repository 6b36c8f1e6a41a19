//! Runs that were: what their journals say.

use std::path::{Path, PathBuf};

use crate::cli::{CliError, Common, setup};
use crate::runbook::event::Event;
use crate::runbook::journal::{self, Entry};
use crate::runbook::plan::Frozen;

/// How a run began.
pub(in crate::cli) struct Began {
    /// Its plan.
    pub(in crate::cli) plan: Frozen,
    /// Whether the fleet was simulated.
    pub(in crate::cli) simulated: bool,
}

/// How that run began, from its journal.
pub(in crate::cli) fn began(run: &str) -> Result<Began, CliError> {
    let (paths, _) = setup::places()?;
    began_in(&paths.runs(), run)
}

/// The same, from that folder of journals.
pub(in crate::cli) fn began_in(folder: &Path, run: &str) -> Result<Began, CliError> {
    let (path, entries) = entries(folder, run)?;
    match entries.first().map(|entry| &entry.event) {
        Some(Event::Started { simulated, plan, .. }) => {
            Ok(Began { plan: Frozen::clone(plan), simulated: *simulated })
        }
        _ => Err(CliError::Refused(format!("{}: it does not say how the run began", path.display()))),
    }
}

/// A simulated run goes on in a simulated fleet, a real one in the real fleet.
pub(super) fn same_fleet(began: &Began, common: &Common) -> Result<(), CliError> {
    match (began.simulated, common.demo.is_some()) {
        (true, false) => Err(CliError::Usage("this run is of a simulated fleet: add --demo".to_owned())),
        (false, true) => Err(CliError::Usage("this run is of a real fleet: leave --demo out".to_owned())),
        _ => Ok(()),
    }
}

fn entries(folder: &Path, run: &str) -> Result<(PathBuf, Vec<Entry>), CliError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if run.is_empty() || !run.chars().all(fits) {
        return Err(CliError::Usage(format!("{run:?} is no name of a run")));
    }
    let path = folder.join(format!("{run}.jsonl"));
    let entries = journal::read(&path).map_err(|error| CliError::Refused(error.to_string()))?;
    Ok((path, entries))
}

//! What there is to run in an environment: the library, this machine's journals, the leases on the jump box.

use std::path::Path;

use super::access::EnvAccess;
use super::{inputs, past};
use crate::runbook::journal::{self, RunSummary};
use crate::runbook::lease;
use crate::runbook::library::Library;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::run::{Listing, Mode, RunBrief, RunbookEntry};
use jumpdeck_fleet::text::Clean;

/// What a journal's summary says of a run that a process has under way.
const RUNS: &str = "runs";

/// What this machine knows: the runbooks, with those in that folder, and the runs in its journals.
#[must_use]
pub fn here(access: &EnvAccess, runbooks: &Path) -> Listing {
    let (library, errors) = Library::load(runbooks);
    let (env, all) = (&*access.env, journal::runs(&access.journals));
    let here: Vec<&RunSummary> = all
        .iter()
        .filter(|run| run.simulated == access.simulated && run.env.as_str() == env.name.as_str())
        .collect();
    let mut runbooks = library.entries();
    for entry in &mut runbooks {
        complete(entry, env, &library, &here);
        if entry.last_run.is_none() && all.iter().any(RunSummary::is_unread) {
            entry.last_run = Some("not known".into());
        }
    }
    let open = here.iter().filter(|run| !run.over);
    let unreadable = all.iter().filter(|run| run.began.is_none());
    let troubles = unreadable.map(|run| Clean::new(&format!("{}: {}", run.id, run.state)));
    Listing {
        env: env.name.clone(),
        runs: open.map(|run| brief(run)).collect(),
        runbooks,
        troubles: troubles.chain(errors.iter().map(|error| Clean::new(&error.to_string()))).collect(),
    }
}

/// Inputs as they are asked here, and the last run here.
fn complete(entry: &mut RunbookEntry, env: &Environment, library: &Library, runs_here: &[&RunSummary]) {
    if let Some(runbook) = library.get(&entry.name) {
        entry.inputs = runbook.inputs.iter().map(|input| inputs::view(input, env)).collect();
    }
    let last = runs_here.iter().find(|run| run.runbook.as_str() == entry.name);
    entry.last_run = last.map(|run| Clean::new(&past::short(run, jiff::Timestamp::now())));
}

fn brief(run: &RunSummary) -> RunBrief {
    RunBrief {
        id: run.id.clone(),
        runbook: run.runbook.to_string(),
        mode: if run.dry_run { Mode::DryRun } else { Mode::Live },
        who: run.who.clone(),
        held: run.state.as_str() == RUNS,
        says: run.state.clone(),
    }
}

/// Runs that somebody has under way, by the leases on the jump box.
///
/// # Errors
/// Why it cannot be told, in words.
pub async fn held(access: &EnvAccess) -> Result<Vec<RunBrief>, Clean> {
    let cannot = |why: String| Clean::new(&format!("cannot see other operators' runs: {why}"));
    let env = &access.env;
    let session = access.jump().await.map_err(|e| cannot(e.to_string()))?;
    let holders = lease::look_in(&lease::LeasePlaces::of(env), &*session, env.name.as_str())
        .await
        .map_err(|e| cannot(e.to_string()))?;
    let brief = |holder: &lease::Holder| RunBrief {
        id: holder.run.to_string(),
        runbook: holder.runbook.to_string(),
        mode: Mode::Live,
        who: holder.who.clone(),
        held: true,
        says: Clean::new(&holder.to_string()),
    };
    Ok(holders.iter().map(brief).collect())
}

/// What the jump box says of a run is newer than what this machine's journals say.
pub fn merge(listing: &mut Listing, held: Vec<RunBrief>) {
    for brief in held {
        match listing.runs.iter_mut().find(|run| run.id == brief.id) {
            Some(run) => *run = RunBrief { mode: run.mode, ..brief },
            None => listing.runs.push(brief),
        }
    }
}

//! Runs that are not over, from their entries on the jump box: who ran them, whether they are under way, what they left in effect.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::fleet::Environment;
use crate::domain::run::InEffect;
use crate::domain::text::Clean;
use crate::domain::time::Moment;
use crate::runbook::event::Event;
use crate::runbook::in_effect;
use crate::runbook::journal::Entry;
use crate::runbook::lease::{self, Copy, LeftRun, Places};
use crate::runbook::reach::{Reach, Session};
use crate::runbook::{runner, wall, watched};

/// A run that is not over.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Left {
    /// Which.
    pub(in crate::cli) id: String,
    /// Whether an operator's console has it under way.
    pub(in crate::cli) held: bool,
    /// Who ran it last, and since when nobody does, in words.
    pub(in crate::cli) says: Clean,
    /// What it left in effect; or why that is unknown.
    pub(in crate::cli) in_effect: Result<Vec<InEffect>, Clean>,
}

/// The runs of an environment that are not over.
///
/// # Errors
/// Why it cannot be told, in words.
pub(in crate::cli) async fn of(reach: &dyn Reach, env: &Environment) -> Result<Vec<Left>, String> {
    let session = reach.host(reach.jump()).await;
    let session = session.map_err(|e| format!("{}: {}", e.hop, e.describe()))?;
    let places = Places::of(env);
    let found = lease::left_in(&places, session.as_ref()).await.map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for run in found {
        all.extend(look(&places, session.as_ref(), env, run).await);
    }
    Ok(all)
}

/// `None` for a run of another environment behind the same jump box, and for one that is over meanwhile.
async fn look(places: &Places, session: &dyn Session, env: &Environment, run: LeftRun) -> Option<Left> {
    let held = run.holder.is_some();
    let unknown = |why: String| {
        let says = Clean::new(&format!("by {} (account on the jump box)", run.account));
        Some(Left { id: run.run.clone(), held, says, in_effect: Err(Clean::new(&why)) })
    };
    let entries = match lease::copy_in(places, session, &run.run).await {
        Ok(Copy::Entries(entries)) => entries,
        Ok(Copy::Over | Copy::Missing) => return None,
        Err(error) => return unknown(error.to_string()),
    };
    match runner::frozen(&entries) {
        Some(plan) if plan.environment != env.name.as_str() => return None,
        Some(_) => {}
        None => return unknown("its entries do not say how the run began".to_owned()),
    }
    let says = match &run.holder {
        Some(holder) => Clean::new(&format!("under way: {holder}")),
        None => Clean::new(&said(&entries)),
    };
    let in_effect = match watched::machine(&entries) {
        // The screen's clock plays no part here.
        Ok(machine) => Ok(in_effect::in_effect(&machine, &entries, (Moment::default(), Timestamp::now()))),
        Err(error) => Err(Clean::new(&error.to_string())),
    };
    Some(Left { id: run.run.clone(), held, says, in_effect })
}

/// Who ran it last, and since when nobody does.
fn said(entries: &[Entry]) -> String {
    let who = entries.iter().rev().find_map(|entry| {
        let (Event::Started { who, .. } | Event::Resumed { who, .. }) = &entry.event else { return None };
        Some(who.as_str())
    });
    let last = entries.last().map_or_else(Timestamp::now, |entry| entry.at);
    let since = wall::since(last, Timestamp::now(), &TimeZone::system());
    format!("by {}; no console has it, its last entry is of {since}", who.unwrap_or("an unknown operator"))
}

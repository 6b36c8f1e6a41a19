//! Runs that are not over, from their entries on the jump box: who ran them, whether they are under way, what they left in effect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::access::{EnvAccess, NoJumpBox};
use super::past;
use crate::collect::LooksForRuns;
use crate::runbook::event::Event;
use crate::runbook::journal::RunSummary;
use crate::runbook::lease::{self, Copy, LeaseError, LeasePlaces, RunInCopies};
use crate::runbook::{runner, wall};
use crate::transport::BoxFuture;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{JumpConnection, Session, description};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::left as domain;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::InEffect;
use jumpdeck_fleet::text::Clean;

/// A run that is not over.
#[derive(Debug, Clone)]
pub struct UnfinishedRun {
    /// Which.
    pub id: String,
    /// The runbook.
    runbook: Clean,
    /// Who ran it last.
    who: Clean,
    /// Whether an operator's console has it under way.
    pub held: bool,
    /// Who ran it last, and since when nobody does, in words.
    pub says: Clean,
    /// What it left in effect; or why that is unknown.
    pub in_effect: Result<Vec<InEffect>, Clean>,
}

/// How a run that is not over goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoesOn {
    /// An operator's console has it under way.
    UnderWay,
    /// Its journal is on this machine: it is resumed.
    Here,
    /// It is taken over.
    ByTakeover,
}

impl UnfinishedRun {
    /// How it goes on, from a machine with these runs.
    #[must_use]
    pub fn goes_on(&self, here: &[RunSummary]) -> GoesOn {
        let is_here = here.iter().find(|run| run.id == self.id).is_some_and(|run| !run.over);
        match (self.held, is_here) {
            (true, _) => GoesOn::UnderWay,
            (false, true) => GoesOn::Here,
            (false, false) => GoesOn::ByTakeover,
        }
    }
}

/// Why the runs that are not over are unknown.
#[derive(Debug, thiserror::Error)]
pub enum LeftError {
    /// The jump box cannot be reached.
    #[error("{0}")]
    NoJumpBox(#[from] NoJumpBox),
    /// It cannot be asked.
    #[error("{0}")]
    Lease(#[from] LeaseError),
}

/// The runs of an environment that are not over.
///
/// # Errors
/// Why it cannot be told.
pub async fn of(access: &EnvAccess) -> Result<Vec<UnfinishedRun>, LeftError> {
    let (env, session) = (&access.env, access.jump().await?);
    let mut all = Vec::new();
    for run in lease::left_in(&LeasePlaces::of(env), session.as_ref()).await? {
        all.extend(look(session.as_ref(), env, &run).await);
    }
    Ok(all)
}

/// `None` for a run of another environment behind the same jump box, and for one that is over meanwhile.
async fn look(session: &dyn Session, env: &Environment, run: &RunInCopies) -> Option<UnfinishedRun> {
    let mut left = UnfinishedRun {
        id: run.run.clone(),
        runbook: Clean::new("a run"),
        who: Clean::new(&format!("{} (account on the jump box)", run.account)),
        held: run.holder.is_some(),
        says: Clean::new(&format!("by {} (account on the jump box)", run.account)),
        in_effect: Ok(Vec::new()),
    };
    let entries = match lease::copy_in(&LeasePlaces::of(env), session, &run.run).await {
        // Its console died after its last entry, and before the note that it is over.
        Ok(Copy::Entries(entries)) if entries.iter().any(|e| matches!(e.event, Event::Ended { .. })) => {
            return None;
        }
        Ok(Copy::Entries(entries)) => entries,
        Ok(Copy::Over | Copy::Missing) => return None,
        Err(error) => return Some(UnfinishedRun { in_effect: Err(Clean::new(&error.to_string())), ..left }),
    };
    match runner::frozen(&entries) {
        Some(plan) if plan.environment != env.name.as_str() => return None,
        Some(plan) => left.runbook = Clean::new(&plan.runbook),
        None => {
            let why = Clean::new("its entries have no start of the run");
            return Some(UnfinishedRun { in_effect: Err(why), ..left });
        }
    }
    let who = entries.iter().rev().find_map(|entry| {
        let (Event::Started { who, .. } | Event::Resumed { who, .. }) = &entry.event else { return None };
        Some(who.as_str())
    });
    left.who = who.map_or(left.who, Clean::new);
    let last = entries.last().map_or_else(Timestamp::now, |entry| entry.at);
    let since = wall::since(last, Timestamp::now(), &TimeZone::system());
    left.says = match &run.holder {
        Some(holder) => Clean::new(&format!("under way: {holder}")),
        None => Clean::new(&format!("by {}; no console is connected to it; last entry at {since}", left.who)),
    };
    left.in_effect = past::in_effect(&entries).map_err(|error| Clean::new(&error.to_string()));
    Some(left)
}

/// Looks for the collector, over its connection. Entries that were read are not read again until there are more.
#[derive(Default)]
pub struct LeftRunsFinder {
    /// By environment, run and account: the size of the entries, and what they tell.
    seen: Mutex<HashMap<Copied, (u64, Option<domain::LeftRun>)>>,
}

/// A copy of entries: environment, run and account.
type Copied = (EnvName, String, u32);

impl LooksForRuns for LeftRunsFinder {
    fn left<'a>(
        &'a self,
        jump: Arc<dyn JumpConnection>,
        env: Arc<Environment>,
    ) -> BoxFuture<'a, Result<Vec<domain::LeftRun>, Gap>> {
        Box::pin(async move {
            let gap = |error: TransportError| match error.kind {
                // A jump box that runs no commands keeps no lease either: no run could change anything.
                ErrorKind::Refused => Gap::NotInstalled,
                ErrorKind::TimedOut => Gap::TimedOut,
                ErrorKind::Unreachable
                | ErrorKind::Dropped
                | ErrorKind::AuthFailed
                | ErrorKind::NoCredentials
                | ErrorKind::HostKeyUnknown
                | ErrorKind::HostKeyChanged
                | ErrorKind::HostKeyRevoked
                | ErrorKind::HostKeyUnreadable
                | ErrorKind::HostCertificate
                | ErrorKind::KnownHostsFile
                | ErrorKind::Algorithms
                | ErrorKind::Flooding
                | ErrorKind::Protocol => Gap::Failed(error.describe()),
            };
            let host = description(&env, env.jump.name()).map_err(gap)?;
            let session = jump.host(&host).await.map_err(gap)?;
            let found = lease::left_in(&LeasePlaces::of(&env), session.as_ref()).await;
            let found = found.map_err(|error| match error {
                LeaseError::Ssh(error) => gap(error),
                LeaseError::Refused(why) => Gap::NotPermitted(why),
                LeaseError::Late => Gap::TimedOut,
                other => Gap::Failed(Clean::new(&other.to_string())),
            })?;
            let mut all = Vec::new();
            for run in found {
                all.extend(self.known(session.as_ref(), &env, &run).await);
            }
            Ok(all)
        })
    }
}

impl LeftRunsFinder {
    async fn known(
        &self,
        session: &dyn Session,
        env: &Environment,
        run: &RunInCopies,
    ) -> Option<domain::LeftRun> {
        let held = run.holder.is_some();
        let key = (env.name.clone(), run.run.clone(), run.uid);
        let known = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, told)) = known.filter(|(size, _)| *size == run.size) {
            return told.map(|told| domain::LeftRun { held, ..told });
        }
        let left = look(session, env, run).await;
        let lost = left.as_ref().is_some_and(|left| left.in_effect.is_err());
        let effect = |one: &InEffect| domain::LeftEffect {
            says: Clean::new(&one.line()),
            stops_writes: one.stops_writes,
        };
        let told = left.map(|left| domain::LeftRun {
            run: Clean::new(&left.id),
            runbook: left.runbook,
            who: left.who,
            held,
            in_effect: left.in_effect.map(|effects| effects.iter().map(effect).collect()),
        });
        // What could not be read may be readable the next time.
        if !lost {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(key, (run.size, told.clone()));
        }
        told
    }
}

//! Runs that somebody else has under way, from their entries on the jump box.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::access::{NoJumpBox, jump};
use crate::collect::clock::Clock;
use crate::runbook::approval::ApprovalQuestion;
use crate::runbook::journal::Entry;
use crate::runbook::lease::{self, LeaseError, LeasePlaces, WatcherSees, Watching};
use crate::runbook::replay::StartError;
use crate::runbook::watched::Watch;
use crate::transport::HostSessions;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::run::RunView;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Said while nobody holds it: whoever ran it may be gone.
const NOBODY: &str = "no console is connected to this run now: it ended or lost its connection";

/// Why a run cannot be seen (any more).
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The jump box cannot be reached.
    #[error("{0}")]
    NoJumpBox(#[from] NoJumpBox),
    /// The jump box has no entries of it, or does not hand them out.
    #[error("{0}")]
    Lease(#[from] LeaseError),
    /// Its entries do not fit together.
    #[error("{0}")]
    Replay(#[from] StartError),
}

/// A run that is watched.
pub struct Following {
    watching: Watching,
    /// The run so far; nothing before its first entry.
    watch: Option<Watch>,
    held: bool,
    asks: Option<ApprovalQuestion>,
    /// The next look is not before it.
    due: Instant,
    /// Its end was shown.
    over: bool,
}

impl Following {
    /// A run of an environment, by its entries on the jump box.
    ///
    /// # Errors
    /// Why it cannot be watched.
    pub async fn open(reach: &dyn HostSessions, env: &Environment, run: &str) -> Result<Self, FollowError> {
        let watching = lease::watch_in(&LeasePlaces::of(env), jump(reach).await?, run)?;
        Ok(Self { watching, watch: None, held: true, asks: None, due: Instant::now(), over: false })
    }

    /// What it asks a second person, as of the last look.
    pub fn asks(&self) -> Option<&ApprovalQuestion> {
        self.asks.as_ref()
    }

    /// Its entries so far.
    pub fn entries(&self) -> &[Entry] {
        self.watch.as_ref().map(Watch::entries).unwrap_or_default()
    }

    /// Waits for the run to change, and is given the moment of the look: the run as it stands then. `None` when there will be
    /// nothing more. Who gives the wait up may have lost entries, and looks no more.
    ///
    /// # Errors
    /// Why it cannot be seen (any more).
    pub async fn next(&mut self, clock: Clock) -> Result<Option<(RunView, Moment)>, FollowError> {
        while !self.over {
            sleep_until(self.due).await;
            let now = clock.now();
            let Some(view) = self.look(now).await? else { break };
            self.due = Instant::now() + EVERY;
            if let Some(view) = view {
                self.over = !view.state.is_under_way();
                return Ok(Some((view, now)));
            }
        }
        Ok(None)
    }

    /// Looks once: the run as it stands now when something is new, nothing when nothing is. `None` when there will be
    /// nothing more.
    ///
    /// # Errors
    /// Why it cannot be seen (any more).
    pub async fn look(&mut self, now: Moment) -> Result<Option<Option<RunView>>, FollowError> {
        let mut seen = Vec::new();
        // A run that was stopped and goes on looks stopped in the middle of its entries: all pieces are read before it is shown.
        loop {
            let Some(more) = self.watching.poll().await? else {
                return Ok(None);
            };
            seen.extend(more);
            if !self.watching.is_behind() {
                break;
            }
        }
        if seen.is_empty() {
            return Ok(Some(None));
        }
        let now = (now, Timestamp::now());
        for seen in seen {
            match seen {
                WatcherSees::Entry(entry) => self.take(*entry, now)?,
                WatcherSees::Holder(holder) => {
                    self.held = holder.is_some();
                    self.asks = holder.and_then(|holder| holder.asks);
                }
            }
        }
        let Some(watch) = &mut self.watch else { return Ok(Some(None)) };
        let nobody = (!self.held && watch.is_under_way()).then(|| Clean::new(NOBODY));
        Ok(Some(Some(watch.look(now, nobody))))
    }

    fn take(&mut self, entry: Entry, now: (Moment, Timestamp)) -> Result<(), StartError> {
        match &mut self.watch {
            Some(watch) => watch.take(entry, now)?,
            None => self.watch = Some(Watch::begin(entry, now)?),
        }
        Ok(())
    }
}

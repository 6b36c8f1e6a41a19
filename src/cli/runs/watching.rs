//! Runs that somebody else has under way, from their entries on the jump box.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::Inner;
use crate::runbook::approval::Question;
use crate::runbook::journal::Entry;
use crate::runbook::lease::{self, Places, Seen, Watching};
use crate::runbook::reach::Reach;
use crate::runbook::runner::StartError;
use crate::runbook::watched::Watch;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::run::{RunEvent, RunView};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Between two looks.
pub(in crate::cli) const EVERY: Duration = Duration::from_secs(1);
/// Said while nobody holds it: whoever ran it may be gone.
const NOBODY: &str = "no operator holds this run now: their console ended or lost its connection";

/// A run that is watched.
pub(in crate::cli) struct Watched {
    watching: Watching,
    /// The run so far; nothing before its first entry.
    watch: Option<Watch>,
    held: bool,
    asks: Option<Question>,
}

impl Watched {
    /// A run of an environment, by its entries on the jump box.
    ///
    /// # Errors
    /// Why it cannot be watched, in words.
    pub(in crate::cli) async fn open(
        reach: &dyn Reach,
        env: &Environment,
        run: &str,
    ) -> Result<Self, String> {
        let session = reach.host(reach.jump()).await;
        let session = session.map_err(|e| format!("{}: {}", e.hop, e.describe()))?;
        let watching = lease::watch_in(&Places::of(env), session, run).map_err(|error| error.to_string())?;
        Ok(Self { watching, watch: None, held: true, asks: None })
    }

    /// What it asks a second person, as of the last look.
    pub(in crate::cli) fn asks(&self) -> Option<&Question> {
        self.asks.as_ref()
    }

    /// Its entries so far.
    pub(in crate::cli) fn entries(&self) -> &[Entry] {
        self.watch.as_ref().map(Watch::entries).unwrap_or_default()
    }

    /// Looks once: the run as it stands now when something is new, nothing when nothing is. `None` when there will be
    /// nothing more.
    ///
    /// # Errors
    /// Why it cannot be seen (any more), in words.
    pub(in crate::cli) async fn look(&mut self, now: Moment) -> Result<Option<Option<RunView>>, String> {
        let mut seen = Vec::new();
        // A run that was stopped and goes on looks stopped in the middle of its entries: all pieces are read before it is shown.
        loop {
            let Some(more) = self.watching.poll().await.map_err(|error| error.to_string())? else {
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
                Seen::Entry(entry) => self.take(*entry, now).map_err(|error| error.to_string())?,
                Seen::Holder(holder) => {
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

/// Tells a run of somebody else to the console until it is over.
///
/// # Errors
/// Why it cannot be watched, in words.
pub(super) async fn watch(inner: &Inner, run: &str) -> Result<(), String> {
    let env = environment(inner, run)?;
    let mut watched = Watched::open(&*inner.reach(&env), &env, run).await?;
    while let Some(view) = watched.look(inner.needs.clock.now()).await? {
        if let Some(view) = view {
            let over = !view.state.is_under_way();
            inner.tell(RunEvent::Run(view.into())).await;
            if over {
                return Ok(());
            }
        }
        if inner.needs.news.is_closed() {
            return Ok(());
        }
        sleep(EVERY).await;
    }
    Ok(())
}

/// The environment a run was seen in.
fn environment(inner: &Inner, run: &str) -> Result<std::sync::Arc<Environment>, String> {
    let seen = inner.lock().held.get(run).cloned();
    let env = seen.ok_or_else(|| "the jump box knows no operator of this run".to_owned())?;
    inner.environment(&env)
}

//! The run's entries on their way to the jump box.

use tokio::sync::oneshot;

use super::Lease;
use super::keep::Tell;
use crate::runbook::event::{Event, Phase};
use crate::runbook::journal::Entry;
use jumpdeck_fleet::text::Clean;

/// Why a change waits.
const NOT_STORED: &str = "the jump box cannot write the run's entries (no space? df /run/lock, or the folder that journals = in \
                          the inventory names)";

impl Lease {
    /// Lets those who watch see an entry, and whoever takes the run over go on from it. A run that goes on must say all of
    /// its entries again, from the first ([`Lease::say_all`]).
    pub fn say(&self, entry: &Entry) {
        let _ = self.tell.send(Tell::Say(entry.line.clone()));
        // What may be in effect from now on keeps the entries from being swept.
        match &entry.event {
            Event::Started { dry_run: true, .. } => self.shared.is_dry(),
            Event::Intent { phase: Phase::Run | Phase::Undo, .. } if !self.shared.opened() => {
                let _ = self.tell.send(Tell::Open);
            }
            Event::Ended { .. } => {
                let _ = self.tell.send(Tell::Over);
            }
            Event::Started { .. }
            | Event::Resumed { .. }
            | Event::Answered { .. }
            | Event::Intent { .. }
            | Event::Outcome { .. }
            | Event::Skipped { .. }
            | Event::Excluded { .. }
            | Event::RollingBack { .. }
            | Event::Abandoning { .. }
            | Event::WindowFailed { .. }
            | Event::Note { .. }
            | Event::HoldLost { .. }
            | Event::Trouble { .. }
            | Event::Stopped { .. } => {}
        }
    }

    /// Says the entries of a run that goes on, all of them. They take the place of the older ones when all have come there.
    pub fn say_all(&self, entries: &[Entry]) {
        let _ = self.tell.send(Tell::Anew);
        entries.iter().for_each(|entry| self.say(entry));
        let _ = self.tell.send(Tell::Store(None));
    }

    /// Waits until all entries that were said are on the jump box's disk: one round trip.
    ///
    /// # Errors
    /// When they are not, or nobody knows.
    pub async fn store(&self) -> Result<(), Clean> {
        let (tell, stored) = oneshot::channel();
        let _ = self.tell.send(Tell::Store(Some(tell)));
        match self.answer(stored).await? {
            true => Ok(()),
            false => Err(Clean::new(NOT_STORED)),
        }
    }
}

//! One operator per runbook and target: a lease on the jump box. A small shell program there (`lease/holder.sh`) holds
//! file locks for as long as it hears from here twice a second; when it hears nothing for four seconds it ends, so that a
//! lease outlives neither a dead link nor a dead console. This side calls it lost after three seconds without an answer
//! in which it could listen; a machine that slept, or is busy, looks first. Before every change the lease is proved by a
//! round trip ([`Lease::prove`]): what the clocks say of it is never enough.
//!
//! Beside the locks is what others may know: who, which run, which step; the run's entries, for those who watch
//! ([`watch`]); and the yes of a second person ([`approve`]). All of it is in a folder that root makes for a group of
//! operators: other accounts can neither read nor write there. Who somebody is, is the owner of a file, a number.
//!
//! Where there is no such folder, accounts share nothing that they can both write and trust. They keep each other off all
//! the same: a run also locks the folder that the group's would be in (`/run/lock`), which every account can open and none
//! but root can remove. There is one such lock, so there is one changing run at a time on the jump box. Another account can
//! hold it and so block runs, but not end or fake a lease. See [`Lease::limits`].

mod ask;
mod beat;
mod copy;
mod entries;
mod error;
mod guarded;
mod holder;
mod keep;
mod outbox;
mod pace;
mod places;
pub mod sessions;
mod shared;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch as latest};
use tokio::time::{sleep, timeout};

use crate::listening::within;
use crate::transport::Session;
use jumpdeck_fleet::text::Clean;

pub use ask::{WatcherSees, Watching, approve, approve_in, look, look_in, watch, watch_in};
pub use copy::{Copy, RunInCopies, copy_in, left_in};
pub use error::LeaseError;
use error::MAKE_FOLDER;
pub use holder::Holder;
use keep::Tell;
pub use places::LeasePlaces;
use shared::LeaseShared;

/// Whom a lease keeps off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeaseWidth {
    /// Other runs of the same runbook or on the same hosts, of every operator.
    Group,
    /// Every other run that changes something through the jump box: the folder of the group is missing.
    JumpBox,
    /// Other runs of the same account only: the inventory says so, and the folder of the group is missing.
    Account,
}

/// Between two beats. A link may stall for two seconds right after one was sent.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// Without an answer to a beat younger than this nothing may be changed before the lease is proved: the holder lets go a
/// second later. Without an answer for so long, counting only time in which we were able to listen, it is lost.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// For taking and asking.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// For letting go. The last entries come there first, over a slow link too; without a sign of life it is lost much earlier.
const RELEASE_LIMIT: Duration = Duration::from_secs(60);
/// A holder that did not beat for so long, by its own jump box's clock, is gone.
const GONE_AFTER: Duration = Duration::from_secs(6);

/// Whether a lease is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// It is ours.
    Held,
    /// It is not, or nobody knows: why. It never comes back; a new one must be taken.
    Lost(Clean),
}

/// A lease. Copies are the same lease; it is let go when the last is dropped.
#[derive(Debug, Clone)]
pub struct Lease {
    tell: mpsc::UnboundedSender<Tell>,
    state: latest::Receiver<LeaseState>,
    shared: Arc<LeaseShared>,
}

impl Lease {
    /// Takes the lease of all of `keys`, or of none. A holder of the same run is waited for, as long as it may outlive its
    /// link.
    ///
    /// # Errors
    /// [`LeaseError::Held`] with who has it; or why it cannot be had.
    pub async fn take(session: &dyn Session, keys: &[String], holder: &Holder) -> Result<Self, LeaseError> {
        Self::take_in(&LeasePlaces::default(), session, keys, holder).await
    }

    /// The same, in those places.
    ///
    /// # Errors
    /// As [`Lease::take`].
    pub async fn take_in(
        places: &LeasePlaces,
        session: &dyn Session,
        keys: &[String],
        holder: &Holder,
    ) -> Result<Self, LeaseError> {
        let mut keys = keys.to_vec();
        keys.sort();
        keys.dedup();
        let mut tries = 0;
        loop {
            let mut holder = Holder { keys: keys.clone(), ..holder.clone() };
            holder.taken = Timestamp::now();
            let taken = within(ANSWER_LIMIT, keep::take(places, session, holder.clone())).await;
            match taken.unwrap_or(Err(LeaseError::Late)) {
                Err(LeaseError::Held(others) | LeaseError::Busy(others))
                    if tries < 12 && others.iter().all(|other| other.run == holder.run) =>
                {
                    tries += 1;
                    sleep(Duration::from_millis(500)).await;
                }
                taken => return taken,
            }
        }
    }

    /// What differs where the group's folder is missing.
    #[must_use]
    pub fn limits(&self) -> Option<String> {
        let limit = match self.shared.scope() {
            LeaseWidth::Group => return None,
            LeaseWidth::JumpBox => {
                "only one run at a time can make changes through this jump box, whatever its hosts".to_owned()
            }
            LeaseWidth::Account => format!(
                "the lease excludes other runs of the account {} on the jump box only, not those of other accounts \
                 (lease = \"own-account\" in the inventory)",
                self.shared.account()
            ),
        };
        Some(format!(
            "/run/lock/jumpdeck is missing: {limit}, and nobody can approve as a second person; {MAKE_FOLDER}"
        ))
    }

    /// Lets go, and waits until it is. Who watches can still read for an hour.
    pub async fn release(self) {
        let (tell, ended) = oneshot::channel();
        let _ = self.tell.send(Tell::End(tell));
        let _ = timeout(RELEASE_LIMIT, ended).await;
    }
}

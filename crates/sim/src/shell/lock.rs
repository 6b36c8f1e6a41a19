//! Advisory locks as flock(2) has them: they belong to an open file, and go with its last descriptor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The locks of one machine.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: Mutex<BTreeMap<String, Held>>,
    next_holder: AtomicU64,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    exclusive: Option<u64>,
    shared: BTreeSet<u64>,
}

impl Locks {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for an open file.
    pub(crate) fn new_holder(&self) -> u64 {
        self.next_holder.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a lock, or turns the one held into the other kind; false when another open file is in the way.
    pub(crate) fn try_take(&self, path: &str, holder: u64, shared: bool) -> bool {
        let mut held = self.held();
        let lock = held.entry(path.to_owned()).or_default();
        let others_share = lock.shared.iter().any(|&other| other != holder);
        if lock.exclusive.is_some_and(|other| other != holder) || (!shared && others_share) {
            return false;
        }
        lock.shared.remove(&holder);
        lock.exclusive = None;
        if shared {
            lock.shared.insert(holder);
        } else {
            lock.exclusive = Some(holder);
        }
        true
    }

    /// Takes a lock, waiting for it.
    pub(crate) async fn take(&self, path: &str, holder: u64, shared: bool) {
        loop {
            let changed = self.changed.notified();
            if self.try_take(path, holder, shared) {
                return;
            }
            changed.await;
        }
    }

    /// Gives up a lock, if that open file holds one.
    pub(crate) fn release(&self, path: &str, holder: u64) {
        let mut held = self.held();
        let Some(lock) = held.get_mut(path) else { return };
        lock.shared.remove(&holder);
        lock.exclusive = lock.exclusive.filter(|&other| other != holder);
        if lock.exclusive.is_none() && lock.shared.is_empty() {
            held.remove(path);
        }
        drop(held);
        self.changed.notify_waiters();
    }
}

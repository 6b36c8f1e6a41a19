//! The memory of a session's shells.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that the variables and arguments of a session's shells may have in all.
const LARGEST_SESSION: usize = 128 * 1024 * 1024;

/// What a shell takes of its session's memory. A copy takes as much again, although it shares what it does not change.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    session: Arc<AtomicUsize>,
    own: usize,
}

impl Allowance {
    /// That of another shell of the session, which has taken nothing yet.
    pub(super) fn of_the_same_session(&self) -> Self {
        Self { session: Arc::clone(&self.session), own: 0 }
    }

    /// Takes `new` bytes in place of `old` ones; false when the session has no more.
    pub(super) fn exchange(&mut self, old: usize, new: usize) -> bool {
        let others = self.session.load(Ordering::Relaxed).saturating_sub(self.own);
        let own = self.own.saturating_sub(old).saturating_add(new);
        if new > old && others.saturating_add(own) > LARGEST_SESSION {
            return false;
        }
        self.session.fetch_add(own, Ordering::Relaxed);
        self.session.fetch_sub(self.own, Ordering::Relaxed);
        self.own = own;
        true
    }
}

impl Clone for Allowance {
    fn clone(&self) -> Self {
        self.session.fetch_add(self.own, Ordering::Relaxed);
        Self { session: Arc::clone(&self.session), own: self.own }
    }
}

impl Drop for Allowance {
    fn drop(&mut self) {
        self.session.fetch_sub(self.own, Ordering::Relaxed);
    }
}

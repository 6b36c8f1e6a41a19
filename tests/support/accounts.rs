//! The machine's list of accounts, which tests share. `useradd` replaces /etc/passwd, and a file that is mounted over it in a
//! namespace of another test falls off then.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Who uses the list now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// So many need it as it is.
    Kept(usize),
    /// Somebody changes it.
    Changed,
}

static NOW: Mutex<Use> = Mutex::new(Use::Kept(0));
static ENDED: Condvar = Condvar::new();

fn wait(until: impl Fn(Use) -> bool) -> MutexGuard<'static, Use> {
    let now = NOW.lock().unwrap_or_else(PoisonError::into_inner);
    ENDED.wait_while(now, |now| !until(*now)).unwrap_or_else(PoisonError::into_inner)
}

/// As long as it lives nobody changes the list. A test may have several.
pub(crate) struct Kept;

impl Kept {
    pub(crate) fn begin() -> Self {
        // Who waits to change it does not keep others off: a test that has one and takes another would wait for itself.
        let mut now = wait(|now| now != Use::Changed);
        if let Use::Kept(many) = *now {
            *now = Use::Kept(many + 1);
        }
        Self
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut now = wait(|_| true);
        if let Use::Kept(many) = *now {
            *now = Use::Kept(many.saturating_sub(1));
        }
        ENDED.notify_all();
    }
}

/// As long as it lives nobody else needs the list as it is.
pub(crate) struct Changed;

impl Changed {
    pub(crate) fn begin() -> Self {
        *wait(|now| now == Use::Kept(0)) = Use::Changed;
        Self
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        *wait(|_| true) = Use::Kept(0);
        ENDED.notify_all();
    }
}

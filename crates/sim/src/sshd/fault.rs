//! What can be made to go wrong with a simulated machine, while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use jumpdeck_fleet::names::HostName;

/// Wakers kept.
const KEPT: usize = 64;

/// Something wrong with a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It accepts connections and keeps the old ones, and not a byte comes or goes.
    Silent,
    /// The next output is cut in the middle and the connection ends.
    DropMidReport,
    /// Commands write bytes that mean nothing, terminal escapes among them.
    Garbage,
    /// Commands write without end.
    Flood,
    /// It shows another host key. Live connections end.
    ChangedKey,
    /// It is another machine behind the same address and key. Live connections end.
    AnswersAs(HostName),
    /// Nothing listens. Live connections end.
    Refuse,
    /// It refuses every login. Live connections end.
    AuthFail,
    /// So many milliseconds more for a round trip.
    Latency(u64),
}

/// A machine's fault, and the means to end its connections.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    fault: Mutex<Option<Fault>>,
    waiting: Mutex<Vec<Waker>>,
    /// Connections of an older generation are dead.
    generation: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Switch {
    pub(crate) fn fault(&self) -> Option<Fault> {
        lock(&self.fault).clone()
    }

    pub(crate) fn is_silent(&self) -> bool {
        *lock(&self.fault) == Some(Fault::Silent)
    }

    pub(crate) fn latency(&self) -> Option<Duration> {
        match *lock(&self.fault) {
            Some(Fault::Latency(milliseconds)) => Some(Duration::from_millis(milliseconds)),
            _ => None,
        }
    }

    pub(crate) fn set(&self, fault: Option<Fault>) {
        use Fault::{AnswersAs, AuthFail, ChangedKey, Refuse};
        let ends = matches!(fault, Some(ChangedKey | AnswersAs(_) | Refuse | AuthFail));
        *lock(&self.fault) = fault;
        if ends {
            self.drop_connections();
        } else {
            self.wake();
        }
    }

    pub(crate) fn drop_connections(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Wakes this task at the next change.
    pub(crate) fn wait(&self, context: &Context<'_>) {
        let mut waiting = lock(&self.waiting);
        if waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            return;
        }
        // Tasks that have ended leave theirs behind: one wakes for nothing now and then, and the list stays short.
        if waiting.len() >= KEPT {
            waiting.drain(..).for_each(Waker::wake);
        }
        waiting.push(context.waker().clone());
    }

    fn wake(&self) {
        for waker in lock(&self.waiting).drain(..) {
            waker.wake();
        }
    }
}

//! What the task that keeps a lease and its owner both look at.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use super::{Holder, LOST_AFTER, LeaseWidth};
use crate::runbook::approval::{ApprovalQuestion, Approved};
use jumpdeck_fleet::text::Clean;

/// What the task and its owner both look at.
#[derive(Debug)]
pub(super) struct LeaseShared {
    /// When the newest answered beat was sent, in milliseconds of the clock that counts sleep.
    proved: AtomicU64,
    holder: Mutex<Holder>,
    approved: Mutex<Option<Approved>>,
    scope: LeaseWidth,
    /// It is a dry run.
    dry: AtomicBool,
    /// The jump box knows that the run may change something.
    open: AtomicBool,
}

/// Milliseconds since this machine started, its sleep included: the jump box does not sleep with it.
pub(super) fn clock() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LeaseShared {
    /// Of a lease that was taken just now; the holder got its first sign of life when `sent` was.
    pub(super) fn new(holder: Holder, scope: LeaseWidth, sent: u64) -> Self {
        Self {
            proved: AtomicU64::new(sent),
            holder: Mutex::new(holder),
            approved: Mutex::default(),
            scope,
            dry: AtomicBool::new(false),
            open: AtomicBool::new(false),
        }
    }

    /// A beat that was sent then is answered.
    pub(super) fn is_proved(&self, sent: u64) {
        self.proved.fetch_max(sent, Ordering::AcqRel);
    }

    /// Looks at what is known of the holder.
    pub(super) fn holder<T>(&self, look: impl FnOnce(&Holder) -> T) -> T {
        look(&locked(&self.holder))
    }

    /// Whether the holder cannot have let go by now.
    pub(super) fn is_fresh(&self) -> bool {
        let silent = clock().saturating_sub(self.proved.load(Ordering::Acquire));
        Duration::from_millis(silent) < LOST_AFTER
    }

    pub(super) fn at_step(&self, step: &str) {
        let mut holder = locked(&self.holder);
        holder.step = Clean::new(step);
        holder.since = Timestamp::now();
    }

    pub(super) fn ask(&self, question: Option<ApprovalQuestion>) {
        locked(&self.holder).asks = question;
        *locked(&self.approved) = None;
    }

    pub(super) fn approved(&self) -> Option<Approved> {
        locked(&self.approved).clone()
    }

    pub(super) fn is_dry(&self) {
        self.dry.store(true, Ordering::Release);
    }

    /// Whether the jump box knows that the run may change something, or it never will; it does from now on.
    pub(super) fn opened(&self) -> bool {
        self.dry.load(Ordering::Acquire) || self.open.swap(true, Ordering::AcqRel)
    }

    /// Whom it keeps off.
    pub(super) fn scope(&self) -> LeaseWidth {
        self.scope
    }

    /// The account on the jump box.
    pub(super) fn account(&self) -> Clean {
        locked(&self.holder).account.clone()
    }

    pub(super) fn approve(&self, approved: Approved) {
        let holder = locked(&self.holder);
        let who = Clean::new(&approved.approval.who);
        // One account is one person, whatever it calls itself.
        let ours = approved.uid == holder.uid || who == holder.who || who.is_empty();
        let asked = holder.asks.as_ref().is_some_and(|question| approved.approval.answers(question));
        if ours || !asked {
            tracing::warn!(uid = approved.uid, account = %approved.account, %who, "approval ignored: it is of the operator's own account, or the run does not ask for it");
            return;
        }
        *locked(&self.approved) = Some(approved);
    }
}

//! Who holds a lease.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::GONE_AFTER;
use crate::runbook::approval::ApprovalQuestion;
use crate::runbook::wall;
use jumpdeck_fleet::text::Clean;

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who, by their own console: `account@machine`.
    pub who: Clean,
    /// The account on the jump box: the name of the owner of its file, for eyes.
    pub account: Clean,
    /// That account's number: who it is.
    pub uid: u32,
    /// The run.
    pub run: Clean,
    /// The runbook.
    pub runbook: Clean,
    /// The step in question; empty before the first.
    pub step: Clean,
    /// Since when: when that step began, by the operator's clock.
    pub since: Timestamp,
    /// When the lease was taken.
    pub taken: Timestamp,
    /// Time since its last sign of life, by the jump box's clock.
    pub silent: Duration,
    /// What it keeps others from: `production.promote-masterdb`, `production.host.db2`.
    pub keys: Vec<String>,
    /// What it asks a second person now.
    pub asks: Option<ApprovalQuestion>,
}

impl Holder {
    /// Of a lease to be taken now.
    #[must_use]
    pub fn new(who: &str, run: &str, runbook: &str) -> Self {
        let now = Timestamp::now();
        Self {
            who: Clean::new(who),
            account: Clean::default(),
            uid: 0,
            run: Clean::new(run),
            runbook: Clean::new(runbook),
            step: Clean::default(),
            since: now,
            taken: now,
            silent: Duration::ZERO,
            keys: Vec::new(),
            asks: None,
        }
    }

    /// Whether it gave a sign of life lately.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.silent <= GONE_AFTER
    }
}

impl std::fmt::Display for Holder {
    /// `anna@desk (as ops) runs promote-masterdb (RUN), at freeze since 13:45:02+01:00`, in local time.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let local = |at: Timestamp| wall::since(at, Timestamp::now(), &TimeZone::system());
        write!(f, "{} (as {}) runs {} ({})", self.who, self.account, self.runbook, self.run)?;
        match self.step.is_empty() {
            true => write!(f, ", before its first step, since {}", local(self.taken)),
            false => write!(f, ", at {} since {}", self.step, local(self.since)),
        }
    }
}

//! Logs that the console follows: one following at a time, its news in batches.

use std::sync::Arc;

use crate::operator::logs::FollowedLogs;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::log::{LogEvent, LogRequest};

/// Begins to follow logs.
pub type OpenLogs = Box<dyn Fn(Arc<Environment>, LogRequest) -> FollowedLogs + Send>;

/// News taken in before the loop looks at keys and frames again.
const BATCH: usize = 32;

/// What is followed now.
pub struct LogFollowing {
    open: OpenLogs,
    followed: Option<(u64, FollowedLogs)>,
}

impl LogFollowing {
    /// Nothing is followed yet.
    #[must_use]
    pub fn new(open: OpenLogs) -> Self {
        Self { open, followed: None }
    }

    /// Follows these, in place of any that are.
    pub(super) fn follow(&mut self, number: u64, env: Arc<Environment>, request: LogRequest) {
        // The one before ends first, on the hosts, too.
        self.followed = None;
        self.followed = Some((number, (self.open)(env, request)));
    }

    /// Ends what is followed.
    pub(super) fn stop(&mut self) {
        self.followed = None;
    }

    /// The next news, and of which following. Cancel-safe; waits for ever where there is none.
    pub(super) async fn next(&mut self) -> (u64, Vec<LogEvent>) {
        if let Some((number, followed)) = &mut self.followed {
            let mut batch = Vec::new();
            if followed.events.recv_many(&mut batch, BATCH).await > 0 {
                return (*number, batch);
            }
        }
        // All hosts have ended: what was read stays on screen.
        self.followed = None;
        std::future::pending().await
    }
}

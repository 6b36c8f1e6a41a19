//! The host that the console looks at: one at a time.

use std::sync::Arc;

use crate::operator::look::WatchedHost;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::look::{LookEvent, LookKind};
use jumpdeck_fleet::names::HostName;

/// Begins to look at a host.
pub type OpenLook = Box<dyn Fn(&Arc<Environment>, &HostName, LookKind) -> WatchedHost + Send>;

/// What is looked at now.
pub struct Looking {
    open: OpenLook,
    watched: Option<(u64, WatchedHost)>,
}

impl Looking {
    /// At nothing yet.
    #[must_use]
    pub fn new(open: OpenLook) -> Self {
        Self { open, watched: None }
    }

    /// Looks at this, in place of what is looked at.
    pub(super) fn look(&mut self, number: u64, env: &Arc<Environment>, host: &HostName, kind: LookKind) {
        // The one before ends first, on the host, too.
        self.watched = None;
        self.watched = Some((number, (self.open)(env, host, kind)));
    }

    /// Asks now.
    pub(super) fn again(&self) {
        if let Some((_, watched)) = &self.watched {
            watched.again();
        }
    }

    /// Looks no longer.
    pub(super) fn stop(&mut self) {
        self.watched = None;
    }

    /// The next news, and of which look. Cancel-safe; waits for ever where there is none.
    pub(super) async fn next(&mut self) -> (u64, LookEvent) {
        if let Some((number, watched)) = &mut self.watched
            && let Some(event) = watched.events.recv().await
        {
            return (*number, event);
        }
        // It has ended: what was answered stays on screen.
        self.watched = None;
        std::future::pending().await
    }
}

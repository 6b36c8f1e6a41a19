//! How machines are reached, behind a small trait: SSH in the product ([`super::over_ssh`]), scripted links in tests.

use std::sync::Arc;
use std::time::Duration;

use crate::transport::BoxFuture;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::left::LeftRun;
use jumpdeck_fleet::snapshot::{Link, LinkState, Retry};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Why a machine could not be reached, or was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The state it puts the machine in.
    pub state: LinkState,
    /// The hop that failed.
    pub hop: Hop,
    /// What happened, and what to do next.
    pub detail: Clean,
    /// Who may try again.
    pub retry: Retry,
}

impl Failure {
    /// Whether nothing is tried again before an operator says so.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        self.state.needs_a_person() || self.retry == Retry::ByOperator
    }

    /// The link after it: since when it is in this state stays, when the state does.
    #[must_use]
    pub fn link(self, before: &Link, now: Moment, retry_at: Option<Moment>) -> Link {
        let since = if before.state == self.state { before.since } else { now };
        Link { state: self.state, hop: Some(self.hop), detail: self.detail, since, retry_at }
    }
}

/// Opens the way into an environment.
pub trait Reach: Send + Sync + 'static {
    /// Connects to the environment's jump box.
    fn jump<'a>(&'a self, env: &'a Arc<Environment>) -> BoxFuture<'a, Result<Arc<dyn JumpWay>, Failure>>;

    /// A person wants another try: what was refused before may be asked for again.
    fn forget_refusals(&self) {}
}

/// A live connection to a jump box.
pub trait JumpWay: Send + Sync + 'static {
    /// Connects to a host behind it.
    fn host<'a>(&'a self, host: &'a Arc<Host>) -> BoxFuture<'a, Result<Box<dyn HostWay>, Failure>>;
    /// One round trip to the jump box.
    fn ping(&self) -> BoxFuture<'_, Result<Duration, Failure>>;
    /// Waits until the connection has ended, and says why.
    fn closed(&self) -> BoxFuture<'_, Failure>;
    /// Runs that are not over, by their entries on the jump box; a gap when that cannot be told.
    fn left(&self, env: Arc<Environment>) -> BoxFuture<'_, Result<Vec<LeftRun>, Gap>>;
    /// What it said before authentication.
    fn banner(&self) -> Vec<Clean>;
    /// Which jump box is silent, after a sign of life did not come; those before it are asked again, each for `limit` at
    /// most. `None` for the one the environment names.
    fn silent_hop(&self, _limit: Duration) -> BoxFuture<'_, Option<Hop>> {
        Box::pin(std::future::ready(None))
    }
    /// Whether an operator took part in the login: after the connection is lost, the next login may send a push.
    fn was_interactive(&self) -> bool {
        false
    }
}

/// A live connection to a host, with a shell that reads its program from standard input.
pub trait HostWay: Send + Sync + 'static {
    /// Starts `/bin/sh`.
    fn shell(&self) -> BoxFuture<'_, Result<Box<dyn Shell>, Failure>>;
}

/// A running `/bin/sh`.
pub trait Shell: Send + 'static {
    /// Writes to its standard input.
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Failure>>;
    /// The next bytes of its standard output; an error when it, or the connection, has ended.
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, Failure>>;
    /// What it printed on either stream before any report, in quotes: a forced command, an account without a shell and a
    /// bastion say there why there is none.
    fn said(&self) -> Option<String> {
        None
    }
}

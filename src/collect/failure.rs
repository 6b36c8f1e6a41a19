//! Why a machine's figures are not current.

use crate::transport::error::TransportError;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::{Link, LinkState, Retry};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Why a machine could not be reached, or was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
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
    pub(super) fn needs_a_person(&self) -> bool {
        self.state.needs_a_person() || self.retry == Retry::ByOperator
    }

    /// The link after it: since when it is in this state stays, when the state does.
    #[must_use]
    pub(super) fn link(self, before: &Link, now: Moment, retry_at: Option<Moment>) -> Link {
        let since = if before.state == self.state { before.since } else { now };
        Link { state: self.state, hop: Some(self.hop), detail: self.detail, since, retry_at }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self { state: error.state(), detail: error.describe(), retry: error.retry, hop: error.hop }
    }
}

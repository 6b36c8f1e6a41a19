//! How something is sent, and what for.

use std::time::Duration;

use crate::runbook::machine::StepRef;

/// What becomes of a statement whose session is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runbook) enum Lost {
    /// It fails: nothing was started.
    Fails,
    /// A client is started for it.
    NewClient,
}

impl Lost {
    /// Of what a step asks. A dry run opens no session.
    pub(in crate::runbook) fn of_reads(at: StepRef<'_>) -> Self {
        if at.machine().dry_run { Self::NewClient } else { Self::Fails }
    }
}

/// What a command is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// It only asks: it may be sent as often as one likes.
    Asking,
    /// A step's change.
    Change,
    /// Taking that back.
    Undo,
}

/// What a change leaves on hosts while it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark<'k> {
    /// Nothing of that kind: what proves it tells.
    None,
    /// A folder on each of its hosts.
    Folder {
        /// It is root's, where the inventory says `sudo`.
        sudo: bool,
    },
    /// The session of a `hold`: when it has ended, nothing that was sent in it comes later.
    Session {
        /// The step that opened it.
        hold: &'k str,
    },
    /// A folder on the jump box, and a job of this function on the minions.
    Salt {
        /// The function.
        function: &'k str,
    },
}

/// How something is sent.
#[derive(Debug, Clone, Copy)]
pub(in crate::runbook) struct Manner {
    /// How long it may take.
    pub(in crate::runbook) limit: Duration,
    /// Whether what it prints is not shown.
    pub(in crate::runbook) quiet: bool,
    /// What for.
    pub(in crate::runbook) what: For,
    /// What becomes of a statement whose session is not open.
    pub(in crate::runbook) lost: Lost,
}

impl Manner {
    /// As a step wants it.
    pub(super) fn of(at: StepRef<'_>, what: For) -> Self {
        let lost = match what {
            For::Asking => Lost::of_reads(at),
            For::Change => Lost::Fails,
            // What is undone must be undone.
            For::Undo => Lost::NewClient,
        };
        Self { limit: at.step().timeout, quiet: at.is_quiet(), what, lost }
    }
}

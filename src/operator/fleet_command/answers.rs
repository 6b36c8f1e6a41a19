//! What became of a command on a host.

use crate::transport::StreamOutput;
use crate::transport::error::TransportError;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

/// What became of it on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandAnswer {
    /// The host.
    pub host: HostName,
    /// How it ended there.
    pub end: CommandEnd,
}

/// How a command ended; `printed` is standard output and standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandEnd {
    /// With an exit status.
    Exit {
        /// Which.
        status: u32,
        /// Something that it started still had its output open when its time was over.
        left_open: bool,
        /// What it printed.
        printed: [StreamOutput; 2],
    },
    /// By a signal.
    Signal {
        /// Which.
        signal: Clean,
        /// What it printed.
        printed: [StreamOutput; 2],
    },
    /// It was sent, and how it ended is not known: it may be running there.
    Unknown {
        /// Why; `None`: the operator interrupted it.
        why: Option<TransportError>,
        /// What it had printed.
        printed: [StreamOutput; 2],
    },
    /// It did not run there.
    NotRun(NotRun),
}

/// Why a command did not run on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRun {
    /// The host could not be asked.
    Failed(TransportError),
    /// The operator interrupted it before the host's turn.
    Interrupted,
}

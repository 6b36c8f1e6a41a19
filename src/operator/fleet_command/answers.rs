//! What became of a command on a host.

use crate::transport::StreamOutput;
use crate::transport::error::TransportError;
use jumpdeck_fleet::hop::Hop;
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

impl CommandEnd {
    /// What is to be said of it besides its name.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Exit { left_open: true, .. } => {
                Some("something that it started still had its output open when its time was over".to_owned())
            }
            Self::Exit { left_open: false, .. } | Self::Signal { .. } => None,
            Self::Unknown { why: None, .. } => {
                Some("interrupted by you; it may still be running there".to_owned())
            }
            Self::Unknown { why: Some(error), .. } | Self::NotRun(NotRun::Failed(error)) => {
                Some(format!("{}: {}", hop(error), error.describe()))
            }
            Self::NotRun(NotRun::Interrupted) => Some("interrupted by you before its turn".to_owned()),
        }
    }

    /// Standard output and standard error; `None` where it did not run.
    #[must_use]
    pub fn printed(&self) -> Option<&[StreamOutput; 2]> {
        match self {
            Self::Exit { printed, .. } | Self::Signal { printed, .. } | Self::Unknown { printed, .. } => {
                Some(printed)
            }
            Self::NotRun(NotRun::Failed(_) | NotRun::Interrupted) => None,
        }
    }
}

/// The failing hop; hosts of a group have the same failure, so that none of them is named.
fn hop(error: &TransportError) -> String {
    match &error.hop {
        Hop::Here => "this machine".to_owned(),
        Hop::Jump(name) => format!("jump box {name}"),
        Hop::Host(_) => "the host itself".to_owned(),
    }
}

/// What was kept of a stream, line by line, and whether all of it is UTF-8.
#[must_use]
pub fn kept_lines(stream: &StreamOutput) -> (Vec<Clean>, bool) {
    let text = String::from_utf8_lossy(&stream.kept);
    let whole = match std::str::from_utf8(&stream.kept) {
        Ok(_) => true,
        // The limit may have cut a character.
        Err(error) => error.error_len().is_none() && stream.beyond > 0,
    };
    (Clean::lines(&text), whole)
}

//! Programs run on a host: a `/bin/sh` that stays, and commands that end. Imports `domain`.

use bytes::Bytes;

use crate::domain::text::Clean;

use super::error::SshError;

/// A `/bin/sh` reading its program from standard input. Dropping it closes its channel.
#[derive(Debug)]
pub struct Script {}

impl Script {
    /// Sends bytes to its standard input.
    ///
    /// # Errors
    /// When the channel has ended.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), SshError> {
        todo!()
    }

    /// The next bytes of its standard output; `None` when there will be no more (see [`Script::end`]). Cancel-safe.
    pub async fn read_chunk(&mut self) -> Option<Bytes> {
        todo!()
    }

    /// Closes it, waits a moment for its end, and says how it ended. After `None` from [`Script::read_chunk`] this
    /// is immediate.
    pub async fn end(self) -> ScriptEnd {
        todo!()
    }
}

/// How a [`Script`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptEnd {
    /// Exit status, when it gave one (a signalled process gives none).
    pub status: Option<u32>,
    /// The last 4 KiB of standard error, line by line.
    pub stderr: Vec<Clean>,
    /// Why it ended, when not by itself: connection lost, flooding.
    pub error: Option<SshError>,
}

/// What a command left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutcome {
    /// Exit status; `None` when it was killed by a signal, or gave none.
    pub status: Option<u32>,
    /// The signal that killed it.
    pub signal: Option<Clean>,
    /// Standard output, at most 1 MiB.
    pub stdout: Vec<u8>,
    /// Standard error, the last 4 KiB.
    pub stderr: Vec<u8>,
}

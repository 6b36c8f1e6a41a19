//! Programs run on a host: a `/bin/sh` that stays, and commands that end.

mod local;
mod record;
mod remote;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use russh::ChannelWriteHalf;
use russh::client::Msg;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

use super::inbox::{INBOX_LIMIT, Inbox};
use crate::listening::within;
use crate::transport::TerminalSize;
use crate::transport::error::{ErrorKind, TransportError};
pub(super) use local::spawn as spawn_local;
pub(super) use record::{here as record_here, remote as record_remote};
pub(super) use remote::{spawn as spawn_remote, spawn_in_terminal};

/// How much of standard error is kept: the end of it.
const STDERR_KEPT: usize = 4096;
/// How much of the beginning of both streams is kept.
const FIRST_KEPT: usize = 2048;
/// Bytes that are handed to a connection at once. It writes out together what waits, and keeps buffers as large as that.
const PIECE: usize = 2048;
/// How long a script that is told to end may take.
const END_LIMIT: Duration = Duration::from_secs(1);

/// A program reading its standard input, a `/bin/sh` for one. Dropping it closes its channel.
///
/// Its output is taken off the connection at once, whether or not it is read: at most 1 MiB waits, then the channel is
/// closed and [`RemoteProgram::end`] says so.
pub struct RemoteProgram {
    hop: Hop,
    inbox: Arc<Inbox>,
    ended: watch::Receiver<Option<ProgramEnding>>,
    input: StandardInput,
    heard: Arc<Heard>,
    stop: CancellationToken,
    _dropped: DropGuard,
}

/// The first bytes a program printed, on either stream, in the order they came.
#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<u8>>);

impl Heard {
    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = FIRST_KEPT.saturating_sub(kept.len());
        kept.extend(bytes.iter().take(room));
    }
}

/// Where standard input goes.
enum StandardInput {
    Channel(Arc<ChannelWriteHalf<Msg>>),
    Pipe(Mutex<Option<ChildStdin>>),
}

/// How a program ended, as it came.
#[derive(Clone, Default)]
struct ProgramEnding {
    status: Option<u32>,
    signal: Option<Clean>,
    stderr: Vec<u8>,
    error: Option<TransportError>,
}

/// How a [`RemoteProgram`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptEnd {
    /// Exit status; `None` when it was killed by a signal, or gave none.
    pub status: Option<u32>,
    /// The signal that killed it.
    pub signal: Option<Clean>,
    /// The last 4 KiB of standard error, line by line.
    pub stderr: Vec<Clean>,
    /// Why it ended, when not by itself: connection lost, refused, flooding.
    pub error: Option<TransportError>,
}

impl From<ProgramEnding> for ScriptEnd {
    fn from(end: ProgramEnding) -> Self {
        let stderr = Clean::lines(&String::from_utf8_lossy(&end.stderr));
        Self { status: end.status, signal: end.signal, stderr, error: end.error }
    }
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
    /// The last 4 KiB of standard error.
    pub stderr: Vec<u8>,
}

impl std::fmt::Debug for RemoteProgram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("hop", &self.hop).finish_non_exhaustive()
    }
}

/// Whether all of it was sent. Each connection keeps two buffers as large as the most that was ever written to it at once: a piece
/// goes out before the next one is there.
async fn sent_in_pieces(channel: &ChannelWriteHalf<Msg>, bytes: &[u8]) -> bool {
    for (at, piece) in bytes.chunks(PIECE).enumerate() {
        if at > 0 {
            tokio::task::yield_now().await;
        }
        if channel.data_bytes(piece.to_vec()).await.is_err() {
            return false;
        }
    }
    true
}

impl RemoteProgram {
    fn new(
        hop: Hop,
        inbox: Arc<Inbox>,
        ended: watch::Receiver<Option<ProgramEnding>>,
        input: StandardInput,
        (heard, stop): (Arc<Heard>, CancellationToken),
    ) -> Self {
        let dropped = stop.clone().drop_guard();
        Self { hop, inbox, ended, input, heard, stop, _dropped: dropped }
    }

    /// The first lines it printed, on either stream; also while it runs.
    #[must_use]
    pub fn first_lines(&self) -> Vec<Clean> {
        let kept = self.heard.0.lock().unwrap_or_else(PoisonError::into_inner);
        Clean::lines(&String::from_utf8_lossy(&kept))
    }

    /// Sends bytes to its standard input. Not cancel-safe: a part may have gone.
    ///
    /// # Errors
    /// When it has ended: why.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), TransportError> {
        let sent = async {
            match &self.input {
                StandardInput::Channel(channel) => sent_in_pieces(channel, bytes).await,
                StandardInput::Pipe(pipe) => match pipe.lock().await.as_mut() {
                    Some(pipe) => pipe.write_all(bytes).await.is_ok() && pipe.flush().await.is_ok(),
                    None => false,
                },
            }
        };
        self.unless_ended(sent).await
    }

    /// Whether it was sent; why not, when it has ended.
    async fn unless_ended(&self, sent: impl Future<Output = bool>) -> Result<(), TransportError> {
        tokio::select! {
            biased;
            end = self.wait() => Err(self.why(end)),
            sent = sent => match sent {
                true => Ok(()),
                false => Err(self.why(self.wait().await)),
            },
        }
    }

    /// Its terminal has another size now.
    ///
    /// # Errors
    /// When it has ended, or has no terminal.
    pub(super) async fn resize(&self, size: TerminalSize) -> Result<(), TransportError> {
        let sent = async {
            match &self.input {
                StandardInput::Channel(channel) => {
                    let (columns, rows) = (u32::from(size.columns), u32::from(size.rows));
                    channel.window_change(columns, rows, 0, 0).await.is_ok()
                }
                StandardInput::Pipe(_) => false,
            }
        };
        self.unless_ended(sent).await
    }

    /// Says that its standard input has ended.
    pub async fn eof(&self) {
        match &self.input {
            // An error means that it is gone already: `end` tells.
            StandardInput::Channel(channel) => drop(channel.eof().await),
            StandardInput::Pipe(pipe) => drop(pipe.lock().await.take()),
        }
    }

    /// The next bytes of its standard output; `None` when there will be no more (see [`RemoteProgram::end`]). Cancel-safe.
    pub async fn read_chunk(&mut self) -> Option<Bytes> {
        self.inbox.take().await
    }

    /// Ends its standard input, waits a moment for its end, closes it, and says how it ended. After `None` from
    /// [`RemoteProgram::read_chunk`] this is immediate.
    pub async fn end(self) -> ScriptEnd {
        if self.ended.borrow().is_none() {
            self.eof().await;
        }
        if let Some(end) = within(END_LIMIT, self.wait()).await {
            return end.into();
        }
        self.stop.cancel();
        self.wait().await.into()
    }

    /// How it ended: to be asked after `None` from [`RemoteProgram::read_chunk`]. `None` when it has not ended within a second.
    pub async fn how_it_ended(&self) -> Option<ScriptEnd> {
        within(END_LIMIT, self.wait()).await.map(ScriptEnd::from)
    }

    async fn wait(&self) -> ProgramEnding {
        let mut ended = self.ended.clone();
        let end = ended.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        end.unwrap_or_default()
    }

    fn why(&self, end: ProgramEnding) -> TransportError {
        end.error
            .unwrap_or_else(|| TransportError::new(&self.hop, ErrorKind::Dropped, "the program has ended"))
    }

    /// Feeds it `stdin` and waits for its end, at most `limit`.
    pub(super) async fn finish(self, stdin: &[u8], limit: Duration) -> Result<ExecOutcome, TransportError> {
        let running = async {
            if !stdin.is_empty() {
                // A command need not read its input; how it ended tells more.
                let _ = self.write(stdin).await;
            }
            self.eof().await;
            self.wait().await
        };
        let Some(end) = within(limit, running).await else {
            let detail =
                format!("command did not finish within {} s; it may still be running there", limit.as_secs());
            return Err(TransportError::new(&self.hop, ErrorKind::TimedOut, detail));
        };
        if let Some(error) = end.error {
            return Err(error);
        }
        let mut stdout = Vec::new();
        while let Some(bytes) = self.inbox.take().await {
            stdout.extend_from_slice(&bytes);
        }
        Ok(ExecOutcome { status: end.status, signal: end.signal, stdout, stderr: end.stderr })
    }
}

fn flooding(hop: &Hop) -> TransportError {
    let detail = format!("more than {} KiB of output; the session was closed", INBOX_LIMIT / 1024);
    TransportError::new(hop, ErrorKind::Flooding, detail)
}

/// Keeps the end of what is pushed.
fn keep_tail(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend_from_slice(bytes);
    tail.drain(..tail.len().saturating_sub(STDERR_KEPT));
}

//! What can be done on a host: run a command, start one that stays, open a terminal.

use std::time::Duration;

use super::BoxFuture;
use super::advice;
use super::error::{ErrorKind, TransportError};
use super::recorded::Recorded;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

/// Bytes of a command's standard output that are kept, unless more is asked for. One that prints more is ended: a host
/// cannot fill the console's memory.
pub const LARGEST_ANSWER: usize = 1 << 20;

/// How long a command may take, and how much it may print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the call to its end.
    pub time: Duration,
    /// Bytes of standard output (of each stream, where both are kept).
    pub bytes: usize,
}

impl From<Duration> for Limits {
    fn from(time: Duration) -> Self {
        Self { time, bytes: LARGEST_ANSWER }
    }
}

/// What a script left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ran {
    /// Exit status; `None` when a signal ended it, or it gave none.
    pub status: Option<u32>,
    /// Standard output, at most as much as was asked for.
    pub stdout: Vec<u8>,
    /// The last 4 KiB of standard error.
    pub stderr: Vec<u8>,
    /// The signal that ended it.
    pub signal: Option<Clean>,
}

/// A terminal to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalRequest {
    /// Its kind, as `TERM` has it: `xterm-256color`.
    pub kind: String,
    /// Its size.
    pub size: TerminalSize,
    /// What runs in it; `None` for the account's login shell.
    pub command: Option<String>,
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// How many in a line.
    pub columns: u16,
    /// How many lines.
    pub rows: u16,
}

/// A logged-in connection to a host.
pub trait Session: Send + Sync + 'static {
    /// Runs one command with `stdin`, and waits for its end; `out` gets standard output as it comes, too. The command is
    /// read by the account's login shell, whatever that is: a constant text, without backslashes and exclamation marks.
    ///
    /// An error means that nobody knows whether, or how far, it ran. When a command prints more than its limit its channel
    /// is closed, and that is such an error (`Flooding`); what does not end with its output goes on there.
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>>;

    /// Runs one command with `stdin`, waits for its end, and keeps the beginning of each stream, `limits.bytes` of it; what comes
    /// after that is counted. The command is read by the login shell, as for [`Session::exec`].
    ///
    /// An error means that it was not begun, as where no output can be recorded.
    fn record<'a>(
        &'a self,
        _command: &'a str,
        _stdin: &'a [u8],
        _limits: Limits,
    ) -> BoxFuture<'a, Result<Recorded, TransportError>> {
        let error = TransportError::new(&Hop::Here, ErrorKind::Refused, "no output can be recorded this way");
        Box::pin(std::future::ready(Err(error)))
    }

    /// Lets `/bin/sh` read `script` from its standard input, and waits for its end. The script's own commands must not
    /// read standard input.
    fn run<'a>(
        &'a self,
        script: &'a str,
        limit: Duration,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        self.exec("exec /bin/sh", script.as_bytes(), limit.into(), out)
    }

    /// Starts a command that stays, reading its standard input. Dropping it closes it: it sees its input end.
    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>>;

    /// Starts a `/bin/sh` that stays.
    fn open(&self) -> BoxFuture<'_, Result<Box<dyn Held>, TransportError>> {
        self.start("exec /bin/sh")
    }

    /// Opens a terminal with a program in it. What it prints waits until it is read, as at every terminal. Where no terminal is given, no program is started.
    fn terminal<'a>(
        &'a self,
        _: &'a TerminalRequest,
    ) -> BoxFuture<'a, Result<Box<dyn HeldTerminal>, TransportError>> {
        let error = TransportError::new(&Hop::Here, ErrorKind::Refused, "no terminal can be opened this way");
        Box::pin(std::future::ready(Err(error.advising(&advice::NO_TERMINAL))))
    }
}

/// A program that stays.
pub trait Held: Send + 'static {
    /// Writes to its standard input.
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>>;

    /// The next bytes of its standard output; an error when it, or the connection, has ended. Cancel-safe.
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>>;

    /// The first lines it printed, on either stream; also while it runs. A forced command, an account without a shell and a
    /// bastion say there why there is no program.
    fn first_lines(&self) -> Vec<Clean> {
        Vec::new()
    }

    /// What it left, when it has ended: asked after an error of [`Held::read`]. Its standard output was read before.
    ///
    /// # Errors
    /// When the connection ended it, or its status did not arrive in time.
    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>>;
}

/// A program that stays, in a terminal of its own: what it prints on either stream is read, keys are written.
pub trait HeldTerminal: Held {
    /// The terminal has another size now.
    fn resize(&mut self, size: TerminalSize) -> BoxFuture<'_, Result<(), TransportError>>;
}

//! A remote shell at the local terminal: what is typed goes there, what it prints comes here, until one of them ends.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::raw::{self, RawTerminal};
use crate::operator::fleet_command::RemoteShell;
use crate::transport::error::TransportError;
use crate::transport::{Ran, TerminalRequest, TerminalSize};

/// Behind the last output this much time is given to a terminal that takes no more.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
/// The size that is asked for where the terminal tells none.
const USUAL: TerminalSize = TerminalSize { columns: 80, rows: 24 };

/// How a shell was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellEnd {
    /// It ended, or the connection did.
    Remote,
    /// The local terminal is gone, or a signal asks this process to end.
    Local,
}

/// A login shell on a terminal like the local one.
#[must_use]
pub fn request() -> TerminalRequest {
    let kind = std::env::var("TERM").ok().filter(|kind| !kind.is_empty());
    TerminalRequest {
        kind: kind.unwrap_or_else(|| "dumb".to_owned()),
        size: raw::size().unwrap_or(USUAL),
        command: None,
    }
}

/// Passes keys to the shell and its output to the terminal, until one of them ends, or `interrupted` returns. The terminal is given
/// back when this returns or is dropped.
///
/// # Errors
/// When the local terminal refuses.
pub async fn attend(
    shell: &mut RemoteShell,
    terminal: RawTerminal,
    keys: &mut mpsc::Receiver<Vec<u8>>,
    interrupted: impl AsyncFnOnce(),
) -> io::Result<ShellEnd> {
    let mut typing = true;
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let mut writing: Option<JoinHandle<io::Result<()>>> = None;
    let mut interrupted = pin!(interrupted());
    let end = loop {
        let idle = writing.is_none();
        tokio::select! {
            biased;
            () = &mut interrupted => break ShellEnd::Local,
            written = written(&mut writing), if !idle => {
                writing = None;
                if !written {
                    break ShellEnd::Local;
                }
            }
            Some(()) = resized.recv() => resize(shell).await,
            Some(()) = continued.recv() => {
                terminal.make_raw()?;
                resize(shell).await;
            }
            typed = keys.recv(), if typing => match typed {
                // What it printed before it ended is still to be read.
                Some(bytes) => typing = shell.terminal.write(&bytes).await.is_ok(),
                None => break ShellEnd::Local,
            },
            // Nothing is read while the terminal takes no more: the remote program waits then, as at its own terminal.
            read = shell.terminal.read(), if idle => match read {
                Ok(bytes) => writing = Some(tokio::task::spawn_blocking(move || raw::show(&bytes))),
                Err(_) => break ShellEnd::Remote,
            },
        }
    };
    if writing.is_some() {
        // A terminal that takes no more keeps nobody waiting.
        let _ = tokio::time::timeout(LAST_OUTPUT, written(&mut writing)).await;
    }
    Ok(end)
}

/// Whether the output was written.
async fn written(writing: &mut Option<JoinHandle<io::Result<()>>>) -> bool {
    match writing {
        Some(writing) => matches!(writing.await, Ok(Ok(()))),
        None => true,
    }
}

async fn resize(shell: &mut RemoteShell) {
    if let Ok(size) = raw::size() {
        // A shell that has ended needs none: the next read says so.
        let _ = shell.terminal.resize(size).await;
    }
}

/// The exit status of a shell that has ended.
///
/// # Errors
/// Why there is none.
pub fn status(ended: Result<Ran, TransportError>) -> Result<u32, String> {
    match ended {
        Ok(Ran { status: Some(status), .. }) => Ok(status),
        Ok(Ran { signal: Some(signal), .. }) => Err(format!("the shell was ended by signal {signal}")),
        Ok(Ran { .. }) => Err("the shell ended without an exit status".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

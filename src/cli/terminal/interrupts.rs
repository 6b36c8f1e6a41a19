//! `^C` and the signals that end a process.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::cli::common::CliError;

/// What interrupts: `^C`, or the end of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Interrupt {
    /// A person wants it to stop; a second time, to be let go.
    Key,
    /// The process is asked to end.
    End,
}

/// `^C` and the signals that end a process, from now on as plain data: nothing dies with the terminal changed.
///
/// # Errors
/// When the system gives no signals.
pub(in crate::cli) fn interrupts() -> std::io::Result<mpsc::Receiver<Interrupt>> {
    let (sender, receiver) = mpsc::channel(4);
    for (kind, means) in [
        (SignalKind::interrupt(), Interrupt::Key),
        (SignalKind::terminate(), Interrupt::End),
        (SignalKind::hangup(), Interrupt::End),
        (SignalKind::quit(), Interrupt::End),
    ] {
        tokio::spawn(forward(signal(kind)?, means, sender.clone()));
    }
    Ok(receiver)
}

async fn forward(mut signal: Signal, means: Interrupt, to: mpsc::Sender<Interrupt>) {
    while signal.recv().await.is_some() && to.send(means).await.is_ok() {}
}

/// Work that `^C` ends: nothing was started yet.
pub(in crate::cli) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, CliError>>,
    interrupts: &mut mpsc::Receiver<Interrupt>,
) -> Result<T, CliError> {
    tokio::select! {
        done = work => done,
        _ = interrupts.recv() => Err(CliError::Refused("interrupted; nothing was started".to_owned())),
    }
}

//! The log: off unless `JUMPDECK_LOG` asks for it, to a file in the state folder, never to the terminal.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// The variable that asks for a log and says how much: `info`, `debug`, `jumpdeck=trace`, …
pub(super) const VARIABLE: &str = "JUMPDECK_LOG";
/// The file in the state folder.
pub(super) const FILE: &str = "jumpdeck.log";

/// Starts the log when it is asked for. What is logged of hosts is made printable before it gets here.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn start(state: &Path) -> io::Result<()> {
    let Some(filter) = std::env::var(VARIABLE).ok().filter(|f| !f.is_empty()) else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(0o700).create(state)?;
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(state.join(FILE))?;
    let filter = EnvFilter::try_new(filter).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Mutex::new(file));
    // A second start in one process keeps the first.
    let _ = log.try_init();
    Ok(())
}

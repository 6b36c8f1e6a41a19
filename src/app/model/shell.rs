//! A shell on a host that a person asked for: shown until it has the terminal, and when it could not be opened or was lost.

use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::text::Clean;

/// What is shown of a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellBox {
    /// Which.
    pub number: u64,
    /// Its host.
    pub host: HostName,
    /// The host's environment.
    pub env: EnvName,
    /// Where it is.
    pub stage: ShellStage,
}

/// Where a shell is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellStage {
    /// It is being opened.
    Opening,
    /// It has the terminal.
    Attended,
    /// It could not be opened.
    Failed(Clean),
    /// It had the terminal, and ended without an exit status.
    Lost(Clean),
}

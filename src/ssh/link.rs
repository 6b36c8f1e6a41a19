//! The links `collect` uses: to the jump box, and through it to each host. Imports `domain`.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::fleet::{Environment, Host};
use crate::domain::text::Clean;

use super::ask::Ask;
use super::dial::Dial;
use super::error::SshError;
use super::ring::KeyRing;
use super::script::{ExecOutcome, Script};

/// The way into an environment: a connection to its jump box, or none when this machine is it.
#[derive(Debug)]
pub struct JumpLink {}

impl JumpLink {
    /// Opens the way into `env`.
    ///
    /// # Errors
    /// What went wrong, at which hop.
    pub async fn open(
        env: &Environment,
        dial: Arc<dyn Dial>,
        ask: Arc<dyn Ask>,
        ring: Arc<KeyRing>,
    ) -> Result<Self, SshError> {
        todo!()
    }

    /// Logs in to a host. At most 8 at once; the rest wait their turn, which does not count against their deadline.
    ///
    /// # Errors
    /// What went wrong, at which hop.
    pub async fn host(&self, host: &Host) -> Result<HostLink, SshError> {
        todo!()
    }

    /// One round trip to the jump box; zero when this machine is it.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn ping(&self) -> Result<Duration, SshError> {
        todo!()
    }

    /// Waits until the connection has ended, and says why. Never ends for a local jump. Cancel-safe.
    pub async fn closed(&self) -> SshError {
        todo!()
    }

    /// What the jump box said before authentication.
    #[must_use]
    pub fn banner(&self) -> Vec<Clean> {
        todo!()
    }

    /// Whether this machine is the jump box.
    #[must_use]
    pub fn is_local(&self) -> bool {
        todo!()
    }
}

/// A logged-in connection to one host. Dropping it ends the connection and whatever runs in it.
#[derive(Debug)]
pub struct HostLink {}

impl HostLink {
    /// Starts `/bin/sh` reading its program from standard input, whatever the login shell is.
    ///
    /// # Errors
    /// When the host refuses the session, or the connection has ended.
    pub async fn shell(&self) -> Result<Script, SshError> {
        todo!()
    }

    /// Runs one command with `stdin`, and waits until its channel closes or `limit` is over.
    ///
    /// # Errors
    /// When the host refuses, the connection ends, or `limit` is over (the command may still run there).
    pub async fn exec(&self, command: &str, stdin: &[u8], limit: Duration) -> Result<ExecOutcome, SshError> {
        todo!()
    }

    /// One round trip to the host.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn ping(&self) -> Result<Duration, SshError> {
        todo!()
    }

    /// Waits until the connection has ended, and says why. Cancel-safe.
    pub async fn closed(&self) -> SshError {
        todo!()
    }
}

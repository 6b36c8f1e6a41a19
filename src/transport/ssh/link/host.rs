//! The link to one host.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelOpenFailure};

use super::SESSION_LIMIT;
use crate::listening::within;
use crate::transport::advice;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::ssh::connection::SshConnection;
use crate::transport::ssh::script::{self, ExecOutcome, RemoteProgram};
use crate::transport::ssh::spare::{self, Spare};
use crate::transport::{Limits, Recorded, TerminalRequest};
use jumpdeck_fleet::hop::Hop;

/// A logged-in connection to one host. Dropping it ends the connection and whatever runs in it, except for the jump box
/// itself: its connection is the [`super::JumpLink`]'s.
pub struct HostLink {
    pub(super) hop: Hop,
    pub(super) way: HostRoute,
    /// Opened ahead, for commands that come one after the other.
    pub(super) spare: Option<Spare>,
}

pub(super) enum HostRoute {
    Ssh(Arc<SshConnection>),
    Here,
}

impl fmt::Debug for HostLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostLink").field("hop", &self.hop).finish_non_exhaustive()
    }
}

impl HostLink {
    /// From the second command on, each starts in a session that was opened while the one before ran: a round trip less.
    #[must_use]
    pub fn opening_ahead(self) -> Self {
        Self { spare: Some(Spare::default()), ..self }
    }

    /// Starts `/bin/sh` reading its program from standard input, whatever the login shell is.
    ///
    /// # Errors
    /// When the host refuses the session, or the connection has ended.
    pub async fn shell(&self) -> Result<RemoteProgram, TransportError> {
        match &self.way {
            HostRoute::Here => script::spawn_local(&self.hop, &[]),
            HostRoute::Ssh(connection) => self.start(connection, "exec /bin/sh").await,
        }
    }

    /// Starts a command that stays. It is read by the account's login shell (here: by `/bin/sh`).
    ///
    /// # Errors
    /// When the host refuses the session, or the connection has ended.
    pub async fn spawn(&self, command: &str) -> Result<RemoteProgram, TransportError> {
        match &self.way {
            HostRoute::Here => script::spawn_local(&self.hop, &["-c", command]),
            HostRoute::Ssh(connection) => self.start(connection, command).await,
        }
    }

    /// Opens a terminal with a program in it. None is opened on this machine.
    ///
    /// # Errors
    /// When the host gives no session or no terminal, or the connection has ended.
    pub(in crate::transport::ssh) async fn terminal(
        &self,
        request: &TerminalRequest,
    ) -> Result<RemoteProgram, TransportError> {
        match &self.way {
            HostRoute::Here => {
                let detail = "no terminal is opened on this machine";
                let refused = TransportError::new(&self.hop, ErrorKind::Refused, detail);
                Err(refused.advising(&advice::NO_TERMINAL))
            }
            HostRoute::Ssh(connection) => {
                let ended = connection.ended().clone();
                let opening = async {
                    let channel = self.session(connection, self.spare.as_ref()).await?;
                    script::spawn_in_terminal(&self.hop, channel, request, ended).await
                };
                within(SESSION_LIMIT, opening).await.unwrap_or_else(|| Err(self.no_session()))
            }
        }
    }

    /// Runs one command with `stdin`, and waits until its channel closes or `limit` is over. The command is read by
    /// the account's login shell (here: by `/bin/sh`).
    ///
    /// # Errors
    /// When the host refuses, the connection ends, more than 1 MiB comes, or `limit` is over (the command may still
    /// run there).
    pub async fn exec(
        &self,
        command: &str,
        stdin: &[u8],
        limit: Duration,
    ) -> Result<ExecOutcome, TransportError> {
        match &self.way {
            HostRoute::Here => script::spawn_local(&self.hop, &["-c", command])?.finish(stdin, limit).await,
            HostRoute::Ssh(connection) => self.start(connection, command).await?.finish(stdin, limit).await,
        }
    }

    /// Runs one command with `stdin`, keeps the beginning of what it prints, and counts the rest. The command is read by the
    /// account's login shell (here: by `/bin/sh`).
    ///
    /// # Errors
    /// When it was not begun: the host refuses, or the connection has ended.
    pub(in crate::transport::ssh) async fn record(
        &self,
        command: &str,
        stdin: &[u8],
        limits: Limits,
    ) -> Result<Recorded, TransportError> {
        match &self.way {
            HostRoute::Here => script::record_here(&self.hop, &["-c", command], stdin, limits).await,
            HostRoute::Ssh(connection) => {
                // None is opened ahead: a host is asked for one command.
                let channel = self.session(connection, None).await?;
                let ended = connection.ended().clone();
                script::record_remote(&self.hop, channel, (command, stdin), limits, ended).await
            }
        }
    }

    /// One round trip to the host; zero for this machine.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn ping(&self) -> Result<Duration, TransportError> {
        match &self.way {
            HostRoute::Here => Ok(Duration::ZERO),
            HostRoute::Ssh(connection) => connection.ping().await,
        }
    }

    /// Waits until the connection has ended, and says why: the jump box, when it was that. Never ends for this
    /// machine. Cancel-safe.
    pub async fn closed(&self) -> TransportError {
        match &self.way {
            HostRoute::Here => std::future::pending().await,
            HostRoute::Ssh(connection) => connection.ended().wait().await,
        }
    }

    /// Whether the connection has ended. Never for this machine.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match &self.way {
            HostRoute::Here => false,
            HostRoute::Ssh(connection) => connection.ended().has_come(),
        }
    }

    async fn start(
        &self,
        connection: &Arc<SshConnection>,
        command: &str,
    ) -> Result<RemoteProgram, TransportError> {
        let channel = self.session(connection, self.spare.as_ref()).await?;
        script::spawn_remote(&self.hop, channel, command, connection.ended().clone()).await
    }

    async fn session(
        &self,
        connection: &Arc<SshConnection>,
        spare: Option<&Spare>,
    ) -> Result<Channel<Msg>, TransportError> {
        match within(SESSION_LIMIT, spare::session(connection, spare)).await {
            Some(Ok(channel)) => Ok(channel),
            Some(Err(russh::Error::ChannelOpenFailure(why))) => {
                let detail = format!("no session: {}", why.description());
                let error = TransportError::new(&self.hop, ErrorKind::Refused, detail);
                // What sshd answers when there are as many as it allows.
                let full =
                    matches!(why, ChannelOpenFailure::ConnectFailed | ChannelOpenFailure::ResourceShortage);
                Err(if full { error.advising(&advice::MAX_SESSIONS) } else { error })
            }
            Some(Err(_)) => Err(connection.ended().wait().await),
            None => Err(self.no_session()),
        }
    }

    fn no_session(&self) -> TransportError {
        let detail = format!("no session within {} s", SESSION_LIMIT.as_secs());
        TransportError::new(&self.hop, ErrorKind::TimedOut, detail)
    }
}

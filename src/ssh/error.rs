//! What goes wrong on the way to a host: where, what, and what to do next. Imports `domain`.

use std::fmt;

use crate::domain::hop::Hop;
use crate::domain::snapshot::LinkState;
use crate::domain::text::Clean;

/// A failure on the way to a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SshError {
    /// Where it happened.
    pub hop: Hop,
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// What happened, in words, made printable.
    pub detail: Clean,
}

/// Failures told apart by what an operator can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection: refused, no route, name not found.
    Unreachable,
    /// The connection ended.
    Dropped,
    /// Too slow: the deadline or the keepalive ended it.
    TimedOut,
    /// The login was refused.
    AuthFailed,
    /// A key, a passphrase or an agent that the login needs is not to be had here.
    NoCredentials,
    /// The host key is in no known_hosts file and nobody accepted it.
    HostKeyUnknown,
    /// The host key differs from the known one.
    HostKeyChanged,
    /// The host key, or its certificate, is revoked.
    HostKeyRevoked,
    /// A host certificate is not valid (expired, for other names).
    HostCertificate,
    /// A known_hosts file cannot be read, or not written.
    KnownHostsFile,
    /// No algorithm in common that is still safe.
    Algorithms,
    /// The other side refused a session or a command.
    Refused,
    /// More output than anybody can want; the channel was closed.
    Flooding,
    /// The other side does not speak SSH, or broke its rules.
    Protocol,
}

impl SshError {
    /// A failure at `hop`. `detail` may hold remote text: it is made printable here.
    #[must_use]
    pub fn new(hop: &Hop, kind: ErrorKind, detail: impl AsRef<str>) -> Self {
        Self { hop: hop.clone(), kind, detail: Clean::new(detail.as_ref()) }
    }

    /// The link state it means.
    #[must_use]
    pub fn state(&self) -> LinkState {
        match self.kind {
            ErrorKind::TimedOut => LinkState::TimedOut,
            ErrorKind::AuthFailed | ErrorKind::NoCredentials => LinkState::AuthFailed,
            ErrorKind::HostKeyUnknown | ErrorKind::KnownHostsFile => LinkState::HostKeyUnknown,
            ErrorKind::HostKeyChanged | ErrorKind::HostKeyRevoked | ErrorKind::HostCertificate => {
                LinkState::HostKeyChanged
            }
            ErrorKind::Unreachable
            | ErrorKind::Dropped
            | ErrorKind::Algorithms
            | ErrorKind::Refused
            | ErrorKind::Flooding
            | ErrorKind::Protocol => LinkState::Unreachable,
        }
    }

    /// What to do next; empty when there is nothing but waiting for the next try.
    #[must_use]
    pub fn next(&self) -> &'static str {
        match self.kind {
            ErrorKind::AuthFailed => "check user, keys and agent in the inventory, then retry",
            ErrorKind::NoCredentials => {
                "load the key into the agent or name one in the inventory, then retry"
            }
            ErrorKind::HostKeyUnknown => {
                "compare the fingerprint with the host's own, then accept it in the console, or add it with ssh"
            }
            ErrorKind::HostKeyChanged => {
                "do not log in: find out why; if the host was replaced, correct that line by hand"
            }
            ErrorKind::HostKeyRevoked => "do not log in: the key was withdrawn; find out who uses it",
            ErrorKind::HostCertificate => "have the host's certificate signed again, then retry",
            ErrorKind::KnownHostsFile => "correct the file or its rights, then retry",
            ErrorKind::Algorithms => "the server is too old or too narrowly set: see its sshd_config",
            ErrorKind::Refused => "see the server's sshd_config (MaxSessions, AllowTcpForwarding) and shell",
            ErrorKind::Flooding => "see what the host prints at login (shell start-up files)",
            ErrorKind::Protocol => "see whether address and port are those of an SSH server",
            ErrorKind::Unreachable | ErrorKind::Dropped | ErrorKind::TimedOut => "",
        }
    }

    /// What happened and what to do next, without the hop: for [`crate::domain::snapshot::Link::detail`].
    #[must_use]
    pub fn describe(&self) -> Clean {
        if self.next().is_empty() {
            self.detail.clone()
        } else {
            format!("{}; {}", self.detail, self.next()).into()
        }
    }
}

impl fmt::Display for SshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.hop, self.describe())
    }
}

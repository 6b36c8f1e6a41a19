//! What goes wrong on the way to a host: where, what, and what to do next.

use std::fmt;

use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::{LinkState, Retry};
use jumpdeck_fleet::text::Clean;

use super::advice::{self, Advice};

/// A failure on the way to a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TransportError {
    /// Where it happened.
    pub hop: Hop,
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// What happened, in words, made printable.
    pub detail: Clean,
    /// What to do next, where that is known better than by the kind.
    pub advice: Option<&'static Advice>,
    /// Who may try again.
    pub retry: Retry,
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
    /// The known key cannot be read: whether the host has it cannot be told.
    HostKeyUnreadable,
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

impl TransportError {
    /// A failure at `hop`. `detail` may hold remote text: it is made printable here.
    #[must_use]
    pub fn new(hop: &Hop, kind: ErrorKind, detail: impl AsRef<str>) -> Self {
        Self {
            hop: hop.clone(),
            kind,
            detail: Clean::new(detail.as_ref()),
            advice: None,
            retry: Retry::Automatic,
        }
    }

    /// The same, and nothing is tried again until an operator says so: the next login may send a push or lock the account.
    #[must_use]
    pub fn by_operator(self) -> Self {
        Self { retry: Retry::ByOperator, ..self }
    }

    /// The same with advice of its own.
    #[must_use]
    pub fn advising(self, advice: &'static Advice) -> Self {
        Self { advice: Some(advice), ..self }
    }

    /// The same, and what the server said about it.
    #[must_use]
    pub(super) fn quoting(self, said: Option<String>) -> Self {
        match said {
            Some(said) => Self { detail: format!("{}; it says: {said}", self.detail).into(), ..self },
            None => self,
        }
    }

    /// The link state it means.
    #[must_use]
    pub fn state(&self) -> LinkState {
        match self.kind {
            ErrorKind::TimedOut => LinkState::TimedOut,
            ErrorKind::AuthFailed | ErrorKind::NoCredentials => LinkState::AuthFailed,
            ErrorKind::HostKeyUnknown | ErrorKind::KnownHostsFile => LinkState::HostKeyUnknown,
            ErrorKind::HostKeyChanged => LinkState::HostKeyChanged,
            ErrorKind::HostKeyRevoked | ErrorKind::HostCertificate | ErrorKind::HostKeyUnreadable => {
                LinkState::HostKeyRefused
            }
            ErrorKind::Algorithms => LinkState::NoAlgorithm,
            // The host behind it was not reached.
            ErrorKind::Refused if matches!(self.hop, Hop::Jump(_)) => LinkState::Unreachable,
            ErrorKind::Refused | ErrorKind::Flooding | ErrorKind::Protocol => LinkState::NotUsable,
            ErrorKind::Unreachable | ErrorKind::Dropped => LinkState::Unreachable,
        }
    }

    /// Whether it may pass without anybody doing something: then it is worth another try.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.retry == Retry::Automatic
            && match self.kind {
                ErrorKind::Unreachable | ErrorKind::Dropped | ErrorKind::TimedOut | ErrorKind::Protocol => {
                    true
                }
                ErrorKind::AuthFailed
                | ErrorKind::NoCredentials
                | ErrorKind::HostKeyUnknown
                | ErrorKind::HostKeyChanged
                | ErrorKind::HostKeyRevoked
                | ErrorKind::HostKeyUnreadable
                | ErrorKind::HostCertificate
                | ErrorKind::KnownHostsFile
                | ErrorKind::Algorithms
                | ErrorKind::Refused
                | ErrorKind::Flooding => false,
            }
    }

    /// What to do next; empty when there is nothing but waiting for the next try.
    #[must_use]
    pub fn next(&self) -> &'static str {
        self.advice.or_else(|| advice::of(self.kind)).map_or("", |advice| advice.text)
    }

    /// What happened and what to do next, without the hop: for [`jumpdeck_fleet::snapshot::Link::detail`].
    #[must_use]
    pub fn describe(&self) -> Clean {
        if self.next().is_empty() {
            self.detail.clone()
        } else {
            format!("{}; {}", self.detail, self.next()).into()
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.hop, self.describe())
    }
}

//! Answers, and why there is none.

use std::future::Future;

use crate::runbook::judge::HostAnswer;
use crate::runbook::place::{PerPlace, Place, Places};
use crate::transport::error::{ErrorKind, TransportError};
use jumpdeck_fleet::names::HostName;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It was refused, or ended with an error: nothing more happens there.
    Failed(String),
    /// Nobody knows whether, or how far, it ran.
    Unknown(String),
}

impl Trouble {
    pub(super) fn lost(error: &TransportError) -> Self {
        let told = format!("{}: {}", error.hop, error.describe());
        match error.kind {
            // No session was opened, or the other side runs no command: that is its answer.
            ErrorKind::Refused => Self::Failed(format!("{told}; nothing was started")),
            ErrorKind::Unreachable
            | ErrorKind::Dropped
            | ErrorKind::TimedOut
            | ErrorKind::AuthFailed
            | ErrorKind::NoCredentials
            | ErrorKind::HostKeyUnknown
            | ErrorKind::HostKeyChanged
            | ErrorKind::HostKeyRevoked
            | ErrorKind::HostKeyUnreadable
            | ErrorKind::HostCertificate
            | ErrorKind::KnownHostsFile
            | ErrorKind::Algorithms
            | ErrorKind::Flooding
            | ErrorKind::Protocol => {
                Self::Unknown(format!("{told}; it may have been done, or may still be running"))
            }
        }
    }

    /// What is to be done on a host cannot be done on none.
    pub(in crate::runbook) fn nowhere() -> Self {
        Self::Failed("no host is left to do it on; nothing was done".to_owned())
    }

    pub(in crate::runbook) fn words(&self) -> &str {
        match self {
            Self::Failed(why) | Self::Unknown(why) => why,
        }
    }
}

/// What every place answers.
pub(crate) type PlaceAnswers = PerPlace<Result<HostAnswer, Trouble>>;

/// Does something on every host at once. On no host nothing can be done: that is a failure.
pub(in crate::runbook) async fn on_hosts<'p, F>(
    places: &'p Places,
    run: impl Fn(&'p HostName) -> F,
) -> PlaceAnswers
where
    F: Future<Output = Result<HostAnswer, Trouble>>,
{
    let at_place = |place: &'p Place| {
        let running = place.host().map(&run);
        async move {
            match running {
                Some(running) => running.await,
                None => Err(Trouble::nowhere()),
            }
        }
    };
    places.each_at_once(at_place).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use jumpdeck_fleet::hop::Hop;

    /// Case 13: a server with `MaxSessions 1` opens no second session.
    #[test]
    fn of_a_session_that_was_refused_it_is_known_that_nothing_was_begun() {
        let of = |kind| Trouble::lost(&TransportError::new(&Hop::Here, kind, "no session: Connect failed"));
        assert!(
            matches!(of(ErrorKind::Refused), Trouble::Failed(why) if why.ends_with("nothing was started"))
        );
        assert!(
            matches!(of(ErrorKind::Dropped), Trouble::Unknown(why) if why.contains("may have been done"))
        );
    }
}

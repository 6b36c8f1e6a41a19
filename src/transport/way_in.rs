//! Into an environment by its jump box, or where that is gone by the second one.

use std::sync::Arc;

use super::advice;
use super::connection::{Connector, JumpConnection, Lane};
use super::error::{ErrorKind, TransportError};
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::Retry;

/// A login to an environment.
pub struct WayIn {
    /// The connection to the jump box in use.
    pub jump: Arc<dyn JumpConnection>,
    /// Why that is the second one; `None`: it is the first.
    pub first: Option<TransportError>,
}

/// Why an environment cannot be reached.
#[derive(Debug, Clone)]
pub struct NoWayIn {
    /// Why not by its jump box.
    pub first: TransportError,
    /// Why not by the second one; `None`: it was not tried.
    pub second: Option<TransportError>,
}

/// Logs in to the jump box, or where that is gone to the second one. Never for a run.
///
/// # Errors
/// Why neither is possible.
pub async fn way_in(connector: &dyn Connector, env: &Arc<Environment>, lane: Lane) -> Result<WayIn, NoWayIn> {
    match connector.connect(env, lane).await {
        Ok(jump) => Ok(WayIn { jump, first: None }),
        Err(first) => by_second(connector, env, lane, first).await,
    }
}

/// Logs in to the second jump box, when `first` says that the first is gone.
///
/// # Errors
/// Why that is not possible.
pub async fn by_second(
    connector: &dyn Connector,
    env: &Arc<Environment>,
    lane: Lane,
    first: TransportError,
) -> Result<WayIn, NoWayIn> {
    let Some(through) = env.by_second().filter(|_| is_gone(&first)) else {
        return Err(NoWayIn { first, second: None });
    };
    match connector.connect(&through, lane).await {
        Ok(jump) => Ok(WayIn { jump, first: Some(first) }),
        Err(second) => Err(NoWayIn { first, second: Some(second) }),
    }
}

/// Whether nothing answers there. A refused login or another host key is a warning that a second jump box must not hide, and a login
/// that an operator took part in is not replaced without them.
fn is_gone(error: &TransportError) -> bool {
    let silent = match error.kind {
        ErrorKind::Unreachable | ErrorKind::Dropped | ErrorKind::TimedOut => true,
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
        | ErrorKind::Flooding
        | ErrorKind::Protocol => false,
    };
    silent && error.retry == Retry::Automatic && matches!(error.hop, Hop::Jump(_))
}

/// The same for a run, which goes through the first jump box alone.
#[must_use]
pub(super) fn of_a_run(env: &Environment, error: TransportError) -> TransportError {
    if env.second_jump.is_some() && is_gone(&error) { error.advising(&advice::RUNS_BY_FIRST) } else { error }
}

impl NoWayIn {
    /// Both in one error: the second's where the first is gone and the second is not, else the first's.
    #[must_use]
    pub fn into_error(self) -> TransportError {
        let Self { first, second } = self;
        let Some(second) = second else { return first };
        let both = format!("{}; second {}: {}", first.detail, second.hop, second.detail);
        if is_gone(&second) {
            let error =
                TransportError { detail: format!("neither jump box answers: {both}").into(), ..first };
            return error.advising(&advice::NETWORK);
        }
        TransportError { detail: format!("{}: {both}", first.hop).into(), ..second }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use jumpdeck_fleet::names::HostName;

    fn error(jump: &str, kind: ErrorKind, detail: &str) -> TransportError {
        TransportError::new(&Hop::Jump(HostName::new(jump).unwrap()), kind, detail)
    }

    #[test]
    fn only_silence_leads_to_the_second_jump_box() {
        for kind in [ErrorKind::Unreachable, ErrorKind::Dropped, ErrorKind::TimedOut] {
            assert!(is_gone(&error("salt", kind, "")), "{kind:?}");
            assert!(!is_gone(&error("salt", kind, "").by_operator()), "{kind:?}: a login that asked");
            let here = TransportError::new(&Hop::Here, kind, "");
            assert!(!is_gone(&here), "{kind:?} on this machine");
        }
        let answers = [
            ErrorKind::AuthFailed,
            ErrorKind::NoCredentials,
            ErrorKind::HostKeyUnknown,
            ErrorKind::HostKeyChanged,
            ErrorKind::HostKeyRevoked,
            ErrorKind::HostKeyUnreadable,
            ErrorKind::HostCertificate,
            ErrorKind::KnownHostsFile,
            ErrorKind::Algorithms,
            ErrorKind::Refused,
            ErrorKind::Flooding,
            ErrorKind::Protocol,
        ];
        for kind in answers {
            assert!(!is_gone(&error("salt", kind, "")), "{kind:?}");
        }
    }

    #[test]
    fn when_neither_answers_the_network_of_this_machine_comes_first() {
        let first = error("salt", ErrorKind::Unreachable, "refused");
        let second = Some(error("gw2", ErrorKind::TimedOut, "no answer"));
        let both = NoWayIn { first: first.clone(), second }.into_error();
        assert_eq!(
            both.to_string(),
            "jump box salt: neither jump box answers: refused; second jump box gw2: no answer; check the network of this machine \
             first, then both jump boxes"
        );
        let second = Some(error("gw2", ErrorKind::HostKeyChanged, "another key"));
        let changed = NoWayIn { first: first.clone(), second }.into_error();
        assert_eq!(changed.kind, ErrorKind::HostKeyChanged);
        let said = changed.to_string();
        let begins = "jump box gw2: jump box salt: refused; second jump box gw2: another key; do not log in";
        assert!(said.starts_with(begins), "{said}");
        assert_eq!(NoWayIn { first: first.clone(), second: None }.into_error(), first);
    }
}

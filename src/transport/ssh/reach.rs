//! TCP connections to what is no SSH server: from this machine, or from the jump box.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use russh::ChannelOpenFailure;
use tokio::net::{TcpStream, lookup_host};

use super::dial::Dial;
use super::link::JumpLink;
use super::tunnel::Tunnel;
use crate::listening::within;
use crate::transport::{BoxStream, NotReached};

/// Looking a name up takes so long at most: a resolver that does not answer says nothing of the other side.
const LOOK_UP: Duration = Duration::from_secs(4);
/// The addresses of a name share so much time.
const CONNECT: Duration = Duration::from_secs(8);

/// From this machine.
pub(super) async fn from_here(dial: &dyn Dial, address: &str, port: u16) -> Result<BoxStream, NotReached> {
    dial.reach_port(address, port).await
}

/// The same over TCP. Where no address of a name takes a connection, the failure that says the most counts.
pub(super) async fn over_tcp(address: &str, port: u16) -> Result<BoxStream, NotReached> {
    let not_found =
        |why: String| NotReached::NotTried(format!("its name could not be looked up: {why}").into());
    let found: Vec<SocketAddr> = match within(LOOK_UP, lookup_host((address, port))).await {
        Some(Ok(found)) => found.collect(),
        Some(Err(error)) => return Err(not_found(error.to_string())),
        None => return Err(not_found(format!("no answer within {} s", LOOK_UP.as_secs()))),
    };
    let share = CONNECT / u32::try_from(found.len()).unwrap_or(u32::MAX).max(1);
    let mut worst = not_found("it has no address".to_owned());
    for address in found {
        let failure = match within(share, TcpStream::connect(address)).await {
            Some(Ok(stream)) => {
                // One that cannot be set has ended already: the first byte says so.
                let _ = stream.set_nodelay(true);
                return Ok(Box::new(stream));
            }
            Some(Err(error)) => meaning(&error),
            None => {
                let why = format!("no connection to port {port} within {:.1} s", share.as_secs_f64());
                NotReached::NoConnection(why.into())
            }
        };
        worst = worse(worst, failure);
    }
    Err(worst)
}

/// What an error of a connection from this machine means.
pub(super) fn meaning(error: &io::Error) -> NotReached {
    let why = error.to_string().into();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => NotReached::Refused("connection refused".into()),
        io::ErrorKind::TimedOut
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted => NotReached::NoConnection(why),
        // The name was not found, this machine has no network, no descriptors, …
        _ => NotReached::NotTried(why),
    }
}

/// Which of two failures says more about the other side; of two that say as much, the newer one.
fn worse(old: NotReached, new: NotReached) -> NotReached {
    let says = |failure: &NotReached| match failure {
        NotReached::Refused(_) => 2,
        NotReached::NoConnection(_) => 1,
        NotReached::NotTried(_) => 0,
    };
    if says(&new) >= says(&old) { new } else { old }
}

impl JumpLink {
    /// From the jump box, over a `direct-tcpip` channel: no program is needed there.
    ///
    /// # Errors
    /// Why there is no connection, as far as the jump box says it.
    pub async fn reach(&self, address: &str, port: u16) -> Result<BoxStream, NotReached> {
        let Some(jump) = self.jump() else { return from_here(self.dialer(), address, port).await };
        match jump.direct_tcpip(address, port).await {
            Ok(channel) => Ok(Box::new(Tunnel::new(channel)) as BoxStream),
            Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed)) => {
                let why = "the jump box has no connection to it (refused, no route, or no such name)";
                Err(NotReached::NoConnection(why.into()))
            }
            Err(russh::Error::ChannelOpenFailure(why)) => {
                let why = why.description();
                Err(NotReached::NotTried(
                    format!(
                        "the jump box does not forward to {address} port {port}: {why}; its sshd_config must permit it \
                         (AllowTcpForwarding, PermitOpen)"
                    )
                    .into(),
                ))
            }
            Err(_) => Err(NotReached::NotTried("the connection to the jump box ended".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn of_the_addresses_of_a_name_the_one_that_says_the_most_counts() {
        let error = |kind: io::ErrorKind| meaning(&io::Error::from(kind));
        let refused = || error(io::ErrorKind::ConnectionRefused);
        let no_network = || error(io::ErrorKind::NetworkUnreachable);
        assert_eq!(worse(refused(), no_network()), refused());
        assert_eq!(worse(no_network(), refused()), refused());
        assert_eq!(worse(refused(), error(io::ErrorKind::TimedOut)), refused());
        let silent = worse(error(io::ErrorKind::TimedOut), no_network());
        assert!(matches!(silent, NotReached::NoConnection(_)), "{silent:?}");
        assert!(matches!(no_network(), NotReached::NotTried(_)));
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_is_no_closed_port() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(over_tcp("127.0.0.1", port).await.is_ok());
        drop(listener);
        assert_eq!(
            over_tcp("127.0.0.1", port).await.err(),
            Some(meaning(&io::ErrorKind::ConnectionRefused.into()))
        );
        let Err(NotReached::NotTried(why)) = over_tcp("no\0name", port).await else { panic!("it was tried") };
        assert!(why.as_str().starts_with("its name could not be looked up: "), "{why}");
    }
}

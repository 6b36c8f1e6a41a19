//! A TCP connection of this machine to what is no SSH server, or a UDP socket, and what it means where there is none.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket, lookup_host};

use crate::listening::within;
use crate::transport::{BoxStream, NotReached};

/// Looking a name up takes so long at most: a resolver that does not answer says nothing of the other side.
const LOOK_UP: Duration = Duration::from_secs(4);
/// The addresses of a name share so much time.
const CONNECT: Duration = Duration::from_secs(8);

/// Connects. Where no address of a name takes a connection, the failure that says the most counts.
pub(super) async fn over_tcp(address: &str, port: u16) -> Result<BoxStream, NotReached> {
    let found = addresses(address, port).await?;
    let share = CONNECT / u32::try_from(found.len()).unwrap_or(u32::MAX).max(1);
    let mut worst = not_found("it has no address");
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

/// A socket on a port that is chosen by chance, which takes datagrams from there alone.
pub(super) async fn over_udp(address: &str, port: u16) -> Result<UdpSocket, NotReached> {
    let mut worst = not_found("it has no address");
    for address in addresses(address, port).await? {
        let any: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let connected = async {
            let socket = UdpSocket::bind(any).await?;
            socket.connect(address).await?;
            Ok(socket)
        };
        match connected.await {
            Ok(socket) => return Ok(socket),
            Err(error) => worst = worse(worst, meaning(&error)),
        }
    }
    Err(worst)
}

async fn addresses(address: &str, port: u16) -> Result<Vec<SocketAddr>, NotReached> {
    match within(LOOK_UP, lookup_host((address, port))).await {
        Some(Ok(found)) => Ok(found.collect()),
        Some(Err(error)) => Err(not_found(&error.to_string())),
        None => Err(not_found(&format!("no answer within {} s", LOOK_UP.as_secs()))),
    }
}

fn not_found(why: &str) -> NotReached {
    NotReached::NotTried(format!("its name could not be looked up: {why}").into())
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

//! What an implementation gives: logins, and the connections that come of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;

use super::BoxFuture;
use super::ask::AskPerson;
use super::error::TransportError;
use super::session::Session;
use super::stream::{BoxStream, NotReached};
use crate::openssh::sshsig::{NotSigned, TextSigner};
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

/// What a connection is for. Each has connections of its own: none waits for what stalls in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The figures of hosts, asked all the time.
    Probe,
    /// Runbooks: one command after the other.
    Run,
    /// What an operator looks at, or types in.
    Person,
}

/// A way to reach machines: opens connectors that share nothing.
pub trait Connectors: Send + Sync + 'static {
    /// A connector with keys and refusals of its own; `ask` puts the questions of its logins to a person.
    fn open(&self, ask: Arc<dyn AskPerson>) -> Arc<dyn Connector>;
}

/// Logs in. What a person unlocked or accepted counts for all its logins.
pub trait Connector: Send + Sync + 'static {
    /// Logs in to an environment's jump box. Nothing is tried again automatically.
    fn connect<'a>(
        &'a self,
        env: &'a Arc<Environment>,
        lane: Lane,
    ) -> BoxFuture<'a, Result<Arc<dyn JumpConnection>, TransportError>>;

    /// Who answers the questions of logins.
    fn ask(&self) -> &dyn AskPerson;

    /// A person wants another try: what was refused before may be asked for again.
    fn forget_refusals(&self) {}

    /// Opens a TCP connection from this machine. Callers put a deadline round it.
    fn reach<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        let why = format!("{address} port {port} cannot be reached this way");
        Box::pin(std::future::ready(Err(NotReached::NotTried(why.into()))))
    }

    /// A UDP socket of this machine for one question there; `None`: only TCP leads there. Callers put a deadline round it.
    fn datagrams<'a>(
        &'a self,
        _address: &'a str,
        _port: u16,
    ) -> BoxFuture<'a, Result<Option<UdpSocket>, NotReached>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// The name servers that programs of this machine ask.
    ///
    /// # Errors
    /// Why they are not known.
    fn resolvers(&self) -> Result<Vec<String>, Clean> {
        Err("the resolver of this machine is not known; name servers in the inventory".into())
    }

    /// The key that signs for the operator: the one that is named, or else the one that the login to the jump box was made
    /// with, so it is asked for after that.
    fn signer<'a>(
        &'a self,
        env: &'a Environment,
        named: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<TextSigner, NotSigned>>;
}

/// A live connection to a jump box. It ends when it and every connection to a host through it are dropped.
pub trait JumpConnection: Send + Sync + 'static {
    /// Logs in to a host behind it. The jump box itself is reached without another login.
    fn host<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, Result<Arc<dyn HostConnection>, TransportError>>;

    /// Opens a TCP connection from the jump box. Callers put a deadline round it.
    fn reach<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        let why = format!("{address} port {port} cannot be reached this way");
        Box::pin(std::future::ready(Err(NotReached::NotTried(why.into()))))
    }

    /// One round trip to the jump box.
    fn ping(&self) -> BoxFuture<'_, Result<Duration, TransportError>>;

    /// Waits until the connection has ended, and says why. Cancel-safe.
    fn closed(&self) -> BoxFuture<'_, TransportError>;

    /// Whether the connection has ended.
    fn is_closed(&self) -> bool;

    /// What it said before authentication.
    fn banner(&self) -> Vec<Clean> {
        Vec::new()
    }

    /// Which jump box is silent, after a sign of life did not come; those before it are asked again, each for `limit` at
    /// most. `None` for the one the environment names.
    fn silent_hop(&self, _limit: Duration) -> BoxFuture<'_, Option<Hop>> {
        Box::pin(std::future::ready(None))
    }

    /// Whether an operator took part in the login: after the connection is lost, the next login may send a push.
    fn was_interactive(&self) -> bool {
        false
    }
}

/// A live connection to a host. It ends when it is dropped.
pub trait HostConnection: Session {
    /// Whether the connection has ended.
    fn is_closed(&self) -> bool;
}

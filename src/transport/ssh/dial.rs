//! How the first hop's bytes travel: TCP, or an in-memory pipe to the simulated fleet. Everything above is the same.

use std::io;
use std::path::Path;

use tokio::net::UdpSocket;

use super::{port, resolvers};
use crate::transport::{BoxFuture, NotReached};
pub use crate::transport::{BoxStream, Stream};
use jumpdeck_fleet::text::Clean;

/// Opens byte streams to an address.
pub trait Dial: Send + Sync + 'static {
    /// Connects. Callers put a deadline round it.
    fn dial<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>>;

    /// Connects to what is no SSH server, and says what it means where there is no connection. Callers put a deadline round it.
    fn reach_port<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        Box::pin(async move { self.dial(address, port).await.map_err(|error| port::meaning(&error)) })
    }

    /// A UDP socket for one question there; `None`: only TCP leads there. Callers put a deadline round it.
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
}

/// Real TCP, with `TCP_NODELAY`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpDial;

impl Dial for TcpDial {
    fn dial<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect((address, port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn reach_port<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        Box::pin(port::over_tcp(address, port))
    }

    fn datagrams<'a>(
        &'a self,
        address: &'a str,
        port: u16,
    ) -> BoxFuture<'a, Result<Option<UdpSocket>, NotReached>> {
        Box::pin(async move { port::over_udp(address, port).await.map(Some) })
    }

    fn resolvers(&self) -> Result<Vec<String>, Clean> {
        resolvers::read(Path::new(resolvers::FILE))
    }
}

//! Byte streams, and why there is none.

use tokio::io::{AsyncRead, AsyncWrite};

use jumpdeck_fleet::text::Clean;

/// A byte stream both ways.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

/// A stream of any kind.
pub type BoxStream = Box<dyn Stream>;

/// Why a TCP port was not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReached {
    /// Something at the address refused the connection.
    Refused(Clean),
    /// There was no connection; whether something refused it is not known.
    NoConnection(Clean),
    /// It was not tried: the name was not found, this is not permitted, what it would go through is gone.
    NotTried(Clean),
}

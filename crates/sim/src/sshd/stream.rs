//! What a connection is made of.

use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream both ways.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

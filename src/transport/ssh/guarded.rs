//! A byte stream that can be ended from outside, and that does not let a write wait for ever.
//!
//! russh's keepalive does not run while its session waits to write, nor during the key exchange; a peer that stops
//! reading, or never ends its handshake, would hold the task and the socket for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::dial::BoxStream;
use crate::listening;

/// See the module.
pub(super) struct Guarded {
    inner: BoxStream,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    stall: Duration,
    stalled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Guarded {
    /// A write that waits longer than `stall`, while we are able to listen, fails; everything fails once `end` is cancelled.
    pub(super) fn new(inner: BoxStream, end: &CancellationToken, stall: Duration) -> Self {
        Self { inner, ended: Box::pin(end.clone().cancelled_owned()), stall, stalled: None }
    }

    fn guard<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let stall = self.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(listening::passes(stall)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.guard(cx, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_flush(cx);
        self.guard(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.guard(cx, poll)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stops_reading_ends_the_stream() {
        let (near, _far) = tokio::io::duplex(4);
        let mut stream = Guarded::new(Box::new(near), &CancellationToken::new(), Duration::from_secs(8));
        let begun = tokio::time::Instant::now();
        let error = stream.write_all(b"more than four").await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 8));
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_is_told_to() {
        let (near, _far) = tokio::io::duplex(4);
        let end = CancellationToken::new();
        let mut stream = Guarded::new(Box::new(near), &end, Duration::from_secs(8));
        let later = async { end.cancel() };
        let (read, ()) = tokio::join!(stream.read_u8(), later);
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}

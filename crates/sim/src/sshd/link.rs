//! A connection as seen from a simulated machine: where silence, latency and sudden ends happen.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::fault::Switch;

/// Bytes held back at once by latency.
const CHUNK: usize = 16 * 1024;

/// A stream under a machine's fault switch.
pub(crate) struct Link<S> {
    inner: S,
    switch: Arc<Switch>,
    generation: u64,
    held: Option<(Pin<Box<Sleep>>, Vec<u8>)>,
}

impl<S> Link<S> {
    pub(crate) fn new(inner: S, switch: Arc<Switch>) -> Self {
        let generation = switch.generation();
        Self { inner, switch, generation, held: None }
    }

    /// Pending while the machine is silent; ready and true once the connection is dead.
    fn poll_dead(&self, context: &Context<'_>) -> Poll<bool> {
        // Registered first: a change in between must not be missed.
        self.switch.wait(context);
        if self.switch.generation() != self.generation {
            return Poll::Ready(true);
        }
        if self.switch.is_silent() { Poll::Pending } else { Poll::Ready(false) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Link<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if ready!(this.poll_dead(context)) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if this.held.is_none() {
            let Some(latency) = this.switch.latency() else {
                return Pin::new(&mut this.inner).poll_read(context, buffer);
            };
            let mut chunk = vec![0; CHUNK];
            let mut chunk_buffer = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut chunk_buffer))?;
            let count = chunk_buffer.filled().len();
            chunk.truncate(count);
            this.held = Some((Box::pin(sleep(latency)), chunk));
        }
        if let Some((wait, bytes)) = &mut this.held {
            ready!(wait.as_mut().poll(context));
            let count = bytes.len().min(buffer.remaining());
            buffer.put_slice(bytes.get(..count).unwrap_or_default());
            bytes.drain(..count);
            if bytes.is_empty() {
                this.held = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Link<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if ready!(this.poll_dead(context)) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut this.inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

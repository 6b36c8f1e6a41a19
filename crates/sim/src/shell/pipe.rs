//! In-memory pipes with back-pressure: what connects the stages of a pipeline, and a command to its SSH channel.
//! Every clone of an end counts as an open descriptor: readers see the end of file when the last writer is gone,
//! writers see `BrokenPipe` when the last reader is gone.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes a pipe holds before its writers wait (Linux: 64 KiB; a thousand hosts want less).
pub const CAPACITY: usize = 32 * 1024;

/// Room that an empty pipe keeps.
const KEPT: usize = 1024;

#[derive(Debug, Default)]
struct State {
    buffer: Vec<u8>,
    start: usize,
    capacity: usize,
    no_writers: bool,
    no_readers: bool,
    waiting: Vec<Waker>,
}

impl State {
    fn available(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.buffer.len() {
            self.start = 0;
            // A thousand idle sessions keep no large buffers.
            if self.buffer.capacity() > KEPT {
                self.buffer = Vec::new();
            } else {
                self.buffer.clear();
            }
        }
        self.wake();
    }

    fn wake(&mut self) {
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
    }

    fn wait(&mut self, context: &Context<'_>) {
        if !self.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            self.waiting.push(context.waker().clone());
        }
    }
}

#[derive(Debug)]
struct Shared(Mutex<State>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct ReadEnd(Arc<Shared>);

impl Drop for ReadEnd {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.no_readers = true;
        state.buffer = Vec::new();
        state.start = 0;
        state.wake();
    }
}

#[derive(Debug)]
struct WriteEnd(Arc<Shared>);

impl Drop for WriteEnd {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.no_writers = true;
        state.wake();
    }
}

/// The end that is read. Clones share the position, as descriptors do.
#[derive(Debug, Clone)]
pub struct Reader(Arc<ReadEnd>);

/// The end that is written.
#[derive(Debug, Clone)]
pub struct Writer(Arc<WriteEnd>);

/// A new pipe.
#[must_use]
pub fn pipe() -> (Writer, Reader) {
    pipe_of(CAPACITY)
}

/// A new pipe that holds so many bytes.
#[must_use]
pub fn pipe_of(capacity: usize) -> (Writer, Reader) {
    let shared = Arc::new(Shared(Mutex::new(State { capacity, ..State::default() })));
    (Writer(Arc::new(WriteEnd(Arc::clone(&shared)))), Reader(Arc::new(ReadEnd(shared))))
}

/// A reader over bytes that are already there, followed by the end of file.
#[must_use]
pub fn filled(bytes: Vec<u8>) -> Reader {
    let state = State { buffer: bytes, no_writers: true, ..State::default() };
    Reader(Arc::new(ReadEnd(Arc::new(Shared(Mutex::new(state))))))
}

impl Reader {
    fn poll_take(&self, context: &Context<'_>, limit: usize, out: &mut Vec<u8>) -> Poll<usize> {
        let mut state = self.0.0.lock();
        let count = state.available().len().min(limit);
        if count > 0 {
            out.extend_from_slice(state.available().get(..count).unwrap_or_default());
            state.consume(count);
            return Poll::Ready(count);
        }
        if state.no_writers {
            return Poll::Ready(0);
        }
        state.wait(context);
        Poll::Pending
    }

    /// Waits for bytes and takes up to `limit` of them; empty at the end of file.
    pub async fn take_some(&self, limit: usize) -> Vec<u8> {
        let mut out = Vec::new();
        poll_fn(|context| self.poll_take(context, limit, &mut out)).await;
        out
    }

    /// Takes what is there, without waiting.
    #[must_use]
    pub fn take_now(&self) -> Vec<u8> {
        let mut state = self.0.0.lock();
        let out = state.available().to_vec();
        state.consume(out.len());
        out
    }

    /// Takes one line with its newline, and nothing after it; at the end of file what is left, maybe nothing.
    /// A line longer than `limit` bytes is cut there.
    pub async fn take_line(&self, limit: usize) -> Vec<u8> {
        let mut line = Vec::new();
        poll_fn(|context| {
            let mut state = self.0.0.lock();
            let available = state.available();
            let newline = available.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
            // Half a line is left where it is, so that who gives up waiting loses nothing; unless the pipe is full.
            let room = state.capacity.min(limit.saturating_sub(line.len()));
            if newline.is_none() && !state.no_writers && available.len() < room {
                state.wait(context);
                return Poll::Pending;
            }
            let count = newline.unwrap_or(available.len());
            line.extend_from_slice(available.get(..count).unwrap_or_default());
            if count > 0 {
                state.consume(count);
            }
            if newline.is_some() || state.no_writers || line.len() >= limit {
                return Poll::Ready(());
            }
            state.wait(context);
            Poll::Pending
        })
        .await;
        line
    }

    /// Takes everything up to the end of file, at most `limit` bytes.
    pub async fn take_all(&self, limit: usize) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < limit {
            let room = limit - out.len();
            if poll_fn(|context| self.poll_take(context, room, &mut out)).await == 0 {
                break;
            }
        }
        out
    }
}

impl Writer {
    fn poll_put(&self, context: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.0.lock();
        if state.no_readers {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = state.capacity.saturating_sub(state.available().len());
        let count = room.min(bytes.len());
        if count == 0 && !bytes.is_empty() {
            state.wait(context);
            return Poll::Pending;
        }
        if state.start > 0 {
            let start = std::mem::take(&mut state.start);
            state.buffer.drain(..start);
        }
        state.buffer.extend_from_slice(bytes.get(..count).unwrap_or_default());
        state.wake();
        Poll::Ready(Ok(count))
    }

    /// Writes all of it if there is room for it now; false when there is not, or nobody reads.
    #[must_use]
    pub fn put_now(&self, bytes: &[u8]) -> bool {
        let mut state = self.0.0.lock();
        let fits = !state.no_readers && state.capacity - state.available().len() >= bytes.len();
        if fits {
            state.buffer.extend_from_slice(bytes);
            state.wake();
        }
        fits
    }

    /// Writes all of it, waiting for room.
    ///
    /// # Errors
    /// `BrokenPipe` when nobody reads any more.
    pub async fn put(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.put_some(bytes).await?;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Waits for room and writes as much as fits; returns how many bytes that was.
    ///
    /// # Errors
    /// `BrokenPipe` when nobody reads any more.
    pub async fn put_some(&self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_put(context, bytes)).await
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.0.lock();
        let count = state.available().len().min(buffer.remaining());
        if count == 0 && !state.no_writers && buffer.remaining() > 0 {
            state.wait(context);
            return Poll::Pending;
        }
        buffer.put_slice(state.available().get(..count).unwrap_or_default());
        if count > 0 {
            state.consume(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_put(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

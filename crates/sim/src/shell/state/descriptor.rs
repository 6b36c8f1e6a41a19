//! What descriptors stand for, and files being written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::program::{Input, Output};
use crate::shell::pipe::{Reader, Writer};
use crate::shell::process::Machine;

/// What a descriptor stands for.
#[derive(Debug, Clone)]
pub(crate) enum Fd {
    Closed,
    Null,
    Read(Reader),
    Write(Writer),
    File(FileWriter),
}

/// A file of the world being written: every write shows at once. Clones are the same open file, as descriptors are
/// after `dup`; a lock on it goes with the last of them.
#[derive(Debug, Clone)]
pub(crate) struct FileWriter(Arc<OpenFile>);

#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) path: Arc<str>,
    pub(crate) machine: Arc<Machine>,
    /// Where the next write goes; `None` for the end, whoever else writes.
    position: Option<Mutex<usize>>,
    /// Its number among the holders of locks.
    pub(crate) holder: u64,
    /// Writes so far: now and then one waits a turn, for a file is always ready and an endless writer has to be stopped.
    writes: AtomicUsize,
}

/// Writes to a file between two turns of the other tasks.
const WRITES: usize = 64;

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.machine.locks.release(&self.path, self.holder);
    }
}

impl FileWriter {
    pub(crate) fn new(machine: &Arc<Machine>, path: &str, append: bool) -> Self {
        Self(Arc::new(OpenFile {
            path: Arc::from(path),
            machine: Arc::clone(machine),
            position: (!append).then(Mutex::default),
            holder: machine.locks.new_holder(),
            writes: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn file(&self) -> &OpenFile {
        &self.0
    }

    /// Writes; false when the file would be larger than the world's disk takes.
    pub(crate) fn put(&self, bytes: &[u8]) -> bool {
        let OpenFile { path, machine, position, .. } = &*self.0;
        match position {
            None => machine.world().write_at(&machine.host, path, None, bytes),
            Some(position) => {
                let mut position = position.lock().unwrap_or_else(PoisonError::into_inner);
                let written = machine.world().write_at(&machine.host, path, Some(*position), bytes);
                *position = position.saturating_add(bytes.len());
                written
            }
        }
    }
}

impl AsyncWrite for FileWriter {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        if self.0.writes.fetch_add(1, Ordering::Relaxed) % WRITES == WRITES - 1 {
            context.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(match self.put(bytes) {
            true => Ok(bytes.len()),
            false => Err(std::io::ErrorKind::StorageFull.into()),
        })
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

impl Fd {
    pub(crate) fn input(&self) -> Input {
        match self {
            Self::Read(reader) => Box::new(reader.clone()) as Box<dyn AsyncRead + Send + Unpin>,
            _ => Box::new(tokio::io::empty()),
        }
    }

    pub(crate) fn output(&self) -> Output {
        match self {
            Self::Write(writer) => Box::new(writer.clone()) as Box<dyn AsyncWrite + Send + Unpin>,
            Self::File(file) => Box::new(file.clone()),
            _ => Box::new(tokio::io::sink()),
        }
    }
}

//! The keyboard: a thread reads it, and what is typed goes to the console or, while the console has stepped aside, to a remote shell.
//!
//! Keys are read on a thread of their own and not through crossterm's `EventStream`: on a terminal that is gone its
//! reader spins for ever inside `poll`, and would take the event loop with it. And crossterm is asked only for what has arrived
//! already, because a thread that waits inside crossterm could not be made to leave the next key to somebody else.

use std::io::{self, PipeReader, PipeWriter, Read, Stdin, Write};
use std::thread;
use std::time::Duration;

use crossterm::event;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::input::{TerminalInput, Urgent, from_event};
use super::raw;
use super::terminal::window_size;

/// Keys that may wait: more than anybody types, fewer than a paste without brackets could fill memory with.
const KEYS: usize = 256;

/// Who gets what is typed.
enum Typist {
    Console,
    /// Bytes as they come.
    Shell(mpsc::Sender<Vec<u8>>),
}

/// Somebody else gets what is typed from now on.
struct HandOver {
    to: Typist,
    done: oneshot::Sender<()>,
}

/// Says who gets what is typed.
#[derive(Debug)]
pub struct Keyboard {
    orders: std::sync::mpsc::Sender<HandOver>,
    wake: PipeWriter,
}

impl Keyboard {
    /// Reads the keyboard for as long as the process lives, for the console. Within the tokio runtime: the window's size comes by a
    /// signal.
    pub(super) fn read(
        urgent: &mpsc::UnboundedSender<Urgent>,
    ) -> io::Result<(Self, mpsc::Receiver<TerminalInput>)> {
        let (keys, input) = mpsc::channel(KEYS);
        let (orders, taken) = std::sync::mpsc::channel();
        let (woken, wake) = io::pipe()?;
        sizes(keys.clone())?;
        let urgent = urgent.clone();
        thread::spawn(move || {
            if reads(&keys, &taken, &woken).is_err() {
                // A loop that has ended reads no news.
                let _ = urgent.send(Urgent::HungUp);
            }
        });
        Ok((Self { orders, wake }, input))
    }

    /// One that nobody types on.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(super) fn silent() -> Self {
        let (orders, _) = std::sync::mpsc::channel();
        let (_, wake) = io::pipe().unwrap();
        Self { orders, wake }
    }

    /// Gives what is typed from now on to a shell. When this returns, the console gets none of it.
    pub(super) async fn lend(&self) -> mpsc::Receiver<Vec<u8>> {
        let (typed, receiver) = mpsc::channel(raw::TYPED);
        self.hand_over(Typist::Shell(typed)).await;
        receiver
    }

    /// Gives it to the console again.
    pub(super) async fn take_back(&self) {
        self.hand_over(Typist::Console).await;
    }

    async fn hand_over(&self, to: Typist) {
        let (done, is_done) = oneshot::channel();
        // A thread that has ended has said so: the terminal is gone.
        if self.orders.send(HandOver { to, done }).is_ok() && (&self.wake).write_all(&[0]).is_ok() {
            let _ = is_done.await;
        }
    }
}

/// Tells the window's size when it changes. crossterm, which would, is asked only when there are keys.
fn sizes(keys: mpsc::Sender<TerminalInput>) -> io::Result<()> {
    let mut changed = signal(SignalKind::window_change())?;
    tokio::spawn(async move {
        while changed.recv().await.is_some() {
            let Ok(size) = window_size() else { continue };
            if keys.send(TerminalInput::Resize(size.width, size.height)).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Reads until nobody wants it any more.
///
/// # Errors
/// When the terminal is gone.
fn reads(
    keys: &mpsc::Sender<TerminalInput>,
    orders: &std::sync::mpsc::Receiver<HandOver>,
    mut woken: &PipeReader,
) -> io::Result<()> {
    let stdin = io::stdin();
    let mut typist = Typist::Console;
    loop {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&woken, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            polled => polled?,
        };
        let [typed, order] = fds.map(|fd| fd.revents());
        if typed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !order.is_empty() {
            let _ = woken.read(&mut [0; 8])?;
            while let Ok(HandOver { to, done }) = orders.try_recv() {
                typist = to;
                let _ = done.send(());
            }
        } else if !typed.is_empty() {
            match &typist {
                Typist::Console if keys.is_closed() => return Ok(()),
                Typist::Console => events(keys)?,
                Typist::Shell(shell) => bytes(&stdin, shell)?,
            }
        }
    }
}

/// Hands on the events that are there.
fn events(keys: &mpsc::Sender<TerminalInput>) -> io::Result<()> {
    loop {
        match event::poll(Duration::ZERO).and_then(|is_there| is_there.then(event::read).transpose()) {
            Ok(Some(event)) => {
                if let Some(input) = from_event(event)
                    && keys.blocking_send(input).is_err()
                {
                    return Ok(());
                }
            }
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Hands on the bytes that are there; what comes after a shell has ended is for nobody.
fn bytes(stdin: &Stdin, shell: &mpsc::Sender<Vec<u8>>) -> io::Result<()> {
    match raw::piece(stdin) {
        Ok(typed) if typed.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(typed) => {
            let _ = shell.blocking_send(typed);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(error),
    }
}

//! The local terminal as the screen and keyboard of a remote shell: in raw mode, and given back as it was found, whatever ends it.
//! What the remote program has set on it (`RemoteModes`) is undone, too: one that is killed cannot do so itself.

use std::io::{self, IsTerminal, Stdin, Write};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

use crate::transport::TerminalSize;
use remote_modes::RemoteModes;

mod remote_modes;

/// How long the end waits for output that is just being written.
const OUTPUT_PATIENCE: Duration = Duration::from_millis(100);
/// What Rust's own runtime exits with after a panic.
const PANIC_CODE: i32 = 101;
/// A look at the keyboard lasts so long when nothing comes.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// Pieces of what is typed that may wait.
pub(super) const TYPED: usize = 16;
/// Bytes of a piece.
const PIECE: usize = 4096;

/// What the remote program has set; `None`: the terminal is not ours.
static SET: Mutex<Option<RemoteModes>> = Mutex::new(None);
/// The terminal, and the modes it was found with.
static FOUND: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// Holds the terminal; gives it back when dropped.
#[derive(Debug)]
pub struct RawTerminal(());

impl RawTerminal {
    /// Takes the terminal. Until it is given back, a panic in any thread gives it back and ends the process.
    ///
    /// # Errors
    /// When standard input or output is no terminal, it is taken already, or it refuses.
    pub fn take() -> io::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(io::Error::other("standard input or output is not a terminal"));
        }
        let fd = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
        let modes = tcgetattr(&fd)?;
        {
            let mut found = found();
            if found.is_some() {
                return Err(io::Error::other("the terminal is taken already"));
            }
            *found = Some((fd, modes));
        }
        HOOK.call_once(give_back_on_panic);
        *lock() = Some(RemoteModes::default());
        let taken = Self(());
        taken.make_raw()?;
        Ok(taken)
    }

    /// Raw mode: also anew, when the process goes on after a stop.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn make_raw(&self) -> io::Result<()> {
        if let Some((fd, found)) = found().as_ref() {
            let mut raw = found.clone();
            raw.make_raw();
            tcsetattr(fd, OptionalActions::Now, &raw)?;
        }
        Ok(())
    }

    /// What is typed, piece by piece, until the terminal is gone or nobody wants it any more.
    pub fn keys(&self) -> mpsc::Receiver<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(TYPED);
        thread::spawn(move || {
            let stdin = io::stdin();
            while !sender.is_closed() {
                match typed(&stdin) {
                    Ok(Some(bytes)) if bytes.is_empty() => return,
                    Ok(Some(bytes)) => {
                        if sender.blocking_send(bytes).is_err() {
                            return;
                        }
                    }
                    Ok(None) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        });
        receiver
    }
}

/// What was typed; `None` when nothing was for a while, empty at the end.
fn typed(stdin: &Stdin) -> io::Result<Option<Vec<u8>>> {
    let mut fds = [PollFd::new(stdin, PollFlags::IN)];
    poll(&mut fds, Some(&LOOK))?;
    if fds.iter().all(|fd| fd.revents().is_empty()) {
        return Ok(None);
    }
    piece(stdin).map(Some)
}

/// Reads what was typed; empty at the end of input. The buffer of the standard library is not used: it would keep bytes back.
pub(super) fn piece(stdin: &Stdin) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; PIECE];
    let length = rustix::io::read(stdin, bytes.as_mut_slice())?;
    bytes.truncate(length);
    Ok(bytes)
}

/// The size of the terminal on standard output.
///
/// # Errors
/// When there is none, or it tells none.
pub fn size() -> io::Result<TerminalSize> {
    let size = tcgetwinsize(io::stdout())?;
    if size.ws_col == 0 || size.ws_row == 0 {
        return Err(io::Error::other("the terminal tells no size"));
    }
    Ok(TerminalSize { columns: size.ws_col, rows: size.ws_row })
}

/// Writes what a remote program prints, and remembers what it sets. Nothing is written once the terminal was given back.
///
/// # Errors
/// When the terminal is gone.
pub fn show(bytes: &[u8]) -> io::Result<()> {
    let mut set = lock();
    let Some(modes) = set.as_mut() else { return Ok(()) };
    modes.see(bytes);
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        give_back(taken_back().as_ref());
    }
}

fn found() -> MutexGuard<'static, Option<(OwnedFd, Termios)>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock() -> MutexGuard<'static, Option<RemoteModes>> {
    SET.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be undone; `None` when that is done, or output hangs in a terminal that takes no more.
fn taken_back() -> Option<RemoteModes> {
    let until = Instant::now() + OUTPUT_PATIENCE;
    loop {
        match SET.try_lock() {
            Ok(mut set) => return set.take(),
            Err(_) if Instant::now() < until => thread::yield_now(),
            Err(_) => return None,
        }
    }
}

/// A terminal that is gone cannot be given back, and need not be.
fn give_back(modes: Option<&RemoteModes>) {
    if let Some(modes) = modes {
        let mut out = io::stdout().lock();
        let _ = out.write_all(&modes.undo()).and_then(|()| out.flush());
    }
    if let Some((fd, found)) = found().take() {
        let _ = tcsetattr(fd, OptionalActions::Now, &found);
    }
}

/// Gives the terminal back before the panic's message is printed, and ends the process: with a part of it dead, the shell would only
/// look alive. A terminal that is not taken is left as it is.
fn give_back_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let taken = found().is_some();
        if taken {
            give_back(taken_back().as_ref());
        }
        print(info);
        if taken {
            std::process::exit(PANIC_CODE);
        }
    }));
}

//! The terminal guard: raw mode, the alternate screen, bracketed paste and the hidden cursor are taken together and
//! given back together, whatever ends the program: quitting, an error, a panic in any task, a signal, a stop.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::layout::Size;
use rustix::process::{Signal, getpgrp, getpid, getsid, kill_current_process_group, kill_process};
use tokio::sync::mpsc;

use super::input::{TerminalInput, Urgent};
use super::keyboard::Keyboard;
use super::screen::QuietBackend;
use super::watch;
use super::{RuntimeError, Stage};

/// How long a panic waits for a frame that is just being written.
const FRAME_PATIENCE: Duration = Duration::from_millis(100);
/// After a panic the loop has this long to end; a loop that hangs is ended.
const PANIC_GRACE: Duration = Duration::from_secs(2);
/// What Rust's own runtime exits with after a panic.
const PANIC_CODE: i32 = 101;

/// Whether the terminal is ours. Behind one lock with every write, so that no frame comes after the restoring.
static OURS: Mutex<bool> = Mutex::new(false);
static PANICS: Mutex<Option<mpsc::UnboundedSender<Urgent>>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// Holds the terminal; gives it back when dropped.
#[derive(Debug)]
pub struct TerminalGuard(());

/// A terminal taken: the guard, ratatui's terminal over it, and what comes from it.
#[derive(Debug)]
pub struct Taken {
    /// Gives the terminal back.
    pub guard: TerminalGuard,
    /// Where frames go.
    pub terminal: Terminal<QuietBackend<Output>>,
    /// Says who gets what is typed.
    pub keyboard: Keyboard,
    /// Keys, pastes, sizes.
    pub input: mpsc::Receiver<TerminalInput>,
    /// Signals, hang-ups, panics.
    pub urgent: mpsc::UnboundedReceiver<Urgent>,
}

/// Takes the terminal, and listens to it and to signals from then on. Once a process; within the tokio runtime.
///
/// # Errors
/// When standard input or output is no terminal, `TERM` names one that cannot show a full screen, or the terminal
/// refuses.
pub fn take() -> Result<Taken, RuntimeError> {
    if !io::stdin().is_terminal() {
        return Err(RuntimeError::NotATerminal("standard input"));
    }
    if !io::stdout().is_terminal() {
        return Err(RuntimeError::NotATerminal("standard output"));
    }
    if let Ok(term) = std::env::var("TERM")
        && term == "dumb"
    {
        return Err(RuntimeError::DumbTerminal(term));
    }
    let (urgent_sender, urgent) = mpsc::unbounded_channel();
    *lock(&PANICS) = Some(urgent_sender.clone());
    HOOK.call_once(restore_on_panic);
    // Before the terminal is taken: a signal in between must find somebody who restores.
    watch::signals(&urgent_sender).map_err(RuntimeError::terminal)?;
    enter().map_err(RuntimeError::terminal)?;
    let guard = TerminalGuard(());
    let (keyboard, input) = Keyboard::read(&urgent_sender).map_err(RuntimeError::terminal)?;
    watch::hang_up(urgent_sender);
    let out = Output::open().map_err(RuntimeError::terminal)?;
    let terminal = Terminal::new(QuietBackend::new(out, window_size)).map_err(RuntimeError::terminal)?;
    Ok(Taken { guard, terminal, keyboard, input, urgent })
}

impl Stage for TerminalGuard {
    fn suspend(&mut self, whole_job: bool) -> io::Result<bool> {
        // A group that holds the session's leader has no shell above it in the session: nobody could start it again,
        // and the system ignores terminal stops there, too.
        if getsid(None)? == getpgrp() {
            return Ok(false);
        }
        leave()?;
        if whole_job {
            // As the terminal would: the whole job stops, `cargo run` included. Our own TSTP comes back as `Stop`.
            kill_current_process_group(Signal::TSTP)?;
        } else {
            kill_process(getpid(), Signal::STOP)?;
        }
        Ok(true)
    }

    fn resume(&mut self) -> io::Result<()> {
        enter()
    }

    fn step_aside(&mut self) -> io::Result<()> {
        leave()
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Behind the lock of frames, in one piece.
        Output::open()?.write_all(bytes)
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        // A terminal that is gone cannot be restored, and need not be.
        let _ = leave();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard output without a buffer or lock of its own: nothing is left to flush at exit.
fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

fn enter() -> io::Result<()> {
    let mut ours = lock(&OURS);
    // crossterm remembers that it set raw mode, and would not set it again after the shell has changed it.
    disable_raw_mode()?;
    enable_raw_mode()?;
    *ours = true;
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, Hide, Clear(ClearType::All))?;
    stdout()?.write_all(&bytes)
}

fn leave() -> io::Result<()> {
    let mut ours = lock(&OURS);
    if !*ours {
        return Ok(());
    }
    *ours = false;
    give_back()
}

fn give_back() -> io::Result<()> {
    let mut bytes = Vec::new();
    queue!(bytes, EndSynchronizedUpdate, ResetColor, DisableBracketedPaste, LeaveAlternateScreen, Show)?;
    let written = stdout().and_then(|mut out| out.write_all(&bytes));
    disable_raw_mode().and(written)
}

/// Restores the terminal before the panic's message is printed, and tells the loop: tokio keeps a task's panic to
/// itself, and a console of which a part is dead must not look alive.
fn restore_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let told = match PANICS.try_lock() {
            Ok(sender) => sender.as_ref().is_some_and(|s| s.send(Urgent::Panicked).is_ok()),
            Err(_) => false,
        };
        if told {
            end_within(PANIC_GRACE, PANIC_CODE);
        }
        leave_from_panic();
        print(info);
    }));
}

/// The panicking thread may hold the lock itself, or a frame may hang in a terminal that takes no more: wait a little,
/// then restore all the same.
fn leave_from_panic() {
    let until = Instant::now() + FRAME_PATIENCE;
    loop {
        match OURS.try_lock() {
            Ok(mut ours) => {
                if *ours {
                    *ours = false;
                    let _ = give_back();
                }
                return;
            }
            Err(TryLockError::Poisoned(ours)) => {
                *ours.into_inner() = false;
                let _ = give_back();
                return;
            }
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::yield_now(),
            Err(TryLockError::WouldBlock) => {
                let _ = give_back();
                return;
            }
        }
    }
}

/// Ends the process at the latest after `grace`, whatever holds it: a write to a terminal that takes no more, a name
/// lookup, crossterm's reader, which spins on a terminal that is gone.
pub(super) fn end_within(grace: Duration, code: i32) {
    thread::spawn(move || {
        thread::sleep(grace);
        let _ = disable_raw_mode();
        std::process::exit(code);
    });
}

pub(super) fn window_size() -> io::Result<Size> {
    let size = rustix::termios::tcgetwinsize(io::stdout())?;
    Ok(Size { width: size.ws_col, height: size.ws_row })
}

/// Writes to the terminal while it is ours; what comes later is dropped.
#[derive(Debug)]
pub struct Output(File);

impl Output {
    fn open() -> io::Result<Self> {
        stdout().map(Self)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let ours = lock(&OURS);
        if *ours { self.0.write_all(bytes) } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! What a person types, line by line: nothing typed or pasted before a question answers it.
//!
//! Between questions the terminal neither shows nor keeps what is typed. A question is shown first; its mark comes
//! when the keyboard has been quiet for a moment, and only what is typed after the mark is an answer.

use std::io::{self, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr,
};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// The keyboard is quiet when nothing came for so long: longer than a paste pauses on its way over a network, shorter
/// than anybody reads a question.
const QUIET: Duration = Duration::from_millis(250);
/// A look at the keyboard lasts so long when nothing comes.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// More than a line may be: what a terminal keeps of one is less.
const LONGEST: usize = 8192;
/// Asks the terminal to mark what is pasted, and no more.
const MARK_PASTE: (&str, &str) = ("\x1b[?2004h", "\x1b[?2004l");
/// The marks round what is pasted.
const PASTED: (&str, &str) = ("\x1b[200~", "\x1b[201~");

/// The terminal, and whoever asks something on it.
pub(in crate::cli) type Shared = Arc<tokio::sync::Mutex<Terminal>>;

/// What came of a question.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) enum Typed {
    /// A line, without its end.
    Line(Zeroizing<String>),
    /// One line, pasted.
    Pasted(Zeroizing<String>),
    /// Several lines at once: nobody read what the later ones answer.
    Several,
    /// No more will come: end of file, or the terminal is gone.
    End,
}

/// Where answers come from.
pub(in crate::cli) trait AnswerKeys: Send {
    /// Shows `mark` and waits for a line; unless `echo`, it is not shown. Dropping the future takes the question back.
    fn line(&mut self, mark: &str, echo: bool) -> impl Future<Output = Typed> + Send;
}

/// The terminal.
pub(in crate::cli) struct Terminal {
    line: Arc<Device>,
}

/// Gives the terminal back as it was found when dropped, whoever may still wait for an answer then.
pub(in crate::cli) struct GiveBack {
    line: Arc<Device>,
}

struct Device {
    input: Arc<OwnedFd>,
    /// As it was found.
    found: Termios,
    marks_paste: bool,
    given_back: AtomicBool,
}

/// Why there is nobody to ask.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum NoTerminal {
    /// Standard input or output is a file or a pipe.
    #[error("standard {0} is not a terminal to type answers at: run this in a terminal")]
    NotATerminal(&'static str),
    /// It failed.
    #[error("the terminal: {0}")]
    Io(#[from] io::Error),
}

impl Terminal {
    /// Whether there is a person to ask: standard input and output are terminals.
    pub(in crate::cli) fn is_there() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Takes the terminal, until the other half is dropped.
    ///
    /// # Errors
    /// When standard input or output is no terminal.
    pub(in crate::cli) fn take() -> Result<(Self, GiveBack), NoTerminal> {
        for (is, name) in [(io::stdin().is_terminal(), "input"), (io::stdout().is_terminal(), "output")] {
            if !is {
                return Err(NoTerminal::NotATerminal(name));
            }
        }
        let fd = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3).map_err(io::Error::from)?;
        let found = tcgetattr(&fd).map_err(io::Error::from)?;
        let marks_paste = std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb");
        let given_back = AtomicBool::new(false);
        let line = Arc::new(Device { input: Arc::new(fd), found, marks_paste, given_back });
        line.deaf();
        Ok((Self { line: line.clone() }, GiveBack { line }))
    }
}

impl Device {
    /// Nothing typed is shown; every byte is readable at once, so that quiet can be told.
    fn deaf(&self) {
        self.modes(LocalModes::empty());
    }

    /// The terminal edits a line; it is shown with `echo`.
    fn listening(&self, echo: bool) {
        let shown = if echo { LocalModes::ECHO } else { LocalModes::empty() };
        self.modes(LocalModes::ICANON | shown);
    }

    fn modes(&self, on: LocalModes) {
        if self.given_back.load(Ordering::SeqCst) {
            return;
        }
        let mut modes = self.found.clone();
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        modes.local_modes.insert(on);
        if !on.contains(LocalModes::ICANON) {
            // On some systems these slots hold the end-of-file key of line mode.
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        }
        // A terminal that is gone says so when it is read.
        let _ = tcsetattr(&*self.input, OptionalActions::Now, &modes);
    }

    fn discard(&self) {
        let _ = tcflush(&*self.input, QueueSelector::IFlush);
    }

    /// Waits until something can be read. Nothing is read meanwhile, so that it may be given up at any time.
    async fn readable(&self) -> io::Result<()> {
        loop {
            let input = self.input.clone();
            let there = tokio::task::spawn_blocking(move || {
                let mut fds = [PollFd::new(&input, PollFlags::IN)];
                poll(&mut fds, Some(&LOOK))?;
                Ok::<_, io::Error>(fds.iter().any(|fd| !fd.revents().is_empty()))
            });
            if there.await.map_err(io::Error::other)?? {
                return Ok(());
            }
        }
    }

    fn read(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(vec![0; LONGEST]);
        let length = rustix::io::read(&*self.input, bytes.as_mut_slice())?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Throws away what comes until nothing does.
    async fn quiet(&self) -> io::Result<()> {
        self.deaf();
        self.discard();
        while let Ok(more) = timeout(QUIET, self.readable()).await {
            more?;
            if self.read()?.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    async fn ask(&self, mark: &str, echo: bool) -> io::Result<Typed> {
        self.quiet().await?;
        self.listening(echo);
        let _until_answered = KeysListening { line: self };
        self.discard();
        self.show(mark)?;
        self.readable().await?;
        let bytes = self.read()?;
        // What the terminal kept back as the beginning of another line is readable now, too.
        self.deaf();
        let mut more = timeout(QUIET / 5, self.readable()).await.is_ok();
        if !echo {
            // The end of the line was not shown either.
            writeln!(io::stdout().lock())?;
        }
        if bytes.is_empty() {
            return Ok(Typed::End);
        }
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        let line = text.trim_end_matches(['\n', '\r']);
        more |= line.contains(['\n', '\r']);
        Ok(judged(line, more))
    }

    /// The terminal need not mark what is pasted any more.
    fn unmark(&self) {
        if self.marks_paste && !self.given_back.load(Ordering::SeqCst) {
            let mut out = io::stdout().lock();
            let _ = write!(out, "{}", MARK_PASTE.1).and_then(|()| out.flush());
        }
    }

    fn show(&self, mark: &str) -> io::Result<()> {
        let marks = if self.marks_paste { MARK_PASTE.0 } else { "" };
        let mut out = io::stdout().lock();
        write!(out, "{mark}{marks}")?;
        out.flush()
    }
}

/// What a line is, with the terminal's marks of what was pasted, and whether more came with it.
fn judged(line: &str, more: bool) -> Typed {
    if more || (line.contains(PASTED.0) && !line.contains(PASTED.1)) {
        return Typed::Several;
    }
    if line.contains(PASTED.0) {
        return Typed::Pasted(Zeroizing::new(line.replace(PASTED.0, "").replace(PASTED.1, "")));
    }
    Typed::Line(Zeroizing::new(line.to_owned()))
}

impl AnswerKeys for Terminal {
    async fn line(&mut self, mark: &str, echo: bool) -> Typed {
        self.line.ask(mark, echo).await.unwrap_or(Typed::End)
    }
}

/// The terminal of several who ask: one question at a time.
impl AnswerKeys for Arc<tokio::sync::Mutex<Terminal>> {
    async fn line(&mut self, mark: &str, echo: bool) -> Typed {
        self.lock().await.line(mark, echo).await
    }
}

/// Stops listening when a question was answered or taken back.
struct KeysListening<'d> {
    line: &'d Device,
}

impl Drop for KeysListening<'_> {
    fn drop(&mut self) {
        self.line.deaf();
        self.line.unmark();
    }
}

impl Drop for GiveBack {
    fn drop(&mut self) {
        self.line.unmark();
        self.line.given_back.store(true, Ordering::SeqCst);
        let _ = tcsetattr(&*self.line.input, OptionalActions::Now, &self.line.found);
        // What nobody was asked for is not for the shell either.
        self.line.discard();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn what_was_pasted_is_told_from_what_was_typed() {
        assert_eq!(judged("yes", false), Typed::Line(line("yes")));
        assert_eq!(judged("yes", true), Typed::Several);
        assert_eq!(judged("\x1b[200~yes\x1b[201~", false), Typed::Pasted(line("yes")));
        assert_eq!(judged("y\x1b[200~es\x1b[201~", false), Typed::Pasted(line("yes")));
        assert_eq!(judged("\x1b[200~yes", false), Typed::Several);
    }
}

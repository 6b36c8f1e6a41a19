//! A program in a pseudo-terminal: what it says is waited for, answers are typed.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::LocalModes;

/// No wait in these tests is longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A pseudo-terminal with the program on it.
pub(crate) struct Terminal {
    master: File,
    /// Keeps the terminal when the program has gone, to look at its modes.
    slave: File,
    child: Child,
    pub(crate) said: String,
    /// What stands on its screen now.
    screen: vt100::Parser,
    /// Up to where what it said was waited for.
    seen: usize,
}

impl Terminal {
    pub(crate) fn run(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = File::options().read(true).write(true).open(path).unwrap();
        let size = rustix::termios::Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&slave, size).unwrap();
        let side = || Stdio::from(slave.try_clone().unwrap());
        let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        let cells = |n: u16| std::num::NonZero::new(n).unwrap();
        let screen = vt100::Parser::new(cells(size.ws_row), cells(size.ws_col), 0);
        Self { master: File::from(master), slave, child, said: String::new(), screen, seen: 0 }
    }

    /// Takes in what it says; whether there was anything.
    pub(crate) fn pump(&mut self) -> bool {
        let moment = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
        let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
        match poll(&mut fds, Some(&moment)) {
            // A child of another test has ended.
            Err(rustix::io::Errno::INTR) => return false,
            polled => polled.unwrap(),
        };
        if !fds[0].revents().contains(PollFlags::IN) {
            return false;
        }
        let mut bytes = [0; 4096];
        let read = self.master.read(&mut bytes).unwrap();
        self.said.push_str(&String::from_utf8_lossy(&bytes[..read]));
        self.screen.process(&bytes[..read]);
        true
    }

    /// What stands on its screen, for programs that draw.
    pub(crate) fn shows(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until its screen shows something.
    pub(crate) fn until_it_shows(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let shown = self.shows();
            if holds(&shown) {
                return shown;
            }
            assert!(Instant::now() < end, "waited in vain for {what}; on screen:\n{shown}");
            assert!(self.child.try_wait().unwrap().is_none(), "it ended; on screen:\n{shown}");
            self.pump();
        }
    }

    /// Waits until it says something that it had not said when this was called the last time.
    pub(crate) fn until(&mut self, what: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.said[self.seen..].find(what) {
                self.seen += at + what.len();
                return;
            }
            assert!(Instant::now() < end, "waited in vain for {what:?}; it said:\n{}", self.said);
            self.pump();
        }
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Gives it another size, and tells the program, which has it not as its controlling terminal.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.slave, size).unwrap();
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::WINCH).unwrap();
    }

    pub(crate) fn interrupt(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
    }

    /// Waits until it says that, or has ended: whether it said it.
    pub(crate) fn until_or_end(&mut self, what: &str) -> bool {
        let end = Instant::now() + PATIENCE;
        loop {
            self.pump();
            if self.said[self.seen..].contains(what) {
                return true;
            }
            if self.has_ended() {
                while self.pump() {}
                return self.said[self.seen..].contains(what);
            }
            assert!(Instant::now() < end, "waited in vain for {what:?}; it said:\n{}", self.said);
        }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends it as nobody can prepare for.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its exit code; everything it said is in `said` then.
    pub(crate) fn ends(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            self.pump();
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "it does not end; it said:\n{}", self.said);
        };
        while self.pump() {}
        status.code().unwrap_or(-1)
    }

    pub(crate) fn shows_what_is_typed(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.slave).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

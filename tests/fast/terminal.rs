//! The terminal is given back whatever ends the console: a program with the console's own guard and loop
//! (`examples/console_probe.rs`) runs in a pseudo-terminal, is ended in every way there is, and leaves the terminal as
//! it found it.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

mod charts;
mod commands;
mod copied;
mod keymaps;
mod logs;
mod look;
mod power;
mod remembered;
mod second_jump;
mod stepping_aside;
mod views;

/// The console.
const JUMPDECK: &str = env!("CARGO_BIN_EXE_jumpdeck");
/// No wait in these tests is longer.
const PATIENCE: Duration = Duration::from_secs(20);

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

/// Built by `cargo test`, as examples are; not by `cargo test --test fast` alone.
fn probe() -> PathBuf {
    // …/target/debug/deps/terminal-HASH → …/target/debug/examples/console_probe
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let path = path.join("examples/console_probe");
    assert!(path.exists(), "first: cargo build --example console_probe");
    path
}

/// A pseudo-terminal with a program on it.
struct Pty {
    master: Option<File>,
    /// Keeps the terminal when the program has gone, to look at its modes.
    slave: File,
    path: String,
    child: Child,
    screen: vt100::Parser,
    /// Every byte that the program wrote.
    said: Vec<u8>,
    modes: String,
}

impl Pty {
    /// Runs a program as the leader of a session that has the terminal as its own.
    fn run(program: &[&str]) -> Self {
        Self::run_in(&["--ctty"], program)
    }

    /// Runs a program as the leader of a session.
    fn run_in(session: &[&str], program: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = File::options().read(true).write(true).open(&path).unwrap();
        rustix::termios::tcsetwinsize(
            &slave,
            rustix::termios::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 },
        )
        .unwrap();
        let modes = modes(&path);
        let side = || Stdio::from(slave.try_clone().unwrap());
        let child = Command::new("setsid")
            .args(session)
            .args(program)
            .env("TERM", "xterm-256color")
            .env("PS1", "$ ")
            .env_remove("RUST_BACKTRACE")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .expect("setsid (util-linux)");
        let screen = vt100::Parser::new(cells(24), cells(80), 200);
        Self { master: Some(File::from(master)), slave, path, child, screen, said: Vec::new(), modes }
    }

    /// The probe, with its first frame drawn.
    fn probe() -> Self {
        let mut pty = Self::run(&[probe().to_str().unwrap()]);
        pty.until("its first frame", |p| p.contents().contains("ready"));
        assert!(pty.is_taken(), "the probe takes the terminal");
        assert_ne!(modes(&pty.path), pty.modes, "raw mode is on");
        pty
    }

    /// The console itself, on a simulated fleet, with its first frame drawn.
    fn demo(home: &tempfile::TempDir) -> Self {
        Self::demo_with(home, &[], &[])
    }

    /// The same with more of an environment and more arguments.
    fn demo_with(home: &tempfile::TempDir, environment: &[&str], arguments: &[&str]) -> Self {
        let home = format!("HOME={}", home.path().display());
        let env = "env -u XDG_CONFIG_HOME -u XDG_STATE_HOME -u TMUX -u STY";
        let program: Vec<&str> = env.split(' ').chain([home.as_str()]).collect();
        let mut pty = Self::run(&[&program, environment, &[JUMPDECK, "demo"], arguments].concat());
        pty.until("the console", |p| p.is_taken() && p.contents().contains("SIMULATED"));
        pty
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Takes in what the program writes, until something holds.
    fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "waited in vain for {what}; on screen:\n{}", self.contents());
            self.pump();
        }
    }

    /// Takes in what there is; waits for it at most a moment.
    fn pump(&mut self) {
        let Some(master) = &mut self.master else {
            std::thread::yield_now();
            return;
        };
        let moment = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
        let mut fds = [PollFd::new(master, PollFlags::IN)];
        match poll(&mut fds, Some(&moment)) {
            // A child of another test has ended.
            Err(rustix::io::Errno::INTR) => return,
            polled => polled.unwrap(),
        };
        if fds[0].revents().contains(PollFlags::IN) {
            let mut bytes = [0; 4096];
            let read = master.read(&mut bytes).unwrap();
            self.screen.process(&bytes[..read]);
            self.said.extend_from_slice(&bytes[..read]);
        }
    }

    fn type_text(&mut self, text: &str) {
        self.master.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// The exit of the program, and how long it took.
    fn exit(&mut self) -> (ExitStatus, Duration) {
        let from = Instant::now();
        let mut status = None;
        self.until("its end", |p| {
            status = p.child.try_wait().unwrap();
            status.is_some()
        });
        let took = from.elapsed();
        for _ in 0..5 {
            self.pump();
        }
        (status.unwrap(), took)
    }

    fn is_taken(&self) -> bool {
        let screen = self.screen.screen();
        screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste()
    }

    fn assert_given_back(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "bracketed paste is off");
        assert_eq!(modes(&self.path), self.modes, "the terminal's modes are as they were");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.slave.flush();
    }
}

/// All of a terminal's modes in one line.
fn modes(path: &str) -> String {
    let out = Command::new("stty").args(["-g", "-F", path]).output().unwrap();
    assert!(out.status.success(), "stty: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn quitting_gives_the_terminal_back() {
    let mut pty = Pty::probe();
    pty.type_text("\x03");
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(0));
    pty.assert_given_back();
}

#[test]
fn signals_that_end_give_the_terminal_back_and_say_so_by_the_exit_code() {
    for signal in [Signal::INT, Signal::TERM, Signal::QUIT, Signal::HUP] {
        let mut pty = Pty::probe();
        pty.signal(signal);
        let (status, took) = pty.exit();
        assert_eq!(status.code(), Some(128 + signal.as_raw()), "{signal:?}: {status:?}");
        assert!(took < Duration::from_secs(1), "{signal:?} took {took:?}");
        pty.assert_given_back();
    }
}

#[test]
fn a_panic_in_a_task_ends_the_console_restores_the_terminal_and_is_told() {
    let mut pty = Pty::probe();
    pty.signal(Signal::USR1);
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(70));
    pty.assert_given_back();
    let contents = pty.contents();
    assert!(contents.contains("a task failed on purpose"), "{contents}");
    assert!(!contents.contains("ready"), "nothing of the frame stays: {contents}");
}

#[test]
fn a_panic_of_the_loop_restores_the_terminal_and_is_told() {
    let mut pty = Pty::probe();
    pty.signal(Signal::USR2);
    // Each key draws; the flag is up when the signal has been taken in.
    let mut status = None;
    pty.until("the panic", |p| {
        if p.is_taken() {
            p.type_text("x");
        }
        status = p.child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(101));
    pty.until("its message", |p| p.contents().contains("drawing failed on purpose"));
    pty.assert_given_back();
}

/// Ends within a second of the terminal's going.
fn assert_ends_with_its_terminal(mut pty: Pty) {
    let from = Instant::now();
    pty.master = None;
    let mut status = None;
    pty.until("its end", |p| {
        status = p.child.try_wait().unwrap();
        status.is_some()
    });
    let took = from.elapsed();
    assert!(took < Duration::from_secs(1), "took {took:?}");
    let status = status.unwrap();
    assert_eq!((status.code(), status.signal()), (Some(129), None));
}

#[test]
fn a_terminal_that_goes_ends_the_process_within_a_second() {
    assert_ends_with_its_terminal(Pty::probe());
}

#[test]
fn a_terminal_that_goes_without_a_signal_ends_the_process_too() {
    // The terminal is not the session's own: no HUP is sent.
    let mut pty = Pty::run_in(&[], &[probe().to_str().unwrap()]);
    pty.until("its first frame", |p| p.contents().contains("ready"));
    assert_ends_with_its_terminal(pty);
}

/// Cells that show what something else wrote, which the console would take for its own.
#[test]
fn a_screen_that_something_else_wrote_on_is_drawn_again() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo(&home);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    for (key, what) in [("\x0c", "Ctrl-L"), ("r", "refresh"), ("/\x0c", "Ctrl-L while a filter is typed")] {
        // On the row of titles, of which no cell changes by itself.
        pty.slave.write_all(b"\x1b[3;20HBROADCAST MESSAGE").unwrap();
        pty.until("the message", |p| p.contents().contains("BROADCAST"));
        pty.type_text(key);
        pty.until(what, |p| !p.contents().contains("BROADCAST") && p.contents().contains("REPLICATION"));
    }
}

/// The bytes that a terminal sends for each key, and where the cursor is drawn.
#[test]
fn a_field_is_edited_with_the_keys_of_a_terminal() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo(&home);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    pty.type_text("/");
    for (keys, text, cursor) in [
        ("role:db", "/role:db", 9),
        ("\x1b[D\x1b[D\x1b[D!", "/role!:db", 7),
        ("\x1b[3~\x7f", "/roledb", 6),
        ("\x1b[Hload \x1b[F1", "/load roledb1", 14),
        ("\x1b[1;5D\x1b[200~app1 \x1b[201~", "/load app1 roledb1", 12),
        ("\x1b[1;5C\x17\x01\x0b日e\u{301}\x1b[D", "/日e\u{301}", 4),
    ] {
        pty.type_text(keys);
        pty.until(text, |p| {
            let shown = p.screen.screen();
            let ground = |column| shown.cell(22, column).map(vt100::Cell::bgcolor);
            let row = shown.rows(0, 50).nth(22).unwrap_or_default();
            row.trim() == text
                && ground(cursor) != ground(0)
                && (1..12).all(|by| ground(cursor + by) != ground(cursor))
        });
    }
}

#[test]
fn the_console_itself_quits_and_is_ended() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo(&home);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    pty.type_text("q");
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(0));
    pty.assert_given_back();

    for signal in [Signal::TERM, Signal::HUP] {
        let mut pty = Pty::demo(&home);
        pty.signal(signal);
        let (status, took) = pty.exit();
        assert_eq!(status.code(), Some(128 + signal.as_raw()), "{signal:?}");
        assert!(took < Duration::from_secs(1), "{signal:?} took {took:?}");
        pty.assert_given_back();
    }
    assert_ends_with_its_terminal(Pty::demo(&home));
}

#[test]
fn ctrl_z_stops_the_job_and_fg_brings_it_back() {
    let mut pty = Pty::run(&["bash", "--norc", "--noprofile", "--noediting", "-i"]);
    pty.until("a prompt", |p| p.contents().contains("$ "));
    let command = format!("{}\r", probe().display());
    pty.type_text(&command);
    for round in 0..2 {
        pty.until("a frame", |p| p.is_taken() && p.contents().contains("ready"));
        if round == 0 {
            pty.type_text("\x1a");
        } else {
            // The same from outside.
            let pid = probe_pid(&pty.contents());
            kill_process(pid, Signal::TSTP).unwrap();
        }
        pty.until("the shell", |p| {
            !p.screen.screen().alternate_screen() && p.contents().matches("Stopped").count() > round
        });
        pty.assert_given_back();
        pty.type_text("fg\r");
    }
    pty.until("a frame", |p| p.is_taken() && p.contents().contains("ready"));
    pty.type_text("\x03");
    pty.until("the prompt", |p| !p.screen.screen().alternate_screen() && p.contents().ends_with("$ "));
    pty.type_text("echo o\"v\"er\r");
    pty.until("the shell", |p| p.contents().contains("over"));
    pty.assert_given_back();
}

fn probe_pid(contents: &str) -> Pid {
    let word = contents.split_whitespace().skip_while(|w| *w != "probe").nth(1).unwrap();
    Pid::from_raw(word.parse().unwrap()).unwrap()
}

#[test]
fn a_stop_that_nobody_could_undo_is_not_obeyed() {
    // The leader of a session has no shell above it.
    let mut pty = Pty::probe();
    pty.type_text("\x1a");
    pty.type_text("\x03");
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(0));
    pty.assert_given_back();
}

#[test]
fn resizing_draws_for_the_new_size() {
    let mut pty = Pty::probe();
    let size = rustix::termios::Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(pty.master.as_ref().unwrap(), size).unwrap();
    pty.screen.screen_mut().set_size(cells(40), cells(120));
    pty.until("the new size", |p| p.contents().contains("of 120x40"));
}

#[test]
fn without_a_terminal_it_says_so() {
    let out = Command::new(probe()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(out.status.code(), Some(70));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("standard input is not a terminal"), "{said}");
}

#[test]
fn the_palette_leads_to_a_host_and_to_a_screen() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo(&home);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    let on_fleet = |p: &mut Pty| p.contents().contains("REPLICATION");
    for (key, typed, entry, leaves_fleet) in
        [(":", "db2", "▸ db2", true), ("\x10", "fleet screen", "▸ fleet", false)]
    {
        pty.type_text(key);
        pty.until("the palette", |p| p.contents().contains("Command palette"));
        pty.type_text(typed);
        pty.until(entry, |p| p.contents().contains(entry));
        pty.type_text("\r");
        pty.until("where it leads", |p| {
            !p.contents().contains("Command palette") && on_fleet(p) != leaves_fleet
        });
    }
}

/// Selecting with the mouse is the terminal's: no screen, dialog or palette asks for its reports.
#[test]
fn the_mouse_stays_with_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo(&home);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    for keys in
        ["1", "2", "3", "4", "5", "b", "H", "A", "\u{1b}", "?", "\u{1b}", ":", "\u{1b}", "/db", "\u{1b}"]
    {
        let said = pty.said.len();
        pty.type_text(keys);
        pty.until("another picture", |p| p.said.len() > said);
    }
    pty.signal(Signal::TERM);
    pty.exit();
    let said = String::from_utf8_lossy(&pty.said).into_owned();
    for mode in ["9", "1000", "1001", "1002", "1003", "1005", "1006", "1015", "1016"] {
        assert!(!said.contains(&format!("\u{1b}[?{mode}h")), "mode {mode}");
    }
}

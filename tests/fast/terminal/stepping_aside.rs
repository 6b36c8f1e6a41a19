//! The console steps aside for a shell on a host, and comes back as it was: on the simulated fleet, and on real sshds that are killed
//! under it.

use super::*;
use crate::exec::Site;

fn is_shell(pty: &mut Pty) -> bool {
    !pty.screen.screen().alternate_screen() && pty.contents().contains("when it ends, the console comes back")
}

/// Opens a shell on the host that is selected, and waits for its prompt.
fn open(pty: &mut Pty) {
    pty.type_text("$");
    pty.until("the shell", is_shell);
    // A prompt ends in # or $, and is the last thing on the screen.
    pty.until("its prompt", |p| p.contents().trim_end().ends_with(['#', '$']));
}

fn is_console(pty: &mut Pty) -> bool {
    pty.is_taken() && pty.contents().contains("of 3 hosts up")
}

/// A console on real sshds, with every host answering.
fn console(site: &Site) -> Pty {
    let home = format!("HOME={}", site.dir.path().display());
    let inventory = site.path("inventory.toml");
    let env = "env -u XDG_CONFIG_HOME -u XDG_STATE_HOME -u TMUX -u STY PS1=prompt#";
    let program: Vec<&str> = env.split(' ').chain([home.as_str(), JUMPDECK, "--inventory"]).collect();
    let mut pty = Pty::run(&[&program[..], &[inventory.to_str().unwrap(), "--filter", "host:one"]].concat());
    pty.until("the console", |p| p.is_taken() && p.contents().contains("3 of 3 hosts up"));
    pty
}

#[test]
fn a_shell_on_the_simulated_fleet_and_the_console_again() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--host", "app1"]);
    pty.until("a host that answers", |p| p.contents().contains("≤5s") || p.contents().contains("load"));
    let before = pty.contents();
    let place = before.lines().find(|line| line.contains("app1")).unwrap().to_owned();
    for status in [0, 5] {
        open(&mut pty);
        assert!(pty.contents().contains("SIMULATED: this host does not exist"), "{}", pty.contents());
        // Keys of the console are text here.
        pty.type_text("echo q:$((6 * 7))/\r");
        pty.until("its answer", |p| p.contents().contains("q:42/"));
        pty.type_text(&format!("exit {status}\r"));
        pty.until("the console", |p| {
            p.is_taken() && p.contents().contains(&format!("app1 has ended with exit status {status}"))
        });
        assert!(pty.contents().lines().any(|line| line == place), "{}", pty.contents());
    }
    pty.type_text("?");
    pty.until("its keys work", |p| p.contents().contains("a shell on the selected host"));
    pty.type_text("qqq");
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(0));
    pty.assert_given_back();
}

#[test]
fn whatever_ends_the_shell_brings_the_console_back() {
    let Some(site) = Site::new("") else { return };
    let mut pty = console(&site);
    let editor = |pty: &mut Pty| {
        open(pty);
        pty.type_text("printf '\\033[?1049h\\033[?1000h\\033[?1hediting'; cat\r");
        pty.until("an editor", |p| p.screen.screen().alternate_screen() && p.contents().contains("editing"));
    };
    let lost = |pty: &mut Pty, why: &str| {
        pty.until("the console, and why", |p| p.is_taken() && p.contents().contains(why));
        assert_eq!(pty.screen.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(!pty.screen.screen().application_cursor());
        pty.type_text("\r");
        pty.until("the fleet", |p| !p.contents().contains("was lost"));
    };
    open(&mut pty);
    pty.type_text("kill -9 $$\r");
    lost(&mut pty, "ended by signal KILL");
    editor(&mut pty);
    site.hosts[0].signal_sessions("-KILL");
    lost(&mut pty, "host one: ");
    pty.until("a host that answers again", |p| p.contents().contains("3 of 3 hosts up"));
    editor(&mut pty);
    site.jump.signal_sessions("-KILL");
    lost(&mut pty, "jump box gate: ");
    pty.until("hosts that answer again", |p| p.contents().contains("3 of 3 hosts up"));
    editor(&mut pty);
    pty.signal(Signal::TERM);
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(128 + Signal::TERM.as_raw()));
    assert_eq!(pty.screen.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    pty.assert_given_back();
}

#[test]
fn the_window_may_change_its_size_meanwhile() {
    let Some(site) = Site::new("") else { return };
    let mut pty = console(&site);
    open(&mut pty);
    let size = rustix::termios::Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&pty.slave, size).unwrap();
    pty.screen.screen_mut().set_size(cells(30), cells(100));
    pty.type_text("until test \"$(stty size)\" = '30 100'; do :; done; stty size\r");
    pty.until("the new size", |p| p.contents().contains("\n30 100"));
    pty.type_text("exit\r");
    pty.until("the console", is_console);
    pty.until("in the new size", |p| {
        p.contents().lines().next().is_some_and(|line| line.chars().count() > 80)
    });
}

/// A jump box that is silent: the console stays in use, and whoever waited may stop waiting.
#[test]
fn a_shell_that_does_not_come_can_be_cancelled() {
    let Some(site) = Site::new("") else { return };
    let mut pty = console(&site);
    site.jump.signal_listener("-STOP");
    pty.type_text("$");
    pty.until("that it is being opened", |p| p.contents().contains("Opening a shell on one (test)"));
    // Typed for the shell: it acts on nothing.
    pty.type_text("reboot\r");
    pty.type_text("\u{1b}");
    pty.until("that none was opened", |p| p.contents().contains("no shell on one was opened"));
    site.jump.signal_listener("-CONT");
    open(&mut pty);
    pty.type_text("exit\r");
    pty.until("the console", is_console);
}

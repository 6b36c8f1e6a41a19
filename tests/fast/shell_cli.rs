//! `jumpdeck ssh` in a pseudo-terminal: a shell on the simulated fleet, and on real sshds that are killed under it.

use std::path::PathBuf;
use std::process::Command;

use crate::exec::{Site, command, ran};
use crate::support::terminal::Terminal;

fn shell(site: &Site, host: &str) -> Terminal {
    let inventory = site.path("inventory.toml");
    let mut command = command(site.dir.path(), &["ssh", "-i", inventory.to_str().unwrap(), host]);
    command.env("TERM", "xterm-256color");
    let mut terminal = Terminal::run(command);
    // What is typed before the shell is there is thrown away with the questions of the login.
    terminal.until("# ");
    terminal.types("PS1=; echo be''gun\r");
    terminal.until("begun");
    terminal
}

#[test]
fn a_shell_on_the_simulated_fleet_ends_with_its_own_status() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&["ssh", "--demo", "app1"][..], &["ssh", "role:masterdb", "-e", "production", "--demo"]]
    {
        let mut terminal = Terminal::run(command(home.path(), arguments));
        terminal.until("SIMULATED");
        terminal.until(":~");
        terminal.types("echo $((6 * 7))-$TERM\r");
        terminal.until("42-xterm");
        terminal.types("exit 5\r");
        assert_eq!(terminal.ends(), 5, "{}", terminal.said);
        assert!(terminal.shows_what_is_typed());
    }
}

#[test]
fn it_needs_one_host_and_a_terminal() {
    let home = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], code: i32, says: &str| {
        let ran = ran(command(home.path(), arguments));
        assert!(
            ran.code == Some(code) && ran.err.contains(says),
            "{arguments:?}: {:?} {}",
            ran.code,
            ran.err
        );
    };
    refused(&["ssh", "--demo", "app1"], 7, "terminal");
    refused(&["ssh", "--demo", "role:app"], 2, "these fit: app1");
    refused(&["ssh", "--demo", "nosuch"], 2, "no host \"nosuch\"");
}

#[test]
fn the_window_s_size_is_passed_on_and_nothing_is_lost() {
    let Some(site) = Site::new("") else { return };
    let mut terminal = shell(&site, "one");
    terminal.types("stty size; echo $TERM\r");
    terminal.until("40 100\r\nxterm-256color");
    terminal.resize(50, 120);
    terminal.types("stty size\r");
    terminal.until("50 120");
    // More than may wait anywhere: the remote program waits for the terminal.
    terminal.types("head -c 2500000 /dev/zero | tr '\\0' '\\043'; echo al''l\r");
    let before = terminal.said.matches('#').count();
    terminal.until("all");
    assert_eq!(terminal.said.matches('#').count() - before, 2_500_000);
    terminal.types("exit 7\r");
    assert_eq!(terminal.ends(), 7);
    assert!(terminal.shows_what_is_typed());
}

/// The terminal when something ended the shell under an editor: given back, and why is said.
fn left(mut terminal: Terminal, why: &str) {
    assert_eq!(terminal.ends(), 255, "{}", terminal.said);
    assert!(terminal.shows_what_is_typed(), "echo and lines are back");
    let said = &terminal.said;
    let undone = said.rfind("\u{1b}[?25h\u{1b}[?1049l").unwrap_or_else(|| panic!("{said:?}"));
    assert!(said[undone..].contains(why), "{said:?}");
}

fn with_an_editor(site: &Site) -> Terminal {
    let mut terminal = shell(site, "one");
    terminal.types("printf '\\033[?1049h\\033[?25leditor'\r");
    terminal.until("\u{1b}[?25leditor");
    terminal
}

#[test]
fn whatever_ends_the_shell_gives_the_terminal_back() {
    let Some(site) = Site::new("") else { return };
    let mut terminal = with_an_editor(&site);
    terminal.types("kill -9 $$\r");
    left(terminal, "ended by signal KILL");
    let terminal = with_an_editor(&site);
    site.hosts[0].signal_sessions("-KILL");
    left(terminal, "host one: ");
    let terminal = with_an_editor(&site);
    site.jump.signal_sessions("-KILL");
    left(terminal, "jump box gate: ");
    let mut terminal = with_an_editor(&site);
    terminal.interrupt();
    assert_eq!(terminal.ends(), 255);
    assert!(
        terminal.shows_what_is_typed() && terminal.said.contains("\u{1b}[?25h\u{1b}[?1049l"),
        "{:?}",
        terminal.said
    );
}

/// Built by `cargo test`, as examples are; not by `cargo test --test fast` alone.
fn probe() -> PathBuf {
    // target/debug/deps/fast-HASH: the examples lie beside `deps`.
    let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let path = folder.join("examples/raw_probe");
    assert!(path.exists(), "first: cargo build --example raw_probe");
    path
}

#[test]
fn a_panic_gives_the_terminal_back_and_ends_the_program() {
    let mut terminal = Terminal::run(Command::new(probe()));
    assert_eq!(terminal.ends(), 101, "{}", terminal.said);
    let said = &terminal.said;
    let undone = said.rfind("\u{1b}[?25h\u{1b}[?1049l").unwrap_or_else(|| panic!("{said:?}"));
    assert!(said[..undone].contains("ready") && said[undone..].contains("failed on purpose"), "{said:?}");
    assert!(terminal.shows_what_is_typed());
}

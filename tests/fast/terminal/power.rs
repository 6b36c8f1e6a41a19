//! A host that is switched off, its power state and its console log, from the key to the screen.

use super::*;

#[test]
fn a_host_that_is_silent_shows_its_power_state_and_its_console_log() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--host", "salt"]);
    pty.until("hosts that answer", |pty| pty.contents().contains("hosts up"));
    // Somebody switches it off.
    pty.type_text("!");
    pty.until("the dialog", |pty| pty.contents().contains("It runs under /bin/sh"));
    pty.type_text("nova stop app2");
    pty.until("the command", |pty| pty.contents().contains("nova stop app2"));
    pty.type_text("\r");
    pty.until("what is said before", |pty| pty.contents().contains("no run is under way"));
    let mut typed = Instant::now();
    pty.until("its end", |pty| {
        if typed.elapsed() > Duration::from_millis(600) {
            typed = Instant::now();
            pty.type_text("y");
        }
        pty.contents().contains("over after")
    });
    assert!(pty.contents().contains("has been accepted"), "{}", pty.contents());
    pty.type_text(":");
    pty.until("the palette", |pty| pty.contents().contains("Enter"));
    pty.type_text("app2");
    pty.until("what is typed", |pty| pty.contents().contains("app2"));
    pty.type_text("\r");
    pty.until("its page, silent", |pty| pty.contents().contains("Y power state"));
    pty.type_text("Y");
    pty.until("its power state", |pty| pty.contents().contains("the cloud says: SHUTOFF, shut down"));
    let screen = pty.contents();
    for part in ["app2", "nova on salt", "It is switched off", "CONSOLE LOG", "status", "UUID"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    pty.type_text("G");
    pty.until("the end of the log", |pty| pty.contents().contains("| app2 login:"));
    // Asked again, and left.
    pty.type_text("r");
    pty.until("another answer", |pty| {
        !pty.contents().contains("asking the cloud") && pty.contents().contains("SHUTOFF")
    });
    pty.type_text("q");
    pty.until("the host's page", |pty| !pty.contents().contains("CONSOLE LOG"));
}

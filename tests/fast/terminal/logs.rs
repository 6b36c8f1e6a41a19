//! Logs on the full screen, of the simulated fleet.

use super::*;

#[test]
fn logs_of_a_host_are_followed_paused_filtered_and_left() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--host", "app1"]);
    pty.until("a host that answers", |p| p.contents().contains("app1"));
    pty.type_text("L");
    pty.until("lines of its logs", |p| {
        let text = p.contents();
        text.contains("logs of 1 of 1 host") && text.contains("app1:syslog") && text.contains("FOLLOWING")
    });
    pty.type_text("k");
    pty.until("that it is paused", |p| p.contents().contains("PAUSED"));
    // The simulated hosts write: what is new is counted, and nothing moves.
    pty.until("what is new", |p| !p.contents().contains("+1 new") && p.contents().contains(" new"));
    pty.type_text("G");
    pty.until("that it follows", |p| p.contents().contains("FOLLOWING"));
    pty.type_text("/CRON\rf");
    pty.until("the filter on the hosts", |p| {
        let text = p.contents();
        text.contains("on the hosts only lines with \"CRON\"")
            && text.contains("CRON[")
            && !text.contains("ntpd[")
    });
    pty.type_text("c");
    pty.until("where the copy is", |p| p.contents().contains("handoff/"));
    pty.type_text("q");
    pty.until("the host", |p| !p.contents().contains("FOLLOWING"));
    pty.type_text("qq");
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(0));
}

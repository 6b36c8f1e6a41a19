//! Processes, ports and mounts on the full screen, of the simulated fleet.

use super::*;

#[test]
fn a_host_is_looked_at_sorted_filtered_paused_and_left() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--host", "db2", "--env", "production"]);
    pty.until("a host that answers", |p| p.contents().contains("db2"));
    pty.type_text("P");
    // The second answer knows what is used now.
    pty.until("its processes", |p| {
        let text = p.contents();
        text.contains("asked every 3 s")
            && text
                .lines()
                .any(|line| line.contains("mysqld") && line.contains('%') && line.contains(" mysql "))
    });
    pty.type_text("i");
    pty.until("its ports", |p| {
        let text = p.contents();
        text.contains("tcp 3306") && text.contains("tcp 22") && text.contains("udp 123")
    });
    pty.type_text("F");
    pty.until("its mounts", |p| {
        let text = p.contents();
        text.contains("ext") && text.lines().any(|line| line.contains(" / ") && line.contains('%'))
    });
    pty.type_text("P/ssh\r");
    pty.until("the filter", |p| p.contents().contains("sshd") && !p.contents().contains("mysqld"));
    pty.type_text("\x1b");
    pty.until("all of them", |p| p.contents().contains("mysqld"));
    pty.type_text("p");
    pty.until("that it is paused", |p| p.contents().contains("PAUSED"));
    pty.type_text("qqq");
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(0));
}

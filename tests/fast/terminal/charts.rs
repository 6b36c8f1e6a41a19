//! Charts of a simulated host on the full screen.

use super::*;

#[test]
fn charts_of_a_host_are_shown_and_their_span_is_changed() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--host", "db2", "--env", "production"]);
    pty.until("a host that answers", |p| p.contents().contains("last report"));
    pty.type_text("d");
    pty.until("its charts", |p| {
        let text = p.contents();
        ["load, 1 min average", "memory in use", "replication lag", "disk /", "median", "1 h ago"]
            .iter()
            .all(|wanted| text.contains(wanted))
    });
    pty.type_text("]]]");
    pty.until("a week", |p| p.contents().contains("7 d ago"));
    pty.type_text("qqq");
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(0));
    // Of a simulated fleet nothing is kept.
    let kept = home.path().join(".local/state/jumpdeck");
    let files = std::fs::read_dir(&kept).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let files: Vec<_> = files.filter(|name| name.to_string_lossy().ends_with(".figures")).collect();
    assert!(files.is_empty(), "{files:?}");
}

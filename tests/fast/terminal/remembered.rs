//! What was taken from the command palette, in the next console.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// A console with its palette open, and the row that is selected in it.
fn first_row(home: &tempfile::TempDir) -> String {
    let mut pty = Pty::demo(home);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    pty.type_text(":");
    pty.until("the palette", |p| p.contents().contains("Command palette"));
    let row = pty.contents().lines().find(|row| row.contains("│ ▸")).unwrap_or_default().to_owned();
    pty.type_text("\x03");
    pty.exit();
    row
}

#[test]
fn what_was_taken_last_comes_first_in_the_next_console() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".local/state/jumpdeck/palette-demo");
    assert!(!first_row(&home).contains("db2"));
    assert!(!file.exists(), "nothing was taken");
    let mut pty = Pty::demo(&home);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    pty.type_text(":db2\r");
    pty.until("the host", |p| p.contents().contains("db2 "));
    // Quitting at once loses nothing.
    pty.type_text(":fleet\r:quit\r");
    pty.exit();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().last(), Some("host\tproduction\tdb2"), "{text}");
    assert_eq!(text.lines().nth(1), Some("action\tquit"), "{text}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    fs::write(&file, "jumpdeck palette 1\nhost\tproduction\tno-such-host\nhost\tproduction\tdb2\n").unwrap();
    assert!(first_row(&home).contains("db2"), "what is gone is not listed");
    fs::write(&file, [0, 159, 146, 150]).unwrap();
    assert!(!first_row(&home).contains("db2"), "a broken file is no history, and stops nothing");
}

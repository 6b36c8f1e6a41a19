//! The console with the keymap vim, and with one of the operator's own, in a real terminal.

use std::fs;

use super::*;

/// A console, with its first report.
fn console(home: &tempfile::TempDir, keymap: &str) -> Pty {
    let mut pty = Pty::demo_with(home, &[], &["--keymap", keymap]);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    pty
}

/// Types, and waits for what the screen has then.
fn then(pty: &mut Pty, keys: &str, wanted: &str) {
    pty.type_text(keys);
    pty.until(&format!("{wanted:?} after {keys:?}"), |p| p.contents().contains(wanted));
}

fn footer(pty: &Pty) -> String {
    pty.contents().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn every_main_screen_is_walked_with_the_keymap_vim() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = console(&home, "vim");
    for (key, title) in
        [("2", "LOG POSITION"), ("3", "REQUIRED"), ("4", "WHAT"), ("5", "WELL"), ("1", "DISK")]
    {
        then(&mut pty, key, title);
        then(&mut pty, "g", "first row");
        assert!(footer(&pty).contains("Esc cancel"), "{}", pty.contents());
        pty.type_text("g");
        pty.until("the end of the sequence", |p| !footer(p).contains("Esc cancel"));
    }
    // The ends of the fleet, by what the selection says of its place.
    then(&mut pty, "gg", " 1/");
    pty.type_text("G");
    pty.until("the last row", |p| !p.contents().contains(" 1/"));
    then(&mut pty, "gx", "g x is not bound");
    then(&mut pty, "gg", " 1/");
    // The next environment and the one before.
    let first = pty.contents().lines().next().unwrap_or_default().to_owned();
    pty.type_text("gt");
    pty.until("another environment", |p| p.contents().lines().next() != Some(first.as_str()));
    then(&mut pty, "g?", " Help ");
    pty.type_text("g");
    pty.until("a sequence", |p| footer(p).contains("Esc cancel"));
    pty.type_text("\x1b");
    pty.until("no sequence", |p| !footer(p).contains("Esc cancel"));
    assert!(pty.contents().contains(" Help "), "Esc has ended the sequence, not help");
    pty.type_text("q");
    pty.until("no help", |p| !p.contents().contains(" Help "));
    pty.type_text("ZZ");
    assert_eq!(pty.exit().0.code(), Some(0));
    pty.assert_given_back();
}

#[test]
fn colon_and_a_name_lead_anywhere_with_the_keymap_vim() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = console(&home, "vim");
    then(&mut pty, ":replication\r", "LOG POSITION");
    pty.type_text(":q\r");
    assert_eq!(pty.exit().0.code(), Some(0));
}

#[test]
fn own_layers_hold_on_their_screen_and_a_mistake_in_one_is_named() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/jumpdeck/keymaps");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("mine.toml");
    fs::write(
        &file,
        "[keys]\npause = [\"p\"]\n[keys.problems]\nscreen_roles = [\"space r\"]\nhelp = [\"f12\"]\n",
    )
    .unwrap();
    let mut pty = console(&home, "mine");
    then(&mut pty, "4", "F12 help");
    then(&mut pty, " ", "r roles");
    then(&mut pty, "r", "? help");
    pty.type_text(" ");
    then(&mut pty, "4", "F12 help");
    drop(pty);

    fs::write(&file, "[keys]\nfirst = [\"g g\"]\n\n[keys.run]\nnote = [\"g\"]\n").unwrap();
    let pty = console(&home, "mine");
    let shown = pty.contents();
    assert!(shown.contains("OWN KEYMAP NOT USED") && shown.contains("mine.toml:5:9"), "{shown}");
    drop(pty);
    let home_is = format!("HOME={}", home.path().display());
    let check = Command::new("env")
        .args(["-u", "XDG_CONFIG_HOME", &home_is, JUMPDECK, "check"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&check.stdout);
    assert_eq!(check.status.code(), Some(2), "{said}");
    assert!(
        said.contains("mine.toml:5:9") && said.contains("is the beginning of") && said.contains("bound here"),
        "{said}"
    );
}

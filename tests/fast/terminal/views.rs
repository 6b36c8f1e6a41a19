//! Saved views in a real terminal: saved by a key, opened by the command line, edited by hand, broken.

use std::fs;

use super::*;

fn file(home: &tempfile::TempDir) -> PathBuf {
    home.path().join(".config/jumpdeck/views.toml")
}

/// Runs `jumpdeck` without a terminal.
fn command(home: &tempfile::TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let home = format!("HOME={}", home.path().display());
    let out = Command::new("env")
        .args(["-u", "XDG_CONFIG_HOME", "-u", "XDG_STATE_HOME", &home, JUMPDECK])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [out.stdout, out.stderr].concat();
    (out.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_view_is_saved_opened_again_replaced_and_deleted() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--filter", "role:db", "--reverse"]);
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    pty.type_text("V");
    pty.until("the question for a name", |p| p.contents().contains("Save this view"));
    pty.type_text("the dbs\r");
    pty.until("the view saved", |p| p.contents().contains("view the dbs saved"));
    let text = fs::read_to_string(file(&home)).unwrap();
    assert_eq!(
        text,
        "[views.\"the dbs\"]\nenvironment = \"production\"\nscreen = \"fleet\"\nfilter = \"role:db\"\nreverse = true\n"
    );
    assert_eq!(fs::metadata(file(&home)).unwrap().permissions().mode() & 0o777, 0o600);
    pty.type_text("q");
    pty.exit();

    // What is written by hand stays.
    fs::write(file(&home), format!("# mine\n{text}\n# for the night\n[views.night]\nenvironment = \"production\"\nscreen = \"problems\"\n")).unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--view", "the dbs"]);
    pty.until("the view", |p| {
        p.contents().contains("FILTER /role:db (") && p.contents().contains("reversed")
    });
    pty.type_text("v");
    pty.until("the list", |p| p.contents().contains("night") && p.contents().contains("the dbs"));
    pty.type_text("D");
    pty.until("the question", |p| p.contents().contains("Delete the view?"));
    // A yes counts only after a moment without keys.
    let mut pressed = Instant::now();
    pty.until("the question answered", |p| {
        if pressed.elapsed() > Duration::from_millis(500) {
            p.type_text("y");
            pressed = Instant::now();
        }
        !p.contents().contains("Delete the view?")
    });
    pty.until("the list without it", |p| !p.contents().contains("role:db"));
    let text = fs::read_to_string(file(&home)).unwrap();
    assert!(text.starts_with("# mine\n\n# for the night\n[views.night]\n"), "{text}");
}

#[test]
fn an_unknown_view_is_an_error_with_the_nearest_name_and_a_broken_file_stops_nothing() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(file(&home).parent().unwrap()).unwrap();
    fs::write(
        file(&home),
        "[views.replicas]\nenvironment = \"production\"\n[views.old]\nenvironment = \"lab\"\n",
    )
    .unwrap();
    let (code, said) = command(&home, &["demo", "--view", "replica"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there is no saved view \"replica\"; did you mean \"replicas\"?"), "{said}");
    let (code, said) = command(&home, &["demo", "--view", "old"]);
    assert!(
        code == Some(2) && said.contains("lab, which is not in the inventory; there are: production"),
        "{said}"
    );
    let (code, said) = command(&home, &["demo", "--view", "old", "--env", "production"]);
    assert!(code == Some(2) && said.contains("cannot be used with"), "{said}");

    fs::write(file(&home), "[views.replicas]\nenvironment = \"production\"\nsort = \"dsk\"\n").unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--view", "replicas"]);
    pty.until("what is wrong", |p| {
        p.contents().contains("SAVED VIEWS NOT AVAILABLE") && p.contents().contains("views.toml:3:8")
    });
    let shown = pty.contents().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("the view \"replicas\" is not shown"), "{shown}");
    let (code, said) = command(&home, &["check", file(&home).to_str().unwrap()]);
    assert!(
        code == Some(2) && said.contains("views.toml:3:8") && said.contains("did you mean \"disk\"?"),
        "{said}"
    );
    fs::write(file(&home), "[views.replicas]\nenvironment = \"production\"\nsort = \"disk\"\n").unwrap();
    pty.type_text("v");
    pty.until("the list", |p| p.contents().contains("by disk") && !p.contents().contains("NOT AVAILABLE"));
}

//! The key that copies the view: what the terminal receives, what is in the file, and that its command opens the same view.

use base64::Engine as _;

use super::*;

/// What was copied by OSC 52, the sequence having been unwrapped.
fn copied(said: &[u8]) -> Option<String> {
    let start = said.windows(7).position(|seven| seven == b"\x1b]52;c;")? + 7;
    let end = said[start..].iter().position(|byte| *byte == 0x07)?;
    let text = base64::engine::general_purpose::STANDARD.decode(&said[start..start + end]).ok()?;
    String::from_utf8(text).ok()
}

/// The content of each DCS that begins like this.
fn device_controls(said: &[u8], begin: &[u8]) -> Vec<u8> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = said[at..].windows(begin.len()).position(|part| part == begin) {
        let from = at + start + begin.len();
        let length = said[from..].windows(2).position(|two| two == b"\x1b\\").unwrap_or(0);
        found.extend_from_slice(&said[from..from + length]);
        at = from + length;
    }
    found
}

/// Whether each synchronized update that was begun is ended before anything else begins.
fn frames_are_whole(said: &[u8]) -> bool {
    let text = String::from_utf8_lossy(said);
    text.split("\x1b[?2026h").skip(1).all(|frame| {
        let (inside, after) = frame.split_once("\x1b[?2026l").unwrap_or((frame, ""));
        !inside.contains("]52;") && !after.contains("\x1b[?2026l")
    })
}

#[test]
fn a_view_is_copied_to_the_terminal_and_into_a_file_and_opens_again() {
    let home = tempfile::tempdir().unwrap();
    let view = ["--filter", "role:db !x", "--sort", "host"];
    let mut pty = Pty::demo_with(&home, &[], &view);
    pty.until("the filter", |p| p.contents().contains("FILTER /role:db !x"));
    pty.until("a host that answers", |p| p.contents().contains("hosts up"));
    pty.type_text("c");
    pty.until("where the copy is", |p| p.contents().contains("handoff/"));
    let text = copied(&pty.said).expect("OSC 52");
    assert!(frames_are_whole(&pty.said));
    assert!(
        text.starts_with("jumpdeck  production  the fleet  20") && text.contains(" UTC\nSIMULATED"),
        "{text}"
    );
    assert!(text.contains("\nFILTER /role:db !x (") && text.contains("db2"), "{text}");
    let command =
        text.lines().last().unwrap().strip_prefix("This view: jumpdeck demo wpd-2015 ").unwrap().to_owned();
    assert_eq!(command, "--env production --filter 'role:db !x' --sort host");
    let folder = home.path().join(".local/state/jumpdeck/handoff");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(std::fs::read_to_string(&files[0]).unwrap(), text);
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert!(pty.contents().contains(name), "the whole name is on screen: {}", pty.contents());

    let words = shlex::split(&command).unwrap();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut again = Pty::demo_with(&home, &[], &words);
    again.until("the same view", |p| {
        p.contents().contains("FILTER /role:db !x") && p.contents().contains("by host")
    });
}

#[test]
fn a_copy_is_wrapped_for_what_lies_before_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    for (environment, begin) in
        [("TMUX=/tmp/tmux-0/default,1,0", &b"\x1bPtmux;"[..]), ("STY=1.pts-0.host", &b"\x1bP"[..])]
    {
        let mut pty = Pty::demo_with(&home, &[environment], &["--screen", "problems"]);
        pty.until("a host that answers", |p| p.contents().contains("hosts up"));
        pty.type_text("c");
        pty.until("where the copy is", |p| p.contents().contains("handoff/"));
        let mut unwrapped = device_controls(&pty.said, begin);
        if environment.starts_with("TMUX") {
            unwrapped = String::from_utf8(unwrapped).unwrap().replace("\x1b\x1b", "\x1b").into_bytes();
        }
        let text = copied(&unwrapped).unwrap_or_else(|| panic!("{environment}: no OSC 52"));
        assert!(
            text.ends_with("This view: jumpdeck demo wpd-2015 --env production --screen problems\n"),
            "{text}"
        );
    }
}

#[test]
fn a_filter_that_cannot_be_read_ends_it_before_the_full_screen() {
    let home = tempfile::tempdir().unwrap();
    let out = Command::new(JUMPDECK)
        .args(["demo", "--filter", "db colour:red"])
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.contains("--filter:1:4") && said.contains("^^^^^^^^^^"), "{said}");
}

/// What is on screen goes into a file that is new; another one is not touched.
#[test]
fn a_table_is_exported_into_a_new_file_and_to_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let view = ["--filter", "role:db", "--sort", "host", "--columns", "name,role,disk"];
    let mut pty = Pty::demo_with(&home, &[], &view);
    pty.until("a host that answers", |p| p.contents().contains("hosts up") && p.contents().contains("db2"));
    pty.type_text("e");
    pty.until("the dialog", |p| p.contents().contains("into a new file"));
    pty.type_text("\x15~/fleet.csv\r");
    pty.until("where it is", |p| p.contents().contains("rows in ~/fleet.csv"));
    let file = home.path().join("fleet.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("TAKEN AT,ENVIRONMENT,FLEET,STATE,HOST,ROLES,DISK"), "{text}");
    assert!(lines.clone().count() > 1 && lines.all(|line| line.contains(",production,simulated,")), "{text}");
    std::fs::write(&file, "mine\n").unwrap();
    pty.type_text("e");
    pty.until("the dialog", |p| p.contents().contains("into a new file"));
    pty.type_text("\x15~/fleet.csv\r");
    pty.until("why not", |p| p.contents().contains("is not replaced"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
    pty.said.clear();
    pty.type_text("e");
    pty.until("the dialog", |p| p.contents().contains("into a new file"));
    pty.type_text("\t\x1b[B\r");
    pty.until("that it was sent", |p| p.contents().contains("copied as JSON"));
    let text = copied(&pty.said).expect("OSC 52");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["fleet"], &document["filter"]), (&"simulated".into(), &"role:db".into()));
    assert!(document["rows"].as_array().unwrap().iter().any(|row| row["HOST"] == "db2"), "{text}");
}

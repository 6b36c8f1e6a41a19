//! The built program, as a shell runs it: outputs that are closed early, and arguments before and after the command.

use std::io::Read as _;
use std::process::{Command, Output, Stdio};

fn jumpdeck(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    command.args(arguments).stdin(Stdio::null()).env_remove("JUMPDECK_INVENTORY");
    let nowhere = std::env::temp_dir().join("jumpdeck-nowhere");
    command.env("HOME", &nowhere).env("XDG_CONFIG_HOME", &nowhere);
    command
}

fn ran(arguments: &[&str]) -> Output {
    jumpdeck(arguments).output().unwrap()
}

/// Runs it with an output nobody reads any more.
fn unread(arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = jumpdeck(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    for arguments in [&["info"][..], &["man"], &["completions", "bash"], &["check"]] {
        let (code, said) = unread(arguments);
        assert_eq!((code, said.as_str()), (ran(arguments).status.code(), ""), "{arguments:?}");
    }
}

#[test]
fn an_error_without_standard_error_is_still_an_exit_code() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = jumpdeck(&["status", "--demo", "nosuch"]).stderr(writer).status().unwrap();
    assert_eq!(done.code(), Some(2));
}

#[test]
fn looks_may_be_asked_for_before_the_command_and_without_one() {
    for arguments in
        [&["--theme", "nosuch", "demo"][..], &["demo", "--theme", "nosuch"], &["--theme", "nosuch", "--demo"]]
    {
        let said = String::from_utf8(ran(arguments).stderr).unwrap();
        assert!(said.contains("there is no theme \"nosuch\""), "{arguments:?}: {said}");
    }
    for arguments in [&["-e", "nosuch", "status", "--demo"][..], &["--env", "nosuch", "--demo"]] {
        let said = String::from_utf8(ran(arguments).stderr).unwrap();
        assert!(said.contains("there is no environment \"nosuch\""), "{arguments:?}: {said}");
    }
}

/// A filter that another command ignores would show all of what a part was asked of.
#[test]
fn what_the_console_shows_first_is_refused_by_other_commands() {
    for arguments in [&["--filter", "db", "status", "--demo"][..], &["--screen", "roles", "check"]] {
        let refused = ran(arguments);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(said.contains("options of the console"), "{arguments:?}: {said}");
    }
}

/// Console finding 24: the name of a command behind `--demo` is no world.
#[test]
fn a_command_after_demo_is_a_command() {
    let said = |arguments: &[&str]| {
        let done = ran(arguments);
        (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, out, err) = said(&["--demo", "status", "--format", "json"]);
    assert!(matches!(code, Some(0..=3)) && out.starts_with('{'), "{code:?} {out}{err}");
    let (code, out, err) = said(&["runbook", "--demo", "plan", "deploy-code", "--env", "nosuch"]);
    assert!(code == Some(2) && err.contains("there is no environment \"nosuch\""), "{code:?} {out}{err}");
    let (_, _, err) = said(&["--demo", "nosuch", "status"]);
    assert!(err.contains("there is no world \"nosuch\""), "{err}");
    let (code, out, err) = said(&["--demo", "wpd-2013", "status", "--format", "json"]);
    assert!(matches!(code, Some(0..=3)) && out.starts_with('{'), "{code:?} {out}{err}");
}

/// Console finding 15: a mistake in config.toml does not stop what needs nothing of it.
#[test]
fn a_mistake_in_the_settings_stops_no_demo() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("jumpdeck");
    std::fs::create_dir(&folder).unwrap();
    for (text, place) in [
        ("thme = \"dark\"\n", "config.toml:1:1: unknown key"),
        ("theme = 1\n", "config.toml:1:9:"),
        ("x", "config.toml:1:"),
    ] {
        std::fs::write(folder.join("config.toml"), text).unwrap();
        let mut command = jumpdeck(&["status", "--demo", "--format", "json"]);
        let done = command.env("XDG_CONFIG_HOME", home.path()).output().unwrap();
        let err = String::from_utf8(done.stderr).unwrap();
        assert!(matches!(done.status.code(), Some(0..=3)) && done.stdout.starts_with(b"{"), "{err}");
        assert!(err.contains(place) && err.contains("the file is not used"), "{err}");
        // A fleet of one's own may be the wrong one then.
        let mut command = jumpdeck(&["status"]);
        let done = command.env("XDG_CONFIG_HOME", home.path()).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
    }
}

/// Console finding 25: the manual page has everything itself, and names no page that does not exist.
#[test]
fn the_manual_page_is_whole() {
    let page = String::from_utf8(ran(&["man"]).stdout).unwrap();
    for section in ["NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "KEYS", "FILES", "ENVIRONMENT", "EXIT STATUS"]
    {
        assert!(page.contains(&format!(".SH \"{section}\"\n")), "{section}");
    }
    for part in [
        "jumpdeck status",
        "jumpdeck runbook rollback",
        "\\-\\-dry\\-run",
        "JUMPDECK_INVENTORY",
        "runbooks/*.toml",
        "wpd\\-2013",
    ] {
        assert!(page.contains(part), "{part:?} in\n{page}");
    }
    assert!(!page.contains("\\-status(1)") && !page.contains("jumpdeck-status(1)"), "{page}");
    let help = String::from_utf8(ran(&["demo", "--help"]).stdout).unwrap();
    assert!(help.contains("wpd-2015") && help.contains("wpd-2013") && help.contains("big-N"), "{help}");
    let info = String::from_utf8(ran(&["info"]).stdout).unwrap();
    assert!(info.contains("own runbooks ") && info.contains("\nruns "), "{info}");
}

/// Console finding 44: no terminal has a code of its own.
#[test]
fn without_a_terminal_the_console_says_so_with_its_own_code() {
    for arguments in [&["demo"][..], &["--demo"]] {
        let done = ran(arguments);
        assert_eq!(done.status.code(), Some(7), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// Console, 43: the account's name comes from the user id when USER is not set, whatever LOGNAME says; an id that no account has is
/// told with what to do.
#[test]
fn the_account_is_known_without_the_environment() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let inventory = folder.join("inventory.toml");
    let text = "[environments.production]\njump = { address = \"127.0.0.1\" }\n[environments.production.hosts]\napp1 = {}\n";
    std::fs::write(&inventory, text).unwrap();
    let check = |mut command: Command, logname: Option<&str>| {
        command.arg("check").arg(&inventory).env_clear().env("HOME", folder).stdin(Stdio::null());
        command.envs(logname.map(|name| ("LOGNAME", name)));
        let done = command.output().unwrap();
        (
            done.status.success(),
            String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout),
        )
    };
    let program = env!("CARGO_BIN_EXE_jumpdeck");
    let plain = || Command::new(program);
    for logname in [None, Some("other")] {
        let (accepted, said) = check(plain(), logname);
        assert!(accepted, "{logname:?}: {said}");
    }
    let nobody_s = || {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=54321", "--regid=54321", "--clear-groups", program]);
        command
    };
    let may = Command::new("setpriv")
        .args(["--reuid=54321", "--regid=54321", "--clear-groups", program, "--version"])
        .output();
    if !may.is_ok_and(|done| done.status.success()) {
        println!(
            "skipped: the id without an account: only root becomes another user, and may not where the tests are"
        );
        return;
    }
    let (accepted, said) = check(nobody_s(), None);
    assert!(!accepted && said.contains("has no user"), "{said}");
    let (accepted, said) = check(nobody_s(), Some("anna"));
    assert!(accepted, "{said}");
}

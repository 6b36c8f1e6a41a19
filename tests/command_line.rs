//! The built program, as a shell runs it: outputs that are closed early, and arguments before and after the command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

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

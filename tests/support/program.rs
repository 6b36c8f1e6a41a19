//! The built program in a home of its own: as a command, and as a console in a terminal; with runbooks of one's own.

use std::path::Path;
use std::process::Command;

/// What the machine of a test must not lend to it.
const NOT_LENT: [&str; 5] =
    ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "JUMPDECK_INVENTORY", "NO_COLOR", "SSH_AUTH_SOCK"];

fn at_home(mut command: Command, home: &Path) -> Command {
    for variable in NOT_LENT {
        command.env_remove(variable);
    }
    command.env("HOME", home).env("TERM", "xterm-256color");
    command
}

/// The program with these words.
pub(crate) fn jumpdeck(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    command.args(words);
    at_home(command, home)
}

/// The console with these words, as the leader of a session that has its terminal.
pub(crate) fn console(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("setsid");
    command.args(["--ctty", env!("CARGO_BIN_EXE_jumpdeck")]).args(words);
    at_home(command, home)
}

/// Gives a home a runbook of its own.
pub(crate) fn keep_runbook(home: &Path, name: &str, text: &str) {
    let runbooks = home.join(".config/jumpdeck/runbooks");
    std::fs::create_dir_all(&runbooks).unwrap();
    std::fs::write(runbooks.join(format!("{name}.toml")), text).unwrap();
}

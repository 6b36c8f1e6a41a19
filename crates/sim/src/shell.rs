//! The simulated hosts' shell: a POSIX shell, with what people use of bash, that interprets whatever it is sent on
//! simulated programs and files. Nothing here knows the console's own scripts.
//!
//! Not simulated, and said so in an error: arrays, process substitution, coprocesses, and traps other than EXIT.

mod arith;
mod builtins;
mod cases;
mod exec;
mod expand;
mod fields;
pub mod known;
mod lock;
mod nesting;
mod parse;
pub mod path;
pub(crate) mod pattern;
pub mod pipe;
mod process;
mod redirect;
mod runners;
mod simple;
mod state;
mod syntax;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod uses;
mod word;

use std::sync::Arc;

use parse::{Syntax, parse};
use pipe::{Reader, Writer, filled};
use process::Group;
pub use process::Machine;
use state::{Fd, Flow, LARGEST, Shell};

/// A login on a machine: what a session starts from.
#[derive(Debug, Clone)]
pub struct Login {
    /// The machine.
    pub machine: Arc<Machine>,
    /// The account.
    pub user: String,
    /// Variables the client sent.
    pub environment: Vec<(String, String)>,
}

/// The background processes of a session. They end when this is dropped.
#[derive(Debug)]
pub struct Leftovers(Group);

impl Drop for Leftovers {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// How a session's shell ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: u8,
    /// What it left running: to be kept for as long as somebody holds the output open, as sshd does.
    pub leftovers: Leftovers,
}

impl Login {
    fn shell(&self, stdin: Reader, stdout: Writer, stderr: Writer) -> (Shell, Leftovers) {
        let descriptors = vec![Fd::Read(stdin), Fd::Write(stdout), Fd::Write(stderr)];
        let mut shell = Shell::new(Arc::clone(&self.machine), &self.user, descriptors);
        "bash".clone_into(&mut shell.name);
        for (name, value) in &self.environment {
            shell.export(name, value);
        }
        let leftovers = Leftovers(shell.group.clone());
        (shell, leftovers)
    }

    /// Runs one command line as the login shell does for an SSH `exec`. Dropping the future ends everything.
    pub async fn execute(&self, command: &str, stdin: Reader, stdout: Writer, stderr: Writer) -> Ended {
        let (mut shell, leftovers) = self.shell(stdin, stdout, stderr);
        let status = shell.script(command).await;
        Ended { status, leftovers }
    }

    /// Reads commands from standard input, as `ssh host` without a terminal does.
    pub async fn read_commands(&self, stdin: Reader, stdout: Writer, stderr: Writer) -> Ended {
        let (mut shell, leftovers) = self.shell(stdin.clone(), stdout, stderr);
        let status = shell.script_from(&stdin).await;
        Ended { status, leftovers }
    }
}

impl Shell {
    /// Runs a whole script, then its EXIT trap; returns its exit status.
    pub(crate) async fn script(&mut self, text: &str) -> u8 {
        match parse(text) {
            Ok(list) => self.run_and_leave(&list).await,
            // Everything before the error still runs.
            Err(_) => self.script_from(&filled(text.as_bytes().to_vec())).await,
        }
    }

    /// Runs a script as it arrives: every command as soon as it is complete, so that the commands may read what
    /// follows them.
    pub(crate) async fn script_from(&mut self, source: &Reader) -> u8 {
        let mut pending = String::new();
        loop {
            let line = source.take_line(LARGEST).await;
            let ended = line.is_empty();
            pending.push_str(&String::from_utf8_lossy(&line));
            if !ended && pending.ends_with("\\\n") {
                continue;
            }
            match parse(&pending) {
                Ok(list) => {
                    pending = String::new();
                    if self.list(&list).await == Flow::Exit {
                        break;
                    }
                }
                Err(Syntax::Incomplete) if !ended && pending.len() < LARGEST => continue,
                Err(error) => {
                    self.complain(&error.to_string()).await;
                    self.status = 2;
                    break;
                }
            }
            if ended {
                break;
            }
        }
        self.leave().await
    }

    /// Runs a text in this very shell: `eval`, `.`, traps.
    pub(crate) async fn evaluate_text(&mut self, text: &str) -> Flow {
        match parse(text) {
            Ok(list) => {
                if list.0.is_empty() {
                    self.status = 0;
                }
                self.list(&list).await
            }
            Err(error) => {
                self.complain(&error.to_string()).await;
                self.status = 2;
                Flow::Exit
            }
        }
    }
}

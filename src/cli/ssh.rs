//! `jumpdeck ssh HOST`: an interactive shell on a host, through the jump box.

use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::common::{CliError, Common};
use super::exec::{environment, notes};
use super::print;
use super::setup::{self, Setup};
use super::terminal::interrupts::{interrupts, unless_interrupted};
use super::terminal::keys::{NoTerminal, Terminal};
use super::terminal::login::AtTerminal;
use crate::app::rows::declared::DeclaredHosts;
use crate::operator::fleet_command::{FleetCommands, RemoteShell};
use crate::runtime::raw::{self, RawTerminal};
use crate::transport::error::TransportError;
use crate::transport::{Ran, TerminalRequest, TerminalSize, description};
use jumpdeck_fleet::fleet::{Environment, Host};

/// What ssh exits with when the connection fails.
const NO_CONNECTION: u8 = 255;
/// Behind the last output this much time is given to a terminal that takes no more.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
/// The size that is asked for where the terminal tells none.
const USUAL: TerminalSize = TerminalSize { columns: 80, rows: 24 };

/// What the help says after the options.
const AFTER: &str = "\
The exit status is the one of the remote shell; 255 when the connection failed or a signal ended the shell. The terminal is given back as \
it was found, also when the connection is lost under an editor. jumpdeck keeps no journal of what is typed: for changes there are runbooks.";

/// Where to.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER)]
pub(super) struct SshArgs {
    /// The host's whole name, or the jump box's; or terms of the filter that one host fits (role:masterdb)
    #[arg(required = true, value_name = "HOST")]
    host: Vec<String>,
    /// The environment [default: the one that HOST names, else config.toml, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
}

impl SshArgs {
    /// These, in the environment that was named before the command if none is named after it.
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

/// How a shell was left.
enum ShellEnd {
    /// It ended, or the connection did.
    Remote,
    /// The local terminal is gone, or a signal asks this process to end.
    Local,
}

pub(super) fn run(common: &Common, args: &SshArgs) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(shell(common, args));
    // A terminal or a connection that hangs must not hold the end back.
    runtime.shutdown_background();
    Ok(ExitCode::from(done?))
}

async fn shell(common: &Common, args: &SshArgs) -> Result<u8, CliError> {
    let named = DeclaredHosts::read(&args.host).map_err(CliError::Usage)?;
    let setup = Setup::read(common)?;
    let target = setup::target(common, &setup)?;
    let (env, _) = environment(args.env.as_deref(), &named, &setup, &target.fleet)?;
    let host = one(&named, &env, &args.host)?;
    let (terminal, give_back) = Terminal::take().map_err(|error| match error {
        NoTerminal::NotATerminal(_) => CliError::NoTerminal(error.to_string()),
        NoTerminal::Io(error) => CliError::Io(error),
    })?;
    let ask = AtTerminal::new(Arc::new(tokio::sync::Mutex::new(terminal)));
    let access = target.access(&setup, Arc::new(ask));
    let mut interrupts = interrupts()?;
    let kind =
        std::env::var("TERM").ok().filter(|kind| !kind.is_empty()).unwrap_or_else(|| "dumb".to_owned());
    let request = TerminalRequest { kind, size: raw::size().unwrap_or(USUAL), command: None };
    let begin = async {
        let connected = async {
            let commands = FleetCommands::connect(&access, env.clone()).await?;
            notes(&commands.runs().await).iter().for_each(|note| print::complain(note));
            commands.shell(&host, &request).await
        };
        Ok(connected.await)
    };
    let begun = unless_interrupted(begin, &mut interrupts).await?;
    // Questions of logins are over: from here on the keyboard is the shell's.
    drop(give_back);
    if target.fleet.simulated {
        print::complain("SIMULATED: this host does not exist");
    }
    let mut shell = match begun {
        Ok(shell) => shell,
        Err(error) => {
            print::complain(&error.to_string());
            return Ok(NO_CONNECTION);
        }
    };
    let interrupted = async || {
        let _ = interrupts.recv().await;
    };
    let end = attend(&mut shell, interrupted).await?;
    match end {
        ShellEnd::Local => Ok(NO_CONNECTION),
        ShellEnd::Remote => Ok(exit_code(shell.terminal.ended().await)),
    }
}

/// The one host that is named; the jump box need be none of the hosts.
fn one(named: &DeclaredHosts, env: &Environment, words: &[String]) -> Result<Arc<Host>, CliError> {
    if let [word] = words
        && word == env.jump.name().as_str()
        && let Ok(jump) = description(env, env.jump.name())
    {
        return Ok(jump);
    }
    let hosts = named.hosts(env).map_err(CliError::Usage)?;
    match hosts.as_slice() {
        [host] => Ok(host.clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|host| host.id.host.as_str()).collect();
            Err(CliError::Usage(format!("a shell is on one host, and these fit: {}", names.join(", "))))
        }
    }
}

/// Passes keys to the shell and its output to the terminal, until one of them ends, or `interrupted` returns.
async fn attend(shell: &mut RemoteShell, interrupted: impl AsyncFnOnce()) -> Result<ShellEnd, CliError> {
    let terminal = RawTerminal::take()?;
    let mut keys = terminal.keys();
    let mut typing = true;
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let mut writing: Option<JoinHandle<io::Result<()>>> = None;
    let mut interrupted = pin!(interrupted());
    let end = loop {
        let idle = writing.is_none();
        tokio::select! {
            biased;
            () = &mut interrupted => break ShellEnd::Local,
            written = written(&mut writing), if !idle => {
                writing = None;
                if !written {
                    break ShellEnd::Local;
                }
            }
            Some(()) = resized.recv() => resize(shell).await,
            Some(()) = continued.recv() => {
                terminal.make_raw()?;
                resize(shell).await;
            }
            typed = keys.recv(), if typing => match typed {
                // What it printed before it ended is still to be read.
                Some(bytes) => typing = shell.terminal.write(&bytes).await.is_ok(),
                None => break ShellEnd::Local,
            },
            // Nothing is read while the terminal takes no more: the remote program waits then, as at its own terminal.
            read = shell.terminal.read(), if idle => match read {
                Ok(bytes) => writing = Some(tokio::task::spawn_blocking(move || raw::show(&bytes))),
                Err(_) => break ShellEnd::Remote,
            },
        }
    };
    if writing.is_some() {
        // A terminal that takes no more keeps nobody waiting.
        let _ = tokio::time::timeout(LAST_OUTPUT, written(&mut writing)).await;
    }
    Ok(end)
}

/// Whether the output was written.
async fn written(writing: &mut Option<JoinHandle<io::Result<()>>>) -> bool {
    match writing {
        Some(writing) => matches!(writing.await, Ok(Ok(()))),
        None => true,
    }
}

async fn resize(shell: &mut RemoteShell) {
    if let Ok(size) = raw::size() {
        // A shell that has ended needs none: the next read says so.
        let _ = shell.terminal.resize(size).await;
    }
}

/// The exit code for how a shell ended, which is said where the shell itself could not say it.
fn exit_code(ended: Result<Ran, TransportError>) -> u8 {
    let why = match ended {
        Ok(Ran { status: Some(status), .. }) => return u8::try_from(status).unwrap_or(NO_CONNECTION),
        Ok(Ran { signal: Some(signal), .. }) => format!("the shell was ended by signal {signal}"),
        Ok(Ran { .. }) => "the shell ended without an exit status".to_owned(),
        Err(error) => error.to_string(),
    };
    // The cursor may be in the middle of a line. A terminal that is gone gets nothing.
    let _ = print::answer("\n");
    print::complain(&why);
    NO_CONNECTION
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::error::ErrorKind;
    use jumpdeck_fleet::hop::Hop;

    #[test]
    fn the_exit_code_is_the_shell_s_or_says_that_there_is_none() {
        let ran = |status, signal: Option<&str>| {
            Ok(Ran { status, signal: signal.map(Into::into), ..Ran::default() })
        };
        assert_eq!(exit_code(ran(Some(7), None)), 7);
        assert_eq!(exit_code(ran(Some(70_000), None)), 255);
        assert_eq!(exit_code(ran(None, Some("KILL"))), 255);
        assert_eq!(exit_code(ran(None, None)), 255);
        assert_eq!(exit_code(Err(TransportError::new(&Hop::Here, ErrorKind::Dropped, "lost"))), 255);
    }
}

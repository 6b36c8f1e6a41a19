//! `jumpdeck ssh HOST`: an interactive shell on a host, through the jump box.

use std::process::ExitCode;
use std::sync::Arc;

use super::common::{CliError, Common};
use super::exec::environment;
use super::print;
use super::session::Jotted;
use super::setup::{self, Setup};
use super::terminal::interrupts::{interrupts, unless_interrupted};
use super::terminal::keys::{NoTerminal, Terminal};
use super::terminal::login::AtTerminal;
use crate::app::rows::declared::DeclaredHosts;
use crate::operator::fleet_command::{FleetCommands, notes};
use crate::runtime::raw::RawTerminal;
use crate::runtime::shell::{self, ShellEnd, attend};
use crate::transport::description;
use clap::Args;
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::maintenance::SessionWork;
use jumpdeck_fleet::text::Clean;

/// What ssh exits with when the connection fails.
const NO_CONNECTION: u8 = 255;
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

pub(super) fn run(common: &Common, args: &SshArgs) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(login_shell(common, args));
    // A terminal or a connection that hangs must not hold the end back.
    runtime.shutdown_background();
    Ok(ExitCode::from(done?))
}

async fn login_shell(common: &Common, args: &SshArgs) -> Result<u8, CliError> {
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
    let request = shell::request();
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
    let session = Jotted::of(&setup, target.fleet.simulated, &env.name);
    let work = session.opened(SessionWork::Shell { host: Clean::new(host.id.host.as_str()) });
    let raw = RawTerminal::take()?;
    let mut keys = raw.keys();
    match attend(&mut shell, raw, &mut keys, interrupted).await? {
        ShellEnd::Local => {
            session.closed(&work, "the terminal is gone");
            Ok(NO_CONNECTION)
        }
        ShellEnd::Remote => {
            let ended = shell::status(shell.terminal.ended().await);
            session.closed(
                &work,
                &ended.as_ref().map_or_else(|why| format!("lost: {why}"), |status| format!("exit {status}")),
            );
            Ok(exit_code(ended))
        }
    }
}

/// The one host that is named; the jump box need be none of the hosts.
fn one(named: &DeclaredHosts, env: &Environment, words: &[String]) -> Result<Arc<Host>, CliError> {
    let jumps = [Some(env.jump.name()), env.second_jump.as_ref().map(|jump| &jump.name)];
    if let [word] = words
        && let Some(name) = jumps.into_iter().flatten().find(|name| name.as_str() == word)
        && let Ok(jump) = description(env, name)
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

/// The exit code for how a shell ended, which is said where the shell itself could not say it.
fn exit_code(ended: Result<u32, String>) -> u8 {
    let why = match ended {
        Ok(status) => return u8::try_from(status).unwrap_or(NO_CONNECTION),
        Err(why) => why,
    };
    // The cursor may be in the middle of a line. A terminal that is gone gets nothing.
    let _ = print::answer("\n");
    print::complain(&why);
    NO_CONNECTION
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Ran;
    use crate::transport::error::{ErrorKind, TransportError};
    use jumpdeck_fleet::hop::Hop;

    fn exit_code(ended: Result<Ran, TransportError>) -> u8 {
        super::exit_code(shell::status(ended))
    }

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

//! `jumpdeck exec WHERE -- COMMAND`: one command on many hosts, answers grouped by sameness.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use self::agreement::Agreement;
use super::common::{CliError, Common};
use super::print;
use super::session::Jotted;
use super::setup::{self, Setup};
use super::terminal::interrupts::{interrupts, unless_interrupted};
use super::terminal::keys::{Shared, Terminal};
use super::terminal::login::AtTerminal;
use super::terminal::paper::Paper;
use crate::app::rows::declared::DeclaredHosts;
use crate::operator::fleet_command::{
    CommandAnswer, CommandEnd, FleetCommands, FleetLimits, NotRun, ShellLine, Tally, grouped, kept_of_each,
    notes, tally,
};
use crate::transport::ask::{AskPerson, RefuseAll};
use crate::transport::error::TransportError;
use jumpdeck_fleet::fleet::{Environment, Fleet, Host, Signatures};
use jumpdeck_fleet::maintenance::SessionWork;
use jumpdeck_fleet::text::Clean;

mod agreement;
mod json;
mod text;

/// What the help says after the options.
const AFTER: &str = "\
The command runs under /bin/sh on each host, whatever the login shell is, without standard input and without a terminal. One \
argument is a line of that shell as it is, as for ssh ('ps aux | wc -l'); of several arguments, each reaches the command as it is.

jumpdeck does not know whether a command changes something, keeps no journal of it and undoes nothing: for changes there are \
runbooks. A command that is not done in time is not ended: it may still run there. Of each stream of a host at most 1 MiB is kept; \
what comes after it is counted.";

/// What to run, and where.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER)]
pub(super) struct ExecArgs {
    /// Host names (whole ones; several with commas), or terms of the console's filter that the inventory can answer:
    /// role:db, !role:app, env:staging, host:app. Every term must hold
    #[arg(required = true, value_name = "WHERE")]
    places: Vec<String>,
    /// The command, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// The environment [default: the one that WHERE names, else config.toml, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
    /// Seconds that the command may take on each host
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = super::common::seconds)]
    timeout: f64,
    /// How many hosts are asked at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: u16,
    /// Run it on several hosts without a question; where the inventory says guard = "challenge", name the environment, too
    #[arg(long)]
    yes: bool,
    /// How to print it: JSON is one document (docs/exec-json.md)
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    format: AnswerFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AnswerFormat {
    Text,
    Json,
}

impl ExecArgs {
    /// These, in the environment that was named before the command if none is named after it.
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }

    fn limits(&self, hosts: usize) -> FleetLimits {
        let time = Duration::from_secs_f64(self.timeout);
        FleetLimits { at_once: usize::from(self.at_once), time, kept: kept_of_each(hosts) }
    }
}

/// Where it runs: agreed to, or not yet.
struct ExecSite {
    env: Arc<Environment>,
    simulated: bool,
    hosts: Vec<Arc<Host>>,
    line: ShellLine,
}

pub(super) fn run(common: &Common, args: &ExecArgs) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(ask(common, args));
    // Connections that hang must not hold the answer back.
    runtime.shutdown_background();
    let (site, answers) = done?;
    let counted = tally(&answers);
    let groups = grouped(answers);
    let printed = match args.format {
        AnswerFormat::Text => text::render(&mut Paper::of_stdout(), &site, &groups, counted),
        AnswerFormat::Json => json::render(&site, &groups, counted).map_err(std::io::Error::from)?,
    };
    print::answer(&printed)?;
    Ok(ExitCode::from(exit_code(counted)))
}

/// What is not known ranks above what is known to have failed.
fn exit_code(counted: Tally) -> u8 {
    match counted {
        Tally { unknown: 0, not_run: 0, other: 0, .. } => 0,
        Tally { unknown: 0, not_run: 0, .. } => 1,
        Tally { .. } => 3,
    }
}

async fn ask(common: &Common, args: &ExecArgs) -> Result<(ExecSite, Vec<CommandAnswer>), CliError> {
    let line = ShellLine::of(&args.command).map_err(|why| CliError::Usage(why.to_owned()))?;
    let named = DeclaredHosts::read(&args.places).map_err(CliError::Usage)?;
    let setup = Setup::read(common)?;
    let target = setup::target(common, &setup)?;
    let (env, is_named) = environment(args.env.as_deref(), &named, &setup, &target.fleet)?;
    let hosts = named.hosts(&env).map_err(CliError::Usage)?;
    let simulated = target.fleet.simulated;
    let site = ExecSite { env, simulated, hosts, line };
    allowed(&site.env)?;
    let taken = if Terminal::is_there() { Terminal::take().ok() } else { None };
    // The terminal is given back when this ends, however it does.
    let (terminal, _give_back) = taken.map(|(terminal, back)| (shared(terminal), back)).unzip();
    let agreement = Agreement::needed(&site, args.yes, is_named, terminal.clone())?;
    let ask: Arc<dyn AskPerson> = match terminal {
        Some(terminal) => Arc::new(AtTerminal::new(terminal)),
        None => Arc::new(RefuseAll),
    };
    let access = target.access(&setup, ask);
    let mut interrupts = interrupts()?;
    let begin = async {
        let commands = match FleetCommands::connect(&access, site.env.clone()).await {
            Ok(commands) => commands,
            Err(error) => return Ok(Err(error)),
        };
        notes(&commands.runs().await).iter().for_each(|note| print::complain(note));
        agreement.ask(&site).await?;
        Ok(Ok(commands))
    };
    let commands = match unless_interrupted(begin, &mut interrupts).await? {
        Ok(commands) => commands,
        Err(error) => {
            let answers = nobody(&site.hosts, &error);
            return Ok((site, answers));
        }
    };
    let stop = async {
        // All signals are handled for as long as this runs: there is always a next one.
        let _ = interrupts.recv().await;
    };
    tracing::info!(env = %site.env.name, hosts = site.hosts.len(), "a command on hosts");
    let session = Jotted::of(&setup, site.simulated, &site.env.name);
    let work = session.opened(SessionWork::Command {
        hosts: site.hosts.iter().map(|host| Clean::new(host.id.host.as_str())).collect(),
        command: Clean::lines(site.line.as_str()),
    });
    let answers = commands.run(&site.hosts, &site.line, args.limits(site.hosts.len()), stop, |_, _| ()).await;
    session.closed(&work, &text::summary(tally(&answers)));
    Ok((site, answers))
}

fn shared(terminal: Terminal) -> Shared {
    Arc::new(tokio::sync::Mutex::new(terminal))
}

/// Nobody was asked: there is no connection to the jump box.
fn nobody(hosts: &[Arc<Host>], error: &TransportError) -> Vec<CommandAnswer> {
    let not_run = |host: &Arc<Host>| CommandAnswer {
        host: host.id.host.clone(),
        end: CommandEnd::NotRun(NotRun::Failed(error.clone())),
    };
    hosts.iter().map(not_run).collect()
}

/// The environment, and whether the command line names it.
pub(super) fn environment(
    asked: Option<&str>,
    named: &DeclaredHosts,
    setup: &Setup,
    fleet: &Fleet,
) -> Result<(Arc<Environment>, bool), CliError> {
    if let Some(name) = asked {
        return Ok((setup::environment(fleet, name)?, true));
    }
    let Some(fitting) = named.environments(fleet) else {
        return Ok((setup::first_environment(setup, fleet)?, false));
    };
    match fitting.as_slice() {
        [env] => Ok((env.clone(), true)),
        [] => {
            let known: Vec<&str> = fleet.environments.iter().map(|env| env.name.as_str()).collect();
            Err(CliError::Usage(format!("no environment of that name; there are: {}", known.join(", "))))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|env| env.name.as_str()).collect();
            let names = names.join(", ");
            Err(CliError::Usage(format!("several environments fit ({names}); choose one with --env")))
        }
    }
}

/// Whether a command may be run in an environment at all.
fn allowed(env: &Environment) -> Result<(), CliError> {
    match env.signatures {
        Signatures::WhenPossible => Ok(()),
        Signatures::Required => Err(CliError::Refused(format!(
            "{} has signatures = \"required\", and exec leaves nothing signed: use a runbook (jumpdeck runbook list)",
            env.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_unknown_ranks_above_the_failed() {
        let tally = |zero, other, unknown, not_run| Tally { zero, other, unknown, not_run };
        assert_eq!(exit_code(tally(3, 0, 0, 0)), 0);
        assert_eq!(exit_code(tally(3, 1, 0, 0)), 1);
        assert_eq!(exit_code(tally(3, 1, 1, 0)), 3);
        assert_eq!(exit_code(tally(3, 0, 0, 1)), 3);
    }
}

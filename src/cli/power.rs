//! `jumpdeck power HOST`: what the cloud says of a host that may not answer.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::common::{CliError, Common};
use super::exec::environment;
use super::print;
use super::setup::{self, Setup};
use super::terminal::interrupts::{interrupts, unless_interrupted};
use super::terminal::keys::Terminal;
use super::terminal::login::AtTerminal;
use super::terminal::paper::Paper;
use crate::app::rows::declared::DeclaredHosts;
use crate::operator::power;
use crate::transport::ask::{AskPerson, RefuseAll};
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::power::{MOST_CONSOLE_LINES, PowerReport, ServerReply};

mod json;
mod text;

/// What the help says after the options.
const AFTER: &str = "\
The cloud's client (nova, else openstack) is asked on the jump box, or on the second one where that is gone, then on hosts of role salt or \
deployment. It runs with the credentials that a session of the account has there: jumpdeck reads none and sends none. Nothing is \
changed; for a restart there is the runbook reboot-silent-host.";

/// Which host.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER)]
pub(super) struct PowerArgs {
    /// The host's whole name; or terms of the filter that one host fits (role:masterdb)
    #[arg(required = true, value_name = "HOST")]
    host: Vec<String>,
    /// The environment [default: the one that HOST names, else config.toml, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
    /// Lines of the console log; 0 for none
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u16).range(0..=i64::from(MOST_CONSOLE_LINES)))]
    console_log: u16,
    /// How to print it: JSON is one document (docs/power-json.md)
    #[arg(long, value_enum, default_value_t = PowerFormat::Text)]
    format: PowerFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PowerFormat {
    Text,
    Json,
}

impl PowerArgs {
    /// These, in the environment that was named before the command if none is named after it.
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

/// What was asked about.
struct PowerSite {
    env: Arc<Environment>,
    host: Arc<Host>,
    simulated: bool,
}

pub(super) fn run(common: &Common, args: &PowerArgs) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(ask(common, args));
    // Connections that hang must not hold the answer back.
    runtime.shutdown_background();
    let (site, report) = done?;
    let printed = match args.format {
        PowerFormat::Text => text::render(&mut Paper::of_stdout(), &site, &report),
        PowerFormat::Json => json::render(&site, &report).map_err(std::io::Error::from)?,
    };
    print::answer(&printed)?;
    Ok(ExitCode::from(exit_code(&report)))
}

fn exit_code(report: &PowerReport) -> u8 {
    match report.answer.as_ref().map(|answer| &answer.says) {
        // A server without a status was found, and its state is not known.
        Some(ServerReply::Server(facts, _)) if facts.status.is_none() => 3,
        Some(ServerReply::Server(..)) => 0,
        Some(ServerReply::NoServer | ServerReply::Several(_)) => 1,
        None => 3,
    }
}

async fn ask(common: &Common, args: &PowerArgs) -> Result<(PowerSite, PowerReport), CliError> {
    let named = DeclaredHosts::read(&args.host).map_err(CliError::Usage)?;
    let setup = Setup::read(common)?;
    let target = setup::target(common, &setup)?;
    let (env, _) = environment(args.env.as_deref(), &named, &setup, &target.fleet)?;
    let host = one(&named, &env)?;
    let taken = if Terminal::is_there() { Terminal::take().ok() } else { None };
    // The terminal is given back when this ends, however it does.
    let (terminal, _give_back) = taken.unzip();
    let person: Arc<dyn AskPerson> = match terminal {
        Some(terminal) => Arc::new(AtTerminal::new(Arc::new(tokio::sync::Mutex::new(terminal)))),
        None => Arc::new(RefuseAll),
    };
    let access = target.access(&setup, person);
    let site = PowerSite { env, host, simulated: target.fleet.simulated };
    let asking = async { Ok(power::ask(&access, &site.env, &site.host, args.console_log).await) };
    let report = unless_interrupted(asking, &mut interrupts()?).await?;
    Ok((site, report))
}

/// The one host that is named.
fn one(named: &DeclaredHosts, env: &Environment) -> Result<Arc<Host>, CliError> {
    let hosts = named.hosts(env).map_err(CliError::Usage)?;
    match hosts.as_slice() {
        [host] => Ok(host.clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|host| host.id.host.as_str()).collect();
            Err(CliError::Usage(format!("one host is asked about, and these fit: {}", names.join(", "))))
        }
    }
}

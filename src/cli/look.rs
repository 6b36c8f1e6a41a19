//! `jumpdeck look HOST WHAT`: processes, listening ports or mounts of a host, once.

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
use crate::operator::look::HostLooker;
use crate::transport::ask::{AskPerson, RefuseAll};
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::look::{HostLook, LookKind};
use jumpdeck_fleet::names::HostName;

mod json;
mod text;

/// What the help says after the options.
const AFTER: &str = "\
The host is asked once over SSH, and nothing stays there; for processes twice, a second apart, to know what they use now. Arguments of \
processes are not read: they may hold secrets. Filesystems of other machines are not asked for their room: they might not answer.

Exit code: 0 it answered, 3 it did not.";

/// Of which host what.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER)]
pub(super) struct LookArgs {
    /// The host, by its name in the inventory
    #[arg(value_name = "HOST")]
    host: String,
    /// What to look at
    #[arg(value_enum, value_name = "WHAT")]
    what: LookWhat,
    /// The environment [default: the one that HOST is in, if it is in one alone; else config.toml, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
    /// How to print it: JSON is one document (docs/look-json.md)
    #[arg(long, value_enum, default_value_t = LookFormat::Text)]
    format: LookFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LookWhat {
    Processes,
    Ports,
    Mounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LookFormat {
    Text,
    Json,
}

impl LookWhat {
    fn kind(self) -> LookKind {
        match self {
            Self::Processes => LookKind::Processes,
            Self::Ports => LookKind::Ports,
            Self::Mounts => LookKind::Mounts,
        }
    }
}

impl LookArgs {
    /// These, in the environment that was named before the command if none is named after it.
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

/// Who answered.
struct LookSite {
    env: Arc<Environment>,
    host: HostName,
    simulated: bool,
}

pub(super) fn run(common: &Common, args: &LookArgs) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(ask(common, args));
    // Connections that hang must not hold the answer back.
    runtime.shutdown_background();
    let (site, answer) = done?;
    match answer {
        Ok(look) => {
            let printed = match args.format {
                LookFormat::Text => text::render(&mut Paper::of_stdout(), &site, &look),
                LookFormat::Json => json::render(&site, &look).map_err(std::io::Error::from)?,
            };
            print::answer(&printed)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => {
            print::complain(&why);
            Ok(ExitCode::from(3))
        }
    }
}

async fn ask(common: &Common, args: &LookArgs) -> Result<(LookSite, Result<HostLook, String>), CliError> {
    let named = DeclaredHosts::read(std::slice::from_ref(&args.host)).map_err(CliError::Usage)?;
    let setup = Setup::read(common)?;
    let target = setup::target(common, &setup)?;
    let (env, _) = environment(args.env.as_deref(), &named, &setup, &target.fleet)?;
    let hosts = named.hosts(&env).map_err(CliError::Usage)?;
    let [host] = hosts.as_slice() else {
        let text = format!("{:?} names {} hosts; name one", args.host, hosts.len());
        return Err(CliError::Usage(text));
    };
    let host = host.id.host.clone();
    let taken = if Terminal::is_there() { Terminal::take().ok() } else { None };
    // The terminal is given back when this ends, however it does.
    let (terminal, _give_back) = taken.unzip();
    let ask: Arc<dyn AskPerson> = match terminal {
        Some(terminal) => Arc::new(AtTerminal::new(Arc::new(tokio::sync::Mutex::new(terminal)))),
        None => Arc::new(RefuseAll),
    };
    let looker = HostLooker::new(target.access(&setup, ask));
    let kind = args.what.kind();
    let mut interrupts = interrupts()?;
    let looking = async { Ok(looker.look(&env, &host, kind).await) };
    let answer = unless_interrupted(looking, &mut interrupts).await?;
    let site = LookSite { env, host, simulated: target.fleet.simulated };
    Ok((site, answer.map_err(|error| error.to_string())))
}

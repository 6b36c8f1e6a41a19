//! `jumpdeck sim --listen ADDR`: the simulated fleet as a real SSH server on loopback, for any SSH client.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::common::{CliError, Common, DEFAULT_WORLD};
use super::{print, setup};
use crate::ownership::{self, OpenError};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;

/// Which fleet, and where it listens.
#[derive(Debug, Clone, Args)]
pub(super) struct SimArgs {
    /// Loopback address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2222")]
    listen: SocketAddr,
    /// Write the host keys of jump box and hosts to this file, in known_hosts format
    #[arg(long, value_name = "FILE")]
    known_hosts: Option<PathBuf>,
    /// The simulated world: wpd-2015, wpd-2013, or big-N with N hosts
    #[arg(value_name = "WORLD")]
    world: Option<String>,
    /// The environment whose jump box listens [default: the world's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
}

/// The worlds' seed: the same figures at every start, so that what one person saw another can see.
const SEED: u64 = 2015;

/// A simulated fleet with its servers started.
pub(super) fn start(world: &str) -> Result<(Universe, SimFleet), CliError> {
    let universe = Universe::load(world, SEED).map_err(|e| CliError::Usage(e.to_string()))?;
    let servers = SimFleet::start(&universe);
    Ok((universe, servers))
}

pub(super) fn run(common: &Common, args: &SimArgs) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(serve(common, args));
    runtime.shutdown_background();
    done
}

async fn serve(common: &Common, args: &SimArgs) -> Result<ExitCode, CliError> {
    let world = args.world.as_deref().or(common.demo.as_deref()).unwrap_or(DEFAULT_WORLD);
    let (universe, servers) = start(world)?;
    let fleet = universe.fleet(|env| servers.access(env));
    let env = match &args.env {
        Some(name) => setup::environment(&fleet, name)?,
        None => {
            fleet.environments.first().cloned().ok_or_else(|| CliError::Usage("an empty world".to_owned()))?
        }
    };
    let listening = servers.listen(&env.name, args.listen).await.map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => CliError::Usage(format!("{}: {error}", args.listen)),
        _ => CliError::Io(error),
    })?;
    if let Some(file) = &args.known_hosts {
        let text = format!("{}{}\n", servers.known_hosts(&env.name), listening.known_hosts);
        let mut file = ownership::create(file).map_err(|error| match error {
            OpenError::Exposed(exposed) => CliError::Usage(exposed.to_string()),
            OpenError::Io(error) => CliError::Usage(format!("{}: {error}", file.display())),
        })?;
        file.write_all(text.as_bytes())?;
    }
    tell(&env.name, world, &listening)?;
    // The fleet lives until somebody ends the program.
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}

fn tell(env: &EnvName, world: &str, listening: &jumpdeck_sim::sshd::Listening) -> std::io::Result<()> {
    let (ip, port) = (listening.address.ip(), listening.address.port());
    let (fingerprint, known_hosts) = (&listening.fingerprint, &listening.known_hosts);
    print::answer(&format!(
        "SIMULATED {world} {env}: its jump box listens on {ip} port {port}; any key, any user; ^C ends it\n\
         host key     {fingerprint}\n\
         known_hosts  {known_hosts}\n\n\
         try          ssh -p {port} root@{ip}\n\
         \x20            ssh -J root@{ip}:{port} root@app1 'cat /proc/loadavg; df -P -k'\n"
    ))
}

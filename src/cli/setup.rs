//! From arguments and files to a fleet and a way to it: what `console`, `demo` and `status` share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::common::{CliError, Common};
use super::print;
use crate::collect::Collector;
use crate::collect::clock::Clock;
use crate::collect::disks::DiskHistory;
use crate::config::diagnostic::Diagnostic;
use crate::config::files::{self, Paths};
use crate::config::inventory::Context;
use crate::config::settings::Settings;
use crate::config::store::InventoryStore;
use crate::config::watched::Watched;
use crate::operator::access::FleetAccess;
use crate::operator::left::LeftRunsFinder;
use crate::operator::who;
use crate::transport::Connectors;
use crate::transport::ask::AskPerson;
use crate::transport::ssh::SshConnectors;
use crate::transport::ssh::dial::{Dial, TcpDial};
use crate::view::fleet_titles;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fleet::{Environment, Fleet};

/// How long the end of the program waits for what disks have in use to be written.
const KEEP: Duration = Duration::from_secs(2);

/// Where configuration lies and what it says.
pub(super) struct Setup {
    pub(super) paths: Paths,
    pub(super) context: Context,
    pub(super) settings: Settings,
}

impl Setup {
    /// Reads `config.toml`, when there is one; starts the log, when it is asked for.
    ///
    /// A simulated fleet needs nothing that it says: there its mistakes are told, and it is not used. Elsewhere a mistake
    /// may hide which inventory or which key is meant, so nothing is started.
    pub(super) fn read(common: &Common) -> Result<Self, CliError> {
        let (paths, context) = places()?;
        super::log::start(&paths.state)?;
        let settings =
            match (files::load_settings(&paths.settings(), &context, &fleet_titles()), &common.demo) {
                (Ok(settings), _) => settings,
                (Err(errors), None) => return Err(rendered(errors)),
                (Err(errors), Some(_)) => {
                    for error in errors {
                        print::complain(&format!("{error}; the file is not used"));
                    }
                    Settings::default()
                }
            };
        Ok(Self { paths, context, settings })
    }

    /// The inventory in use: the flag's, the environment's, the settings', or `inventory.toml` in the configuration
    /// folder.
    pub(super) fn inventory(&self, common: &Common) -> PathBuf {
        let chosen = common.inventory.as_ref().or(self.settings.inventory.as_ref());
        chosen.cloned().unwrap_or_else(|| self.paths.inventory())
    }
}

/// Where configuration lies, and what inventories take their defaults from.
pub(super) fn places() -> Result<(Paths, Context), CliError> {
    let homeless = |error| CliError::Usage(format!("no home folder: {error}; set HOME"));
    Ok((Paths::from_env().map_err(homeless)?, files::context().map_err(homeless)?))
}

/// A fleet and the way to it.
pub(super) struct FleetTarget {
    pub(super) fleet: Arc<Fleet>,
    pub(super) clock: Clock,
    /// The file that the fleet was read from; `None`: a simulated fleet.
    pub(super) watched: Option<Watched>,
    /// The inventory, for runbooks that change it.
    pub(super) inventory: Arc<InventoryStore>,
    connectors: Arc<dyn Connectors>,
}

impl FleetTarget {
    /// What an operator reaches the fleet with; `ask` puts questions of logins to them.
    pub(super) fn access(&self, setup: &Setup, ask: Arc<dyn AskPerson>) -> FleetAccess {
        FleetAccess {
            simulated: self.fleet.simulated,
            connectors: self.connectors.clone(),
            ask,
            clock: self.clock,
            paths: setup.paths.clone(),
            sign_with: setup.settings.sign_with.clone(),
            inventory: self.inventory.clone(),
            who: who::who(),
        }
    }

    /// What disks had in use, of a real fleet, and what is wrong with files of it that are not used.
    pub(super) fn disks(&self, setup: &Setup) -> (Arc<DiskHistory>, Vec<String>) {
        if self.fleet.simulated {
            return (Arc::default(), Vec::new());
        }
        let (disks, wrong) = DiskHistory::open(setup.paths.disks(), &self.fleet);
        (Arc::new(disks), wrong.iter().map(ToString::to_string).collect())
    }

    /// The actors, not yet started.
    pub(super) fn collector(
        &self,
        ask: Arc<dyn AskPerson>,
        events: mpsc::Sender<FleetEvent>,
        disks: Arc<DiskHistory>,
    ) -> Collector {
        Collector::new(self.fleet.clone(), self.connectors.open(ask), self.clock, events)
            .keeping(disks)
            .looking_for_runs(Arc::new(LeftRunsFinder::default()))
    }
}

/// The fleet the arguments name. Within the tokio runtime: a simulated fleet starts its servers.
pub(super) fn target(common: &Common, setup: &Setup) -> Result<FleetTarget, CliError> {
    let clock = Clock::start();
    if let Some(world) = &common.demo {
        let (fleet, dial) = simulated(world)?;
        let inventory = Arc::new(InventoryStore::memory(fleet.clone()));
        return Ok(FleetTarget { fleet, clock, watched: None, inventory, connectors: over_ssh(dial) });
    }
    let path = setup.inventory(common);
    if !path.exists() {
        return Err(no_inventory(&path));
    }
    let (fleet, watched) = Watched::open(&path, &setup.context).map_err(rendered)?;
    let inventory = Arc::new(InventoryStore::file(path, setup.context.clone()));
    let watched = Some(watched);
    Ok(FleetTarget {
        fleet: Arc::new(fleet),
        clock,
        watched,
        inventory,
        connectors: over_ssh(Arc::new(TcpDial)),
    })
}

/// Writes what disks have in use; returns what could not be written. A disk that hangs keeps nobody waiting for long.
pub(super) async fn keep(disks: Arc<DiskHistory>) -> Vec<String> {
    let Ok(now) = u32::try_from(jiff::Timestamp::now().as_second() / 60) else { return Vec::new() };
    let saved = tokio::time::timeout(KEEP, tokio::task::spawn_blocking(move || disks.save(now))).await;
    match saved {
        Ok(Ok(Ok(()))) => Vec::new(),
        Ok(Ok(Err(wrong))) => wrong.iter().map(ToString::to_string).collect(),
        Ok(Err(panicked)) => vec![format!("what disks have in use is not kept: {panicked}")],
        Err(_) => vec![format!("what disks have in use is not kept: it took more than {} s", KEEP.as_secs())],
    }
}

/// The one place that says by what machines are reached.
fn over_ssh(dial: Arc<dyn Dial>) -> Arc<dyn Connectors> {
    Arc::new(SshConnectors::new(dial))
}

/// A simulated fleet with its servers started, and the way to it.
#[cfg(feature = "demo")]
fn simulated(world: &str) -> Result<(Arc<Fleet>, Arc<dyn Dial>), CliError> {
    let (universe, servers) = super::simulate::start(world)?;
    Ok((Arc::new(universe.fleet(|env| servers.access(env))), Arc::new(servers)))
}

#[cfg(not(feature = "demo"))]
fn simulated(world: &str) -> Result<(Arc<Fleet>, Arc<dyn Dial>), CliError> {
    Err(CliError::Usage(format!(
        "no simulated fleet {world:?}: this jumpdeck was built without them (the feature `demo` of its crate)"
    )))
}

fn no_inventory(path: &Path) -> CliError {
    CliError::Config(format!(
        "there is no inventory at {}\n  write one (inventory.example.toml in the source shows how), name one with \
         --inventory,\n  or look around without a fleet: jumpdeck demo",
        path.display()
    ))
}

/// The environment of that name, or what there is instead.
pub(super) fn environment(fleet: &Fleet, name: &str) -> Result<Arc<Environment>, CliError> {
    fleet.environments.iter().find(|e| e.name.as_str() == name).cloned().ok_or_else(|| {
        let known: Vec<&str> = fleet.environments.iter().map(|e| e.name.as_str()).collect();
        CliError::Usage(format!("there is no environment {name:?}; there are: {}", known.join(", ")))
    })
}

/// The environment in use where none is named: the one of the settings, else the inventory's first.
pub(super) fn first_environment(setup: &Setup, fleet: &Fleet) -> Result<Arc<Environment>, CliError> {
    let chosen = setup.settings.environment.as_ref().and_then(|name| fleet.environment(name));
    let env = chosen.or(fleet.environments.first()).cloned();
    env.ok_or_else(|| CliError::Usage("the inventory has no environment".to_owned()))
}

/// Errors of configuration, as they are printed.
pub(super) fn rendered(errors: Vec<Diagnostic>) -> CliError {
    let coloured = super::common::colour_on(&std::io::stderr());
    let text: Vec<String> = errors.iter().map(|e| e.render(coloured)).collect();
    CliError::Config(format!("the configuration has errors; nothing was started\n\n{}", text.join("\n")))
}

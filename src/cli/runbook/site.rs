//! Where a runbook runs: the environment, the way to its hosts, the person at the terminal, the folder of journals.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::cli::common::{CliError, Common};
use crate::cli::session::Jotted;
use crate::cli::setup::{self, Setup};
use crate::cli::terminal::keys::{GiveBack, NoTerminal, Shared, Terminal};
use crate::cli::terminal::login::AtTerminal;
use crate::config::files::Paths;
use crate::operator::access::{EnvAccess, MayChange};
use crate::transport::ask::{AskPerson, RefuseAll};
use jumpdeck_fleet::time::Moment;

/// Where a runbook runs.
pub(super) struct RunSite {
    pub(super) access: EnvAccess,
    paths: Paths,
    /// None when nobody is there to be asked.
    pub(super) terminal: Option<Shared>,
    _give_back: Option<GiveBack>,
}

impl RunSite {
    /// The environment of that name, or the one in use; asks on the terminal when there is one. Within the tokio
    /// runtime.
    ///
    /// # Errors
    /// When configuration or arguments name no such fleet or environment.
    pub(super) fn open(common: &Common, env: Option<&str>) -> Result<Self, CliError> {
        let terminal = if Terminal::is_there() { Terminal::take().ok() } else { None };
        Self::with(common, env, terminal)
    }

    /// The same with a person at the terminal, or not at all.
    ///
    /// # Errors
    /// When standard input or output is no terminal, too.
    pub(super) fn attended(common: &Common, env: Option<&str>) -> Result<Self, CliError> {
        let terminal = Terminal::take().map_err(|error| match error {
            NoTerminal::NotATerminal(_) => CliError::NoTerminal(error.to_string()),
            NoTerminal::Io(error) => CliError::Io(error),
        })?;
        Self::with(common, env, Some(terminal))
    }

    fn with(
        common: &Common,
        env: Option<&str>,
        terminal: Option<(Terminal, GiveBack)>,
    ) -> Result<Self, CliError> {
        let (terminal, give_back) = terminal.unzip();
        let setup = Setup::read(common)?;
        let target = setup::target(common, &setup)?;
        let env = match env {
            Some(name) => setup::environment(&target.fleet, name)?,
            None => setup::first_environment(&setup, &target.fleet)?,
        };
        let terminal = terminal.map(|terminal| Arc::new(Mutex::new(terminal)));
        let ask: Arc<dyn AskPerson> = match &terminal {
            Some(terminal) => Arc::new(AtTerminal::new(terminal.clone())),
            None => Arc::new(RefuseAll),
        };
        Ok(Self {
            access: target.access(&setup, ask).connect(env),
            paths: setup.paths,
            terminal,
            _give_back: give_back,
        })
    }

    /// Where it is recorded, while a session of the environment is under way.
    pub(super) fn session(&self) -> Jotted {
        let EnvAccess { env, simulated, who, .. } = &self.access;
        Jotted::in_paths(&self.paths, *simulated, &env.name, who)
    }

    /// The clock of what is on screen.
    pub(super) fn clock(&self) -> Arc<dyn Fn() -> Moment + Send + Sync> {
        let clock = self.access.clock;
        Arc::new(move || clock.now())
    }

    /// The terminal, where answers are typed.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn terminal(&self) -> Result<Shared, CliError> {
        let terminal = self.terminal.clone();
        terminal.ok_or_else(|| {
            CliError::NoTerminal("there is no terminal to type answers at: run this in a terminal".to_owned())
        })
    }
}

/// Each change is agreed to at this terminal, right before it is made.
pub(super) fn at_terminal() -> MayChange {
    Arc::new(|| true)
}

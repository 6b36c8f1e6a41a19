//! Where a session is: an environment, this machine's records, and the way to the jump box.

use std::path::PathBuf;
use std::sync::Arc;

use super::SiteArgs;
use crate::cli::common::{CliError, Common};
use crate::cli::setup::{self, Setup};
use crate::cli::terminal::keys::{GiveBack, Shared, Terminal};
use crate::cli::terminal::login::AtTerminal;
use crate::operator::access::EnvAccess;
use crate::operator::maintenance::mirror::{Mirrored, SessionMirror};
use crate::operator::maintenance::{KeptSession, SessionStore};
use crate::runbook::lease::LeasePlaces;
use crate::transport::Session;
use crate::transport::ask::{AskPerson, RefuseAll};
use jumpdeck_fleet::fleet::Environment;

/// An environment, and what its sessions are kept in.
pub(super) struct SessionSite {
    pub(super) env: Arc<Environment>,
    pub(super) simulated: bool,
    pub(super) store: SessionStore,
    /// The operator: `anna@desk`.
    pub(super) who: String,
    /// Where answers are typed, where there is a terminal.
    pub(super) terminal: Option<Shared>,
    access: EnvAccess,
    here: bool,
    /// The session on the jump box, once it was asked for.
    jump: Option<Result<Arc<dyn Session>, String>>,
    _give_back: Option<GiveBack>,
}

impl SessionSite {
    pub(super) fn open(common: &Common, args: &SiteArgs) -> Result<Self, CliError> {
        let setup = Setup::read(common)?;
        let target = setup::target(common, &setup)?;
        let env = match &args.env {
            Some(name) => setup::environment(&target.fleet, name)?,
            None => setup::first_environment(&setup, &target.fleet)?,
        };
        let taken = if Terminal::is_there() { Terminal::take().ok() } else { None };
        let (terminal, give_back) = taken
            .map(|(terminal, back)| (Arc::new(tokio::sync::Mutex::new(terminal)) as Shared, back))
            .unzip();
        let ask: Arc<dyn AskPerson> = match terminal.clone() {
            Some(terminal) => Arc::new(AtTerminal::new(terminal)),
            None => Arc::new(RefuseAll),
        };
        let simulated = target.fleet.simulated;
        let access = target.access(&setup, ask).connect(env.clone());
        Ok(Self {
            env,
            simulated,
            store: SessionStore::new(setup.paths.sessions(simulated)),
            who: access.who.clone(),
            terminal,
            access,
            here: args.here,
            jump: None,
            _give_back: give_back,
        })
    }

    /// The folder of the journals of runs.
    pub(super) fn journals(&self) -> PathBuf {
        self.access.journals.clone()
    }

    /// The jump box, logged in to once; `None` where it is not to be asked.
    pub(super) async fn jump(&mut self) -> Option<Result<Arc<dyn Session>, String>> {
        if self.here {
            return None;
        }
        if self.jump.is_none() {
            self.jump = Some(self.access.jump().await.map_err(|error| error.to_string()));
        }
        self.jump.clone()
    }

    pub(super) fn mirror<'s>(&self, jump: &'s dyn Session) -> SessionMirror<'s> {
        SessionMirror::new(LeasePlaces::of(&self.env), jump)
    }

    /// Sends and takes what is new; `None` where the jump box is not to be asked.
    pub(super) async fn sync(&mut self, kept: &KeptSession) -> Option<Result<Mirrored, String>> {
        let jump = match self.jump().await? {
            Ok(jump) => jump,
            Err(why) => return Some(Err(why)),
        };
        let synced = self.mirror(&*jump).sync(kept, &self.who, jiff::Timestamp::now()).await;
        Some(synced.map_err(|error| error.to_string()))
    }
}

//! What a command does while a session of its environment is under way, as lines of its record.

use crate::cli::print;
use crate::cli::setup::Setup;
use crate::config::files::Paths;
use crate::operator::maintenance::SessionStore;
use crate::operator::maintenance::jot::{self, SessionJot};
use jumpdeck_fleet::maintenance::{RunEntry, SessionEntry, SessionWork};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::RunView;

/// Writes into the session in which the operator takes part; what cannot be written is said, and keeps nothing from being done.
pub(in crate::cli) struct Jotted(SessionJot);

impl Jotted {
    /// For a command in an environment.
    pub(in crate::cli) fn of(setup: &Setup, simulated: bool, env: &EnvName) -> Self {
        Self::in_paths(&setup.paths, simulated, env, &crate::operator::who::who())
    }

    /// The same, for that operator.
    pub(in crate::cli) fn in_paths(paths: &Paths, simulated: bool, env: &EnvName, who: &str) -> Self {
        Self(SessionJot::of(&SessionStore::new(paths.sessions(simulated)), env, who))
    }

    /// Work begins; gives what its end names it by.
    pub(in crate::cli) fn opened(&self, what: SessionWork) -> String {
        let work = jot::new_work();
        self.write(jot::opened(&work, what));
        work
    }

    /// Work ended.
    pub(in crate::cli) fn closed(&self, work: &str, says: &str) {
        self.write(jot::closed(work, says));
    }

    /// A run is had from now on.
    pub(in crate::cli) fn run(&self, view: &RunView, how: RunEntry) {
        self.write(jot::run(view, how));
    }

    /// A run was left.
    pub(in crate::cli) fn run_left(&self, view: &RunView) {
        self.write(jot::run_left(view));
    }

    fn write(&self, entry: SessionEntry) {
        if let Err(error) = self.0.write(&[entry]) {
            print::complain(&format!("not recorded in the session: {error}"));
        }
    }
}

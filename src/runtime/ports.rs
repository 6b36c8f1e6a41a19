//! What the loop needs of others, and how it ends.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::app::model::{Model, Room};
use jumpdeck_fleet::event::{Answer, QuestionId};
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::run::{Arming, Mode, RunCommand};

/// Draws the model. Implemented over `view`; by tests, over whatever they look at.
pub trait Draw {
    /// Draws one frame.
    fn draw(&mut self, frame: &mut ratatui::Frame<'_>, model: &Model);

    /// Uses that theme from the next frame on.
    fn use_theme(&mut self, name: &str);

    /// What the last frame had room for.
    fn room(&self, model: &Model) -> Room {
        let _ = model;
        Room::default()
    }
}

/// What the console asks of the fleet. Calls return at once.
pub trait FleetControl {
    /// Connects an environment, if it is not yet.
    fn activate(&self, env: &EnvName);
    /// Asks every host of an environment now.
    fn refresh(&self, env: &EnvName);
    /// Tries a host (with `None` the jump box) again now.
    fn retry(&self, env: &EnvName, host: Option<&HostName>);
    /// Goes on with another inventory.
    fn use_inventory(&self, fleet: &Arc<Fleet>);
    /// Hands in an answer.
    fn answer(&self, id: QuestionId, answer: Answer);
}

/// What the console asks of runs. Calls return at once; what comes of them are `RunEvent`s.
pub trait RunControl {
    /// Tells what there is to run in an environment: `RunEvent::List`.
    fn list(&self, env: &EnvName);
    /// Asks what answers a runbook's inputs: `RunEvent::Found`.
    fn find(&self, env: &EnvName, runbook: &str);
    /// Makes a plan of a runbook with these inputs, asking hosts: `RunEvent::Plan`.
    fn plan(&self, env: &EnvName, runbook: &str, inputs: Vec<(String, Zeroizing<String>)>);
    /// Starts the plan made last, if its hash is still this one: `RunEvent::Run`, or `RunEvent::Refused`.
    fn start(&self, env: &EnvName, plan: &str, why: String, mode: Mode);
    /// Goes on with a run that stands: `RunEvent::Run`, or `RunEvent::Refused`.
    fn resume(&self, run: &str);
    /// Watches a run that somebody else has under way: `RunEvent::Run` whenever it changes, or `RunEvent::Refused`.
    fn watch(&self, run: &str);
    /// Makes plans of another inventory from now on. A run under way keeps the hosts of its plan.
    fn use_inventory(&self, fleet: &Arc<Fleet>);
    /// Reads which past runs this machine has: `RunEvent::PastRuns`.
    fn list_past(&self);
    /// Reads the report of a past run: `RunEvent::PastReport`.
    fn read_past(&self, run: &str);
    /// The environment that is armed for changes from now on, if one is.
    fn arm(&self, armed: Option<&Arming>);
    /// Tells a run of this console something. A run that is not there any more takes no notice.
    fn command(&self, run: &str, command: RunCommand);
}

/// The terminal's other life: the shell's.
pub trait Stage {
    /// Gives the terminal back and stops the process; returns when stopping was asked for, which may be before it
    /// happens. `false`: this process cannot be stopped, as nobody could start it again.
    ///
    /// # Errors
    /// When the terminal cannot be given back.
    fn suspend(&mut self, whole_job: bool) -> std::io::Result<bool>;

    /// Takes the terminal again.
    ///
    /// # Errors
    /// When the terminal cannot be taken.
    fn resume(&mut self) -> std::io::Result<()>;
}

/// Why the console ended, when nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody quit.
    Quit,
    /// This signal asked for it.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
}

impl Ended {
    /// The exit code that says so, as shells have it: 128 and the signal's number.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Quit => 0,
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(128),
            Self::HungUp => 129,
        }
    }
}

/// Why the console could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// Standard input or output is no terminal.
    #[error("{0} is not a terminal: the console needs one (for scripts there is `jumpdeck status`)")]
    NotATerminal(&'static str),
    /// The terminal can do nothing but print.
    #[error("TERM is {0:?}: such a terminal cannot show a full screen")]
    DumbTerminal(String),
    /// The terminal failed.
    #[error("the terminal: {0}")]
    Terminal(String),
    /// A part of the program panicked; what it said was printed when the terminal had been restored.
    #[error("a part of the program failed (its message is above); the console ended")]
    Panicked,
}

impl RuntimeError {
    pub(super) fn terminal(error: impl std::error::Error) -> Self {
        Self::Terminal(error.to_string())
    }
}

//! What the loop needs of others, and how it ends.

use std::sync::Arc;

use crate::app::handoff::PlainScreen;
use crate::app::model::{Model, Room};
use jumpdeck_fleet::event::{Answer, QuestionId};
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::table::PlainTable;

/// Draws the model. Implemented over `view`; by tests, over whatever they look at.
pub trait Draw {
    /// Draws one frame.
    fn draw(&mut self, frame: &mut ratatui::Frame<'_>, model: &Model);

    /// Uses that theme from the next frame on.
    fn use_theme(&mut self, name: &str);

    /// What is on screen as plain text.
    fn plain(&self, model: &Model) -> PlainScreen {
        let _ = model;
        PlainScreen::default()
    }

    /// The table on screen.
    ///
    /// # Errors
    /// Why there is none.
    fn table(&self, model: &Model) -> Result<PlainTable, String> {
        let _ = model;
        Err("this screen has no table".to_owned())
    }

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

    /// Gives the terminal to something else in this process, until `resume`.
    ///
    /// # Errors
    /// When the terminal cannot be given back.
    fn step_aside(&mut self) -> std::io::Result<()>;

    /// Sends bytes to the terminal that draw nothing, between two frames.
    ///
    /// # Errors
    /// When the terminal does not take them.
    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()>;
}

/// Why the console ended, when nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleEnd {
    /// Somebody quit.
    Quit,
    /// This signal asked for it.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
}

impl ConsoleEnd {
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

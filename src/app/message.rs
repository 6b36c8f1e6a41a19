//! What may happen to the model, and what the model may ask of the world. Plain data: no closures, no widgets.

use crate::config::keymap::KeyPress;
use crate::domain::event::{Answer, FleetEvent, QuestionId};
use crate::domain::names::{EnvName, HostName};
use crate::domain::time::Moment;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyPress),
    /// Text was pasted (bracketed paste). Never confirms anything.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// Time has passed.
    Tick(Moment),
    /// News of the fleet.
    Fleet(FleetEvent),
}

/// What the model asks of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End the program.
    Quit,
    /// Ask every host of the environment now.
    Refresh(EnvName),
    /// Connect (if not yet) and make this environment the one polled at full cadence; others stay warm.
    Activate(EnvName),
    /// Try a host (or, with `None`, the jump box) again now, also after a refused login.
    Retry(EnvName, Option<HostName>),
    /// Answer a question.
    Answer(QuestionId, Answer),
    /// Use the theme of that name from now on.
    UseTheme(String),
}

//! A step of a run: how it is, what it does, what it rests on.

use std::time::Duration;

use super::Effect;
use crate::names::HostName;
use crate::text::Clean;
use crate::time::Moment;

/// What a step of some kind asks of people, the yes to its change aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// A yes, for itself or for steps that it covers.
    Yes,
    /// A value.
    Value,
    /// Work done by hand.
    Work,
    /// To read what it says; it waits for nobody.
    ToRead,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepView {
    /// As in the plan.
    pub id: String,
    /// Its kind's word.
    pub kind: &'static str,
    /// What its kind asks of people.
    pub asks: Asks,
    /// One line.
    pub title: Clean,
    /// Where.
    pub on: Vec<HostName>,
    /// What it may change.
    pub effect: Effect,
    /// After it no earlier change can be undone.
    pub point_of_no_return: bool,
    /// How deep it stands.
    pub depth: usize,
    /// The values it keeps.
    pub captures: Vec<String>,
    /// How it stands.
    pub state: StepState,
    /// When it began.
    pub began: Option<Moment>,
    /// How long it took, a person's thinking included.
    pub took: Option<Duration>,
    /// Whether the operator skipped it. Otherwise a skipped step is not applicable.
    pub skipped_by_operator: bool,
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not reached.
    Waiting,
    /// A person is asked.
    Asked,
    /// It runs.
    Running,
    /// Done and proved.
    Done,
    /// It failed: why.
    Failed(Clean),
    /// Nobody knows whether it was done: what to look at.
    Unknown(Clean),
    /// Left out: why.
    Skipped(Clean),
    /// Printed, not done (dry run).
    Printed,
    /// Taken back.
    Undone,
}

/// What the current step does and rests on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Doing {
    /// Why it is done.
    pub why: Option<Clean>,
    /// What users notice.
    pub impact: Option<Clean>,
    /// What exactly is done, a list of lines a host (secrets as dots).
    pub commands: Vec<(Option<HostName>, Vec<Clean>)>,
    /// The facts it rests on.
    pub facts: Vec<FactView>,
    /// What it printed, the newest last; at most some hundreds of lines.
    pub output: Vec<(Option<HostName>, Clean)>,
    /// Lines it printed before these, which are not kept.
    pub output_before: usize,
    /// What comes next, one line.
    pub next: Option<Clean>,
    /// How it would be taken back.
    pub undo: Option<Clean>,
}

/// A step that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Index of `steps`.
    pub step: usize,
    /// What it did.
    pub doing: Doing,
    /// How it ended.
    pub state: StepState,
    /// How long it took.
    pub took: Option<Duration>,
}

/// A fact that a step rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct FactView {
    /// What it says.
    pub says: Clean,
    /// Where it was asked.
    pub host: Option<HostName>,
    /// What was seen; `Err`: why it does not hold.
    pub seen: Result<Clean, Clean>,
    /// When.
    pub at: Moment,
}

//! A run of a runbook as a person sees it: plain data, made by the runner, drawn by the console, printed by the line.

use std::sync::Arc;

use super::command::CommandView;
use super::names::{EnvName, HostName};
use super::power::PowerNews;
use super::text::Clean;
use super::time::Moment;

mod in_effect;
mod journaled;
mod listing;
mod plan;
mod prompt;
mod step;

pub use in_effect::{EndedBy, InEffect, guarded as in_effect_guarded, line as in_effect_line};
pub use journaled::{PastEnd, PastReport, PastRun, PastRuns};
pub use listing::{InputView, Listing, Remedy, RunBrief, RunbookEntry};
pub use plan::{
    Difference, Differs, NO_GRAIN, PlanHost, PlanInput, PlanStep, PlanTarget, PlanView, PlanWindow,
};
pub use prompt::{Choice, Prompt, PromptKind, Reply, RunCommand};
pub use step::{Asks, Doing, FactView, Past, StepState, StepView};

/// What may be lost when a runbook goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// It only looks.
    Reads,
    /// It changes things that can be taken back.
    Changes,
    /// Somebody's data or service may be lost.
    Data,
}

/// What a step may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It only looks.
    Read,
    /// It changes something.
    Mutate,
    /// It takes something away for good.
    Destructive,
}

/// How a run touches the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything is done.
    Live,
    /// Reads are done, changes are printed.
    DryRun,
}

/// A run as it stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// Which run: `20261121-134502-promote-masterdb-a3f1`.
    pub id: String,
    /// The runbook.
    pub runbook: String,
    /// Its title.
    pub title: Clean,
    /// The environment.
    pub env: EnvName,
    /// Whether the fleet is simulated.
    pub simulated: bool,
    /// Whether changes are done or printed.
    pub mode: Mode,
    /// Who runs it.
    pub who: Clean,
    /// Why.
    pub why: Clean,
    /// When it began.
    pub began: Moment,
    /// How it stands.
    pub state: RunState,
    /// Its steps.
    pub steps: Vec<StepView>,
    /// The step in question, index of `steps`.
    pub current: Option<usize>,
    /// What the current step does and rests on.
    pub doing: Option<Doing>,
    /// The steps before it, in the order they were done; a step that was tried again or undone is there again. A
    /// picture is taken now and then, and fast steps come and go between two.
    pub past: Vec<Arc<Past>>,
    /// How many of those were over before this console went on with the run; none for who watches.
    pub earlier: usize,
    /// What a person is asked; the run waits for the answer.
    pub prompt: Option<Prompt>,
    /// Whether it is safe to stop here.
    pub safety: Safety,
    /// What it began and has not ended: told on every way out of the run.
    pub in_effect: Vec<InEffect>,
    /// Captured values: name, host when one a host, value (secrets as dots).
    pub values: Vec<(String, Option<HostName>, Clean)>,
    /// Notes typed during the run, oldest first: when (the wall clock, `13:45:02`), who, text.
    pub notes: Vec<(Clean, Clean, Clean)>,
    /// Whether this person only watches.
    pub watching: bool,
    /// What is wrong with the way to the fleet or with the lease, if anything.
    pub trouble: Option<Clean>,
    /// The report, when it stands or is over.
    pub report: Vec<ReportSection>,
}

/// A section of a run's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSection {
    /// Its title.
    pub title: &'static str,
    /// Its lines: a label or a time, and the text beside it.
    pub rows: Vec<(Clean, Clean)>,
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// A step runs.
    Running,
    /// A person is asked.
    Waiting,
    /// It is being taken back.
    RollingBack,
    /// It stands and may be resumed: why.
    Stopped(Clean),
    /// Everything was done.
    Finished,
    /// Rolled back to the last safe point.
    RolledBack,
    /// It was given up: why.
    Abandoned(Clean),
}

impl Asks {
    /// What a step is to the operator who reads a plan: what it may change, or what it wants of people. A step that
    /// only talks to people reads nothing.
    #[must_use]
    pub fn says(self, effect: Effect) -> &'static str {
        match (self, effect) {
            (Self::Nothing, Effect::Read) => "reads",
            (Self::Yes | Self::Value, Effect::Read) => "asks you",
            (Self::Work, Effect::Read) => "done by you",
            (Self::ToRead, Effect::Read) => "tells you",
            (Self::Work, Effect::Mutate) => "CHANGES, by you",
            (Self::Work, Effect::Destructive) => "DESTROYS, by you",
            (Self::Nothing | Self::Yes | Self::Value | Self::ToRead, Effect::Mutate) => "CHANGES",
            (Self::Nothing | Self::Yes | Self::Value | Self::ToRead, Effect::Destructive) => "DESTROYS",
        }
    }

    /// The word of the plan's JSON; `None` for nothing.
    #[must_use]
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Yes => Some("yes"),
            Self::Value => Some("value"),
            Self::Work => Some("work"),
            Self::ToRead => Some("to_read"),
        }
    }
}

/// Whether it is safe to stop: what users notice meanwhile, not which step is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Safety {
    /// As long as one likes: users notice nothing, and nothing of the run is in effect.
    Safe,
    /// As long as one likes, but this is in effect meanwhile.
    Meanwhile(Clean),
    /// Until then; what it costs meanwhile.
    Until {
        /// When it stops being safe.
        until: Moment,
        /// What it costs.
        cost: Clean,
    },
    /// No: users cannot write.
    NoWrites {
        /// Since then, or earlier.
        since: Moment,
        /// Why they cannot.
        says: Clean,
    },
    /// Nobody knows: what is not known.
    Unknown(Clean),
}

/// News of runs on its way up.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// The runbooks and runs there are.
    List(Arc<Listing>),
    /// What facts say of a runbook's inputs, asked when they were: those inputs, with their defaults and reasons.
    Found {
        /// The environment.
        env: EnvName,
        /// The runbook.
        runbook: String,
        /// The inputs.
        inputs: Vec<InputView>,
    },
    /// A plan, made when asked; or why none could be.
    Plan(Result<Arc<PlanView>, Clean>),
    /// A run changed.
    Run(Arc<RunView>),
    /// A run could not be started, resumed or watched: why, line by line (who holds the environment, at which step).
    Refused(Vec<Clean>),
    /// The past runs of this machine.
    PastRuns(Arc<PastRuns>),
    /// What the journal of a past run tells.
    PastReport(Arc<PastReport>),
    /// What is to be said before a command is run: who has runs under way, what they left in effect; or why none can be run.
    CommandReady {
        /// Which order.
        id: u64,
        /// What is to be said.
        said: Result<Vec<Clean>, Clean>,
    },
    /// A command began, hosts answered, or it is over.
    Command(Arc<CommandView>),
    /// What the cloud says of a host.
    Power(Arc<PowerNews>),
}

impl RunView {
    /// Keeps what the current step did, before another takes its place.
    pub fn keep_current(&mut self) {
        let (Some(step), Some(doing)) = (self.current.take(), self.doing.take()) else { return };
        let Some(shown) = self.steps.get(step) else { return };
        self.past.push(Arc::new(Past { step, doing, state: shown.state.clone(), took: shown.took }));
    }

    /// How a run that is over went through its steps: `Finished: 1 step skipped by you, 12 not applicable`. What nobody
    /// did is never counted as done.
    #[must_use]
    pub fn finished(&self) -> String {
        let skipped = |step: &&StepView| matches!(step.state, StepState::Skipped(_));
        let (by_operator, not_applicable): (Vec<&StepView>, Vec<&StepView>) =
            self.steps.iter().filter(skipped).partition(|step| step.skipped_by_operator);
        let mut parts = Vec::new();
        if !by_operator.is_empty() {
            let noun = if by_operator.len() == 1 { "step" } else { "steps" };
            let who = if self.watching { "the operator" } else { "you" };
            parts.push(format!("{} {noun} skipped by {who}", by_operator.len()));
        }
        if !not_applicable.is_empty() {
            parts.push(format!("{} not applicable", not_applicable.len()));
        }
        if parts.is_empty() { "Finished".to_owned() } else { format!("Finished: {}", parts.join(", ")) }
    }

    /// What a step did: now, or when it was done the last time.
    #[must_use]
    pub fn doing_of(&self, step: usize) -> Option<&Doing> {
        let last = || self.past.iter().rev().find(|past| past.step == step).map(|past| &past.doing);
        self.doing.as_ref().filter(|_| self.current == Some(step)).or_else(last)
    }
}

impl RunState {
    /// Its word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting for an answer",
            Self::RollingBack => "rolling back",
            Self::Stopped(_) => "stopped",
            Self::Finished => "finished",
            Self::RolledBack => "rolled back",
            Self::Abandoned(_) => "abandoned",
        }
    }

    /// Whether it goes on: a step runs, or a person is asked.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Running | Self::Waiting | Self::RollingBack)
    }
}

impl Danger {
    /// Its word, as lists have it under RISK.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reads => "read-only",
            Self::Changes => "reversible",
            Self::Data => "irreversible",
        }
    }
}

impl Mode {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::DryRun => "dry run",
        }
    }
}

/// An environment armed for changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arming {
    /// Which.
    pub env: EnvName,
    /// Why.
    pub reason: Clean,
    /// Until when.
    pub until: Moment,
}

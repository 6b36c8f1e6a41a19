//! A run of a runbook as a person sees it: plain data, made by the runner, drawn by the console, printed by the line.

use std::sync::Arc;
use std::time::Duration;

use super::names::{EnvName, HostName};
use super::text::Clean;
use super::time::Moment;

mod in_effect;
mod plan;

pub use in_effect::{EndedBy, InEffect, line as in_effect_line};
pub use plan::{Difference, Differs, NO_GRAIN, PlanHost, PlanInput, PlanStep, PlanTarget, PlanView};

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

/// A runbook in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunbookEntry {
    /// Its name.
    pub name: String,
    /// One line.
    pub title: Clean,
    /// What it is for.
    pub summary: Clean,
    /// What may be lost.
    pub danger: Danger,
    /// Whether it is the user's own.
    pub own: bool,
    /// Steps it has.
    pub steps: usize,
    /// What it asks before a plan is made.
    pub inputs: Vec<InputView>,
    /// The last run in this environment, told in words: `finished 3d ago by anna`.
    pub last_run: Option<Clean>,
}

/// What there is to run in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The environment.
    pub env: EnvName,
    /// Runs that are not over: those to resume, and those that somebody else has under way.
    pub runs: Vec<RunBrief>,
    /// The runbooks.
    pub runbooks: Vec<RunbookEntry>,
    /// What could not be read: a file of the user's own, the leases on the jump box.
    pub troubles: Vec<Clean>,
}

/// A run that is not over, as a list tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunBrief {
    /// Which run.
    pub id: String,
    /// The runbook.
    pub runbook: String,
    /// Whether changes are done or printed.
    pub mode: Mode,
    /// Who runs it, or ran it last.
    pub who: Clean,
    /// Somebody has it under way now: it may be watched. Else it may be resumed.
    pub held: bool,
    /// The step it stands at, since when, and why: `at "Freeze the old master" for 4m: the link was lost`.
    pub says: Clean,
}

/// What a runbook asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputView {
    /// The variable.
    pub name: String,
    /// The question.
    pub label: Clean,
    /// More about it.
    pub help: Option<Clean>,
    /// What fits, in words.
    pub wanted: Clean,
    /// The values to choose from; empty for any.
    pub choices: Vec<Clean>,
    /// What stands there when nothing is typed.
    pub default: Option<Clean>,
    /// Whether facts may answer it: they are asked when it is.
    pub finds: bool,
    /// Why the default stands there, or why facts give none.
    pub because: Option<Clean>,
    /// Not shown while typed.
    pub sensitive: bool,
    /// Names that it must differ from: other questions, or hosts named by the runbook.
    pub not: Vec<String>,
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
    /// Everything was taken back to the last safe point.
    RolledBack,
    /// It was given up: why.
    Abandoned(Clean),
}

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
    /// After it nothing can be taken back.
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

/// What a person is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Tells prompts apart: an answer to another one is no answer.
    pub number: u64,
    /// One line.
    pub title: Clean,
    /// More lines.
    pub text: Vec<Clean>,
    /// What kind of answer.
    pub kind: PromptKind,
}

/// What kind of answer a prompt wants.
#[derive(Debug, Clone, PartialEq)]
pub enum PromptKind {
    /// Yes or no; no is what Enter means.
    Confirm,
    /// This value, which stands on screen, must be typed.
    Challenge(Clean),
    /// A value.
    Input(InputView),
    /// One of these, by its key: `r` retry, `s` stop, …
    Choose(Vec<Choice>),
    /// A second person says yes: the words to run elsewhere.
    Approve(Clean),
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The key.
    pub key: char,
    /// What it does.
    pub label: Clean,
    /// A reason must be given with it.
    pub reason: bool,
    /// It changes hosts: the environment must be armed.
    pub changes: bool,
}

/// What a person tells a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunCommand {
    /// An answer to that prompt.
    Answer {
        /// The prompt's number.
        prompt: u64,
        /// The answer.
        reply: Reply,
    },
    /// A note for the journal.
    Note(String),
    /// Stop before the next step.
    Stop,
    /// Take back to the last safe point, after a yes.
    Rollback,
}

/// An answer.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// Yes.
    Yes,
    /// No, or cancelled.
    No,
    /// A typed value; wiped when dropped.
    Text(zeroize::Zeroizing<String>),
    /// The choice of that key, and the reason.
    Chosen(char, Option<String>),
}

impl std::fmt::Debug for Reply {
    /// Without what was typed: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Yes => "Yes",
            Self::No => "No",
            Self::Text(_) => "Text(…)",
            Self::Chosen(..) => "Chosen(…)",
        })
    }
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

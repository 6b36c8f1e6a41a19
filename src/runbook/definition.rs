//! What a runbook says, validated. Plain data; `definition::read` makes it from TOML. docs/runbooks.md describes
//! the file.

use std::sync::Arc;
use std::time::Duration;

use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::run::{Danger, Effect, Remedy};

use super::template::Template;
use super::value::ValueKind;

use super::kinds::{DoneBy, HoldsSteps, Inside, StepKind, TakesBack};

mod act;
mod check;
pub(crate) mod read;

pub use act::{Ask, Change, Edit, SaltCall, Script, Sql};
pub use check::{Across, Capture, Check, Condition, Expect, Pick, Test};

/// A runbook.
#[derive(Debug, Clone)]
pub struct Runbook {
    /// Its name: `promote-masterdb`. Letters, digits and `-`.
    pub name: String,
    /// One line.
    pub title: String,
    /// What it is for, when to use it and when not.
    pub summary: String,
    /// What may be lost when it goes wrong.
    pub danger: Danger,
    /// It works through Salt alone: what is done instead where there is none.
    pub without_salt: Option<String>,
    /// The problems it is for.
    pub remedies: Vec<Remedy>,
    /// What is asked before anything is planned, in order.
    pub inputs: Vec<Input>,
    /// Named hosts, resolved and frozen by the plan.
    pub targets: Vec<Target>,
    /// What is done, in order. Included runbooks are already in place, their step ids prefixed by `include-id/`.
    pub steps: Vec<Step>,
    /// The files it was read from, itself first: name and text. The plan keeps them.
    pub sources: Vec<(String, String)>,
    /// SHA-256 of the sources, hexadecimal.
    pub hash: String,
}

/// What is asked before a plan is made.
#[derive(Debug, Clone)]
pub struct Input {
    /// The variable.
    pub name: String,
    /// The question.
    pub label: String,
    /// More about it.
    pub help: Option<String>,
    /// What it may be.
    pub kind: ValueKind,
    /// A host must have this role.
    pub role: Option<RoleOf>,
    /// A host must be none of these inputs' or targets'.
    pub not: Vec<String>,
    /// The only values there may be; empty for any.
    pub choices: Vec<String>,
    /// What stands there when nothing is typed.
    pub default: Option<String>,
    /// Not shown, not kept; asked again on resume.
    pub sensitive: bool,
    /// The facts that answer it, where they do.
    pub find: Option<Find>,
}

/// A question to database servers whose answer stands as an input's default: asked before there is a plan.
#[derive(Debug, Clone)]
pub struct Find {
    /// Statements that only read. No variables: nothing is known yet.
    pub sql: String,
    /// What is looked for in the answers.
    pub what: Finds,
    /// Why the value stands there, in words.
    pub says: String,
}

/// What is looked for.
#[derive(Debug, Clone)]
pub enum Finds {
    /// Of the hosts the input may be: the only one that answers so.
    OnlyHost(Vec<Expect>),
    /// On the host that an input before it names: this part of the answer.
    Value {
        /// The input.
        on: String,
        /// Which part.
        pick: Pick,
    },
}

/// Named hosts.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name steps run `on`.
    pub name: String,
    /// Which hosts.
    pub select: Select,
    /// But for these inputs, targets or captured hosts.
    pub except: Vec<String>,
    /// How many there must be, at least.
    pub at_least: usize,
    /// How many there may be.
    pub at_most: Option<usize>,
}

/// Which role is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleOf {
    /// That one.
    Named(RoleName),
    /// The one that this input says.
    Input(String),
}

impl std::fmt::Display for RoleOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(role) => write!(f, "{role}"),
            Self::Input(input) => write!(f, "{{{input}}}"),
        }
    }
}

/// Which hosts a target means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// Every host of the environment.
    All,
    /// Every host of a role.
    Role(RoleOf),
    /// That host.
    Host(HostName),
    /// The jump box.
    Jump,
    /// Every host of which the inventory names files that name the database server.
    DatabaseFiles,
}

/// Where a step runs: the name of a target, of a host input, of a captured host; `jump` for the jump box, `here` for
/// nowhere (notes, confirmations). In a `for_each`, its item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// On no host.
    Nowhere,
    /// On the jump box.
    Jump,
    /// On the hosts of that name.
    Named(String),
}

/// A step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its id, one in the runbook.
    pub id: String,
    /// One line.
    pub title: Template,
    /// Why it is done, for who reads it at night.
    pub why: Option<Template>,
    /// Where. On several hosts it runs at once on all.
    pub on: On,
    /// Skipped unless all of these hold.
    pub when: Vec<Condition>,
    /// Facts it rests on, proved again right before it.
    pub pre: Vec<Check>,
    /// What it does.
    pub(crate) kind: Arc<dyn StepKind>,
    /// The steps it holds; none unless it is a group.
    pub(crate) inside: Vec<Inside>,
    /// What its output must say.
    pub expect: Vec<Expect>,
    /// What is kept of its output.
    pub capture: Vec<Capture>,
    /// Its output is neither shown nor kept.
    pub sensitive: bool,
    /// What it may change.
    pub effect: Effect,
    /// Proof, read back from the target. Also asked on resume when the outcome is unknown, unless `done_if` is there.
    pub read_back: Vec<Check>,
    /// Asked on resume instead of running blindly.
    pub done_if: Vec<Check>,
    /// How it is taken back.
    pub(crate) undo: Undo,
    /// After it nothing before it can be taken back.
    pub point_of_no_return: bool,
    /// Standing after it is safe as long as one likes: the dwell clock ends, and a rollback goes back no further.
    pub safe_point: bool,
    /// Whether users' writes stop with it, go on again, or are found to have stopped: the report tells the time between, and
    /// whether it is safe to pause rests on it.
    pub writes: Option<Writes>,
    /// What it leaves in effect until a later step ends it.
    pub lasts: Option<Lasting>,
    /// How long it may take.
    pub timeout: Duration,
    /// Tried again so often (reads only).
    pub retries: u8,
    /// What happens when it fails.
    pub on_fail: OnFail,
    /// How long it is safe to stand after this step; none for as long as one likes.
    pub max_dwell: Option<Duration>,
    /// What users notice.
    pub impact: Option<Template>,
    /// Runs at the end even after a failure or a stop (re-enable allocation).
    pub always: bool,
    /// Who says yes.
    pub confirm: Confirming,
    /// Outlives the link: runs detached and is found again.
    pub detached: bool,
}

impl Runbook {
    /// Every step, those within others too, in order.
    #[must_use]
    pub fn every_step(&self) -> Vec<&Step> {
        fn walk<'s>(steps: &'s [Step], all: &mut Vec<&'s Step>) {
            for step in steps {
                all.push(step);
                step.inside.iter().for_each(|part| walk(&part.steps, all));
            }
        }
        let mut all = Vec::new();
        walk(&self.steps, &mut all);
        all
    }
}

impl Step {
    /// The word of its kind.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.kind.entry().word
    }

    /// How it holds other steps, when it does.
    pub(crate) fn group(&self) -> Option<&dyn HoldsSteps> {
        match self.kind.done_by() {
            DoneBy::Plan(group) => Some(group),
            DoneBy::Machines(_) | DoneBy::People(_) => None,
        }
    }
}

/// What a step means for users' writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// From its end on they are refused.
    Stop,
    /// From its end on they are taken.
    Resume,
    /// They cannot be made already: the step, a check, finds that, and does not cause it.
    FoundStopped,
}

/// What a step leaves in effect.
#[derive(Debug, Clone)]
pub struct Lasting {
    /// In words: `Highstate is disabled`.
    pub says: Template,
    /// The later steps that end it, each by itself.
    pub until: Vec<String>,
}

/// Who says yes to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirming {
    /// Reads: nobody needs to.
    No,
    /// Asked right before it.
    Asked,
    /// The confirmation or challenge of that step id covers it.
    CoveredBy(String),
}

/// What happens when a step fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnFail {
    /// The run stands; a person decides.
    Stop,
    /// What was done is taken back, after a yes.
    Rollback,
    /// A person may skip it; this is what it means.
    Skip(Template),
    /// The host is left out of the rest; this is what it means.
    Exclude(Template),
}

/// How a step is taken back.
#[derive(Debug, Clone)]
pub(crate) enum Undo {
    /// It changes nothing.
    Nothing,
    /// By this.
    By {
        /// What is done.
        kind: Arc<dyn TakesBack>,
        /// Proof.
        read_back: Vec<Check>,
    },
    /// It need not be taken back: why.
    NotNeeded(Template),
    /// It cannot be: the step is a point of no return.
    Impossible,
}

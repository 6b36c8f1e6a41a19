//! What a runbook says, validated. Plain data; `spec::read` makes it from TOML. docs/runbooks.md describes the file.
//! May import `domain`, `config` (the reader of TOML), `template`, `value`.

use std::time::Duration;

use regex::Regex;

use crate::domain::names::{HostName, RoleName};
use crate::domain::run::{Danger, Effect};

use super::template::{Template, Variable};
use super::value::ValueKind;

pub(crate) mod read;

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
    pub role: Option<RoleName>,
    /// A host must be none of these inputs' or targets'.
    pub not: Vec<String>,
    /// The only values there may be; empty for any.
    pub choices: Vec<String>,
    /// What stands there when nothing is typed.
    pub default: Option<String>,
    /// Not shown, not kept; asked again on resume.
    pub sensitive: bool,
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

/// Which hosts a target means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// Every host of a role.
    Role(RoleName),
    /// That host.
    Host(HostName),
    /// The jump box.
    Jump,
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
    pub act: Act,
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
    pub undo: Undo,
    /// After it nothing before it can be taken back.
    pub point_of_no_return: bool,
    /// Standing after it is safe as long as one likes: the dwell clock ends, and a rollback goes back no further.
    pub safe_point: bool,
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
pub enum Undo {
    /// It changes nothing.
    Nothing,
    /// By this.
    By {
        /// What is done.
        act: Box<Act>,
        /// Proof.
        read_back: Vec<Check>,
    },
    /// It need not be taken back: why.
    NotNeeded(String),
    /// It cannot be: the step is a point of no return.
    Impossible,
}

/// What a step does. A kind is one file in `act/`.
#[derive(Debug, Clone)]
pub enum Act {
    /// Shows its text.
    Note(Template),
    /// Asks for a value in mid-run.
    Input(Input),
    /// Asks, and judges by `expect`.
    Check(Ask),
    /// Asks again and again until `expect` holds.
    WaitUntil {
        /// What is asked.
        ask: Ask,
        /// Time between two asks.
        every: Duration,
    },
    /// A shell script.
    Run(Script),
    /// SQL, on the host's own database server.
    Sql(Sql),
    /// Salt, on the jump box, about the step's hosts.
    Salt(SaltCall),
    /// A file on the jump box: shown as a diff, written, committed in its git.
    Edit(Edit),
    /// This console knows a host by another key from now on.
    HostKey(HostKey),
    /// Done by hand; the value seen is stated.
    Manual {
        /// What to do, and where.
        text: Template,
        /// The variable the value seen goes into, if one is asked for.
        state: Option<(String, ValueKind)>,
    },
    /// A yes, for the steps it covers.
    Confirm {
        /// Step ids.
        covers: Vec<String>,
    },
    /// A value on screen must be typed, for the steps it covers.
    Challenge {
        /// What must be typed.
        value: Template,
        /// Step ids.
        covers: Vec<String>,
    },
    /// A second person says yes.
    Approve {
        /// To what.
        text: Template,
    },
    /// A database session kept open: `GET_LOCK` and what dies with it. Ends at the step `until`, or with the run.
    Hold {
        /// Opens it.
        sql: Sql,
        /// Asked in the session every two seconds; `1` keeps it.
        heartbeat: Template,
        /// The step id before which it ends.
        until: Option<String>,
    },
    /// Cuts a host off: like `run`, and where it cannot be proved, a second person says so.
    Fence(Script),
    /// The best host of a target: ranked by captured values.
    Elect {
        /// Captured values that rank, the weightiest first (`gtid`, `position`, `int`: more is better).
        by: Vec<String>,
        /// The host variable it goes into.
        into: String,
    },
    /// The same steps for batches of a target's hosts.
    ForEach {
        /// The target.
        over: String,
        /// The name of the batch inside: steps run `on` it.
        item: String,
        /// Hosts at once.
        batch: usize,
        /// So many hosts may fail and be left out.
        max_failures: usize,
        /// What is done.
        steps: Vec<Step>,
    },
    /// Steps under the branch's `when`.
    Branch {
        /// When it holds.
        steps: Vec<Step>,
        /// When not.
        otherwise: Vec<Step>,
    },
    /// Writes the report.
    Report,
}

/// A question whose answer is judged: reads only.
#[derive(Debug, Clone)]
pub enum Ask {
    /// A shell script.
    Run(Script),
    /// SQL.
    Sql(Sql),
    /// Salt.
    Salt(SaltCall),
    /// What is already known.
    Value(Template),
}

/// A shell script, read by `/bin/sh`. Its text is constant; variables are assigned before it, quoted.
#[derive(Debug, Clone)]
pub struct Script {
    /// The text.
    pub text: String,
    /// The variables it gets: `candidate.address` as `$candidate_address`.
    pub with: Vec<Variable>,
    /// Secrets it gets on standard input, a line each.
    pub secrets: Vec<Variable>,
    /// As root, by `sudo -n` where the inventory says so.
    pub sudo: bool,
}

/// SQL for the host's own server, as its administrator over the local socket.
#[derive(Debug, Clone)]
pub struct Sql {
    /// Statements; variables come in as literals.
    pub text: Template,
}

/// A Salt call on the jump box; each host of the step must answer.
#[derive(Debug, Clone)]
pub struct SaltCall {
    /// `state.sls`, `grains.get`, `saltutil.refresh_pillar`, …
    pub function: String,
    /// Its arguments.
    pub arguments: Vec<Template>,
    /// Every state must be `result: true`.
    pub states: bool,
    /// Started with `--async`, followed by its job id.
    pub job: bool,
}

/// A change of a file in a git tree on the jump box.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Its path.
    pub file: Template,
    /// The changes.
    pub changes: Vec<Change>,
    /// The commit's message.
    pub message: Template,
    /// Committed in the git tree it is in.
    pub commit: bool,
}

/// A host's key, replaced in this console's known_hosts. What was known before is kept beside.
#[derive(Debug, Clone)]
pub struct HostKey {
    /// The new key, as in a `.pub` file, from a source that can be trusted.
    pub key: Template,
    /// Its fingerprint, `SHA256:…`, as people were shown it: the key must have it.
    pub fingerprint: Template,
    /// The host's address from now on, known by that key beside its names.
    pub address: Template,
}

/// One change of a file.
#[derive(Debug, Clone)]
pub enum Change {
    /// The value of a key in block YAML, told by its path: `infra:db_servers:mysql:writes`.
    Key {
        /// The path, its keys parted by colons.
        path: String,
        /// The new value.
        value: Template,
    },
    /// The number under a key, one higher (a zone's serial).
    Bump {
        /// The path.
        path: String,
    },
    /// The one line that a regular expression matches.
    Line {
        /// It must match exactly one line.
        find: Regex,
        /// The whole new line.
        put: Template,
    },
}

/// A question and what the answer must say.
#[derive(Debug, Clone)]
pub struct Check {
    /// What it proves, in words.
    pub says: Template,
    /// Where, when not where its step runs.
    pub on: Option<On>,
    /// The question.
    pub ask: Ask,
    /// What the answer must say: all of these.
    pub expect: Vec<Expect>,
}

/// What an answer must say.
#[derive(Debug, Clone)]
pub struct Expect {
    /// Which part of the answer.
    pub pick: Pick,
    /// What must hold for it.
    pub test: Test,
    /// Over all hosts of the step, instead of on each.
    pub across: Option<Across>,
}

/// How an expectation is judged over several hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Across {
    /// No two hosts have the same.
    Unique,
    /// All hosts have the same.
    Same,
    /// The test holds on exactly so many hosts.
    Exactly(usize),
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum Pick {
    /// All of it, white space around it cut.
    Whole,
    /// A column of its only row of SQL.
    Column(String),
    /// The number of its rows of SQL (of lines, of a script).
    Rows,
    /// The first group (or all) of the first match.
    Match(Regex),
    /// A value of its JSON, by keys and indices parted by dots.
    Json(String),
}

/// What must hold for a part of an answer. Texts are compared as they are; `1`/`ON`/`Yes` are each themselves.
#[derive(Debug, Clone)]
pub enum Test {
    /// It is this.
    Is(Template),
    /// It is not this.
    IsNot(Template),
    /// It is one of these.
    OneOf(Vec<Template>),
    /// It matches.
    Matches(Regex),
    /// It is a number, at least this.
    AtLeast(f64),
    /// It is a number, at most this.
    AtMost(f64),
    /// There is nothing (or something).
    Empty(bool),
    /// The GTID position has everything of that one.
    GtidCovers(Template),
    /// The GTID positions are the same, server ids too.
    GtidIs(Template),
    /// Nothing more than `across` asks.
    Any,
}

/// What is kept of an answer, a value per host the step ran on.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The variable.
    pub name: String,
    /// What it may be.
    pub kind: ValueKind,
    /// Which part.
    pub pick: Pick,
    /// Neither shown nor kept; read again on resume.
    pub sensitive: bool,
}

/// Something that holds for values already known.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The value.
    pub value: Template,
    /// What must hold.
    pub test: Test,
}

impl Act {
    /// The word a runbook names the kind by.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Note(_) => "note",
            Self::Input(_) => "input",
            Self::Check(_) => "check",
            Self::WaitUntil { .. } => "wait_until",
            Self::Run(_) => "run",
            Self::Sql(_) => "sql",
            Self::Salt(_) => "salt",
            Self::Edit(_) => "edit",
            Self::HostKey(_) => "host_key",
            Self::Manual { .. } => "manual",
            Self::Confirm { .. } => "confirm",
            Self::Challenge { .. } => "challenge",
            Self::Approve { .. } => "approve",
            Self::Hold { .. } => "hold",
            Self::Fence(_) => "fence",
            Self::Elect { .. } => "elect",
            Self::ForEach { .. } => "for_each",
            Self::Branch { .. } => "branch",
            Self::Report => "report",
        }
    }
}

//! What steps do, kind by kind. Imports `template`, `value`.

use std::time::Duration;

use regex::Regex;

use super::Input;
use crate::runbook::template::{Template, Variable};
use crate::runbook::value::ValueKind;

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
    /// Writes the report.
    Report,
    /// Holds others: never done itself.
    Group,
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

impl Ask {
    /// What is asked, as the runbook says it.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Run(script) => script.text.trim_end().to_owned(),
            Self::Sql(sql) => sql.text.to_string(),
            Self::Salt(call) => call.line(),
            Self::Value(value) => value.to_string(),
        }
    }
}

impl SaltCall {
    /// The call, as the runbook says it.
    pub(crate) fn line(&self) -> String {
        let arguments: String = self.arguments.iter().map(|a| format!(" {a}")).collect();
        format!("salt: {}{arguments}", self.function)
    }
}

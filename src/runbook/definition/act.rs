//! What is sent to machines: scripts, SQL, Salt calls, changes of files.

use regex::Regex;

use crate::runbook::template::{Template, Variable};

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
    /// The `hold` step in whose open session they run; none: a client is started for them.
    pub session: Option<String>,
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

/// One change of a file.
#[derive(Debug, Clone)]
pub enum Change {
    /// The value of a key in block YAML, told by its path: `infra:db_servers:mysql:writes`.
    Key {
        /// The path, its keys parted by colons.
        path: Template,
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

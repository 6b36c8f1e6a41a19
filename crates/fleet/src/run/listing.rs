//! What there is to run in an environment, and what it asks before a plan is made.

use super::{Danger, Mode};
use crate::names::EnvName;
use crate::text::Clean;

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

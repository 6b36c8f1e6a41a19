//! What there is to run in an environment, and what it asks before a plan is made.

use super::{Danger, Mode};
use crate::names::{EnvName, RoleName};
use crate::problem::{Problem, ProblemKind};
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
    /// The problems it is for.
    pub remedies: Vec<Remedy>,
    /// The last run in this environment, told in words: `finished 3d ago by anna`.
    pub last_run: Option<Clean>,
}

/// A kind of problem that a runbook is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// The kind.
    pub kind: ProblemKind,
    /// Of these services; empty for a kind that is not about services.
    pub services: Vec<String>,
    /// On hosts with one of these roles; empty for all.
    pub roles: Vec<RoleName>,
    /// On hosts with none of these roles.
    pub not_roles: Vec<RoleName>,
    /// The input whose answer is the problem's host.
    pub input: Option<String>,
}

impl Remedy {
    /// Whether it is for this problem, `roles` being those of the problem's host.
    #[must_use]
    pub fn suits(&self, problem: &Problem, roles: &[RoleName]) -> bool {
        let service = match &problem.service {
            Some(service) => self.services.contains(service),
            None => self.services.is_empty(),
        };
        self.kind == problem.kind
            && service
            && (self.roles.is_empty() || self.roles.iter().any(|role| roles.contains(role)))
            && !self.not_roles.iter().any(|role| roles.contains(role))
    }
}

impl RunbookEntry {
    /// What makes it one for this problem.
    #[must_use]
    pub fn remedy(&self, problem: &Problem, roles: &[RoleName]) -> Option<&Remedy> {
        self.remedies.iter().find(|remedy| remedy.suits(problem, roles))
    }
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

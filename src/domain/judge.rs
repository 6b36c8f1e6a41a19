//! Judgement: what is known in, problems out, worst first. Pure. One file a rule under `judge/`; a new rule is one
//! new file and one line in [`RULES`].

use std::sync::Arc;

use super::fleet::Environment;
use super::names::RoleName;
use super::problem::Problem;
use super::snapshot::{HostSnapshot, JumpSnapshot};
use super::time::Moment;

/// All that is known of one environment at one moment: what rules judge.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// What the inventory says.
    pub env: &'a Environment,
    /// The jump box.
    pub jump: &'a JumpSnapshot,
    /// The hosts, in the inventory's order.
    pub hosts: &'a [Arc<HostSnapshot>],
    /// The moment.
    pub now: Moment,
}

/// A rule looks at a situation and adds the problems it sees.
pub type Rule = fn(&Situation<'_>, &mut Vec<Problem>);

/// Every rule there is.
pub const RULES: &[Rule] = &[];

/// The problems of an environment, worst first; within a severity in the inventory's order.
#[must_use]
pub fn judge(situation: &Situation<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rule in RULES {
        rule(situation, &mut problems);
    }
    problems.sort_by_key(|p| std::cmp::Reverse(p.severity));
    problems
}

/// How a role stands against its requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleStanding {
    /// The role.
    pub role: RoleName,
    /// What is required, in words; `None` when nothing is.
    pub required: Option<String>,
    /// Hosts that have it and answer.
    pub hosts: Vec<super::names::HostName>,
    /// Hosts that should have it and of which nothing current is known.
    pub unknown: Vec<super::names::HostName>,
    /// The verdict.
    pub state: RoleState,
}

/// Whether a role's requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleState {
    /// Met.
    Ok,
    /// Not met, whatever the unknown hosts are.
    Unmet,
    /// It depends on hosts of which nothing current is known.
    Unknown,
    /// Nothing is required.
    Free,
}

impl RoleState {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unmet => "unmet",
            Self::Unknown => "unknown",
            Self::Free => "free",
        }
    }
}

//! What the filter lets through: every term must be found, case does not matter.

use super::RunbookRow;
use crate::domain::fleet::Host;
use crate::domain::judge::roles::RoleStanding;
use crate::domain::problem::Problem;
use crate::domain::snapshot::HostSnapshot;

/// The terms of a filter, in lower case.
pub(super) struct Terms(Vec<String>);

impl Terms {
    pub(super) fn new(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_lowercase).collect())
    }

    fn all(&self, found: impl Fn(&str) -> bool) -> bool {
        self.0.iter().all(|term| found(term))
    }

    /// Over name, roles (inventory's and its own), level, state, operating system and address.
    pub(super) fn match_host(&self, spec: &Host, host: &HostSnapshot) -> bool {
        self.all(|term| {
            let grains = host.facts.grains.last();
            let state = host.link.state;
            contains(spec.id.host.as_str(), term)
                || spec.roles.iter().any(|r| contains(r.as_str(), term))
                || contains(&host.address, term)
                || contains(state.label(), term)
                || contains(state.word(), term)
                || grains.is_some_and(|g| {
                    g.roles.iter().flatten().any(|r| contains(r.as_str(), term))
                        || g.level.as_ref().is_some_and(|l| contains(l.as_str(), term))
                })
                || host.facts.os.last().is_some_and(|os| contains(os.pretty.as_str(), term))
        })
    }

    pub(super) fn match_problem(&self, problem: &Problem) -> bool {
        self.all(|term| {
            problem.host.as_ref().is_some_and(|h| contains(h.as_str(), term))
                || contains(problem.kind.word(), term)
                || contains(problem.severity.word(), term)
                || contains(&problem.message, term)
        })
    }

    pub(super) fn match_runbook(&self, row: &RunbookRow<'_>) -> bool {
        self.all(|term| match row {
            RunbookRow::Here(run) => contains(&run.id, term) || contains(run.title.as_str(), term),
            RunbookRow::Run(run) => contains(&run.id, term) || contains(run.who.as_str(), term),
            RunbookRow::Runbook(runbook) => {
                contains(&runbook.name, term)
                    || contains(runbook.title.as_str(), term)
                    || contains(runbook.summary.as_str(), term)
            }
        })
    }

    pub(super) fn match_role(&self, role: &RoleStanding) -> bool {
        self.all(|term| {
            contains(role.role.as_str(), term)
                || contains(role.state.word(), term)
                || role.hosts.iter().chain(&role.unknown).any(|h| contains(h.as_str(), term))
        })
    }
}

/// Whether `text` holds `term` (lower case), whatever its case. ASCII, which nearly all of it is, costs no copy.
fn contains(text: &str, term: &str) -> bool {
    if text.is_ascii() {
        let (text, term) = (text.as_bytes(), term.as_bytes());
        return term.is_empty() || text.windows(term.len()).any(|w| w.eq_ignore_ascii_case(term));
    }
    text.to_lowercase().contains(term)
}

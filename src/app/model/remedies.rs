//! Which runbooks are for a problem.

use super::Model;
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::run::{Remedy, RunbookEntry};

impl Model {
    /// The problem of this environment that a runbook is looked for.
    #[must_use]
    pub fn about(&self) -> Option<&Problem> {
        let env = self.shown()?;
        self.runs.about.as_ref().filter(|problem| problem.env == env.spec.name)
    }

    /// What makes a runbook one for this problem.
    #[must_use]
    pub fn remedy<'a>(&self, problem: &Problem, runbook: &'a RunbookEntry) -> Option<&'a Remedy> {
        let host = problem.host.as_ref().and_then(|host| self.shown()?.spec.host(host));
        runbook.remedy(problem, host.map_or(&[][..], |host| &host.roles))
    }

    /// The runbook that the inventory names for a problem, whether or not it is in the list.
    #[must_use]
    pub fn named_runbook(&self, problem: &Problem) -> Option<&str> {
        self.shown()?.spec.contact(problem).runbook
    }

    /// The names of the runbooks for a problem, the one that the inventory names first; `None` while the list of runbooks is not known.
    #[must_use]
    pub fn runbooks_for(&self, problem: &Problem) -> Option<Vec<&str>> {
        let named = self.named_runbook(problem);
        let all = self.listing()?.runbooks.iter();
        let mut names: Vec<&str> = all
            .filter(|one| named == Some(one.name.as_str()) || self.remedy(problem, one).is_some())
            .map(|one| one.name.as_str())
            .collect();
        names.sort_by_key(|name| named != Some(*name));
        Some(names)
    }
}

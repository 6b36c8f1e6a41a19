//! Whom to call, what to read and which runbook to open: what the inventory says of an environment, of roles and of services.

use crate::names::RoleName;

/// One entry. Each field may be missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contact<T = String> {
    /// Whom to call: `Database team, +1 555 0100`. Printable.
    pub owner: Option<T>,
    /// The address of the documentation, `http` or `https`.
    pub docs: Option<T>,
    /// The name of a runbook. Whether it exists only `check` and the console know.
    pub runbook: Option<T>,
}

impl Contact {
    /// The same, borrowed.
    pub(crate) fn borrowed(&self) -> Contact<&str> {
        let Self { owner, docs, runbook } = self;
        Contact { owner: owner.as_deref(), docs: docs.as_deref(), runbook: runbook.as_deref() }
    }
}

impl<'a> Contact<&'a str> {
    /// What it lacks comes from the other.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            owner: self.owner.or(other.owner),
            docs: self.docs.or(other.docs),
            runbook: self.runbook.or(other.runbook),
        }
    }

    /// What there is, each with its key of the inventory.
    #[must_use]
    pub fn parts(&self) -> Vec<(&'static str, &'a str)> {
        let all = [("owner", self.owner), ("docs", self.docs), ("runbook", self.runbook)];
        all.into_iter().filter_map(|(key, text)| Some((key, text?))).collect()
    }
}

/// What an inventory says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Of the whole environment.
    pub environment: Contact,
    /// Of hosts with a role.
    pub roles: Vec<(RoleName, Contact)>,
    /// Of services, by the name that problems have: `postfix`, `check raid`, `backup databases`; of what is looked at from outside, by
    /// its key there.
    pub services: Vec<(String, Contact)>,
}

//! Whom a problem of an environment is for.

use super::Environment;
use crate::contact::Contact;
use crate::problem::{Problem, ProblemKind};

impl Environment {
    /// Whom a problem is for. Field by field: its service's entry, then those of its host's roles in their order, then the environment's.
    /// Of a problem that names several hosts, the roles of the first one that has an entry.
    #[must_use]
    pub fn contact(&self, problem: &Problem) -> Contact<&str> {
        let contacts = &self.contacts;
        let mut service = problem.service.as_deref();
        if problem.kind == ProblemKind::Outside {
            let check = self.outside.checks.iter().find(|check| Some(check.id().as_str()) == service);
            service = check.map(|check| check.key());
        }
        let mut found = contacts
            .services
            .iter()
            .find(|(name, _)| Some(name.as_str()) == service)
            .map_or_else(Contact::default, |(_, contact)| contact.borrowed());
        let mut hosts = problem.host.iter().chain(&problem.named).filter_map(|name| self.host(name));
        let first = hosts.find(|host| contacts.roles.iter().any(|(role, _)| host.roles.contains(role)));
        for role in first.into_iter().flat_map(|host| &host.roles) {
            if let Some((_, contact)) = contacts.roles.iter().find(|(name, _)| name == role) {
                found = found.or(contact.borrowed());
            }
        }
        found.or(contacts.environment.borrowed())
    }
}

//! The problems that a runbook is for: `[[for]]`.

use std::ops::Range;

use super::{Reading, place};
use crate::config::diagnostic::nearest;
use crate::config::reader::Table;
use crate::runbook::definition::Input;
use crate::runbook::value::ValueKind;
use jumpdeck_fleet::names::RoleName;
use jumpdeck_fleet::problem::ProblemKind;
use jumpdeck_fleet::run::Remedy;

const FOR_HINT: &str = "write [[for]] and below it problem = \"host_down\"";
const SERVICES_HINT: &str = "write a list of services: [\"apache\"]";
const ROLES_HINT: &str = "write a list of roles: [\"app\"]";

impl Reading<'_> {
    /// Each `[[for]]`; `inputs` are those of the runbook.
    pub(super) fn remedies(&mut self, root: &Table<'_>, inputs: &[Input]) -> Vec<Remedy> {
        let mut remedies = Vec::new();
        for item in self.reader.list(root, "for", FOR_HINT).unwrap_or_default() {
            let Some(table) = self.reader.table("for".to_owned(), item, FOR_HINT) else { continue };
            self.reader.only(&table, &["problem", "service", "role", "not_role", "input"]);
            remedies.extend(self.remedy(&table, inputs));
        }
        remedies
    }

    fn remedy(&mut self, table: &Table<'_>, inputs: &[Input]) -> Option<Remedy> {
        let kind = self.problem_kind(table);
        let services = self.reader.strings(table, "service", SERVICES_HINT).unwrap_or_default();
        let services: Vec<String> = services.into_iter().map(|service| service.value.to_owned()).collect();
        match kind {
            Some(ProblemKind::Service) if services.is_empty() => {
                let message = "this is for problems of services, and names none";
                self.reader.error(place(table, "problem"), message, "write service = [\"apache\"]");
            }
            Some(kind) if kind != ProblemKind::Service && !services.is_empty() => {
                let message = format!("a problem of kind {:?} is about no service", kind.word());
                let help = "write problem = \"service\", or remove it";
                self.reader.error(place(table, "service"), message, help);
            }
            Some(_) | None => {}
        }
        let roles = self.roles_of(table, "role");
        let not_roles = self.roles_of(table, "not_role");
        let input = self.reader.string(table, "input", "write input = \"vm\"").map(|input| {
            self.filled(input.value, input.span, inputs);
            input.value.to_owned()
        });
        Some(Remedy { kind: kind?, services, roles, not_roles, input })
    }

    fn problem_kind(&mut self, table: &Table<'_>) -> Option<ProblemKind> {
        let text = self.need_string(table, "problem", "write problem = \"host_down\"")?;
        let found = ProblemKind::ALL.iter().find(|kind| kind.word() == text.value).copied();
        if found.is_none() {
            let words = ProblemKind::ALL.iter().map(|kind| kind.word());
            let help = match nearest(text.value, words.clone()) {
                Some(word) => format!("did you mean {word:?}?"),
                None => format!("write one of: {}", words.collect::<Vec<_>>().join(", ")),
            };
            self.reader.error(text.span, format!("unknown kind of problem {:?}", text.value), help);
        }
        found
    }

    fn roles_of(&mut self, table: &Table<'_>, key: &str) -> Vec<RoleName> {
        let mut roles = Vec::new();
        for name in self.reader.strings(table, key, ROLES_HINT).unwrap_or_default() {
            match RoleName::new(name.value) {
                Ok(role) => roles.push(role),
                Err(error) => self.reader.error(name.span, error.to_string(), ROLES_HINT),
            }
        }
        roles
    }

    /// The input is there, and a host answers it.
    fn filled(&mut self, name: &str, span: Range<usize>, inputs: &[Input]) {
        match inputs.iter().find(|input| input.name == name) {
            Some(input) if input.kind == ValueKind::Host => {}
            Some(_) => {
                let message = format!("the input {name:?} is no host");
                self.reader.error(span, message, "write the name of an input of kind \"host\"");
            }
            None => {
                let known = nearest(name, inputs.iter().map(|input| input.name.as_str()));
                let help = known.map_or("write the name of an [[input]]".to_owned(), |known| {
                    format!("did you mean {known:?}?")
                });
                self.reader.error(span, format!("there is no input {name:?}"), help);
            }
        }
    }
}

//! Texts with variables, and what may stand in which: nothing secret where it is seen, one value where one is
//! meant.

use std::ops::Range;

use regex::Regex;

use super::Reading;
use super::names::{Meaning, NameFound, RESERVED};
use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use crate::runbook::template::{Template, Variable};

/// Where a variable is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runbook) enum Use {
    /// In a text that is seen, or in what becomes of one: no secrets.
    Shown,
    /// In a command's arguments: no secrets.
    Argument,
    /// In a value that is compared, or written to a file: no secrets, one value.
    Value,
    /// In SQL: as a literal, by standard input.
    Sql,
    /// Assigned before a script.
    With,
    /// Assigned before a script, not shown.
    Secret,
}

impl Reading<'_> {
    /// A text with variables that must be there.
    pub(in crate::runbook) fn need_text(
        &mut self,
        table: &Table<'_>,
        key: &str,
        usage: Use,
        help: &str,
    ) -> Option<Template> {
        let text = self.need_string(table, key, help)?;
        Some(self.template(&text, usage))
    }

    /// A text with variables, when there is one.
    pub(in crate::runbook) fn text(&mut self, table: &Table<'_>, key: &str, usage: Use) -> Option<Template> {
        table.get(key)?;
        self.need_text(table, key, usage, &format!("write {key} = \"…\", or remove it"))
    }

    /// Reads a text and judges its variables.
    pub(in crate::runbook) fn template(&mut self, text: &At<&str>, usage: Use) -> Template {
        match Template::parse(text.value) {
            Ok(template) => {
                let mut from = text.span.start;
                for variable in template.variables() {
                    let span = self.find_in(from..text.span.end, &format!("{{{variable}}}"));
                    from = span.as_ref().map_or(from, |s| s.end);
                    self.variable(variable, span.unwrap_or_else(|| text.span.clone()), usage);
                }
                template
            }
            Err(error) => {
                let start = self.find_in(text.span.clone(), text.value).map(|s| s.start);
                let span =
                    start.map_or_else(|| text.span.clone(), |s| s + error.span.start..s + error.span.end);
                let help = "a variable is written {candidate} or {candidate.address}, a brace {{ or }}";
                self.reader.error(span, error.message, help);
                Template::plain(text.value)
            }
        }
    }

    /// The place of some words in a range of the file.
    pub(super) fn find_in(&self, range: Range<usize>, words: &str) -> Option<Range<usize>> {
        let at = range.start + self.text.get(range)?.find(words)?;
        Some(at..at + words.len())
    }

    /// Judges the use of a variable.
    pub(super) fn variable(&mut self, variable: &Variable, span: Range<usize>, usage: Use) {
        let name = variable.name.as_str();
        let meaning = match self.names.find(name) {
            NameFound::Known(meaning) => meaning,
            NameFound::Sometimes(step) => {
                let message = format!("{{{name}}} may be unknown here");
                let help = format!(
                    "step {step:?} sets it under a condition: put this under the same `when`, or set it always"
                );
                return self.reader.error(span, message, help);
            }
            NameFound::Later => {
                let message = format!("{{{name}}} is not known yet: a later step captures it");
                return self.reader.error(span, message, "capture it in an earlier step");
            }
            NameFound::Unknown => return self.unknown(name, span),
        };
        if let Some(field) = &variable.field
            && !meaning.fields().contains(&field.as_str())
        {
            let message = format!("{{{name}}} has no {field:?}");
            let fields: Vec<String> = meaning.fields().iter().map(|f| format!("{{{name}.{f}}}")).collect();
            let help = match (nearest(field, meaning.fields().iter().copied()), fields.is_empty()) {
                (Some(near), _) => format!("did you mean {{{name}.{near}}}?"),
                (None, true) => format!("write {{{name}}}"),
                (None, false) => format!("it has {}", fields.join(" and ")),
            };
            return self.reader.error(span, message, help);
        }
        self.fits(name, variable.field.as_deref(), meaning, span, usage);
    }

    fn fits(&mut self, name: &str, field: Option<&str>, meaning: Meaning, span: Range<usize>, usage: Use) {
        if meaning.is_secret() {
            let (message, help) = match usage {
                Use::Sql | Use::Secret => return,
                Use::With | Use::Argument => (
                    format!("the secret {{{name}}} cannot be a command's argument"),
                    "pass it to a script by secrets = [\"…\"], or use it in SQL: both go by standard input",
                ),
                Use::Shown | Use::Value => (
                    format!("the secret {{{name}}} would be shown or kept here"),
                    "remove it: a secret can be used in SQL and in a script's secrets = [\"…\"] only",
                ),
            };
            return self.reader.error(span, message, help);
        }
        let wants_one = field.is_some_and(|f| f != "count" && f != "roles")
            || field.is_none() && matches!(usage, Use::Sql | Use::With | Use::Secret | Use::Value);
        if meaning.is_several() && wants_one {
            let message = match field {
                Some(field) => format!("{{{name}}} may be several hosts, without one {field} in common"),
                None => format!("{{{name}}} may be several hosts, but one value is needed here"),
            };
            let help = "give the target exactly = 1, repeat the step with for_each, or use {host}, the host that the step runs on";
            self.reader.error(span, message, help);
        }
    }

    fn unknown(&mut self, name: &str, span: Range<usize>) {
        if name == "host" {
            let message = "{host} is unknown here: the step does not run on a host";
            return self.reader.error(span, message, "add on = \"…\" to the step, or name the host");
        }
        let known = self.names.usable();
        let help = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {{{near}}}?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.reader.error(span, format!("unknown variable {{{name}}}"), help);
    }

    /// Whether a new variable may have this name.
    pub(in crate::runbook) fn variable_name(&mut self, name: &At<&str>) -> bool {
        let is_word = Variable::parse(name.value).is_some_and(|v| v.field.is_none());
        let (message, help) = if !is_word {
            let message = format!("{:?} is not a variable's name", name.value);
            (message, "use small letters, digits and \"_\", a letter first".to_owned())
        } else if RESERVED.contains(&name.value) {
            let message = format!("{:?} is a reserved name", name.value);
            (message, format!("choose another name; reserved are {}", RESERVED.join(", ")))
        } else {
            return true;
        };
        self.reader.error(name.span.clone(), message, help);
        false
    }

    /// A regular expression, when there is one.
    pub(in crate::runbook) fn regex(&mut self, table: &Table<'_>, key: &str) -> Option<Regex> {
        table.get(key)?;
        let text = self.need_string(table, key, &format!("write {key} = '…', a regular expression"))?;
        match Regex::new(text.value) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let why = error.to_string();
                let why =
                    why.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_owned();
                let help = "see https://docs.rs/regex; single quotes ('…') leave backslashes as they are";
                self.reader.error(text.span, format!("not a regular expression: {why}"), help);
                None
            }
        }
    }
}

//! What a runbook asks, and the hosts it names.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use jumpdeck_fleet::names::{HostName, RoleName};

use super::names::{Meaning, NameFound};
use super::{Reading, place};
use crate::runbook::definition::{Input, RoleOf, Select, Target};
use crate::runbook::value::{Value, ValueKind};

const INPUT_HINT: &str = "write [[input]] and below it name = \"candidate\", label = \"…\", kind = \"host\"";
const TARGET_HINT: &str = "write [[target]] and below it name = \"old\", role = \"masterdb\"";
const NAMES_HINT: &str = "write a list of names: [\"old\"]";

impl Reading<'_> {
    pub(super) fn inputs(&mut self, root: &Table<'_>) -> Vec<Input> {
        let mut inputs = Vec::new();
        for item in self.reader.list(root, "input", INPUT_HINT).unwrap_or_default() {
            let Some(table) = self.reader.table("input".to_owned(), item, INPUT_HINT) else { continue };
            let keys =
                ["name", "label", "help", "kind", "role", "not", "choices", "default", "sensitive", "find"];
            self.reader.only(&table, &keys);
            if let Some(mut input) = self.input(&table, "kind") {
                input.find = self.find(&table, &input, &inputs);
                inputs.push(input);
            }
        }
        inputs
    }

    /// An input, and its variable from here on.
    pub(in crate::runbook) fn input(&mut self, table: &Table<'_>, kind_key: &str) -> Option<Input> {
        // In mid-run another way to this place may have brought it: a branch takes one of the two.
        let name = self.new_name(table, "candidate", kind_key == "value_kind");
        let label = self.line(table, "label", true);
        let help = self.reader.string(table, "help", "write help = \"…\"");
        let kind = self.kind(table, kind_key);
        let sensitive = self.reader.boolean(table, "sensitive").unwrap_or(false);
        let role = self.role(table);
        if kind_key == "value_kind" && matches!(role, Some(RoleOf::Input(_))) {
            let message = "a question during the run needs a fixed role, not an input";
            self.reader.error(place(table, "role"), message, "write a role: \"db\"");
        }
        let not = self.reader.strings(table, "not", NAMES_HINT).unwrap_or_default();
        let choices = self.reader.strings(table, "choices", "write choices = [\"a\", \"b\"]");
        let choices = choices.unwrap_or_default();
        let default = self.reader.string(table, "default", "write default = \"…\"");
        if kind.is_some_and(|k| k != ValueKind::Host) {
            for key in ["role", "not"].into_iter().filter(|key| table.get(key).is_some()) {
                let message = format!("{key:?} is for inputs of kind host only");
                self.reader.error(place(table, key), message, "write kind = \"host\", or remove it");
            }
        }
        for key in ["default", "choices"].into_iter().filter(|key| sensitive && table.get(key).is_some()) {
            let help = "remove it: other people can read this file";
            self.reader.error(place(table, key), format!("a secret with {key}"), help);
        }
        if let Some(kind) = kind {
            for written in choices.iter().chain(&default) {
                self.value_fits(kind, written);
            }
        }
        if let Some(default) = &default
            && !choices.is_empty()
            && !choices.iter().any(|c| c.value == default.value)
        {
            let message = format!("the default {:?} is not among the choices", default.value);
            self.reader.error(
                default.span.clone(),
                message,
                "add it to choices, or write one of the choices",
            );
        }
        self.hosts_named(&not);
        let name = name?;
        let kind_known = kind.unwrap_or(ValueKind::Text);
        let meaning =
            Meaning::Value { kind: kind_known, secret: sensitive, place: kind_known == ValueKind::Host };
        match (kind, kind_key) {
            (None, _) => self.names.anything(&name),
            (_, "kind") => self.names.always(&name, meaning),
            _ => {}
        }
        Some(Input {
            name,
            label,
            help: help.map(|h| h.value.to_owned()),
            kind: kind?,
            role,
            not: not.into_iter().map(|n| n.value.to_owned()).collect(),
            choices: choices.into_iter().map(|c| c.value.to_owned()).collect(),
            default: default.map(|d| d.value.to_owned()),
            sensitive,
            find: None,
        })
    }

    fn value_fits(&mut self, kind: ValueKind, written: &At<&str>) {
        if Value::new(kind, written.value).is_err() {
            let message = format!("{:?} is not {}", written.value, kind.wanted());
            self.reader.error(written.span.clone(), message, "correct the value, or change kind");
        }
    }

    /// The kind of a value.
    pub(in crate::runbook) fn kind(&mut self, table: &Table<'_>, key: &str) -> Option<ValueKind> {
        if table.get(key).is_none() {
            let words: Vec<&str> = ValueKind::ALL.iter().map(|(word, _)| *word).collect();
            let help = format!("write {key} = one of \"{}\"", words.join("\", \""));
            self.reader.error(table.span.clone(), format!("{key:?} is missing"), help);
            return None;
        }
        self.reader.word(table, key, &ValueKind::ALL)
    }

    /// The name of a new input or target; of one in mid-run, or of what another way brings.
    fn new_name(&mut self, table: &Table<'_>, example: &str, mid_run: bool) -> Option<String> {
        let name = self.need_string(table, "name", &format!("write name = {example:?}"))?;
        if !self.variable_name(&name) {
            return None;
        }
        let is_free = match self.names.find(name.value) {
            NameFound::Unknown | NameFound::Later => true,
            NameFound::Sometimes(_) => mid_run,
            NameFound::Known(_) => false,
        };
        if !is_free {
            let message = format!("the name {:?} appears twice", name.value);
            self.reader.error(name.span, message, "rename one of the two or remove it");
            return None;
        }
        Some(name.value.to_owned())
    }

    fn role(&mut self, table: &Table<'_>) -> Option<RoleOf> {
        let text = self.reader.string(table, "role", "write role = \"db\"")?;
        if let Some(name) = text.value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let word = Meaning::Value { kind: ValueKind::Word, secret: false, place: false };
            if matches!(self.names.find(name), NameFound::Known(meaning) if meaning == word) {
                return Some(RoleOf::Input(name.to_owned()));
            }
            let message = format!("{{{name}}} is not an earlier input of kind word");
            self.reader.error(
                text.span,
                message,
                "write an [[input]] of kind \"word\" above, or a role: \"db\"",
            );
            return None;
        }
        match RoleName::new(text.value) {
            Ok(role) => Some(RoleOf::Named(role)),
            Err(error) => {
                self.reader.error(text.span, error.to_string(), "write a role as hosts have it: \"db\"");
                None
            }
        }
    }

    pub(super) fn targets(&mut self, root: &Table<'_>) -> Vec<Target> {
        let mut targets = Vec::new();
        for item in self.reader.list(root, "target", TARGET_HINT).unwrap_or_default() {
            let Some(table) = self.reader.table("target".to_owned(), item, TARGET_HINT) else { continue };
            let keys = [
                "name",
                "role",
                "host",
                "jump",
                "all",
                "database_files",
                "exactly",
                "at_least",
                "at_most",
                "except",
            ];
            self.reader.only(&table, &keys);
            if let Some(target) = self.target(&table) {
                targets.push(target);
            }
        }
        targets
    }

    fn target(&mut self, table: &Table<'_>) -> Option<Target> {
        let name = self.new_name(table, "old", false);
        let select = self.select(table);
        let one = matches!(select, Some(Select::Host(_) | Select::Jump));
        let exactly = self.reader.integer(table, "exactly", 1..=10_000).map(|n| n as usize);
        let at_least = self.reader.integer(table, "at_least", 0..=10_000).map(|n| n as usize);
        let at_most = self.reader.integer(table, "at_most", 1..=10_000).map(|n| n as usize);
        for key in ["at_least", "at_most"] {
            if (exactly.is_some() || one) && table.get(key).is_some() {
                let message = format!("`{key}` cannot be used here: the number of hosts is fixed already");
                self.reader.error(place(table, key), message, "remove it");
            }
        }
        if let (Some(least), Some(most)) = (at_least, at_most)
            && least > most
        {
            let message = format!("at least {least} and at most {most} hosts: no number is both");
            self.reader.error(place(table, "at_most"), message, "exchange the two");
        }
        let except = self.reader.strings(table, "except", NAMES_HINT).unwrap_or_default();
        let (at_least, at_most) = match (exactly, one) {
            (Some(n), _) => (n, Some(n)),
            (None, true) => (1, Some(1)),
            (None, false) => (at_least.unwrap_or(1), at_most),
        };
        let name = name?;
        self.names.always(&name, Meaning::Hosts { one: at_most == Some(1), target: true });
        let except = except.into_iter().map(|e| e.value.to_owned()).collect();
        Some(Target { name, select: select?, except, at_least, at_most })
    }

    fn select(&mut self, table: &Table<'_>) -> Option<Select> {
        let help =
            "write one of role = \"db\", host = \"backup\", jump = true, all = true, database_files = true";
        let there: Vec<&str> = ["role", "host", "jump", "all", "database_files"]
            .into_iter()
            .filter(|key| table.get(key).is_some())
            .collect();
        match there.as_slice() {
            [] => self.reader.error(table.span.clone(), "this target names no hosts", help),
            [_] => {}
            [_, more, ..] => {
                self.reader.error(place(table, more), "this target names its hosts twice", help);
                return None;
            }
        }
        if let Some(role) = self.role(table) {
            return Some(Select::Role(role));
        }
        if let Some(host) = self.reader.string(table, "host", help) {
            return match HostName::new(host.value) {
                Ok(host) => Some(Select::Host(host)),
                Err(error) => {
                    self.reader.error(
                        host.span,
                        error.to_string(),
                        "write a host's name as the inventory has it",
                    );
                    None
                }
            };
        }
        let flags = [("jump", Select::Jump), ("all", Select::All), ("database_files", Select::DatabaseFiles)];
        for (key, select) in flags {
            if self.reader.boolean(table, key) == Some(false) {
                self.reader.error(place(table, key), format!("{key} = false names no host"), help);
            }
            if table.get(key).is_some() {
                return Some(select);
            }
        }
        None
    }

    /// Judges names of inputs and targets that a host must be none of.
    fn hosts_named(&mut self, names: &[At<&str>]) {
        for name in names {
            self.later_hosts.push((name.value.to_owned(), name.span.clone()));
        }
    }

    /// Judges what inputs and targets leave out, when every step is known: captured hosts may be among it.
    pub(super) fn except(&mut self, root: &Table<'_>, targets: &[Target]) {
        let mut named: Vec<(String, Range<usize>)> = std::mem::take(&mut self.later_hosts);
        for item in self.reader.list(root, "target", TARGET_HINT).unwrap_or_default() {
            let Some(table) = self.reader.table("target".to_owned(), item, TARGET_HINT) else { continue };
            // What is no string was told when the target was read.
            let Some(Some(list)) = table.get("except").map(|v| v.get_ref().as_array()) else { continue };
            let strings = list.iter().filter_map(|v| Some((v.get_ref().as_str()?.to_owned(), v.span())));
            named.extend(strings);
        }
        for (name, span) in named {
            let is_place = match self.names.find(&name) {
                NameFound::Known(meaning) => meaning.is_place(),
                NameFound::Sometimes(_) => true,
                NameFound::Later | NameFound::Unknown => false,
            };
            if !is_place {
                let known = self.names.usable();
                let help = match nearest(&name, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => "name an input of kind host, a target, or a host that is elected".to_owned(),
                };
                self.reader.error(span, format!("{name:?} is not a host or a target"), help);
            }
        }
        self.except_rings(root, targets);
    }

    /// Two targets that leave out each other never come to an end.
    fn except_rings(&mut self, root: &Table<'_>, targets: &[Target]) {
        let by_name: BTreeMap<&str, &Target> = targets.iter().map(|t| (t.name.as_str(), t)).collect();
        for target in targets {
            let mut way = vec![target.name.as_str()];
            let mut open: Vec<&str> = target.except.iter().map(String::as_str).collect();
            while let Some(name) = open.pop() {
                if name == target.name {
                    let message =
                        format!("target {name:?} excludes itself, through the targets that it excludes");
                    self.reader.error(place(root, "target"), message, "remove one of the exceptions");
                    return;
                }
                if !way.contains(&name) {
                    way.push(name);
                    open.extend(
                        by_name.get(name).into_iter().flat_map(|t| t.except.iter().map(String::as_str)),
                    );
                }
            }
        }
    }
}

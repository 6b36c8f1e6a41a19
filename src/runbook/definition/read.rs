//! A runbook from its TOML. Reading goes on after a mistake, so that all of them are told at once, each with
//! its place. Included files are read in place, with what is known there.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::DeTable;

use crate::config::diagnostic::Diagnostic;
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::run::{Danger, Effect};

use super::{On, Runbook, Step};
pub(crate) use entry::{Effects, KindEntry, Reads, UndoEntry, Where};
use ids::Ids;
use names::Names;
pub(in crate::runbook) use names::{Meaning, NameFound};
pub(crate) use step::StepHead;
pub(in crate::runbook) use text::Use;

mod ask;
mod entry;
mod expect;
mod find;
mod ids;
mod input;
pub(in crate::runbook) mod keys;
mod names;
mod nest;
mod remedy;
mod rules;
mod script;
mod session;
mod sql;
mod step;
mod text;
mod undo;
mod windows;

#[cfg(test)]
mod tests;

/// Finds an included file by the name of its runbook: what the file is called, and its text.
pub(crate) type Includes<'a> = &'a dyn Fn(&str) -> Option<(String, String)>;

/// A file that was read: a runbook, or a part of others.
pub(crate) struct Parsed {
    pub(crate) runbook: Runbook,
    /// Only there to be included.
    pub(crate) part: bool,
}

impl Runbook {
    /// Reads a runbook and what it includes. `file` names it in messages; its stem is the runbook's name.
    ///
    /// # Errors
    /// Every mistake: those of this file in its order, then those of included ones.
    pub fn read(file: &str, text: &str, includes: Includes<'_>) -> Result<Self, Vec<Diagnostic>> {
        parse(file, text, includes).map(|parsed| parsed.runbook)
    }

    /// Reads a runbook again from the files that a plan kept: itself first, then what it includes.
    ///
    /// # Errors
    /// The first mistake: another version of this program may read them otherwise.
    pub fn from_sources(sources: &[(String, String)]) -> Result<Self, String> {
        let (file, text) = sources.first().ok_or("no file was kept")?;
        let included = |name: &str| sources.iter().skip(1).find(|(file, _)| stem(file) == name).cloned();
        Self::read(file, text, &included)
            .map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default())
    }
}

/// Reads a runbook, or a part.
pub(crate) fn parse(file: &str, text: &str, includes: Includes<'_>) -> Result<Parsed, Vec<Diagnostic>> {
    let mut reading = Reading {
        reader: Reader::new(file, text),
        text: text.to_owned(),
        includes,
        names: Names::default(),
        ids: Ids::default(),
        prefix: String::new(),
        way: Vec::new(),
        sources: vec![(file.to_owned(), text.to_owned())],
        inner: Vec::new(),
        batched: None,
        place: On::Nowhere,
        later_hosts: Vec::new(),
    };
    let root = reading.reader.parse(text);
    let parsed = root.as_ref().and_then(|root| reading.whole(file, root));
    let Reading { reader, inner, .. } = reading;
    match (reader.finish(parsed), inner.is_empty()) {
        (Ok(parsed), true) => Ok(parsed),
        (own, _) => Err(own.err().unwrap_or_default().into_iter().chain(inner).collect()),
    }
}

/// The files being read, and what is known so far.
pub(crate) struct Reading<'r> {
    /// Of the file that is read at the moment.
    pub(in crate::runbook) reader: Reader,
    /// Its text.
    pub(in crate::runbook) text: String,
    pub(in crate::runbook) includes: Includes<'r>,
    pub(in crate::runbook) names: Names,
    pub(in crate::runbook) ids: Ids,
    /// Stands before the ids of its steps.
    pub(in crate::runbook) prefix: String,
    /// The runbooks on the way to this file, this one last.
    pub(in crate::runbook) way: Vec<String>,
    pub(in crate::runbook) sources: Vec<(String, String)>,
    /// The mistakes of included files.
    pub(in crate::runbook) inner: Vec<Diagnostic>,
    /// The id of the `for_each` around.
    pub(in crate::runbook) batched: Option<String>,
    /// Where the step or the check that is read runs.
    place: On,
    /// Names of hosts that inputs and targets leave out, judged at the end.
    later_hosts: Vec<(String, Range<usize>)>,
}

/// The keys of a file that is only there to be included.
pub(in crate::runbook) const PART_KEYS: &[&str] =
    &["name", "title", "summary", "danger", "part", "needs", "step"];

const STEPS_HINT: &str = "write [[step]] and its keys below it";

impl Reading<'_> {
    fn whole(&mut self, file: &str, root: &Spanned<DeTable<'_>>) -> Option<Parsed> {
        let root = self.reader.root(root);
        let part = self.reader.boolean(&root, "part").unwrap_or(false);
        let keys: &[&str] = match part {
            true => PART_KEYS,
            false => &[
                "name",
                "title",
                "summary",
                "danger",
                "without_salt",
                "part",
                "for",
                "input",
                "target",
                "step",
            ],
        };
        self.reader.only(&root, keys);
        let name = self.own_name(file, &root);
        self.way.push(name.clone());
        let title = self.line(&root, "title", !part);
        let summary = self.reader.string(&root, "summary", "write summary = \"what it is for\"");
        let summary = summary.map(|s| s.value.trim().to_owned()).unwrap_or_default();
        if summary.is_empty() && !part {
            let help = "say what it is for, when to use it and when not";
            self.reader.error(place(&root, "summary"), "this runbook has no summary", help);
        }
        let danger = self.danger(&root, part);
        let without_salt = if part { String::new() } else { self.line(&root, "without_salt", false) };
        let without_salt = Some(without_salt).filter(|text| !text.is_empty());
        let (mut inputs, mut targets, mut remedies) = (Vec::new(), Vec::new(), Vec::new());
        self.ids.part = part;
        if part {
            for need in self.needs(&root) {
                self.names.anything(&need);
            }
        } else {
            inputs = self.inputs(&root);
            targets = self.targets(&root);
            remedies = self.remedies(&root, &inputs);
        }
        let steps = self.top_steps(&root);
        if !part {
            self.windows(&steps);
        }
        self.except(&root, &targets);
        if danger == Danger::Reads
            && !part
            && let Some(id) = first_change(&steps)
        {
            let message = format!("danger is \"reads\", but step {id:?} changes something");
            let help = "write danger = \"changes\", or \"data\" when data or service may be lost";
            self.reader.error(place(&root, "danger"), message, help);
        }
        let sources = std::mem::take(&mut self.sources);
        let hash = hash(&sources);
        Some(Parsed {
            runbook: Runbook {
                name,
                title,
                summary,
                danger,
                without_salt,
                remedies,
                inputs,
                targets,
                steps,
                sources,
                hash,
            },
            part,
        })
    }

    fn own_name(&mut self, file: &str, root: &Table<'_>) -> String {
        let stem = stem(file);
        let help = format!("write name = {stem:?}, the file's own name");
        let Some(name) = self.need_string(root, "name", &help) else { return stem.to_owned() };
        if !is_name(name.value) {
            let message = format!("{:?} is not a runbook's name", name.value);
            self.reader.error(name.span, message, "use small letters, digits and \"-\", a letter first");
        } else if name.value != stem {
            let message = format!("the runbook {:?} is in a file named {stem:?}", name.value);
            let help = format!(
                "rename the file to {}.toml, or write name = {stem:?}: the two must be the same",
                name.value
            );
            self.reader.error(name.span, message, help);
        }
        name.value.to_owned()
    }

    fn danger(&mut self, root: &Table<'_>, part: bool) -> Danger {
        let words = [("reads", Danger::Reads), ("changes", Danger::Changes), ("data", Danger::Data)];
        if root.get("danger").is_none() && !part {
            let help =
                "write danger = \"reads\", \"changes\" or \"data\": what may be lost when it goes wrong";
            self.reader.error(0..0, "\"danger\" is missing", help);
        }
        self.reader.word(root, "danger", &words).unwrap_or(Danger::Data)
    }

    /// The steps of a file, and what could only be judged when all were known.
    pub(in crate::runbook) fn top_steps(&mut self, root: &Table<'_>) -> Vec<Step> {
        self.names.later = nest::declared(root);
        let mut steps = Vec::new();
        match root.get("step") {
            None => self.reader.error(0..0, "there are no steps", STEPS_HINT),
            Some(value) => {
                let before = self.reader.error_count();
                self.steps(root, "step", &mut steps);
                if steps.is_empty() && self.reader.error_count() == before && self.inner.is_empty() {
                    self.reader.error(value.span(), "there are no steps", STEPS_HINT);
                }
            }
        }
        self.settle();
        self.ids.confirm(&mut steps);
        steps
    }

    /// The names that a part takes from whatever includes it.
    fn needs(&mut self, root: &Table<'_>) -> Vec<String> {
        let hint = "write needs = [\"old\", \"candidate\"]";
        let needs = self.reader.strings(root, "needs", hint).unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut names = Vec::new();
        for need in needs {
            if !seen.insert(need.value) {
                self.reader.error(need.span, format!("{:?} appears twice", need.value), "remove one");
            } else if self.variable_name(&need) {
                names.push(need.value.to_owned());
            }
        }
        names
    }

    /// A string that must be there and not be empty.
    pub(in crate::runbook) fn need_string<'t>(
        &mut self,
        table: &Table<'t>,
        key: &str,
        help: &str,
    ) -> Option<At<&'t str>> {
        if table.get(key).is_none() {
            self.reader.error(table.span.clone(), format!("{key:?} is missing"), help);
            return None;
        }
        let text = self.reader.string(table, key, help)?;
        if text.value.trim().is_empty() {
            self.reader.error(text.span, format!("{key:?} is empty"), help);
            return None;
        }
        Some(text)
    }

    /// One line of constant text.
    fn line(&mut self, table: &Table<'_>, key: &str, needed: bool) -> String {
        let help = format!("write {key} = \"…\", one line");
        if !needed && table.get(key).is_none() {
            return String::new();
        }
        let Some(text) = self.need_string(table, key, &help) else { return String::new() };
        if text.value.contains('\n') {
            self.reader.error(text.span, format!("{key:?} has several lines"), help);
        }
        text.value.to_owned()
    }
}

/// The name of a file's runbook.
fn stem(file: &str) -> &str {
    Path::new(file).file_stem().and_then(|s| s.to_str()).unwrap_or_default()
}

/// The place of a key's value, or of its table.
pub(in crate::runbook) fn place(table: &Table<'_>, key: &str) -> Range<usize> {
    table.get(key).map_or_else(|| table.span.clone(), Spanned::span)
}

/// Small letters, digits and `-`, a letter first: what runbooks and steps are called.
/// Whether a runbook may have that name, or a step that id.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn first_change(steps: &[Step]) -> Option<&str> {
    steps.iter().find_map(|step| match step.effect {
        Effect::Read => step.inside.iter().find_map(|part| first_change(&part.steps)),
        Effect::Mutate | Effect::Destructive => Some(step.id.as_str()),
    })
}

/// SHA-256 over each file's text, with its length before it so that no two lists of texts are the same.
fn hash(sources: &[(String, String)]) -> String {
    let mut sha = Sha256::new();
    for (_, text) in sources {
        sha.update((text.len() as u64).to_be_bytes());
        sha.update(text.as_bytes());
    }
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

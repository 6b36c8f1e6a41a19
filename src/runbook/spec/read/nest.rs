//! Steps within steps: batches, branches, included files.

use std::collections::BTreeSet;

use toml::de::DeValue;

use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Reader, Table};

use super::names::{Found, Meaning};
use super::step::Common;
use super::{Reading, place};
use crate::runbook::spec::{Act, Step};

/// The variables that steps of a file bring, in whatever order.
pub(super) fn declared(table: &Table<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for key in ["step", "otherwise"] {
        if let Some(value) = table.get(key) {
            collect(value.get_ref(), &mut names);
        }
    }
    names
}

fn collect(value: &DeValue<'_>, names: &mut BTreeSet<String>) {
    for step in value.as_array().into_iter().flatten().filter_map(|s| s.get_ref().as_table()) {
        let text = |value: Option<&toml::Spanned<DeValue<'_>>>| value?.get_ref().as_str().map(str::to_owned);
        let captures = step.get("capture").and_then(|c| c.get_ref().as_array());
        let captured = captures.into_iter().flatten().filter_map(|c| c.get_ref().as_table());
        names.extend(captured.filter_map(|c| text(c.get("name"))));
        names.extend(text(step.get("into")));
        names.extend(text(step.get("name")));
        let state = step.get("state").and_then(|s| s.get_ref().as_table());
        names.extend(state.and_then(|s| text(s.get("name"))));
        for key in ["step", "otherwise"] {
            if let Some(inner) = step.get(key) {
                collect(inner.get_ref(), names);
            }
        }
    }
}

impl Reading<'_> {
    /// The steps under a key of a table.
    pub(super) fn steps(&mut self, table: &Table<'_>, key: &str, out: &mut Vec<Step>) {
        let hint = format!("write [[{}]] and its keys below it", table.name_of(key));
        for item in self.reader.list(table, key, &hint).unwrap_or_default() {
            if let Some(step) = self.reader.table("step".to_owned(), item, &hint) {
                self.step(&step, out);
            }
        }
    }

    /// The same steps for batches of hosts.
    pub(super) fn for_each(&mut self, table: &Table<'_>, common: &Common) -> Option<Act> {
        if let Some(outer) = self.batched.clone() {
            let message = format!("a for_each within the for_each {outer:?}");
            let help = "put it behind the other one, or let its steps run on a target: they run on all its hosts at once";
            self.reader.error(place(table, "kind"), message, help);
            return None;
        }
        let over = self.need_string(table, "over", "write over = \"replicas\", a target's name");
        if let Some(over) = &over {
            self.target_named(over);
        }
        let item = self.need_string(table, "item", "write item = \"replica\": steps run on it");
        let item = item.filter(|item| self.variable_name(item));
        let batch = self.reader.integer(table, "batch", 1..=1000).unwrap_or(1) as usize;
        let max_failures = self.reader.integer(table, "max_failures", 0..=1000).unwrap_or(0) as usize;
        let free = item.as_ref().is_some_and(|item| {
            let free = matches!(self.names.find(item.value), Found::Unknown | Found::Later);
            if !free {
                let message = format!("the name {:?} is there twice", item.value);
                self.reader.error(item.span.clone(), message, "name the item otherwise");
            }
            free
        });
        if let Some(item) = item.as_ref().filter(|_| free) {
            self.names.always(item.value, Meaning::Hosts { one: batch == 1, target: false });
        }
        self.batched = Some(common.id.clone());
        let steps = self.inner_steps(table, "step", &common.id);
        self.batched = None;
        if let Some(item) = item.as_ref().filter(|_| free) {
            self.names.forget(item.value);
        }
        if steps.is_empty() && table.get("step").is_none() {
            let help = "write [[step.step]] and its keys below it";
            self.reader.error(table.span.clone(), "this for_each has no steps", help);
        }
        let (over, item) = (over?.value.to_owned(), item?.value.to_owned());
        Some(Act::ForEach { over, item, batch, max_failures, steps })
    }

    fn target_named(&mut self, name: &At<&str>) {
        match self.names.find(name.value) {
            Found::Known(Meaning::Hosts { target: true, .. } | Meaning::Anything) => {}
            Found::Known(_) | Found::Sometimes(_) => {
                let message = format!("{:?} is not a target", name.value);
                self.reader.error(name.span.clone(), message, "a for_each goes over a [[target]]'s hosts");
            }
            Found::Later | Found::Unknown => {
                let known = self.names.usable();
                let help = match nearest(name.value, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => "name a [[target]] of this runbook".to_owned(),
                };
                self.reader.error(name.span.clone(), format!("unknown target {:?}", name.value), help);
            }
        }
    }

    /// Steps under a condition, and those for when it does not hold.
    pub(super) fn branch(&mut self, table: &Table<'_>, common: &Common) -> Option<Act> {
        if table.get("when").is_none() {
            let help = "write when = [{ value = \"{mode}\", is = \"gtid\" }]";
            self.reader.error(table.span.clone(), "a branch without a condition", help);
        }
        let (yes, no) = common.both_ways();
        let entered = self.names.enter(yes.clone());
        let steps = self.inner_steps(table, "step", &common.id);
        self.names.leave(&entered);
        let entered = self.names.enter(vec![no.clone()]);
        let otherwise = self.inner_steps(table, "otherwise", &common.id);
        self.names.leave(&entered);
        self.names.join(&yes, &no);
        if table.get("step").is_none() && table.get("otherwise").is_none() {
            let help = "write [[step.step]] or [[step.otherwise]] and its keys below it";
            self.reader.error(table.span.clone(), "this branch has no steps", help);
        }
        Some(Act::Branch { steps, otherwise })
    }

    fn inner_steps(&mut self, table: &Table<'_>, key: &str, id: &str) -> Vec<Step> {
        let mut steps = Vec::new();
        self.ids.within.push(id.to_owned());
        self.steps(table, key, &mut steps);
        self.ids.within.pop();
        steps
    }

    /// Another file's steps, in place of the include.
    pub(super) fn include(&mut self, table: &Table<'_>, common: &Common) -> Option<Vec<Step>> {
        let name =
            self.need_string(table, "runbook", "write runbook = \"repoint-replica\", a part's name")?;
        if self.way.iter().any(|w| w == name.value) {
            let way: Vec<&str> =
                self.way.iter().map(String::as_str).skip_while(|w| *w != name.value).collect();
            let message = format!("{:?} includes itself: {} → {}", name.value, way.join(" → "), name.value);
            self.reader.error(name.span, message, "remove one of these includes");
            return None;
        }
        let Some((file, text)) = (self.includes)(name.value) else {
            let message = format!("there is no runbook {:?} to include", name.value);
            let help = "it is the name of a file with part = true, in runbooks/ or in your own folder";
            self.reader.error(name.span, message, help);
            return None;
        };
        let mut own = Reader::new(&file, &text);
        let Some(root) = own.parse(&text) else {
            self.inner.extend(own.finish(None::<()>).err().unwrap_or_default());
            return None;
        };
        let root_table = own.root(&root);
        if own.boolean(&root_table, "part") != Some(true) {
            let message = format!("{:?} is a runbook of its own", name.value);
            let help = "only a file with part = true can be included: it asks and names nothing itself";
            self.reader.error(name.span, message, help);
            return None;
        }
        let missing = self.check_needs(&mut own, &root_table, &name);
        if !self.sources.iter().any(|(f, _)| *f == file) {
            self.sources.push((file, text.clone()));
        }
        let steps = self.part(own, &text, name.value, &root_table, common);
        missing.iter().for_each(|need| self.names.forget(need));
        Some(steps)
    }

    /// What a part needs must be known. What is not is told once, here, and taken for known within.
    fn check_needs(&mut self, own: &mut Reader, root: &Table<'_>, name: &At<&str>) -> Vec<String> {
        let mut missing = Vec::new();
        for need in own.strings(root, "needs", "write needs = [\"old\"]").unwrap_or_default() {
            if !matches!(self.names.find(need.value), Found::Known(_)) {
                let message = format!("{:?} needs {{{}}}, which is not known here", name.value, need.value);
                let help = "give this runbook an input, a target or a captured value of that name";
                self.reader.error(name.span.clone(), message, help);
                if matches!(self.names.find(need.value), Found::Unknown | Found::Later) {
                    self.names.anything(need.value);
                    missing.push(need.value.to_owned());
                }
            }
        }
        missing
    }

    /// Reads a part's steps: with its own text, and ids that stand behind the include's.
    fn part(&mut self, own: Reader, text: &str, name: &str, root: &Table<'_>, common: &Common) -> Vec<Step> {
        let reader = std::mem::replace(&mut self.reader, own);
        let outer_text = std::mem::replace(&mut self.text, text.to_owned());
        let prefix = std::mem::replace(&mut self.prefix, format!("{}/", common.id));
        let later = std::mem::take(&mut self.names.later);
        self.ids.within.push(common.id.clone());
        let ids = self.ids.enter();
        self.way.push(name.to_owned());
        let keys = ["name", "title", "summary", "danger", "part", "needs", "step"];
        self.reader.only(root, &keys);
        let steps = self.top_steps(root);
        self.way.pop();
        self.ids.leave(ids);
        self.ids.within.pop();
        self.names.later = later;
        self.prefix = prefix;
        self.text = outer_text;
        let own = std::mem::replace(&mut self.reader, reader);
        self.inner.extend(own.finish(Some(())).err().unwrap_or_default());
        steps
    }
}

//! Steps within steps.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::Reading;
use crate::config::reader::Table;
use crate::runbook::definition::Step;
use crate::runbook::kinds::{self, KINDS};

/// The variables that steps of a file bring, in whatever order.
pub(super) fn declared(table: &Table<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for key in kinds::inside_keys() {
        if let Some(value) = table.get(key) {
            collect(value.get_ref(), &mut names);
        }
    }
    names
}

fn collect(value: &DeValue<'_>, names: &mut BTreeSet<String>) {
    for step in value.as_array().into_iter().flatten().filter_map(|s| s.get_ref().as_table()) {
        let captures = step.get("capture").and_then(|c| c.get_ref().as_array());
        let captured = captures.into_iter().flatten().filter_map(|c| c.get_ref().as_table());
        names.extend(captured.filter_map(|c| text_at(c, &["name"])));
        names.extend(KINDS.iter().filter_map(|kind| text_at(step, kind.brings_at)));
        for key in kinds::inside_keys() {
            if let Some(inner) = step.get(key) {
                collect(inner.get_ref(), names);
            }
        }
    }
}

/// The text under a key, or under a key of the table there.
fn text_at(table: &DeTable<'_>, way: &[&str]) -> Option<String> {
    let (key, rest) = way.split_first()?;
    let value = table.get(*key)?.get_ref();
    match rest {
        [] => value.as_str().map(str::to_owned),
        rest => text_at(value.as_table()?, rest),
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

    /// The steps within a step.
    pub(in crate::runbook) fn inner_steps(&mut self, table: &Table<'_>, key: &str, id: &str) -> Vec<Step> {
        let mut steps = Vec::new();
        self.ids.within.push(id.to_owned());
        self.steps(table, key, &mut steps);
        self.ids.within.pop();
        steps
    }
}

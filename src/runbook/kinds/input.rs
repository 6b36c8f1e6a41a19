//! `input`: asks for a value in mid-run.

use std::sync::Arc;

use super::{Brings, KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::domain::run::Asks;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::read::{Common, Reading, keys};
use crate::runbook::spec::{Act, Input, Step};

const OWN: &[&str] =
    &["name", "label", "value_kind", "role", "not", "choices", "default", "sensitive", "help"];

pub(super) static KIND: KindEntry = KindEntry {
    asks: Asks::Value,
    on: Where::Nowhere,
    brings_at: &["name"],
    rules,
    ..KindEntry::new("input", &[keys::ALL, keys::DONE, OWN], Reads::Step(read))
};

#[derive(Debug)]
struct InputStep {
    input: Input,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    let input = reading.input(table, "value_kind")?;
    Some(Arc::new(InputStep { input }))
}

/// `sensitive` is the value's: the step has no output.
fn rules(_: &mut Reading<'_>, _: &Table<'_>, step: &mut Step) {
    step.sensitive = false;
}

impl StepKind for InputStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Input(self.input.clone()))
    }

    fn lines(&self) -> Vec<String> {
        vec![self.input.label.clone()]
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}

    fn brings(&self) -> Option<Brings<'_>> {
        let Input { name, kind, sensitive, .. } = &self.input;
        Some(Brings { name, kind: *kind, secret: *sensitive, key: "name" })
    }
}

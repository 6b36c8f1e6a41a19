//! `input`: asks for a value in mid-run.

use std::sync::Arc;

use super::{Brings, ByPeople, DoneBy, KindEntry, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, keys};
use crate::runbook::definition::{Input, Step};
use crate::runbook::event::{Asked, Outcomes};
use crate::runbook::machine::Task;
use crate::runbook::place::Places;
use crate::runbook::runner::{Halt, Runner};
use crate::runbook::scope::Scope;
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::Asks;
use jumpdeck_fleet::text::Clean;

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

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
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

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::People(self)
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

impl ByPeople for InputStep {
    fn ask<'r>(
        &'r self,
        run: &'r mut Runner,
        task: &'r Task,
    ) -> BoxFuture<'r, Result<Option<Outcomes>, Halt>> {
        Box::pin(async move {
            let Input { name, kind, sensitive, .. } = &self.input;
            let (title, why) = (run.title(task), run.why(task));
            let value = (name.clone(), *kind, *sensitive);
            run.typed(task, Asked::Input, title, why, value, &self.input.view()).await
        })
    }

    fn would_ask(&self, run: &Runner, task: &Task) -> Option<Vec<Clean>> {
        match run.is_needed(task, &self.input.name) {
            true => None,
            false => Some(vec![Clean::new(&self.input.label)]),
        }
    }
}

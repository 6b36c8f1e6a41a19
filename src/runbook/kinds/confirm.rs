//! `confirm`: a yes, for the steps it covers.

use std::sync::Arc;

use super::{ByPeople, DoneBy, KindEntry, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys, place};
use crate::runbook::describe;
use crate::runbook::event::{Asked, Outcomes};
use crate::runbook::machine::Task;
use crate::runbook::place::Places;
use crate::runbook::runner::{Halt, Runner};
use crate::runbook::scope::Scope;
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::Asks;
use jumpdeck_fleet::text::Clean;

pub(super) static KIND: KindEntry = KindEntry {
    asks: Asks::Yes,
    on: Where::Nowhere,
    rules,
    ..KindEntry::new("confirm", &[keys::ALL, keys::DONE, &["text", "covers"]], Reads::Step(read))
};

#[derive(Debug)]
struct ConfirmStep {
    /// Step ids.
    covers: Vec<String>,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Arc<dyn StepKind>> {
    let covers = reading.covers(table, &common.id);
    Some(Arc::new(ConfirmStep { covers }))
}

/// Its text is its why.
fn rules(reading: &mut Reading<'_>, table: &Table<'_>, step: &mut Step) {
    let text = reading.text(table, "text", Use::Shown);
    if step.why.is_some() && text.is_some() {
        let message = "a confirmation with both why and text";
        reading.reader.error(place(table, "text"), message, "keep one of the two");
    }
    step.why = step.why.take().or(text);
}

impl StepKind for ConfirmStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::People(self)
    }

    fn lines(&self) -> Vec<String> {
        describe::covered(&self.covers)
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl ByPeople for ConfirmStep {
    fn ask<'r>(
        &'r self,
        run: &'r mut Runner,
        task: &'r Task,
    ) -> BoxFuture<'r, Result<Option<Outcomes>, Halt>> {
        Box::pin(async move {
            let mut lines = [run.why(task), run.covered(&self.covers, task)].concat();
            let title = run.title(task);
            let yes = match run.guarded_name() {
                Some(name) => {
                    lines.push(Clean::new(&format!("Type {name}: the environment that this changes.")));
                    run.challenged(title, lines, &name).await?
                }
                None => run.agreed(title, lines).await?,
            };
            run.settled(task, Asked::Confirm, yes).await
        })
    }

    fn would_ask(&self, run: &Runner, task: &Task) -> Option<Vec<Clean>> {
        Some(run.covered(&self.covers, task))
    }
}

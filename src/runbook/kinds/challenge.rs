//! `challenge`: a value on screen must be typed, for the steps it covers.

use std::sync::Arc;

use super::{ByPeople, DoneBy, KindEntry, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::describe;
use crate::runbook::event::{Asked, Outcomes, Verdict};
use crate::runbook::machine::Task;
use crate::runbook::place::Places;
use crate::runbook::runner::{Halt, Runner};
use crate::runbook::scope::Scope;
use crate::runbook::template::Template;
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::Asks;
use jumpdeck_fleet::text::Clean;

pub(super) static KIND: KindEntry = KindEntry {
    asks: Asks::Yes,
    on: Where::Nowhere,
    ..KindEntry::new("challenge", &[keys::ALL, keys::DONE, &["value", "covers"]], Reads::Step(read))
};

#[derive(Debug)]
struct ChallengeStep {
    /// What must be typed.
    value: Template,
    /// Step ids.
    covers: Vec<String>,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Arc<dyn StepKind>> {
    let help = "write value = \"{candidate}\", what stands on screen and must be typed";
    let value = reading.need_text(table, "value", Use::Value, help);
    let covers = reading.covers(table, &common.id);
    Some(Arc::new(ChallengeStep { value: value?, covers }))
}

impl StepKind for ChallengeStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::People(self)
    }

    fn lines(&self) -> Vec<String> {
        std::iter::once(format!("type {}", self.value)).chain(describe::covered(&self.covers)).collect()
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.shown(&self.value)
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl ByPeople for ChallengeStep {
    fn ask<'r>(
        &'r self,
        run: &'r mut Runner,
        task: &'r Task,
    ) -> BoxFuture<'r, Result<Option<Outcomes>, Halt>> {
        Box::pin(async move {
            let value = run.step_of(task)?.at(None, |scope| scope.text(&self.value));
            let Ok(value) = value else {
                let why = "the value to type is not known".to_owned();
                return Ok(Some(run.all(task, Verdict::Failed(why))));
            };
            let lines = [run.why(task), run.covered(&self.covers, task)].concat();
            let title = run.title(task);
            let yes = run.challenged(title, lines, &value).await?;
            run.settled(task, Asked::Challenge, yes).await
        })
    }

    fn would_ask(&self, run: &Runner, task: &Task) -> Option<Vec<Clean>> {
        let typed = Clean::new(&format!("wanted: {}", run.text(task, &self.value)));
        Some([vec![typed], run.covered(&self.covers, task)].concat())
    }
}

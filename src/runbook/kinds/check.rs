//! `check`: asks, and judges the answer by `expect`.

use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, StepKind, Used};
use crate::config::reader::Table;
use crate::runbook::act::{Done, For, Mark, Work};
use crate::runbook::definition::Ask;
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, keys};
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::{act, uses};
use crate::transport::BoxFuture;

const OWN: &[&[&str]] =
    &[keys::ALL, keys::DONE, keys::ANSWERED, &["sql", "in", "value"], keys::SCRIPT, keys::SALT_ASKS];

pub(super) static KIND: KindEntry =
    KindEntry { effects: Effects::ASKS, ..KindEntry::new("check", OWN, Reads::Step(read)) };

#[derive(Debug)]
struct CheckStep {
    ask: Ask,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Arc<dyn StepKind>> {
    let ask = reading.ask(table, &common.on)?;
    Some(Arc::new(CheckStep { ask }))
}

impl StepKind for CheckStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.ask.line()]
    }

    fn shown(&self, scope: &Scope<'_>, places: &Places) -> String {
        act::ask::shown(scope, &self.ask, places)
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::ask(&self.ask, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(self.ask.clone())
    }
}

impl ByMachines for CheckStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let step = work.at.step();
            let answers = work.ask(&self.ask, step.timeout, step.sensitive).await;
            work.conclude(answers).await
        })
    }

    fn mark(&self, _: &Step, _: For) -> Mark<'_> {
        Mark::None
    }
}

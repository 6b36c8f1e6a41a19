//! `report`: writes the report.

use std::sync::Arc;

use super::{ByPeople, DoneBy, KindEntry, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, keys};
use crate::runbook::event::{Outcomes, Verdict};
use crate::runbook::machine::Task;
use crate::runbook::place::Places;
use crate::runbook::runner::{Halt, Runner};
use crate::runbook::scope::Scope;
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::Asks;
use jumpdeck_fleet::text::Clean;

pub(super) static KIND: KindEntry = KindEntry {
    asks: Asks::ToRead,
    on: Where::Nowhere,
    untitled: Some("Report"),
    ..KindEntry::new("report", &[keys::ALL, keys::DONE], Reads::Step(read))
};

#[derive(Debug)]
struct ReportStep;

fn read(_: &mut Reading<'_>, _: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    Some(Arc::new(ReportStep))
}

impl StepKind for ReportStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::People(self)
    }

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl ByPeople for ReportStep {
    fn ask<'r>(
        &'r self,
        run: &'r mut Runner,
        task: &'r Task,
    ) -> BoxFuture<'r, Result<Option<Outcomes>, Halt>> {
        Box::pin(async move {
            // It is made of the journal when the run has ended.
            Ok(Some(run.all(task, Verdict::Done)))
        })
    }

    fn would_ask(&self, _: &Runner, _: &Task) -> Option<Vec<Clean>> {
        None
    }
}

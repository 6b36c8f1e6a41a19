//! `approve`: a second person says yes.

use std::sync::Arc;

use super::{ByPeople, DoneBy, KindEntry, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::event::Outcomes;
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
    ..KindEntry::new("approve", &[keys::ALL, keys::DONE, &["text"]], Reads::Step(read))
};

#[derive(Debug)]
struct ApproveStep {
    text: Template,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    let help = "write text = \"…\", what is agreed to";
    let text = reading.need_text(table, "text", Use::Shown, help)?;
    Some(Arc::new(ApproveStep { text }))
}

impl StepKind for ApproveStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::People(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.text.to_string()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.shown(&self.text)
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl ByPeople for ApproveStep {
    fn ask<'r>(
        &'r self,
        run: &'r mut Runner,
        task: &'r Task,
    ) -> BoxFuture<'r, Result<Option<Outcomes>, Halt>> {
        Box::pin(async move {
            let lines = [run.why(task), Clean::lines(&run.text(task, &self.text))].concat();
            let title = run.title(task);
            run.approved(task, title, &lines, &[]).await
        })
    }

    fn would_ask(&self, run: &Runner, task: &Task) -> Option<Vec<Clean>> {
        Some(Clean::lines(&run.text(task, &self.text)))
    }

    fn who(&self) -> &'static str {
        "a second person"
    }
}

//! `note`: shows its text.

use std::sync::Arc;
use std::time::Duration;

use super::{ByPeople, DoneBy, KindEntry, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::event::{Outcomes, Verdict};
use crate::runbook::machine::Task;
use crate::runbook::place::Places;
use crate::runbook::runner::{Halt, Runner};
use crate::runbook::scope::Scope;
use crate::runbook::template::Template;
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::Asks;
use jumpdeck_fleet::text::Clean;

pub(super) static KIND: KindEntry = KindEntry {
    asks: Asks::ToRead,
    on: Where::Nowhere,
    ..KindEntry::new("note", &[keys::ALL, keys::DONE, &["text"]], Reads::Step(read))
};

/// How long a note is on screen, at least.
const SHOWN_FOR: Duration = Duration::from_millis(400);

#[derive(Debug)]
struct NoteStep {
    text: Template,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    let text = reading.need_text(table, "text", Use::Shown, "write text = \"…\"")?;
    Some(Arc::new(NoteStep { text }))
}

impl StepKind for NoteStep {
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

impl ByPeople for NoteStep {
    fn ask<'r>(
        &'r self,
        run: &'r mut Runner,
        task: &'r Task,
    ) -> BoxFuture<'r, Result<Option<Outcomes>, Halt>> {
        Box::pin(async move {
            let shown = run.text(task, &self.text);
            run.say(Clean::lines(&shown));
            // Whoever follows the run sees it before the next step takes its place.
            tokio::time::sleep(SHOWN_FOR).await;
            let mut outcomes = run.all(task, Verdict::Done);
            outcomes.values_mut().for_each(|outcome| outcome.output.clone_from(&shown));
            Ok(Some(outcomes))
        })
    }

    fn would_ask(&self, _: &Runner, _: &Task) -> Option<Vec<Clean>> {
        None
    }
}

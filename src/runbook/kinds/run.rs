//! `run`: a shell script.

use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, StepKind, TakesBack, UndoEntry, Used, Where};
use crate::config::reader::Table;
use crate::runbook::act::{Answers, Done, For, Mark, Work};
use crate::runbook::event::Outcomes;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::Step;
use crate::runbook::spec::read::{Common, Reading, keys};
use crate::runbook::spec::{Ask, Script};
use crate::runbook::uses;
use crate::ssh::dial::BoxFuture;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::ANSWERED, keys::CHANGES, &["detached"], keys::SCRIPT];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::SAID,
    on: Where::Said,
    undo: Some(UndoEntry { verb: "run", keys: keys::SCRIPT, read: read_undo }),
    ..KindEntry::new("run", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct RunStep {
    script: Script,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    let script = reading.script(table)?;
    Some(Arc::new(RunStep { script }))
}

fn read_undo(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Arc<dyn TakesBack>> {
    let script = reading.script(table)?;
    Some(Arc::new(RunStep { script }))
}

impl StepKind for RunStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.script.text.trim_end().to_owned()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.script(&self.script, true).unwrap_or_else(|e| e.to_string())
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::script(&self.script, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(Ask::Run(self.script.clone()))
    }
}

impl ByMachines for RunStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let answers = work.send_script(&self.script, work.what()).await;
            work.conclude(answers).await
        })
    }

    fn mark(&self, step: &Step, what: For) -> Mark<'_> {
        // One that outlives the connection is found by its own folder.
        match step.detached && what == For::Change {
            true => Mark::None,
            false => Mark::Folder { sudo: self.script.sudo },
        }
    }

    fn find<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Option<Outcomes>> {
        Box::pin(work.find_script(&self.script))
    }
}

impl TakesBack for RunStep {
    fn take_back<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Answers> {
        Box::pin(work.send_script(&self.script, For::Undo))
    }
}

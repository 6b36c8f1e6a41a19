//! `run`: a shell script.

use std::sync::Arc;

use super::{Effects, KindEntry, Part, Reads, StepKind, TakesBack, UndoEntry, Used, Where};
use crate::config::reader::Table;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::read::{Common, Reading, keys};
use crate::runbook::spec::{Act, Ask, Script};
use crate::runbook::uses;

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

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Run(self.script.clone()))
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

impl TakesBack for RunStep {}

//! `run`: a shell script.

use std::sync::Arc;

use super::{Effects, KindEntry, Reads, StepKind, TakesBack, UndoEntry, Where};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, keys};
use crate::runbook::scripted::ScriptStep;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::ANSWERED, keys::CHANGES, &["detached"], keys::SCRIPT];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::SAID,
    on: Where::Said,
    undo: Some(UndoEntry { verb: "run", keys: keys::SCRIPT, read: read_undo }),
    ..KindEntry::new("run", OWN, Reads::Step(read))
};

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    ScriptStep::read(reading, table, &KIND, None).map(|step| step as Arc<dyn StepKind>)
}

fn read_undo(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Arc<dyn TakesBack>> {
    ScriptStep::read(reading, table, &KIND, None).map(|step| step as Arc<dyn TakesBack>)
}

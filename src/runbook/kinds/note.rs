//! `note`: shows its text.

use std::sync::Arc;

use super::{KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::Act;
use crate::runbook::spec::read::{Common, Reading, Use, keys};
use crate::runbook::template::Template;

pub(super) static KIND: KindEntry = KindEntry {
    on: Where::Nowhere,
    ..KindEntry::new("note", &[keys::ALL, keys::DONE, &["text"]], Reads::Step(read))
};

#[derive(Debug)]
struct NoteStep {
    text: Template,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    let text = reading.need_text(table, "text", Use::Shown, "write text = \"…\"")?;
    Some(Arc::new(NoteStep { text }))
}

impl StepKind for NoteStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Note(self.text.clone()))
    }

    fn lines(&self) -> Vec<String> {
        vec![self.text.to_string()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.shown(&self.text)
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

//! `confirm`: a yes, for the steps it covers.

use std::sync::Arc;

use super::{KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::domain::run::Asks;
use crate::runbook::describe;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::read::{Common, Reading, Use, keys, place};
use crate::runbook::spec::{Act, Step};

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

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &Common) -> Option<Arc<dyn StepKind>> {
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

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Confirm { covers: self.covers.clone() })
    }

    fn lines(&self) -> Vec<String> {
        describe::covered(&self.covers)
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

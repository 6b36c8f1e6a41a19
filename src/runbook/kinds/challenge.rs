//! `challenge`: a value on screen must be typed, for the steps it covers.

use std::sync::Arc;

use super::{KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::domain::run::Asks;
use crate::runbook::describe;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::Act;
use crate::runbook::spec::read::{Common, Reading, Use, keys};
use crate::runbook::template::Template;

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

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &Common) -> Option<Arc<dyn StepKind>> {
    let help = "write value = \"{candidate}\", what stands on screen and must be typed";
    let value = reading.need_text(table, "value", Use::Value, help);
    let covers = reading.covers(table, &common.id);
    Some(Arc::new(ChallengeStep { value: value?, covers }))
}

impl StepKind for ChallengeStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Challenge { value: self.value.clone(), covers: self.covers.clone() })
    }

    fn lines(&self) -> Vec<String> {
        std::iter::once(format!("type {}", self.value)).chain(describe::covered(&self.covers)).collect()
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.shown(&self.value)
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

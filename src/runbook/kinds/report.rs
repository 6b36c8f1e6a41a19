//! `report`: writes the report.

use std::sync::Arc;

use super::{KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::Act;
use crate::runbook::spec::read::{Common, Reading, keys};

pub(super) static KIND: KindEntry = KindEntry {
    on: Where::Nowhere,
    untitled: Some("Report"),
    ..KindEntry::new("report", &[keys::ALL, keys::DONE], Reads::Step(read))
};

#[derive(Debug)]
struct ReportStep;

fn read(_: &mut Reading<'_>, _: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    Some(Arc::new(ReportStep))
}

impl StepKind for ReportStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Report)
    }

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

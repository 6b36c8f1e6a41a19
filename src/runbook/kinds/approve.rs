//! `approve`: a second person says yes.

use std::sync::Arc;

use super::{KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::domain::run::Asks;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::Act;
use crate::runbook::spec::read::{Common, Reading, Use, keys};
use crate::runbook::template::Template;

pub(super) static KIND: KindEntry = KindEntry {
    asks: Asks::Yes,
    on: Where::Nowhere,
    ..KindEntry::new("approve", &[keys::ALL, keys::DONE, &["text"]], Reads::Step(read))
};

#[derive(Debug)]
struct ApproveStep {
    text: Template,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    let help = "write text = \"…\", what is agreed to";
    let text = reading.need_text(table, "text", Use::Shown, help)?;
    Some(Arc::new(ApproveStep { text }))
}

impl StepKind for ApproveStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Approve { text: self.text.clone() })
    }

    fn lines(&self) -> Vec<String> {
        vec![self.text.to_string()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.shown(&self.text)
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

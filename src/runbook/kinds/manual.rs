//! `manual`: done by hand; the value seen is stated.

use std::sync::Arc;

use super::{Brings, Effects, KindEntry, Part, Reads, StepKind, Used};
use crate::config::reader::Table;
use crate::domain::run::{Asks, Effect};
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::Act;
use crate::runbook::spec::read::{Common, Reading, Use, keys};
use crate::runbook::template::Template;
use crate::runbook::value::ValueKind;

const OWN: &[&str] = &["text", "state", "effect", "read_back", "done_if", "undo", "point_of_no_return"];

pub(super) static KIND: KindEntry = KindEntry {
    asks: Asks::Work,
    effects: Effects { usual: Effect::Read, must_be_said: false, ..Effects::SAID },
    one_host: true,
    brings_at: &["state", "name"],
    ..KindEntry::new("manual", &[keys::ALL, keys::DONE, OWN], Reads::Step(read))
};

#[derive(Debug)]
struct ManualStep {
    /// What to do, and where.
    text: Template,
    /// The variable the value seen goes into, if one is asked for.
    state: Option<(String, ValueKind)>,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    let text = reading.need_text(table, "text", Use::Shown, "write text = \"what to do, and where\"");
    let hint = "write state = { name = \"address\", kind = \"address\" }";
    let mut state = None;
    if let Some(inner) = reading.reader.subtable(table, "state", hint) {
        reading.reader.only(&inner, &["name", "kind"]);
        let name = reading.need_string(&inner, "name", hint).filter(|name| reading.variable_name(name));
        let kind = reading.kind(&inner, "kind");
        match (name, kind) {
            (Some(name), Some(kind)) => state = Some((name.value.to_owned(), kind)),
            (Some(name), None) => reading.names.anything(name.value),
            (None, _) => {}
        }
    }
    Some(Arc::new(ManualStep { text: text?, state }))
}

impl StepKind for ManualStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Manual { text: self.text.clone(), state: self.state.clone() })
    }

    fn lines(&self) -> Vec<String> {
        vec![self.text.to_string()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.shown(&self.text)
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}

    fn brings(&self) -> Option<Brings<'_>> {
        let (name, kind) = self.state.as_ref()?;
        Some(Brings { name, kind: *kind, secret: false, key: "state" })
    }
}

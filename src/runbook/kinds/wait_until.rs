//! `wait_until`: asks again and again until `expect` holds.

use std::sync::Arc;
use std::time::Duration;

use super::{Effects, KindEntry, Part, Reads, StepKind, Used};
use crate::config::reader::Table;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::read::{Common, Reading, keys, place};
use crate::runbook::spec::{Act, Ask, Step};
use crate::runbook::{act, uses};

const OWN: &[&[&str]] =
    &[keys::ALL, keys::DONE, keys::ANSWERED, &["sql", "value", "every"], keys::SCRIPT, keys::SALT_ASKS];

pub(super) static KIND: KindEntry =
    KindEntry { effects: Effects::ASKS, rules, ..KindEntry::new("wait_until", OWN, Reads::Step(read)) };

#[derive(Debug)]
struct WaitUntilStep {
    ask: Ask,
    /// Time between two asks.
    every: Duration,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &Common) -> Option<Arc<dyn StepKind>> {
    let ask = reading.ask(table, &common.on);
    let range = Duration::from_millis(100)..=Duration::from_secs(3600);
    let every = reading.reader.duration(table, "every", range).unwrap_or(Duration::from_secs(1));
    if table.get("timeout").is_none() {
        let help = "add timeout = \"60s\", how long it may take at most";
        reading.reader.error(table.span.clone(), "it would wait without end", help);
    }
    if table.get("expect").is_none() && !matches!(ask, None | Some(Ask::Run(_))) {
        let help = "add expect = [{ is = \"…\" }]";
        reading.reader.error(table.span.clone(), "nothing is waited for", help);
    }
    Some(Arc::new(WaitUntilStep { ask: ask?, every }))
}

fn rules(reading: &mut Reading<'_>, table: &Table<'_>, step: &mut Step) {
    if step.retries > 0 {
        let help = "leave retries out: it asks again and again anyway; timeout says how long";
        reading.reader.error(place(table, "retries"), "retries of a step that waits", help);
    }
}

impl StepKind for WaitUntilStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::WaitUntil { ask: self.ask.clone(), every: self.every })
    }

    fn lines(&self) -> Vec<String> {
        vec![self.ask.line(), format!("again every {} s", self.every.as_secs_f64())]
    }

    fn shown(&self, scope: &Scope<'_>, places: &Places) -> String {
        act::ask::shown(scope, &self.ask, places)
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::ask(&self.ask, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(self.ask.clone())
    }
}

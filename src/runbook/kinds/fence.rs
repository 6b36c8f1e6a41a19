//! `fence`: a shell script that cuts a host off; where that cannot be proved a second person says so.

use std::sync::Arc;

use super::{Effects, KindEntry, Reads, SecondPerson, StepKind, Where};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, keys, place};
use crate::runbook::definition::{OnFail, Step};
use crate::runbook::scripted::ScriptStep;
use jumpdeck_fleet::run::Effect;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::ANSWERED, keys::CHANGES, &["detached"], keys::SCRIPT];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects { usual: Effect::Destructive, allowed: &[Effect::Destructive], ..Effects::CHANGES },
    on: Where::Said,
    rules,
    ..KindEntry::new("fence", OWN, Reads::Step(read))
};

const NOT_PROVED: SecondPerson = SecondPerson {
    doubt: "no check proves that the host is cut off",
    question: "Is the host cut off?",
    wanted: "No check proves that the host is cut off. A second operator must check it and approve.",
};

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    ScriptStep::read(reading, table, &KIND, Some(NOT_PROVED)).map(|step| step as Arc<dyn StepKind>)
}

fn rules(reading: &mut Reading<'_>, table: &Table<'_>, step: &mut Step) {
    if matches!(step.on_fail, OnFail::Skip(_) | OnFail::Exclude(_)) {
        let help = "remove on_fail: where no check can prove it, a second operator must approve";
        reading.reader.error(place(table, "on_fail"), "a fence cannot be skipped", help);
    }
}

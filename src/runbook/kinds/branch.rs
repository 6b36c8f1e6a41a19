//! `branch`: steps for when its conditions hold, and for when not.

use std::sync::Arc;

use super::{DoneBy, HoldsSteps, Inside, KindEntry, Reads, StepKind, Turn, Used};
use crate::config::reader::Table;
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, keys};
use crate::runbook::place::Places;
use crate::runbook::plan::Frozen;
use crate::runbook::scope::Scope;

const OTHERWISE: &str = "otherwise";

pub(super) static KIND: KindEntry = KindEntry {
    untitled: Some(""),
    ..KindEntry::new(
        "branch",
        &[keys::ALL, &["step", OTHERWISE]],
        Reads::Group { read, inside: &["step", OTHERWISE], repeats: false },
    )
};

/// Its steps: first those for when the conditions hold, then the others.
#[derive(Debug)]
struct BranchStep;

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: StepHead, out: &mut Vec<Step>) {
    let title = reading.title(table, &KIND);
    if table.get("when").is_none() {
        let help = "write when = [{ value = \"{mode}\", is = \"gtid\" }]";
        reading.reader.error(table.span.clone(), "a branch without a condition", help);
    }
    let (yes, no) = common.both_ways();
    let entered = reading.names.enter(yes.clone());
    let steps = reading.inner_steps(table, "step", &common.id);
    reading.names.leave(&entered);
    let entered = reading.names.enter(vec![no.clone()]);
    let otherwise = reading.inner_steps(table, OTHERWISE, &common.id);
    reading.names.leave(&entered);
    reading.names.join(&yes, &no);
    if table.get("step").is_none() && table.get(OTHERWISE).is_none() {
        let help = "write [[step.step]] or [[step.otherwise]] and its keys below it";
        reading.reader.error(table.span.clone(), "this branch has no steps", help);
    }
    let inside = vec![Inside { heading: "", steps }, Inside { heading: OTHERWISE, steps: otherwise }];
    out.extend(title.map(|title| common.holding(title, Arc::new(BranchStep), inside)));
}

impl StepKind for BranchStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Plan(self)
    }

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl HoldsSteps for BranchStep {
    fn turns<'s>(&self, inside: &'s [Inside], _: &Frozen) -> Vec<Turn<'s>> {
        let turn =
            |part: &'s Inside| Turn { steps: &part.steps, wanted: part.heading != OTHERWISE, batch: None };
        inside.iter().map(turn).collect()
    }
}

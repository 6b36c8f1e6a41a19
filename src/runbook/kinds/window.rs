//! `window`: steps that run without anybody being asked, within a limit. When one of them fails, or the limit is over, what was
//! done in it is undone at once, and the step that stopped writes first.

use std::sync::Arc;
use std::time::Duration;

use super::{DoneBy, HoldsSteps, Inside, KindEntry, Reads, StepKind, Turn, Used};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::definition::{On, Step};
use crate::runbook::describe::limited;
use crate::runbook::place::Places;
use crate::runbook::plan::Frozen;
use crate::runbook::scope::Scope;

/// As long as users wait without calling.
const USUAL_LIMIT: Duration = Duration::from_secs(3);

pub(super) static KIND: KindEntry = KindEntry::new(
    "window",
    &[keys::ALL, &["limit", "pre", "step"]],
    Reads::Group { read, inside: &["step"], repeats: false },
);

#[derive(Debug)]
struct WindowStep {
    /// From its first step to its point of no return, or to its end.
    limit: Duration,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: StepHead, out: &mut Vec<Step>) {
    let entered = reading.enter(&common);
    let title = reading.title(table, &KIND);
    let why = reading.text(table, "why", Use::Shown);
    let limits = Duration::from_millis(500)..=Duration::from_secs(60);
    let limit = reading.reader.duration(table, "limit", limits).unwrap_or(USUAL_LIMIT);
    let pre = reading.checks(table, "pre", &On::Nowhere);
    let steps = reading.inner_steps(table, "step", &common.id);
    reading.names.leave(&entered);
    if steps.is_empty() && table.get("step").is_none() {
        let help = "write [[step.step]] and its keys below it";
        reading.reader.error(table.span.clone(), "this window has no steps", help);
    }
    let kind = Arc::new(WindowStep { limit });
    let Some(title) = title else { return };
    let inside = vec![Inside { heading: "", steps }];
    out.push(Step { why, pre, ..common.holding(title, kind, inside) });
}

impl StepKind for WindowStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Plan(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![limited(self.limit)]
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl HoldsSteps for WindowStep {
    fn turns<'s>(&self, inside: &'s [Inside], _: &Frozen) -> Vec<Turn<'s>> {
        inside.iter().map(|part| Turn { steps: &part.steps, wanted: true, batch: None }).collect()
    }

    fn limit(&self) -> Option<Duration> {
        Some(self.limit)
    }
}

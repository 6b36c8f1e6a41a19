//! How long nothing could be written: which steps of a runbook begin and end that time, and when they were done.

use super::ReportWindow;
use super::collect::{between, clean};
use crate::runbook::definition::{Runbook, Step, Writes};
use crate::runbook::event::{Event, Phase, Verdict};
use crate::runbook::journal::Entry;
use crate::runbook::plan::Frozen;
use crate::runbook::wall;

/// The steps that begin and end it.
pub(super) struct Bounds {
    pub(super) from: String,
    pub(super) until: Vec<String>,
    /// Whether `from` found that it had begun.
    pub(super) found: bool,
}

/// The steps that begin and end it, by what the runbook says of `writes`. Several may end it: the last one that was done
/// counts, as each may be left out.
pub(super) fn steps(plan: &Frozen) -> Option<Bounds> {
    // A runbook that cannot be read any more costs the report this figure only.
    let runbook = Runbook::from_sources(&plan.sources).ok()?;
    let mut steps = Vec::new();
    flatten(&runbook.steps, &mut steps);
    let begins = |step: &&&Step| matches!(step.writes, Some(Writes::Stop | Writes::FoundStopped));
    let from = steps.iter().find(begins)?;
    let until = steps.iter().rev().filter(|step| step.writes == Some(Writes::Resume));
    Some(Bounds {
        from: from.id.clone(),
        until: until.map(|step| step.id.clone()).collect(),
        found: from.writes == Some(Writes::FoundStopped),
    })
}

/// Steps but for those of batches, whose ids are several.
fn flatten<'s>(steps: &'s [Step], all: &mut Vec<&'s Step>) {
    for step in steps {
        if step.group().is_none() {
            all.push(step);
        } else if !step.kind.entry().repeats() {
            step.inside.iter().for_each(|part| flatten(&part.steps, all));
        }
    }
}

impl ReportWindow {
    /// It in words, `clock` being its begin as it is shown there: `4.2 s (from freeze to repoint-apps, by the journal)`.
    pub(super) fn line(&self, clock: &str) -> String {
        let took = wall::duration(self.took_ms);
        match (&self.until_step, self.at_least) {
            (None, false) => format!("refused since {clock}, NOT ENDED"),
            (None, true) => format!("not possible since {clock} or earlier, NOT ENDED by this run"),
            (Some(until), false) => format!("{took} (from {} to {until}, by the journal)", self.from_step),
            (Some(until), true) => {
                format!("at least {took} (found at {}, to {until}, by the journal)", self.from_step)
            }
        }
    }
}

/// Every time nothing could be written, in order: from `from` being done, to the first of `until` that was done, or `from`
/// being undone. A window that fails and is opened again is two of them.
pub(super) fn without_writes(entries: &[Entry], from: &str, until: &[&str]) -> Vec<ReportWindow> {
    let done = |entry: &Entry, id: &str, phases: &[Phase]| {
        matches!(&entry.event, Event::Outcome { step, phase, hosts, .. }
            if *step == id && phases.contains(phase) && hosts.values().all(|o| o.verdict == Verdict::Done))
    };
    let forward = [Phase::Run, Phase::Probe];
    let mut times = Vec::new();
    let mut rest = entries;
    while let Some(opened) = rest.iter().position(|e| done(e, from, &forward)) {
        rest = rest.get(opened..).unwrap_or_default();
        let (Some(begins), Some(last)) = (rest.first(), rest.last()) else { break };
        let undone = rest.iter().position(|e| done(e, from, &[Phase::Undo, Phase::UndoProbe]));
        let before = rest.get(..undone.unwrap_or(rest.len())).unwrap_or_default();
        let resumed =
            until.iter().find_map(|id| Some((before.iter().position(|e| done(e, id, &forward))?, clean(id))));
        let closed = resumed
            .or_else(|| Some((undone?, format!("{} undone", clean(from)))))
            .and_then(|(at, step)| Some((at, step, rest.get(at)?.at)));
        let end = closed.as_ref().map_or(last.at, |(_, _, at)| *at);
        rest = closed.as_ref().and_then(|(at, _, _)| rest.get(at + 1..)).unwrap_or_default();
        times.push(ReportWindow {
            from_step: clean(from),
            at_least: false,
            from: begins.at,
            until_step: closed.map(|(_, step, _)| step),
            until: end,
            took_ms: between(begins.at, end),
        });
    }
    times
}

//! How long nothing could be written: which steps of a runbook begin and end that time, and when they were done.

use super::Window;
use super::collect::{between, clean};
use crate::runbook::event::{Event, Phase, Verdict};
use crate::runbook::journal::Entry;
use crate::runbook::plan::Frozen;
use crate::runbook::spec::{Runbook, Step, Writes};

/// The steps that begin and end it, by what the runbook says of `writes`. Several may end it: the last one that was done
/// counts, as each may be left out.
pub(super) fn steps(plan: &Frozen) -> Option<(String, Vec<String>)> {
    // A runbook that cannot be read any more costs the report this figure only.
    let runbook = Runbook::from_sources(&plan.sources).ok()?;
    let mut steps = Vec::new();
    flatten(&runbook.steps, &mut steps);
    let from = steps.iter().find(|step| step.writes == Some(Writes::Stop))?;
    let until = steps.iter().rev().filter(|step| step.writes == Some(Writes::Resume));
    Some((from.id.clone(), until.map(|step| step.id.clone()).collect()))
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

/// From the first time `from` was done, to the first of `until` that was done, or `from` being taken back.
pub(super) fn window(entries: &[Entry], from: &str, until: &[&str]) -> Option<Window> {
    let done = |entry: &Entry, id: &str, phases: &[Phase]| {
        matches!(&entry.event, Event::Outcome { step, phase, hosts, .. }
            if *step == id && phases.contains(phase) && hosts.values().all(|o| o.verdict == Verdict::Done))
    };
    let forward = [Phase::Run, Phase::Probe];
    let opened = entries.iter().position(|e| done(e, from, &forward))?;
    let rest = entries.get(opened..)?;
    let closed = until.iter().find_map(|id| {
        rest.iter().find_map(|e| {
            if done(e, id, &forward) {
                return Some((clean(id), e.at));
            }
            let back = done(e, from, &[Phase::Undo, Phase::UndoProbe]);
            back.then(|| (format!("{} undone", clean(from)), e.at))
        })
    });
    let begins = rest.first()?.at;
    let until = closed.as_ref().map_or(rest.last()?.at, |(_, at)| *at);
    Some(Window {
        from_step: clean(from),
        from: begins,
        until_step: closed.map(|(step, _)| step),
        until,
        took_ms: between(begins, until),
    })
}

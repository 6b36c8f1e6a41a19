//! Whether it is safe to stop a run here: whether users can write, what is in effect, and how long. From its
//! machine and its entries, so that the operator's console, another one that takes over and all who watch say
//! the same. Pure.

use jiff::Timestamp;

use super::definition::Writes;
use super::describe::prose;
use super::in_effect::{Marks, felt};
use super::machine::{Machine, StepRef, StepStatus};
use jumpdeck_fleet::run::{Effect, InEffect, Safety};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// What a run began or found and has not ended, and whether it is safe to stop there. `now` is the same moment by the screen's
/// clock and by the wall's.
#[must_use]
pub fn stands(machine: &Machine, marks: &Marks, now: (Moment, Timestamp)) -> (Vec<InEffect>, Safety) {
    let felt = felt(machine, marks, now);
    let safety = safety(machine, &felt);
    let in_effect = if machine.dry_run { Vec::new() } else { felt };
    (in_effect, safety)
}

fn safety(machine: &Machine, felt: &[InEffect]) -> Safety {
    let (writes, others): (Vec<&InEffect>, Vec<&InEffect>) = felt.iter().partition(|one| one.stops_writes);
    if let (Some(window), Some(one)) = (machine.open_window(), writes.first()) {
        let cost = "Writes are refused. If the window does not succeed in this time, it is undone and writes resume.";
        return Safety::Until { until: one.since.plus(window.limit), cost: Clean::new(cost) };
    }
    if let Some(one) = writes.iter().find(|one| limit(machine, one).is_none()) {
        return Safety::NoWrites { since: one.since, says: one.says.clone() };
    }
    earliest(machine, &writes)
        .or_else(|| machine.steps().find_map(outcome_unknown))
        .or_else(|| not_found_yet(machine))
        .or_else(|| earliest(machine, &others))
        .unwrap_or_else(|| meanwhile(&others))
}

/// The step that began something.
fn step_of<'m>(machine: &'m Machine, one: &InEffect) -> Option<StepRef<'m>> {
    machine.steps().find(|at| at.id().as_str() == one.step)
}

/// Until when it is safe to stand there, as the runbook says; `None` where it gives no time.
fn limit(machine: &Machine, one: &InEffect) -> Option<Moment> {
    let dwell = step_of(machine, one)?.step().max_dwell?;
    Some(one.since.plus(dwell))
}

/// The first of these whose time is up.
fn earliest(machine: &Machine, effects: &[&InEffect]) -> Option<Safety> {
    let limited = effects.iter().filter_map(|one| Some((limit(machine, one)?, *one)));
    let (until, one) = limited.min_by_key(|(until, _)| *until)?;
    let impact = step_of(machine, one).and_then(|at| at.step().impact.as_ref().map(|text| at.shown(text)));
    let cost = impact.map_or_else(|| one.says.clone(), |text| prose(&text));
    Some(Safety::Until { until, cost })
}

/// A change that may or may not have been made.
fn outcome_unknown(at: StepRef<'_>) -> Option<Safety> {
    let unknown = match &at.record().status {
        StepStatus::Unknown(_) | StepStatus::UndoUnknown(_) => at.step().effect != Effect::Read,
        StepStatus::Waiting
        | StepStatus::Open(_)
        | StepStatus::Done
        | StepStatus::Printed
        | StepStatus::NotDone
        | StepStatus::Failed(_)
        | StepStatus::Skipped(_)
        | StepStatus::Undone
        | StepStatus::UndoFailed(_) => false,
    };
    let title = prose(&at.shown(&at.step().title));
    unknown.then(|| {
        Safety::Unknown(Clean::new(&format!("The outcome of step {} ({title}) is unknown.", at.id())))
    })
}

/// A runbook for times when users cannot write: until its check has found that they cannot, or a later step that they can, nobody
/// knows.
fn not_found_yet(machine: &Machine) -> Option<Safety> {
    let done = |at: &StepRef<'_>| at.record().status == StepStatus::Done;
    let mut finds = machine.steps().filter(|at| at.step().writes == Some(Writes::FoundStopped));
    let first = finds.next()?;
    let resumed = machine.steps().any(|at| at.step().writes == Some(Writes::Resume) && done(&at));
    if resumed || done(&first) || finds.any(|at| done(&at)) {
        return None;
    }
    let title = prose(&first.shown(&first.step().title));
    let what = format!("Whether users can write is unknown: step {} ({title}) has no result.", first.id());
    Some(Safety::Unknown(Clean::new(&what)))
}

/// No time limit; what is in effect meanwhile.
fn meanwhile(effects: &[&InEffect]) -> Safety {
    if effects.is_empty() {
        return Safety::Safe;
    }
    let says: Vec<&str> = effects.iter().map(|one| one.says.as_str().trim_end_matches('.')).collect();
    Safety::Meanwhile(Clean::new(&says.join("; ")))
}

/// Whether two say the same of the same moment, to a second.
pub(super) fn is_same(new: &Safety, old: &Safety) -> bool {
    let near = |a: Moment, b: Moment| a.0.abs_diff(b.0) < 1000;
    match (new, old) {
        (Safety::Until { until, cost }, Safety::Until { until: then, cost: what }) => {
            near(*until, *then) && cost == what
        }
        (Safety::NoWrites { since, says }, Safety::NoWrites { since: then, says: what }) => {
            near(*since, *then) && says == what
        }
        (
            Safety::Safe
            | Safety::Meanwhile(_)
            | Safety::Until { .. }
            | Safety::NoWrites { .. }
            | Safety::Unknown(_),
            _,
        ) => new == old,
    }
}

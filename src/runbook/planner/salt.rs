//! What keeps a plan from running where there is no Salt: steps that call it all the same.

use crate::runbook::definition::{Ask, Check, Undo};
use crate::runbook::kinds::StepKind;
use crate::runbook::machine::{Machine, StepRef};
use crate::runbook::plan::{Frozen, ManagedBy, Plan};
use jumpdeck_fleet::text::Clean;

/// At most this many steps are named; more are counted.
const NAMED: usize = 3;

/// That the runbook needs Salt where the inventory says that there is none, and what is done instead.
pub(super) fn problem(plan: &Plan, machine: &Machine) -> Option<Clean> {
    if plan.frozen.managed_by == ManagedBy::Salt {
        return None;
    }
    let calling: Vec<&str> = machine
        .steps()
        .filter(|at| !at.is_known_out() && calls(*at))
        .map(|at| at.planned().id.as_str())
        .collect();
    let named = calling.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = calling.len().saturating_sub(NAMED);
    let Frozen { runbook, environment, .. } = &plan.frozen;
    let head = format!("{runbook} works through Salt, but the inventory says that {environment} has no Salt");
    let rest = match (&plan.runbook.without_salt, calling.len(), more) {
        (Some(instead), ..) => format!(": {instead}"),
        (None, 0, _) => return None,
        (None, 1, _) => format!(": do by hand what step {named} does"),
        (None, _, 0) => format!(": do by hand what steps {named} do"),
        (None, _, more) => format!(": do by hand what steps {named} and {more} more do"),
    };
    Some(Clean::new(&format!("{head}{rest}")))
}

/// Whether a step calls Salt: to do it, to prove it or to undo it.
fn calls(at: StepRef<'_>) -> bool {
    let step = at.step();
    let by_kind = |kind: &dyn StepKind| matches!(kind.answers_like(), Some(Ask::Salt(_)));
    let by_checks = |checks: &[Check]| checks.iter().any(|check| matches!(check.ask, Ask::Salt(_)));
    let by_undo = match &step.undo {
        Undo::By { kind, read_back } => {
            kind.answers_like().is_some_and(|ask| matches!(ask, Ask::Salt(_))) || by_checks(read_back)
        }
        Undo::Nothing | Undo::NotNeeded(_) | Undo::Impossible => false,
    };
    by_kind(step.kind.as_ref())
        || by_undo
        || [&step.pre, &step.read_back, &step.done_if].into_iter().any(|checks| by_checks(checks))
}

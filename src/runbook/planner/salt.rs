//! What keeps a plan from running where there is no Salt: steps that call it all the same. Imports `machine`, `plan`, `spec`.

use crate::domain::text::Clean;
use crate::runbook::kinds::StepKind;
use crate::runbook::machine::{Machine, StepRef};
use crate::runbook::plan::{ManagedBy, Plan};
use crate::runbook::spec::{Ask, Check, Undo};

/// At most this many steps are named; more are counted.
const NAMED: usize = 3;

/// The steps that would call Salt in an environment without it.
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
    let steps = match (calling.len(), more) {
        (0, _) => return None,
        (1, _) => format!("step {named} calls it"),
        (_, 0) => format!("steps {named} call it"),
        (_, more) => format!("steps {named} and {more} more call it"),
    };
    Some(Clean::new(&format!("the inventory says that {} has no Salt, and {steps}", plan.frozen.environment)))
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

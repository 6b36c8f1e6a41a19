//! What users would see: each look from outside has its own rules. What could not be looked at is unknown.

use super::Situation;
use crate::fact::Gap;
use crate::outside::{OutsideResult, Viewpoint};
use crate::problem::{Problem, ProblemKind, Severity};
use crate::time::Freshness;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for result in &s.outside.results {
        // Said of the jump box already.
        if result.check.from == Viewpoint::JumpBox && !s.jump.is_first_up() {
            continue;
        }
        if let Some(why) = unknown(s, result) {
            let from = result.check.from.label();
            let message = format!("{} could not be checked from {from}: {why}", result.check.name);
            out.push(problem(s, result, Severity::Unknown, message));
            continue;
        }
        for finding in result.findings() {
            out.push(problem(s, result, finding.severity, finding.message));
        }
    }
}

/// Why nothing current is known; `None` when something is, or before the first look.
fn unknown(s: &Situation<'_>, result: &OutsideResult) -> Option<String> {
    match &result.fact.gap {
        Some(Gap::NotAsked) => None,
        Some(gap) => Some(gap.describe()),
        None => {
            let every = result.check.every(s.env.outside.every);
            let expired = result.fact.freshness(s.now, every) == Some(Freshness::Expired);
            expired.then(|| "its last answer is too old".to_owned())
        }
    }
}

fn problem(s: &Situation<'_>, result: &OutsideResult, severity: Severity, message: String) -> Problem {
    Problem { service: Some(result.id.clone()), ..s.problem(severity, None, ProblemKind::Outside, message) }
}

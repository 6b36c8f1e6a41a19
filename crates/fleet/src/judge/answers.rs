//! Questions a host did not answer as it should: what is not known may be anything.

use super::Situation;
use crate::fact::Gap;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::upkeep::Upkeep;

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    for host in s.judgeable() {
        for (question, gap) in host.facts.questions() {
            let Some(gap) = gap.filter(|gap| !is_an_answer(question, gap)) else { continue };
            let message = format!("{question} {}", gap.describe());
            out.push(s.problem_with(
                Severity::Unknown,
                Some(&host.id.host),
                ProblemKind::Unreadable,
                question,
                message,
            ));
        }
        for (question, gap) in host.facts.upkeep.current().into_iter().flat_map(Upkeep::unknown) {
            let message = format!("{question} {}", gap.describe());
            out.push(s.problem_with(
                Severity::Unknown,
                Some(&host.id.host),
                ProblemKind::Unreadable,
                question,
                message,
            ));
        }
    }
}

/// Whether a gap is all there is to know: a host without grains is judged by the rule for grains.
fn is_an_answer(question: &str, gap: &Gap) -> bool {
    match gap {
        Gap::NotInstalled => question == "grains",
        Gap::NotAsked
        | Gap::TimedOut
        | Gap::Stuck
        | Gap::NotPermitted(_)
        | Gap::NoTool(_)
        | Gap::Cut(_)
        | Gap::Unreadable(_)
        | Gap::Failed(_) => false,
    }
}

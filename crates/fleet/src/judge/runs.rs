//! Runs that no console has and that left something in effect: on everybody's screen, with the command to go on.

use super::Situation;
use crate::fact::Gap;
use crate::left::{LeftEffect, LeftRun};
use crate::problem::{Problem, ProblemKind, Severity};

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    if !s.jump.is_first_up() {
        // Said of the jump box already; nothing current is known.
        return;
    }
    if let Some(gap) = s.jump.left.gap.as_ref().filter(|gap| !is_an_answer(gap)) {
        let message = format!("unfinished runs on the jump box are unknown: {}", gap.describe());
        out.push(s.problem(Severity::Unknown, None, ProblemKind::Run, message));
    }
    let left = s.jump.left.known.iter().flat_map(|known| &known.value);
    for run in left.filter(|run| !run.held) {
        out.extend(problem(s, run));
    }
}

/// Nobody has asked yet, or no run can have a lease on this jump box.
fn is_an_answer(gap: &Gap) -> bool {
    match gap {
        Gap::NotAsked | Gap::NotInstalled => true,
        Gap::TimedOut
        | Gap::Stuck
        | Gap::NotPermitted(_)
        | Gap::NoTool(_)
        | Gap::Cut(_)
        | Gap::Unreadable(_)
        | Gap::Failed(_) => false,
    }
}

fn problem(s: &Situation<'_>, run: &LeftRun) -> Option<Problem> {
    // The command comes first: the end of a message is what a small screen cuts.
    let (id, env) = (&run.run, &s.env.name);
    let about = format!("{} of {}: no console is connected to this run", run.runbook, run.who);
    let (severity, message) = match &run.in_effect {
        Ok(effects) if effects.is_empty() => return None,
        Ok(effects) => {
            let stops = effects.iter().any(|effect| effect.stops_writes);
            let said: Vec<&str> = effects.iter().map(|effect: &LeftEffect| effect.says.as_str()).collect();
            let severity = if stops { Severity::Critical } else { Severity::Warning };
            let go_on = format!("to resume it: jumpdeck runbook takeover {id} --env {env}");
            (severity, format!("{about}; {go_on}; in effect: {}", said.join("; ")))
        }
        Err(why) => {
            let look = format!("to see it: jumpdeck runbook watch {id} --env {env}");
            (Severity::Unknown, format!("{about}; {look}; what is in effect is unknown: {why}"))
        }
    };
    Some(s.problem_with(severity, None, ProblemKind::Run, id.as_str(), message))
}

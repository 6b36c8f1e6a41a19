//! Whether two see the same run. Times are left out: each clock has its own.

use std::fmt::Debug;

use jumpdeck_fleet::run::{Doing, InEffect, RunView, Safety, StepView};
use jumpdeck_fleet::time::Moment;

/// What differs between a run as it is watched and as it was written, in words; empty when nothing does.
pub(crate) fn differences(watched: &RunView, written: &RunView) -> Vec<String> {
    let RunView {
        id,
        runbook,
        title,
        env,
        simulated,
        mode,
        who,
        why,
        began: _,
        state,
        steps,
        current,
        doing,
        past,
        // Where this console's own account begins.
        earlier: _,
        prompt,
        safety,
        in_effect,
        values,
        notes,
        // Who looks.
        watching: _,
        trouble,
        report,
    } = watched;
    let mut found = Vec::new();
    let mut same = |what: &str, watched: &dyn Debug, written: &dyn Debug| {
        let (watched, written) = (format!("{watched:?}"), format!("{written:?}"));
        if !may_hide(&watched, &written) && !may_hide(&written, &watched) {
            found.push(format!("{what}\n  watched {watched}\n  written {written}"));
        }
    };
    same("head", &(id, runbook, title, env, simulated, mode, who, why), &{
        let RunView { id, runbook, title, env, simulated, mode, who, why, .. } = written;
        (id, runbook, title, env, simulated, mode, who, why)
    });
    same("state", state, &written.state);
    same("current", current, &written.current);
    same("doing", &doing.as_ref().map(timeless), &written.doing.as_ref().map(timeless));
    same("number of steps over", &past.len(), &written.past.len());
    same("prompt", prompt, &written.prompt);
    same("safety", &still(safety), &still(&written.safety));
    same("in effect", &lasting(in_effect), &lasting(&written.in_effect));
    same("values", values, &written.values);
    same("notes", notes, &written.notes);
    same("trouble", trouble, &written.trouble);
    same("report", report, &written.report);
    for (step, other) in steps.iter().zip(&written.steps) {
        let plain = |step: &StepView| StepView { began: step.began.map(|_| Moment(0)), ..step.clone() };
        same("step", &plain(step), &plain(other));
    }
    // What was over at the entry before was compared then, and stays as it is.
    let newest = |view: &RunView| {
        let last = view.past.last()?;
        Some((last.step, timeless(&last.doing), last.state.clone(), last.took))
    };
    same("step that is over", &newest(watched), &newest(written));
    found
}

/// Stands for what is hidden.
const DOTS: &str = "••••••";

/// Whether two texts are the same, except that the first may hide more. Of a value that a secret is part of, who watches sees
/// dots and nothing else; and the console that runs it hides what became a secret after an entry was written with it.
fn may_hide(hiding: &str, other: &str) -> bool {
    let mut pieces = hiding.split(DOTS);
    let Some(mut rest) = pieces.next().and_then(|first| other.strip_prefix(first)) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

fn timeless(doing: &Doing) -> Doing {
    let mut doing = doing.clone();
    doing.facts.iter_mut().for_each(|fact| fact.at = Moment(0));
    doing
}

fn lasting(in_effect: &[InEffect]) -> Vec<InEffect> {
    in_effect.iter().map(|one| InEffect { since: Moment(0), ..one.clone() }).collect()
}

fn still(safety: &Safety) -> Safety {
    match safety.clone() {
        Safety::Until { until: _, cost } => Safety::Until { until: Moment(0), cost },
        Safety::NoWrites { since: _, says } => Safety::NoWrites { since: Moment(0), says },
        same @ (Safety::Safe | Safety::Meanwhile(_) | Safety::Unknown(_)) => same,
    }
}

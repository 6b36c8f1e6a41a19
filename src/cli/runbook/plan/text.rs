//! A plan as text: everything it says, before anything runs.

use crate::cli::runbook::terms::{NO_RETURN, effect, names};
use crate::cli::terminal::paper::{Ink, Paper};
use jumpdeck_fleet::fleet::{Environment, LeaseScope};
use jumpdeck_fleet::run::{Differs, Effect, PlanHost, PlanStep, PlanTarget, PlanView, PlanWindow};

/// Writes a plan, whole.
pub(in crate::cli::runbook) fn write(paper: &mut Paper, plan: &PlanView) {
    let simulated = if plan.simulated { "  SIMULATED" } else { "" };
    paper.words(0, Ink::Bold, &format!("{}: {}{simulated}", plan.env, plan.title));
    let confirmed = match plan.challenge {
        true => "each change: you type a value shown on screen",
        false => "each change: you type yes",
    };
    let mut head = vec![
        ("runbook", Ink::Plain, plan.runbook.clone()),
        ("hash", Ink::Dim, plan.hash.clone()),
        ("confirmed", Ink::Plain, confirmed.to_owned()),
    ];
    head.extend(plan.inputs.iter().map(|input| {
        let why = input.because.as_ref().map(|why| format!("  ({why})")).unwrap_or_default();
        (input.name.as_str(), Ink::Plain, format!("{}{why}", input.value))
    }));
    paper.fields(2, &head);
    problems(paper, plan);
    targets(paper, plan);
    paper.gap();
    let changes = plan.steps.iter().filter(|s| s.effect != Effect::Read).count();
    let steps = plan.steps.len();
    let noun = if steps == 1 { "step" } else { "steps" };
    let verb = if changes == 1 { "makes" } else { "make" };
    paper.words(0, Ink::Bold, &format!("{steps} {noun}, {changes} {verb} changes"));
    for (index, step) in plan.steps.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| plan.steps.get(before));
        if let Some(window) = step.begins(before) {
            write_window(paper, window, step.depth);
        }
        write_step(paper, index, step);
    }
    if !plan.problems.is_empty() {
        paper.gap();
        let count = plan.problems.len();
        let problems = if count == 1 { "problem" } else { "problems" };
        paper.words(0, Ink::Bad, &format!("Blocked by {count} {problems}, listed above."));
    }
}

/// Says that runs of other accounts are not excluded, where the inventory allows that.
pub(in crate::cli::runbook) fn write_lease(paper: &mut Paper, env: &Environment, plan: &PlanView) {
    let changes = plan.steps.iter().any(|step| step.effect != Effect::Read);
    match env.lease {
        LeaseScope::OwnAccount if changes && !plan.simulated => paper.words(
            0,
            Ink::Warn,
            &format!(
                "{} has lease = \"own-account\": without /run/lock/jumpdeck on the jump box, runs of other accounts there \
                 are not excluded",
                plan.env
            ),
        ),
        LeaseScope::OwnAccount | LeaseScope::JumpBox => {}
    }
}

fn problems(paper: &mut Paper, plan: &PlanView) {
    if plan.problems.is_empty() {
        return;
    }
    paper.gap();
    paper.words(0, Ink::Bad, "Blockers");
    for problem in &plan.problems {
        paper.words(2, Ink::Bad, &format!("! {problem}"));
    }
}

fn targets(paper: &mut Paper, plan: &PlanView) {
    if plan.targets.is_empty() {
        return;
    }
    paper.gap();
    paper.words(0, Ink::Bold, "Targets");
    let row = |target: &PlanTarget| {
        let names: Vec<&str> = target.hosts.iter().map(|host| host.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let note = target.note.as_ref().map(|n| format!(" ({n})")).unwrap_or_default();
        format!("{names}{note}")
    };
    let rows: Vec<(&str, Ink, String)> =
        plan.targets.iter().map(|target| (target.name.as_str(), Ink::Plain, row(target))).collect();
    paper.fields(2, &rows);
    let hosts = plan.hosts();
    if hosts.is_empty() {
        return;
    }
    paper.gap();
    paper.words(0, Ink::Bold, "Hosts, by the inventory and by what each says itself");
    let rows: Vec<(Ink, Vec<String>)> = hosts.into_iter().map(host_row).collect();
    paper.table(2, &rows);
}

/// A host's line: the inventory's words, and the host's own where they are others.
fn host_row(host: &PlanHost) -> (Ink, Vec<String>) {
    let found = host.differences();
    let quiet = found.iter().all(|difference| difference.how == Differs::Unsaid);
    let texts: Vec<String> = found.into_iter().map(|difference| difference.text).collect();
    let (ink, said) = match (texts.is_empty(), quiet) {
        (true, _) => (Ink::Plain, "says the same".to_owned()),
        (false, true) => (Ink::Plain, texts.join("; ")),
        (false, false) => (Ink::Warn, texts.join("; ")),
    };
    let named = [host.name.to_string(), host.address.clone(), host.level.0.to_string()];
    (ink, named.into_iter().chain([host.roles.0.to_string(), said]).collect())
}

/// The line above the steps of a window.
fn write_window(paper: &mut Paper, window: &PlanWindow, depth: usize) {
    paper.gap();
    let indent = 2 * depth.saturating_sub(1) + 4;
    paper.words(indent, Ink::Bold, &format!("{}: {}", window.id, window.title));
    paper.field(indent, "window", Ink::Warn, window.promise.as_str());
    if let Some(why) = &window.why {
        paper.field(indent, "why", Ink::Plain, why.as_str());
    }
    for fact in &window.facts {
        paper.field(indent, "if", Ink::Plain, fact.as_str());
    }
}

fn write_step(paper: &mut Paper, index: usize, step: &PlanStep) {
    paper.gap();
    let indent = 2 * step.depth;
    let hosts = names(&step.on);
    let on = if hosts.is_empty() { String::new() } else { format!("  on {hosts}") };
    let ink = if step.effect == Effect::Read { Ink::Dim } else { Ink::Warn };
    let heading =
        format!("{:>2}  {}  {}{on}{}", index + 1, step.id, step.kind, effect(step.asks, step.effect));
    paper.words(indent, ink, &heading);
    let inside = indent + 4;
    paper.words(inside, Ink::Bold, step.title.as_str());
    if let Some(when) = &step.when {
        paper.field(inside, "when", Ink::Plain, when.as_str());
    }
    if let Some(why) = &step.why {
        paper.field(inside, "why", Ink::Plain, why.as_str());
    }
    for line in &step.command {
        paper.exact(inside + 2, Ink::Plain, line.as_str());
    }
    if let Some(undo) = &step.undo {
        paper.field(inside, "undo", Ink::Dim, undo.as_str());
    }
    if step.point_of_no_return {
        paper.rule(NO_RETURN);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::cli::runbook::fixture::plan;
    use jumpdeck_fleet::text::Clean;

    fn text(plan: &PlanView, width: usize) -> String {
        let mut paper = Paper::new(width, false);
        write(&mut paper, plan);
        paper.take()
    }

    #[test]
    fn a_plan_is_shown_whole() {
        insta::assert_snapshot!(text(&plan(), 80));
    }

    #[test]
    fn what_keeps_it_from_running_stands_at_both_ends() {
        let mut plan = plan();
        plan.problems = vec![Clean::new("db2 is of level staging, not production")];
        plan.targets[0].hosts[0].level.1 = Ok(Clean::new("staging"));
        plan.targets[0].hosts[0].roles.1 = Ok(Clean::new("masterdb, app, db"));
        let text = text(&plan, 100);
        assert!(text.contains("! db2 is of level staging"), "{text}");
        assert!(text.contains("its level is staging"), "{text}");
        assert!(!text.contains("its roles are"), "more roles than the inventory names are no matter: {text}");
        assert!(text.trim_end().ends_with("Blocked by 1 problem, listed above."), "{text}");
    }

    #[test]
    fn a_silent_host_says_so_once() {
        let mut plan = plan();
        let why = || Err(Clean::new("connection refused"));
        let host = &mut plan.targets[0].hosts[0];
        (host.hostname, host.roles.1, host.level.1) = (why(), why(), why());
        assert_eq!(text(&plan, 100).matches("connection refused").count(), 1);
    }
}

//! From entries to a report.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::line::{ending, text, verdict};
use super::{
    Action, Excluded, KeptValue, OnHost, Proved, ReportAnswer, ReportNote, RunReport, StepReport,
    TimelineEntry,
};
use crate::runbook::describe::prose;
use crate::runbook::event::{Event, HostOutcome, Outcomes, Phase, ProvedFact};
use crate::runbook::ids::StepId;
use crate::runbook::journal::Entry;
use crate::runbook::layout;
use crate::runbook::place::Place;
use jumpdeck_fleet::text::Clean;

pub(super) fn clean(text: &str) -> String {
    Clean::new(text).to_string()
}

fn lines(text: &str) -> Vec<String> {
    Clean::lines(text).iter().map(ToString::to_string).collect()
}

pub(super) fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

pub(super) fn report(entries: &[Entry], writes: Option<(&str, &[&str])>) -> Option<RunReport> {
    let (first, last) = (entries.first()?, entries.last()?);
    let Event::Started { schema: _, run, who, why, dry_run, simulated, plan, accounts: _ } = &first.event
    else {
        return None;
    };
    let mut report = RunReport {
        schema: 1,
        run: clean(run.as_str()),
        runbook: clean(&plan.runbook),
        hash: clean(&plan.hash),
        environment: clean(&plan.environment),
        level: clean(&plan.level),
        simulated: *simulated,
        dry_run: *dry_run,
        who: vec![clean(who)],
        why: clean(why),
        began: first.at,
        ended: None,
        took_ms: between(first.at, last.at),
        outcome: "not over: running, or cut off".to_owned(),
        inputs: plan.inputs.iter().map(|(k, v)| (clean(k), clean(v))).collect(),
        targets: (plan.targets.iter())
            .map(|(name, hosts)| {
                let hosts = hosts.iter().map(|h| clean(&format!("{} ({})", h.name, h.address)));
                (clean(name), hosts.collect())
            })
            .collect(),
        without_writes: writes
            .map(|(from, until)| super::window::without_writes(entries, from, until))
            .unwrap_or_default(),
        windows: Vec::new(),
        in_effect: Vec::new(),
        steps: Vec::new(),
        values: Vec::new(),
        skipped: Vec::new(),
        excluded: Vec::new(),
        notes: Vec::new(),
        trouble: Vec::new(),
        timeline: Vec::new(),
        titles: BTreeMap::new(),
    };
    let mut before = first.at;
    for entry in entries {
        let after_ms = between(report.began, entry.at);
        let (of, is_intent) = about(&entry.event);
        let step_id = of.map(|id| clean(id.as_str()));
        let text = text(&entry.event);
        report.timeline.push(TimelineEntry { at: entry.at, after_ms, text, step: step_id, is_intent });
        take(&mut report, entry);
        step(&mut report, entry, before);
        before = entry.at;
    }
    Some(report)
}

/// The step an entry is about, and whether it only says what was about to be done.
fn about(event: &Event) -> (Option<&StepId>, bool) {
    match event {
        Event::Intent { step, .. } => (Some(step), true),
        Event::Answered { step, .. }
        | Event::Outcome { step, .. }
        | Event::Skipped { step, .. }
        | Event::Excluded { step, .. }
        | Event::WindowFailed { window: step, .. }
        | Event::HoldLost { step, .. } => (Some(step), false),
        Event::Started { .. }
        | Event::Resumed { .. }
        | Event::RollingBack { .. }
        | Event::Abandoning { .. }
        | Event::Note { .. }
        | Event::Trouble { .. }
        | Event::Stopped { .. }
        | Event::Ended { .. } => (None, false),
    }
}

/// What concerns the run as a whole.
fn take(report: &mut RunReport, entry: &Entry) {
    let at = entry.at;
    let mut trouble =
        |text: &str| report.trouble.push(ReportNote { at, who: String::new(), text: clean(text) });
    match &entry.event {
        Event::Resumed { who, taken_over, accounts: _ } => {
            if *taken_over {
                trouble(&format!("{who} took the run over, from its entries on the jump box"));
            }
            let who = clean(who);
            if !report.who.contains(&who) {
                report.who.push(who);
            }
        }
        Event::Skipped { step, reason } => report.skipped.push((clean(step.as_str()), clean(reason))),
        Event::Excluded { host, step, reason } => {
            let (host, step, reason) = (clean(host.as_str()), clean(step.as_str()), clean(reason));
            report.excluded.push(Excluded { host, step, reason });
        }
        Event::Note { who, text } => {
            report.notes.push(ReportNote { at, who: clean(who), text: prose(text).to_string() })
        }
        Event::Trouble { text } => trouble(text),
        Event::HoldLost { step, reason } => trouble(&format!("{step}: its held session was lost: {reason}")),
        Event::RollingBack { reason } => trouble(&format!("rolled back: {reason}")),
        Event::Abandoning { reason } => trouble(&format!("aborted: {reason}")),
        Event::WindowFailed { window, reason } => trouble(&format!("{window}: failed and undone: {reason}")),
        Event::Stopped { reason } => {
            trouble(&format!("stopped: {reason}"));
            report.outcome = clean(&format!("not over, stopped: {reason}"));
        }
        Event::Ended { how } => {
            report.ended = Some(at);
            report.outcome = clean(&ending(how));
        }
        Event::Started { .. } | Event::Answered { .. } | Event::Intent { .. } | Event::Outcome { .. } => {}
    }
}

/// What concerns a step. `before`: the time of the entry before, from which on a person was asked.
fn step(report: &mut RunReport, entry: &Entry, before: Timestamp) {
    let at = entry.at;
    match &entry.event {
        Event::Answered { step, answer, who, reason } => {
            at_step(report, step, before);
            let found = at_step(report, step, at);
            if found.actions.is_empty() {
                found.state = "asked";
            }
            let reason = reason.as_deref().map(clean);
            let (who, asked, answer) = (clean(who), clean(answer.asked()), clean(answer.words()));
            found.answers.push(ReportAnswer { at, who, asked, answer, reason });
        }
        Event::Intent { step, phase, attempt, commands, facts } => {
            let found = at_step(report, step, at);
            found.attempts = found.attempts.max(*attempt);
            found.state = "unknown";
            found.reason = Some("it was cut off: outcome unknown".to_owned());
            found.actions.push(Action {
                at,
                phase: word(*phase),
                attempt: *attempt,
                commands: commands.iter().map(|(host, text)| (clean(host.as_str()), lines(text))).collect(),
                before: facts.iter().map(proved).collect(),
                hosts: Vec::new(),
                took_ms: None,
            });
        }
        Event::Outcome { step, phase, attempt, hosts, withheld: _, took_ms } => {
            let found = at_step(report, step, at);
            (found.state, found.reason) = state(*phase, hosts);
            // A step of people alone has no intent.
            let of_machines =
                found.actions.last().is_some_and(|a| a.took_ms.is_none() && a.phase == word(*phase));
            if of_machines {
                found.worked_ms += took_ms;
            } else {
                let (commands, before) = (Vec::new(), Vec::new());
                let (phase, attempt) = (word(*phase), *attempt);
                found.actions.push(Action {
                    at,
                    phase,
                    attempt,
                    commands,
                    before,
                    hosts: Vec::new(),
                    took_ms: None,
                });
            }
            if let Some(action) = found.actions.last_mut() {
                action.took_ms = Some(*took_ms);
                action.hosts = hosts.iter().map(on_host).collect();
            }
            for (host, outcome) in hosts {
                for (name, value) in &outcome.values {
                    let (step, name, host) = (clean(step.as_str()), clean(name), clean(host.as_str()));
                    report.values.push(KeptValue { step, name, host, value: clean(value) });
                }
            }
        }
        Event::Skipped { step, reason } => {
            let found = at_step(report, step, at);
            (found.state, found.reason) = ("skipped", Some(clean(reason)));
        }
        Event::Started { .. }
        | Event::Resumed { .. }
        | Event::Excluded { .. }
        | Event::RollingBack { .. }
        | Event::Abandoning { .. }
        | Event::WindowFailed { .. }
        | Event::Note { .. }
        | Event::HoldLost { .. }
        | Event::Trouble { .. }
        | Event::Stopped { .. }
        | Event::Ended { .. } => {}
    }
}

fn at_step<'r>(report: &'r mut RunReport, id: &StepId, at: Timestamp) -> &'r mut StepReport {
    let id = clean(id.as_str());
    let index = report.steps.iter().position(|s| s.id == id).unwrap_or(report.steps.len());
    if index == report.steps.len() {
        report.steps.push(StepReport {
            id,
            state: "asked",
            reason: None,
            began: at,
            took_ms: 0,
            worked_ms: 0,
            attempts: 0,
            answers: Vec::new(),
            actions: Vec::new(),
        });
    }
    #[allow(clippy::indexing_slicing, reason = "found or pushed right above")]
    let found = &mut report.steps[index];
    found.took_ms = between(found.began, at);
    found
}

/// The state of a step is that of its worst host.
fn state(phase: Phase, hosts: &Outcomes) -> (&'static str, Option<String>) {
    let any = |wanted: &str| hosts.values().map(|o| verdict(&o.verdict)).find(|(word, _)| *word == wanted);
    for wanted in ["unknown", "failed"] {
        if let Some((word, why)) = any(wanted) {
            let taking = if matches!(phase, Phase::Undo | Phase::UndoProbe) { "undo: " } else { "" };
            return (word, why.map(|why| clean(&format!("{taking}{why}"))));
        }
    }
    let undone = matches!(phase, Phase::Undo | Phase::UndoProbe);
    match (any("not done"), any("printed")) {
        (Some(_), _) if undone => ("done", Some("it was not undone".to_owned())),
        (Some(_), _) => ("not done", None),
        (_, Some(_)) => ("printed", None),
        _ if undone => ("undone", None),
        _ => ("done", None),
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Run => "run",
        Phase::Probe => "probe",
        Phase::Undo => "undo",
        Phase::UndoProbe => "undo probe",
    }
}

fn proved(fact: &ProvedFact) -> Proved {
    Proved {
        says: clean(&fact.says),
        host: clean(fact.host.as_str()),
        seen: clean(&fact.seen),
        holds: fact.holds,
    }
}

fn on_host((host, outcome): (&Place, &HostOutcome)) -> OnHost {
    let (word, why) = verdict(&outcome.verdict);
    OnHost {
        host: clean(host.as_str()),
        verdict: word,
        why: why.map(clean),
        output: lines(&layout::shown(&outcome.output)),
        after: outcome.proof.iter().map(proved).collect(),
    }
}

//! A run as its entries tell it: for those who watch it from elsewhere. Pure.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::describe::prose;
use super::event::{Ending, Event, Phase};
use super::in_effect::moment;
use super::journal::Entry;
use super::layout;
use super::machine::{Machine, StepRef};
use super::planner::Secrets;
use super::report::Report;
use super::runner::{self, StartError, seen};
use super::safety::stands;
use super::wall;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::{Doing, RunState, RunView, StepState};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// A run's entries, from the first, as a picture of it. `now` is the same moment by the screen's clock and by the
/// wall's.
///
/// # Errors
/// When they do not begin with a plan, or that cannot be read here.
pub fn view(entries: &[Entry], now: (Moment, Timestamp)) -> Result<RunView, StartError> {
    let odd = |why: &str| StartError::Odd(why.to_owned());
    let Some((Event::Started { simulated, plan, .. }, began)) = entries.first().map(|e| (&e.event, e.at))
    else {
        return Err(odd("the run's entries do not begin with a plan"));
    };
    let env = EnvName::new(&plan.environment).map_err(|error| odd(&error.to_string()))?;
    let (started, rest) = entries.split_at(1);
    let mut machine = machine(started)?;
    let mut view = runner::picture(&machine, &env, *simulated, moment(now, began));
    view.watching = true;
    for entry in rest {
        machine.apply(&entry.event).map_err(|what| StartError::Replay(entry.seq, what))?;
        take(&mut view, &machine, &entry.event, moment(now, entry.at), entry.at);
    }
    runner::fill(&mut view, &machine);
    (view.in_effect, view.safety) = stands(&machine, entries, now);
    view.state = match (machine.ended(), entries.last().map(|e| &e.event)) {
        (Some(Ending::Finished), _) => RunState::Finished,
        (Some(Ending::RolledBack), _) => RunState::RolledBack,
        (Some(Ending::Abandoned(why)), _) => RunState::Abandoned(Clean::new(why)),
        (None, Some(Event::Stopped { reason })) => RunState::Stopped(Clean::new(reason)),
        (None, _) if machine.rolling_back().is_some() => RunState::RollingBack,
        (None, _) => RunState::Running,
    };
    if !view.state.is_under_way() {
        view.report = Report::of(entries).map(|r| r.sections(&TimeZone::system())).unwrap_or_default();
    }
    Ok(view)
}

/// A run's machine as its entries tell it, without its secrets.
///
/// # Errors
/// When they do not begin with a plan, or that cannot be read here.
pub fn machine(entries: &[Entry]) -> Result<Machine, StartError> {
    runner::replay_with(entries, &Secrets::NotKnown)
}

/// What an entry says that the machine does not keep.
fn take(view: &mut RunView, machine: &Machine, event: &Event, moment: Moment, at: Timestamp) {
    match event {
        Event::Intent { step, phase: Phase::Run | Phase::Undo, commands, facts, .. } => {
            let Ok(at) = machine.find(step) else { return };
            let index = at.planned().position;
            view.keep_current();
            view.current = Some(index);
            view.doing = Some(Doing {
                commands: commands
                    .iter()
                    .map(|(host, text)| (host.host().cloned(), Clean::lines(text)))
                    .collect(),
                facts: facts.iter().map(|fact| seen(fact, moment)).collect(),
                ..told(at)
            });
            if let Some(step) = view.steps.get_mut(index) {
                (step.state, step.began, step.took) = (StepState::Running, Some(moment), None);
            }
        }
        Event::Outcome { step, hosts, took_ms, .. } => {
            let Ok(at) = machine.find(step) else { return };
            let index = at.planned().position;
            runner::fill(view, machine);
            if view.current == Some(index)
                && let Some(doing) = &mut view.doing
            {
                for (host, outcome) in hosts {
                    let lines = Clean::lines(&layout::shown(&outcome.output));
                    doing.output.extend(lines.into_iter().map(|line| (host.host().cloned(), line)));
                    doing.facts.extend(outcome.proof.iter().map(|fact| seen(fact, moment)));
                }
            }
            if let Some(step) = view.steps.get_mut(index) {
                step.took = Some(Duration::from_millis(*took_ms));
            }
        }
        Event::Answered { .. } | Event::Skipped { .. } => runner::fill(view, machine),
        Event::Note { who, text } => {
            let local = wall::time(at, &TimeZone::system());
            view.notes.push((Clean::new(&local), Clean::new(who), prose(text)));
        }
        Event::Trouble { text } => view.trouble = Some(Clean::new(text)),
        Event::Resumed { .. } => view.trouble = None,
        Event::Started { .. }
        | Event::Intent { .. }
        | Event::Excluded { .. }
        | Event::RollingBack { .. }
        | Event::Abandoning { .. }
        | Event::WindowFailed { .. }
        | Event::HoldLost { .. }
        | Event::Stopped { .. }
        | Event::Ended { .. } => {}
    }
}

/// What the runbook says of a step.
fn told(at: StepRef<'_>) -> Doing {
    let text = |template: &super::template::Template| prose(&at.shown(template));
    let step = at.step();
    Doing { why: step.why.as_ref().map(text), impact: step.impact.as_ref().map(text), ..Doing::default() }
}

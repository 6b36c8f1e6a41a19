//! The windows of a run, as its entries tell them: when each was opened, how it ended, how long writes were
//! refused in it, and what proves that they run again. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::definition::Writes;
use super::event::{Event, Outcomes, Phase, ProvedFact, Verdict};
use super::ids::StepId;
use super::journal::Entry;
use super::plan::{Plan, PlannedStep};
use super::wall;
use super::wall::duration;

/// One time that a window was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowStory {
    /// The window.
    pub window: StepId,
    /// Its first intent.
    pub opened: Timestamp,
    /// When its point of no return was done; of one without, all of its steps.
    pub closed: Option<Timestamp>,
    /// When and why it failed.
    pub failed: Option<(Timestamp, String)>,
    /// From when writes were refused: the intent of the step that stopped them, as nobody knows when it took effect.
    pub refused: Option<Timestamp>,
    /// Since when they run again where they were stopped: the proof of its undo. What its other steps do is told by the
    /// time without writes.
    pub resumed: Option<Timestamp>,
    /// What proved that.
    pub proof: Vec<ProvedFact>,
}

/// Every time that a window was opened, in order.
#[must_use]
pub fn stories(plan: &Plan, entries: &[Entry]) -> Vec<WindowStory> {
    let mut stories: Vec<WindowStory> = Vec::new();
    for entry in entries {
        match &entry.event {
            Event::Intent { step, phase: Phase::Run, .. } => {
                let Some((planned, window)) = in_window(plan, step) else { continue };
                let open = stories.iter().any(|story| story.window == *window && story.failed.is_none());
                if !open {
                    stories.push(WindowStory {
                        window: window.clone(),
                        opened: entry.at,
                        closed: None,
                        failed: None,
                        refused: None,
                        resumed: None,
                        proof: Vec::new(),
                    });
                }
                if planned.step.writes == Some(Writes::Stop)
                    && let Some(story) = newest(&mut stories, window)
                {
                    story.refused.get_or_insert(entry.at);
                }
            }
            Event::Outcome { step, phase, hosts, .. } if is_done(hosts) => {
                let Some((planned, window)) = in_window(plan, step) else { continue };
                let Some(story) = newest(&mut stories, window) else { continue };
                match phase {
                    Phase::Run | Phase::Probe => {
                        if ends(plan, planned, window) {
                            story.closed.get_or_insert(entry.at);
                        }
                    }
                    Phase::Undo | Phase::UndoProbe => {
                        if planned.step.writes == Some(Writes::Stop) {
                            story.resumed = Some(entry.at);
                            story.proof = hosts.values().flat_map(|outcome| outcome.proof.clone()).collect();
                        }
                    }
                }
            }
            Event::WindowFailed { window, reason } => {
                if let Some(story) = newest(&mut stories, window) {
                    story.failed.get_or_insert((entry.at, reason.clone()));
                }
            }
            Event::Outcome { .. }
            | Event::Started { .. }
            | Event::Resumed { .. }
            | Event::Answered { .. }
            | Event::Intent { .. }
            | Event::Skipped { .. }
            | Event::Excluded { .. }
            | Event::RollingBack { .. }
            | Event::Abandoning { .. }
            | Event::Note { .. }
            | Event::HoldLost { .. }
            | Event::Trouble { .. }
            | Event::Stopped { .. }
            | Event::Ended { .. } => {}
        }
    }
    stories
}

fn in_window<'p>(plan: &'p Plan, step: &StepId) -> Option<(&'p PlannedStep, &'p StepId)> {
    let planned = plan.find(step.as_str())?;
    Some((planned, &planned.window.as_ref()?.id))
}

fn newest<'s>(stories: &'s mut [WindowStory], window: &StepId) -> Option<&'s mut WindowStory> {
    stories.iter_mut().rev().find(|story| story.window == *window)
}

fn is_done(hosts: &Outcomes) -> bool {
    hosts.values().all(|outcome| outcome.verdict == Verdict::Done)
}

/// Whether a window ends with that step: its point of no return, or else its last one.
fn ends(plan: &Plan, planned: &PlannedStep, window: &StepId) -> bool {
    let mut inside = plan.steps.iter().filter(|step| step.window.as_ref().is_some_and(|w| w.id == *window));
    let has_return = inside.clone().any(|step| step.step.point_of_no_return);
    match has_return {
        true => planned.step.point_of_no_return,
        false => inside.next_back().is_some_and(|last| last.id == planned.id),
    }
}

impl WindowStory {
    /// It in one line, with times as they are shown.
    #[must_use]
    pub fn line(&self, tz: &TimeZone) -> String {
        let ms = |from: Timestamp, to: Timestamp| {
            duration(u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0))
        };
        let opened = format!("{}: opened {}", self.window, wall::exact(self.opened, tz));
        let ended = match (&self.failed, self.closed) {
            (Some((at, why)), _) => format!("failed after {}: {why}", ms(self.opened, *at)),
            (None, Some(at)) => format!("closed after {}", ms(self.opened, at)),
            (None, None) => "not closed".to_owned(),
        };
        let writes = match (&self.failed, self.refused, self.resumed) {
            (Some(_), Some(from), Some(until)) => format!(
                "; writes were refused for at most {}, and work again since {}{}",
                ms(from, until),
                wall::exact(until, tz),
                proved(&self.proof)
            ),
            (Some(_), Some(_), None) => "; whether writes work again is not proved".to_owned(),
            (None, _, _) | (Some(_), None, _) => String::new(),
        };
        format!("{opened}, {ended}{writes}")
    }
}

/// What proves it, in brackets.
fn proved(proof: &[ProvedFact]) -> String {
    let facts: Vec<String> = proof
        .iter()
        .map(|fact| match fact.host.host() {
            Some(host) => format!("{host}: {}: {}", fact.says, fact.seen),
            None => format!("{}: {}", fact.says, fact.seen),
        })
        .collect();
    if facts.is_empty() { String::new() } else { format!(" (proved: {})", facts.join("; ")) }
}

//! A step that waits for a decision: what happened, what to look at, and the ways on.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::people::choice;
use super::{Halt, Runner, act};
use crate::runbook::definition::{OnFail, Undo};
use crate::runbook::event::{Event, OperatorAnswer, Way};
use crate::runbook::in_effect::{Marks, in_effect};
use crate::runbook::machine::{Decision, StepRef};
use crate::runbook::place::Place;
use crate::runbook::plan::{PlannedStep, Window};
use crate::runbook::windows;
use jumpdeck_fleet::run::{Effect, PromptKind, Reply};
use jumpdeck_fleet::text::Clean;

/// What a skip means where the runbook offers none: a value that was not kept is not read again.
const WITHOUT: &str = "skip; steps that depend on it are not done, and output of hosts may be hidden";

impl Way {
    fn key(self) -> char {
        match self {
            Self::Retry => 'r',
            Self::Look => 'l',
            Self::WasDone => 'd',
            Self::WasNotDone => 'n',
            Self::Skip => 'k',
            Self::Exclude => 'x',
            Self::Rollback => 'b',
            Self::Stop => 's',
            Self::Abandon => 'a',
        }
    }

    /// Whether it goes against what was proved, so that a reason is wanted.
    fn wants_reason(self) -> bool {
        matches!(self, Self::WasDone | Self::WasNotDone | Self::Skip | Self::Exclude | Self::Abandon)
    }
}

impl Runner {
    /// What the run began and has not ended, a line each: whoever chooses a way on must know it.
    fn still_in_effect(&self) -> Vec<Clean> {
        let now = (self.now(), Timestamp::now());
        let lasting = in_effect(&self.machine, &Marks::of(&self.needs.entries), now);
        lasting.iter().map(|one| Clean::new(&format!("Still in effect: {}", one.line()))).collect()
    }

    /// Asks how to go on.
    pub(super) async fn decide(&mut self, decision: &Decision) -> Result<(), Halt> {
        let planned = &decision.step;
        let at = self.machine.step(planned)?;
        let title = match decision.unknown {
            false if decision.window.is_some() => {
                "The window failed, and everything done in it is undone".to_owned()
            }
            true => format!("Step {} ({}): outcome unknown", planned.position + 1, planned.id),
            false => format!("Step {} ({}) failed", planned.position + 1, planned.id),
        };
        let mut text = Clean::lines(&decision.why);
        text.extend(self.told_of(decision.window.as_deref()));
        text.extend(self.not_reached(planned));
        // What the step is for says what its failing means.
        if let Some(why) = planned.step.why.as_ref().filter(|_| decision.window.is_none()) {
            text.extend(Clean::lines(&at.shown(why)));
        }
        text.extend(self.still_in_effect());
        if decision.ways.contains(&Way::Rollback) {
            text.push(Clean::new("A rollback would do, in this order:"));
            text.extend(self.way_back());
        }
        let (skip, exclude) = match &planned.step.on_fail {
            OnFail::Skip(meaning) => (format!("skip ({})", at.shown(meaning)), String::new()),
            OnFail::Exclude(meaning) => (WITHOUT.to_owned(), at.shown(meaning)),
            OnFail::Stop | OnFail::Rollback => (WITHOUT.to_owned(), String::new()),
        };
        // Doing it again is asked about once more where it changes something; taking back is not.
        let changes = |way: Way| match way {
            Way::Rollback => true,
            Way::Retry => {
                planned.step.effect != Effect::Read
                    || self.machine.rolling_back().is_some()
                    || decision.window.is_some()
            }
            Way::Look
            | Way::WasDone
            | Way::WasNotDone
            | Way::Skip
            | Way::Exclude
            | Way::Stop
            | Way::Abandon => false,
        };
        let choices = decision.ways.iter().map(|way| {
            let label = match way {
                Way::Retry if decision.window.is_some() => {
                    "try the window again: everything in it, without another question".to_owned()
                }
                Way::Retry => "retry".to_owned(),
                Way::Look => "look again whether it was done".to_owned(),
                Way::WasDone => "I looked: it was done".to_owned(),
                Way::WasNotDone => "I looked: it was not done".to_owned(),
                Way::Skip => skip.clone(),
                Way::Exclude => format!("exclude the host from the rest ({exclude})"),
                Way::Rollback => "roll back to the last safe point".to_owned(),
                Way::Stop if self.needs.simulated => {
                    "stop here; a simulated run cannot be resumed after this program ends".to_owned()
                }
                Way::Stop => "stop here; the run can be resumed".to_owned(),
                Way::Abandon => "abort, change nothing more".to_owned(),
            };
            choice(way.key(), &label, way.wants_reason(), changes(*way))
        });
        let kind = PromptKind::Choose(choices.collect());
        let reply = self.ask(title, text, kind).await?;
        let (key, reason) = match reply {
            Some(Reply::Chosen(key, reason)) => (key, reason.filter(|r| !r.trim().is_empty())),
            Some(Reply::No) => ('s', None),
            // Anything else is no choice: it is asked again, or the stop is obeyed.
            Some(Reply::Yes | Reply::Text(_)) | None => return Ok(()),
        };
        let Some(way) = decision.ways.iter().copied().find(|w| w.key() == key) else { return Ok(()) };
        if way.wants_reason() && reason.is_none() {
            return Ok(());
        }
        self.take(decision, way, reason).await
    }

    async fn take(&mut self, decision: &Decision, way: Way, reason: Option<String>) -> Result<(), Halt> {
        let id = &decision.step.id;
        if let Some(wanted) = decision.step.step.kind.second_person()
            && way == Way::WasDone
            && !self.second_person_agrees(&decision.step, &wanted, &decision.why).await?
        {
            return Ok(());
        }
        let said = reason.clone().unwrap_or_default();
        self.write(Event::Answered {
            step: id.clone(),
            answer: OperatorAnswer::Chosen(way),
            who: self.needs.who.clone(),
            reason,
        })
        .await?;
        match way {
            Way::Skip => self.write(Event::Skipped { step: id.clone(), reason: said }).await,
            Way::Exclude => {
                for host in self.machine.step(&decision.step)?.failed_hosts() {
                    let (step, reason) = (id.clone(), said.clone());
                    self.write(Event::Excluded { host, step, reason }).await?;
                }
                Ok(())
            }
            Way::Rollback => {
                self.write(Event::RollingBack { reason: format!("{id}: {}", decision.why) }).await
            }
            Way::Abandon => self.write(Event::Abandoning { reason: said }).await,
            Way::Stop => Err(Halt::Stopped(format!("stopped at {id}: {}", decision.why))),
            Way::Retry | Way::Look | Way::WasDone | Way::WasNotDone => Ok(()),
        }
    }

    /// The hosts of the batches to come, of which nothing was changed yet.
    fn not_reached(&self, planned: &PlannedStep) -> Option<Clean> {
        let names = |steps: &mut dyn Iterator<Item = StepRef<'_>>| -> BTreeSet<String> {
            let changing = steps.map(|at| at.planned()).filter(|p| p.step.effect != Effect::Read);
            let batches =
                changing.flat_map(|p| &p.items).filter(|(item, _)| planned.items.contains_key(*item));
            batches.flat_map(|(_, hosts)| hosts.iter().cloned()).collect()
        };
        let reached = names(&mut self.machine.steps().take(planned.position));
        let here: BTreeSet<String> = planned.items.values().flatten().cloned().collect();
        let later = names(&mut self.machine.steps().skip(planned.position + 1));
        let left: Vec<String> =
            later.into_iter().filter(|h| !reached.contains(h) && !here.contains(h)).collect();
        (!left.is_empty()).then(|| Clean::new(&format!("Not reached: {}", left.join(", "))))
    }

    /// How a window went that failed: how long writes were refused, and what proves that they run again.
    fn told_of(&self, window: Option<&Window>) -> Vec<Clean> {
        let stories = windows::stories(self.machine.plan(), &self.needs.entries);
        let story = window.and_then(|window| stories.iter().rev().find(|story| story.window == window.id));
        story.map(|story| Clean::new(&story.line(&TimeZone::system()))).into_iter().collect()
    }

    /// What a rollback would do, line by line.
    fn way_back(&self) -> Vec<Clean> {
        let mut lines = Vec::new();
        for at in self.machine.undoable() {
            let Undo::By { kind, .. } = &at.step().undo else { continue };
            lines.push(Clean::new(&format!("  undo: {}", at.shown(&at.step().title))));
            for (place, text) in act::shown(at, kind.as_ref(), &at.known_places()) {
                if let Some(host) = place.host() {
                    lines.push(Clean::new(&format!("    on {host}:")));
                }
                lines.extend(Clean::lines(&text).iter().map(|line| Clean::new(&format!("      {line}"))));
            }
        }
        lines
    }

    /// A person wants everything taken back.
    pub(super) async fn roll_back(&mut self) -> Result<(), Halt> {
        if self.machine.undoable().is_empty() {
            let text = match self.machine.is_past_return() {
                true => {
                    "nothing can be rolled back: the point of no return was passed; resume the run to finish it"
                }
                false => "there is nothing to roll back",
            };
            if self.only_back {
                return Err(Halt::Stopped(text.to_owned()));
            }
            (self.site.out)(&Place::Nowhere, vec![Clean::new(text)]);
            return Ok(());
        }
        let title = "Roll back to the last safe point?".to_owned();
        let text = self.way_back();
        if matches!(self.ask(title, text, PromptKind::Confirm).await?, Some(Reply::Yes)) {
            self.write(Event::RollingBack { reason: format!("asked for by {}", self.needs.who) }).await?;
        }
        Ok(())
    }
}

//! A step that stands: what happened, what to look at, and the ways on.

use super::people::choice;
use super::{Halt, Runner, act};
use crate::domain::run::{PromptKind, Reply};
use crate::domain::text::Clean;
use crate::runbook::event::Event;
use crate::runbook::machine::{Decision, Way};
use crate::runbook::spec::{Act, OnFail, Undo};

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

    /// The word in the journal.
    fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Look => "look",
            Self::WasDone => "done",
            Self::WasNotDone => "not_done",
            Self::Skip => "skip",
            Self::Exclude => "exclude",
            Self::Rollback => "rollback",
            Self::Stop => "stop",
            Self::Abandon => "abandon",
        }
    }

    /// Whether it goes against what was proved, so that a reason is wanted.
    fn wants_reason(self) -> bool {
        matches!(self, Self::WasDone | Self::WasNotDone | Self::Skip | Self::Exclude | Self::Abandon)
    }
}

impl Runner {
    /// Asks how to go on.
    pub(super) async fn decide(&mut self, decision: &Decision) -> Result<(), Halt> {
        let plan = self.machine.plan().clone();
        let Some(planned) = plan.steps.get(decision.step) else { return Ok(()) };
        let title = match decision.unknown {
            true => format!("Nobody knows whether {} was done", planned.id),
            false => format!("{} did not succeed", planned.id),
        };
        let mut text = Clean::lines(&decision.why);
        // What the step is for says what its failing means.
        if let Some(why) = &planned.step.why {
            let why = self.machine.at(decision.step, None, |scope| scope.shown(why)).unwrap_or_default();
            text.extend(Clean::lines(&why));
        }
        if decision.ways.contains(&Way::Rollback) {
            text.push(Clean::new("Taking back would do, in this order:"));
            text.extend(self.way_back());
        }
        let meaning = match &planned.step.on_fail {
            OnFail::Skip(meaning) | OnFail::Exclude(meaning) => {
                self.machine.at(decision.step, None, |scope| scope.shown(meaning))
            }
            OnFail::Stop | OnFail::Rollback => None,
        };
        let choices = decision.ways.iter().map(|way| {
            let label = match way {
                Way::Retry => "do it again".to_owned(),
                Way::Look => "look again whether it was done".to_owned(),
                Way::WasDone => "I looked: it was done".to_owned(),
                Way::WasNotDone => "I looked: it was not done".to_owned(),
                Way::Skip => format!("leave it out ({})", meaning.clone().unwrap_or_default()),
                Way::Exclude => format!("go on without the host ({})", meaning.clone().unwrap_or_default()),
                Way::Rollback => "take everything back to the last safe point".to_owned(),
                Way::Stop => "stop here; the run may be resumed".to_owned(),
                Way::Abandon => "give the run up as it is".to_owned(),
            };
            choice(way.key(), &label, way.wants_reason())
        });
        let kind = PromptKind::Choose(choices.collect());
        let reply = self.ask(title, text, kind).await?;
        let (key, reason) = match reply {
            Some(Reply::Chosen(key, reason)) => (key, reason.filter(|r| !r.trim().is_empty())),
            Some(Reply::No) => ('s', None),
            // Anything else is no choice: it is asked again, or the stop is obeyed.
            _ => return Ok(()),
        };
        let Some(way) = decision.ways.iter().copied().find(|w| w.key() == key) else { return Ok(()) };
        if way.wants_reason() && reason.is_none() {
            return Ok(());
        }
        self.take(decision, way, reason, &planned.id).await
    }

    async fn take(
        &mut self,
        decision: &Decision,
        way: Way,
        reason: Option<String>,
        id: &str,
    ) -> Result<(), Halt> {
        let fence =
            self.machine.plan().steps.get(decision.step).is_some_and(|p| matches!(p.step.act, Act::Fence(_)));
        if fence && way == Way::WasDone && !self.fence_was_done(decision.step, &decision.why).await? {
            return Ok(());
        }
        let said = reason.clone().unwrap_or_default();
        self.write(Event::Answered {
            step: id.to_owned(),
            asked: "choice".to_owned(),
            answer: way.word().to_owned(),
            who: self.needs.who.clone(),
            reason,
        })?;
        match way {
            Way::Skip => self.write(Event::Skipped { step: id.to_owned(), reason: said }),
            Way::Exclude => {
                for host in self.machine.failed_hosts(decision.step) {
                    let (step, reason) = (id.to_owned(), said.clone());
                    self.write(Event::Excluded { host, step, reason })?;
                }
                Ok(())
            }
            Way::Rollback => self.write(Event::RollingBack { reason: format!("{id}: {}", decision.why) }),
            Way::Abandon => self.write(Event::Abandoning { reason: said }),
            Way::Stop => Err(Halt::Stopped(format!("stopped at {id}: {}", decision.why))),
            Way::Retry | Way::Look | Way::WasDone | Way::WasNotDone => Ok(()),
        }
    }

    /// What a rollback would do, line by line.
    fn way_back(&self) -> Vec<Clean> {
        let plan = self.machine.plan();
        let mut lines = Vec::new();
        for index in self.machine.undoable() {
            let Some(planned) = plan.steps.get(index) else { continue };
            let Undo::By { kind, .. } = &planned.step.undo else { continue };
            let hosts = self.machine.hosts(index).unwrap_or_default();
            for (host, text) in act::shown(&self.machine, index, kind.as_ref(), &hosts) {
                lines
                    .push(Clean::new(&format!("    {host}: {}", text.lines().collect::<Vec<_>>().join(" "))));
            }
        }
        lines
    }

    /// A person wants everything taken back.
    pub(super) async fn roll_back(&mut self) -> Result<(), Halt> {
        if self.machine.undoable().is_empty() {
            let text = match self.machine.is_past_return() {
                true => "nothing can be taken back: the point of no return was passed",
                false => "there is nothing to take back",
            };
            (self.site.out)("", vec![Clean::new(text)]);
            return Ok(());
        }
        let title = "Take everything back to the last safe point?".to_owned();
        let text = self.way_back();
        if matches!(self.ask(title, text, PromptKind::Confirm).await?, Some(Reply::Yes)) {
            self.write(Event::RollingBack { reason: format!("asked for by {}", self.needs.who) })?;
        }
        Ok(())
    }
}

//! The lease is proved right before every change, and its intent is on the jump box before, so that a colleague can take the
//! run over. What changes something takes a [`Permit`], and only [`Runner::intend`] makes one.

use std::collections::BTreeMap;

use super::doing::all;
use super::{Halt, Runner};
use crate::runbook::event::{Event, Outcomes, Phase, ProvedFact, Verdict};
use crate::runbook::machine::Task;
use crate::runbook::place::Place;
use jumpdeck_fleet::run::Effect;

/// Shows that the intent is on the disk and, where something changes, on the jump box, and that the lease was ours right
/// before.
#[must_use]
pub(super) struct Permit(());

impl Runner {
    /// Writes what is about to be done, and flushes it; for a change, on the jump box, too. The lease is proved first, by a
    /// round trip: a question may have stood for hours, and this machine may have slept. The inner error is the outcome of a
    /// change that is not begun.
    pub(super) async fn intend(
        &mut self,
        task: &Task,
        commands: BTreeMap<Place, String>,
        facts: Vec<ProvedFact>,
    ) -> Result<Result<Permit, Outcomes>, Halt> {
        let planned = &task.step.step;
        let changes = match task.phase {
            Phase::Run => planned.effect != Effect::Read || planned.kind.keeps_session().is_some(),
            Phase::Undo => true,
            Phase::Probe | Phase::UndoProbe => false,
        };
        let changes = changes && !self.machine.dry_run;
        let way_out = task.phase == Phase::Undo && self.is_way_out(&task.step);
        match way_out {
            true => self.prove_for_the_way_out().await?,
            false if changes => self.prove_lease("nothing was started").await?,
            false => {}
        }
        let (step, phase, attempt) = (task.step.id.clone(), task.phase, task.attempt);
        self.write(Event::Intent { step: step.clone(), phase, attempt, commands, facts }).await?;
        // The way out of a window is not held up: users wait for it, and whoever takes the run over goes it, too.
        if changes
            && !way_out
            && let Err(why) = self.store().await
            && self.lost_lease().is_none()
        {
            let why = format!("its entry cannot be stored on the jump box: {why}; nothing was done");
            return Ok(Err(all(task, Verdict::Failed(why))));
        }
        // The disk may have taken longer than the proof is worth.
        if changes
            && (self.lost_lease().is_some() || !self.lease_is_fresh())
            && let Err(why) = self.prove_lease("nothing was done").await
        {
            let hosts =
                all(task, Verdict::Failed("the lease was lost before the step was started".to_owned()));
            let withheld = Vec::new();
            self.write(Event::Outcome { step, phase, attempt, hosts, withheld, took_ms: 0 }).await?;
            return Err(why);
        }
        Ok(Ok(Permit(())))
    }

    /// Waits until the entries are on the jump box, at most as long as the window that is open.
    async fn store(&mut self) -> Result<(), String> {
        let Some(lease) = &self.needs.lease else { return Ok(()) };
        match self.in_time(lease.store()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(_)) => {}
            Err(why) => return Err(why),
        }
        // There may be space again. The copy may end in the middle of an entry, so all entries are sent again.
        let entries = &self.needs.entries;
        if let Some(lease) = &mut self.needs.lease {
            lease.say_all(entries);
        }
        let Some(lease) = &self.needs.lease else { return Ok(()) };
        self.in_time(lease.store()).await?
    }

    /// Whether nobody else can have the lease by now. A run without a lease needs none.
    fn lease_is_fresh(&self) -> bool {
        self.needs.lease.as_ref().is_none_or(|lease| lease.is_fresh())
    }

    /// Asks the jump box whether the lease is ours. When it is not, the run stops: `so` says what that means.
    pub(super) async fn prove_lease(&mut self, so: &str) -> Result<(), Halt> {
        let proved = match &self.needs.lease {
            Some(lease) => lease.prove().await,
            None => Ok(()),
        };
        match proved {
            Ok(()) => Ok(()),
            Err(why) => Err(self.lease_is_lost(&why, so).await?),
        }
    }

    /// Before each step: whether the lease is known to be lost, or is not ours after a time in which nobody listened.
    pub(super) async fn look_at_lease(&mut self) -> Result<(), Halt> {
        if let Some(why) = self.lost_lease() {
            return Err(self.lease_is_lost(&why, "nothing more is done").await?);
        }
        match self.lease_is_fresh() {
            true => Ok(()),
            false => self.prove_lease("nothing more is done").await,
        }
    }

    /// Why the lease is lost, when that is known.
    pub(super) fn lost_lease(&self) -> Option<String> {
        self.needs.lease.as_ref().and_then(|lease| lease.lost())
    }

    /// Writes down that the lease is lost; returns why the run stops.
    pub(super) async fn lease_is_lost(&mut self, why: &str, so: &str) -> Result<Halt, Halt> {
        self.write(Event::Trouble { text: format!("the lease is lost: {why}; {so}") }).await?;
        Ok(Halt::Stopped(format!(
            "the lease on the jump box is lost: {why}; {so}; resume the run to take it again"
        )))
    }
}

//! While a window is open nobody is asked, and whatever would stop the run makes the window fail first. While a window is undone
//! nothing else is done.

use std::future::Future;
use std::time::Duration;

use futures::future::select_all;
use tokio::time::{Instant, sleep, timeout};

use super::doing::all;
use super::{Halt, Runner, act};
use crate::runbook::act::Work;
use crate::runbook::act::hold::Holding;
use crate::runbook::event::{Event, Outcomes, Phase, Verdict};
use crate::runbook::ids::StepId;
use crate::runbook::kinds::DoneBy;
use crate::runbook::machine::{Next, StepStatus, Task};
use crate::runbook::plan::PlannedStep;
use crate::runbook::wall::duration;
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::Effect;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Between two tries to undo what did not work, or to look for what nobody knows.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Why a session is closed that was not lost.
const FOR_GUARDS: &str = "closed, so that the guard can make the old server writable";
/// So long it is tried to prove the lease for the way back.
const PROVED_WITHIN: Duration = Duration::from_secs(60);

impl Runner {
    /// Looks after windows before anything else is done. Returns whether a stop, a rollback and held sessions have to wait.
    pub(super) async fn mind_windows(&mut self) -> Result<bool, Halt> {
        if self.machine.backing_out().is_some() {
            self.let_guards_act().await?;
            return Ok(!matches!(self.machine.next()?, Next::Decide(_)));
        }
        let Some(window) = self.machine.open_window().cloned() else { return self.mind_rest().await };
        // Nothing but a step to begin may be refused: what may have been promoted is looked for first.
        match self.machine.next()? {
            Next::Do(task) if task.phase == Phase::Run => {}
            Next::Do(_) | Next::Record(_) => return Ok(true),
            Next::Decide(_) | Next::Ended(_) => return Ok(false),
        }
        self.look_at_holds().await?;
        if let Some(reason) = self.must_fail().await {
            self.write(Event::WindowFailed { window: window.id.clone(), reason }).await?;
        }
        Ok(true)
    }

    /// On the way out of a window: when a guard is lost, or the freeze could not be undone at the first try, its host may be
    /// out of reach, and the guard there is to do it. It needs the locks that sessions of this run have, so all of them end, as if this
    /// process had been killed: nothing is promoted without them, and what comes later opens them again.
    async fn let_guards_act(&mut self) -> Result<(), Halt> {
        let lost =
            self.lost_a_guard || self.holds.values().any(|hold| hold.is_guard() && hold.lost().is_some());
        let kept = self.holds.values().any(Holding::is_guard);
        if !(lost || kept && self.machine.is_freeze_kept()) {
            return Ok(());
        }
        let all = std::mem::take(&mut self.holds);
        let all =
            all.into_iter().map(|(step, hold)| (step, hold.lost().unwrap_or_else(|| FOR_GUARDS.to_owned())));
        // They are closed before anything is written: users wait.
        let closed: Vec<(StepId, String)> = all.collect();
        for (step, reason) in closed {
            self.write(Event::HoldLost { step, reason }).await?;
        }
        Ok(())
    }

    /// What is left of a window behind its point of no return goes on first: writes are refused until then.
    async fn mind_rest(&mut self) -> Result<bool, Halt> {
        let rest = matches!(self.machine.next()?, Next::Do(task)
            if task.phase == Phase::Run && !task.confirm && self.machine.is_behind_return(&task.step));
        if rest {
            self.look_at_lease().await?;
        }
        Ok(rest)
    }

    /// Whether a change needs no arming any more: it was agreed to with its window, whose point of no return is done.
    pub(super) fn is_agreed_rest(&self, task: &Task) -> bool {
        task.phase == Phase::Run && !task.confirm && self.machine.is_behind_return(&task.step)
    }

    /// Why the open window must fail, its steps aside.
    async fn must_fail(&mut self) -> Option<String> {
        if let Some(why) = &self.stop {
            return Some(why.clone());
        }
        if self.back {
            return Some(format!("{} asked for a rollback", self.needs.who));
        }
        if !self.is_armed() {
            return Some(format!("{} is read-only", self.needs.env.name));
        }
        let unproved = match (self.lost_lease(), &self.needs.lease) {
            (Some(why), _) => Err(why),
            (None, Some(lease)) if !lease.is_fresh() => lease.prove().await,
            (None, Some(_) | None) => Ok(()),
        };
        if let Err(why) = unproved {
            return Some(format!("the lease on the jump box is not proved: {why}"));
        }
        (self.left() == Some(Duration::ZERO)).then(|| self.too_late())
    }

    fn too_late(&self) -> String {
        let limit = self.machine.open_window().map(|window| window.limit).unwrap_or_default();
        format!("not done within {}", duration(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How much of the open window's limit is left.
    fn left(&self) -> Option<Duration> {
        let (window, opened) = (self.machine.open_window()?, self.opened?);
        Some(window.limit.saturating_sub(self.now().since(opened)))
    }

    /// Remembers when a window was opened.
    pub(super) fn note_window(&mut self, now: Moment) {
        match self.machine.open_window() {
            Some(_) => drop(self.opened.get_or_insert(now)),
            None => self.opened = None,
        }
    }

    /// How long a step may take because of the window that it is in. A point of no return that was begun has its own time.
    pub(super) fn limit_of(&self, task: &Task) -> Option<Duration> {
        self.left().filter(|_| !task.step.step.point_of_no_return)
    }

    /// What is to be known before a step; nothing when the window's time is over before.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        match self.left() {
            Some(left) => timeout(left, work).await.map_err(|_| self.too_late()),
            None => Ok(work.await),
        }
    }

    /// What becomes of a step that the window's limit cut off.
    pub(super) fn cut_off(&self, task: &Task) -> Outcomes {
        let why = self.too_late();
        all(task, Verdict::Unknown(why))
    }

    /// Ends with the first session or guard that is lost while a step of an open window only reads: the window fails then, whatever
    /// is read. A change goes on: what becomes of it must be known.
    pub(super) fn loses_a_hold(&self, task: &Task) -> BoxFuture<'static, String> {
        let waits = self.machine.open_window().is_some() && task.step.step.effect == Effect::Read;
        let lost: Vec<_> = self.holds.values().map(|hold| Box::pin(hold.until_lost())).collect();
        match waits && !lost.is_empty() {
            true => Box::pin(async { select_all(lost).await.0 }),
            false => Box::pin(std::future::pending()),
        }
    }

    /// Whether this is an undo on the way back out of a window.
    pub(super) fn is_way_out(&self, planned: &PlannedStep) -> bool {
        let window = self.machine.backing_out().map(|(window, _)| &window.id);
        window.is_some() && planned.window.as_ref().map(|window| &window.id) == window
    }

    /// Before an undo on the way back: what was cut off must be over, and must not begin later. `false`: it is not known yet.
    pub(super) async fn may_undo(&mut self, task: &Task) -> Result<bool, Halt> {
        let record = self.step_of(task)?.record();
        let again = record.tries_back > 0;
        let cut_off =
            matches!(record.status, StepStatus::Open(Phase::Run | Phase::Probe) | StepStatus::Unknown(_));
        if again {
            let why = match &record.status {
                StepStatus::UndoFailed(why) | StepStatus::Unknown(why) | StepStatus::UndoUnknown(why) => {
                    format!(": {why}")
                }
                StepStatus::Waiting
                | StepStatus::Open(_)
                | StepStatus::Done
                | StepStatus::Printed
                | StepStatus::NotDone
                | StepStatus::Failed(_)
                | StepStatus::Skipped(_)
                | StepStatus::Undone => String::new(),
            };
            self.say(vec![Clean::new(&format!("Trying the undo of {} again{why}", task.step.id))]);
            sleep(AGAIN_AFTER).await;
        }
        let kind = task.step.step.kind.clone();
        let DoneBy::Machines(by) = kind.done_by() else { return Ok(true) };
        if !cut_off {
            return Ok(true);
        }
        let at = self.step_of(task)?;
        let open = act::settle(Work { site: &self.site, at, places: &task.places }, by).await;
        let Some(why) = open.into_values().find_map(|outcome| match outcome.verdict {
            Verdict::Unknown(why) | Verdict::Failed(why) => Some(why),
            Verdict::Done | Verdict::NotDone | Verdict::Printed => None,
        }) else {
            return Ok(true);
        };
        let (step, attempt) = (task.step.id.clone(), task.attempt);
        let (commands, facts, withheld) = Default::default();
        let phase = Phase::Probe;
        self.write(Event::Intent { step: step.clone(), phase, attempt, commands, facts }).await?;
        let hosts = all(task, Verdict::Unknown(why));
        self.write(Event::Outcome { step, phase, attempt, hosts, withheld, took_ms: 0 }).await?;
        Ok(false)
    }

    /// Before another look for what nobody knows: a host may come back.
    pub(super) async fn wait_to_look(&self, task: &Task) -> Result<(), Halt> {
        let record = self.step_of(task)?.record();
        let again = match task.phase {
            Phase::Probe => record.looks > 0 && self.machine.open_window().is_some(),
            Phase::UndoProbe => record.tries_back > 1 && self.is_way_out(&task.step),
            Phase::Run | Phase::Undo => false,
        };
        if again {
            sleep(AGAIN_AFTER).await;
        }
        Ok(())
    }

    /// The lease, for an undo on the way back: while nobody else can have it, it is right. Later another operator may have taken
    /// the run over, and promoted: then nothing more is done here.
    pub(super) async fn prove_for_the_way_out(&mut self) -> Result<(), Halt> {
        let so = "changes of the window may still be in effect: resume the run, which first undoes them without a question";
        let until = Instant::now() + PROVED_WITHIN;
        loop {
            if let Some(why) = self.lost_lease() {
                return Err(self.lease_is_lost(&why, so).await?);
            }
            let Some(lease) = self.needs.lease.as_ref().filter(|lease| !lease.is_fresh()) else {
                return Ok(());
            };
            let Err(why) = lease.prove().await else { return Ok(()) };
            if Instant::now() >= until {
                return Err(self.lease_is_lost(&why, so).await?);
            }
            self.say(vec![Clean::new(&format!("The lease cannot be proved, trying again: {why}"))]);
            sleep(AGAIN_AFTER).await;
        }
    }
}

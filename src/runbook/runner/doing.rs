//! Doing a step: facts proved, shown, agreed to, proved again, written down, done, read back, written down.

use std::collections::BTreeMap;
use std::time::Instant;

use super::armed::Armed;
use super::people::YesOrNo;
use super::permit::Permit;
use super::{Halt, Runner, act};
use crate::runbook::act::Work;
use crate::runbook::definition::{Check, Step, Undo};
use crate::runbook::event::{Asked, Event, HostOutcome, Outcomes, Phase, ProvedFact, Verdict};
use crate::runbook::kinds::{ByMachines, DoneBy, TakesBack};
use crate::runbook::machine::{Impossible, StepRef, Task};
use crate::runbook::place::Place;
use crate::runbook::plan::PlannedStep;
use crate::runbook::view::told;
use jumpdeck_fleet::run::{Effect, RunCommand};
use jumpdeck_fleet::text::Clean;

/// What a step is about to do: its commands by host, and the facts it rests on.
struct Ready {
    commands: BTreeMap<Place, String>,
    facts: Vec<ProvedFact>,
}

/// What a dry run says of a guard.
const NO_GUARD: &str = "A dry run does not start the guard, so later checks find no guard.";

impl Ready {
    fn broken(&self) -> Option<&ProvedFact> {
        self.facts.iter().find(|f| !f.holds)
    }
}

impl Runner {
    /// A task's step, with its state now.
    pub(in crate::runbook) fn step_of(&self, task: &Task) -> Result<StepRef<'_>, Halt> {
        Ok(self.machine.step(&task.step)?)
    }

    /// Does what the machine wants done.
    pub(super) async fn act(&mut self, task: &Task) -> Result<(), Halt> {
        let planned = &task.step;
        self.release(planned)?;
        if let Some(lease) = &mut self.needs.lease {
            lease.step(planned.id.as_str());
        }
        let began = Instant::now();
        self.show(task)?;
        let kind = planned.step.kind.clone();
        let hosts = match (task.phase, kind.done_by()) {
            (Phase::Run, DoneBy::People(people)) => self.ask_people(task, people).await?,
            (Phase::Run, DoneBy::Machines(machines)) => self.run_step(task, machines).await?,
            (Phase::Probe, DoneBy::People(_)) => Some(self.probe(task, None, None).await?),
            (Phase::Probe, DoneBy::Machines(by)) => Some(self.probe(task, Some(by), None).await?),
            (Phase::Run | Phase::Probe, DoneBy::Plan(_)) => {
                let what = format!(
                    "a step of kind {} is not run: the plan lists the steps inside it",
                    kind.entry().word
                );
                return Err(self.step_of(task)?.impossible(&what).into());
            }
            (Phase::Undo, _) => self.undo_step(task).await?,
            (Phase::UndoProbe, _) => {
                let (back, read_back) = undo_of(&planned.step).ok_or_else(|| no_undo(planned))?;
                Some(self.probe(task, Some(back), Some(read_back)).await?)
            }
        };
        if let Some(hosts) = hosts {
            self.board.proof(hosts.values().flat_map(|outcome| &outcome.proof), self.now());
            self.write(Event::Outcome {
                step: planned.id.clone(),
                phase: task.phase,
                attempt: task.attempt,
                hosts,
                withheld: Vec::new(),
                took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            })
            .await?;
        }
        self.board.ended();
        Ok(())
    }

    /// Looks whether a step whose outcome nobody knows was done; with `undo`, whether it was undone.
    async fn probe(
        &mut self,
        task: &Task,
        by: Option<&dyn ByMachines>,
        undo: Option<&[Check]>,
    ) -> Result<Outcomes, Halt> {
        self.wait_to_look(task).await?;
        match self.intend(task, BTreeMap::new(), Vec::new()).await? {
            Ok(_only_looks) => {}
            Err(not_looked) => return Ok(not_looked),
        }
        Ok(act::probe(self.work(task)?, by, undo).await)
    }

    /// A task, for those who do it.
    fn work<'w>(&'w self, task: &'w Task) -> Result<Work<'w>, Halt> {
        Ok(Work { site: &self.site, at: self.step_of(task)?, places: &task.places })
    }

    fn show(&self, task: &Task) -> Result<(), Halt> {
        let at = self.step_of(task)?;
        self.board.begin(at, told(at, &task.places), self.now());
        Ok(())
    }

    fn show_ready(&self, ready: &Ready) {
        let commands =
            ready.commands.iter().map(|(place, text)| (place.host().cloned(), Clean::lines(text))).collect();
        self.board.doing(|doing| doing.commands = commands);
        self.board.facts(&ready.facts, self.now());
    }

    /// What it would do now, and the facts as they are now; the inner error says why it cannot be done.
    async fn ready(&self, task: &Task, by: &dyn ByMachines) -> Result<Result<Ready, String>, Halt> {
        let work = self.work(task)?;
        let (at, step) = (work.at, work.at.step());
        let mut commands = act::shown(at, step.kind.as_ref(), &task.places);
        for host in task.places.hosts() {
            match by.preview(work, host).await {
                Ok(Some(text)) => drop(commands.insert(host.into(), text)),
                Ok(None) => {}
                Err(why) => return Ok(Err(why)),
            }
        }
        let window = at.planned().window.as_ref().filter(|_| self.machine.opens_window(at.planned()));
        let before = window.map(|window| window.step.pre.as_slice()).unwrap_or_default();
        let (before, own) = futures::future::join(
            act::prove(&self.site, at, before, None),
            act::prove(&self.site, at, &step.pre, Some(&task.places)),
        )
        .await;
        Ok(Ok(Ready { commands, facts: before.into_iter().chain(own).map(|p| p.fact).collect() }))
    }

    /// The step itself. `None`: nothing came of it that is to be written.
    async fn run_step(&mut self, task: &Task, by: &dyn ByMachines) -> Result<Option<Outcomes>, Halt> {
        let step = &task.step.step;
        let ready = match self.in_time(self.ready(task, by)).await {
            Ok(ready) => ready?,
            Err(late) => Err(late),
        };
        let ready = match ready {
            Ok(ready) => ready,
            Err(why) => return Ok(Some(self.in_dry_run(all(task, Verdict::Failed(why))))),
        };
        self.show_ready(&ready);
        let changes = step.effect != Effect::Read;
        if self.machine.dry_run && changes {
            let _printed_only = self.intend(task, ready.commands, ready.facts).await?;
            if step.kind.keeps_session().is_some_and(|session| session.acts) {
                self.say(vec![Clean::new(NO_GUARD)]);
            }
            return Ok(Some(all(task, Verdict::Printed)));
        }
        if let Some(fact) = ready.broken() {
            return Ok(Some(self.fact_failed(task, fact)));
        }
        if changes && !self.is_armed() && self.machine.open_window().is_some() {
            let why = format!("{} is read-only; nothing was done", self.needs.env.name);
            return Ok(Some(all(task, Verdict::Failed(why))));
        }
        let agreed = self.is_agreed_rest(task);
        if changes && !task.confirm && !agreed {
            match self.wait_until_armed(task).await? {
                Armed::Yes => {}
                Armed::Asked => return Ok(None),
                Armed::No(why) => return Ok(Some(all(task, Verdict::Failed(why)))),
            }
        }
        if let Some(lines) = by.by_hand(self.work(task)?).await {
            if self.machine.open_window().is_some() {
                let why = "this needs work by hand, which is not possible inside a window".to_owned();
                return Ok(Some(all(task, Verdict::Failed(why))));
            }
            return self.by_hand(task, by, lines, ready).await;
        }
        let mut ready = ready;
        if task.confirm {
            match self.confirm_step(task, step).await? {
                YesOrNo::Yes => {}
                // Nobody said no: what was held has to be had again first.
                YesOrNo::No(_) if self.has_lost_a_hold() => return Ok(None),
                YesOrNo::No(why) => return Ok(Some(all(task, Verdict::Failed(why)))),
            }
            // Time went by while a person thought: what was shown must still be so.
            let again = match self.ready(task, by).await? {
                Ok(again) => again,
                Err(why) => return Ok(Some(all(task, Verdict::Failed(why)))),
            };
            self.show_ready(&again);
            if let Some(fact) = again.broken() {
                return Ok(Some(self.fact_failed(task, fact)));
            }
            if again.commands != ready.commands {
                let why = "its commands changed since they were shown; nothing was done".to_owned();
                return Ok(Some(all(task, Verdict::Failed(why))));
            }
            ready = again;
        }
        if changes && !agreed && !self.is_armed() {
            // It became read-only since it was agreed to: it is asked again.
            return Ok(None);
        }
        let permit = match self.intend(task, ready.commands, ready.facts).await? {
            Ok(permit) => permit,
            Err(not_begun) => return Ok(Some(not_begun)),
        };
        let outcomes = self.perform(task, by, permit).await?;
        if let Some(wanted) = step.kind.second_person() {
            return self.vouched(task, &wanted, outcomes).await;
        }
        Ok(Some(self.in_dry_run(outcomes)))
    }

    /// A person does what cannot be done from here. Their yes is no proof: it is looked for.
    async fn by_hand(
        &mut self,
        task: &Task,
        by: &dyn ByMachines,
        lines: Vec<Clean>,
        ready: Ready,
    ) -> Result<Option<Outcomes>, Halt> {
        if let Err(not_begun) = self.intend(task, ready.commands, ready.facts).await? {
            return Ok(Some(not_begun));
        }
        let yes = self.agreed(self.title(task), lines).await?;
        let settled = self.settled(task, Asked::Manual, yes).await?;
        if !yes || settled.is_none() {
            return Ok(settled);
        }
        let found = by.find(self.work(task)?).await;
        let mut found = found
            .unwrap_or_else(|| all(task, Verdict::Unknown("no check tells whether it was done".to_owned())));
        for outcome in found.values_mut() {
            if outcome.verdict == Verdict::NotDone {
                outcome.verdict = Verdict::Failed("a check found that it is not done".to_owned());
            }
        }
        Ok(Some(found))
    }

    pub(super) fn fact_failed(&self, task: &Task, fact: &ProvedFact) -> Outcomes {
        if self.machine.dry_run && self.machine.has_printed() {
            return all(task, Verdict::Printed);
        }
        let host = fact.host.host().map(|host| format!(" on {host}")).unwrap_or_default();
        all(task, Verdict::Failed(format!("not done: \"{}\" does not hold{host}: {}", fact.says, fact.seen)))
    }

    /// Does it, and keeps listening meanwhile; what is said takes effect behind the step.
    async fn perform(&mut self, task: &Task, by: &dyn ByMachines, _permit: Permit) -> Result<Outcomes, Halt> {
        let mut waiting = Vec::new();
        let mut open = true;
        let limit = self.limit_of(task);
        let over = async move {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        let mut lost = self.loses_a_hold(task);
        let done = {
            let work = Work { site: &self.site, at: self.machine.step(&task.step)?, places: &task.places };
            let work = act::perform(work, by);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    biased;
                    done = &mut work => break Ok(done),
                    () = &mut over => break Err(self.cut_off(task)),
                    why = &mut lost => break Err(all(task, Verdict::Failed(why))),
                    command = self.commands.recv(), if open => match command {
                        Some(command) => waiting.push(command),
                        None => open = false,
                    },
                }
            }
        };
        for command in waiting {
            self.told(command).await?;
        }
        if !open {
            self.stop = Some("the console ended".to_owned());
        }
        let mut done = match done {
            Ok(done) => done,
            Err(cut_off) => return Ok(cut_off),
        };
        if let Some(session) = done.session.take() {
            self.lost_a_guard &= !session.is_guard();
            self.holds.insert(task.step.id.clone(), session);
        }
        for (name, place, value) in std::mem::take(&mut done.secrets) {
            match self.learn(&name, value.text()).await? {
                Ok(()) => self.machine.keep_secret(&name, place, value),
                // What it printed may hold the secret, and nothing would hide it.
                Err(why) => done.hosts.insert(place, act::failed(&format!("{name}: {why}"))),
            }
        }
        Ok(done.hosts)
    }

    async fn undo_step(&mut self, task: &Task) -> Result<Option<Outcomes>, Halt> {
        let (back, _) = undo_of(&task.step.step).ok_or_else(|| no_undo(&task.step))?;
        let commands = act::shown(self.step_of(task)?, back, &task.places);
        self.show_ready(&Ready { commands: commands.clone(), facts: Vec::new() });
        let armed = match self.is_way_out(&task.step) {
            // Who agreed to the window agreed to its way back.
            true if !self.may_undo(task).await? => return Ok(None),
            true => Armed::Yes,
            false => self.wait_until_armed(task).await?,
        };
        match armed {
            Armed::Yes => {}
            Armed::Asked => return Ok(None),
            Armed::No(why) => {
                let why =
                    format!("{why}; the rollback is not finished: arm the environment, then resume the run");
                return Err(Halt::Stopped(why));
            }
        }
        let permit = match self.intend(task, commands, Vec::new()).await? {
            Ok(permit) => permit,
            Err(not_begun) => return Ok(Some(not_begun)),
        };
        if self.machine.dry_run {
            return Ok(Some(all(task, Verdict::Done)));
        }
        self.take_back(task, permit).await.map(Some)
    }

    async fn take_back(&self, task: &Task, _permit: Permit) -> Result<Outcomes, Halt> {
        let (back, read_back) = undo_of(&task.step.step).ok_or_else(|| no_undo(&task.step))?;
        Ok(act::undo(self.work(task)?, back, read_back).await)
    }

    /// The next thing a person says; none when nobody is there any more.
    pub(super) async fn heard(&mut self) -> Option<RunCommand> {
        self.commands.recv().await
    }
}

/// What takes a step back, and the proof of that.
fn undo_of(step: &Step) -> Option<(&dyn TakesBack, &[Check])> {
    match &step.undo {
        Undo::By { kind, read_back } => Some((kind.as_ref(), read_back)),
        Undo::Nothing | Undo::NotNeeded(_) | Undo::Impossible => None,
    }
}

fn no_undo(planned: &PlannedStep) -> Halt {
    let what = "it should be undone, but has no undo".to_owned();
    Impossible::At { step: planned.id.clone(), what }.into()
}

/// The same verdict for every place of a task.
pub(super) fn all(task: &Task, verdict: Verdict) -> Outcomes {
    task.places.each(|_| HostOutcome::of(verdict.clone()))
}

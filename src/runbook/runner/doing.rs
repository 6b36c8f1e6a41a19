//! Doing a step: facts proved, shown, agreed to, proved again, written down, done, read back, written down.

use std::collections::BTreeMap;
use std::time::Instant;

use super::board::next_line;
use super::people::Said;
use super::{Halt, Runner, act};
use crate::domain::names::HostName;
use crate::domain::run::{Doing as Shown, Effect, RunCommand, RunState};
use crate::domain::text::Clean;
use crate::runbook::event::{Event, Fact, HostOutcome, Phase, Verdict};
use crate::runbook::machine::Doing;
use crate::runbook::spec::{Act, Step, Undo};

/// What a step is about to do: its commands by host, and the facts it rests on.
struct Ready {
    commands: BTreeMap<String, String>,
    facts: Vec<Fact>,
}

impl Ready {
    fn broken(&self) -> Option<&Fact> {
        self.facts.iter().find(|f| !f.holds)
    }
}

impl Runner {
    /// Does what the machine wants done.
    pub(super) async fn act(&mut self, doing: &Doing) -> Result<(), Halt> {
        let plan = self.machine.plan().clone();
        let Some(planned) = plan.steps.get(doing.step) else { return Ok(()) };
        self.release(doing.step);
        if let Some(lease) = &mut self.needs.lease {
            lease.step(&planned.id);
        }
        let began = Instant::now();
        self.show(doing);
        let step = planned.step.clone();
        let hosts = match doing.phase {
            Phase::Run if Self::is_for_people(&step.act) => self.ask_people(doing, &step).await?,
            Phase::Run => self.run_step(doing, &step).await?,
            Phase::Probe => {
                self.intend(doing, BTreeMap::new(), Vec::new())?;
                Some(act::probe(&self.site, &self.machine, doing.step, &doing.hosts, None).await)
            }
            Phase::Undo => self.undo_step(doing, &step).await?,
            Phase::UndoProbe => {
                self.intend(doing, BTreeMap::new(), Vec::new())?;
                let back = match &step.undo {
                    Undo::By { act, read_back, .. } => Some((act.as_ref(), read_back.as_slice())),
                    _ => None,
                };
                Some(act::probe(&self.site, &self.machine, doing.step, &doing.hosts, back).await)
            }
        };
        if let Some(hosts) = hosts {
            self.board.proof(hosts.values().flat_map(|outcome| &outcome.proof), self.now());
            self.write(Event::Outcome {
                step: planned.id.clone(),
                phase: doing.phase,
                attempt: doing.attempt,
                hosts,
                withheld: Vec::new(),
                took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            })?;
        }
        self.board.ended(&self.machine, doing.step, self.now());
        Ok(())
    }

    fn show(&self, doing: &Doing) {
        let plan = self.machine.plan();
        let Some(planned) = plan.steps.get(doing.step) else { return };
        let text = |t: &crate::runbook::template::Template| {
            let text = self.machine.at(doing.step, None, |scope| scope.shown(t));
            Clean::new(&text.unwrap_or_default())
        };
        let step = &planned.step;
        let undo = match &step.undo {
            Undo::Nothing | Undo::Impossible => None,
            Undo::NotNeeded(why) => Some(Clean::new(&format!("need not be taken back: {}", text(why)))),
            Undo::By { kind, .. } => {
                let shown = act::shown(&self.machine, doing.step, kind.as_ref(), &doing.hosts);
                shown.values().next().map(|t| Clean::first_line(t, 300))
            }
        };
        let shown = Shown {
            why: step.why.as_ref().map(text),
            impact: step.impact.as_ref().map(text),
            commands: Vec::new(),
            facts: Vec::new(),
            output: Vec::new(),
            next: next_line(&self.machine, doing.step),
            undo,
        };
        let state = match self.machine.rolling_back() {
            Some(_) => RunState::RollingBack,
            None => RunState::Running,
        };
        self.board.begin(&self.machine, doing.step, state, shown, self.now());
    }

    fn show_ready(&self, ready: &Ready) {
        let commands = ready
            .commands
            .iter()
            .map(|(host, text)| (HostName::new(host).ok(), Clean::lines(text)))
            .collect();
        self.board.doing(|doing| doing.commands = commands);
        self.board.facts(&ready.facts, self.now());
    }

    /// What it would do now, and the facts as they are now.
    async fn ready(&self, doing: &Doing, step: &Step) -> Result<Ready, String> {
        let mut commands = act::shown(&self.machine, doing.step, step.kind.as_ref(), &doing.hosts);
        if let Act::Edit(edit) = &step.act {
            for host in &doing.hosts {
                let diff = act::edit::diff(&self.site, &self.machine, doing.step, edit, host).await?;
                commands.insert(host.clone(), diff);
            }
        }
        if let Act::HostKey(key) = &step.act {
            for host in &doing.hosts {
                let diff = act::host_key::diff(&self.site, &self.machine, doing.step, key, host)?;
                commands.insert(host.clone(), diff);
            }
        }
        let proofs = act::prove(&self.site, &self.machine, doing.step, &step.pre, &doing.hosts).await;
        Ok(Ready { commands, facts: proofs.into_iter().map(|p| p.fact).collect() })
    }

    /// The step itself. `None`: nothing came of it that is to be written.
    async fn run_step(&mut self, doing: &Doing, step: &Step) -> Result<Option<Outcomes>, Halt> {
        let ready = match self.ready(doing, step).await {
            Ok(ready) => ready,
            Err(why) => return Ok(Some(self.in_dry_run(all(doing, Verdict::Failed(why))))),
        };
        self.show_ready(&ready);
        let changes = step.effect != Effect::Read;
        if self.machine.dry_run && changes {
            self.intend(doing, ready.commands, ready.facts)?;
            return Ok(Some(all(doing, Verdict::Printed)));
        }
        if let Some(fact) = ready.broken() {
            return Ok(Some(self.fact_failed(doing, fact)));
        }
        let mut ready = ready;
        if doing.confirm {
            match self.confirm_step(doing, step).await? {
                Said::Yes => {}
                // Nobody said no: what was held has to be had again first.
                Said::No(_) if self.has_lost_a_hold() => return Ok(None),
                Said::No(why) => return Ok(Some(all(doing, Verdict::Failed(why)))),
            }
            // Time went by while a person thought: what was shown must still be so.
            let again = match self.ready(doing, step).await {
                Ok(again) => again,
                Err(why) => return Ok(Some(all(doing, Verdict::Failed(why)))),
            };
            self.show_ready(&again);
            if let Some(fact) = again.broken() {
                return Ok(Some(self.fact_failed(doing, fact)));
            }
            if again.commands != ready.commands {
                let why = "what it would do changed since it was shown; nothing was done".to_owned();
                return Ok(Some(all(doing, Verdict::Failed(why))));
            }
            ready = again;
        }
        self.intend(doing, ready.commands, ready.facts)?;
        if let Act::Hold { .. } = &step.act {
            return self.open_hold(doing, step).await.map(Some);
        }
        let outcomes = self.perform(doing).await?;
        match &step.act {
            Act::Fence(_) => self.vouched(doing, outcomes).await,
            _ => Ok(Some(self.in_dry_run(outcomes))),
        }
    }

    pub(super) fn fact_failed(&self, doing: &Doing, fact: &Fact) -> Outcomes {
        if self.machine.dry_run && self.machine.has_printed() {
            return all(doing, Verdict::Printed);
        }
        let host = if fact.host.is_empty() { String::new() } else { format!(" on {}", fact.host) };
        all(doing, Verdict::Failed(format!("not done, because of \"{}\"{host}: {}", fact.says, fact.seen)))
    }

    /// Written and flushed before anything is done.
    pub(super) fn intend(
        &mut self,
        doing: &Doing,
        commands: BTreeMap<String, String>,
        facts: Vec<Fact>,
    ) -> Result<(), Halt> {
        let plan = self.machine.plan().clone();
        let Some(planned) = plan.steps.get(doing.step) else { return Ok(()) };
        let (step, phase, attempt) = (planned.id.clone(), doing.phase, doing.attempt);
        self.write(Event::Intent { step, phase, attempt, commands, facts })
    }

    /// Does it, and keeps listening meanwhile; what is said takes effect behind the step.
    async fn perform(&mut self, doing: &Doing) -> Result<Outcomes, Halt> {
        let mut waiting = Vec::new();
        let mut open = true;
        let done = {
            let work = act::perform(&self.site, &self.machine, doing.step, &doing.hosts);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    biased;
                    done = &mut work => break done,
                    command = self.commands.recv(), if open => match command {
                        Some(command) => waiting.push(command),
                        None => open = false,
                    },
                }
            }
        };
        for command in waiting {
            self.told(command)?;
        }
        if !open {
            self.stop = Some("the console let go of it".to_owned());
        }
        let mut done =
            done.unwrap_or_else(|| act::Done { hosts: all(doing, Verdict::Done), secrets: Vec::new() });
        for (name, host, value) in std::mem::take(&mut done.secrets) {
            match self.learn(&name, value.text())? {
                Ok(()) => self.machine.keep_secret(&name, &host, value),
                // What it printed may hold the secret, and nothing would hide it.
                Err(why) => drop(done.hosts.insert(host, act::failed(&format!("{name}: {why}")))),
            }
        }
        Ok(done.hosts)
    }

    /// Opens a session that is kept.
    async fn open_hold(&mut self, doing: &Doing, step: &Step) -> Result<Outcomes, Halt> {
        let Act::Hold { sql, heartbeat, .. } = &step.act else { return Ok(Outcomes::new()) };
        let mut outcomes = Outcomes::new();
        for host in &doing.hosts {
            let texts = self.machine.at(doing.step, Some(host), |scope| {
                Ok::<_, crate::runbook::scope::ScopeError>((
                    scope.sql(&sql.text, false)?,
                    scope.sql(heartbeat, false)?,
                ))
            });
            let opened = match texts {
                Some(Ok((open, beat))) => act::hold::open(&self.site, host, open, beat, step.timeout)
                    .await
                    .map_err(|t| t.words().to_owned()),
                Some(Err(error)) => Err(error.to_string()),
                None => Err("there is no such step".to_owned()),
            };
            let outcome = match opened {
                Ok((holding, answer)) => {
                    let answers = BTreeMap::from([(host.clone(), Ok(answer))]);
                    let outcome = act::conclude(&self.site, &self.machine, doing.step, answers).await;
                    let outcome = outcome.hosts.into_values().next();
                    if outcome.as_ref().is_some_and(|o| o.verdict == Verdict::Done) {
                        self.holds.insert(doing.step, holding);
                    }
                    outcome
                }
                Err(why) => Some(act::failed(&why)),
            };
            outcomes.extend(outcome.map(|o| (host.clone(), o)));
        }
        Ok(outcomes)
    }

    async fn undo_step(&mut self, doing: &Doing, step: &Step) -> Result<Option<Outcomes>, Halt> {
        let Undo::By { kind, act: back, read_back } = &step.undo else { return Ok(None) };
        let commands = act::shown(&self.machine, doing.step, kind.as_ref(), &doing.hosts);
        self.show_ready(&Ready { commands: commands.clone(), facts: Vec::new() });
        self.intend(doing, commands, Vec::new())?;
        if self.machine.dry_run {
            return Ok(Some(all(doing, Verdict::Done)));
        }
        Ok(Some(act::undo(&self.site, &self.machine, doing.step, back, read_back, &doing.hosts).await))
    }

    /// The next thing a person says; none when nobody is there any more.
    pub(super) async fn heard(&mut self) -> Option<RunCommand> {
        self.commands.recv().await
    }
}

/// How it went by host.
pub(super) type Outcomes = BTreeMap<String, HostOutcome>;

/// The same verdict for every host of a doing (`""` when it is on none).
pub(super) fn all(doing: &Doing, verdict: Verdict) -> Outcomes {
    let outcome = HostOutcome { verdict, values: BTreeMap::new(), output: String::new(), proof: Vec::new() };
    match doing.hosts.as_slice() {
        [] => BTreeMap::from([(String::new(), outcome)]),
        hosts => hosts.iter().map(|h| (h.clone(), outcome.clone())).collect(),
    }
}

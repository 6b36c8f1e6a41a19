//! What is shown of a run: made from the machine, and from what comes in while a step is under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::Needs;
use super::redacted::{hide, hide_past};
use crate::runbook::describe::prose;
use crate::runbook::event::Fact;
use crate::runbook::machine::{Machine, Status, StepRef};
use crate::runbook::place::Place;
use crate::runbook::redact::Redactor;
use crate::runbook::wall;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::{
    Asks, Doing, FactView, InEffect, Mode, Prompt, ReportSection, RunState, RunView, Safety, StepState,
    StepView,
};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Lines of output that are kept for the screen.
const OUTPUT_KEPT: usize = 400;

/// What is shown, and who looks.
pub(super) struct Board {
    shown: Mutex<Shown>,
    publish: watch::Sender<Arc<RunView>>,
    redactor: Redactor,
}

struct Shown {
    view: RunView,
    /// What the redactor knew when secrets were hidden in the steps that are over.
    knew: usize,
}

impl Board {
    pub(super) fn new(machine: &Machine, needs: &Needs) -> (Self, watch::Receiver<Arc<RunView>>) {
        let view = picture(machine, &needs.env.name, needs.simulated, (needs.clock)());
        let (publish, receiver) = watch::channel(Arc::new(view.clone()));
        let shown = Mutex::new(Shown { view, knew: 0 });
        (Self { shown, publish, redactor: needs.redactor.clone() }, receiver)
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut RunView)) {
        let view = {
            let mut shown = self.lock();
            let Shown { view, knew } = &mut *shown;
            change(view);
            hide(view, &self.redactor);
            let knows = self.redactor.knows();
            if *knew != knows {
                hide_past(&mut view.past, &self.redactor);
                *knew = knows;
            }
            view.clone()
        };
        self.publish.send_replace(Arc::new(view));
    }

    /// The steps as the machine has them now.
    pub(super) fn compose(&self, machine: &Machine) {
        self.change(|view| fill(view, machine));
    }

    /// A step begins.
    pub(super) fn begin(&self, at: StepRef<'_>, state: RunState, doing: Doing, now: Moment) {
        let position = at.planned().position;
        self.change(|view| {
            fill(view, at.machine());
            view.keep_current();
            view.current = Some(position);
            view.state = state;
            view.doing = Some(doing);
            if let Some(step) = view.steps.get_mut(position) {
                step.state = StepState::Running;
                step.began = Some(now);
                step.took = None;
            }
        });
    }

    /// A step ended.
    pub(super) fn ended(&self, at: StepRef<'_>, now: Moment) {
        self.change(|view| {
            fill(view, at.machine());
            if let Some(step) = view.steps.get_mut(at.planned().position) {
                step.took = step.began.map(|began| now.since(began));
            }
        });
    }

    /// What the run began and has not ended, and whether it is safe to stop here. The same moments come out a little different
    /// each time, since two clocks are compared: what differs only in those is the same.
    pub(super) fn stands(&self, in_effect: Vec<InEffect>, safety: Safety) {
        let same = {
            let shown = self.lock();
            let known = &shown.view.in_effect;
            let kept =
                |(new, old): (&InEffect, &InEffect)| InEffect { since: old.since, ..new.clone() } == *old;
            let effects = known.len() == in_effect.len() && in_effect.iter().zip(known).all(kept);
            effects && is_same(&safety, &shown.view.safety)
        };
        if !same {
            self.change(|view| (view.in_effect, view.safety) = (in_effect, safety));
        }
    }

    /// What the current step does.
    pub(super) fn doing(&self, change: impl FnOnce(&mut Doing)) {
        self.change(|view| change(view.doing.get_or_insert_default()));
    }

    /// Facts that were proved for it.
    pub(super) fn facts(&self, facts: &[Fact], at: Moment) {
        let facts: Vec<FactView> = facts.iter().map(|fact| seen(fact, at)).collect();
        self.doing(|doing| doing.facts = facts);
    }

    /// What was proved after it.
    pub(super) fn proof<'f>(&self, proof: impl Iterator<Item = &'f Fact>, at: Moment) {
        let proof: Vec<FactView> = proof.map(|fact| seen(fact, at)).collect();
        if !proof.is_empty() {
            self.doing(|doing| doing.facts.extend(proof));
        }
    }

    /// Output of the current step.
    pub(super) fn output(&self, place: &Place, lines: Vec<Clean>) {
        let host = place.host().cloned();
        self.doing(|doing| {
            for line in lines {
                doing.output.push((host.clone(), Clean::new(&self.redactor.text(line.as_str()))));
            }
            let over = doing.output.len().saturating_sub(OUTPUT_KEPT);
            doing.output.drain(..over);
            doing.output_before += over;
        });
    }

    /// A person is asked, or no longer.
    pub(super) fn prompt(&self, prompt: Option<Prompt>) {
        self.change(|view| {
            let asked = prompt.is_some();
            view.prompt = prompt;
            if matches!(view.state, RunState::Running | RunState::Waiting) {
                view.state = if asked { RunState::Waiting } else { RunState::Running };
            }
            let current = view.current.and_then(|i| view.steps.get_mut(i));
            if let Some(step) = current
                && matches!(step.state, StepState::Running | StepState::Asked)
            {
                step.state = if asked { StepState::Asked } else { StepState::Running };
            }
        });
    }

    /// A note was typed.
    pub(super) fn note(&self, who: &str, text: &str) {
        let at = Clean::new(&wall::time(Timestamp::now(), &TimeZone::system()));
        self.change(|view| view.notes.push((at, Clean::new(who), prose(text))));
    }

    /// The run is over, or has stopped.
    pub(super) fn end(&self, machine: &Machine, state: RunState, report: Vec<ReportSection>) {
        self.change(|view| {
            fill(view, machine);
            view.prompt = None;
            view.state = state;
            view.report = report;
        });
    }
}

/// Whether two say the same of the same moment, to a second.
fn is_same(new: &Safety, old: &Safety) -> bool {
    let near = |a: Moment, b: Moment| a.0.abs_diff(b.0) < 1000;
    match (new, old) {
        (Safety::Until { until, cost }, Safety::Until { until: then, cost: what }) => {
            near(*until, *then) && cost == what
        }
        (Safety::NoWrites { since, says }, Safety::NoWrites { since: then, says: what }) => {
            near(*since, *then) && says == what
        }
        (
            Safety::Safe
            | Safety::Meanwhile(_)
            | Safety::Until { .. }
            | Safety::NoWrites { .. }
            | Safety::Unknown(_),
            _,
        ) => new == old,
    }
}

/// A fact for eyes.
pub(in crate::runbook) fn seen(fact: &Fact, at: Moment) -> FactView {
    let seen = Clean::new(&fact.seen);
    FactView {
        says: Clean::new(&fact.says),
        host: fact.host.host().cloned(),
        seen: if fact.holds { Ok(seen) } else { Err(seen) },
        at,
    }
}

/// A run as its machine has it, that began at a moment.
pub(in crate::runbook) fn picture(
    machine: &Machine,
    env: &EnvName,
    simulated: bool,
    began: Moment,
) -> RunView {
    let mut view = empty(machine, env, simulated, began);
    fill(&mut view, machine);
    view
}

fn empty(machine: &Machine, env: &EnvName, simulated: bool, began: Moment) -> RunView {
    let plan = machine.plan();
    RunView {
        id: machine.run.to_string(),
        runbook: plan.runbook.name.clone(),
        title: Clean::new(&plan.runbook.title),
        env: env.clone(),
        simulated,
        mode: if machine.dry_run { Mode::DryRun } else { Mode::Live },
        who: Clean::new(&machine.who),
        why: Clean::new(&machine.reason),
        began,
        state: RunState::Running,
        steps: plan
            .steps
            .iter()
            .map(|planned| StepView {
                id: planned.id.to_string(),
                kind: planned.step.word(),
                asks: planned.step.kind.entry().asks,
                title: Clean::default(),
                on: Vec::new(),
                effect: planned.step.effect,
                point_of_no_return: planned.step.point_of_no_return,
                depth: planned.depth,
                captures: planned.step.capture.iter().map(|capture| capture.name.clone()).collect(),
                state: StepState::Waiting,
                began: None,
                took: None,
                skipped_by_operator: false,
            })
            .collect(),
        current: None,
        doing: None,
        past: Vec::new(),
        prompt: None,
        safety: Safety::Safe,
        in_effect: Vec::new(),
        values: Vec::new(),
        notes: Vec::new(),
        watching: false,
        trouble: None,
        report: Vec::new(),
    }
}

/// What follows from the machine.
pub(in crate::runbook) fn fill(view: &mut RunView, machine: &Machine) {
    if machine.rolling_back().is_some() && !matches!(view.state, RunState::RolledBack | RunState::Stopped(_))
    {
        view.state = RunState::RollingBack;
    }
    // A step that failed and is tried again or skipped has another end after this one, and both are told.
    let failed = |step: &StepView| matches!(step.state, StepState::Failed(_) | StepState::Unknown(_));
    if let Some((step, at)) = view.current.and_then(|at| view.steps.get(at).zip(machine.steps().nth(at)))
        && failed(step)
        && state(&at.record().status) != step.state
    {
        view.keep_current();
    }
    for (step, at) in view.steps.iter_mut().zip(machine.steps()) {
        let now = state(&at.record().status);
        // What is settled and was told stays as it is: a run has hundreds of steps, and this is done several times a step.
        let settled = matches!(step.state, StepState::Done | StepState::Skipped(_) | StepState::Printed);
        if settled && now == step.state && !step.title.as_str().is_empty() {
            continue;
        }
        step.title = prose(&at.shown(&at.step().title));
        step.on = at.known_hosts();
        step.state = now;
        step.skipped_by_operator = at.record().skipped_by_operator;
    }
    view.values = machine
        .captured()
        .iter()
        .flat_map(|(name, by_host)| {
            by_host.iter().map(move |(host, value)| {
                (name.clone(), host.host().cloned(), Clean::first_line(value.shown(), 200))
            })
        })
        .collect();
}

fn state(status: &Status) -> StepState {
    let clean = |text: &String| Clean::new(text);
    match status {
        Status::Waiting => StepState::Waiting,
        Status::Open(_) => StepState::Running,
        Status::Done => StepState::Done,
        Status::Printed => StepState::Printed,
        Status::NotDone => StepState::Failed(Clean::new("it was begun, and was not done")),
        Status::Failed(why) | Status::UndoFailed(why) => StepState::Failed(clean(why)),
        Status::Unknown(why) | Status::UndoUnknown(why) => StepState::Unknown(clean(why)),
        Status::Skipped(why) => StepState::Skipped(clean(why)),
        Status::Undone => StepState::Undone,
    }
}

/// What comes after a step, one line.
pub(super) fn next_line(at: StepRef<'_>) -> Option<Clean> {
    let behind = at.machine().steps().skip(at.planned().position + 1);
    let next = behind.into_iter().find(|step| !step.record().status.is_settled())?;
    let title = next.shown(&next.step().title);
    let asks = next.step().kind.entry().asks == Asks::Yes;
    Some(Clean::new(&if asks { format!("{title} (asks you)") } else { title }))
}

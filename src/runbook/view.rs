//! A run as its journal tells it: one fold over its entries, the same for the console that runs it, for all who
//! watch it and for whoever goes on with it. What no entry tells is laid over it ([`Overlay`]). Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::act;
use super::definition::Undo;
use super::describe::prose;
use super::event::{Ending, Event, Outcomes, ProvedFact};
use super::in_effect::{Marks, moment};
use super::journal::Entry;
use super::layout;
use super::machine::{Machine, StepRef, StepStatus};
use super::place::{Place, Places};
use super::report::RunReport;
use super::safety::{is_same, stands};
use super::template::Template;
use super::wall;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::run::{
    Asks, Doing, FactView, InEffect, Mode, RunState, RunView, Safety, StepState, StepView,
};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

mod overlay;

pub use overlay::{OperatorEnding, Overlay, StepOverlay};

/// Who says what an entry of trouble says.
const JUMPDECK: &str = "jumpdeck";

/// A run as its entries tell it so far.
#[derive(Debug, Clone)]
pub struct Fold {
    view: RunView,
    /// How each step is shown: its status when it was last looked at.
    known: Vec<StepStatus>,
    /// The step that is under way: its intent is there, and its outcome is not.
    open: Option<usize>,
    rolling_back: bool,
    marks: Marks,
}

impl Fold {
    /// A run as its machine has it, that began at a moment.
    #[must_use]
    pub fn new(machine: &Machine, env: &EnvName, simulated: bool, began: Moment) -> Self {
        let known = machine.steps().map(|at| at.record().status.clone()).collect();
        let view = empty(machine, env, simulated, began);
        let mut fold = Self { view, known, open: None, rolling_back: false, marks: Marks::default() };
        for (index, at) in machine.steps().enumerate() {
            fold.show(index, at);
        }
        fold.stand(machine, None);
        fold
    }

    /// The run.
    #[must_use]
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// Since when what it did is so.
    #[must_use]
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// How many steps were begun so far: what [`RunView::past`] will have when another one begins.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.view.past.len() + usize::from(self.view.current.is_some())
    }

    /// Whether a step is under way: its intent is there, and its outcome is not.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether it is being rolled back, or was.
    #[must_use]
    pub fn is_rolling_back(&self) -> bool {
        self.rolling_back
    }

    /// Takes the next entry, which the machine has taken already. `now` is the same moment by the screen's clock and by the
    /// wall's. What changes without a step having changed follows in [`Fold::settle`].
    pub fn take(&mut self, machine: &Machine, entry: &Entry, now: (Moment, Timestamp)) {
        let at = moment(now, entry.at);
        self.marks.take(entry);
        self.keep_failed(machine);
        match &entry.event {
            Event::Intent { step, commands, facts, .. } => {
                if let Ok(found) = machine.find(step) {
                    self.intend(found, commands, facts, at);
                }
            }
            Event::Outcome { step, hosts, took_ms, .. } => {
                if let Ok(found) = machine.find(step) {
                    self.conclude(found, hosts, Duration::from_millis(*took_ms), at);
                }
            }
            Event::Note { who, text } => self.note(entry.at, who, text),
            Event::Trouble { text } => self.note(entry.at, JUMPDECK, text),
            Event::Resumed { .. } => {
                self.close(machine);
                self.view.keep_current();
            }
            Event::Stopped { .. } => self.close(machine),
            Event::Started { .. }
            | Event::Answered { .. }
            | Event::Skipped { .. }
            | Event::Excluded { .. }
            | Event::RollingBack { .. }
            | Event::Abandoning { .. }
            | Event::WindowFailed { .. }
            | Event::HoldLost { .. }
            | Event::Ended { .. } => {}
        }
        self.show_changed(machine);
        self.stand(machine, Some(&entry.event));
    }

    /// What follows from all entries taken so far: values, what is in effect, texts of steps that are not over, the report.
    pub fn settle(&mut self, machine: &Machine, entries: &[Entry], now: (Moment, Timestamp)) {
        for (step, at) in self.view.steps.iter_mut().zip(machine.steps()) {
            // What is over stays as it was told: a run has hundreds of steps.
            if !matches!(step.state, StepState::Done | StepState::Skipped(_) | StepState::Printed) {
                tell(step, at);
            }
        }
        self.view.values = values(machine);
        self.keep_in_effect(stands(machine, &self.marks, now));
        self.view.report = match self.view.state.is_under_way() {
            true => Vec::new(),
            false => RunReport::shown(entries),
        };
    }

    /// The same moments come out a little different each time, since two clocks are compared: what differs only in those
    /// is the same.
    fn keep_in_effect(&mut self, (in_effect, safety): (Vec<InEffect>, Safety)) {
        let known = &self.view.in_effect;
        let kept = |(new, old): (&InEffect, &InEffect)| InEffect { since: old.since, ..new.clone() } == *old;
        let same = known.len() == in_effect.len() && in_effect.iter().zip(known).all(kept);
        if !(same && is_same(&safety, &self.view.safety)) {
            (self.view.in_effect, self.view.safety) = (in_effect, safety);
        }
    }

    /// How it stands after an entry.
    fn stand(&mut self, machine: &Machine, last: Option<&Event>) {
        self.rolling_back = machine.rolling_back().is_some();
        self.view.state = match (machine.ended(), last) {
            (Some(Ending::Finished), _) => RunState::Finished,
            (Some(Ending::RolledBack), _) => RunState::RolledBack,
            (Some(Ending::Abandoned(why)), _) => RunState::Abandoned(Clean::new(why)),
            (None, Some(Event::Stopped { reason })) => RunState::Stopped(Clean::new(reason)),
            (None, _) if self.rolling_back => RunState::RollingBack,
            (None, _) => RunState::Running,
        };
    }

    fn intend(
        &mut self,
        at: StepRef<'_>,
        commands: &BTreeMap<Place, String>,
        facts: &[ProvedFact],
        now: Moment,
    ) {
        let hosts = commands.keys().filter_map(|place| place.host().cloned());
        let places = Places::hosts_of(hosts).unwrap_or_else(|| at.known_places());
        let commands =
            commands.iter().map(|(place, text)| (place.host().cloned(), Clean::lines(text))).collect();
        let facts = facts.iter().map(|fact| seen(fact, now)).collect();
        self.begin(at, Doing { commands, facts, ..told(at, &places) });
        let index = at.planned().position;
        self.open = Some(index);
        self.show(index, at);
        if let Some(step) = self.view.steps.get_mut(index) {
            // Looking changes nothing that is known, and is under way all the same.
            (step.state, step.began, step.took) = (StepState::Running, Some(now), None);
        }
    }

    fn conclude(&mut self, at: StepRef<'_>, hosts: &Outcomes, took: Duration, now: Moment) {
        let index = at.planned().position;
        // What only asks people, or could not be begun, has no intent.
        if self.open != Some(index) || self.view.current != Some(index) {
            let on = hosts.iter().filter_map(|(place, _)| place.host().cloned());
            let places = Places::hosts_of(on).unwrap_or_else(Places::nowhere);
            self.begin(at, told(at, &places));
        }
        self.open = None;
        if let Some(doing) = &mut self.view.doing {
            for (place, outcome) in hosts {
                let lines = Clean::lines(&layout::shown(&outcome.output));
                doing.output.extend(lines.into_iter().map(|line| (place.host().cloned(), line)));
                doing.facts.extend(outcome.proof.iter().map(|fact| seen(fact, now)));
            }
        }
        self.show(index, at);
        if let Some(step) = self.view.steps.get_mut(index) {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            (step.began, step.took) = (Some(Moment(now.0.saturating_sub(ms))), Some(took));
        }
    }

    fn begin(&mut self, at: StepRef<'_>, doing: Doing) {
        self.view.keep_current();
        self.view.current = Some(at.planned().position);
        self.view.doing = Some(doing);
    }

    /// Nobody is at a step any more.
    fn close(&mut self, machine: &Machine) {
        if let Some((index, at)) = self.open.take().and_then(|at| Some((at, machine.steps().nth(at)?))) {
            self.show(index, at);
        }
    }

    fn note(&mut self, at: Timestamp, who: &str, text: &str) {
        let local = wall::time(at, &TimeZone::system());
        self.view.notes.push((Clean::new(&local), Clean::new(who), prose(text)));
    }

    /// A step that failed and is tried again or skipped has another end after this one, and both are told.
    fn keep_failed(&mut self, machine: &Machine) {
        let Some(index) = self.view.current else { return };
        let failed = self.view.steps.get(index).is_some_and(|step| has_failed(&step.state));
        let now = machine.steps().nth(index).map(|at| &at.record().status);
        if failed && now.is_some() && self.known.get(index) != now {
            self.view.keep_current();
        }
    }

    fn show_changed(&mut self, machine: &Machine) {
        for (index, at) in machine.steps().enumerate() {
            if self.known.get(index) != Some(&at.record().status) {
                self.show(index, at);
            }
        }
    }

    /// Shows a step as it is now.
    fn show(&mut self, index: usize, at: StepRef<'_>) {
        if let (Some(known), Some(step)) = (self.known.get_mut(index), self.view.steps.get_mut(index)) {
            known.clone_from(&at.record().status);
            step.state = state(&at.record().status);
            tell(step, at);
        }
    }
}

/// What a step that is not over says.
fn tell(step: &mut StepView, at: StepRef<'_>) {
    step.title = prose(&at.shown(&at.step().title));
    step.on = at.known_hosts();
    step.skipped_by_operator = at.record().skipped_by_operator;
}

fn has_failed(state: &StepState) -> bool {
    matches!(state, StepState::Failed(_) | StepState::Unknown(_))
}

/// A fact for eyes.
pub(in crate::runbook) fn seen(fact: &ProvedFact, at: Moment) -> FactView {
    let seen = Clean::new(&fact.seen);
    FactView {
        says: Clean::new(&fact.says),
        host: fact.host.host().cloned(),
        seen: if fact.holds { Ok(seen) } else { Err(seen) },
        at,
    }
}

/// What the runbook says of a step that begins at these places.
pub(in crate::runbook) fn told(at: StepRef<'_>, places: &Places) -> Doing {
    let text = |template: &Template| prose(&at.shown(template));
    let step = at.step();
    let undo = match &step.undo {
        Undo::Nothing | Undo::Impossible => None,
        Undo::NotNeeded(why) => Some(Clean::new(&format!("not needed ({})", text(why)))),
        Undo::By { kind, .. } => {
            let shown = act::shown(at, kind.as_ref(), places);
            shown.values().next().map(|text| Clean::first_line(text, 300))
        }
    };
    let (why, impact) = (step.why.as_ref().map(text), step.impact.as_ref().map(text));
    Doing { why, impact, next: next_line(at), undo, ..Doing::default() }
}

/// What comes after a step, one line.
fn next_line(at: StepRef<'_>) -> Option<Clean> {
    let behind = at.machine().steps().skip(at.planned().position + 1);
    let next = behind.into_iter().find(|step| !step.record().status.is_settled())?;
    let title = next.shown(&next.step().title);
    let asks = next.step().kind.entry().asks == Asks::Yes;
    Some(Clean::new(&if asks { format!("{title} (asks you)") } else { title }))
}

fn values(machine: &Machine) -> Vec<(String, Option<HostName>, Clean)> {
    let captured = machine.captured().iter();
    let each =
        captured.flat_map(|(name, by_place)| by_place.iter().map(move |(place, value)| (name, place, value)));
    let shown = each.map(|(name, place, value)| {
        (name.clone(), place.host().cloned(), Clean::first_line(value.shown(), 200))
    });
    shown.collect()
}

fn state(status: &StepStatus) -> StepState {
    let clean = |text: &String| Clean::new(text);
    match status {
        StepStatus::Waiting => StepState::Waiting,
        StepStatus::Open(_) => StepState::Running,
        StepStatus::Done => StepState::Done,
        StepStatus::Printed => StepState::Printed,
        StepStatus::NotDone => StepState::Failed(Clean::new("it was started, but was not done")),
        StepStatus::Failed(why) | StepStatus::UndoFailed(why) => StepState::Failed(clean(why)),
        StepStatus::Unknown(why) | StepStatus::UndoUnknown(why) => StepState::Unknown(clean(why)),
        StepStatus::Skipped(why) => StepState::Skipped(clean(why)),
        StepStatus::Undone => StepState::Undone,
    }
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
        earlier: 0,
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

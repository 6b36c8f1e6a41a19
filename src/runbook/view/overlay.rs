//! What a console knows of a run and no entry tells. It is laid over the run as its entries tell it; without it everybody
//! sees the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Fold, seen};
use crate::runbook::event::ProvedFact;
use jumpdeck_fleet::run::{Doing, FactView, Past, Prompt, ReportSection, RunState, RunView, StepState};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// What is laid over a run. Every field says why no entry has it.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// Whether somebody else runs it: that is who looks, and not what the run did.
    pub watching: bool,
    /// How many steps were over before this console went on: where its own account of the run begins.
    pub earlier: usize,
    /// What is wrong between this console and the run: an entry could not tell it.
    pub trouble: Option<Clean>,
    /// What is asked now: only the answer is written, and only the console that runs it can give it.
    pub prompt: Option<Prompt>,
    /// The step that is looked at: its intent is written after its question, its output with its outcome.
    pub step: Option<StepOverlay>,
    /// What steps that are over did while they were looked at, by their place in [`RunView::past`]: entries keep the end
    /// of the output, and no time of a fact.
    pub live: BTreeMap<usize, Doing>,
    /// How it stands for its operator, where that is not what the newest entry says.
    pub ending: OperatorEnding,
}

/// A step as the console that does it sees it.
#[derive(Debug, Clone)]
pub struct StepOverlay {
    /// Its place in the plan.
    pub position: usize,
    /// The place that it will have in [`RunView::past`].
    pub index: usize,
    /// What it does so far.
    pub doing: Doing,
    /// Since when it is under way; `None`: no more.
    pub since: Option<Moment>,
}

/// Whether a run is over for its operator.
#[derive(Debug, Clone, Default)]
pub enum OperatorEnding {
    /// As its entries say.
    #[default]
    AsWritten,
    /// Not yet, whatever the entries say: what was written is still on its way to the jump box, or the lease is not let go.
    NotYet,
    /// Its end could not be written: how it stands, and its report.
    Unwritten(RunState, Vec<ReportSection>),
}

impl Overlay {
    /// What somebody who watches has.
    #[must_use]
    pub fn of_watcher(trouble: Option<Clean>) -> Self {
        Self { watching: true, trouble, ..Self::default() }
    }

    /// A step begins.
    pub fn begin(&mut self, fold: &Fold, position: usize, doing: Doing, since: Moment) {
        self.keep();
        self.step = Some(StepOverlay { position, index: fold.begun(), doing, since: Some(since) });
        // What began and left no entry is told by nobody.
        self.live.retain(|index, _| *index < fold.begun());
    }

    /// What the step does.
    pub fn doing(&mut self, change: impl FnOnce(&mut Doing)) {
        if let Some(step) = &mut self.step {
            change(&mut step.doing);
        }
    }

    /// Facts that were proved for it.
    pub fn facts<'f>(&mut self, facts: impl Iterator<Item = &'f ProvedFact>, at: Moment) {
        let facts: Vec<FactView> = facts.map(|fact| seen(fact, at)).collect();
        self.doing(|doing| doing.facts = facts);
    }

    /// Facts that were proved after it.
    pub fn proof<'f>(&mut self, proof: impl Iterator<Item = &'f ProvedFact>, at: Moment) {
        self.doing(|doing| doing.facts.extend(proof.map(|fact| seen(fact, at))));
    }

    /// An entry was taken. When it is the outcome of the step, or another one was begun, the step is not under way any more.
    pub fn took(&mut self, fold: &Fold) {
        let Some(step) = &mut self.step else { return };
        let settled = fold.view().current == Some(step.position) && !fold.is_open();
        if step.index + 1 == fold.begun() && settled {
            step.since = None;
        }
        if step.index < fold.view().past.len() {
            self.keep();
        }
    }

    /// The step is not under way any more, whether it left an entry or not.
    pub fn ended(&mut self) {
        if let Some(step) = &mut self.step {
            step.since = None;
        }
    }

    /// What the steps before that place did is kept elsewhere.
    pub fn forget(&mut self, before: usize) {
        self.live.retain(|index, _| *index >= before);
    }

    fn keep(&mut self) {
        if let Some(step) = self.step.take() {
            self.live.insert(step.index, step.doing);
        }
    }

    /// What a step that is over did, as it was seen here.
    #[must_use]
    pub fn past(&self, index: usize, past: &Arc<Past>) -> Arc<Past> {
        match self.live.get(&index) {
            Some(doing) => Arc::new(Past { doing: doing.clone(), ..Past::clone(past) }),
            None => past.clone(),
        }
    }

    /// The run with this laid over it. `past`: its steps that are over, as [`Overlay::past`] has them.
    #[must_use]
    pub fn over(&self, fold: &Fold, past: &[Arc<Past>]) -> RunView {
        let mut view = RunView { past: past.to_vec(), ..fold.view().clone() };
        (view.watching, view.earlier) = (self.watching, self.earlier);
        view.trouble.clone_from(&self.trouble);
        match &self.ending {
            OperatorEnding::AsWritten => {}
            OperatorEnding::NotYet if view.state.is_under_way() => {}
            OperatorEnding::NotYet => {
                view.state = if fold.is_rolling_back() { RunState::RollingBack } else { RunState::Running };
                view.report = Vec::new();
            }
            OperatorEnding::Unwritten(state, report) => {
                view.state = state.clone();
                view.report.clone_from(report);
            }
        }
        if let Some(step) = &self.step {
            self.step_over(step, &mut view);
        }
        if let Some(prompt) = &self.prompt {
            ask(prompt, &mut view);
        }
        view
    }

    fn step_over(&self, step: &StepOverlay, view: &mut RunView) {
        if step.index > view.past.len() && view.current.is_some() {
            let before = view.past.len();
            view.keep_current();
            if let Some(past) = view.past.get_mut(before) {
                *past = self.past(before, past);
            }
        }
        view.current = Some(step.position);
        view.doing = Some(step.doing.clone());
        if let (Some(since), Some(shown)) = (step.since, view.steps.get_mut(step.position)) {
            (shown.state, shown.began, shown.took) = (StepState::Running, Some(since), None);
        }
    }
}

fn ask(prompt: &Prompt, view: &mut RunView) {
    view.prompt = Some(prompt.clone());
    if view.state == RunState::Running {
        view.state = RunState::Waiting;
    }
    let current = view.current.and_then(|at| view.steps.get_mut(at));
    if let Some(step) = current.filter(|step| step.state == StepState::Running) {
        step.state = StepState::Asked;
    }
}

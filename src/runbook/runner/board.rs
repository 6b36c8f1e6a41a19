//! What is shown of a run where it runs: its entries, folded, and over them what comes in while a step is under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::redacted::{hide, hide_past};
use super::{Follow, Needs};
use crate::runbook::event::{Event, ProvedFact};
use crate::runbook::in_effect::moment;
use crate::runbook::journal::Entry;
use crate::runbook::machine::{Machine, StepRef};
use crate::runbook::place::Place;
use crate::runbook::redact::Redactor;
use crate::runbook::report::RunReport;
use crate::runbook::view::{Fold, OperatorEnding, Overlay};
use crate::runbook::watched::Watch;
use jumpdeck_fleet::run::{Doing, Past, Prompt, RunState, RunView};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Lines of output that are kept for the screen.
const OUTPUT_KEPT: usize = 400;

/// What is shown, and who looks.
pub(super) struct Board {
    shown: Mutex<ShownSoFar>,
    publish: watch::Sender<Arc<RunView>>,
    redactor: Redactor,
    follow: Option<Follow>,
}

struct ShownSoFar {
    fold: Fold,
    overlay: Overlay,
    /// The steps that are over, as they are shown.
    past: Vec<Arc<Past>>,
    /// What the redactor knew when secrets were hidden in those.
    knew: usize,
}

impl ShownSoFar {
    /// Of a machine and the entries that made it. Without more than the first the machine alone tells the run, and where
    /// they cannot be read.
    fn new(machine: &Machine, needs: &Needs) -> Self {
        let now = ((needs.clock)(), Timestamp::now());
        let (mut began, mut simulated) = (now.0, needs.simulated);
        if let Some(first) = needs.entries.first() {
            began = moment(now, first.at);
            if let Event::Started { simulated: of_run, .. } = &first.event {
                simulated = *of_run;
            }
        }
        let fresh = || Fold::new(machine, &needs.env.name, simulated, began);
        let mut fold = match needs.entries.as_slice() {
            [] | [_] => fresh(),
            entries => Watch::of(entries, now).map_or_else(|_| fresh(), Watch::into_fold),
        };
        fold.settle(machine, &needs.entries, now);
        let overlay = Overlay { earlier: fold.begun(), ending: OperatorEnding::NotYet, ..Overlay::default() };
        Self { fold, overlay, past: Vec::new(), knew: 0 }
    }

    fn view(&mut self, redactor: &Redactor) -> RunView {
        let before = self.past.len();
        let new = self.fold.view().past.iter().enumerate().skip(before);
        self.past.extend(new.map(|(index, past)| self.overlay.past(index, past)));
        self.overlay.forget(self.past.len());
        let knows = redactor.knows();
        let unhidden = if self.knew == knows { before } else { 0 };
        if !redactor.is_empty() {
            hide_past(self.past.get_mut(unhidden..).unwrap_or_default(), redactor);
        }
        self.knew = knows;
        let mut view = self.overlay.over(&self.fold, &self.past);
        hide(&mut view, redactor);
        view
    }

    /// The run as its entries alone tell it.
    fn written(&self, redactor: &Redactor) -> RunView {
        let mut view = self.fold.view().clone();
        hide(&mut view, redactor);
        if !redactor.is_empty() {
            hide_past(&mut view.past, redactor);
        }
        view
    }
}

impl Board {
    pub(super) fn new(machine: &Machine, needs: &Needs) -> (Self, watch::Receiver<Arc<RunView>>) {
        let mut shown = ShownSoFar::new(machine, needs);
        let (publish, receiver) = watch::channel(Arc::new(shown.view(&needs.redactor)));
        let (redactor, follow) = (needs.redactor.clone(), needs.follow.clone());
        (Self { shown: Mutex::new(shown), publish, redactor, follow }, receiver)
    }

    fn lock(&self) -> MutexGuard<'_, ShownSoFar> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut ShownSoFar)) {
        let view = {
            let mut shown = self.lock();
            change(&mut shown);
            shown.view(&self.redactor)
        };
        self.publish.send_replace(Arc::new(view));
    }

    /// An entry was written: the last of these.
    pub(super) fn take(&self, machine: &Machine, entries: &[Entry], now: (Moment, Timestamp)) {
        let Some(entry) = entries.last() else { return };
        self.change(|shown| {
            shown.fold.take(machine, entry, now);
            shown.fold.settle(machine, entries, now);
            shown.overlay.took(&shown.fold);
        });
        if let Some(follow) = &self.follow {
            let written = self.lock().written(&self.redactor);
            follow(entry, &written);
        }
    }

    /// A step begins.
    pub(super) fn begin(&self, at: StepRef<'_>, doing: Doing, now: Moment) {
        self.change(|shown| shown.overlay.begin(&shown.fold, at.planned().position, doing, now));
    }

    /// The step is not under way any more.
    pub(super) fn ended(&self) {
        self.change(|shown| shown.overlay.ended());
    }

    /// What the current step does.
    pub(super) fn doing(&self, change: impl FnOnce(&mut Doing)) {
        self.change(|shown| shown.overlay.doing(change));
    }

    /// Facts that were proved for it.
    pub(super) fn facts(&self, facts: &[ProvedFact], at: Moment) {
        self.change(|shown| shown.overlay.facts(facts.iter(), at));
    }

    /// What was proved after it.
    pub(super) fn proof<'f>(&self, proof: impl Iterator<Item = &'f ProvedFact>, at: Moment) {
        let mut proof = proof.peekable();
        if proof.peek().is_some() {
            self.change(|shown| shown.overlay.proof(proof, at));
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
        self.change(|shown| shown.overlay.prompt = prompt);
    }

    /// The run is over, or has stopped.
    pub(super) fn end(&self, state: RunState, entries: &[Entry]) {
        self.change(|shown| {
            shown.overlay.prompt = None;
            shown.overlay.ended();
            shown.overlay.ending = match shown.fold.view().state.is_under_way() {
                true => OperatorEnding::Unwritten(state, RunReport::shown(entries)),
                false => OperatorEnding::AsWritten,
            };
        });
    }
}

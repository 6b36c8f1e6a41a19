//! The rules of windows: nobody is asked inside, everything in them was agreed to before, and every change before the point of no
//! return can be undone.

use std::ops::Range;

use super::{Reading, Where};
use crate::runbook::definition::{Confirming, OnFail, Step, Undo, Writes};
use crate::runbook::kinds::DoneBy;
use jumpdeck_fleet::run::{Asks, Effect};

/// What is around a step.
#[derive(Clone, Copy, Default)]
struct AroundStep<'s> {
    /// The window.
    window: Option<&'s Step>,
    /// A `for_each`.
    batch: bool,
}

impl Reading<'_> {
    /// Judges the windows of a runbook, when all of its steps are known.
    pub(super) fn windows(&mut self, steps: &[Step]) {
        self.windows_in(steps, steps, AroundStep::default());
    }

    fn windows_in(&mut self, all: &[Step], steps: &[Step], around: AroundStep<'_>) {
        for step in steps {
            let Some(group) = step.group() else { continue };
            let is_window = group.limit().is_some();
            if is_window && (around.window.is_some() || around.batch) {
                let outer = if around.batch { "a for_each" } else { "another window" };
                let help =
                    "a window is a step of its own: move it out, and let its steps run on all hosts at once";
                self.at_step(step, format!("a window within {outer}"), help);
            } else if is_window {
                self.window(all, step);
            }
            let around = AroundStep {
                window: if is_window { Some(step) } else { around.window },
                batch: around.batch || step.kind.entry().repeats(),
            };
            for part in &step.inside {
                self.windows_in(all, &part.steps, around);
            }
        }
    }

    fn window(&mut self, all: &[Step], window: &Step) {
        let mut inside = Vec::new();
        self.flat(window, &mut inside);
        let returns: Vec<&Step> = inside.iter().copied().filter(|step| step.point_of_no_return).collect();
        if let [_, second, ..] = returns.as_slice() {
            let help = "keep one: a failure before it undoes the window, and nothing is undone after it";
            self.at_step(second, "a second point of no return in a window".to_owned(), help);
        }
        let mut behind = false;
        for step in inside {
            self.in_window(all, step);
            if step.point_of_no_return {
                self.return_in_window(step);
                behind = true;
            } else if !behind {
                self.before_return(step);
            }
            if step.point_of_no_return || !behind {
                self.proofs_in_window(window, step);
            }
        }
    }

    /// The steps of a window; a `for_each` among them is an error.
    fn flat<'s>(&mut self, group: &'s Step, out: &mut Vec<&'s Step>) {
        for step in group.inside.iter().flat_map(|part| &part.steps) {
            if step.group().is_none() {
                out.push(step);
            } else if step.kind.entry().repeats() {
                let help = "let its steps run on the target: they run on all of its hosts at once";
                self.at_step(step, format!("a {} within a window", step.word()), help);
            } else {
                self.flat(step, out);
            }
        }
    }

    /// What holds of every step in a window.
    fn in_window(&mut self, all: &[Step], step: &Step) {
        let asks = step.kind.entry().asks != Asks::Nothing || step.kind.entry().on == Where::Nowhere;
        let people = matches!(step.kind.done_by(), DoneBy::People(_)) || step.kind.second_person().is_some();
        if asks || people {
            let help = "move it before the window: inside a window no question and no text is shown";
            self.at_step(step, format!("a {} within a window", step.word()), help);
            return;
        }
        if step.kind.keeps_session().is_some() {
            let help = "open the session before the window: users would wait for the login";
            self.at_step(step, format!("a {} within a window", step.word()), help);
            return;
        }
        if step.always {
            self.at_step(step, "`always` within a window".to_owned(), "move the step after the window");
        }
        if step.effect == Effect::Read {
            return;
        }
        let Confirming::CoveredBy(by) = &step.confirm else {
            let help = "add its id to `covers` of a challenge before the window: inside a window no question is asked";
            self.at_step(
                step,
                "no step asks for agreement to this change before the window".to_owned(),
                help,
            );
            return;
        };
        if let Some((covering, conditional)) = find(all, by, false) {
            let skipped = matches!(covering.on_fail, OnFail::Skip(_));
            if conditional || !covering.when.is_empty() || skipped {
                let message = format!("{by:?}, which covers a step of a window, may be skipped");
                self.at_step(
                    covering,
                    message,
                    "remove its conditions and on_fail: the window needs its confirmation",
                );
            }
        }
    }

    /// What holds before the point of no return.
    fn before_return(&mut self, step: &Step) {
        if step.on_fail != OnFail::Stop {
            let help =
                "remove it: whatever fails in a window before its point of no return undoes the window";
            self.at_step(step, "on_fail within a window".to_owned(), help);
        }
        if step.safe_point || step.max_dwell.is_some() {
            let help = "remove it: a run does not pause in a window; its `limit` says how long it may take";
            self.at_step(step, "safe_point or max_dwell within a window".to_owned(), help);
        }
        if step.writes == Some(Writes::Stop) && !matches!(step.undo, Undo::By { .. }) {
            let help = "add undo = { sql = \"SET GLOBAL read_only = 0\", read_back = [ … ] }";
            self.at_step(
                step,
                "writes are stopped in a window, and no undo resumes them when it fails".to_owned(),
                help,
            );
        }
    }

    /// Users wait for what is proved before the point of no return, and for the proof of an undo.
    fn proofs_in_window(&mut self, window: &Step, step: &Step) {
        let Some(limit) = window.group().and_then(|group| group.limit()) else { return };
        let undo = match &step.undo {
            Undo::By { read_back, .. } => read_back.as_slice(),
            Undo::Nothing | Undo::NotNeeded(_) | Undo::Impossible => &[],
        };
        let mut checks = [step.pre.as_slice(), &step.read_back, &step.done_if, undo].into_iter().flatten();
        if checks.any(|check| check.timeout.is_some_and(|timeout| timeout > limit)) {
            let help = "make it shorter, or move the check before the window: users wait for it";
            let limit = limit.as_secs_f64();
            self.at_step(step, format!("a check may take longer than its window of {limit} s"), help);
        }
    }

    /// A window is undone when its point of no return was not done: what tells that must not ask about anything else.
    fn return_in_window(&mut self, step: &Step) {
        let proofs = if step.done_if.is_empty() { &step.read_back } else { &step.done_if };
        if proofs.iter().any(|check| check.on.is_some()) {
            let help = "add done_if with checks on the step's own host only: when one does not hold, the window is undone";
            let message = "the proof of this point of no return asks another host".to_owned();
            self.at_step(step, message, help);
        }
    }

    fn at_step(&mut self, step: &Step, message: String, help: &str) {
        let span: Range<usize> = self.ids.first(&step.id).unwrap_or(0..0);
        self.reader.error(span, format!("step {:?}: {message}", step.id), help);
    }
}

/// The step of that id, and whether a condition of a group around it may leave it out.
fn find<'s>(steps: &'s [Step], id: &str, conditional: bool) -> Option<(&'s Step, bool)> {
    steps.iter().find_map(|step| {
        if step.id == id {
            return Some((step, conditional));
        }
        let conditional = conditional || !step.when.is_empty();
        step.inside.iter().find_map(|part| find(&part.steps, id, conditional))
    })
}

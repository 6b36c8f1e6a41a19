//! Dry runs: nothing is asked but what reading needs, and of what would be asked it is said so.

use super::doing::all;
use super::{Halt, Runner, act};
use crate::runbook::definition::Step;
use crate::runbook::event::{Outcomes, Verdict};
use crate::runbook::kinds::{ByPeople, DoneBy};
use crate::runbook::machine::Task;
use crate::runbook::uses;
use jumpdeck_fleet::run::Effect;
use jumpdeck_fleet::text::Clean;

impl Runner {
    /// What a dry run does with a step for people; nothing where it does what a live one does.
    pub(super) fn instead_of_asking(&self, task: &Task, kind: &dyn ByPeople) -> Option<Outcomes> {
        if !self.machine.dry_run {
            return None;
        }
        let asked = kind.would_ask(self, task)?;
        let lines = [vec![Clean::new(&format!("would ask {}:", kind.who()))], asked].concat();
        let output = lines.iter().map(Clean::as_str).collect::<Vec<_>>().join("\n");
        self.say(lines);
        let mut outcomes = all(task, Verdict::Printed);
        outcomes.values_mut().for_each(|outcome| outcome.output.clone_from(&output));
        Some(outcomes)
    }

    /// Whether a later step needs a variable to read, or to know whether it is done at all.
    pub(in crate::runbook) fn is_needed(&self, task: &Task, name: &str) -> bool {
        self.machine.plan().steps.iter().skip(task.step.position + 1).any(|planned| {
            let step = &planned.step;
            let reads = step.effect == Effect::Read && matches!(step.kind.done_by(), DoneBy::Machines(_));
            let branches = planned.under.iter().flat_map(|(_, branch)| &branch.when);
            uses::conditions(step.when.iter().chain(branches)).contains(name)
                || (reads && uses::names(step).contains(name))
        })
    }

    /// In a dry run, what is read after a change that was only printed may be different then.
    pub(super) fn in_dry_run(&self, mut outcomes: Outcomes) -> Outcomes {
        if self.machine.dry_run && self.machine.has_printed() {
            for (host, outcome) in &mut outcomes {
                if let Verdict::Failed(why) = &outcome.verdict {
                    let text = format!(
                        "proves nothing in a dry run, where the changes before it are only printed: {why}"
                    );
                    (self.site.out)(host, vec![Clean::new(&text)]);
                    outcome.verdict = Verdict::Printed;
                }
            }
        }
        outcomes
    }

    /// Whether the facts that a step of people rests on hold; what comes of it when they do not.
    pub(super) async fn unfounded(&self, task: &Task, step: &Step) -> Result<Option<Outcomes>, Halt> {
        if step.pre.is_empty() {
            return Ok(None);
        }
        let proofs = act::prove(&self.site, self.step_of(task)?, &step.pre, Some(&task.places)).await;
        let facts: Vec<_> = proofs.into_iter().map(|proof| proof.fact).collect();
        self.board.facts(&facts, self.now());
        Ok(facts.iter().find(|fact| !fact.holds).map(|fact| self.fact_failed(task, fact)))
    }
}

//! A second person: asked for by a step, and where a step that needs one is not proved.

use std::sync::Arc;

use super::doing::all;
use super::people::QuestionOutcome;
use super::{Halt, Runner};
use crate::runbook::approval::ApprovalQuestion;
use crate::runbook::event::{Asked, Event, OperatorAnswer, Outcomes, Phase, Verdict};
use crate::runbook::ids::StepId;
use crate::runbook::kinds::SecondPerson;
use crate::runbook::machine::Task;
use crate::runbook::place::Places;
use crate::runbook::plan::PlannedStep;
use crate::runbook::replay;
use crate::runbook::scope::quoted;
use jumpdeck_fleet::run::{PromptKind, Reply};
use jumpdeck_fleet::text::Clean;

impl Runner {
    /// Waits for a second person. Without a lease nobody else could be heard: then it cannot be had.
    pub(in crate::runbook) async fn approved(
        &mut self,
        task: &Task,
        title: String,
        text: &[Clean],
        doubts: &[String],
    ) -> Result<Option<Outcomes>, Halt> {
        let id = task.step.id.clone();
        // As those who watch see the run: they cannot know its secrets.
        let seen = replay::machine(&self.needs.entries).map_err(|error| {
            Halt::Stopped(format!("nobody can approve {id}: watchers cannot read the run's entries: {error}"))
        })?;
        // It lies on the jump box, and its doubts are cut: secrets in them give way first.
        let doubts: Vec<String> = doubts.iter().map(|doubt| self.needs.redactor.text(doubt)).collect();
        let question = ApprovalQuestion::of(&seen, id.as_str(), &doubts);
        if let Some(lease) = &mut self.needs.lease {
            lease.ask(question.clone());
        }
        let answered = self.until_approved(task, title, text, &id, question).await;
        if let Some(lease) = &mut self.needs.lease {
            lease.ask(None);
        }
        answered
    }

    async fn until_approved(
        &mut self,
        task: &Task,
        title: String,
        text: &[Clean],
        id: &StepId,
        question: Option<ApprovalQuestion>,
    ) -> Result<Option<Outcomes>, Halt> {
        let limits = self.needs.lease.as_ref().and_then(|lease| lease.limits());
        let command = match (self.needs.simulated, limits) {
            (true, _) => {
                "no second operator can: a simulated fleet exists in this program only; type no".to_owned()
            }
            (false, Some(limits)) => format!("no second operator can: {limits}"),
            (false, None) => {
                let (run, env) = (&self.machine.run, &self.needs.env.name);
                format!(
                    "jumpdeck runbook approve {run} {} --env {}",
                    quoted(id.as_str()),
                    quoted(env.as_str())
                )
            }
        };
        loop {
            let kind = PromptKind::Approve(Clean::new(&command));
            match self.put(title.clone(), text.to_vec(), kind).await? {
                QuestionOutcome::Approved(approved) => {
                    if let Some(why) = self.refusal(&approved) {
                        self.write(Event::Trouble { text: format!("approval ignored: {why}") }).await?;
                        // What was approved is forgotten with this.
                        if let Some(lease) = &mut self.needs.lease {
                            lease.ask(question.clone());
                        }
                        continue;
                    }
                    let (step, who) = (id.clone(), approved.to_string());
                    let answer = OperatorAnswer::Confirmed(Asked::Approve);
                    let event = Event::Answered { step, answer, who, reason: None };
                    self.write_approved(event, Some(Self::kept(&approved))).await?;
                    return Ok(Some(all(task, Verdict::Done)));
                }
                QuestionOutcome::Said(Reply::No) => return self.settled(task, Asked::Approve, false).await,
                // The one who runs it cannot approve it.
                QuestionOutcome::Said(_) => {}
                QuestionOutcome::Nothing => return Ok(None),
            }
        }
    }

    /// A step that needs it, and whose proof does not hold, counts as done only when a second person says so. `None`: nobody
    /// answered.
    pub(super) async fn vouched(
        &mut self,
        task: &Task,
        wanted: &SecondPerson,
        mut outcomes: Outcomes,
    ) -> Result<Option<Outcomes>, Halt> {
        let doubts: Vec<String> = outcomes
            .iter()
            .filter_map(|(host, outcome)| match &outcome.verdict {
                Verdict::Failed(why) | Verdict::Unknown(why) => Some(format!("{host}: {why}")),
                Verdict::Done | Verdict::NotDone | Verdict::Printed => None,
            })
            .collect();
        if doubts.is_empty() || self.machine.dry_run {
            return Ok(Some(outcomes));
        }
        let proof: Vec<_> = outcomes.values().flat_map(|outcome| &outcome.proof).cloned().collect();
        self.board.proof(proof.iter(), self.now());
        match self.second_person(task, wanted, &doubts).await? {
            None => Ok(None),
            Some(false) => Ok(Some(outcomes)),
            Some(true) => {
                outcomes.values_mut().for_each(|outcome| outcome.verdict = Verdict::Done);
                Ok(Some(outcomes))
            }
        }
    }

    /// Whether a second person says that a step was done, though it is not proved. `None`: nobody answered.
    async fn second_person(
        &mut self,
        task: &Task,
        wanted: &SecondPerson,
        doubts: &[String],
    ) -> Result<Option<bool>, Halt> {
        let planned = &task.step;
        // Who is asked sees it in the entries of the run.
        let text = format!("{}: {}: {}", planned.id, wanted.doubt, doubts.join("; "));
        self.write(Event::Trouble { text }).await?;
        let title = format!("{} {}", wanted.question, self.text(task, &planned.step.title));
        let mut lines: Vec<Clean> = doubts.iter().map(|doubt| Clean::new(doubt)).collect();
        lines.push(Clean::new(wanted.wanted));
        let answer = self.approved(task, title, &lines, doubts).await?;
        Ok(answer.map(|outcomes| outcomes.values().all(|o| o.verdict == Verdict::Done)))
    }

    /// Whether one who says that such a step was done has a second person who says so too.
    pub(super) async fn second_person_agrees(
        &mut self,
        planned: &Arc<PlannedStep>,
        wanted: &SecondPerson,
        why: &str,
    ) -> Result<bool, Halt> {
        if let Some(lease) = &mut self.needs.lease {
            lease.step(planned.id.as_str());
        }
        let (step, places) = (planned.clone(), Places::nowhere());
        let task = Task { step, phase: Phase::Probe, attempt: 0, places, confirm: false };
        Ok(self.second_person(&task, wanted, &[why.to_owned()]).await? == Some(true))
    }
}

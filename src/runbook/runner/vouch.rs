//! A second person: asked for by a step, and where nobody can prove that a host is cut off.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::doing::all;
use super::{Halt, Runner};
use crate::domain::run::{PromptKind, Reply};
use crate::domain::text::Clean;
use crate::runbook::event::{Event, Outcomes, Phase, Verdict};
use crate::runbook::machine::Task;
use crate::runbook::place::Places;
use crate::runbook::plan::PlannedStep;
use crate::runbook::scope::quoted;

/// Time between two looks whether a second person has approved.
const APPROVAL_EVERY: Duration = Duration::from_millis(500);

impl Runner {
    /// Waits for a second person. Without a lease nobody else could be heard: then it cannot be had.
    pub(super) async fn approved(
        &mut self,
        task: &Task,
        title: String,
        text: &[Clean],
    ) -> Result<Option<Outcomes>, Halt> {
        let id = task.step.id.clone();
        let command = match self.needs.simulated {
            true => "nobody can: a simulated fleet is in this program only; say no to give up".to_owned(),
            false => {
                let (run, env) = (&self.machine.run, &self.needs.env.name);
                format!(
                    "jumpdeck runbook approve {run} {} --env {}",
                    quoted(id.as_str()),
                    quoted(env.as_str())
                )
            }
        };
        loop {
            if let Some(who) = self.needs.lease.as_ref().and_then(|l| l.approved(id.as_str())) {
                self.board.prompt(None);
                let (step, asked, answer) = (id, "approve".to_owned(), "yes".to_owned());
                self.write(Event::Answered { step, asked, answer, who, reason: None })?;
                return Ok(Some(all(task, Verdict::Done)));
            }
            let kind = PromptKind::Approve(Clean::new(&command));
            let asked = self.ask(title.clone(), text.to_vec(), kind);
            match timeout(APPROVAL_EVERY, asked).await {
                // Looked again.
                Err(_) => self.prompts -= 1,
                Ok(reply) => match reply? {
                    Some(Reply::No) => return self.settled(task, "approve", false),
                    // The one who runs it cannot approve it.
                    Some(_) => {}
                    None => return Ok(None),
                },
            }
        }
    }

    /// A fence whose proof does not hold stands only on the word of a second person. `None`: nobody answered.
    pub(super) async fn vouched(
        &mut self,
        task: &Task,
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
        match self.second_person(task, &doubts).await? {
            None => Ok(None),
            Some(false) => Ok(Some(outcomes)),
            Some(true) => {
                outcomes.values_mut().for_each(|outcome| outcome.verdict = Verdict::Done);
                Ok(Some(outcomes))
            }
        }
    }

    /// Whether a second person says that a fence holds, though it is not proved. `None`: nobody answered.
    async fn second_person(&mut self, task: &Task, doubts: &[String]) -> Result<Option<bool>, Halt> {
        let planned = &task.step;
        // Who is asked sees it in the entries of the run.
        let text = format!("{}: it is not proved that it is cut off: {}", planned.id, doubts.join("; "));
        self.write(Event::Trouble { text })?;
        let title = format!("Is it cut off? {}", self.text(task, &planned.step.title));
        let mut lines: Vec<Clean> = doubts.iter().map(|doubt| Clean::new(doubt)).collect();
        lines.push(Clean::new("It is not proved. A second person looks, and says that it is cut off."));
        let answer = self.approved(task, title, &lines).await?;
        Ok(answer.map(|outcomes| outcomes.values().all(|o| o.verdict == Verdict::Done)))
    }

    /// Whether one who says that a fence was done has a second person who says so too.
    pub(super) async fn fence_was_done(
        &mut self,
        planned: &Arc<PlannedStep>,
        why: &str,
    ) -> Result<bool, Halt> {
        if let Some(lease) = &mut self.needs.lease {
            lease.step(planned.id.as_str());
        }
        let (step, places) = (planned.clone(), Places::nowhere());
        let task = Task { step, phase: Phase::Probe, attempt: 0, places, confirm: false };
        Ok(self.second_person(&task, &[why.to_owned()]).await? == Some(true))
    }
}

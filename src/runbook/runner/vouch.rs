//! A second person: asked for by a step, and where nobody can prove that a host is cut off.

use std::time::Duration;

use tokio::time::timeout;

use super::doing::{Outcomes, all};
use super::{Halt, Runner};
use crate::domain::run::{PromptKind, Reply};
use crate::domain::text::Clean;
use crate::runbook::event::{Event, Phase, Verdict};
use crate::runbook::machine::Doing;
use crate::runbook::scope::quoted;

/// Time between two looks whether a second person has approved.
const APPROVAL_EVERY: Duration = Duration::from_millis(500);

impl Runner {
    /// Waits for a second person. Without a lease nobody else could be heard: then it cannot be had.
    pub(super) async fn approved(
        &mut self,
        doing: &Doing,
        title: String,
        text: &[Clean],
    ) -> Result<Option<Outcomes>, Halt> {
        let plan = self.machine.plan().clone();
        let id = plan.steps.get(doing.step).map(|s| s.id.clone()).unwrap_or_default();
        let command = match self.needs.simulated {
            true => "nobody can: a simulated fleet is in this program only; say no to give up".to_owned(),
            false => {
                let (run, env) = (&self.machine.run, &self.needs.env.name);
                format!("jumpdeck runbook approve {run} {} --env {}", quoted(&id), quoted(env.as_str()))
            }
        };
        loop {
            if let Some(who) = self.needs.lease.as_ref().and_then(|l| l.approved(&id)) {
                self.board.prompt(None);
                let (step, asked, answer) = (id, "approve".to_owned(), "yes".to_owned());
                self.write(Event::Answered { step, asked, answer, who, reason: None })?;
                return Ok(Some(all(doing, Verdict::Done)));
            }
            let kind = PromptKind::Approve(Clean::new(&command));
            let asked = self.ask(title.clone(), text.to_vec(), kind);
            match timeout(APPROVAL_EVERY, asked).await {
                // Looked again.
                Err(_) => self.prompts -= 1,
                Ok(reply) => match reply? {
                    Some(Reply::No) => return self.settled(doing, "approve", false),
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
        doing: &Doing,
        mut outcomes: Outcomes,
    ) -> Result<Option<Outcomes>, Halt> {
        let doubts: Vec<String> = outcomes
            .iter()
            .filter_map(|(host, outcome)| match &outcome.verdict {
                Verdict::Failed(why) | Verdict::Unknown(why) => Some(format!("{host}: {why}")),
                _ => None,
            })
            .collect();
        if doubts.is_empty() || self.machine.dry_run {
            return Ok(Some(outcomes));
        }
        let proof: Vec<_> = outcomes.values().flat_map(|outcome| &outcome.proof).cloned().collect();
        self.board.proof(proof.iter(), self.now());
        match self.second_person(doing, &doubts).await? {
            None => Ok(None),
            Some(false) => Ok(Some(outcomes)),
            Some(true) => {
                outcomes.values_mut().for_each(|outcome| outcome.verdict = Verdict::Done);
                Ok(Some(outcomes))
            }
        }
    }

    /// Whether a second person says that a fence holds, though it is not proved. `None`: nobody answered.
    async fn second_person(&mut self, doing: &Doing, doubts: &[String]) -> Result<Option<bool>, Halt> {
        let plan = self.machine.plan().clone();
        let Some(planned) = plan.steps.get(doing.step) else { return Ok(None) };
        // Who is asked sees it in the entries of the run.
        let text = format!("{}: it is not proved that it is cut off: {}", planned.id, doubts.join("; "));
        self.write(Event::Trouble { text })?;
        let title = format!("Is it cut off? {}", self.text(doing, &planned.step.title));
        let mut lines: Vec<Clean> = doubts.iter().map(|doubt| Clean::new(doubt)).collect();
        lines.push(Clean::new("It is not proved. A second person looks, and says that it is cut off."));
        let answer = self.approved(doing, title, &lines).await?;
        Ok(answer.map(|outcomes| outcomes.values().all(|o| o.verdict == Verdict::Done)))
    }

    /// Whether one who says that a fence was done has a second person who says so too.
    pub(super) async fn fence_was_done(&mut self, step: usize, why: &str) -> Result<bool, Halt> {
        let plan = self.machine.plan().clone();
        let Some(planned) = plan.steps.get(step) else { return Ok(false) };
        if let Some(lease) = &mut self.needs.lease {
            lease.step(&planned.id);
        }
        let doing = Doing { step, phase: Phase::Probe, attempt: 0, hosts: Vec::new(), confirm: false };
        Ok(self.second_person(&doing, &[why.to_owned()]).await? == Some(true))
    }
}

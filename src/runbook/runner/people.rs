//! What is asked of people. The default is always no; an answer to another prompt than the one on screen is none.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::armed::Armed;
use super::doing::all;
use super::{Halt, Runner, act};
use crate::runbook::approval::Approved;
use crate::runbook::definition::{Confirming, Step};
use crate::runbook::describe;
use crate::runbook::event::{Asked, Event, OperatorAnswer, Outcomes, Verdict};
use crate::runbook::kinds::ByPeople;
use crate::runbook::machine::Task;
use crate::runbook::place::Place;
use crate::runbook::template::Template;
use crate::runbook::value::{Value, ValueKind};
use jumpdeck_fleet::run::{Choice, Effect, InputView, Prompt, PromptKind, Reply, RunCommand};
use jumpdeck_fleet::text::Clean;

/// Time between two looks, while a question waits for its answer, whether what it rests on is still held.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a person said to a question of yes or no.
pub(super) enum YesOrNo {
    Yes,
    No(String),
}

/// What came of a question.
pub(super) enum QuestionOutcome {
    /// The person here answered.
    Said(Reply),
    /// A second person said yes.
    Approved(Approved),
    /// Nobody answered: it was taken back.
    Nothing,
}

impl Runner {
    /// Puts a question, and waits for its answer. Notes are taken meanwhile; a stop, nobody there, or a held session that
    /// is lost meanwhile, is `None`.
    pub(super) async fn ask(
        &mut self,
        title: String,
        text: Vec<Clean>,
        kind: PromptKind,
    ) -> Result<Option<Reply>, Halt> {
        match self.put(title, text, kind).await? {
            QuestionOutcome::Said(reply) => Ok(Some(reply)),
            QuestionOutcome::Approved(_) | QuestionOutcome::Nothing => Ok(None),
        }
    }

    /// Puts a question, and waits for an answer of the person here or of a second one. A lease that is lost meanwhile
    /// withdraws the question: the run stops. So does one that turns out to be lost when the answer comes.
    pub(super) async fn put(
        &mut self,
        title: String,
        text: Vec<Clean>,
        kind: PromptKind,
    ) -> Result<QuestionOutcome, Halt> {
        self.prompts += 1;
        let number = self.prompts;
        let named = title.clone();
        self.board.prompt(Some(Prompt { number, title: Clean::new(&title), text, kind }));
        let heard = self.until_answered(number, &named).await;
        self.board.prompt(None);
        heard
    }

    async fn until_answered(&mut self, number: u64, title: &str) -> Result<QuestionOutcome, Halt> {
        loop {
            if let Some(why) = self.lost_lease() {
                let so = format!("the question \"{title}\" was withdrawn");
                return Err(self.lease_is_lost(&why, &so).await?);
            }
            if self.has_lost_a_hold() {
                return Ok(QuestionOutcome::Nothing);
            }
            if let Some(approved) = self.needs.lease.as_ref().and_then(|l| l.approved()) {
                self.prove_lease("the approval does not count").await?;
                return Ok(QuestionOutcome::Approved(approved));
            }
            let Ok(said) = timeout(LOOK_EVERY, self.heard()).await else { continue };
            match said {
                Some(RunCommand::Answer { prompt, reply }) if prompt == number => {
                    // It may have been typed before this program was stopped for a while, or while the lease was lost.
                    self.prove_lease(&format!("the answer to \"{title}\" does not count")).await?;
                    return Ok(QuestionOutcome::Said(reply));
                }
                Some(RunCommand::Answer { .. }) => {}
                Some(command) => {
                    self.told(command).await?;
                    if self.stop.is_some() || self.back {
                        return Ok(QuestionOutcome::Nothing);
                    }
                }
                None => {
                    self.stop = Some("the console ended".to_owned());
                    return Ok(QuestionOutcome::Nothing);
                }
            }
        }
    }

    pub(super) async fn answered(&mut self, task: &Task, answer: OperatorAnswer) -> Result<(), Halt> {
        let (step, who) = (task.step.id.clone(), self.needs.who.clone());
        self.write(Event::Answered { step, answer, who, reason: None }).await
    }

    pub(in crate::runbook) fn text(&self, task: &Task, template: &Template) -> String {
        self.machine.at(&task.step, None, |scope| scope.shown(template))
    }

    /// A yes to a step, right before it. Where the environment is guarded, or what goes is gone for good, a value on
    /// screen must be typed.
    pub(super) async fn confirm_step(&mut self, task: &Task, step: &Step) -> Result<YesOrNo, Halt> {
        let title = self.text(task, &step.title);
        let typed =
            self.needs.env.is_guarded() || step.effect == Effect::Destructive || step.point_of_no_return;
        let mut hosts = task.places.hosts();
        let value = match (hosts.next(), hosts.next()) {
            (Some(one), None) => one.to_string(),
            (None, _) | (Some(_), Some(_)) => self.needs.env.name.to_string(),
        };
        let mut text = Vec::new();
        if step.point_of_no_return {
            text.push(Clean::new(
                "Point of no return: nothing before this step can be rolled back afterwards.",
            ));
        }
        if let Some(impact) = &step.impact {
            text.push(Clean::new(&format!("What users notice: {}", self.text(task, impact))));
        }
        if typed {
            let what = if value == self.needs.env.name.as_str() { "environment" } else { "host" };
            text.push(Clean::new(&format!("Type {value}: the {what} that this changes.")));
        }
        let yes = match typed {
            true => self.challenged(title, text, &value).await?,
            false => self.agreed(title, text).await?,
        };
        match yes {
            true => {
                let asked = if typed { Asked::Challenge } else { Asked::Confirm };
                self.answered(task, OperatorAnswer::Confirmed(asked)).await?;
                Ok(YesOrNo::Yes)
            }
            false => Ok(YesOrNo::No("not confirmed; nothing was done".to_owned())),
        }
    }

    pub(in crate::runbook) async fn agreed(&mut self, title: String, text: Vec<Clean>) -> Result<bool, Halt> {
        Ok(matches!(self.ask(title, text, PromptKind::Confirm).await?, Some(Reply::Yes)))
    }

    /// Asks for a value until it is typed as shown, or refused.
    pub(in crate::runbook) async fn challenged(
        &mut self,
        title: String,
        text: Vec<Clean>,
        value: &str,
    ) -> Result<bool, Halt> {
        let mut lines = text.clone();
        loop {
            let kind = PromptKind::Challenge(Clean::new(value));
            match self.ask(title.clone(), lines, kind).await? {
                Some(Reply::Text(typed)) if typed.trim() == value => return Ok(true),
                Some(Reply::Text(_)) => {
                    lines = text.clone();
                    lines.push(Clean::new(&format!("That does not match: type {value}")));
                }
                Some(Reply::Yes | Reply::No | Reply::Chosen(..)) | None => return Ok(false),
            }
        }
    }

    /// Does what a person does.
    pub(super) async fn ask_people(
        &mut self,
        task: &Task,
        kind: &dyn ByPeople,
    ) -> Result<Option<Outcomes>, Halt> {
        if let Some(outcomes) = self.unfounded(task, &task.step.step).await? {
            return Ok(Some(outcomes));
        }
        if let Some(outcomes) = self.instead_of_asking(task, kind) {
            return Ok(Some(outcomes));
        }
        if task.step.step.effect != Effect::Read {
            match self.wait_until_armed(task).await? {
                Armed::Yes => {}
                Armed::Asked => return Ok(None),
                Armed::No(why) => return Ok(Some(all(task, Verdict::Failed(why)))),
            }
            // What is done by hand counts as begun when it is shown.
            let commands = act::shown(self.step_of(task)?, task.step.step.kind.as_ref(), &task.places);
            let _begun = self.intend(task, commands, Vec::new()).await?;
        }
        kind.ask(self, task).await
    }

    /// The title of a task's step, for eyes.
    pub(in crate::runbook) fn title(&self, task: &Task) -> String {
        self.text(task, &task.step.step.title)
    }

    /// Why a task's step is done, for eyes.
    pub(in crate::runbook) fn why(&self, task: &Task) -> Vec<Clean> {
        task.step.step.why.iter().flat_map(|why| Clean::lines(&self.text(task, why))).collect()
    }

    /// Tells something to whoever follows the run.
    pub(in crate::runbook) fn say(&self, lines: Vec<Clean>) {
        (self.site.out)(&Place::Nowhere, lines);
    }

    /// The name that must be typed where the environment is guarded.
    pub(in crate::runbook) fn guarded_name(&self) -> Option<String> {
        self.needs.env.is_guarded().then(|| self.needs.env.name.to_string())
    }

    /// The same verdict for every place of a task.
    pub(in crate::runbook) fn all(&self, task: &Task, verdict: Verdict) -> Outcomes {
        all(task, verdict)
    }

    /// Proves from the targets that what was done by hand is in effect.
    pub(in crate::runbook) async fn read_back(
        &self,
        task: &Task,
        outcomes: &mut Outcomes,
    ) -> Result<(), Halt> {
        let (at, places) = (self.step_of(task)?, Some(&task.places));
        act::read_back(&self.site, at, &at.step().read_back, places, outcomes).await;
        Ok(())
    }

    /// The commands of the steps a confirmation covers.
    pub(in crate::runbook) fn covered(&self, covers: &[String], task: &Task) -> Vec<Clean> {
        let prefix = task.step.id.prefix();
        let asking = [task.step.id.as_str(), task.step.id.last()];
        let mut lines = Vec::new();
        for at in self.machine.steps() {
            // A step outside of batches may cover steps in all of them.
            let plain = at.id().as_str().strip_prefix(prefix).unwrap_or(at.id().as_str());
            let last = at.id().last();
            // A group that is covered has its changes covered: they are named nowhere else.
            let within =
                matches!(&at.step().confirm, Confirming::CoveredBy(by) if asking.contains(&by.as_str()));
            if !(within || covers.iter().any(|c| c == plain || c == last)) || at.is_left_out() {
                continue;
            }
            // None of its hosts is left.
            if matches!(at.hosts(), Ok(Some(hosts)) if hosts.is_empty()) {
                continue;
            }
            let places = at.known_places();
            let names = places.names(", ");
            let names = if names.is_empty() { "-" } else { names.as_str() };
            lines.push(Clean::new(&format!("{} ({names})", at.shown(&at.step().title))));
            lines.extend(describe::commands(act::shown(at, at.step().kind.as_ref(), &places)));
            if at.step().point_of_no_return {
                lines.push(Clean::new("    Point of no return."));
            }
        }
        lines
    }

    pub(in crate::runbook) async fn settled(
        &mut self,
        task: &Task,
        asked: Asked,
        yes: bool,
    ) -> Result<Option<Outcomes>, Halt> {
        if self.stop.is_some() || self.back || self.has_lost_a_hold() {
            // Nobody answered: the question stays open.
            return Ok(None);
        }
        let answer = if yes { OperatorAnswer::Confirmed(asked) } else { OperatorAnswer::Declined(asked) };
        self.answered(task, answer).await?;
        let verdict =
            if yes { Verdict::Done } else { Verdict::Failed(format!("declined by {}", self.needs.who)) };
        Ok(Some(all(task, verdict)))
    }

    /// A typed value, asked for again until it fits.
    pub(in crate::runbook) async fn typed(
        &mut self,
        task: &Task,
        asked: Asked,
        title: String,
        text: Vec<Clean>,
        (name, kind, secret): (String, ValueKind, bool),
        view: &InputView,
    ) -> Result<Option<Outcomes>, Halt> {
        let mut lines = text.clone();
        loop {
            let reply = self.ask(title.clone(), lines, PromptKind::Input(view.clone())).await?;
            let typed = match reply {
                Some(Reply::Text(typed)) => typed,
                Some(_) => return self.settled(task, asked, false).await,
                None => return Ok(None),
            };
            let value = if secret { Value::secret(kind, &typed) } else { Value::new(kind, &typed) };
            if let Ok(value) = &value
                && secret
                && let Err(why) = self.learn(&name, value.text()).await?
            {
                lines = [text.clone(), vec![Clean::new(&why.to_string())]].concat();
                continue;
            }
            match value {
                Ok(value)
                    if view.choices.is_empty() || view.choices.iter().any(|c| c.as_str() == value.text()) =>
                {
                    let answer = match secret {
                        true => OperatorAnswer::Hidden(asked),
                        false => OperatorAnswer::Typed(asked, value.text().to_owned()),
                    };
                    self.answered(task, answer).await?;
                    let mut outcomes = all(task, Verdict::Done);
                    match secret {
                        true => {
                            self.machine.keep_secret(&name, Place::Nowhere, value);
                        }
                        false => {
                            let values = BTreeMap::from([(name, value.text().to_owned())]);
                            outcomes.values_mut().for_each(|o| o.values.clone_from(&values));
                        }
                    }
                    return Ok(Some(outcomes));
                }
                Ok(_) => lines = [text.clone(), vec![Clean::new("That is not one of the choices.")]].concat(),
                Err(error) => lines = [text.clone(), vec![Clean::new(&error.to_string())]].concat(),
            }
        }
    }
}

/// A way on that can be chosen.
pub(super) fn choice(key: char, label: &str, reason: bool, changes: bool) -> Choice {
    Choice { key, label: Clean::new(label), reason, changes }
}

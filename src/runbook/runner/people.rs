//! What is asked of people. The default is always no; an answer to another prompt than the one on screen is none.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::doing::{Outcomes, all};
use super::{Halt, Runner, act};
use crate::domain::run::{Choice, Effect, InputView, Prompt, PromptKind, Reply, RunCommand};
use crate::domain::text::Clean;
use crate::runbook::event::{Event, Verdict};
use crate::runbook::machine::Doing;
use crate::runbook::spec::{Act, Input, On, Step};
use crate::runbook::template::Template;
use crate::runbook::value::{Value, ValueKind};

/// Time between two looks, while a question stands, whether what it rests on is still held.
const HELD_EVERY: Duration = Duration::from_millis(500);

/// How long a note stands by itself, at least.
const NOTE_STANDS: Duration = Duration::from_millis(400);

/// What a person said to a question of yes or no.
pub(super) enum Said {
    Yes,
    No(String),
}

impl Runner {
    /// Whether a person does it.
    pub(super) fn is_for_people(act: &Act) -> bool {
        matches!(
            act,
            Act::Note(_)
                | Act::Input(_)
                | Act::Manual { .. }
                | Act::Confirm { .. }
                | Act::Challenge { .. }
                | Act::Approve { .. }
                | Act::Report
        )
    }

    /// Puts a question, and waits for its answer. Notes are taken meanwhile; a stop, nobody there, or a held session that
    /// is lost meanwhile, is `None`.
    pub(super) async fn ask(
        &mut self,
        title: String,
        text: Vec<Clean>,
        kind: PromptKind,
    ) -> Result<Option<Reply>, Halt> {
        self.prompts += 1;
        let number = self.prompts;
        self.board.prompt(Some(Prompt { number, title: Clean::new(&title), text, kind }));
        let reply = loop {
            let said = match timeout(HELD_EVERY, self.heard()).await {
                Ok(said) => said,
                Err(_) if self.has_lost_a_hold() => break None,
                Err(_) => continue,
            };
            match said {
                Some(RunCommand::Answer { prompt, reply }) if prompt == number => break Some(reply),
                Some(RunCommand::Answer { .. }) => {}
                Some(command) => {
                    self.told(command)?;
                    if self.stop.is_some() || self.back {
                        break None;
                    }
                }
                None => {
                    self.stop = Some("the console let go of it".to_owned());
                    break None;
                }
            }
        };
        self.board.prompt(None);
        Ok(reply)
    }

    fn answered(&mut self, doing: &Doing, asked: &str, answer: &str) -> Result<(), Halt> {
        let plan = self.machine.plan().clone();
        let step = plan.steps.get(doing.step).map(|s| s.id.clone()).unwrap_or_default();
        let who = self.needs.who.clone();
        self.write(Event::Answered {
            step,
            asked: asked.to_owned(),
            answer: answer.to_owned(),
            who,
            reason: None,
        })
    }

    pub(super) fn text(&self, doing: &Doing, template: &Template) -> String {
        self.machine.at(doing.step, None, |scope| scope.shown(template)).unwrap_or_default()
    }

    /// A yes to a step, right before it. Where the environment is guarded, or what goes is gone for good, a value on
    /// screen must be typed.
    pub(super) async fn confirm_step(&mut self, doing: &Doing, step: &Step) -> Result<Said, Halt> {
        let title = self.text(doing, &step.title);
        let typed =
            self.needs.env.is_guarded() || step.effect == Effect::Destructive || step.point_of_no_return;
        let value = match doing.hosts.as_slice() {
            [one] => one.clone(),
            _ => self.needs.env.name.to_string(),
        };
        let mut text = Vec::new();
        if step.point_of_no_return {
            text.push(Clean::new("Point of no return: after this nothing before it can be taken back."));
        }
        if let Some(impact) = &step.impact {
            text.push(Clean::new(&format!("What users notice: {}", self.text(doing, impact))));
        }
        let yes = match typed {
            true => self.challenged(title, text, &value).await?,
            false => self.agreed(title, text).await?,
        };
        match yes {
            true => {
                self.answered(doing, if typed { "challenge" } else { "confirm" }, "yes")?;
                Ok(Said::Yes)
            }
            false => Ok(Said::No("not confirmed; nothing was done".to_owned())),
        }
    }

    async fn agreed(&mut self, title: String, text: Vec<Clean>) -> Result<bool, Halt> {
        Ok(matches!(self.ask(title, text, PromptKind::Confirm).await?, Some(Reply::Yes)))
    }

    /// Asks for a value until it is typed as it stands, or refused.
    async fn challenged(&mut self, title: String, text: Vec<Clean>, value: &str) -> Result<bool, Halt> {
        let mut lines = text.clone();
        loop {
            let kind = PromptKind::Challenge(Clean::new(value));
            match self.ask(title.clone(), lines, kind).await? {
                Some(Reply::Text(typed)) if typed.trim() == value => return Ok(true),
                Some(Reply::Text(_)) => {
                    lines = text.clone();
                    lines.push(Clean::new("That is not what stands there."));
                }
                _ => return Ok(false),
            }
        }
    }

    /// Does what a person does.
    pub(super) async fn ask_people(&mut self, doing: &Doing, step: &Step) -> Result<Option<Outcomes>, Halt> {
        if let Some(outcomes) = self.unfounded(doing, step).await {
            return Ok(Some(outcomes));
        }
        if let Some(outcomes) = self.instead_of_asking(doing, step) {
            return Ok(Some(outcomes));
        }
        let title = self.text(doing, &step.title);
        let why: Vec<Clean> = step.why.iter().flat_map(|t| Clean::lines(&self.text(doing, t))).collect();
        match &step.act {
            Act::Note(text) => {
                let shown = self.text(doing, text);
                (self.site.out)("", Clean::lines(&shown));
                // Whoever follows the run sees it before the next step takes its place.
                tokio::time::sleep(NOTE_STANDS).await;
                let mut outcomes = all(doing, Verdict::Done);
                outcomes.values_mut().for_each(|o| o.output.clone_from(&shown));
                Ok(Some(outcomes))
            }
            Act::Report => Ok(Some(all(doing, Verdict::Done))),
            Act::Confirm { covers } => {
                let lines = [why, self.covered(covers, doing)].concat();
                let yes = match self.needs.env.is_guarded() {
                    true => {
                        let name = self.needs.env.name.to_string();
                        self.challenged(title, lines, &name).await?
                    }
                    false => self.agreed(title, lines).await?,
                };
                self.settled(doing, "confirm", yes)
            }
            Act::Challenge { value, covers } => {
                let value = self.machine.at(doing.step, None, |scope| scope.text(value));
                let Some(Ok(value)) = value else {
                    let why = "the value to type is not known".to_owned();
                    return Ok(Some(all(doing, Verdict::Failed(why))));
                };
                let lines = [why, self.covered(covers, doing)].concat();
                let yes = self.challenged(title, lines, &value).await?;
                self.settled(doing, "challenge", yes)
            }
            Act::Approve { text } => {
                self.approved(doing, title, &[why, Clean::lines(&self.text(doing, text))].concat()).await
            }
            Act::Input(input) => {
                let kind = (input.name.clone(), input.kind, input.sensitive);
                self.typed(doing, "input", title, why, kind, &view(input)).await
            }
            Act::Manual { text, state } => {
                let text = self.text(doing, text);
                self.manual(doing, step, title, [why, Clean::lines(&text)].concat(), state.as_ref()).await
            }
            _ => Ok(None),
        }
    }

    /// What a person does by hand, and proves. Where that changes something it counts as begun when it is shown.
    async fn manual(
        &mut self,
        doing: &Doing,
        step: &Step,
        title: String,
        lines: Vec<Clean>,
        state: Option<&(String, ValueKind)>,
    ) -> Result<Option<Outcomes>, Halt> {
        if step.effect != Effect::Read {
            let commands = act::shown(&self.machine, doing.step, step.kind.as_ref(), &doing.hosts);
            self.intend(doing, commands, Vec::new())?;
        }
        let outcomes = match state {
            None => {
                let yes = self.agreed(title, lines).await?;
                self.settled(doing, "manual", yes)?
            }
            Some((name, kind)) => {
                let view = InputView {
                    name: name.clone(),
                    label: Clean::new("What you see"),
                    help: None,
                    wanted: Clean::new(kind.wanted()),
                    choices: Vec::new(),
                    default: None,
                    sensitive: false,
                };
                self.typed(doing, "manual", title, lines, (name.clone(), *kind, false), &view).await?
            }
        };
        let Some(mut outcomes) = outcomes else { return Ok(None) };
        if outcomes.values().all(|outcome| outcome.verdict == Verdict::Done) {
            act::read_back(
                &self.site,
                &self.machine,
                doing.step,
                &step.read_back,
                &doing.hosts,
                &mut outcomes,
            )
            .await;
        }
        Ok(Some(outcomes))
    }

    /// The commands of the steps a confirmation covers.
    pub(super) fn covered(&self, covers: &[String], doing: &Doing) -> Vec<Clean> {
        let plan = self.machine.plan();
        let own = plan.steps.get(doing.step).map_or("", |s| s.id.as_str());
        let prefix = own.rsplit_once('/').map_or(String::new(), |(p, _)| format!("{p}/"));
        let mut lines = Vec::new();
        for (index, planned) in plan.steps.iter().enumerate() {
            // A step outside of batches may cover steps in all of them.
            let plain = planned.id.strip_prefix(&prefix).unwrap_or(&planned.id);
            let last = planned.id.rsplit('/').next().unwrap_or_default();
            if !covers.iter().any(|c| c == plain || c == last) || self.machine.is_left_out(index) {
                continue;
            }
            let title =
                self.machine.at(index, None, |scope| scope.shown(&planned.step.title)).unwrap_or_default();
            let hosts = self.machine.hosts(index);
            if planned.step.on != On::Nowhere && hosts.as_ref().is_some_and(Vec::is_empty) {
                continue;
            }
            let hosts = hosts.unwrap_or_default();
            lines.push(Clean::new(&format!(
                "{title} ({})",
                if hosts.is_empty() { "-".to_owned() } else { hosts.join(", ") }
            )));
            for (_, text) in act::shown(&self.machine, index, planned.step.kind.as_ref(), &hosts) {
                lines.extend(Clean::lines(&text).into_iter().map(|l| Clean::new(&format!("    {l}"))));
            }
            if planned.step.point_of_no_return {
                lines.push(Clean::new("    Point of no return."));
            }
        }
        lines
    }

    pub(super) fn settled(
        &mut self,
        doing: &Doing,
        asked: &str,
        yes: bool,
    ) -> Result<Option<Outcomes>, Halt> {
        if self.stop.is_some() || self.back || self.has_lost_a_hold() {
            // Nobody answered: the question stays open.
            return Ok(None);
        }
        self.answered(doing, asked, if yes { "yes" } else { "no" })?;
        let verdict = if yes { Verdict::Done } else { Verdict::Failed("a person said no".to_owned()) };
        Ok(Some(all(doing, verdict)))
    }

    /// A typed value, asked for again until it fits.
    async fn typed(
        &mut self,
        doing: &Doing,
        asked: &str,
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
                Some(_) => return self.settled(doing, asked, false),
                None => return Ok(None),
            };
            let value = if secret { Value::secret(kind, &typed) } else { Value::new(kind, &typed) };
            if let Ok(value) = &value
                && secret
                && let Err(why) = self.learn(&name, value.text())?
            {
                lines = [text.clone(), vec![Clean::new(&why.to_string())]].concat();
                continue;
            }
            match value {
                Ok(value)
                    if view.choices.is_empty() || view.choices.iter().any(|c| c.as_str() == value.text()) =>
                {
                    self.answered(doing, asked, if secret { "…" } else { value.text() })?;
                    let mut outcomes = all(doing, Verdict::Done);
                    match secret {
                        true => {
                            self.machine.keep_secret(&name, "", value);
                        }
                        false => {
                            let values = BTreeMap::from([(name, value.text().to_owned())]);
                            outcomes.values_mut().for_each(|o| o.values.clone_from(&values));
                        }
                    }
                    return Ok(Some(outcomes));
                }
                Ok(_) => lines = [text.clone(), vec![Clean::new("That is none of the choices.")]].concat(),
                Err(error) => lines = [text.clone(), vec![Clean::new(&error.to_string())]].concat(),
            }
        }
    }
}

fn view(input: &Input) -> InputView {
    InputView {
        name: input.name.clone(),
        label: Clean::new(&input.label),
        help: input.help.as_deref().map(Clean::new),
        wanted: Clean::new(input.kind.wanted()),
        choices: input.choices.iter().map(|c| Clean::new(c)).collect(),
        default: input.default.as_deref().map(Clean::new),
        sensitive: input.sensitive,
    }
}

/// A way on that can be chosen.
pub(super) fn choice(key: char, label: &str, reason: bool) -> Choice {
    Choice { key, label: Clean::new(label), reason }
}

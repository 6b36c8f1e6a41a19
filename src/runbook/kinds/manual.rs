//! `manual`: done by hand; the value seen is stated.

use std::sync::Arc;

use super::{Brings, ByPeople, DoneBy, Effects, KindEntry, Reads, StepKind, Used};
use crate::config::reader::Table;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::event::{Asked, Outcomes, Verdict};
use crate::runbook::machine::Task;
use crate::runbook::place::Places;
use crate::runbook::runner::{Halt, Runner};
use crate::runbook::scope::Scope;
use crate::runbook::template::Template;
use crate::runbook::value::ValueKind;
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::{Asks, Effect, InputView};
use jumpdeck_fleet::text::Clean;

const OWN: &[&str] = &["text", "state", "effect", "read_back", "done_if", "undo", "point_of_no_return"];

pub(super) static KIND: KindEntry = KindEntry {
    asks: Asks::Work,
    effects: Effects { usual: Effect::Read, must_be_said: false, ..Effects::SAID },
    one_host: true,
    brings_at: &["state", "name"],
    ..KindEntry::new("manual", &[keys::ALL, keys::DONE, OWN], Reads::Step(read))
};

#[derive(Debug)]
struct ManualStep {
    /// What to do, and where.
    text: Template,
    /// The variable the value seen goes into, if one is asked for.
    state: Option<(String, ValueKind)>,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    let text = reading.need_text(table, "text", Use::Shown, "write text = \"what to do, and where\"");
    let hint = "write state = { name = \"address\", kind = \"address\" }";
    let mut state = None;
    if let Some(inner) = reading.reader.subtable(table, "state", hint) {
        reading.reader.only(&inner, &["name", "kind"]);
        let name = reading.need_string(&inner, "name", hint).filter(|name| reading.variable_name(name));
        let kind = reading.kind(&inner, "kind");
        match (name, kind) {
            (Some(name), Some(kind)) => state = Some((name.value.to_owned(), kind)),
            (Some(name), None) => reading.names.anything(name.value),
            (None, _) => {}
        }
    }
    Some(Arc::new(ManualStep { text: text?, state }))
}

/// The question for the value seen.
fn seen(name: &str, kind: ValueKind) -> InputView {
    InputView {
        name: name.to_owned(),
        label: Clean::new("What you see"),
        help: None,
        wanted: Clean::new(kind.wanted()),
        choices: Vec::new(),
        default: None,
        finds: false,
        because: None,
        sensitive: false,
        not: Vec::new(),
    }
}

impl StepKind for ManualStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::People(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.text.to_string()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.shown(&self.text)
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}

    fn brings(&self) -> Option<Brings<'_>> {
        let (name, kind) = self.state.as_ref()?;
        Some(Brings { name, kind: *kind, secret: false, key: "state" })
    }

    fn only_people_know(&self) -> bool {
        self.state.is_some()
    }
}

impl ByPeople for ManualStep {
    fn ask<'r>(
        &'r self,
        run: &'r mut Runner,
        task: &'r Task,
    ) -> BoxFuture<'r, Result<Option<Outcomes>, Halt>> {
        Box::pin(async move {
            let (title, why) = (run.title(task), run.why(task));
            let lines = [why, Clean::lines(&run.text(task, &self.text))].concat();
            let outcomes = match &self.state {
                None => {
                    let yes = run.agreed(title, lines).await?;
                    run.settled(task, Asked::Manual, yes).await?
                }
                Some((name, kind)) => {
                    let value = (name.clone(), *kind, false);
                    run.typed(task, Asked::Manual, title, lines, value, &seen(name, *kind)).await?
                }
            };
            let Some(mut outcomes) = outcomes else { return Ok(None) };
            if outcomes.values().all(|outcome| outcome.verdict == Verdict::Done) {
                run.read_back(task, &mut outcomes).await?;
            }
            Ok(Some(outcomes))
        })
    }

    fn would_ask(&self, run: &Runner, task: &Task) -> Option<Vec<Clean>> {
        let mut lines = Clean::lines(&run.text(task, &self.text));
        if let Some((name, _)) = &self.state {
            lines.push(Clean::new(&format!("{{{name}}} is not known in a dry run")));
        }
        Some(lines)
    }
}

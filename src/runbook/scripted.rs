//! A step that is a shell script, whatever its kind: what several kinds share.

use std::sync::Arc;

use super::act::{Done, For, Mark, PlaceAnswers, Work};
use super::definition::read::{KindEntry, Reading};
use super::definition::{Ask, Script, Step};
use super::event::Outcomes;
use super::kinds::{ByMachines, DoneBy, SecondPerson, StepKind, TakesBack, Used};
use super::place::Places;
use super::scope::Scope;
use super::uses;
use crate::config::reader::Table;
use crate::transport::BoxFuture;

/// A script on the step's hosts.
#[derive(Debug)]
pub(super) struct ScriptStep {
    entry: &'static KindEntry,
    script: Script,
    second_person: Option<SecondPerson>,
}

impl ScriptStep {
    /// Reads the script of a step of that kind.
    pub(super) fn read(
        reading: &mut Reading<'_>,
        table: &Table<'_>,
        entry: &'static KindEntry,
        second_person: Option<SecondPerson>,
    ) -> Option<Arc<Self>> {
        let script = reading.script(table)?;
        Some(Arc::new(Self { entry, script, second_person }))
    }
}

impl StepKind for ScriptStep {
    fn entry(&self) -> &'static KindEntry {
        self.entry
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.script.text.trim_end().to_owned()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.script_shown(&self.script)
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::script(&self.script, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(Ask::Run(self.script.clone()))
    }

    fn second_person(&self) -> Option<SecondPerson> {
        self.second_person
    }
}

impl ByMachines for ScriptStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let answers = work.send_script(&self.script, work.what()).await;
            work.conclude(answers).await
        })
    }

    fn mark(&self, step: &Step, what: For) -> Mark<'_> {
        // One that outlives the connection is found by its own folder.
        match step.detached && what == For::Change {
            true => Mark::None,
            false => Mark::Folder { sudo: self.script.sudo },
        }
    }

    fn find<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Option<Outcomes>> {
        Box::pin(work.find_script(&self.script))
    }
}

impl TakesBack for ScriptStep {
    fn take_back<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, PlaceAnswers> {
        Box::pin(work.send_script(&self.script, For::Undo))
    }
}

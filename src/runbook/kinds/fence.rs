//! `fence`: cuts a host off; like `run`, and where that cannot be proved a second person says so.

use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, SecondPerson, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::domain::run::Effect;
use crate::runbook::act::{Done, For, Mark, Work};
use crate::runbook::event::Outcomes;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::read::{Common, Reading, keys, place};
use crate::runbook::spec::{Ask, OnFail, Script, Step};
use crate::runbook::uses;
use crate::ssh::dial::BoxFuture;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::ANSWERED, keys::CHANGES, &["detached"], keys::SCRIPT];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects { usual: Effect::Destructive, allowed: &[Effect::Destructive], ..Effects::CHANGES },
    on: Where::Said,
    rules,
    ..KindEntry::new("fence", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct FenceStep {
    script: Script,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    let script = reading.script(table)?;
    Some(Arc::new(FenceStep { script }))
}

fn rules(reading: &mut Reading<'_>, table: &Table<'_>, step: &mut Step) {
    if matches!(step.on_fail, OnFail::Skip(_) | OnFail::Exclude(_)) {
        let help = "leave on_fail out: where it cannot be proved, a second person says so";
        reading.reader.error(place(table, "on_fail"), "a fence that may be left out", help);
    }
}

impl StepKind for FenceStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.script.text.trim_end().to_owned()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        scope.script(&self.script, true).unwrap_or_else(|e| e.to_string())
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::script(&self.script, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(Ask::Run(self.script.clone()))
    }

    fn second_person(&self) -> Option<SecondPerson> {
        Some(SecondPerson {
            doubt: "it is not proved that it is cut off",
            question: "Is it cut off?",
            wanted: "It is not proved. A second person looks, and says that it is cut off.",
        })
    }
}

impl ByMachines for FenceStep {
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

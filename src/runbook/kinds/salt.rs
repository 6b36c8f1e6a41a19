//! `salt`: a Salt function, called on the jump box about the step's hosts.

use std::sync::Arc;
use std::time::Duration;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, StepKind, TakesBack, UndoEntry, Used, Where};
use crate::config::reader::Table;
use crate::runbook::act::{Done, For, Mark, PlaceAnswers, Work};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, keys};
use crate::runbook::definition::{Ask, SaltCall};
use crate::runbook::event::Outcomes;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::{act, uses};
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::Effect;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::ANSWERED, keys::CHANGES, keys::SALT];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::SAID,
    on: Where::Said,
    timeout: Duration::from_secs(120),
    undo: Some(UndoEntry { verb: "salt", keys: keys::SALT, read: read_undo }),
    ..KindEntry::new("salt", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct SaltStep {
    call: SaltCall,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Arc<dyn StepKind>> {
    let call = reading.salt(table, common.effect)?;
    Some(Arc::new(SaltStep { call }))
}

fn read_undo(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Arc<dyn TakesBack>> {
    let call = reading.salt(table, Effect::Mutate)?;
    Some(Arc::new(SaltStep { call }))
}

impl StepKind for SaltStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.call.line()]
    }

    fn shown(&self, scope: &Scope<'_>, places: &Places) -> String {
        act::salt::shown(scope, &self.call, places)
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::salt(&self.call, names);
    }

    fn is_one_command(&self) -> bool {
        true
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(Ask::Salt(self.call.clone()))
    }

    /// Its master: one run at a time, whatever its hosts.
    fn shares(&self) -> Option<&'static str> {
        Some("salt")
    }
}

impl ByMachines for SaltStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let answers = self.send(work, work.what()).await;
            work.conclude(answers).await
        })
    }

    fn mark(&self, _: &Step, what: For) -> Mark<'_> {
        // A step's job is found by its number; that of an undo is not kept.
        match (self.call.job, what) {
            (true, For::Asking | For::Change) => Mark::None,
            (true, For::Undo) | (false, _) => Mark::Salt { function: &self.call.function },
        }
    }

    fn find<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Option<Outcomes>> {
        Box::pin(async move {
            match self.call.job {
                true => Some(act::salt::find(work.site, work.at, &self.call, work.places).await),
                false => None,
            }
        })
    }
}

impl TakesBack for SaltStep {
    fn take_back<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, PlaceAnswers> {
        Box::pin(self.send(work, For::Undo))
    }
}

impl SaltStep {
    async fn send(&self, work: Work<'_>, what: For) -> PlaceAnswers {
        act::salt::on(work.site, work.at, &self.call, work.places, what).await
    }
}

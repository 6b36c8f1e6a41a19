//! `salt`: a Salt function, called on the jump box about the step's hosts.

use std::sync::Arc;
use std::time::Duration;

use super::{Effects, KindEntry, Part, Reads, StepKind, TakesBack, UndoEntry, Used, Where};
use crate::config::reader::Table;
use crate::domain::run::Effect;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::read::{Common, Reading, keys};
use crate::runbook::spec::{Act, Ask, SaltCall};
use crate::runbook::{act, uses};

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

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &Common) -> Option<Arc<dyn StepKind>> {
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

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Salt(self.call.clone()))
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
}

impl TakesBack for SaltStep {}

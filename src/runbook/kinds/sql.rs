//! `sql`: statements for the host's own database server.

use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, StepKind, TakesBack, UndoEntry, Used, Where};
use crate::config::reader::Table;
use crate::runbook::act::{self, Done, For, Mark, PlaceAnswers, Work};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, keys};
use crate::runbook::definition::{Ask, Sql};
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::uses;
use crate::transport::BoxFuture;
use jumpdeck_fleet::run::Effect;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::ANSWERED, keys::CHANGES, &["sql", "in"]];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::SAID,
    on: Where::Said,
    undo: Some(UndoEntry { verb: "sql", keys: &["sql", "in"], read: read_undo }),
    ..KindEntry::new("sql", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct SqlStep {
    sql: Sql,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Arc<dyn StepKind>> {
    let sql = reading.sql(table, "sql", common.effect)?;
    Some(Arc::new(SqlStep { sql }))
}

fn read_undo(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Arc<dyn TakesBack>> {
    let sql = reading.sql(table, "sql", Effect::Mutate)?;
    Some(Arc::new(SqlStep { sql }))
}

impl StepKind for SqlStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.sql.text.to_string()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        act::sql::shown_with_session(scope, &self.sql)
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::template(&self.sql.text, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(Ask::Sql(self.sql.clone()))
    }
}

impl ByMachines for SqlStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let answers = self.send(work, work.what()).await;
            work.conclude(answers).await
        })
    }

    fn mark(&self, _: &Step, _: For) -> Mark<'_> {
        match &self.sql.session {
            Some(hold) => Mark::Session { hold },
            None => Mark::Folder { sudo: false },
        }
    }
}

impl TakesBack for SqlStep {
    fn take_back<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, PlaceAnswers> {
        Box::pin(self.send(work, For::Undo))
    }
}

impl SqlStep {
    async fn send(&self, work: Work<'_>, what: For) -> PlaceAnswers {
        act::sql::on(work.site, work.at, &self.sql, work.places, work.manner(what)).await
    }
}

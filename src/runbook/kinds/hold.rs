//! `hold`: a database session kept open: `GET_LOCK`, and what dies with it.

use std::sync::Arc;

use super::{Effects, KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::domain::run::Effect;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::read::{Common, Reading, Use, keys};
use crate::runbook::spec::{Act, Ask, Sql};
use crate::runbook::template::Template;
use crate::runbook::uses;

const OWN: &[&[&str]] =
    &[keys::ALL, keys::DONE, keys::ANSWERED, keys::CHANGES, &["heartbeat", "until", "sql"]];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::CHANGES,
    on: Where::Said,
    one_host: true,
    proves_itself: true,
    undone: Some("it ends with its session"),
    ..KindEntry::new("hold", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct HoldStep {
    /// Opens it.
    sql: Sql,
    /// Asked in the session every two seconds; `1` keeps it.
    heartbeat: Template,
    /// The step id before which it ends.
    until: Option<String>,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &Common) -> Option<Arc<dyn StepKind>> {
    let sql = reading.sql(table, "sql", Effect::Mutate);
    let help = "write heartbeat = \"SELECT IS_USED_LOCK('x') = CONNECTION_ID()\": 1 as long as it holds";
    let heartbeat = reading.need_string(table, "heartbeat", help);
    let heartbeat = heartbeat.map(|text| reading.template(&text, Use::Sql));
    let until = reading.reader.string(table, "until", "write until = \"the id of a later step\"");
    let until = until.map(|until| reading.until(&common.id, &until));
    Some(Arc::new(HoldStep { sql: sql?, heartbeat: heartbeat?, until }))
}

impl StepKind for HoldStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        let (sql, heartbeat) = (self.sql.clone(), self.heartbeat.clone());
        Part::Act(Act::Hold { sql, heartbeat, until: self.until.clone() })
    }

    fn lines(&self) -> Vec<String> {
        vec![self.sql.text.to_string()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        let text = scope.sql(&self.sql.text, true).unwrap_or_else(|e| e.to_string());
        format!("{text}\n-- in a session that stays open")
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::template(&self.sql.text, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(Ask::Sql(self.sql.clone()))
    }
}

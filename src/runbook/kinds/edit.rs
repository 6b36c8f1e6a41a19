//! `edit`: changes a file on the jump box; shown as a diff, written, committed in the git tree it is in.

use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, StepKind, TakesBack, UndoEntry, Used, Where};
use crate::config::reader::Table;
use crate::runbook::act::{Done, For, Mark, PlaceAnswers, Work};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::definition::{Change, Edit};
use crate::runbook::event::Outcomes;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::template::Template;
use crate::runbook::{act, uses};
use crate::transport::BoxFuture;
use jumpdeck_fleet::names::HostName;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::TIMED, keys::CHANGES, FILE];
const FILE: &[&str] = &["file", "changes", "message", "commit"];
const CHANGES_HINT: &str =
    "write changes = [{ key = \"infra:db_servers:mysql:writes\", value = \"{candidate.address}\" }]";

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::CHANGES,
    on: Where::JumpBox,
    one_host: true,
    proves_itself: true,
    undo: Some(UndoEntry { verb: "file", keys: FILE, read: read_undo }),
    ..KindEntry::new("edit", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct EditStep {
    edit: Edit,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    let edit = read_edit(reading, table)?;
    Some(Arc::new(EditStep { edit }))
}

fn read_undo(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Arc<dyn TakesBack>> {
    let edit = read_edit(reading, table)?;
    Some(Arc::new(EditStep { edit }))
}

fn read_edit(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Edit> {
    let file = reading.need_string(table, "file", "write file = \"/srv/pillar/infra/{level}.sls\"");
    if let Some(file) = &file
        && !file.value.starts_with('/')
    {
        let message = format!("{:?} is not an absolute path", file.value);
        reading.reader.error(file.span.clone(), message, "begin it with /");
    }
    let file = file.map(|f| reading.template(&f, Use::Argument));
    let commit = reading.reader.boolean(table, "commit").unwrap_or(true);
    let message = match commit || table.get("message").is_some() {
        true => {
            reading.need_text(table, "message", Use::Shown, "write message = \"…\", what git log will say")
        }
        false => Some(Template::default()),
    };
    let mut changes = Vec::new();
    if table.get("changes").is_none() {
        reading.reader.error(table.span.clone(), "this edit changes nothing", CHANGES_HINT);
    }
    for item in reading.reader.list(table, "changes", CHANGES_HINT).unwrap_or_default() {
        let Some(change) = reading.reader.table("changes".to_owned(), item, CHANGES_HINT) else { continue };
        reading.reader.only(&change, &["key", "value", "bump", "find", "put"]);
        changes.extend(read_change(reading, &change));
    }
    Some(Edit { file: file?, changes, message: message?, commit })
}

fn read_change(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Change> {
    let there = |key| table.get(key).is_some();
    let pair = |a, b| there(a) && there(b);
    if there("bump") && !there("key") && !there("find") {
        let path = reading.need_string(table, "bump", "write bump = \"infra:gdnsd_timestamp\"")?;
        Some(Change::Bump { path: path.value.to_owned() })
    } else if pair("key", "value") && !there("find") && !there("bump") {
        let path = reading.need_text(table, "key", Use::Argument, CHANGES_HINT);
        let value = reading.need_text(table, "value", Use::Value, CHANGES_HINT);
        Some(Change::Key { path: path?, value: value? })
    } else if pair("find", "put") && !there("key") && !there("bump") {
        let find = reading.regex(table, "find");
        let put = reading.text(table, "put", Use::Value);
        Some(Change::Line { find: find?, put: put? })
    } else {
        let help = "write { key = \"…\", value = \"…\" }, { bump = \"…\" } or { find = '…', put = \"…\" }";
        reading.reader.error(table.span.clone(), "this entry of changes has no change", help);
        None
    }
}

impl StepKind for EditStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        let changes = self.edit.changes.iter().map(|change| match change {
            Change::Key { path, value } => format!("  {path} = {value}"),
            Change::Bump { path } => format!("  {path} one higher"),
            Change::Line { find, put } => format!("  the line {find} becomes {put}"),
        });
        std::iter::once(self.edit.file.to_string()).chain(changes).collect()
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        act::edit::shown(scope, &self.edit)
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::template(&self.edit.file, names);
        uses::template(&self.edit.message, names);
        for change in &self.edit.changes {
            match change {
                Change::Key { path, value } => {
                    uses::template(path, names);
                    uses::template(value, names);
                }
                Change::Line { put, .. } => uses::template(put, names),
                Change::Bump { .. } => {}
            }
        }
    }
}

impl ByMachines for EditStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let answers = self.send(work, work.what()).await;
            work.conclude(answers).await
        })
    }

    fn mark(&self, _: &Step, _: For) -> Mark<'_> {
        Mark::Folder { sudo: true }
    }

    fn preview<'w>(
        &'w self,
        work: Work<'w>,
        host: &'w HostName,
    ) -> BoxFuture<'w, Result<Option<String>, String>> {
        Box::pin(async move { act::edit::diff(work.site, work.at, &self.edit, host).await.map(Some) })
    }

    fn find<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Option<Outcomes>> {
        Box::pin(async move { Some(act::edit::find(work.site, work.at, &self.edit, work.places).await) })
    }
}

impl TakesBack for EditStep {
    fn take_back<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, PlaceAnswers> {
        Box::pin(self.send(work, For::Undo))
    }
}

impl EditStep {
    async fn send(&self, work: Work<'_>, what: For) -> PlaceAnswers {
        act::edit::on(work.site, work.at, &self.edit, work.places, what).await
    }
}

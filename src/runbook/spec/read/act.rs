//! What steps do: the keys of each kind.

use std::time::Duration;

use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use crate::domain::run::Effect;

use super::names::{Found, Meaning};
use super::step::Common;
use super::text::Use;
use super::{Reading, place};
use crate::runbook::spec::{Act, Ask, Change, Edit, HostKey};
use crate::runbook::value::ValueKind;

const CHANGES_HINT: &str =
    "write changes = [{ key = \"infra:db_servers:mysql:writes\", value = \"{candidate.address}\" }]";

impl Reading<'_> {
    /// What a step of this kind does; `for_each`, `branch` and `include` are elsewhere.
    pub(super) fn act(&mut self, table: &Table<'_>, kind: &str, common: &Common) -> Option<Act> {
        match kind {
            "note" => self.need_text(table, "text", Use::Shown, "write text = \"…\"").map(Act::Note),
            "input" => self.input(table, "value_kind").map(Act::Input),
            "check" => self.ask(table, &common.on).map(Act::Check),
            "wait_until" => self.wait_until(table, common),
            "run" => self.script(table).map(Act::Run),
            "fence" => self.script(table).map(Act::Fence),
            "sql" => self.sql(table, "sql", common.effect).map(Act::Sql),
            "salt" => self.salt(table, common.effect).map(Act::Salt),
            "edit" => self.edit(table).map(Act::Edit),
            "host_key" => self.host_key(table),
            "manual" => self.manual(table),
            "confirm" => {
                let covers = self.covers(table, &common.id);
                Some(Act::Confirm { covers })
            }
            "challenge" => {
                let help = "write value = \"{candidate}\", what stands on screen and must be typed";
                let value = self.need_text(table, "value", Use::Value, help);
                let covers = self.covers(table, &common.id);
                Some(Act::Challenge { value: value?, covers })
            }
            "approve" => {
                let text = self.need_text(table, "text", Use::Shown, "write text = \"…\", what is agreed to");
                Some(Act::Approve { text: text? })
            }
            "hold" => self.hold(table, common),
            "elect" => self.elect(table),
            "report" => Some(Act::Report),
            _ => None,
        }
    }

    fn wait_until(&mut self, table: &Table<'_>, common: &Common) -> Option<Act> {
        let ask = self.ask(table, &common.on);
        let range = Duration::from_millis(100)..=Duration::from_secs(3600);
        let every = self.reader.duration(table, "every", range).unwrap_or(Duration::from_secs(1));
        if table.get("timeout").is_none() {
            let help = "add timeout = \"60s\", how long it may take at most";
            self.reader.error(table.span.clone(), "it would wait without end", help);
        }
        if table.get("expect").is_none() && !matches!(ask, None | Some(Ask::Run(_))) {
            let help = "add expect = [{ is = \"…\" }]";
            self.reader.error(table.span.clone(), "nothing is waited for", help);
        }
        Some(Act::WaitUntil { ask: ask?, every })
    }

    fn host_key(&mut self, table: &Table<'_>) -> Option<Act> {
        let help = "write key = \"{host_key}\", a captured key as in a .pub file";
        let key = self.need_text(table, "key", Use::Value, help);
        let help = "write fingerprint = \"{host_print}\", the captured SHA256:… of the key";
        let fingerprint = self.need_text(table, "fingerprint", Use::Value, help);
        let help = "write address = \"{new_address}\", where the host is from now on";
        let address = self.need_text(table, "address", Use::Value, help);
        Some(Act::HostKey(HostKey { key: key?, fingerprint: fingerprint?, address: address? }))
    }

    fn manual(&mut self, table: &Table<'_>) -> Option<Act> {
        let text = self.need_text(table, "text", Use::Shown, "write text = \"what to do, and where\"");
        let hint = "write state = { name = \"address\", kind = \"address\" }";
        let mut state = None;
        if let Some(inner) = self.reader.subtable(table, "state", hint) {
            self.reader.only(&inner, &["name", "kind"]);
            let name = self.need_string(&inner, "name", hint).filter(|name| self.variable_name(name));
            let kind = self.kind(&inner, "kind");
            match (name, kind) {
                (Some(name), Some(kind)) => state = Some((name.value.to_owned(), kind)),
                (Some(name), None) => self.names.anything(name.value),
                _ => {}
            }
        }
        Some(Act::Manual { text: text?, state })
    }

    fn hold(&mut self, table: &Table<'_>, common: &Common) -> Option<Act> {
        let sql = self.sql(table, "sql", Effect::Mutate);
        let help = "write heartbeat = \"SELECT IS_USED_LOCK('x') = CONNECTION_ID()\": 1 as long as it holds";
        let heartbeat = self.need_string(table, "heartbeat", help);
        let heartbeat = heartbeat.map(|text| self.template(&text, Use::Sql));
        let until = self.reader.string(table, "until", "write until = \"the id of a later step\"");
        let until = until.map(|until| {
            let id = format!("{}{}", self.prefix, until.value);
            self.ids.until(&common.id, id.clone(), until.span);
            id
        });
        Some(Act::Hold { sql: sql?, heartbeat: heartbeat?, until })
    }

    fn elect(&mut self, table: &Table<'_>) -> Option<Act> {
        let hint = "write by = [\"gtid\"], captured values of which more is better, the weightiest first";
        let by = self.reader.strings(table, "by", hint).unwrap_or_default();
        if by.is_empty() {
            self.reader.error(place(table, "by"), "nothing tells which host is the best", hint);
        }
        for name in &by {
            self.ranks(name);
        }
        let into = self.need_string(table, "into", "write into = \"best\", the variable it becomes");
        let into = into.filter(|into| self.variable_name(into))?;
        Some(Act::Elect {
            by: by.into_iter().map(|b| b.value.to_owned()).collect(),
            into: into.value.to_owned(),
        })
    }

    fn ranks(&mut self, name: &At<&str>) {
        let meaning = match self.names.find(name.value) {
            Found::Known(meaning) => meaning,
            _ => {
                let known = self.names.usable();
                let help = match nearest(name.value, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => "capture it in a step before this one".to_owned(),
                };
                return self.reader.error(
                    name.span.clone(),
                    format!("unknown variable {:?}", name.value),
                    help,
                );
            }
        };
        let ranked = [ValueKind::Gtid, ValueKind::Position, ValueKind::Int];
        let fits = match meaning {
            Meaning::Value { kind, secret, .. } => !secret && ranked.contains(&kind),
            Meaning::Anything => true,
            Meaning::Hosts { .. } => false,
        };
        if !fits {
            let message = format!("{:?} ranks nothing", name.value);
            self.reader.error(name.span.clone(), message, "name a captured gtid, position or int");
        }
    }

    fn covers(&mut self, table: &Table<'_>, id: &str) -> Vec<String> {
        let hint = "write covers = [\"freeze\", \"repoint\"], ids of later steps";
        let mut covers = Vec::new();
        for covered in self.reader.strings(table, "covers", hint).unwrap_or_default() {
            let full = format!("{}{}", self.prefix, covered.value);
            self.ids.covers(id, full.clone(), covered.span);
            covers.push(full);
        }
        covers
    }

    /// A change of a file that must be there.
    pub(super) fn edit(&mut self, table: &Table<'_>) -> Option<Edit> {
        let file = self.need_string(table, "file", "write file = \"/srv/pillar/infra/{level}.sls\"");
        if let Some(file) = &file
            && !file.value.starts_with('/')
        {
            let message = format!("{:?} is no whole path", file.value);
            self.reader.error(file.span.clone(), message, "begin it with /");
        }
        let file = file.map(|f| self.template(&f, Use::Argument));
        let commit = self.reader.boolean(table, "commit").unwrap_or(true);
        let message = match commit || table.get("message").is_some() {
            true => {
                self.need_text(table, "message", Use::Shown, "write message = \"…\", what git log will say")
            }
            false => Some(crate::runbook::template::Template::default()),
        };
        let mut changes = Vec::new();
        if table.get("changes").is_none() {
            self.reader.error(table.span.clone(), "this edit changes nothing", CHANGES_HINT);
        }
        for item in self.reader.list(table, "changes", CHANGES_HINT).unwrap_or_default() {
            let Some(change) = self.reader.table("changes".to_owned(), item, CHANGES_HINT) else { continue };
            self.reader.only(&change, &["key", "value", "bump", "find", "put"]);
            changes.extend(self.change(&change));
        }
        Some(Edit { file: file?, changes, message: message?, commit })
    }

    fn change(&mut self, table: &Table<'_>) -> Option<Change> {
        let there = |key| table.get(key).is_some();
        let pair = |a, b| there(a) && there(b);
        match () {
            () if there("bump") && !there("key") && !there("find") => {
                let path = self.need_string(table, "bump", "write bump = \"infra:gdnsd_timestamp\"")?;
                Some(Change::Bump { path: path.value.to_owned() })
            }
            () if pair("key", "value") && !there("find") && !there("bump") => {
                let path = self.need_string(table, "key", CHANGES_HINT);
                let value = self.need_text(table, "value", Use::Value, CHANGES_HINT);
                Some(Change::Key { path: path?.value.to_owned(), value: value? })
            }
            () if pair("find", "put") && !there("key") && !there("bump") => {
                let find = self.regex(table, "find");
                let put = self.text(table, "put", Use::Value);
                Some(Change::Line { find: find?, put: put? })
            }
            () => {
                let help =
                    "write { key = \"…\", value = \"…\" }, { bump = \"…\" } or { find = '…', put = \"…\" }";
                self.reader.error(table.span.clone(), "this is no change", help);
                None
            }
        }
    }
}

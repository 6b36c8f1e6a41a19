//! How a step is taken back.

use crate::config::reader::Table;
use crate::domain::run::Effect;

use super::ask::{SALT_KEYS, SCRIPT_KEYS};
use super::text::Use;
use super::{Reading, place};
use crate::runbook::spec::{Act, On, Undo};

const HINT: &str = "write undo = { sql = \"…\", read_back = [ … ] }, or { not_needed = \"why\" } when nothing is to be taken back";
const VERBS: [&str; 5] = ["sql", "run", "salt", "file", "not_needed"];

impl Reading<'_> {
    /// How a step is taken back, when it is said.
    pub(super) fn undo(&mut self, table: &Table<'_>, on: &On) -> Option<Undo> {
        let undo = self.reader.subtable(table, "undo", HINT)?;
        let edit_keys = ["file", "changes", "message", "commit"];
        let keys = [&["sql", "not_needed", "read_back"][..], &SCRIPT_KEYS, &SALT_KEYS, &edit_keys].concat();
        self.reader.only(&undo, &keys);
        let there: Vec<&str> = VERBS.into_iter().filter(|verb| undo.get(verb).is_some()).collect();
        let verb = match there.as_slice() {
            [verb] => *verb,
            [] => {
                self.reader.error(undo.span.clone(), "this undo does nothing", HINT);
                return None;
            }
            [first, second, ..] => {
                let message = format!("two ways to take it back: {first} and {second}");
                self.reader.error(place(&undo, second), message, "keep one of them");
                return None;
            }
        };
        if verb == "not_needed" {
            return self
                .need_text(&undo, verb, Use::Shown, "write not_needed = \"why\"")
                .map(Undo::NotNeeded);
        }
        let act = match verb {
            "sql" => self.sql(&undo, verb, Effect::Mutate).map(Act::Sql),
            "run" => self.script(&undo).map(Act::Run),
            "salt" => self.salt(&undo, Effect::Mutate).map(Act::Salt),
            _ => self.edit(&undo).map(Act::Edit),
        };
        let read_back = self.checks(&undo, "read_back", on);
        if undo.get("read_back").is_none() && verb != "file" {
            let help = "add read_back = [{ says = \"…\", sql = \"…\", expect = [{ is = \"…\" }] }]";
            self.reader.error(undo.span.clone(), "nothing proves that it was taken back", help);
        }
        Some(Undo::By { act: Box::new(act?), read_back })
    }
}

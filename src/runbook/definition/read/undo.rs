//! How a step is taken back.

use crate::config::reader::Table;

use super::text::Use;
use super::{Reading, place};
use crate::runbook::definition::{On, Undo};
use crate::runbook::kinds::KINDS;

const HINT: &str = "write undo = { sql = \"…\", read_back = [ … ] }, or { not_needed = \"why\" } when nothing needs to be undone";
const NOT_NEEDED: &str = "not_needed";

impl Reading<'_> {
    /// How a step is taken back, when it is said.
    pub(super) fn undo(&mut self, table: &Table<'_>, on: &On) -> Option<Undo> {
        let undo = self.reader.subtable(table, "undo", HINT)?;
        let kinds = || KINDS.iter().filter_map(|kind| Some((*kind, kind.undo.as_ref()?)));
        let own = kinds().flat_map(|(_, by)| by.keys).copied();
        self.reader.only(&undo, &own.chain([NOT_NEEDED, "read_back"]).collect::<Vec<_>>());
        let verbs = kinds().map(|(_, by)| by.verb).chain([NOT_NEEDED]);
        let there: Vec<&str> = verbs.filter(|verb| undo.get(verb).is_some()).collect();
        let verb = match there.as_slice() {
            [verb] => *verb,
            [] => {
                self.reader.error(undo.span.clone(), "this undo does nothing", HINT);
                return None;
            }
            [first, second, ..] => {
                let message = format!("two ways to undo it: {first} and {second}");
                self.reader.error(place(&undo, second), message, "keep one of them");
                return None;
            }
        };
        let Some((kind, by)) = kinds().find(|(_, by)| by.verb == verb) else {
            let help = "write not_needed = \"why\"";
            return self.need_text(&undo, NOT_NEEDED, Use::Shown, help).map(Undo::NotNeeded);
        };
        if *on == On::Nowhere {
            let message = "there is no host to undo this on: the step has no `on`";
            let help = "add on = the host that is changed, or write undo = { not_needed = \"why\" }, or mark the step \
                        point_of_no_return = true";
            self.reader.error(undo.span.clone(), message, help);
            return None;
        }
        let back = (by.read)(self, &undo);
        let read_back = self.checks(&undo, "read_back", on);
        if undo.get("read_back").is_none() && !kind.proves_itself {
            let help = "add read_back = [{ says = \"…\", sql = \"…\", expect = [{ is = \"…\" }] }]";
            self.reader.error(undo.span.clone(), "nothing proves that it was undone", help);
        }
        Some(Undo::By { kind: back?, read_back })
    }
}

//! What a step may change, its proof, its way back: the rules between them.

use std::ops::Range;

use crate::config::reader::Table;
use jumpdeck_fleet::run::Effect;

use super::text::Use;
use super::{KindEntry, Reading, place};
use crate::runbook::definition::{On, OnFail, Step, Undo, Writes};
use crate::runbook::template::Template;

impl Reading<'_> {
    /// What a step may change.
    pub(super) fn effect(&mut self, table: &Table<'_>, kind: &KindEntry) -> Effect {
        let words =
            [("read", Effect::Read), ("mutate", Effect::Mutate), ("destructive", Effect::Destructive)];
        let written = self.reader.word(table, "effect", &words);
        let effects = kind.effects;
        if effects.must_be_said && table.get("effect").is_none() {
            let help = "add effect = \"read\", \"mutate\" or \"destructive\"";
            self.reader.error(
                table.span.clone(),
                "effect is missing: whether this step changes anything",
                help,
            );
        }
        if written.is_some_and(|e| !effects.allowed.contains(&e)) {
            let message = format!("a {} cannot have this effect", kind.word);
            self.reader.error(place(table, "effect"), message, effects.help);
            return effects.usual;
        }
        written.unwrap_or(effects.usual)
    }

    /// The rules between what a step changes, its proof and its way back.
    pub(super) fn judge(
        &mut self,
        table: &Table<'_>,
        kind: &KindEntry,
        step: &Step,
        undo: Option<Undo>,
    ) -> Undo {
        let told = place(table, "id");
        let written = |key: &str| table.get(key).is_some();
        if kind.effects.must_be_said && !written("effect") {
            // That was told; nothing more can be said.
            return Undo::Impossible;
        }
        if step.retries > 0 && step.effect != Effect::Read {
            let help = "remove retries: a change is never retried automatically";
            self.reader.error(place(table, "retries"), "retries of a step that changes something", help);
        }
        if step.always && step.on != On::Nowhere && step.effect != Effect::Read && step.point_of_no_return {
            let help = "remove always or point_of_no_return: a step with always cleans up at the end";
            self.reader.error(place(table, "always"), "a point of no return that always runs", help);
        }
        if step.effect == Effect::Read {
            for key in ["read_back", "done_if", "undo", "point_of_no_return", "detached"] {
                if written(key) {
                    let message = format!("{key} on a step that changes nothing");
                    let help = "remove it, or write effect = \"mutate\"; the answer that a read must give goes into expect";
                    self.reader.error(place(table, key), message, help);
                }
            }
            return Undo::Nothing;
        }
        if !written("read_back") && !kind.proves_itself {
            let help =
                "add read_back = [{ says = \"…\", sql = \"SELECT @@read_only\", expect = [{ is = \"1\" }] }]";
            self.reader.error(told.clone(), "nothing proves that this change is in effect", help);
        }
        match (undo, step.point_of_no_return) {
            (Some(_), true) => {
                let message = "a point of no return cannot have an undo";
                self.reader.error(place(table, "undo"), message, "remove undo or point_of_no_return");
                Undo::Impossible
            }
            (None, true) => Undo::Impossible,
            (Some(undo), false) => undo,
            (None, false) => {
                if let Some(why) = kind.undone {
                    return Undo::NotNeeded(Template::plain(why));
                }
                // A wrong undo was told already.
                if !written("undo") {
                    let help = "add undo = { …, read_back = [ … ] } or undo = { not_needed = \"why\" }, or mark it: \
                                point_of_no_return = true";
                    self.reader.error(
                        told,
                        "this change has no undo, and is not marked as a point of no return",
                        help,
                    );
                }
                Undo::Impossible
            }
        }
    }

    /// What it means for users' writes.
    pub(super) fn writes(&mut self, table: &Table<'_>, effect: Effect) -> Option<Writes> {
        table.get("writes")?;
        let words =
            [("stop", Writes::Stop), ("resume", Writes::Resume), ("found_stopped", Writes::FoundStopped)];
        let writes = self.reader.word(table, "writes", &words)?;
        if writes == Writes::FoundStopped && effect != Effect::Read {
            let help = "put it on the check that finds it; a change that stops writes says writes = \"stop\"";
            self.reader.error(place(table, "writes"), "found_stopped on a step that changes something", help);
        }
        if writes == Writes::FoundStopped && table.get("impact").is_none() {
            let help = "add impact = \"Users cannot write: no application reaches the master\"";
            self.reader.error(place(table, "writes"), "impact is missing: what users notice", help);
        }
        Some(writes)
    }

    /// What happens when it fails.
    pub(super) fn on_fail(&mut self, table: &Table<'_>) -> OnFail {
        let hint = "write on_fail = \"stop\", \"rollback\", { skip = \"what it means\" } or { exclude = \"what it means\" }";
        let Some(value) = table.get("on_fail") else { return OnFail::Stop };
        if value.get_ref().as_str().is_some() {
            let words = [("stop", false), ("rollback", true)];
            return match self.reader.word(table, "on_fail", &words) {
                Some(true) => OnFail::Rollback,
                _ => OnFail::Stop,
            };
        }
        let Some(inner) = self.reader.subtable(table, "on_fail", hint) else { return OnFail::Stop };
        self.reader.only(&inner, &["skip", "exclude"]);
        match (inner.get("skip").is_some(), inner.get("exclude").is_some()) {
            (true, false) => {
                let means = self.text(&inner, "skip", Use::Shown).unwrap_or_default();
                OnFail::Skip(means)
            }
            (false, true) => {
                let means = self.text(&inner, "exclude", Use::Shown).unwrap_or_default();
                OnFail::Exclude(means)
            }
            _ => {
                let span: Range<usize> = inner.span.clone();
                self.reader.error(span, "on_fail needs exactly one of skip and exclude", hint);
                OnFail::Stop
            }
        }
    }
}

//! Statements that run in the session which a `hold` keeps open: `in = "lock-old"`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::config::diagnostic::nearest;
use crate::config::reader::Table;

use super::{Reading, StepHead, sql};
use crate::runbook::definition::On;

/// The sessions that steps keep open, and what runs in them.
#[derive(Default)]
pub(in crate::runbook) struct SessionSteps {
    /// By the id of the `hold`.
    opened: BTreeMap<String, Opened>,
    used: Vec<UsedInSession>,
}

#[derive(Clone)]
struct Opened {
    on: On,
    /// The conditions it is opened under.
    conditions: BTreeSet<String>,
    /// The step before which it ends.
    until: Option<String>,
}

/// A statement that runs in a session, to be judged when all steps are known.
struct UsedInSession {
    hold: String,
    span: Range<usize>,
    /// The step it belongs to.
    by: String,
    on: On,
    conditions: BTreeSet<String>,
}

impl SessionSteps {
    /// The sessions, for a file that is read in this one's place.
    pub(super) fn only_open(&self) -> Self {
        Self { opened: self.opened.clone(), used: Vec::new() }
    }

    /// The sessions that such a file opened, too.
    pub(super) fn take_open(&mut self, inner: Self) {
        self.opened = inner.opened;
    }
}

impl Reading<'_> {
    /// A step that keeps a session open.
    pub(in crate::runbook) fn opens_session(&mut self, step: &StepHead, until: Option<&str>) {
        let opened = Opened {
            on: step.on.clone(),
            conditions: self.names.conditions().clone(),
            until: until.map(str::to_owned),
        };
        self.ids.sessions.opened.insert(step.id.clone(), opened);
    }

    /// The session that the SQL under `key` runs in, when one is named.
    pub(super) fn session(&mut self, table: &Table<'_>, key: &str) -> Option<String> {
        let id = self.reader.string(table, "in", "write in = \"the id of a hold step\"")?;
        let hold = format!("{}{}", self.prefix, id.value);
        let used = UsedInSession {
            hold: hold.clone(),
            span: id.span,
            by: self.ids.now().to_owned(),
            on: self.place.clone(),
            conditions: self.names.conditions().clone(),
        };
        self.ids.sessions.used.push(used);
        if let Some(text) = self.reader.string(table, key, "")
            && let Some((words, message)) = sql::not_in_a_session(text.value)
        {
            let span = self.find_in(text.span.clone(), &words).unwrap_or(text.span);
            self.reader.error(span, message, "remove `in`: the statement then runs in a client of its own");
        }
        Some(hold)
    }

    /// Judges the sessions that steps of this file run statements in.
    pub(super) fn settle_sessions(&mut self) {
        for used in std::mem::take(&mut self.ids.sessions.used) {
            if let Some((message, help)) = self.wrong_session(&used) {
                self.reader.error(used.span, message, help);
            }
        }
    }

    fn wrong_session(&self, used: &UsedInSession) -> Option<(String, String)> {
        let short = |id: &str| id.strip_prefix(&self.prefix).unwrap_or(id).to_owned();
        let hold = short(&used.hold);
        let ids = &self.ids;
        let Some(opened) = ids.sessions.opened.get(&used.hold) else {
            let holds: Vec<String> = ids.sessions.opened.keys().map(|id| short(id)).collect();
            let help = match nearest(&hold, holds.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "write the id of a hold step before this one".to_owned(),
            };
            let message = match ids.order(&used.hold) {
                Some(_) => format!("step {hold:?} is not a hold: it keeps no session open"),
                None => format!("unknown step {hold:?}"),
            };
            return Some((message, help));
        };
        let (order, by) = (ids.order(&used.hold), ids.order(&used.by));
        if order >= by {
            let message = format!("step {hold:?} opens its session later");
            return Some((message, "put the hold before this step".to_owned()));
        }
        if let Some(until) = &opened.until
            && let Some(end) = ids.order(until)
            && by.is_some_and(|by| by >= end)
        {
            let message =
                format!("the session of {hold:?} is closed here: it ends before step {:?}", short(until));
            let help = "write a later step as until, or remove `in`";
            return Some((message, help.to_owned()));
        }
        if opened.on != used.on {
            let message = format!(
                "the session of {hold:?} is on {}, but this runs on {}",
                place(&opened.on),
                place(&used.on)
            );
            let help = format!("run this on {}, or name a hold on {}", place(&opened.on), place(&used.on));
            return Some((message, help));
        }
        if !opened.conditions.is_subset(&used.conditions) {
            let message = format!("the session of {hold:?} may not be open here");
            let help = format!("step {hold:?} opens it under a condition: put this under the same `when`");
            return Some((message, help));
        }
        ids.may_be_several(&used.hold, &used.by).then(|| {
            let message = format!("{hold:?} is several sessions: one is opened for each batch");
            (message, "name a hold step of the same for_each, or one outside every for_each".to_owned())
        })
    }
}

fn place(on: &On) -> String {
    match on {
        On::Nowhere => "no host".to_owned(),
        On::Jump => "\"jump\"".to_owned(),
        On::Named(name) => format!("{name:?}"),
    }
}

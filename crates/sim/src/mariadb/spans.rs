//! Which rows of the applications' journals each table holds. Such rows are counted by the world and not held
//! one by one, so a table that is dropped, renamed or loaded again has a part of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::apps::kinds::{KINDS, with_database};
use jumpdeck_fleet::names::HostName;

use super::accounts::Accounts;
use super::data::{Effect, ServerError};
use super::gtid::{Applied, Gtid};
use super::{Databases, Server};

/// The part of an application's journal that was written while a table had its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    /// The application's database.
    pub(crate) database: String,
    after: Option<Arc<Applied>>,
    until: Option<Arc<Applied>>,
}

impl Span {
    /// Whether it begins with the world.
    pub(crate) fn begins_with_the_world(&self) -> bool {
        self.after.is_none()
    }

    /// Of `held` transactions that a server holds, from that one on: the first that is in this part, and the end of it.
    pub(crate) fn part(&self, writer: usize, gtid: Gtid, held: u64) -> (u64, u64) {
        let count = |of: &Applied| of.held(writer, gtid, held);
        let end = self.until.as_deref().map_or(held, count);
        (self.after.as_deref().map_or(0, count).min(end), end)
    }
}

/// By database and table.
pub(crate) type Spans = BTreeMap<(String, String), Vec<Span>>;

/// What every journal has when the world begins.
pub(super) fn at_first() -> Spans {
    let whole = |database: &str| vec![Span { database: database.to_owned(), after: None, until: None }];
    let key = |database: &str| (database.to_owned(), "journal".to_owned());
    KINDS.iter().map(|kind| (key(kind.database), whole(kind.database))).collect()
}

/// What a dump of everything carries that its text does not say row by row.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    applied: Applied,
    spans: Spans,
    journal_next: u64,
    accounts: Accounts,
}

impl Server {
    /// Does what a statement does. Nothing is changed when it fails.
    ///
    /// # Errors
    /// The server's own.
    pub fn apply_effect(&mut self, effect: &Effect) -> Result<(), ServerError> {
        self.data.apply(effect)?;
        match effect {
            Effect::CreateTable { database, name, .. } => self.open_span(database, name),
            Effect::DropTable { database, name } => {
                self.spans.remove(&(database.clone(), name.clone()));
            }
            Effect::Truncate { database, name } => {
                self.spans.remove(&(database.clone(), name.clone()));
                self.open_span(database, name);
            }
            Effect::DropDatabase(gone) => self.spans.retain(|(database, _), _| database != gone),
            Effect::RenameTables(pairs) => {
                for (from, to) in pairs {
                    self.move_span(from, to);
                }
            }
            Effect::CreateDatabase(_)
            | Effect::Rows { .. }
            | Effect::CreateUser(_)
            | Effect::DropUser { .. }
            | Effect::AlterUser(_)
            | Effect::Grant { .. }
            | Effect::Revoke { .. }
            | Effect::Event(_)
            | Effect::DropEvent { .. }
            | Effect::Nothing => {}
        }
        Ok(())
    }

    /// An application's journal: what is written from now on is in it.
    fn open_span(&mut self, database: &str, name: &str) {
        if name == "journal" && with_database(database).is_some() {
            let span = Span {
                database: database.to_owned(),
                after: Some(Arc::new(self.applied.clone())),
                until: None,
            };
            self.spans.entry((database.to_owned(), name.to_owned())).or_default().push(span);
        }
    }

    fn move_span(&mut self, from: &(String, String), to: &(String, String)) {
        let now = Arc::new(self.applied.clone());
        if let Some(mut spans) = self.spans.remove(from) {
            for span in &mut spans {
                span.until.get_or_insert_with(|| Arc::clone(&now));
            }
            self.spans.insert(to.clone(), spans);
        }
        self.open_span(&to.0, &to.1);
    }

    /// The parts of journals that tables have.
    pub(crate) fn spans(&self) -> &Spans {
        &self.spans
    }

    /// The parts of journals that a table has.
    pub(crate) fn spans_of(&self, database: &str, name: &str) -> &[Span] {
        self.spans.get(&(database.to_owned(), name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Whether its journals are whole: as when the world began.
    pub(crate) fn has_whole_journals(&self) -> bool {
        self.spans == at_first()
    }
}

impl Databases {
    /// Keeps what a dump of everything carries; gives its number.
    pub(crate) fn keep(&mut self, host: &HostName) -> Option<usize> {
        let server = self.server(host)?;
        let kept = Kept {
            applied: server.applied.clone(),
            spans: server.spans.clone(),
            journal_next: server.journal_next,
            accounts: server.data.accounts.clone(),
        };
        self.kept.push(kept);
        Some(self.kept.len() - 1)
    }

    /// Loads what such a dump carries; false when there is none of that number.
    pub(crate) fn load_kept(&mut self, host: &HostName, number: usize) -> bool {
        let Some(kept) = self.kept.get(number).cloned() else { return false };
        let Some(server) = self.server_mut(host) else { return false };
        (server.applied, server.spans, server.journal_next) = (kept.applied, kept.spans, kept.journal_next);
        server.data.accounts = kept.accounts;
        true
    }
}

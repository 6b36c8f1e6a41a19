//! The world keeps score: acknowledged writes that are lost, writes that were refused, time without writes,
//! split brain. It is told what happens and asks nothing but the servers' data.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::mariadb::gtid::Gtid;
use crate::mariadb::{Databases, TICKS};
use jumpdeck_fleet::names::HostName;

use super::World;

/// Runs of rows that are remembered one by one, before those that every server holds are only counted.
const REMEMBERED: usize = 20_000;

/// What an application reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Rows that a server acknowledged.
    Acknowledged { app: usize, first: u64, count: u64, writer: usize, gtid: Gtid },
    /// A row that was committed by a server which ended before it answered, and that the application found where it writes now.
    Found { app: usize, row: u64, writer: usize, gtid: Gtid },
    /// Rows that were refused.
    Refused { count: u64 },
}

/// How well the applications' writes fared since the world began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// Rows acknowledged.
    pub acknowledged: u64,
    /// Rows refused.
    pub refused: u64,
    /// Acknowledged rows that the writable server does not hold; `None` as long as there is not exactly one that takes
    /// writes.
    pub lost: Option<u64>,
    /// Acknowledged rows written on one server while it lacked what another had acknowledged within the last second. A server
    /// that holds everything and takes over within a second is no second master.
    pub split_rows: u64,
    /// Rows written twice: by a server that ended before it answered, and again by another.
    pub duplicated: u64,
    /// Time in which applications wanted to write, and nothing was accepted for more than a second.
    pub without_writes: Duration,
    /// The longest time between two accepted writes.
    pub longest_gap: Duration,
    /// Time in which two servers took writes that the other did not have.
    pub split_brain: Duration,
}

/// Rows acknowledged by one server in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) app: usize,
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) writer: usize,
    pub(crate) gtid: Gtid,
    pub(crate) tick: u64,
}

/// The last rows that a server acknowledged.
#[derive(Debug, Clone, Copy)]
struct Taken {
    tick: u64,
    gtid: Gtid,
    count: u64,
}

/// Everything that was told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    entries: VecDeque<Entry>,
    /// Rows of each application that every server holds, and that are no longer remembered one by one.
    settled: Vec<u64>,
    acknowledged: u64,
    refused: u64,
    split_rows: u64,
    /// Committed and never answered: application, row, writer, GTID.
    unanswered: Vec<(usize, u64, usize, Gtid)>,
    last_accepted: Option<u64>,
    /// What each server acknowledged last.
    taken: Vec<Option<Taken>>,
    gap_ticks: u64,
    longest: u64,
    /// When a row was written while its server lacked another's, last.
    last_split: Option<u64>,
    split_ticks: u64,
}

impl Ledger {
    /// Ends a tick with what was told in it.
    pub(crate) fn tick(&mut self, tick: u64, told: &[Told], databases: &Databases) {
        let mut accepted = false;
        for &what in told {
            match what {
                Told::Refused { count } => self.refused += count,
                Told::Acknowledged { app, first, count, writer, gtid } => {
                    accepted = true;
                    self.acknowledged += count;
                    self.taken.resize(self.taken.len().max(writer + 1), None);
                    if let Some(last) = self.taken.get_mut(writer) {
                        *last = Some(Taken { tick, gtid, count });
                    }
                    if self.splits(writer, tick, databases) {
                        self.split_rows += count;
                        self.last_split = Some(tick);
                    }
                    self.entries.push_back(Entry { app, first, count, writer, gtid, tick });
                }
                // Nobody wrote it now: that its writer lacks what the next master wrote meanwhile is no split.
                Told::Found { app, row, writer, gtid } => {
                    accepted = true;
                    self.acknowledged += 1;
                    self.entries.push_back(Entry { app, first: row, count: 1, writer, gtid, tick });
                }
            }
        }
        let wanted = accepted || !told.is_empty() || self.last_accepted.is_some();
        if let Some(last) = self.last_accepted.filter(|_| wanted) {
            let gap = tick - last;
            self.longest = self.longest.max(gap);
            // The second after a write belongs to it.
            self.gap_ticks += u64::from(gap > TICKS && !accepted);
        }
        if accepted {
            self.last_accepted = Some(tick);
        }
        self.split_ticks += u64::from(self.last_split.is_some_and(|at| tick - at < TICKS));
        if self.entries.len() > REMEMBERED {
            self.settle(databases);
        }
    }

    /// Whether a server that took a write lacks what another acknowledged within the last second.
    fn splits(&self, writer: usize, tick: u64, databases: &Databases) -> bool {
        let Some(server) = databases.at(writer) else { return false };
        self.taken.iter().enumerate().filter(|(other, _)| *other != writer).any(|(other, last)| {
            last.is_some_and(|last| {
                tick - last.tick < TICKS && server.holds(other, last.gtid, last.count) < last.count
            })
        })
    }

    fn settle(&mut self, databases: &Databases) {
        // Which table has which rows must be known one by one where a journal is not one table.
        if !databases.servers().all(crate::mariadb::Server::has_whole_journals) {
            return;
        }
        while let Some(entry) = self.entries.front().copied() {
            let held =
                |s: &crate::mariadb::Server| s.holds(entry.writer, entry.gtid, entry.count) == entry.count;
            if !databases.servers().filter(|s| !s.is_outside()).all(held) {
                return;
            }
            self.settled.resize(self.settled.len().max(entry.app + 1), 0);
            if let Some(rows) = self.settled.get_mut(entry.app) {
                *rows += entry.count;
            }
            self.entries.pop_front();
        }
    }

    /// What is remembered one by one, the oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Rows of an application that every server holds and that are only counted.
    pub(crate) fn settled(&self, app: usize) -> u64 {
        self.settled.get(app).copied().unwrap_or(0)
    }

    /// Acknowledged rows of each application that the writable server does not hold; `None` as long as there is not exactly
    /// one.
    pub(crate) fn lost_by_app(&self, databases: &Databases) -> Option<BTreeMap<usize, u64>> {
        let mut writable = databases.servers().filter(|s| s.running && !s.read_only && !s.is_outside());
        let (Some(server), None) = (writable.next(), writable.next()) else { return None };
        let mut lost = BTreeMap::new();
        for entry in &self.entries {
            let missing = entry.count - server.holds(entry.writer, entry.gtid, entry.count);
            *lost.entry(entry.app).or_default() += missing;
        }
        Some(lost)
    }

    fn score(&self, databases: &Databases) -> Score {
        let lost = self.lost_by_app(databases).map(|lost| lost.values().sum());
        let span = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
        Score {
            acknowledged: self.acknowledged,
            refused: self.refused,
            lost,
            split_rows: self.split_rows,
            duplicated: self.duplicated(),
            without_writes: span(self.gap_ticks),
            longest_gap: span(self.longest),
            split_brain: span(self.split_ticks),
        }
    }

    /// Notes rows that were committed and not answered.
    pub(crate) fn unanswered(&mut self, rows: Vec<(usize, u64, usize, Gtid)>) {
        self.unanswered.extend(rows);
    }

    fn duplicated(&self) -> u64 {
        let again = |(app, row, writer, gtid): &&(usize, u64, usize, Gtid)| {
            self.entries.iter().any(|e| {
                e.app == *app
                    && (e.first..e.first + e.count).contains(row)
                    && (e.writer, e.gtid) != (*writer, *gtid)
            })
        };
        self.unanswered.iter().filter(again).fold(0, |count, _| count + 1)
    }
}

/// A row of an application's journal on a server.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// `id`.
    pub id: u64,
    /// The application's host.
    pub app: String,
    /// The application's own number.
    pub seq: u64,
    /// When it was written, seconds of the world; `None` when that was long ago.
    pub at: Option<f64>,
}

impl World {
    /// The rows that a host's server holds in the journal of a database. Rows that every server holds since long stand
    /// first.
    pub fn journal(&mut self, host: &HostName, database: &str) -> Vec<JournalRow> {
        self.live();
        let Some(server) = self.databases.server(host) else { return Vec::new() };
        let spans = server.spans_of(database, "journal").to_vec();
        spans.iter().flat_map(|span| self.journal_part(host, span)).collect()
    }

    /// The rows of a part of an application's journal that a host's server holds. The world's time is not looked at: what is asked
    /// for one after the other is of one moment.
    pub(crate) fn journal_part(&self, host: &HostName, span: &crate::mariadb::Span) -> Vec<JournalRow> {
        let database = span.database.as_str();
        let Some(server) = self.databases.server(host) else { return Vec::new() };
        let own = |app: &crate::apps::App| (app.kind.database == database).then(|| app.host.to_string());
        let names: Vec<Option<String>> = self.apps.iter().map(own).collect();
        let mut rows = Vec::new();
        for (index, app) in names.iter().enumerate().filter_map(|(i, name)| Some((i, name.as_ref()?))) {
            let settled = if span.begins_with_the_world() { self.ledger.settled(index) } else { 0 };
            for seq in 1..=settled {
                let id = rows.len() as u64 + 1;
                rows.push(JournalRow { id, app: app.clone(), seq, at: None });
            }
        }
        let mut id = rows.len() as u64;
        for entry in self.ledger.entries() {
            let held = server.holds(entry.writer, entry.gtid, entry.count);
            let Some(Some(app)) = names.get(entry.app) else { continue };
            #[allow(clippy::cast_precision_loss)] // a few ticks a second
            let at = Some(entry.tick as f64 / TICKS as f64);
            let (from, to) = span.part(entry.writer, entry.gtid, held);
            for seq in entry.first + from..entry.first + to {
                id += 1;
                rows.push(JournalRow { id, app: app.clone(), seq, at });
            }
        }
        rows
    }

    /// The score, now.
    pub fn score(&mut self) -> Score {
        self.databases();
        self.ledger.score(&self.databases)
    }
}

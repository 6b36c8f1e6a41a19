//! A binary log: runs of transactions, and where each ends in a file.

use std::sync::Arc;

use crate::world::noise::draw;

use super::data::Change;
use super::gtid::{Gtid, Position, State};
use super::version::Place;

/// Bytes of a binary log before the next is begun (`max_binlog_size` of such servers).
const LOG_SIZE: u64 = 104_857_600;
/// Bytes of a transaction, about.
const TRANSACTION: u64 = 611;
/// Where a file's first transaction begins.
const HEADER: u64 = 330;
/// Runs that are kept apart by their second, before older ones are joined.
const APART: usize = 20_000;
/// Files kept when the world begins (ten days of them).
const KEPT: u64 = 5;

/// Transactions with consecutive numbers, written by one server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    /// The first.
    pub(crate) first: Gtid,
    /// How many.
    pub(crate) count: u64,
    /// Which server of the world wrote them.
    pub(crate) writer: usize,
    /// The `id` that the first inserts into its application's `journal`; the others follow. All journals of a server count
    /// together, so that the runs of many applications can be joined.
    pub(crate) journal: Option<u64>,
    /// When, in ticks.
    pub(crate) at: u64,
    /// What a single transaction changes in the simulated tables and accounts.
    pub(crate) change: Option<Arc<Change>>,
}

impl Run {
    /// The last of them.
    pub(crate) fn last(&self) -> Gtid {
        Gtid { seq: self.first.seq + self.count.saturating_sub(1), ..self.first }
    }

    /// The first `count` of them.
    pub(crate) fn head(&self, count: u64) -> Self {
        Self { count: count.min(self.count), ..self.clone() }
    }

    /// What is left after the first `count`.
    pub(crate) fn tail(&self, count: u64) -> Self {
        let count = count.min(self.count);
        Self {
            first: Gtid { seq: self.first.seq + count, ..self.first },
            count: self.count - count,
            journal: self.journal.map(|id| id + count),
            ..self.clone()
        }
    }

    /// Whether `next` goes on where this one ends; times are not looked at.
    fn goes_on_with(&self, next: &Self) -> bool {
        self.change.is_none()
            && next.change.is_none()
            && self.writer == next.writer
            && self.first.domain == next.first.domain
            && self.first.server == next.first.server
            && self.first.seq + self.count == next.first.seq
            && self.journal.map(|id| id + self.count) == next.journal
    }
}

/// Why a dump cannot start at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// There is no such file (any more).
    File,
    /// The file ends before.
    Beyond,
    /// It is in the middle of a transaction.
    Middle,
}

/// A server's binary log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    key: u64,
    /// Each with the number of transactions before it.
    runs: Vec<(u64, Run)>,
    end: u64,
    state: State,
    /// Transactions before this number are in files that were deleted.
    kept_from: u64,
    /// Files begun before the last was full: so many transactions before, so many bytes left out.
    rotations: Vec<(u64, u64)>,
}

impl Log {
    pub(crate) fn new(key: u64) -> Self {
        Self { key, ..Self::default() }
    }

    /// Forgets what is in files older than the last few.
    pub(crate) fn purge_old(&mut self) {
        let first = self.place(self.end).file.saturating_sub(KEPT - 1).max(1);
        self.kept_from = self.start_of(first);
    }

    pub(crate) fn append(&mut self, run: Run) {
        if run.count == 0 {
            return;
        }
        self.state.note(run.last());
        let at = self.end;
        self.end += run.count;
        match self.runs.last_mut() {
            Some((_, last)) if last.at == run.at && last.goes_on_with(&run) => last.count += run.count,
            _ => self.runs.push((at, run)),
        }
        if self.runs.len() > APART {
            self.join_older();
        }
    }

    /// The older half loses its times: a lag that long is told coarsely.
    fn join_older(&mut self) {
        let keep = self.runs.len() / 2;
        let mut joined: Vec<(u64, Run)> = Vec::with_capacity(self.runs.len());
        for (index, (at, run)) in std::mem::take(&mut self.runs).into_iter().enumerate() {
            match joined.last_mut() {
                Some((_, last)) if index < keep && last.goes_on_with(&run) => last.count += run.count,
                _ => joined.push((at, run)),
            }
        }
        self.runs = joined;
    }

    /// `RESET MASTER`.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.key);
    }

    /// Transactions ever written to it.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// `gtid_binlog_state`.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// The first transaction that is still in a file.
    pub(crate) fn kept_from(&self) -> u64 {
        self.kept_from
    }

    /// The runs from a transaction on, each with its number; the first may begin before it.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = (u64, Run)> + '_ {
        let start = self.runs.partition_point(|(at, run)| at + run.count <= number);
        self.runs.get(start..).unwrap_or_default().iter().map(move |(at, run)| {
            let skip = number.saturating_sub(*at);
            (at + skip, run.tail(skip))
        })
    }

    /// The number after the last transaction of that domain and server whose number is not above `gtid`'s.
    pub(crate) fn after(&self, gtid: Gtid) -> Option<u64> {
        self.runs.iter().rev().find_map(|(at, run)| {
            let same = run.first.domain == gtid.domain && run.first.server == gtid.server;
            (same && run.first.seq <= gtid.seq).then(|| at + run.count.min(gtid.seq - run.first.seq + 1))
        })
    }

    /// The number of the first transaction of that domain and server.
    pub(crate) fn first_of(&self, gtid: Gtid) -> u64 {
        let same = |run: &Run| run.first.domain == gtid.domain && run.first.server == gtid.server;
        self.runs.iter().find(|(_, run)| same(run)).map_or(self.end, |(at, _)| *at)
    }

    /// Begins a new file.
    pub(crate) fn rotate(&mut self) {
        let left = LOG_SIZE - self.bytes(self.end, true) % LOG_SIZE;
        self.rotations.push((self.end, left));
    }

    fn bytes(&self, number: u64, with_rotation: bool) -> u64 {
        let left_out = self.rotations.iter().filter(|(at, _)| *at < number || with_rotation && *at == number);
        number * TRANSACTION + draw(self.key, number) % 400 + left_out.map(|(_, bytes)| bytes).sum::<u64>()
    }

    /// Where that many transactions end.
    pub(crate) fn place(&self, number: u64) -> Place {
        let bytes = self.bytes(number, true);
        Place { file: 1 + bytes / LOG_SIZE, position: HEADER + bytes % LOG_SIZE }
    }

    /// The number of transactions before a file.
    fn start_of(&self, file: u64) -> u64 {
        self.search((file - 1) * LOG_SIZE)
    }

    /// The least number whose place is not before these bytes.
    fn search(&self, bytes: u64) -> u64 {
        let (mut low, mut high) = (0, self.end + 1);
        while low < high {
            let middle = low.midpoint(high);
            if self.bytes(middle, true) < bytes {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The number of transactions before a place.
    pub(crate) fn number_at(&self, place: Place) -> Result<u64, NoPlace> {
        let end = self.place(self.end);
        let first = self.place(self.kept_from).file;
        if place.file > end.file || place.file < first {
            return Err(NoPlace::File);
        }
        let base = (place.file - 1) * LOG_SIZE;
        if place.position < HEADER {
            return Ok(self.search(base).min(self.end));
        }
        let bytes = base + place.position - HEADER;
        let number = self.search(bytes);
        if number > self.end || place.position > LOG_SIZE + HEADER {
            return Err(NoPlace::Beyond);
        }
        let exact = self.bytes(number, true) == bytes || self.bytes(number, false) == bytes;
        if exact { Ok(number) } else { Err(NoPlace::Middle) }
    }

    /// `BINLOG_GTID_POS`: what was written last in each domain up to a place; `None` when there is no such place.
    pub(crate) fn position_at(&self, place: Place) -> Option<Position> {
        let number = self.number_at(place).ok()?;
        let mut state = State::default();
        for (at, run) in self.runs.iter().take_while(|(at, _)| *at < number) {
            state.note(run.head(number - at).last());
        }
        Some(state.position())
    }

    /// Its files: number and size.
    pub(crate) fn files(&self) -> Vec<Place> {
        let end = self.place(self.end);
        let first = self.place(self.kept_from).file;
        (first..=end.file)
            .map(|file| {
                let full = || {
                    let before = self.start_of(file + 1);
                    let bytes = self.bytes(before, false);
                    if bytes / LOG_SIZE + 1 == file {
                        HEADER + bytes % LOG_SIZE
                    } else {
                        LOG_SIZE + file % 500
                    }
                };
                Place { file, position: if file == end.file { end.position } else { full() } }
            })
            .collect()
    }
}

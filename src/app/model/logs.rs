//! Followed logs: the lines that are kept, which of them are seen, and from where.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Model;
use jumpdeck_fleet::log::{
    HostLog, LineClock, LogEvent, LogLevel, LogLine, LogNote, LogPattern, LogRequest, NotShown,
};
use jumpdeck_fleet::names::{EnvName, HostName};

/// Lines that are kept, and the bytes of their texts together.
const MOST_LINES: usize = 20_000;
const MOST_BYTES: usize = 16 << 20;

/// Chooses lines: by what is typed.
pub trait LineFilter: std::fmt::Debug + Send + Sync {
    /// What was typed.
    fn text(&self) -> &str;

    /// Whether a line is chosen.
    fn holds(&self, line: &LogLine) -> bool;

    /// The texts that are looked for, in lower case.
    fn looked_for(&self) -> Vec<&str>;
}

/// What stands in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEntry {
    /// A line of a log.
    Line(LogLine),
    /// Something to know.
    Note {
        /// What, and of which host.
        note: LogNote,
        /// More hosts of which the same is said.
        others: Vec<HostName>,
    },
    /// What a host did not send.
    NotShown(NotShown),
}

impl LogEntry {
    /// Whose it is; of several hosts the first one.
    #[must_use]
    pub fn host(&self) -> &HostName {
        match self {
            Self::Line(line) => &line.host,
            Self::Note { note, .. } => &note.host,
            Self::NotShown(missed) => &missed.host,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Line(line) => line.text.as_str().len(),
            Self::Note { note, .. } => note.text.as_str().len(),
            Self::NotShown(_) => 0,
        }
    }
}

/// Lines in one span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogSpan {
    /// All of them.
    pub lines: u32,
    /// Those that are errors.
    pub errors: u32,
}

/// The course of the lines that are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTimeline {
    /// When the first span begins: milliseconds since 1970.
    pub from: i64,
    /// How long each span is, in seconds.
    pub each: i64,
    /// The spans, oldest first.
    pub spans: Vec<LogSpan>,
}

/// Followed logs.
#[derive(Debug)]
pub struct LogView {
    /// News of another number is of what was followed before.
    pub number: u64,
    /// The environment.
    pub env: EnvName,
    /// What is followed.
    pub request: LogRequest,
    /// How it is with each host.
    pub states: BTreeMap<HostName, Option<HostLog>>,
    /// Hosts whose lines are not seen.
    pub hidden: BTreeSet<HostName>,
    /// Whether long lines are broken.
    pub wrap: bool,
    /// Lines that are no longer kept.
    pub dropped: u64,
    /// Lines that hosts did not send.
    pub not_sent: u64,
    /// Bytes that hosts did not send and that are not counted as lines.
    pub bytes_not_sent: u64,
    entries: VecDeque<LogEntry>,
    bytes: usize,
    /// The number of the first entry: they count up from 0.
    first: u64,
    /// The numbers of the entries that are seen.
    seen: VecDeque<u64>,
    /// By what they were chosen.
    chosen: Option<Box<dyn LineFilter>>,
    /// The entry at the bottom; `None`: always the newest.
    at: Option<u64>,
}

impl LogView {
    /// Nothing is there yet.
    #[must_use]
    pub fn new(number: u64, env: EnvName, request: LogRequest) -> Self {
        let states = request.hosts.iter().map(|host| (host.clone(), None)).collect();
        Self {
            number,
            env,
            request,
            states,
            hidden: BTreeSet::new(),
            wrap: false,
            dropped: 0,
            not_sent: 0,
            bytes_not_sent: 0,
            entries: VecDeque::new(),
            bytes: 0,
            first: 0,
            seen: VecDeque::new(),
            chosen: None,
            at: None,
        }
    }

    /// Takes news in.
    pub fn take(&mut self, event: LogEvent) {
        match event {
            LogEvent::Lines(lines) => lines.into_iter().for_each(|line| self.push(LogEntry::Line(line))),
            LogEvent::NotShown(missed) => {
                self.not_sent += missed.lines;
                self.bytes_not_sent += missed.bytes;
                self.push(LogEntry::NotShown(missed));
            }
            LogEvent::Note(note) => self.note(note),
            LogEvent::State(host, state) => drop(self.states.insert(host, Some(state))),
        }
    }

    /// What is said of whole hosts at the beginning is said once for all that are alike; later a note has its own place and time.
    fn note(&mut self, note: LogNote) {
        let beginning = self.states.values().any(|state| matches!(state, None | Some(HostLog::Connecting)));
        let same = self.entries.iter_mut().rev().find_map(|entry| match entry {
            LogEntry::Note { note: said, others } => {
                let is_alike = said.source.is_none() && (&said.text, said.gap) == (&note.text, note.gap);
                is_alike.then_some((said, others))
            }
            LogEntry::Line(_) | LogEntry::NotShown(_) => None,
        });
        match same.filter(|_| beginning && note.source.is_none()) {
            Some((said, others)) => {
                if said.host != note.host && !others.contains(&note.host) {
                    others.push(note.host);
                }
                if !self.hidden.is_empty() {
                    self.choose();
                }
            }
            None => self.push(LogEntry::Note { note, others: Vec::new() }),
        }
    }

    fn push(&mut self, entry: LogEntry) {
        let number = self.first + self.entries.len() as u64;
        self.bytes += entry.bytes();
        if self.is_seen(&entry) {
            self.seen.push_back(number);
        }
        self.entries.push_back(entry);
        while self.entries.len() > MOST_LINES || self.bytes > MOST_BYTES {
            let Some(old) = self.entries.pop_front() else { break };
            self.bytes -= old.bytes();
            self.dropped += u64::from(matches!(old, LogEntry::Line(_)));
            if self.seen.front() == Some(&self.first) {
                self.seen.pop_front();
            }
            self.first += 1;
        }
        // The line at the bottom is no longer kept: the oldest one that is kept takes its place.
        if let Some(at) = &mut self.at {
            *at = (*at).max(self.first);
        }
    }

    /// What is ours stays in sight whatever is filtered: it says that lines are missing.
    fn is_seen(&self, entry: &LogEntry) -> bool {
        let others: &[HostName] = match entry {
            LogEntry::Note { others, .. } => others,
            LogEntry::Line(_) | LogEntry::NotShown(_) => &[],
        };
        std::iter::once(entry.host()).chain(others).any(|host| !self.hidden.contains(host))
            && match entry {
                LogEntry::Line(line) => self.chosen.as_ref().is_none_or(|chosen| chosen.holds(line)),
                LogEntry::Note { .. } | LogEntry::NotShown(_) => true,
            }
    }

    /// Chooses again what is seen, where something else is typed now.
    pub fn filter(&mut self, chosen: Box<dyn LineFilter>) {
        if self.chosen.as_ref().map_or("", |before| before.text()) != chosen.text() {
            self.chosen = Some(chosen);
            self.choose();
        }
    }

    fn choose(&mut self) {
        let seen = (self.first..).zip(&self.entries).filter(|(_, entry)| self.is_seen(entry));
        self.seen = seen.map(|(number, _)| number).collect();
    }

    /// Hides a host's lines.
    pub fn hide(&mut self, host: HostName) {
        self.hidden.insert(host);
        self.choose();
    }

    /// Shows the lines of one host alone, or of all again.
    pub fn only(&mut self, host: Option<&HostName>) {
        self.hidden = match host {
            Some(one) if self.hidden.is_empty() => {
                self.states.keys().filter(|host| *host != one).cloned().collect()
            }
            Some(_) | None => BTreeSet::new(),
        };
        self.choose();
    }

    /// How many entries are seen, and how many are kept.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.seen.len(), self.entries.len())
    }

    /// Whether the newest line is always at the bottom.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.at.is_none()
    }

    /// How many entries that are seen came below the bottom.
    #[must_use]
    pub fn new_below(&self) -> usize {
        self.seen.len() - self.bottom().map_or(0, |at| at + 1)
    }

    /// The place of the entry at the bottom, among those seen.
    #[must_use]
    pub fn bottom(&self) -> Option<usize> {
        let last = self.seen.len().checked_sub(1)?;
        match self.at {
            None => Some(last),
            // Where it is not seen any more, the one before it.
            Some(at) => Some(self.seen.partition_point(|number| *number <= at).saturating_sub(1)),
        }
    }

    /// The entries from the bottom up, with whether it is the one at the bottom.
    pub fn upwards(&self) -> impl Iterator<Item = &LogEntry> {
        let bottom = self.bottom().map_or(0, |at| at + 1);
        self.seen
            .range(..bottom)
            .rev()
            .filter_map(|number| self.entries.get(usize::try_from(number - self.first).ok()?))
    }

    /// The entry at the bottom.
    #[must_use]
    pub fn at_bottom(&self) -> Option<&LogEntry> {
        self.upwards().next()
    }

    /// Puts that place among those seen at the bottom; the last one follows.
    pub fn put_at_bottom(&mut self, place: usize) {
        self.at = (place + 1 < self.seen.len()).then(|| self.seen.get(place).copied()).flatten();
    }

    /// Stays where it is, or follows again.
    pub fn hold(&mut self) {
        self.at = match self.at {
            Some(_) => None,
            None => Some(self.seen.back().copied().unwrap_or(self.first)),
        };
    }

    /// What is looked for: texts of the filter, and of the filter on the hosts.
    pub fn looked_for(&self) -> impl Iterator<Item = &str> {
        let pattern =
            self.request.pattern.iter().filter(|pattern| pattern.fixed).map(|pattern| pattern.text.as_str());
        self.chosen.iter().flat_map(|chosen| chosen.looked_for()).chain(pattern)
    }

    /// The lines that are seen, by their times: at most `columns` spans, the last with the newest line.
    #[must_use]
    pub fn timeline(&self, columns: usize) -> Option<LogTimeline> {
        const SPANS: [i64; 11] = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400];
        let lines = || {
            self.seen.iter().filter_map(|number| {
                match self.entries.get(usize::try_from(number - self.first).ok()?)? {
                    LogEntry::Line(line) => Some(line),
                    LogEntry::Note { .. } | LogEntry::NotShown(_) => None,
                }
            })
        };
        let newest = lines().map(|line| line.at).max()?.div_euclid(1000);
        let oldest = lines().map(|line| line.at).min()?.div_euclid(1000);
        let most = i64::try_from(columns.max(1)).unwrap_or(1);
        let each = SPANS.iter().copied().find(|each| newest / each - oldest / each < most).unwrap_or(86_400);
        let first = (newest / each - most + 1).max(oldest / each);
        let count = usize::try_from(newest / each - first + 1).unwrap_or(1).min(columns.max(1));
        let mut spans = vec![LogSpan::default(); count];
        for line in lines() {
            let place = usize::try_from(line.at.div_euclid(1000) / each - first).ok();
            if let Some(span) = place.and_then(|place| spans.get_mut(place)) {
                span.lines += 1;
                span.errors += u32::from(line.level == LogLevel::Error);
            }
        }
        Some(LogTimeline { from: first * each * 1000, each, spans })
    }

    /// Whether a line has its time from its arrival.
    #[must_use]
    pub fn is_arrival(line: &LogLine) -> bool {
        line.clock == LineClock::Arrival
    }
}

impl Model {
    /// The hosts whose logs would be followed: the marked ones, else the selected one.
    #[must_use]
    pub fn log_hosts(&self) -> Vec<HostName> {
        let marked: Vec<HostName> = self.marked().into_iter().cloned().collect();
        if marked.is_empty() { self.row_host().into_iter().collect() } else { marked }
    }

    /// The logs on screen.
    #[must_use]
    pub fn shown_logs(&self) -> Option<&LogView> {
        self.logs.as_ref().filter(|_| *self.screen() == Model::LOGS)
    }

    /// What was typed as a filter becomes one on the hosts; without any, the one there goes.
    pub(in crate::app) fn log_pattern(text: &str) -> Option<LogPattern> {
        let text = text.trim();
        (!text.is_empty()).then(|| LogPattern { text: text.to_owned(), fixed: true })
    }
}

#[cfg(test)]
mod tests;

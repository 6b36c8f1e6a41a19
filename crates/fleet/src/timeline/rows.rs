//! A timeline as people read it: a row for each change, the newest first; many changes of one thing in a short time are one row.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{
    Onset, ProblemEnding, ProblemKey, RecordedProblem, Reopening, TimelineChange, TimelineRecord, WallTime,
    is_reach,
};
use crate::names::{HostName, RoleName};
use crate::problem::{ProblemKind, Severity};
use crate::time::short_age;

/// Changes of one problem that are as close as this belong together.
const CLOSE: Duration = Duration::from_secs(600);
/// This many such changes, or more, become one row.
const MANY: usize = 6;
/// Consoles look once a second and record it once a minute: what is further apart is a gap.
const GAP: Duration = Duration::from_secs(180);

/// What a row says of the state that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowMark {
    /// A problem is there.
    Problem(Severity),
    /// It has ended.
    Ended,
    /// Somebody knows of it.
    Acknowledged,
    /// Neither good nor bad.
    Neutral,
    /// Nobody knows what was then.
    Gap,
}

impl RowMark {
    /// Its word, to filter by.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Problem(severity) => severity.word(),
            Self::Ended => "ended",
            Self::Acknowledged => "acknowledged",
            Self::Neutral => "changed",
            Self::Gap => "gap",
        }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    /// When it was seen; of several changes, the last.
    pub at: WallTime,
    /// What tells it from other rows: its first record.
    pub first: TimelineRecord,
    /// What it says of the state.
    pub mark: RowMark,
    /// The problem that it is about, while it is not known to have ended: how long it lasts, the clock says.
    pub open: Option<ProblemKey>,
    /// How long it lasted, in a few characters: `4m`, `3m–40m`, `≥2h`.
    pub lasted: String,
    /// The host.
    pub host: Option<HostName>,
    /// What kind of change: a word to filter by.
    pub kind: &'static str,
    /// How many changes are in it.
    pub changes: usize,
    /// What happened.
    pub says: String,
}

/// When consoles looked, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookedSpans(Vec<(WallTime, WallTime)>);

impl LookedSpans {
    /// The times of records.
    #[must_use]
    pub fn of(records: &[TimelineRecord]) -> Self {
        let mut spans: Vec<(WallTime, WallTime)> = Vec::new();
        for record in records {
            let TimelineChange::Looked { since } = record.change else { continue };
            match spans.last_mut() {
                Some(last) if since <= last.1.plus(GAP) => last.1 = last.1.max(record.at),
                Some(_) | None => spans.push((since, record.at)),
            }
        }
        Self(spans)
    }

    /// When the first began.
    #[must_use]
    pub fn first(&self) -> Option<WallTime> {
        self.0.first().map(|(from, _)| *from)
    }

    /// The times in between, when no console looked.
    pub fn gaps(&self) -> impl Iterator<Item = (WallTime, WallTime)> + '_ {
        self.0.windows(2).filter_map(|pair| match pair {
            [(_, to), (from, _)] => Some((*to, *from)),
            _ => None,
        })
    }
}

/// The rows of records (oldest first), the newest first.
#[must_use]
pub fn rows(records: &[TimelineRecord]) -> Vec<TimelineRow> {
    let looks = LookedSpans::of(records);
    let mut rows: Vec<TimelineRow> = Vec::with_capacity(records.len() / 2);
    let groups = groups(records);
    for (at, record) in records.iter().enumerate() {
        let group = groups.of.get(&at).and_then(|group| groups.all.get(*group));
        match group.filter(|group| group.len() >= MANY) {
            Some(group) if group.last() == Some(&at) => rows.extend(many(records, group)),
            Some(_) => {}
            None => rows.extend(row(record)),
        }
    }
    rows.extend(looks.gaps().map(|(from, to)| gap(from, to)));
    // Rows of one moment stay in the order in which they were recorded.
    rows.sort_by_key(|row| row.at);
    rows.reverse();
    close(&mut rows);
    rows
}

/// Only the newest row of a problem can be about one that has not ended.
fn close(rows: &mut [TimelineRow]) {
    let mut later = HashSet::new();
    for row in rows {
        if key_of(&row.first.change).is_some_and(|key| !later.insert(key)) {
            row.open = None;
        }
    }
}

fn key_of(change: &TimelineChange) -> Option<ProblemKey> {
    match change {
        TimelineChange::Began { problem, .. }
        | TimelineChange::Changed { problem, .. }
        | TimelineChange::Ended { problem, .. } => Some(problem.key()),
        TimelineChange::Looked { .. }
        | TimelineChange::Hosts(_)
        | TimelineChange::Added(_)
        | TimelineChange::Removed(_)
        | TimelineChange::Roles { .. }
        | TimelineChange::Acknowledged { .. }
        | TimelineChange::Reopened { .. }
        | TimelineChange::Cut => None,
    }
}

/// Changes of one problem that are close together, by their places.
#[derive(Default)]
struct Groups {
    all: Vec<Vec<usize>>,
    of: HashMap<usize, usize>,
}

fn groups(records: &[TimelineRecord]) -> Groups {
    let mut groups = Groups::default();
    let mut newest: HashMap<ProblemKey, usize> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        let Some(key) = key_of(&record.change) else { continue };
        let known = newest.get(&key).copied().filter(|group| {
            let last =
                groups.all.get(*group).and_then(|group| group.last()).and_then(|last| records.get(*last));
            last.is_some_and(|last| record.at.since(last.at) <= CLOSE)
        });
        let group = known.unwrap_or_else(|| {
            groups.all.push(Vec::new());
            groups.all.len() - 1
        });
        newest.insert(key, group);
        groups.of.insert(at, group);
        if let Some(places) = groups.all.get_mut(group) {
            places.push(at);
        }
    }
    groups
}

/// One row for many changes.
fn many(records: &[TimelineRecord], group: &[usize]) -> Option<TimelineRow> {
    let first = records.get(*group.first()?)?;
    let last = records.get(*group.last()?)?;
    let row = row(last)?;
    let count = |is: fn(&TimelineChange) -> bool| {
        group.iter().filter(|at| records.get(**at).is_some_and(|record| is(&record.change))).count()
    };
    let began = count(|change| matches!(change, TimelineChange::Began { .. }));
    let ended = count(|change| matches!(change, TimelineChange::Ended { .. }));
    let other = group.len() - began - ended;
    let other = if other > 0 { format!(", changed {other} times") } else { String::new() };
    let since = clock(first.at, last.at);
    let says = format!("began {began} and ended {ended} times{other} since {since}; last: {}", row.says);
    let lasted = short_age(last.at.since(first.at));
    Some(TimelineRow { first: first.clone(), changes: group.len(), lasted, says, ..row })
}

fn row(record: &TimelineRecord) -> Option<TimelineRow> {
    let at = record.at;
    let blank = TimelineRow {
        at,
        first: record.clone(),
        mark: RowMark::Neutral,
        open: None,
        lasted: String::new(),
        host: None,
        kind: "inventory",
        changes: 1,
        says: String::new(),
    };
    let of = |problem: &RecordedProblem| TimelineRow {
        mark: RowMark::Problem(problem.severity),
        host: problem.host.clone(),
        kind: problem.kind.word(),
        open: Some(problem.key()),
        ..blank.clone()
    };
    Some(match &record.change {
        TimelineChange::Looked { .. } | TimelineChange::Hosts(_) => return None,
        TimelineChange::Roles { before: None, .. } => return None,
        TimelineChange::Cut => TimelineRow {
            mark: RowMark::Gap,
            kind: "gap",
            says: "older events were removed: the file was full".to_owned(),
            ..blank
        },
        TimelineChange::Added(host) => {
            TimelineRow { host: Some(host.clone()), says: "added to the inventory".to_owned(), ..blank }
        }
        TimelineChange::Removed(host) => {
            TimelineRow { host: Some(host.clone()), says: "removed from the inventory".to_owned(), ..blank }
        }
        TimelineChange::Roles { host, before: Some(before), after, unseen_since } => {
            let when = unseen_since.map_or_else(String::new, |since| between(since, at));
            let says = format!("roles {} → {}{when}", names(before), names(after));
            TimelineRow { host: Some(host.clone()), kind: "roles", says, ..blank }
        }
        TimelineChange::Began { problem, onset } => {
            let when = match onset {
                Onset::Seen => String::new(),
                Onset::After(since) => between(*since, at),
                Onset::FirstLook => " (there at the first look)".to_owned(),
            };
            TimelineRow { says: format!("{}{when}", problem.message), ..of(problem) }
        }
        TimelineChange::Changed { problem, before } => {
            let way = match (problem.severity.cmp(before), problem.count) {
                (std::cmp::Ordering::Greater, _) => format!("worse, {} before", before.word()),
                (std::cmp::Ordering::Less, _) => format!("less bad, {} before", before.word()),
                (std::cmp::Ordering::Equal, count) => format!("{count} of its kind now"),
            };
            TimelineRow { says: format!("{} ({way})", problem.message), ..of(problem) }
        }
        TimelineChange::Ended { problem, began, onset, ending } => {
            let (mark, says) = match ending {
                ProblemEnding::Seen => (RowMark::Ended, well(problem)),
                ProblemEnding::After(since) => {
                    (RowMark::Ended, format!("{}{}", well(problem), between(*since, at)))
                }
                ProblemEnding::Unwatched => {
                    let says = format!(
                        "no longer in the inventory; whether it ended is unknown: {}",
                        problem.message
                    );
                    (RowMark::Neutral, says)
                }
            };
            TimelineRow { mark, open: None, lasted: lasted(at, *began, *onset, *ending), says, ..of(problem) }
        }
        TimelineChange::Acknowledged { problem, acknowledgement } => {
            let until = match acknowledgement.until {
                Some(until) => format!("until {}", clock(until, at)),
                None => "until it has ended".to_owned(),
            };
            let (by, reason) = (&acknowledgement.by, &acknowledgement.reason);
            let says = format!("acknowledged by {by} {until}: {reason} ({})", problem.message);
            TimelineRow { mark: RowMark::Acknowledged, says, open: None, ..of(problem) }
        }
        TimelineChange::Reopened { problem, why } => {
            let why = match why {
                Reopening::TimeIsUp => "time is up",
                Reopening::Worse => "the problem became worse",
                Reopening::Removed => "removed by an operator",
            };
            let says = format!("acknowledgement over: {why} ({})", problem.message);
            TimelineRow { says, open: None, ..of(problem) }
        }
    })
}

fn gap(from: WallTime, to: WallTime) -> TimelineRow {
    let says = format!("no console looked between {} and {}", clock(from, to), clock(to, to));
    TimelineRow {
        at: to,
        first: TimelineRecord { at: to, change: TimelineChange::Looked { since: from } },
        mark: RowMark::Gap,
        open: None,
        lasted: short_age(to.since(from)),
        host: None,
        kind: "gap",
        changes: 1,
        says,
    }
}

/// What is well again, with what was wrong.
fn well(problem: &RecordedProblem) -> String {
    let was = &problem.message;
    match (problem.kind, &problem.about) {
        (ProblemKind::JumpDown, _) => "the hosts are reached again".to_owned(),
        (ProblemKind::SecondJump, _) => format!("through the first jump box again (was: {was})"),
        (kind, _) if is_reach(kind) => format!("answers again (was: {was})"),
        (ProblemKind::Replication, _) => format!("replication runs again (was: {was})"),
        (ProblemKind::Service | ProblemKind::Outside, Some(name)) => {
            format!("{name} is well again (was: {was})")
        }
        (_, _) => format!("ended: {was}"),
    }
}

fn lasted(at: WallTime, began: WallTime, onset: Onset, ending: ProblemEnding) -> String {
    let least = match ending {
        ProblemEnding::Seen => at.since(began),
        ProblemEnding::After(seen) => seen.since(began),
        ProblemEnding::Unwatched => return String::new(),
    };
    let most = match (onset, ending) {
        (Onset::FirstLook, _) => None,
        (Onset::Seen, _) => Some(at.since(began)),
        (Onset::After(before), _) => Some(at.since(before)),
    };
    match most {
        Some(most) if short_age(most) == short_age(least) => short_age(least),
        Some(most) => format!("{}–{}", short_age(least), short_age(most)),
        None => format!("≥{}", short_age(least)),
    }
}

fn between(since: WallTime, at: WallTime) -> String {
    format!(" (between {} and {}, not seen meanwhile)", clock(since, at), clock(at, at))
}

/// A moment beside another: `17:02`; with its date where that is another day.
#[must_use]
pub fn clock(moment: WallTime, beside: WallTime) -> String {
    let day = |at: WallTime| at.0.div_euclid(86_400);
    moment.written(if day(moment) == day(beside) { "%H:%M" } else { "%m-%d %H:%M" })
}

fn names(roles: &[RoleName]) -> String {
    if roles.is_empty() {
        return "none".to_owned();
    }
    roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ")
}

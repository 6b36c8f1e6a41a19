//! From records to what a session is.

use std::collections::HashMap;

use super::story::clock;
use super::{SessionEntry, SessionHead, SessionLine, SessionRecord, SessionRow, SessionState, means};
use crate::text::Clean;
use crate::timeline::WallTime;

/// A clock that differs by fewer seconds is not named.
pub const AHEAD: i64 = 3;
/// Consoles that look at one fleet see a change within this many seconds of each other.
const SAME_EVENT: i64 = 120;

/// Somebody who takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPerson {
    /// Who: `anna@desk`.
    pub who: Clean,
    /// Their account on the jump box, where their lines came from there.
    pub account: Option<Clean>,
    /// When they came.
    pub since: WallTime,
    /// When they last wrote a line.
    pub last: WallTime,
    /// By how many seconds their clock is ahead of the jump box's, where it differs.
    pub ahead: Option<i64>,
}

/// A handover that is not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingHandover {
    /// To whom.
    pub to: Clean,
    /// What its confirmation names it by.
    pub key: String,
}

impl PendingHandover {
    /// Whether it is that operator who is to confirm it.
    #[must_use]
    pub fn is_for(&self, who: &str) -> bool {
        means(self.to.as_str(), who)
    }
}

/// A run of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRun {
    /// Which.
    pub run: String,
    /// Its runbook.
    pub runbook: Clean,
    /// Whether changes are only printed.
    pub dry_run: bool,
    /// Who had it, one after the other.
    pub who: Vec<Clean>,
    /// How it ended or stopped, in words; `None`: no line says so.
    pub says: Option<Clean>,
}

/// A session, from the records of all who take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceSession {
    /// What it is.
    pub head: SessionHead,
    /// Whether it is under way.
    pub state: SessionState,
    /// Who leads it.
    pub lead: Clean,
    /// To whom it was handed over, while they have not confirmed it.
    pub handed_to: Option<PendingHandover>,
    /// Who takes part, in the order they came.
    pub people: Vec<SessionPerson>,
    /// Runs, in the order they began.
    pub runs: Vec<SessionRun>,
    /// What happened, in order.
    pub story: Vec<SessionRow>,
    /// What is missing or cannot be read.
    pub troubles: Vec<Clean>,
}

/// A line with the record that it is of, and its place among all.
struct PlacedLine<'r> {
    at: (WallTime, u16),
    record: &'r SessionRecord,
    line: &'r SessionLine,
}

impl MaintenanceSession {
    /// Folds the records; `None` while none of them says what the session is.
    #[must_use]
    pub fn of(records: &[SessionRecord]) -> Option<Self> {
        let lines = merged(records);
        let started = lines.iter().find_map(|placed| {
            if let SessionEntry::Started(head) = &placed.line.entry { Some(head) } else { None }
        });
        // The record of whoever started it may be out of reach; who joined repeats what it says.
        let joined = || {
            lines.iter().find_map(|placed| {
                if let SessionEntry::Joined { head, .. } = &placed.line.entry { Some(head) } else { None }
            })
        };
        let head = started.or_else(joined)?.clone();
        let mut session = Self {
            lead: head.by.clone(),
            head,
            state: SessionState::Open,
            handed_to: None,
            people: Vec::new(),
            runs: Vec::new(),
            story: Vec::new(),
            troubles: troubles(records),
        };
        session.find_lead(&lines);
        let mut works: HashMap<(&str, &str), usize> = HashMap::new();
        let mut events: HashMap<(&str, &str, &str), i64> = HashMap::new();
        for placed in &lines {
            session.take(placed, &mut works, &mut events);
        }
        Some(session)
    }

    /// How long it is past its planned end, in seconds; `None` before it, and when the session has ended.
    #[must_use]
    pub fn overdue(&self, now: WallTime) -> Option<u64> {
        let late = u64::try_from(now.0.saturating_sub(self.head.until.0)).ok().filter(|late| *late > 0);
        late.filter(|_| self.is_open())
    }

    /// Whether it is under way.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == SessionState::Open
    }

    /// Whether somebody takes part.
    #[must_use]
    pub fn has(&self, who: &str) -> bool {
        self.people.iter().any(|person| person.who.as_str() == who)
    }

    fn take<'r>(
        &mut self,
        placed: &PlacedLine<'r>,
        works: &mut HashMap<(&'r str, &'r str), usize>,
        events: &mut HashMap<(&'r str, &'r str, &'r str), i64>,
    ) {
        let PlacedLine { at, record, line } = placed;
        let SessionLine { who, entry, .. } = line;
        let (at, _) = *at;
        self.see(at, who, record);
        let mut row = SessionRow::of(line.at, who, entry);
        match entry {
            SessionEntry::Started(_)
            | SessionEntry::Joined { .. }
            | SessionEntry::Note(_)
            | SessionEntry::HandedOver { .. }
            | SessionEntry::Acknowledged { .. } => {}
            SessionEntry::Run { run, runbook, dry_run, .. } => {
                match self.runs.iter_mut().find(|known| known.run == *run) {
                    Some(known) => {
                        known.says = None;
                        known.who.extend((known.who.last() != Some(who)).then(|| who.clone()));
                    }
                    None => self.runs.push(SessionRun {
                        run: run.clone(),
                        runbook: runbook.clone(),
                        dry_run: *dry_run,
                        who: vec![who.clone()],
                        says: None,
                    }),
                }
            }
            SessionEntry::RunOver { run, says } => {
                if let Some(known) = self.runs.iter_mut().find(|known| known.run == *run) {
                    known.says = Some(says.clone());
                }
            }
            SessionEntry::Opened { work, .. } => {
                works.insert((record.name.as_str(), work.as_str()), self.story.len());
            }
            SessionEntry::Closed { work, says } => {
                let began = works.remove(&(record.name.as_str(), work.as_str()));
                if let Some(began) = began.and_then(|at| self.story.get_mut(at)) {
                    let took = took(line.at.since(began.at).as_secs());
                    began.says = Clean::new(&format!("{}: {says}, after {took}", began.says));
                    return;
                }
            }
            SessionEntry::Event { state, host, key, .. } => {
                let host = host.as_ref().map(Clean::as_str).unwrap_or_default();
                let before = events.insert((state.as_str(), host, key.as_str()), at.0);
                // Each console that looks at the fleet writes what it sees.
                if before.is_some_and(|before| at.0.saturating_sub(before) <= SAME_EVENT) {
                    return;
                }
            }
            SessionEntry::Clock { ahead } => {
                let ahead = Some(*ahead).filter(|ahead| ahead.abs() >= AHEAD);
                if let Some(person) = self.people.iter_mut().find(|person| person.who == *who) {
                    person.ahead = ahead;
                }
                if ahead.is_none() {
                    row.says = Clean::new("this clock agrees with the jump box's again");
                }
            }
            SessionEntry::Ended { reason } => {
                if self.is_open() {
                    self.state = SessionState::Ended { at: line.at, by: who.clone(), reason: reason.clone() };
                }
            }
        }
        self.story.push(row);
    }

    /// Whoever writes a line takes part.
    fn see(&mut self, at: WallTime, who: &Clean, record: &SessionRecord) {
        match self.people.iter_mut().find(|person| person.who == *who) {
            Some(person) => person.last = person.last.max(at),
            None => self.people.push(SessionPerson {
                who: who.clone(),
                account: record.account.clone(),
                since: at,
                last: at,
                ahead: None,
            }),
        }
    }

    /// The last handover counts; who confirmed the last confirmed one leads.
    fn find_lead(&mut self, lines: &[PlacedLine<'_>]) {
        let confirmed = |key: &str| {
            let confirms = |placed: &&PlacedLine<'_>| matches!(&placed.line.entry, SessionEntry::Joined { confirms: Some(of), .. } if of == key);
            lines.iter().find(confirms).map(|placed| placed.line.who.clone())
        };
        for PlacedLine { record, line, .. } in lines {
            let SessionEntry::HandedOver { to } = &line.entry else { continue };
            let key = format!("{}:{}", record.name, line.number);
            match confirmed(&key).filter(|who| means(to.as_str(), who.as_str())) {
                Some(who) => (self.lead, self.handed_to) = (who, None),
                None => self.handed_to = Some(PendingHandover { to: to.clone(), key }),
            }
        }
    }

    /// What clocks say that differ, in words.
    #[must_use]
    pub fn clocks(&self) -> Vec<String> {
        let differ = self.people.iter().filter_map(|person| Some((&person.who, person.ahead?)));
        differ.map(|(who, ahead)| format!("{who}: {}", clock(ahead))).collect()
    }
}

/// The lines of all records in the order of their times. Within a record a clock that is set back changes no order.
fn merged(records: &[SessionRecord]) -> Vec<PlacedLine<'_>> {
    let mut all = Vec::new();
    for record in records {
        let mut latest = (WallTime(i64::MIN), 0);
        for line in &record.lines {
            latest = latest.max((line.at, line.ms));
            all.push(PlacedLine { at: latest, record, line });
        }
    }
    all.sort_by(|a, b| (a.at, &a.record.name, a.line.number).cmp(&(b.at, &b.record.name, b.line.number)));
    all
}

fn troubles(records: &[SessionRecord]) -> Vec<Clean> {
    let mut all = Vec::new();
    for record in records {
        let whose = record.lines.first().map_or_else(|| record.name.clone(), |line| line.who.to_string());
        all.extend(record.trouble.as_ref().map(|why| Clean::new(&format!("the record of {whose}: {why}"))));
        let mut next = 1;
        for line in &record.lines {
            if line.number != next {
                let (before, number) = (next - 1, line.number);
                let says = format!("lines are missing: line {number} follows line {before}");
                all.push(Clean::new(&format!("the record of {whose}: {says}")));
            }
            next = line.number.saturating_add(1);
        }
    }
    all
}

/// `4 s`, `12 min`, `2 h 05 min`.
fn took(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

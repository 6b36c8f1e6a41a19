//! Lines of a session's record as JSON, in the file and on the jump box.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use jumpdeck_fleet::maintenance::{
    RunEntry, SessionEntry, SessionHead, SessionLine, SessionRecord, SessionWork,
};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::WallTime;

/// The form of records.
const FORM: u32 = 1;

/// The first line of a record: of which session it is, and which record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordHead {
    jumpdeck_session: u32,
    /// The record.
    pub(super) record: String,
    /// The session.
    pub(super) session: String,
}

impl RecordHead {
    pub(super) fn new(record: &str, session: &str) -> Self {
        Self { jumpdeck_session: FORM, record: record.to_owned(), session: session.to_owned() }
    }

    /// As a line, with its end.
    pub(super) fn line(&self) -> String {
        format!("{}\n", serde_json::to_string(self).unwrap_or_default())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct WireSessionLine {
    n: u64,
    at: Timestamp,
    who: String,
    #[serde(flatten)]
    entry: WireEntry,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum WireEntry {
    Started(WireHead),
    Joined {
        #[serde(flatten)]
        head: WireHead,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confirms: Option<String>,
    },
    Note {
        text: String,
    },
    Run {
        run: String,
        runbook: String,
        dry_run: bool,
        how: WireRunEntry,
    },
    RunOver {
        run: String,
        says: String,
    },
    Shell {
        work: String,
        host: String,
    },
    Command {
        work: String,
        hosts: Vec<String>,
        command: String,
    },
    Closed {
        work: String,
        says: String,
    },
    Event {
        state: String,
        host: Option<String>,
        key: String,
        says: String,
    },
    Acknowledged {
        problem: String,
        reason: String,
        until: Option<Timestamp>,
    },
    HandedOver {
        to: String,
    },
    Clock {
        ahead_s: i64,
    },
    Ended {
        reason: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct WireHead {
    session: String,
    environment: String,
    simulated: bool,
    reason: String,
    ticket: String,
    people: Vec<String>,
    began: Timestamp,
    by: String,
    until: Timestamp,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireRunEntry {
    Started,
    Resumed,
    TookOver,
}

/// A time as JSON has it.
pub(super) fn stamp(at: WallTime) -> Timestamp {
    Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time in whole seconds, never a later one.
pub(super) fn wall(at: Timestamp) -> WallTime {
    WallTime(at.as_millisecond().div_euclid(1000))
}

/// The milliseconds of a time after those.
pub(super) fn millis(at: Timestamp) -> u16 {
    u16::try_from(at.as_millisecond().rem_euclid(1000)).unwrap_or(0)
}

fn texts(all: &[Clean]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn cleans(all: &[String]) -> Vec<Clean> {
    all.iter().map(|one| Clean::new(one)).collect()
}

fn joined(lines: &[Clean]) -> String {
    texts(lines).join("\n")
}

/// A line, with its end.
pub(super) fn line(line: &SessionLine) -> String {
    let wire = WireSessionLine {
        n: line.number,
        at: stamp(line.at)
            .checked_add(jiff::SignedDuration::from_millis(line.ms.into()))
            .unwrap_or_else(|_| stamp(line.at)),
        who: line.who.to_string(),
        entry: (&line.entry).into(),
    };
    // Text and numbers always become JSON.
    format!("{}\n", serde_json::to_string(&wire).unwrap_or_default())
}

impl From<&SessionEntry> for WireEntry {
    fn from(entry: &SessionEntry) -> Self {
        match entry {
            SessionEntry::Started(head) => Self::Started(head.into()),
            SessionEntry::Joined { head, confirms } => {
                Self::Joined { head: head.into(), confirms: confirms.clone() }
            }
            SessionEntry::Note(lines) => Self::Note { text: joined(lines) },
            SessionEntry::Run { run, runbook, dry_run, how } => Self::Run {
                run: run.clone(),
                runbook: runbook.to_string(),
                dry_run: *dry_run,
                how: match how {
                    RunEntry::Started => WireRunEntry::Started,
                    RunEntry::Resumed => WireRunEntry::Resumed,
                    RunEntry::TookOver => WireRunEntry::TookOver,
                },
            },
            SessionEntry::RunOver { run, says } => Self::RunOver { run: run.clone(), says: says.to_string() },
            SessionEntry::Opened { work, what: SessionWork::Shell { host } } => {
                Self::Shell { work: work.clone(), host: host.to_string() }
            }
            SessionEntry::Opened { work, what: SessionWork::Command { hosts, command } } => {
                Self::Command { work: work.clone(), hosts: texts(hosts), command: joined(command) }
            }
            SessionEntry::Closed { work, says } => {
                Self::Closed { work: work.clone(), says: says.to_string() }
            }
            SessionEntry::Event { state, host, key, says } => Self::Event {
                state: state.to_string(),
                key: key.to_string(),
                host: host.as_ref().map(ToString::to_string),
                says: says.to_string(),
            },
            SessionEntry::Acknowledged { problem, reason, until } => Self::Acknowledged {
                problem: problem.to_string(),
                reason: reason.to_string(),
                until: until.map(stamp),
            },
            SessionEntry::HandedOver { to } => Self::HandedOver { to: to.to_string() },
            SessionEntry::Clock { ahead } => Self::Clock { ahead_s: *ahead },
            SessionEntry::Ended { reason } => Self::Ended { reason: reason.to_string() },
        }
    }
}

impl From<&SessionHead> for WireHead {
    fn from(head: &SessionHead) -> Self {
        Self {
            session: head.id.clone(),
            environment: head.env.to_string(),
            simulated: head.simulated,
            reason: head.reason.to_string(),
            ticket: head.ticket.to_string(),
            people: texts(&head.people),
            began: stamp(head.began),
            by: head.by.to_string(),
            until: stamp(head.until),
        }
    }
}

impl TryFrom<WireHead> for SessionHead {
    type Error = String;

    fn try_from(wire: WireHead) -> Result<Self, String> {
        Ok(Self {
            env: EnvName::new(&wire.environment).map_err(|error| error.to_string())?,
            id: Clean::new(&wire.session).to_string(),
            simulated: wire.simulated,
            reason: Clean::new(&wire.reason),
            ticket: Clean::new(&wire.ticket),
            people: cleans(&wire.people),
            began: wall(wire.began),
            by: Clean::new(&wire.by),
            until: wall(wire.until),
        })
    }
}

impl TryFrom<WireEntry> for SessionEntry {
    type Error = String;

    fn try_from(wire: WireEntry) -> Result<Self, String> {
        let name = |text: &str| Clean::new(text).to_string();
        Ok(match wire {
            WireEntry::Started(head) => Self::Started(head.try_into()?),
            WireEntry::Joined { head, confirms } => Self::Joined { head: head.try_into()?, confirms },
            WireEntry::Note { text } => Self::Note(Clean::lines(&text)),
            WireEntry::Run { run, runbook, dry_run, how } => Self::Run {
                run: name(&run),
                runbook: Clean::new(&runbook),
                dry_run,
                how: match how {
                    WireRunEntry::Started => RunEntry::Started,
                    WireRunEntry::Resumed => RunEntry::Resumed,
                    WireRunEntry::TookOver => RunEntry::TookOver,
                },
            },
            WireEntry::RunOver { run, says } => Self::RunOver { run: name(&run), says: Clean::new(&says) },
            WireEntry::Shell { work, host } => {
                Self::Opened { work, what: SessionWork::Shell { host: Clean::new(&host) } }
            }
            WireEntry::Command { work, hosts, command } => {
                let what = SessionWork::Command { hosts: cleans(&hosts), command: Clean::lines(&command) };
                Self::Opened { work, what }
            }
            WireEntry::Closed { work, says } => Self::Closed { work, says: Clean::new(&says) },
            WireEntry::Event { state, host, key, says } => Self::Event {
                state: Clean::new(&state),
                key: Clean::new(&key),
                host: host.map(|host| Clean::new(&host)),
                says: Clean::new(&says),
            },
            WireEntry::Acknowledged { problem, reason, until } => Self::Acknowledged {
                problem: Clean::new(&problem),
                reason: Clean::new(&reason),
                until: until.map(wall),
            },
            WireEntry::HandedOver { to } => Self::HandedOver { to: Clean::new(&to) },
            WireEntry::Clock { ahead_s } => Self::Clock { ahead: ahead_s },
            WireEntry::Ended { reason } => Self::Ended { reason: Clean::new(&reason) },
        })
    }
}

/// Reads the whole lines of a record of a session. What cannot be read is named, and what comes before it is kept.
#[must_use]
pub(super) fn record(session: &str, name: &str, bytes: &[u8]) -> SessionRecord {
    let mut read = SessionRecord { name: name.to_owned(), ..SessionRecord::default() };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(bytes.get(..whole).unwrap_or_default());
    let mut lines = text.lines();
    match lines.next().map(serde_json::from_str::<RecordHead>) {
        None => return read,
        Some(Ok(head)) if head == RecordHead::new(name, session) => {}
        Some(Ok(head)) if head.jumpdeck_session > FORM => {
            read.trouble = Some("it is written by a newer version of jumpdeck: use that version".into());
            return read;
        }
        Some(_) => {
            read.trouble = Some("line 1 does not begin a record of this session".into());
            return read;
        }
    }
    for (at, text) in lines.enumerate() {
        match self::read(text) {
            Ok(line) => read.lines.push(line),
            Err(why) => {
                let why = format!("line {} and what follows it are not shown: {why}", at + 2);
                read.trouble = Some(Clean::first_line(&why, 300));
                break;
            }
        }
    }
    read
}

fn read(text: &str) -> Result<SessionLine, String> {
    let wire: WireSessionLine = serde_json::from_str(text).map_err(|error| match error.to_string() {
        why if why.contains("unknown variant") => {
            format!("it is of a kind that this version does not know ({why})")
        }
        why => why,
    })?;
    Ok(SessionLine {
        number: wire.n,
        at: wall(wire.at),
        ms: millis(wire.at),
        who: Clean::first_line(&wire.who, 140),
        entry: wire.entry.try_into()?,
    })
}

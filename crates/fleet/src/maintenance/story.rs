//! The story of a session: a row for each thing that happened.

use super::{RunEntry, SessionEntry, SessionWork};
use crate::text::Clean;
use crate::timeline::WallTime;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionMark {
    /// The session began, was handed over, ended.
    Session,
    /// Somebody joined.
    Person,
    /// A note.
    Note,
    /// A run.
    Run,
    /// A command.
    Command,
    /// A shell.
    Shell,
    /// Something changed in the fleet.
    Event,
    /// A problem was acknowledged.
    Acknowledged,
    /// A clock differs.
    Clock,
}

impl SessionMark {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Person => "joined",
            Self::Note => "note",
            Self::Run => "run",
            Self::Command => "command",
            Self::Shell => "shell",
            Self::Event => "event",
            Self::Acknowledged => "expected",
            Self::Clock => "clock",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// When, by the clock of whoever wrote it.
    pub at: WallTime,
    /// Who.
    pub who: Clean,
    /// What kind of thing.
    pub mark: SessionMark,
    /// What, on a line.
    pub says: Clean,
    /// What follows it: the other lines of a note or a command.
    pub more: Vec<Clean>,
    /// The run that it is about.
    pub run: Option<String>,
}

impl SessionRow {
    /// What a line alone says.
    pub(super) fn of(at: WallTime, who: &Clean, entry: &SessionEntry) -> Self {
        let mut run_id = None;
        let mut more = Vec::new();
        let (mark, says) = match entry {
            SessionEntry::Started(head) => (SessionMark::Session, format!("began: {}", head.reason)),
            SessionEntry::Joined { confirms: None, .. } => (SessionMark::Person, "joined".to_owned()),
            SessionEntry::Joined { confirms: Some(_), .. } => {
                (SessionMark::Session, "joined, and leads the session from here on".to_owned())
            }
            SessionEntry::Note(lines) => {
                more.extend(lines.iter().skip(1).cloned());
                (SessionMark::Note, lines.first().map(ToString::to_string).unwrap_or_default())
            }
            SessionEntry::Run { run, runbook, dry_run, how } => {
                run_id = Some(run.clone());
                let did = match how {
                    RunEntry::Started => "started",
                    RunEntry::Resumed => "resumed",
                    RunEntry::TookOver => "took over",
                };
                let dry = if *dry_run { " (dry run)" } else { "" };
                (SessionMark::Run, format!("{did} {runbook}{dry}, run {run}"))
            }
            SessionEntry::RunOver { run, says } => {
                run_id = Some(run.clone());
                (SessionMark::Run, format!("run {run}: {says}"))
            }
            SessionEntry::Opened { what: SessionWork::Shell { host }, .. } => {
                (SessionMark::Shell, format!("on {host}"))
            }
            SessionEntry::Opened { what: SessionWork::Command { hosts, command }, .. } => {
                more.extend(command.iter().skip(1).cloned());
                let first = command.first().map(Clean::as_str).unwrap_or_default();
                (SessionMark::Command, format!("on {}: {first}", listed(hosts)))
            }
            SessionEntry::Closed { says, .. } => {
                (SessionMark::Command, format!("{says} (its beginning is missing)"))
            }
            SessionEntry::Event { state, host, says, .. } => {
                let host = host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
                (SessionMark::Event, format!("{state}: {host}{says}"))
            }
            SessionEntry::Acknowledged { problem, reason, until } => {
                let until = until.map(|at| format!(", until {}", at.written("%H:%MZ"))).unwrap_or_default();
                (SessionMark::Acknowledged, format!("{problem}: {reason}{until}"))
            }
            SessionEntry::HandedOver { to } => {
                (SessionMark::Session, format!("hands over to {to}, who confirms by joining"))
            }
            SessionEntry::Clock { ahead } => (SessionMark::Clock, clock(*ahead)),
            SessionEntry::Ended { reason } if reason.is_empty() => (SessionMark::Session, "ended".to_owned()),
            SessionEntry::Ended { reason } => (SessionMark::Session, format!("ended: {reason}")),
        };
        Self { at, who: who.clone(), mark, says: Clean::new(&says), more, run: run_id }
    }
}

/// How a clock differs, in words.
pub(super) fn clock(ahead: i64) -> String {
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    format!("this clock is {} s {side} the jump box's", ahead.unsigned_abs())
}

/// Hosts, the first ones by name.
fn listed(hosts: &[Clean]) -> String {
    const NAMED: usize = 8;
    let named: Vec<&str> = hosts.iter().take(NAMED).map(Clean::as_str).collect();
    match hosts.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more hosts", named.join(", ")),
    }
}

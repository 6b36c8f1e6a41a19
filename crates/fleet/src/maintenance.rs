//! Maintenance sessions: what people do together in an environment for some hours, as one record.
//!
//! Each participant appends lines to a record of their own, so no two of them write to one file. [`MaintenanceSession::of`] folds the
//! records into one story; it reads no clock, and a line that it does not have is named, never guessed.

use super::names::EnvName;
use super::text::Clean;
use super::timeline::WallTime;

mod fold;
mod seen;
mod story;
#[cfg(test)]
mod tests;

pub use fold::{AHEAD, MaintenanceSession, PendingHandover, SessionPerson, SessionRun};
pub use seen::{SeenSession, SessionNews, SessionOrder, SessionSync};
pub use story::{SessionMark, SessionRow};

/// What a session is, as whoever starts it says. Who joins repeats it, so that each record can be read without the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionHead {
    /// Its name: `20261130T2130-a3f9`.
    pub id: String,
    /// The environment.
    pub env: EnvName,
    /// Whether its fleet is simulated.
    pub simulated: bool,
    /// Why.
    pub reason: Clean,
    /// The ticket; empty for none.
    pub ticket: Clean,
    /// Who is meant to take part.
    pub people: Vec<Clean>,
    /// When it began.
    pub began: WallTime,
    /// Who started it.
    pub by: Clean,
    /// Its planned end.
    pub until: WallTime,
}

/// How somebody came to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEntry {
    /// They started it.
    Started,
    /// They went on with it.
    Resumed,
    /// They took it over from a console that is gone.
    TookOver,
}

/// Something that was done by hand on hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionWork {
    /// A shell on a host.
    Shell {
        /// The host.
        host: Clean,
    },
    /// A command on hosts.
    Command {
        /// The hosts.
        hosts: Vec<Clean>,
        /// Its lines.
        command: Vec<Clean>,
    },
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEntry {
    /// The session began.
    Started(SessionHead),
    /// Somebody joined.
    Joined {
        /// The session, as they found it.
        head: SessionHead,
        /// The handover that they confirm by it: clocks that differ cannot say which was first.
        confirms: Option<String>,
    },
    /// A note, in Markdown, line by line.
    Note(Vec<Clean>),
    /// Somebody has a run under way.
    Run {
        /// Which.
        run: String,
        /// Its runbook.
        runbook: Clean,
        /// Whether changes are only printed.
        dry_run: bool,
        /// How they came to it.
        how: RunEntry,
    },
    /// The run that somebody had under way is over, or stopped.
    RunOver {
        /// Which.
        run: String,
        /// How, in words.
        says: Clean,
    },
    /// Work by hand began.
    Opened {
        /// What its end names it by.
        work: String,
        /// What.
        what: SessionWork,
    },
    /// Work by hand ended.
    Closed {
        /// Which.
        work: String,
        /// How, in words.
        says: Clean,
    },
    /// Something changed in the fleet.
    Event {
        /// What happened to it: `began`, `ended`, `added`.
        state: Clean,
        /// The host, where it is about one.
        host: Option<Clean>,
        /// What tells it from others of the host while its words change.
        key: Clean,
        /// What.
        says: Clean,
    },
    /// Somebody knows of a problem.
    Acknowledged {
        /// The problem.
        problem: Clean,
        /// Why it is expected.
        reason: Clean,
        /// Until when; `None`: until it ends.
        until: Option<WallTime>,
    },
    /// The session is to be led by somebody else, who confirms it by joining.
    HandedOver {
        /// Who.
        to: Clean,
    },
    /// The clock here differs from that of the jump box.
    Clock {
        /// By how many seconds it is ahead.
        ahead: i64,
    },
    /// The session ended.
    Ended {
        /// What remains to be said; empty for nothing.
        reason: Clean,
    },
}

/// A line of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// From 1.
    pub number: u64,
    /// When, by the clock of whoever wrote it.
    pub at: WallTime,
    /// Milliseconds after it.
    pub ms: u16,
    /// Who wrote it: `anna@desk`.
    pub who: Clean,
    /// What it says.
    pub entry: SessionEntry,
}

/// The lines of one participant's machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionRecord {
    /// What it is told from others by.
    pub name: String,
    /// The account on the jump box that wrote it; `None`: it is read from this machine.
    pub account: Option<Clean>,
    /// Its lines.
    pub lines: Vec<SessionLine>,
    /// Why there may be more than these.
    pub trouble: Option<Clean>,
}

/// Whether a session is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// It is.
    Open,
    /// It has ended.
    Ended {
        /// When.
        at: WallTime,
        /// Who ended it.
        by: Clean,
        /// What they said; empty for nothing.
        reason: Clean,
    },
}

/// Whether a name that was typed means that operator: `anna` and `anna@desk` mean `anna@desk`.
#[must_use]
pub fn means(name: &str, who: &str) -> bool {
    let account = who.split_once('@').map_or(who, |(account, _)| account);
    !name.is_empty() && (name == who || name == account)
}

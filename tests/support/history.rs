//! Histories: what clients of a database did and saw, what its servers hold at the end, and whether a single database that
//! loses nothing could have given it. Pure: no clock, no fleet. Every value is written at most once in a history, so that what is
//! found somewhere tells who wrote it.

#[path = "history/check.rs"]
mod check;
#[path = "history/tests.rs"]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub(crate) use check::check;

/// What a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Adds a value to a set to which values are only added.
    Append(u64),
    /// Puts a value in place of a register's.
    Write(u64),
    /// Reads a set.
    ReadSet,
    /// Reads a register.
    ReadRegister,
}

impl Act {
    /// Whether it changes something.
    pub(crate) fn writes(self) -> bool {
        match self {
            Self::Append(_) | Self::Write(_) => true,
            Self::ReadSet | Self::ReadRegister => false,
        }
    }
}

/// How it ended for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The write was acknowledged.
    Acknowledged,
    /// What was read, and whether the server that answered took writes.
    Saw(Vec<u64>, bool),
    /// It was refused, or never sent: it has not happened.
    Refused(String),
    /// No answer: it may have happened, at any time since.
    Unknown(String),
}

/// An operation of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) client: String,
    pub(crate) key: String,
    pub(crate) act: Act,
    /// When it was asked for and when the answer was there: numbers of one counter, so that what ended before another began has
    /// the lower one.
    pub(crate) begun: u64,
    pub(crate) ended: u64,
    /// The server that it was sent to, when there was a connection.
    pub(crate) server: Option<String>,
    pub(crate) outcome: Outcome,
}

/// What a server holds when all is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The values of each set, as often as they are there.
    pub(crate) sets: BTreeMap<String, Vec<u64>>,
    /// The values of each register: one, unless something is wrong.
    pub(crate) registers: BTreeMap<String, Vec<u64>>,
    /// Whether it takes writes.
    pub(crate) writable: bool,
    /// Whether it replicates from the master without an error, and has come to its end.
    pub(crate) level: bool,
}

/// The end of a history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) servers: BTreeMap<String, Held>,
    /// The server that is the master now.
    pub(crate) master: String,
    /// The master that died, when one did: what it alone had is lost, and that is documented.
    pub(crate) dead: Option<String>,
}

/// What a history shows to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// Acknowledged (or seen by a client), and not there.
    Lost,
    /// There more than once.
    Duplicated,
    /// A read on a server that takes writes does not show what was acknowledged before it began.
    Stale,
    /// Two servers took writes, or a server has what the master has not.
    TwoMasters,
    /// There, though it was refused or nobody wrote it.
    Phantom,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Stale => "stale",
            Self::TwoMasters => "two masters",
            Self::Phantom => "refused or never written, and there",
        })
    }
}

/// One thing that is wrong, with the key it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) wrong: Wrong,
    pub(crate) key: String,
    pub(crate) value: Option<u64>,
    pub(crate) says: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.wrong, self.key, self.says)
    }
}

/// How many there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) operations: u64,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
    /// Of the writes without an answer: those that are there at the end.
    pub(crate) unknown_there: u64,
    pub(crate) reads: u64,
    /// Reads that a server which takes no writes answered with less than was acknowledged by then.
    pub(crate) behind: u64,
}

/// What became of a history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) findings: Vec<Finding>,
    /// Acknowledged by the master that died, received by nobody: told, and no fault.
    pub(crate) lost_with_the_dead: Vec<Finding>,
    pub(crate) counts: Counts,
}

impl Verdict {
    pub(crate) fn count(&self, wrong: Wrong) -> usize {
        self.findings.iter().filter(|finding| finding.wrong == wrong).count()
    }
}

/// The operations around what is wrong: those on its key that began or ended near the ones that concern its value.
pub(crate) fn around(ops: &[Op], finding: &Finding) -> String {
    let of_key: Vec<&Op> = ops.iter().filter(|op| op.key == finding.key).collect();
    let concerns = |op: &Op| match &op.act {
        Act::Append(value) | Act::Write(value) => Some(*value) == finding.value,
        Act::ReadSet | Act::ReadRegister => false,
    };
    let middle = of_key.iter().position(|op| concerns(op)).unwrap_or(of_key.len().saturating_sub(1));
    let from = middle.saturating_sub(6);
    let told = of_key.iter().skip(from).take(14).map(|op| {
        let outcome = match &op.outcome {
            Outcome::Saw(values, writable) => {
                format!("saw {} values, the last {:?}, writable {writable}", values.len(), values.last())
            }
            other => format!("{other:?}"),
        };
        let server = op.server.as_deref().unwrap_or("-");
        format!("  {:>6}..{:<6} {:<12} {server:<14} {:?}: {outcome}", op.begun, op.ended, op.client, op.act)
    });
    told.collect::<Vec<_>>().join("\n")
}

/// The clients that wrote since a moment, and of which every write was refused.
pub(crate) fn refused_since(ops: &[Op], moment: u64) -> Vec<String> {
    let mut served = BTreeMap::<&str, bool>::new();
    for op in ops.iter().filter(|op| op.begun > moment && op.act.writes()) {
        *served.entry(&op.client).or_default() |= !matches!(op.outcome, Outcome::Refused(_));
    }
    served.into_iter().filter(|(_, served)| !served).map(|(client, _)| client.to_owned()).collect()
}

/// The values of a set on a server.
fn set<'a>(end: &'a End, server: &str, key: &str) -> &'a [u64] {
    end.servers.get(server).and_then(|held| held.sets.get(key)).map_or(&[], Vec::as_slice)
}

/// The servers that hold a value of a set.
fn holders<'a>(end: &'a End, key: &str, value: u64) -> BTreeSet<&'a str> {
    let holds = |held: &Held| held.sets.get(key).is_some_and(|values| values.contains(&value));
    end.servers.iter().filter(|(_, held)| holds(held)).map(|(name, _)| name.as_str()).collect()
}

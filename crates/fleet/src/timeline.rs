//! What changed in an environment, and when: problems that began and ended, roles, the inventory, acknowledgements.
//!
//! [`KnownTimeline`] folds one judgement after the other into records. It claims nothing that was not seen: a problem whose host became
//! unknown has not ended, and what changed while nobody looked has two moments, not one.

use std::time::Duration;

use super::names::{EnvName, HostName, RoleName};
use super::problem::{Problem, ProblemKind, Severity};
use super::text::Clean;

mod ends;
mod fold;
mod known;
mod rows;
mod stretch;

pub use known::{KnownTimeline, OpenProblem};
pub use rows::{LookedSpans, RowMark, TimelineRow, clock, rows};

/// Seconds since 1970: the time of clocks, which a restart does not set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WallTime(pub i64);

impl WallTime {
    /// The time from `earlier` to this moment; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment and `by` more.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX)))
    }

    /// In UTC, in a form of `strftime`.
    #[must_use]
    pub fn written(self, form: &str) -> String {
        jiff::Timestamp::from_second(self.0)
            .map_or_else(|_| "?".to_owned(), |at| at.strftime(form).to_string())
    }

    /// `2026-11-30T17:02:03Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.written("%Y-%m-%dT%H:%M:%SZ")
    }
}

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimelineRecord {
    /// When it was seen.
    pub at: WallTime,
    /// What.
    pub change: TimelineChange,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TimelineChange {
    /// A console has looked at the environment without a break since then. The last record of a break-free time counts.
    Looked {
        /// Since when.
        since: WallTime,
    },
    /// The hosts that the inventory has: what later changes are compared with.
    Hosts(Vec<HostName>),
    /// The inventory has a new host.
    Added(HostName),
    /// The inventory no longer has a host.
    Removed(HostName),
    /// The roles that a host reports.
    Roles {
        /// The host.
        host: HostName,
        /// The roles before; `None`: nothing was known, so nothing changed.
        before: Option<Vec<RoleName>>,
        /// The roles from now on.
        after: Vec<RoleName>,
        /// The last moment at which the roles before were seen, where that was not just now.
        unseen_since: Option<WallTime>,
    },
    /// A problem began.
    Began {
        /// It.
        problem: RecordedProblem,
        /// How well its beginning is known.
        onset: Onset,
    },
    /// A problem became worse or less bad.
    Changed {
        /// As it is now.
        problem: RecordedProblem,
        /// How bad it was.
        before: Severity,
    },
    /// A problem ended.
    Ended {
        /// As it was last.
        problem: RecordedProblem,
        /// When it began.
        began: WallTime,
        /// How well its beginning is known.
        onset: Onset,
        /// How well its end is known.
        ending: ProblemEnding,
    },
    /// Somebody knows of a problem.
    Acknowledged {
        /// The problem.
        problem: RecordedProblem,
        /// Who, why and until when.
        acknowledgement: Acknowledgement,
    },
    /// An acknowledgement is over, and the problem is open again.
    Reopened {
        /// The problem.
        problem: RecordedProblem,
        /// Why.
        why: Reopening,
    },
    /// Records before this moment were removed for lack of room.
    Cut,
}

/// A problem as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordedProblem {
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub kind: ProblemKind,
    /// The host it is about; `None` when it is about the environment.
    pub host: Option<HostName>,
    /// The service, the mount point, the role, whatever tells it from others of its kind.
    pub about: Option<Clean>,
    /// How many problems are recorded as this one.
    pub count: u32,
    /// What is wrong.
    pub message: Clean,
}

impl RecordedProblem {
    /// Which problem it is.
    #[must_use]
    pub fn key(&self) -> ProblemKey {
        ProblemKey::new(self.kind, self.host.as_ref(), self.about.clone())
    }

    fn of(problem: &Problem) -> Self {
        Self {
            severity: problem.severity,
            kind: problem.kind,
            host: problem.host.clone(),
            about: about(problem),
            count: 1,
            message: Clean::new(&problem.message),
        }
    }
}

/// Which problem: the same while its figures and its words change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProblemKey {
    kind: ProblemKind,
    host: Option<HostName>,
    about: Option<Clean>,
}

impl ProblemKey {
    /// The key of a problem.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        Self::new(problem.kind, problem.host.as_ref(), about(problem))
    }

    fn new(kind: ProblemKind, host: Option<&HostName>, about: Option<Clean>) -> Self {
        Self {
            kind: one_of_a_kind(kind),
            host: host.filter(|_| !is_shared(kind)).cloned(),
            about: about.filter(|_| !is_reach(kind)),
        }
    }
}

fn about(problem: &Problem) -> Option<Clean> {
    problem.service.as_deref().or(problem.subject.as_deref()).map(Clean::new)
}

/// Whether a host does not answer as it should: on its way back it is in one such state after the other.
fn is_reach(kind: ProblemKind) -> bool {
    one_of_a_kind(kind) == ProblemKind::HostDown
}

fn one_of_a_kind(kind: ProblemKind) -> ProblemKind {
    use ProblemKind as P;
    match kind {
        P::HostKey | P::Identity | P::Stale | P::HostDown => P::HostDown,
        P::JumpDown
        | P::SecondJump
        | P::Load
        | P::Memory
        | P::Swap
        | P::Disk
        | P::Inodes
        | P::Mount
        | P::Clock
        | P::Level
        | P::RolesDiffer
        | P::RoleCount
        | P::RoleImplies
        | P::OsDiffers
        | P::Replication
        | P::ReplicationLag
        | P::ReplicationTls
        | P::WritableMasters
        | P::ServerId
        | P::Cluster
        | P::Database
        | P::DatabaseAddress
        | P::Unreadable
        | P::Run
        | P::Service
        | P::Outside
        | P::SecurityUpdates
        | P::PackageLists
        | P::RebootRequired
        | P::FailedUnits
        | P::OomKill
        | P::DailyJobs
        | P::OsSupport
        | P::ReadOnly => kind,
    }
}

/// Whether the rule names a host while it is the only one, and all of them together when they are several.
fn is_shared(kind: ProblemKind) -> bool {
    use ProblemKind as P;
    match kind {
        P::SecurityUpdates | P::PackageLists | P::RebootRequired | P::DatabaseAddress => true,
        P::JumpDown
        | P::SecondJump
        | P::HostDown
        | P::HostKey
        | P::Identity
        | P::Stale
        | P::Load
        | P::Memory
        | P::Swap
        | P::Disk
        | P::Inodes
        | P::Mount
        | P::Clock
        | P::Level
        | P::RolesDiffer
        | P::RoleCount
        | P::RoleImplies
        | P::OsDiffers
        | P::Replication
        | P::ReplicationLag
        | P::ReplicationTls
        | P::WritableMasters
        | P::ServerId
        | P::Cluster
        | P::Database
        | P::Unreadable
        | P::Run
        | P::Service
        | P::Outside
        | P::FailedUnits
        | P::OomKill
        | P::DailyJobs
        | P::OsSupport
        | P::ReadOnly => false,
    }
}

/// How well the beginning of a problem is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Onset {
    /// It was seen.
    Seen,
    /// It began after this moment, at which it was not there; since then nobody looked, or nothing was known.
    After(WallTime),
    /// It was there when it was first looked for.
    FirstLook,
}

/// How well the end of a problem is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemEnding {
    /// It was seen.
    Seen,
    /// It ended after this moment, at which it was still there.
    After(WallTime),
    /// The inventory no longer has its host: whether it ended is unknown.
    Unwatched,
}

/// What somebody who knows of a problem says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acknowledgement {
    /// `account@machine`.
    pub by: Clean,
    /// Why nothing is to be done now.
    pub reason: Clean,
    /// Its end; `None`: when the problem has ended.
    pub until: Option<WallTime>,
}

/// Why an acknowledgement is over while its problem is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reopening {
    /// Its time is up.
    TimeIsUp,
    /// The problem became worse.
    Worse,
    /// Somebody removed it.
    Removed,
}

impl Reopening {
    /// The word of the file and of the JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::TimeIsUp => "time_is_up",
            Self::Worse => "worse",
            Self::Removed => "removed",
        }
    }
}

/// News of an environment's records on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineNews {
    /// The environment.
    pub env: EnvName,
    /// All that are there, oldest first; `None`: as before.
    pub records: Option<Vec<TimelineRecord>>,
    /// Who writes them.
    pub keeping: TimelineKeeping,
    /// What is wrong with the file, and what follows from it.
    pub wrong: Option<Clean>,
}

/// Where the records of an environment are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimelineKeeping {
    /// In memory only: the fleet is a simulated one.
    #[default]
    Memory,
    /// The file is being read.
    Reading,
    /// In a file, by this console.
    Recording,
    /// In a file, by another console of this account: this one reads what that one writes.
    Following,
}

//! The signs of states. Each stands beside its word somewhere on the same screen, and help lists them; none needs a
//! special font, all are one column wide.

use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::run::{PastEnd, RunState, RunView, StepState};

/// How something is, as a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be, by a fresh answer.
    Ok,
    /// As it should be, by an answer over two cadences old.
    Stale,
    /// Nobody has opened its environment yet: nothing is asked.
    NotWatched,
    /// The first answer is on its way.
    Pending,
    /// A warning.
    Warning,
    /// Nobody can tell.
    Unknown,
    /// Critical.
    Critical,
}

impl Status {
    /// All of them, mildest first.
    pub const ALL: [Status; 7] = [
        Self::Ok,
        Self::Stale,
        Self::NotWatched,
        Self::Pending,
        Self::Warning,
        Self::Unknown,
        Self::Critical,
    ];

    /// Its sign.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Ok => "●",
            Self::Stale => "○",
            Self::NotWatched => "–",
            Self::Pending => "◌",
            Self::Warning => "▲",
            Self::Unknown => "?",
            Self::Critical => "✖",
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::NotWatched => "not watched",
            Self::Pending => "connecting",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        }
    }
}

/// How a step or a run stands, as a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not reached.
    Ahead,
    /// A person is asked.
    Asks,
    /// It runs.
    Runs,
    /// Done and proved.
    Done,
    /// It failed.
    Failed,
    /// Nobody knows.
    Unknown,
    /// Left out.
    Skipped,
    /// Printed, not done.
    Printed,
    /// Taken back.
    Undone,
    /// It stands.
    Stands,
}

impl Progress {
    /// All of them.
    pub const ALL: [Progress; 10] = [
        Self::Ahead,
        Self::Asks,
        Self::Runs,
        Self::Done,
        Self::Failed,
        Self::Unknown,
        Self::Skipped,
        Self::Printed,
        Self::Undone,
        Self::Stands,
    ];

    /// Its sign.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Ahead => "·",
            Self::Asks => "◆",
            Self::Runs => "►",
            Self::Done => "✓",
            Self::Failed => "✖",
            Self::Unknown => "?",
            Self::Skipped => "–",
            Self::Printed => "○",
            Self::Undone => "←",
            Self::Stands => "■",
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Asks => "asks",
            Self::Runs => "runs",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
            Self::Printed => "printed",
            Self::Undone => "undone",
            Self::Stands => "stopped",
        }
    }
}

impl Progress {
    /// How a run stands: one that went through all of its steps, and in which some failed, is not done.
    #[must_use]
    pub fn of(run: &RunView) -> Self {
        match &run.state {
            RunState::Finished if stopper(run).is_some() => Self::Failed,
            state => Self::from(state),
        }
    }
}

/// The first step that failed or whose outcome is unknown: a dry run goes on past it, a live one does not.
#[must_use]
pub fn stopper(run: &RunView) -> Option<usize> {
    run.steps.iter().position(|step| matches!(step.state, StepState::Failed(_) | StepState::Unknown(_)))
}

impl From<&StepState> for Progress {
    fn from(state: &StepState) -> Self {
        match state {
            StepState::Waiting => Self::Ahead,
            StepState::Asked => Self::Asks,
            StepState::Running => Self::Runs,
            StepState::Done => Self::Done,
            StepState::Failed(_) => Self::Failed,
            StepState::Unknown(_) => Self::Unknown,
            StepState::Skipped(_) => Self::Skipped,
            StepState::Printed => Self::Printed,
            StepState::Undone => Self::Undone,
        }
    }
}

impl From<&RunState> for Progress {
    fn from(state: &RunState) -> Self {
        match state {
            RunState::Running => Self::Runs,
            RunState::Waiting => Self::Asks,
            RunState::RollingBack => Self::Undone,
            RunState::Stopped(_) => Self::Stands,
            RunState::Finished => Self::Done,
            RunState::RolledBack => Self::Undone,
            RunState::Abandoned(_) => Self::Skipped,
        }
    }
}

impl From<PastEnd> for Progress {
    fn from(end: PastEnd) -> Self {
        match end {
            PastEnd::Finished => Self::Done,
            PastEnd::RolledBack => Self::Undone,
            PastEnd::Aborted => Self::Skipped,
            PastEnd::Stopped => Self::Stands,
            PastEnd::UnderWay => Self::Runs,
            PastEnd::Unknown => Self::Unknown,
        }
    }
}

impl From<Severity> for Status {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warning => Self::Warning,
            Severity::Unknown => Self::Unknown,
            Severity::Critical => Self::Critical,
        }
    }
}

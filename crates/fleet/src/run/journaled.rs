//! Past runs as this machine's journals tell them: plain data, read elsewhere.

use super::ReportSection;
use crate::text::Clean;

/// The past runs of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRuns {
    /// The folder of the journals.
    pub folder: Clean,
    /// The runs, the newest first, those that cannot be read last; or why the folder cannot be read.
    pub runs: Result<Vec<PastRun>, Clean>,
}

/// A run in that list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Which.
    pub id: String,
    /// When it began, wall clock; `None` when its journal does not tell.
    pub began: Option<Clean>,
    /// The runbook.
    pub runbook: Clean,
    /// The environment.
    pub env: Clean,
    /// Who began it.
    pub who: Clean,
    /// How it ended or stands.
    pub end: PastEnd,
    /// The same in words, with the reason: `stopped at freeze: …`, `cannot be read: …`.
    pub says: Clean,
}

/// How a past run ended or stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastEnd {
    /// Everything was done.
    Finished,
    /// Rolled back to the last safe point.
    RolledBack,
    /// It was given up.
    Aborted,
    /// It stands, or was cut off.
    Stopped,
    /// A process has it under way.
    UnderWay,
    /// Its journal does not tell.
    Unknown,
}

/// What a past run's journal tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastReport {
    /// Which run.
    pub run: String,
    /// Its report, the timeline included; or why there is none.
    pub told: Result<Vec<ReportSection>, Clean>,
}

//! Runs that are not over and that no console has: what they left in effect. Plain data.

use super::text::Clean;

/// A run that may have changed something and is not over, by its entries on the jump box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftRun {
    /// Which.
    pub run: Clean,
    /// The runbook.
    pub runbook: Clean,
    /// Who ran it last: `account@machine`.
    pub who: Clean,
    /// Whether a console has it under way.
    pub held: bool,
    /// What it left in effect; or why that is unknown.
    pub in_effect: Result<Vec<LeftEffect>, Clean>,
}

/// Something that a run began and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftEffect {
    /// What, on which hosts, since when.
    pub says: Clean,
    /// Whether users cannot write.
    pub stops_writes: bool,
}

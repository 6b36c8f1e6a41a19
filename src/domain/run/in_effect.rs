//! What a run began and has not ended: refused writes, a disabled highstate. Whoever leaves the run is told.

use crate::domain::names::HostName;
use crate::domain::text::Clean;
use crate::domain::time::Moment;

/// A change of a run that users feel or that others rest on, and that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InEffect {
    /// The step that began it, as in the plan.
    pub step: String,
    /// What is in effect: `Writes are refused`.
    pub says: Clean,
    /// On which hosts; none for a change of no single host.
    pub on: Vec<HostName>,
    /// Since when; when nobody knows whether it was done, since it was begun.
    pub since: Moment,
    /// The same by the wall clock, with its offset: `13:45:02+01:00`.
    pub since_clock: Clean,
    /// Whether it is known to be in effect. Otherwise it was begun or undone, and nobody knows how that went.
    pub certain: bool,
    /// Whether users' writes are refused by it.
    pub stops_writes: bool,
    /// What ends it.
    pub ended_by: EndedBy,
}

/// What ends something that is in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedBy {
    /// A rollback of the run ends it; going on does so, too.
    Rollback,
    /// It lies behind a point of no return or has no undo: only going on ends it.
    GoingOn,
    /// The run is over and ends nothing any more. The undo's commands, as far as the runbook has one: host and lines.
    Hand(Vec<(Option<HostName>, Vec<Clean>)>),
}

impl InEffect {
    /// It in one line: `Writes are refused on db1-masterdb since 13:45:02+01:00`.
    #[must_use]
    pub fn line(&self) -> String {
        let hosts: Vec<&str> = self.on.iter().map(HostName::as_str).collect();
        let on = if hosts.is_empty() { String::new() } else { format!(" on {}", hosts.join(", ")) };
        let may = if self.certain { "" } else { ", or may be: its outcome is unknown" };
        let says = self.says.as_str().trim_end_matches('.');
        format!("{says}{on} since {}{may}", self.since_clock)
    }
}

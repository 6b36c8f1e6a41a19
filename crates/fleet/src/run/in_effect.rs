//! What a run began and has not ended: refused writes, a disabled highstate. Whoever leaves the run is told.

use crate::names::HostName;
use crate::text::Clean;
use crate::time::Moment;

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
    /// Whether users cannot write because of it.
    pub stops_writes: bool,
    /// Whether the run found it so and did not cause it: it may have begun earlier.
    pub found: bool,
    /// What undoes it when the run is cut off: the guards that wait for that.
    pub guards: Vec<Clean>,
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
    /// The run found it, and is over without having ended it.
    NotThisRun,
    /// The run is over and ends nothing any more. The undo's commands, as far as the runbook has one: host and lines.
    Hand(Vec<(Option<HostName>, Vec<Clean>)>),
}

impl InEffect {
    /// It in one line: `Writes are refused on db1-masterdb since 13:45:02+01:00`.
    #[must_use]
    pub fn line(&self) -> String {
        let hosts: Vec<&str> = self.on.iter().map(HostName::as_str).collect();
        let guards: Vec<&str> = self.guards.iter().map(Clean::as_str).collect();
        let line = line(self.says.as_str(), &hosts, self.since_clock.as_str(), self.certain, self.found);
        guarded(line, &guards)
    }
}

/// Something in effect in one line, and the guards over it.
#[must_use]
pub fn guarded(line: String, guards: &[&str]) -> String {
    guards.iter().fold(line, |line, guard| format!("{line}; {guard}"))
}

/// Something in effect in one line, with its time as it is shown there. `certain` and `found` as in [`InEffect`].
#[must_use]
pub fn line(says: &str, hosts: &[&str], since: &str, certain: bool, found: bool) -> String {
    let on = if hosts.is_empty() { String::new() } else { format!(" on {}", hosts.join(", ")) };
    let says = says.trim_end_matches('.');
    let how_sure = match (found, certain) {
        (true, true) => " or earlier",
        (true, false) => " or earlier, when the run found it; whether it still holds is unknown",
        (false, true) => "",
        (false, false) => ", or not: the outcome of that step is unknown",
    };
    format!("{says}{on} since {since}{how_sure}")
}

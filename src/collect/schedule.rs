//! Which probes are asked with which report of a connection: pure.

use crate::domain::fleet::Host;

use super::probe::{Probe, ProbeCadence};
use super::probes::PROBES;

/// What seldom changes is asked with the first report and every so many after it.
const SLOW_EVERY: u64 = 6;

/// Deals out sections, report by report.
pub(crate) struct Schedule {
    probes: Vec<&'static dyn Probe>,
    reports: u64,
}

impl Schedule {
    /// The probes that apply to a host.
    pub(crate) fn new(host: &Host) -> Self {
        Self { probes: PROBES.iter().copied().filter(|p| p.applies(host)).collect(), reports: 0 }
    }

    /// The sections of the next report. The first holds all.
    pub(crate) fn next(&mut self) -> Vec<&'static str> {
        let slow_too = self.reports.is_multiple_of(SLOW_EVERY);
        self.reports += 1;
        let due = |p: &&&'static dyn Probe| slow_too || p.cadence() == ProbeCadence::Every;
        self.probes.iter().filter(due).map(|p| p.name()).collect()
    }
}

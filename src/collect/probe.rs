//! What a probe is: a shell section that runs on the host, and a pure parser of what it prints.

use crate::domain::fact::Gap;
use crate::domain::fleet::Host;
use crate::domain::snapshot::HostFacts;
use crate::domain::time::Moment;

/// A probe. One file each under `probes/`, one line each in [`super::probes::PROBES`].
pub trait Probe: Sync {
    /// The section's name: lower-case letters, digits and `_`.
    fn name(&self) -> &'static str;

    /// The section: POSIX `sh` commands that print raw output of standard tools to standard output. Run inside a
    /// function of the resident probe; helpers it may call are described in `resident.sh`.
    /// A dead program, a missing file, no right: the section says so by its exit status (see [`Raw::status`]).
    fn script(&self) -> &'static str;

    /// How often it is asked.
    fn cadence(&self) -> ProbeCadence;

    /// Whether this host is asked at all.
    fn applies(&self, host: &Host) -> bool {
        let _ = host;
        true
    }

    /// Reads what came, into the facts. Never panics, whatever came. A section that could not be read is a
    /// [`Gap::Unreadable`] of its own fact; the rest goes on.
    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts);
}

/// How often a probe is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeCadence {
    /// With every report.
    Every,
    /// With the first report of a connection, and every sixth after it: what seldom changes.
    Slow,
}

/// What a section printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// Its exit status: 0 fine, 124 its time limit ended it, 126 not permitted, 127 not installed, else failed.
    pub status: u8,
    /// Standard output, as bytes that may be anything; lossily decoded. At most 256 KiB.
    pub text: String,
}

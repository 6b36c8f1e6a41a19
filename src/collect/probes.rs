//! Every probe. A new one is one new file here and one line in [`PROBES`].

use super::probe::Probe;

/// Every probe, in the order their sections run.
pub static PROBES: &[&dyn Probe] = &[];

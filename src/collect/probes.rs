//! Every probe. A new one is one new file here and one line in [`PROBES`].

pub(crate) mod clock;
mod identity;
mod load;
mod memory;
mod uptime;

use super::probe::Probe;

/// Every probe, in the order their sections run. The clock stays last: see there.
pub static PROBES: &[&dyn Probe] =
    &[&identity::Identity, &load::Load, &memory::Memory, &uptime::Uptime, &clock::Clock];

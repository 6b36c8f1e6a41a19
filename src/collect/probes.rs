//! Every probe. A new one is one new file here and one line in [`PROBES`].

pub(crate) mod clock;
mod df;
mod filesystems;
mod grains;
mod identity;
mod load;
mod mariadb;
mod memory;
mod network_filesystems;
mod os;
mod uptime;

use super::probe::Probe;

/// Every probe, in the order their sections run. The clock stays last: see there.
pub static PROBES: &[&dyn Probe] = &[
    &identity::Identity,
    &load::Load,
    &memory::Memory,
    &uptime::Uptime,
    &os::Os,
    &grains::Grains,
    &filesystems::Filesystems,
    &network_filesystems::NetworkFilesystems,
    &mariadb::MariaDb,
    &clock::Clock,
];

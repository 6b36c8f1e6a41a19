//! Snapshots of LVM, as the kernel's device mapper lists them.

use std::collections::BTreeMap;

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// How full the snapshot of a machine is, percent; `None`: it is invalid.
pub(crate) type Snapshots = BTreeMap<HostName, Option<u64>>;

/// By which programs speak with the device mapper.
pub(crate) const CONTROL: &str = "/dev/mapper/control";

/// Sectors of its room.
const ROOM: u64 = 10_485_760;

impl World {
    /// Gives a machine a snapshot of a volume, that full; or one that overflowed, so that it is lost.
    pub fn set_snapshot(&mut self, host: &HostName, percent: Option<u64>) {
        self.snapshots.insert(host.clone(), percent);
        self.write_file(host, CONTROL, Vec::new());
        self.write_file(host, "/sys/block/dm-3/dm/uuid", b"LVM-Fz2c9wQmTq0kR1o7-cow\n".to_vec());
    }

    /// What `dmsetup status` prints.
    pub(crate) fn mapped(&self, host: &HostName) -> String {
        let Some(percent) = self.snapshots.get(host) else { return "No devices found\n".to_owned() };
        let fill = percent.map_or("Invalid".to_owned(), |percent| {
            format!("{}/{ROOM} 20496", (ROOM * percent).div_ceil(100))
        });
        format!(
            "backup1-lvbackup1: 0 83886080 snapshot-origin 253:1\nbackup1-nightly: 0 83886080 snapshot {fill}\n\
             backup1-nightly-cow: 0 {ROOM} linear \n"
        )
    }
}

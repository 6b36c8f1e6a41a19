//! Files that were deleted while a service has them open: their room is free when it ends.

use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::storage::Mount;

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct HeldFile {
    host: HostName,
    service: String,
    /// When the service that holds it began.
    since: f64,
    mount: String,
    pub(crate) kb: u64,
}

/// The descriptor that every such file has.
const DESCRIPTOR: u64 = 9;

impl World {
    /// Fault: a service holds a file of that size open, on that filesystem, which somebody deleted. False when the service does not run.
    pub fn hold_deleted(&mut self, host: &HostName, service: &str, mount: &str, kb: u64) -> bool {
        let Some(state) = self.service(host, service).filter(|state| state.runs) else { return false };
        self.held.push(HeldFile {
            host: host.clone(),
            service: service.to_owned(),
            since: state.since,
            mount: mount.to_owned(),
            kb,
        });
        true
    }

    /// The files that a machine's services hold, with their processes.
    fn held_by(&self, host: &HostName) -> impl Iterator<Item = (u32, &HeldFile)> {
        self.held.iter().filter(move |file| file.host == *host).filter_map(|file| {
            let state = self.service(&file.host, &file.service)?;
            (state.runs && (state.since - file.since).abs() < 0.5).then_some((state.pid, file))
        })
    }

    /// The folders of descriptors that are not empty.
    pub(crate) fn descriptors(&self, host: &HostName) -> Vec<String> {
        self.held_by(host).map(|(pid, _)| format!("/proc/{pid}/fd/{DESCRIPTOR}")).collect()
    }

    /// The file behind a descriptor.
    pub(crate) fn held_file(&self, host: &HostName, path: &str) -> Option<&HeldFile> {
        let mut held = self.held_by(host);
        held.find(|(pid, _)| path == format!("/proc/{pid}/fd/{DESCRIPTOR}")).map(|(_, file)| file)
    }

    /// Adds what they take to the figures of the filesystems.
    pub(crate) fn count_held(&self, host: &HostName, mounts: &mut [Mount]) {
        for (_, file) in self.held_by(host) {
            for mount in mounts.iter_mut().filter(|mount| mount.path == file.mount) {
                let more = file.kb.min(mount.available_kb);
                mount.used_kb += more;
                mount.available_kb -= more;
            }
        }
    }

    /// The number of the device that a path is on.
    pub(crate) fn device_of(&self, host: &HostName, path: &str) -> u64 {
        let path = self.held_file(host, path).map_or(path, |file| &file.mount);
        let mounts = self.machine(host).map(|machine| machine.mounts.as_slice()).unwrap_or_default();
        let below = |mount: &Mount| {
            mount.path == "/" || path == mount.path || path.starts_with(&format!("{}/", mount.path))
        };
        let found = mounts.iter().enumerate().filter(|(_, mount)| below(mount));
        let place = found.max_by_key(|(_, mount)| mount.path.len()).map_or(0, |(place, _)| place);
        64_768 + u64::try_from(place).unwrap_or(0)
    }
}

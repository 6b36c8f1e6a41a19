//! The cloud's volumes: disks that outlive a server. What is on a volume is there where it is mounted, and
//! nowhere else: a new server has none. The data of a database server is not on it in this world.

use crate::posix::files::Below;
use crate::posix::storage::Mount;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::CloudError;

/// A volume.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The machine it is attached to.
    pub machine: Option<HostName>,
    /// The UUID of its filesystem.
    pub filesystem: String,
    /// Fault: detaching it is accepted and never done.
    stuck: bool,
    /// Its filesystem, with the figures of when it was mounted last; the device is the one that the machine sees.
    pub(crate) mount: Mount,
    /// Where it is mounted.
    mounted: Option<String>,
    /// What is on it while it is not mounted: its figures say how much, too.
    held: Below,
}

impl Volume {
    /// The device that its machine sees it as.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.mount.device
    }

    /// Where it was mounted last.
    #[must_use]
    pub fn last_mounted(&self) -> &str {
        &self.mount.path
    }

    /// Its size, GB.
    #[must_use]
    pub fn size_gb(&self) -> u64 {
        self.mount.size_kb.div_ceil(1024 * 1024)
    }
}

impl World {
    /// The volumes.
    #[must_use]
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// Each disk of a machine besides its first is a volume.
    pub(crate) fn start_volumes(&mut self) {
        let mut found = Vec::new();
        for machine in self.machines() {
            for mount in machine.mounts.iter().filter(|mount| is_volume(mount)) {
                let last = mount.path.rsplit('/').next().unwrap_or_default();
                let name = format!("{}-{last}", machine.hostname);
                found.push(Volume {
                    id: as_uuid(&self.cloud().identifier(&format!("volume/{name}"))),
                    filesystem: as_uuid(&self.cloud().identifier(&format!("filesystem/{name}"))),
                    stuck: false,
                    name,
                    machine: Some(machine.name.clone()),
                    mount: mount.clone(),
                    mounted: Some(mount.path.clone()),
                    held: Below::default(),
                });
            }
        }
        self.volumes = found;
    }

    fn volume(&self, wanted: &str) -> Result<usize, CloudError> {
        let by_id = self.volumes.iter().position(|volume| volume.id == wanted);
        let missing = || CloudError::Missing { kind: "volume", name: wanted.to_owned() };
        by_id.or_else(|| self.volumes.iter().position(|volume| volume.name == wanted)).ok_or_else(missing)
    }

    /// Attaches a volume to the server that a UUID or an unambiguous name means; the device that its machine sees.
    ///
    /// # Errors
    /// When there is no such server or volume, or the volume is attached somewhere.
    pub fn attach_volume(&mut self, server: &str, volume: &str) -> Result<String, CloudError> {
        let now = self.now().as_secs_f64();
        let machine = self.cloud().find(server, now)?.machine.clone();
        let machine = machine.ok_or_else(|| CloudError::Conflict(format!("{server} never came up")))?;
        let at = self.volume(volume)?;
        let used: Vec<String> = self
            .volumes
            .iter()
            .filter(|v| v.machine.as_ref() == Some(&machine))
            .map(|v| v.mount.device.clone())
            .collect();
        let free = ('b'..='z').map(|letter| format!("/dev/vd{letter}")).find(|device| !used.contains(device));
        let Some(volume) = self.volumes.get_mut(at) else { return Ok(String::new()) };
        if volume.machine.is_some() {
            let what = format!("Invalid volume: status must be 'available' to attach {}", volume.name);
            return Err(CloudError::Conflict(what));
        }
        volume.machine = Some(machine);
        if let Some(device) = free.filter(|_| volume.mount.device.starts_with("/dev/vd")) {
            volume.mount.device = device;
        }
        Ok(volume.mount.device.clone())
    }

    /// Fault: detaching a volume is accepted and never done.
    ///
    /// # Errors
    /// When there is no such volume.
    pub fn detaching_does_nothing(&mut self, volume: &str) -> Result<(), CloudError> {
        let at = self.volume(volume)?;
        if let Some(volume) = self.volumes.get_mut(at) {
            volume.stuck = true;
        }
        Ok(())
    }

    /// What a person orders of the cloud: a volume that a running machine has mounted is not let go of by its kernel, so that
    /// the order is accepted and comes to nothing.
    ///
    /// # Errors
    /// When there is none, or it is not attached.
    pub fn order_detaching(&mut self, volume: &str) -> Result<(), CloudError> {
        let at = self.volume(volume)?;
        let held = self.volumes.get(at).is_some_and(|volume| {
            let runs = volume.machine.as_ref().is_some_and(|machine| self.is_up(machine));
            volume.machine.is_some() && (volume.stuck || (runs && volume.mounted.is_some()))
        });
        if held { Ok(()) } else { self.detach_volume(volume) }
    }

    /// Detaches a volume from wherever it is attached; it keeps what is on it.
    ///
    /// # Errors
    /// When there is none, or it is not attached.
    pub fn detach_volume(&mut self, volume: &str) -> Result<(), CloudError> {
        let at = self.volume(volume)?;
        let found = self.volumes.get(at).and_then(|v| Some((v.machine.clone()?, v.mounted.clone())));
        let Some((machine, mounted)) = found else {
            return Err(CloudError::Conflict(format!("Volume {volume} is not attached")));
        };
        if let Some(path) = mounted {
            self.unmount(&machine, &path);
        }
        if let Some(volume) = self.volumes.get_mut(at) {
            volume.machine = None;
        }
        Ok(())
    }

    /// Mounts an attached volume's filesystem by its device, or by `UUID=` and the filesystem's; false when the machine has no
    /// such device, or it is mounted already.
    pub fn mount_volume(&mut self, host: &HostName, device: &str, path: &str) -> bool {
        let mine = |v: &&mut Volume| {
            let called =
                v.mount.device == device || device.strip_prefix("UUID=") == Some(v.filesystem.as_str());
            v.machine.as_ref() == Some(host) && called && v.mounted.is_none()
        };
        let Some(volume) = self.volumes.iter_mut().find(mine) else { return false };
        volume.mounted = Some(path.to_owned());
        volume.mount.path = path.to_owned();
        let (mount, held) = (volume.mount.clone(), std::mem::take(&mut volume.held));
        if let Some(machine) = self.machines.get_mut(host) {
            machine.mounts.push(mount);
        }
        self.put_below(host, path, held);
        true
    }

    /// Unmounts what is mounted at a path: a volume keeps what was on it. False when nothing is.
    pub fn unmount(&mut self, host: &HostName, path: &str) -> bool {
        self.live();
        let now = self.filesystems(host).unwrap_or_default();
        let Some(mut mount) = now.into_iter().find(|mount| mount.path == path && path != "/") else {
            return false;
        };
        let held = self.take_below(host, path);
        if let Some(machine) = self.machines.get_mut(host) {
            machine.mounts.retain(|mount| mount.path != path);
        }
        // What it was mounted on is a directory of the filesystem below.
        if self.metadata(host, path).is_none() {
            self.make_dir(host, path, 0o755);
        }
        mount.stored_kb = held.kilobytes();
        mount.grows_kb_per_hour = 0.0;
        let mine = |v: &&mut Volume| v.machine.as_ref() == Some(host) && v.mounted.as_deref() == Some(path);
        if let Some(volume) = self.volumes.iter_mut().find(mine) {
            volume.mounted = None;
            (volume.mount, volume.held) = (mount, held);
        }
        true
    }

    /// The block devices of a machine that hold a filesystem: device, the filesystem's UUID and type. Its own disk comes first.
    #[must_use]
    pub fn block_devices(&self, host: &HostName) -> Vec<(String, String, String)> {
        let Some(machine) = self.machine(host) else { return Vec::new() };
        let own =
            machine.mounts.iter().filter(|mount| mount.path == "/" && mount.device.starts_with("/dev/"));
        let mut found: Vec<_> =
            own.map(|m| (m.device.clone(), as_uuid(&machine.machine_id), m.fstype.clone())).collect();
        let volumes = self.volumes.iter().filter(|volume| volume.machine.as_ref() == Some(host));
        found.extend(volumes.map(|v| (v.mount.device.clone(), v.filesystem.clone(), v.mount.fstype.clone())));
        found
    }

    /// A machine goes: its volumes stay, and are free.
    pub(crate) fn free_volumes(&mut self, host: &HostName) {
        let own = self.volumes.iter().filter(|volume| volume.machine.as_ref() == Some(host));
        for volume in own.map(|volume| volume.id.clone()).collect::<Vec<_>>() {
            // It is attached: nothing else can be wrong.
            let _freed = self.detach_volume(&volume);
        }
    }
}

/// 32 hexadecimal digits in a UUID's form.
fn as_uuid(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

fn is_volume(mount: &Mount) -> bool {
    mount.path != "/" && !mount.is_remote() && mount.size_kb > 0 && mount.device.starts_with("/dev/")
}

//! One simulated machine: what it is, and its figures at a moment.

use std::cell::RefCell;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::world::WorldError;
use crate::world::noise::{bell, draw, key, unit, uuid, wave};
use crate::world::spec::{EnvironmentSpec, HostSpec};
use jumpdeck_fleet::names::{HostName, RoleName, roles_from_host_name};

use super::os::Os;
use super::storage::{Mount, parse_row};

/// The kernel takes a sample of the running tasks each five seconds.
const SAMPLE: f64 = 5.0;

/// A kernel keeps about 2 % of the memory for itself before it counts.
const COUNTED: f64 = 0.979;

/// kB that an image's system takes.
const IMAGE_KB: u64 = 1_258_291;

/// Seconds a new machine takes to boot, at least.
const BOOT: f64 = 8.0;

/// A machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// What the world knows it by. Its host name, but for the second machine of a name.
    pub name: HostName,
    /// What it calls itself.
    pub hostname: HostName,
    /// Whether it came after the world's start.
    pub(crate) added: bool,
    /// Whether it has power.
    pub(crate) powered: bool,
    /// When it is through with booting, seconds since the world's start.
    pub(crate) boots_until: f64,
    /// How often it was booted since the world's start.
    pub(crate) boots: u64,
    /// Fault: its next boot never ends.
    pub(crate) boot_hangs: bool,
    /// Told when it loses power.
    pub(crate) power_cut: Arc<Notify>,
    /// Address inside the environment.
    pub address: String,
    /// Operating system.
    pub os: &'static Os,
    /// Virtual CPUs.
    pub cpus: u32,
    /// Disk of its flavor, GB.
    pub disk_gb: u32,
    /// What its grains file says of the level; `None` when it says nothing.
    pub level: Option<String>,
    /// The roles its grains file lists, if it lists any.
    pub grain_roles: Option<Vec<String>>,
    /// `/etc/machine-id`.
    pub machine_id: String,
    /// How far its clock is off, seconds.
    pub clock_skew: f64,
    /// Mounted filesystems, in the order of the mount table.
    pub mounts: Vec<Mount>,
    alive: bool,
    key: u64,
    memory_kb: u64,
    memory_part: f64,
    swap_kb: u64,
    swap_part: f64,
    uptime: f64,
    load_mean: f64,
    live: RefCell<Live>,
}

/// What has a past: the load.
#[derive(Debug, Clone)]
struct Live {
    samples: u64,
    activity: f64,
    load: [f64; 3],
}

/// Memory, kB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// Unused.
    pub free: u64,
    /// Block buffers.
    pub buffers: u64,
    /// Page cache.
    pub cached: u64,
    /// What a new process could have.
    pub available: u64,
    /// Swap.
    pub swap_total: u64,
    /// Swap not in use.
    pub swap_free: u64,
}

impl Machine {
    /// Builds a machine of an environment; `index` is its place in the list.
    pub(crate) fn new(
        spec: &HostSpec,
        env: &EnvironmentSpec,
        index: usize,
        alive: bool,
        seed: u64,
    ) -> Result<Self, WorldError> {
        let name = HostName::new(&spec.name)?;
        let os_id = spec.os.as_ref().unwrap_or(&env.os);
        let os = Os::find(os_id).ok_or_else(|| WorldError::Os { host: name.clone(), os: os_id.clone() })?;
        let key = key(seed, &format!("{}/{}", env.name, spec.name));
        let mut mounts = system_mounts(spec);
        let rows = spec.df.len();
        for (place, row) in spec.df.iter().enumerate() {
            let mut mount =
                parse_row(row).ok_or_else(|| WorldError::Row { host: name.clone(), row: row.clone() })?;
            if place + 1 == rows {
                mount.grows_kb_per_hour = spec.grows_mb_per_hour * 1024.0;
            }
            // The root comes first, before the kernel's own filesystems.
            let at = if mount.path == "/" { 0 } else { mounts.len() };
            mounts.insert(at, mount);
        }
        let level = match spec.level.as_deref() {
            None => Some(env.level.clone()),
            Some("") => None,
            Some(level) => Some(level.to_owned()),
        };
        Ok(Self {
            hostname: name.clone(),
            name,
            added: false,
            powered: true,
            boots_until: 0.0,
            boots: 0,
            boot_hangs: false,
            power_cut: Arc::default(),
            address: spec.address.clone().unwrap_or_else(|| format!("{}.{}", env.subnet, index + 10)),
            os,
            cpus: spec.cpus,
            disk_gb: spec.disk_gb,
            level,
            grain_roles: spec.grain_roles.clone(),
            machine_id: format!("{:016x}{:016x}", draw(key, 1), draw(key, 2)),
            clock_skew: spec.clock_skew,
            mounts,
            alive,
            key,
            memory_kb: kb(spec.ram_gb * 1024.0 * 1024.0 * COUNTED),
            memory_part: spec.memory_percent / 100.0,
            swap_kb: spec.swap_mb * 1024,
            swap_part: spec.swap_percent / 100.0,
            uptime: spec.uptime_days.unwrap_or(20.0 + 180.0 * unit(key, 3)) * 86_400.0
                + unit(key, 4) * 3600.0,
            load_mean: spec.load_mean.unwrap_or_else(|| {
                let [_, _, fifteen] = spec.load;
                fifteen
            }),
            live: RefCell::new(Live {
                samples: 0,
                activity: {
                    let [one, _, _] = spec.load;
                    one
                },
                load: spec.load,
            }),
        })
    }

    /// The roles its name tells, or those its grains file lists.
    #[must_use]
    pub fn roles(&self) -> Vec<RoleName> {
        match &self.grain_roles {
            Some(roles) => roles.iter().filter_map(|role| RoleName::new(role).ok()).collect(),
            None => roles_from_host_name(self.hostname.as_str()),
        }
    }

    /// Load over 1, 5 and 15 minutes, so many seconds after the world's start. Never asked for an earlier moment than
    /// before.
    pub(crate) fn load(&self, seconds: f64) -> [f64; 3] {
        let mut live = self.live.borrow_mut();
        if self.alive {
            let wanted = count(seconds / SAMPLE);
            while live.samples < wanted {
                live.samples += 1;
                self.sample(&mut live);
            }
        }
        live.load
    }

    /// One sample: the activity comes back to its mean, is pushed about, and sometimes bursts for some minutes; the
    /// averages follow it as the kernel has them (`calc_load`: each an exponential average of the same samples).
    fn sample(&self, live: &mut Live) {
        let number = live.samples;
        let push = 0.09 * (self.load_mean + 0.04).sqrt() * bell(self.key ^ 0x10ad, number);
        live.activity += 0.05 * (self.load_mean - live.activity) + push;
        // A burst (cron, a crawler) in one of twenty spans of three minutes.
        let span = number / 36;
        let burst = unit(self.key ^ 0xb0, span);
        let extra = if burst < 0.05 { f64::from(self.cpus) * 6.0 * burst } else { 0.0 };
        let limit = f64::from(self.cpus) * 4.0;
        live.activity = live.activity.clamp(-0.2, limit);
        let tasks = (live.activity + extra).clamp(0.0, limit);
        for (load, period) in live.load.iter_mut().zip([60.0, 300.0, 900.0]) {
            let keep = (-SAMPLE / period).exp();
            *load = *load * keep + tasks * (1.0 - keep);
        }
    }

    /// Tasks there are.
    pub(crate) fn tasks(&self) -> u64 {
        78 + draw(self.key, 5) % 60
    }

    /// Memory at that moment.
    pub(crate) fn memory(&self, seconds: f64) -> Memory {
        let drift = if self.alive { wave(self.key ^ 0x3e3, seconds, 900.0) * 0.02 } else { 0.0 };
        #[allow(clippy::cast_precision_loss)] // memory is far below 2^53 kB
        let part = |whole: u64, part: f64| kb(whole as f64 * part.clamp(0.0, 1.0)).min(whole);
        let total = self.memory_kb;
        let available = total - part(total, self.memory_part + drift);
        // Of what could be had, some is cache.
        let buffers = part(available, 0.11);
        let cached = part(available, 0.52);
        let swap_total = self.swap_kb;
        Memory {
            total,
            free: available - buffers - cached,
            buffers,
            cached,
            available,
            swap_total,
            swap_free: swap_total - part(swap_total, self.swap_part),
        }
    }

    /// The mounts with their figures at that moment.
    pub(crate) fn filesystems(&self, seconds: f64) -> Vec<Mount> {
        let mut mounts = self.mounts.clone();
        if self.alive {
            for mount in mounts.iter_mut().filter(|m| m.size_kb > 0 && m.grows_kb_per_hour > 0.0) {
                let grown = kb(mount.grows_kb_per_hour * seconds / 3600.0).min(mount.available_kb);
                mount.used_kb += grown;
                mount.available_kb -= grown;
            }
        }
        mounts
    }

    /// Seconds since it was booted.
    pub(crate) fn uptime(&self, seconds: f64) -> f64 {
        (self.uptime + if self.alive { seconds } else { 0.0 }).max(0.0)
    }

    /// It is switched on, and through with booting at that moment; a boot that hangs is never over.
    pub(crate) fn boots(&mut self, until: f64) {
        self.powered = true;
        self.boots += 1;
        self.boots_until = if self.boot_hangs { f64::INFINITY } else { until };
        self.uptime = if self.alive { -until } else { 0.0 };
    }

    /// Whether it is switched on, and its boot never ends.
    pub(crate) fn never_boots(&self) -> bool {
        self.powered && self.boots_until.is_infinite()
    }

    /// What the kernel calls this boot: another one after each.
    pub(crate) fn boot_id(&self) -> String {
        uuid(self.number(1000 + 2 * self.boots), self.number(1001 + 2 * self.boots))
    }

    /// A machine like this one, new: switched on at that moment, its system fresh from an image.
    pub(crate) fn fresh_copy(
        &self,
        name: HostName,
        hostname: HostName,
        address: &str,
        key: u64,
        seconds: f64,
    ) -> Self {
        let mut copy = self.clone();
        copy.machine_id = format!("{:016x}{:016x}", draw(key, 1), draw(key, 2));
        copy.boots_until = seconds + BOOT + 4.0 * unit(key, 6);
        // A machine of a still world shows the same uptime for ever: that since its boot was done.
        copy.uptime = if self.alive { -copy.boots_until } else { 0.0 };
        copy.power_cut = Arc::default();
        (copy.boots, copy.boot_hangs) = (0, false);
        copy.powered = true;
        copy.added = true;
        // Its first disk, as the image left it; what else the other has mounted is not there.
        copy.mounts.retain(|mount| {
            mount.path == "/" || mount.size_kb == 0 || matches!(mount.fstype.as_str(), "tmpfs" | "devtmpfs")
        });
        for mount in copy.mounts.iter_mut().filter(|mount| mount.path == "/") {
            let gone = mount.used_kb.saturating_sub(IMAGE_KB);
            mount.used_kb -= gone;
            mount.available_kb += gone;
            mount.stored_kb = 0;
        }
        copy.name = name;
        copy.hostname = hostname;
        address.clone_into(&mut copy.address);
        copy.key = key;
        copy
    }

    /// Memory of its flavor, MB.
    pub(crate) fn ram_mb(&self) -> u64 {
        #[allow(clippy::cast_precision_loss)] // memory is far below 2^53 kB
        let whole = self.memory_kb as f64 / COUNTED / 1024.0;
        count(whole + 0.5)
    }

    /// Gives it the virtual hardware of another flavor.
    pub(crate) fn resize(&mut self, cpus: u32, ram_mb: u64, disk_gb: u32) {
        self.cpus = cpus;
        self.disk_gb = disk_gb;
        #[allow(clippy::cast_precision_loss)] // as above
        let memory = ram_mb as f64 * 1024.0 * COUNTED;
        self.memory_kb = kb(memory);
    }

    /// A number of its own, the same for the same seed.
    pub(crate) fn number(&self, which: u64) -> u64 {
        draw(self.key, which)
    }
}

/// What the kernel mounts by itself.
fn system_mounts(spec: &HostSpec) -> Vec<Mount> {
    let mut mounts = vec![
        Mount::pseudo("proc", "/proc", "proc", "rw,nosuid,nodev,noexec,relatime"),
        Mount::pseudo("sysfs", "/sys", "sysfs", "rw,nosuid,nodev,noexec,relatime"),
        Mount::pseudo("devpts", "/dev/pts", "devpts", "rw,nosuid,noexec,relatime,gid=5,mode=620"),
    ];
    if spec.memory_filesystems {
        let memory = kb(spec.ram_gb * 1024.0 * 1024.0 * COUNTED);
        mounts.insert(2, Mount::memory("udev", "/dev", "devtmpfs", memory / 2 - 16, 4));
        mounts.push(Mount::memory("tmpfs", "/run", "tmpfs", memory / 10, 388));
    }
    mounts
}

/// Whole kB of a figure that is never negative.
fn kb(value: f64) -> u64 {
    count(value)
}

/// The whole part of a figure that is never negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturating, and clamped
pub(crate) fn count(value: f64) -> u64 {
    value.max(0.0) as u64
}

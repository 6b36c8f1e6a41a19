//! What waits for a machine's keeper: updates, a reboot, units that failed, processes that the kernel ended.

use std::collections::BTreeMap;

use crate::services::Unit;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::machine::Machine;
use super::os::Os;

/// What Ubuntu's update-notifier leaves after each refresh of the package lists.
pub(crate) const NOTIFIED: &str = "/var/lib/update-notifier/updates-available";
/// What a refresh of the package lists touches, each morning.
pub(crate) const REFRESHED: &str = "/var/lib/apt/periodic/update-success-stamp";
const REBOOT: &str = "/var/run/reboot-required";
const REBOOT_PACKAGES: &str = "/var/run/reboot-required.pkgs";
/// Seconds since the last refresh.
pub(crate) const REFRESHED_BEFORE: f64 = 5.0 * 3600.0;

/// What waits on the machines; those not in it have nothing.
#[derive(Debug, Default)]
pub(crate) struct Chores {
    /// Updates: for security, and all.
    updates: BTreeMap<HostName, (u64, u64)>,
    /// Processes ended for lack of memory, and in which boot.
    kills: BTreeMap<HostName, (u64, u64)>,
}

impl World {
    /// Fault: updates wait, of which `security` are for security.
    pub fn publish_updates(&mut self, host: &HostName, security: u64, all: u64) {
        self.chores.updates.insert(host.clone(), (security, all));
    }

    /// Fault: packages ask for a reboot.
    pub fn require_reboot(&mut self, host: &HostName, packages: &[&str]) {
        self.write_file(host, REBOOT, b"*** System restart required ***\n".to_vec());
        let names: String = packages.iter().map(|name| format!("{name}\n")).collect();
        self.write_file(host, REBOOT_PACKAGES, names.into_bytes());
    }

    /// Fault: the kernel ends a process for lack of memory.
    pub fn kill_for_memory(&mut self, host: &HostName) {
        let boot = self.machine(host).map_or(0, |m| m.boots);
        let kills = self.oom_kills(host) + 1;
        self.chores.kills.insert(host.clone(), (boot, kills));
    }

    /// Fault: a unit of systemd failed.
    pub fn fail_unit(&mut self, host: &HostName, name: &str) {
        let now = self.epoch(host);
        let unit = Unit {
            command: name.to_owned(),
            pid: 0,
            started: now,
            ended: Some((1, now)),
            remains: false,
            abort: None,
        };
        self.set_unit(host, name, Some(unit));
    }

    /// Fault: an error of the disk makes a filesystem read-only. False when it is not mounted.
    pub fn remount_read_only(&mut self, host: &HostName, path: &str) -> bool {
        let mounts = self.machines.get_mut(host).map(|machine| machine.mounts.iter_mut());
        let Some(mount) = mounts.into_iter().flatten().find(|mount| mount.path == path) else { return false };
        mount.options = mount.options.replacen("rw", "ro", 1);
        let entry = format!("{} {path} {} defaults 0 1\n", mount.device, mount.fstype);
        if self.read_file(host, "/etc/fstab").is_none() {
            self.write_file(host, "/etc/fstab", entry.into_bytes());
        }
        true
    }

    /// Gives a machine a mirror of two disks, md0. Fault: one is missing, and how much of it is rebuilt, percent.
    pub fn set_array(&mut self, host: &HostName, missing: bool, rebuilt: Option<u32>) {
        let (failed, state) = if missing { ("(F)", "[2/1] [U_]") } else { ("", "[2/2] [UU]") };
        let failed = if rebuilt.is_some() { "" } else { failed };
        let progress = rebuilt.map_or_else(String::new, |percent| {
            format!(
                "      [=>...................]  recovery = {percent}.0% ({}/52428800) finish=40.0min speed=20012K/sec\n",
                524_288 * percent
            )
        });
        let text = format!(
            "Personalities : [raid1]\nmd0 : active raid1 vdc[1]{failed} vdb[0]\n      52428800 blocks super 1.2 {state}\n{progress}\n\
             unused devices: <none>\n"
        );
        self.write_file(host, "/proc/mdstat", text.into_bytes());
    }

    /// Puts another operating system on a machine, by its name in world files. False when there is no such machine or system.
    pub fn install_system(&mut self, host: &HostName, id: &str) -> bool {
        let accepted = self.is_accepted_minion(host);
        let Some((os, machine)) = Os::find(id).zip(self.machines.get_mut(host)) else { return false };
        machine.os = os;
        if accepted {
            self.accept_minion_again(host);
        }
        true
    }

    /// Processes ended since boot.
    pub(crate) fn oom_kills(&self, host: &HostName) -> u64 {
        let boot = self.machine(host).map_or(0, |m| m.boots);
        self.chores.kills.get(host).filter(|(of, _)| *of == boot).map_or(0, |(_, kills)| *kills)
    }

    /// Updates that wait: for security, and all.
    pub(crate) fn waiting_updates(&self, host: &HostName) -> (u64, u64) {
        self.chores.updates.get(host).copied().unwrap_or_default()
    }

    /// What a machine's boot ends.
    pub(crate) fn booted_anew(&mut self, host: &HostName) {
        for file in [REBOOT, REBOOT_PACKAGES] {
            self.remove_file(host, file);
        }
    }
}

/// `/proc/vmstat`, without most of it.
pub(crate) fn vmstat(world: &World, m: &Machine) -> Option<String> {
    let memory = world.memory(&m.name)?;
    let mut text =
        format!("nr_free_pages {}\npgpgin 812345\npgpgout 912345\npgfault 71234567\n", memory.free / 4);
    if m.os.counts_oom_kills() {
        text.push_str(&format!("oom_kill {}\n", world.oom_kills(&m.name)));
    }
    text.push_str("unevictable_pgs_culled 0\n");
    Some(text)
}

/// What update-notifier wrote.
pub(crate) fn notified(world: &World, m: &Machine) -> Option<String> {
    let (security, all) = world.waiting_updates(&m.name);
    (!m.os.has_systemd())
        .then(|| format!("\n{all} packages can be updated.\n{security} updates are security updates.\n\n"))
}

//! Machines that come and go: built, switched off and on, taken away.

use std::sync::Arc;

use tokio::sync::Notify;

use jumpdeck_fleet::names::HostName;

use super::World;
use super::noise::{draw, key};

/// Seconds a machine takes to boot.
pub(crate) const BOOTING: f64 = 12.0;

impl World {
    /// Adds a machine called `name` at that address, with the figures of `like`: it boots for some seconds, then its
    /// SSH server and its Salt minion come up. Returns what the world knows it by: `name`, or when a machine of that
    /// name is there already, a name of its own (both then call themselves `name`). `None` when there is no `like`,
    /// or the address is taken.
    pub fn add_machine(&mut self, name: &HostName, address: &str, like: &HostName) -> Option<HostName> {
        if self.machines().any(|m| m.address == address) {
            return None;
        }
        let seconds = self.seconds();
        let known_by = self.free_name(name)?;
        let number = u64::try_from(self.order.len()).unwrap_or(0);
        let key = draw(key(self.seed(), &format!("{known_by}/{address}")), number);
        let made = self.machine(like)?.fresh_copy(known_by.clone(), name.clone(), address, key, seconds);
        self.machines.insert(known_by.clone(), made);
        self.order.push(known_by.clone());
        Some(known_by)
    }

    /// Its jump box's address inside the environment.
    #[must_use]
    pub fn jump_address(&self) -> Option<&str> {
        Some(self.machine(self.jump()?)?.address.as_str())
    }

    fn free_name(&self, name: &HostName) -> Option<HostName> {
        let taken = |name: &HostName| self.machines.contains_key(name);
        if !taken(name) {
            return Some(name.clone());
        }
        (2..100).filter_map(|n| HostName::new(&format!("{name}.vm{n}")).ok()).find(|name| !taken(name))
    }

    /// Takes a machine away with everything on it: what deleting a VM does. False when there is none.
    pub fn remove_machine(&mut self, host: &HostName) -> bool {
        self.power_off(host);
        self.free_volumes(host);
        self.order.retain(|name| name != host);
        self.files.forget(host);
        self.mail.remove(host);
        self.machines.remove(host).is_some()
    }

    /// Everything that was on a machine's disks is gone.
    pub(crate) fn forget_machine(&mut self, host: &HostName) {
        self.files.forget(host);
        self.repositories.retain(|(owner, _), _| owner != host);
        self.services.forget(host);
        self.mail.remove(host);
        self.dns.forget(host);
        self.tls.forget(host);
    }

    /// Puts a bare machine in the place of another, at that address, which is up already.
    pub(crate) fn replace_machine(&mut self, host: &HostName, address: &str, number: u64, seconds: f64) {
        let Some(before) = self.machines.get(host) else { return };
        let mut bare = before.fresh_copy(host.clone(), before.hostname.clone(), address, number, seconds);
        bare.boots_until = seconds;
        bare.level = None;
        bare.grain_roles = None;
        self.machines.insert(host.clone(), bare);
        self.cloud.moved(host, address);
    }

    /// Cuts a machine's power: its connections end, it answers nothing. False when there is none.
    pub fn power_off(&mut self, host: &HostName) -> bool {
        // Until now it ran, and so did its database.
        self.live();
        let Some(machine) = self.machines.get_mut(host) else { return false };
        machine.powered = false;
        machine.power_cut.notify_waiters();
        self.power_changed(host, false);
        true
    }

    /// Gives a machine its power back; it boots for so many seconds. False when there is none.
    pub fn power_on(&mut self, host: &HostName, boots_for: f64) -> bool {
        let until = self.seconds() + boots_for.max(0.0);
        let Some(machine) = self.machines.get_mut(host) else { return false };
        machine.boots(until);
        self.power_changed(host, true);
        true
    }

    /// Restarts a machine by its own kernel. False when there is none.
    pub fn reboot(&mut self, host: &HostName) -> bool {
        self.power_off(host) && self.power_on(host, BOOTING)
    }

    /// Fault: whenever a machine is switched on it never comes up, or it does again. False when there is none.
    pub fn set_boot_hangs(&mut self, host: &HostName, hangs: bool) -> bool {
        self.machines.get_mut(host).map(|machine| machine.boot_hangs = hangs).is_some()
    }

    /// Whether a machine has power and is through with booting.
    #[must_use]
    pub fn is_up(&self, host: &HostName) -> bool {
        self.machine(host).is_some_and(|m| m.powered && m.boots_until <= self.seconds())
    }

    /// What is told when a machine loses power.
    pub(crate) fn power_cut(&self, host: &HostName) -> Option<Arc<Notify>> {
        self.machine(host).map(|m| Arc::clone(&m.power_cut))
    }
}

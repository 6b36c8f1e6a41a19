//! What is done in the cloud, with its consequences for the machines: building, deleting, switching off and on, moving
//! floating addresses; and what can be made to go wrong.

use crate::posix::os::Os;
use crate::world::World;
use crate::world::fleet::BOOTING;
use jumpdeck_fleet::names::HostName;

use super::{Cloud, CloudError, Faults, Server};

/// Seconds from the order to `ACTIVE`: its system boots then.
const BUILDING: f64 = 4.0;

/// An order for a server.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Its name.
    pub name: String,
    /// Flavor: id or name.
    pub flavor: String,
    /// Image: id or name.
    pub image: String,
    /// Key pair.
    pub key_name: Option<String>,
    /// Security groups; `default` when none is named.
    pub security_groups: Vec<String>,
    /// What its first boot is to do. Without it there is neither a Salt minion nor a level.
    pub user_data: Option<String>,
}

/// What a new machine is told at its first boot, on the jump box (`002`).
pub const USER_DATA: &str = "/srv/opsconfigs/userdata.txt";

impl World {
    /// Puts the user data there that give a machine its minion and its level.
    pub(crate) fn start_cloud(&mut self) {
        let Some(jump) = self.jump().cloned() else { return };
        let address = self.machine(&jump).map_or_else(String::new, |m| m.address.clone());
        let level = self.level();
        let text = format!(
            "#cloud-config\npackage_upgrade: true\nhosts:\n  - {address} salt\nsalt_minion:\n  conf:\n    master: salt\n  \
             grains:\n    level: {level}\n"
        );
        self.write_file(&jump, USER_DATA, text.into_bytes());
    }

    /// The cloud its machines run in.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Takes the cloud's programs off the jump box: its servers are seen and changed on the provider's own pages only.
    pub fn remove_cloud_clients(&mut self) {
        self.cloud.clients_removed = true;
    }

    /// Orders a server, and returns its UUID. Its machine boots as soon as the server is built.
    ///
    /// # Errors
    /// When something in the order is not there.
    pub fn build_server(&mut self, order: &Order) -> Result<String, CloudError> {
        let name = HostName::new(&order.name)
            .map_err(|_| CloudError::Bad(format!("Invalid hostname '{}'", order.name)))?;
        let now = self.seconds();
        let mut server = self.draw_up(order, now)?;
        let never = std::mem::take(&mut self.cloud.next_never_active);
        server.faults.foreign_console = std::mem::take(&mut self.cloud.next_foreign_console);
        if never {
            server.active_at = f64::INFINITY;
        } else {
            server.machine = self.make_machine(&server, &name, order.user_data.as_deref());
        }
        let id = server.id.clone();
        self.cloud.servers.push(server);
        Ok(id)
    }

    fn draw_up(&mut self, order: &Order, now: f64) -> Result<Server, CloudError> {
        let missing = |kind, name: &str| CloudError::Missing { kind, name: name.to_owned() };
        let cloud = &self.cloud;
        let flavor = cloud.flavors.iter().find(|f| f.id == order.flavor || f.name == order.flavor);
        let flavor = flavor.ok_or_else(|| missing("flavor", &order.flavor))?.id.clone();
        let image = cloud.images.iter().find(|i| i.id == order.image || i.name == order.image);
        let image = image.ok_or_else(|| missing("image", &order.image))?.id.clone();
        let key_name = match &order.key_name {
            Some(key) if !cloud.key_names.contains(key) => {
                return Err(CloudError::Bad("Invalid key_name provided.".to_owned()));
            }
            key => key.clone().unwrap_or_default(),
        };
        let mut security_groups = order.security_groups.clone();
        if security_groups.is_empty() {
            security_groups.push("default".to_owned());
        }
        if let Some(unknown) = security_groups.iter().find(|group| !cloud.security_groups.contains(*group)) {
            return Err(CloudError::Bad(format!("Security group {unknown} not found.")));
        }
        let address = self.free_address().ok_or_else(|| {
            CloudError::Conflict("No more IP addresses available on the network.".to_owned())
        })?;
        let cloud = &mut self.cloud;
        Ok(Server {
            id: cloud.uuid(),
            name: order.name.clone(),
            machine: None,
            flavor,
            image,
            key_name,
            security_groups,
            address,
            port: cloud.uuid(),
            mac: cloud.mac(),
            created: now,
            active_at: now + BUILDING,
            deleted_at: None,
            stopped: false,
            failed: false,
            hung: false,
            changed_at: None,
            faults: Faults::default(),
        })
    }

    fn free_address(&self) -> Option<String> {
        let now = self.seconds();
        let taken = |address: &str| {
            self.machines().any(|m| m.address == address)
                || self.cloud.servers(now).any(|s| s.address == address)
        };
        (100..250).map(|last| format!("{}.{last}", self.cloud.subnet)).find(|address| !taken(address))
    }

    /// The machine of a server: its figures are like those of one of the same name, or of the same role.
    fn make_machine(
        &mut self,
        server: &Server,
        name: &HostName,
        user_data: Option<&str>,
    ) -> Option<HostName> {
        let roles = jumpdeck_fleet::names::roles_from_host_name(name.as_str());
        let alike = self
            .machines()
            .find(|m| m.hostname == *name)
            .or_else(|| self.machines().find(|m| m.roles().first() == roles.first()))
            .or_else(|| self.machines().last())?
            .name
            .clone();
        let known_by = self.add_machine(name, &server.address, &alike)?;
        let flavor = self.cloud.flavors.iter().find(|f| f.id == server.flavor).cloned();
        let image = self.cloud.images.iter().find(|i| i.id == server.image).map(|i| i.os);
        let machine = self.machines.get_mut(&known_by)?;
        machine.boots_until += BUILDING;
        if let Some(flavor) = flavor {
            machine.resize(flavor.cpus, flavor.ram_mb, flavor.disk_gb);
        }
        if let Some(os) = image.and_then(Os::find) {
            machine.os = os;
        }
        // A new machine has its image's disk only; its grains are what the first boot writes.
        machine.level = user_data.and_then(level);
        machine.grain_roles = None;
        if user_data.is_none() {
            self.remove_file(&known_by, "/etc/salt/minion_id");
        }
        Some(known_by)
    }

    fn server_mut(&mut self, wanted: &str) -> Result<&mut Server, CloudError> {
        let now = self.seconds();
        let id = self.cloud.find(wanted, now)?.id.clone();
        let missing = CloudError::Missing { kind: "server", name: wanted.to_owned() };
        self.cloud.servers.iter_mut().find(|s| s.id == id).ok_or(missing)
    }

    /// Deletes the server that a UUID or an unambiguous name means: its machine is gone, and what led to it leads
    /// nowhere.
    ///
    /// # Errors
    /// When there is none, or several bear the name.
    pub fn delete_server(&mut self, wanted: &str) -> Result<(), CloudError> {
        let now = self.seconds();
        let server = self.server_mut(wanted)?;
        if server.faults.delete_does_nothing || server.deleted_at.is_some() {
            return Ok(());
        }
        server.deleted_at = Some(now);
        let (machine, port) = (server.machine.clone(), server.port.clone());
        for floating in self.cloud.floating.iter_mut().filter(|f| f.port.as_ref() == Some(&port)) {
            floating.port = None;
        }
        if let Some(machine) = machine {
            self.remove_machine(&machine);
        }
        Ok(())
    }

    /// Switches a server off.
    ///
    /// # Errors
    /// When there is none, several bear the name, or it does not run.
    pub fn stop_server(&mut self, wanted: &str) -> Result<(), CloudError> {
        let now = self.seconds();
        let server = self.server_mut(wanted)?;
        if server.stopped || server.failed || now < server.active_at {
            return Err(not_in_state("stop", server, now));
        }
        if server.faults.stop_does_nothing {
            return Ok(());
        }
        (server.stopped, server.hung, server.changed_at) = (true, false, Some(now));
        if let Some(machine) = server.machine.clone() {
            self.power_off(&machine);
        }
        Ok(())
    }

    /// Switches a server on.
    ///
    /// # Errors
    /// When there is none, several bear the name, or it is not stopped.
    pub fn start_server(&mut self, wanted: &str) -> Result<(), CloudError> {
        let now = self.seconds();
        let server = self.server_mut(wanted)?;
        if !server.stopped {
            return Err(not_in_state("start", server, now));
        }
        (server.stopped, server.changed_at) = (false, Some(now));
        if let Some(machine) = server.machine.clone() {
            self.power_on(&machine, BOOTING);
        }
        Ok(())
    }

    /// Asks a server's kernel to boot again. A kernel that hangs is not always asked in vain: after a while the cloud cuts the power
    /// of what did not obey (libvirt's `wait_soft_reboot_seconds`), unless a fault says otherwise.
    ///
    /// # Errors
    /// When there is none, several bear the name, or it does not run.
    pub fn reboot_server(&mut self, wanted: &str) -> Result<(), CloudError> {
        self.boot_again(wanted, |server| !server.faults.soft_reboot_does_nothing)
    }

    /// Cuts a server's power, and gives it back.
    ///
    /// # Errors
    /// When there is none, several bear the name, or it does not run.
    pub fn hard_reboot_server(&mut self, wanted: &str) -> Result<(), CloudError> {
        self.boot_again(wanted, |_| true)
    }

    fn boot_again(&mut self, wanted: &str, obeys: fn(&Server) -> bool) -> Result<(), CloudError> {
        let now = self.seconds();
        let server = self.server_mut(wanted)?;
        if server.stopped || now < server.active_at {
            return Err(not_in_state("reboot", server, now));
        }
        server.changed_at = Some(now);
        if !obeys(server) {
            return Ok(());
        }
        server.hung = false;
        if let Some(machine) = server.machine.clone() {
            self.reboot(&machine);
        }
        Ok(())
    }

    /// Leads a floating address (its UUID) to a port, wherever it led before.
    ///
    /// # Errors
    /// When there is no such address or port, or the port has another address already.
    pub fn associate(&mut self, floating: &str, port: &str) -> Result<(), CloudError> {
        let now = self.seconds();
        let missing = |kind, name: &str| CloudError::Missing { kind, name: name.to_owned() };
        let server = self.cloud.servers(now).find(|s| s.port == port && s.deleted_at.is_none());
        let server = server.ok_or_else(|| missing("port", port))?;
        if let Some(other) =
            self.cloud.floating.iter().find(|f| f.port.as_deref() == Some(port) && f.id != floating)
        {
            // The words of neutron's FloatingIPPortAlreadyAssociated.
            return Err(CloudError::Conflict(format!(
                "Cannot associate floating IP {} ({floating}) with port {port} using fixed IP {}, as that fixed IP \
                 already has a floating IP on external network {}.",
                other.address,
                server.address,
                self.cloud.identifier("external")
            )));
        }
        let found = self.cloud.floating.iter_mut().find(|f| f.id == floating);
        found.ok_or_else(|| missing("floatingip", floating))?.port = Some(port.to_owned());
        Ok(())
    }

    /// Lets a floating address (its UUID) lead nowhere.
    ///
    /// # Errors
    /// When there is no such address.
    pub fn disassociate(&mut self, floating: &str) -> Result<(), CloudError> {
        let found = self.cloud.floating.iter_mut().find(|f| f.id == floating);
        let missing = || CloudError::Missing { kind: "floatingip", name: floating.to_owned() };
        found.ok_or_else(missing)?.port = None;
        Ok(())
    }

    /// Fault: the next server that is ordered is built for ever.
    pub fn next_server_never_becomes_active(&mut self) {
        self.cloud.next_never_active = true;
    }

    /// Fault: the next server's console shows other fingerprints than its machine has, as when somebody stands between.
    pub fn next_server_shows_foreign_fingerprints(&mut self) {
        self.cloud.next_foreign_console = true;
    }

    /// Fault: a server's kernel hangs. The cloud says that it runs; it answers nothing.
    ///
    /// # Errors
    /// When there is no such server.
    pub fn server_hangs(&mut self, wanted: &str) -> Result<(), CloudError> {
        let server = self.server_mut(wanted)?;
        server.hung = true;
        if let Some(machine) = server.machine.clone() {
            self.power_off(&machine);
        }
        Ok(())
    }

    /// Fault: a soft reboot of that server is accepted, and its kernel does not obey.
    ///
    /// # Errors
    /// When there is no such server.
    pub fn soft_reboot_does_nothing(&mut self, wanted: &str) -> Result<(), CloudError> {
        self.server_mut(wanted)?.faults.soft_reboot_does_nothing = true;
        Ok(())
    }

    /// Fault: the cloud gives a server up (`ERROR`), as when its hypervisor is gone.
    ///
    /// # Errors
    /// When there is no such server.
    pub fn server_fails(&mut self, wanted: &str) -> Result<(), CloudError> {
        self.server_hangs(wanted)?;
        self.server_mut(wanted)?.failed = true;
        Ok(())
    }

    /// Fault: deleting that server is accepted and never done.
    ///
    /// # Errors
    /// When there is no such server.
    pub fn deleting_does_nothing(&mut self, wanted: &str) -> Result<(), CloudError> {
        self.server_mut(wanted)?.faults.delete_does_nothing = true;
        Ok(())
    }

    /// Fault: stopping that server is accepted and never done.
    ///
    /// # Errors
    /// When there is no such server.
    pub fn stopping_does_nothing(&mut self, wanted: &str) -> Result<(), CloudError> {
        self.server_mut(wanted)?.faults.stop_does_nothing = true;
        Ok(())
    }
}

fn not_in_state(act: &str, server: &Server, now: f64) -> CloudError {
    let state = match server.status(now) {
        super::Status::Build => "building",
        super::Status::Active => "active",
        super::Status::Shutoff => "stopped",
        super::Status::Error => "error",
    };
    CloudError::Conflict(format!("Cannot '{act}' instance {} while it is in vm_state {state}", server.id))
}

/// The level that user data writes into the grains file.
fn level(user_data: &str) -> Option<String> {
    let found = user_data.lines().find_map(|line| line.trim().strip_prefix("level:"))?;
    Some(found.trim().trim_matches(['"', '\'']).to_owned()).filter(|level| !level.is_empty())
}

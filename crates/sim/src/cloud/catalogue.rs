//! What a server can be made of: flavors and images. The names of flavors are those of the fleet's own clouds.

use crate::posix::machine::Machine;
use crate::posix::os::Os;
use crate::world::noise::{draw, key, uuid};

/// Virtual hardware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flavor {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Virtual CPUs.
    pub cpus: u32,
    /// Memory, MB.
    pub ram_mb: u64,
    /// Disk, GB.
    pub disk_gb: u32,
}

/// What a server is booted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The operating system in it, by its name in world files.
    pub os: &'static str,
}

/// Id, name, CPUs, MB, GB. The first are of 2015, the `standard` ones of 2013 (told by the sizes in `000`).
static FLAVORS: &[(&str, &str, u32, u64, u32)] = &[
    ("100", "subsonic", 1, 1024, 80),
    ("200", "supersonic", 1, 2048, 80),
    ("300", "lightspeed", 2, 4096, 80),
    ("400", "warpspeed", 4, 8192, 80),
    ("500", "hyperspeed", 4, 16384, 160),
    ("1001", "standard.xsmall", 1, 1024, 30),
    ("1002", "standard.small", 2, 2048, 60),
    ("1003", "standard.medium", 2, 4096, 120),
    ("1004", "standard.large", 4, 8192, 240),
    ("1005", "standard.xlarge", 4, 16384, 480),
];

impl Flavor {
    /// Whether a machine is of it.
    pub(super) fn fits(&self, machine: &Machine) -> bool {
        (self.cpus, self.ram_mb, self.disk_gb) == (machine.cpus, machine.ram_mb(), machine.disk_gb)
    }
}

/// The flavors of a cloud with those machines: of a family, all, as soon as one machine is of it, and one for each size
/// that has no name.
pub(super) fn flavors(machines: &[&Machine]) -> Vec<Flavor> {
    let known = || {
        FLAVORS.iter().map(|(id, name, cpus, ram_mb, disk_gb)| Flavor {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            cpus: *cpus,
            ram_mb: *ram_mb,
            disk_gb: *disk_gb,
        })
    };
    let family = |flavor: &Flavor| flavor.name.starts_with("standard.");
    let mut flavors: Vec<Flavor> = known()
        .filter(|flavor| {
            machines.iter().any(|m| known().any(|other| family(&other) == family(flavor) && other.fits(m)))
        })
        .collect();
    for machine in machines {
        if !flavors.iter().any(|flavor| flavor.fits(machine)) {
            let (cpus, ram_mb, disk_gb) = (machine.cpus, machine.ram_mb(), machine.disk_gb);
            flavors.push(Flavor {
                id: format!("{}", 2000 + flavors.len()),
                name: format!("c{cpus}.m{ram_mb}.d{disk_gb}"),
                cpus,
                ram_mb,
                disk_gb,
            });
        }
    }
    flavors
}

/// An image for each operating system of those machines.
pub(super) fn images(seed: u64, machines: &[&Machine]) -> Vec<Image> {
    let mut images: Vec<Image> = Vec::new();
    for os in machines.iter().map(|m| m.os).filter(|os| Os::find(os.id).is_some()) {
        if images.iter().any(|image| image.os == os.id) {
            continue;
        }
        let key = key(seed, os.id);
        images.push(Image {
            id: uuid(draw(key, 1), draw(key, 2)),
            name: os.description.to_owned(),
            os: os.id,
        });
    }
    images
}

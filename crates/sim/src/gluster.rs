//! GlusterFS of 2013: one volume, `wiki-images`, a copy of it on each host of role storage (seed `000`).

pub(crate) mod programs;

use std::collections::BTreeSet;

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// Where the server keeps what it is, and its volume.
pub(crate) const IDENTITY: &str = "/var/lib/glusterd/glusterd.info";
pub(crate) const VOLUME_INFO: &str = "/var/lib/glusterd/vols/wiki-images/info";

/// The bricks that do not run.
pub(crate) type Bricks = BTreeSet<HostName>;

const SERVICE: &str = "glusterfs-server";

impl World {
    /// Fault: the brick of a host of role storage ends, or it is started again. False when the host has none.
    pub fn set_brick(&mut self, host: &HostName, runs: bool) -> bool {
        if runs {
            self.gluster.remove(host)
        } else {
            self.gluster.insert(host.clone())
        };
        self.has_brick(host)
    }

    pub(crate) fn has_brick(&self, host: &HostName) -> bool {
        self.services(host).contains(&SERVICE)
    }

    /// Every host that has a brick.
    fn brick_hosts(&self) -> Vec<&HostName> {
        self.order.iter().filter(|host| self.has_brick(host)).collect()
    }

    fn serves_gluster(&self, host: &HostName) -> bool {
        self.is_up(host) && self.service_runs(host, SERVICE)
    }
}

/// The files of its server.
pub(crate) fn file(world: &World, host: &HostName, path: &str) -> Option<String> {
    world.has_brick(host).then_some(())?;
    Some(match path {
        IDENTITY => format!("UUID={}\noperating-version=2\n", uuid(host)),
        VOLUME_INFO => "type=2\ncount=2\nstatus=1\nsub_count=2\nreplica_count=2\n".to_owned(),
        _ => return None,
    })
}

/// The name by which the pool knows a host.
fn uuid(host: &HostName) -> String {
    let number = host.as_str().bytes().fold(0_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 0xffff_ffff);
    format!("{number:08x}-4a1d-4c9a-9d5e-6f2c0{:07x}", number % 0xfff_ffff)
}

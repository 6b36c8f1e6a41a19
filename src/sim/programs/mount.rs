//! `mount` without arguments: the mount table.

use crate::sim::program::Reply;

use super::quick::{Ask, Quick, failure, output};

pub(super) static MOUNT: Quick = Quick { name: "mount", answer };

fn answer(ask: &Ask<'_>) -> Reply {
    let only = match ask.args {
        [] => None,
        [option, fstype] if option == "-t" => Some(fstype),
        _ if ask.user != "root" => return failure(1, "mount: only root can do that"),
        _ => return failure(32, "mount: the simulated fleet mounts nothing by hand"),
    };
    let mounts = ask.world.filesystems(ask.host).unwrap_or_default();
    let rows = mounts.iter().filter(|m| only.is_none_or(|fstype| *fstype == m.fstype));
    output(
        rows.map(|m| format!("{} on {} type {} ({})\n", m.device, m.path, m.fstype, m.options))
            .collect::<String>(),
    )
}

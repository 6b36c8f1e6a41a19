//! `nproc`.

use crate::program::Reply;
use crate::program::quick::{Ask, Quick, bad_option, failure, output};

pub(crate) static NPROC: Quick = Quick { name: "nproc", answer };

fn answer(ask: &Ask<'_>) -> Reply {
    if let Some(other) = ask.args.iter().find(|arg| *arg != "--all") {
        return bad_option("nproc", other);
    }
    match ask.world.machine(ask.host) {
        Some(machine) => output(format!("{}\n", machine.cpus)),
        None => failure(1, "nproc: cannot tell"),
    }
}

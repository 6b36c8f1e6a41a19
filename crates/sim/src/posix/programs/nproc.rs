//! `nproc`.

use crate::options::Options;
use crate::program::Reply;
use crate::program::quick::{Ask, Quick, failure, output};

pub(crate) static NPROC: Quick = Quick { name: "nproc", options: Some(&OPTIONS), answer };

static OPTIONS: Options = Options::new("", &[("all", 'a')]);

fn answer(ask: &Ask<'_>) -> Reply {
    if let Some(other) = ask.given.operands.first() {
        return failure(1, &format!("nproc: extra operand '{other}'"));
    }
    match ask.world.machine(ask.host) {
        Some(machine) => output(format!("{}\n", machine.cpus)),
        None => failure(1, "nproc: cannot tell"),
    }
}

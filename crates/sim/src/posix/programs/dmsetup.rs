//! `dmsetup status`: the devices of the kernel's device mapper.

use crate::options::Options;
use crate::program::quick::{Quick, failure, output};

pub(crate) static DMSETUP: Quick = Quick {
    name: "dmsetup",
    options: Some(&OPTIONS),
    answer: |ask| match ask.given.operands.as_slice() {
        [status] if status == "status" => output(ask.world.mapped(ask.host)),
        _ => failure(1, "dmsetup: the simulated fleet changes no device"),
    },
};

static OPTIONS: Options = Options::new("", &[("noflush", 'n'), ("target=", 't')]);

//! `dmsetup status`: the devices of the kernel's device mapper.

use crate::options::Options;
use crate::posix::snapshots::CONTROL;
use crate::program::quick::{Quick, failure, output};

pub(crate) static DMSETUP: Quick = Quick {
    name: "dmsetup",
    options: Some(&OPTIONS),
    answer: |ask| match ask.given.operands.as_slice() {
        _ if ask.world.is_closed(ask.host, CONTROL, ask.user) => failure(
            1,
            "/dev/mapper/control: open failed: Permission denied\n\
             Failure to communicate with kernel device-mapper driver.\nCommand failed.",
        ),
        [status] if status == "status" => output(ask.world.mapped(ask.host)),
        _ => failure(1, "dmsetup: the simulated fleet changes no device"),
    },
};

static OPTIONS: Options = Options::new("", &[("noflush", 'n'), ("target=", 't')]);

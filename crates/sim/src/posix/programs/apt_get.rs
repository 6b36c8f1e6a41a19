//! `apt-get -s dist-upgrade`: what would be installed. Nothing else is done here: a simulated fleet has no packages.

use crate::options::Options;
use crate::program::Reply;
use crate::program::quick::{Ask, Quick, failure, output};

pub(crate) static APT_GET: Quick = Quick { name: "apt-get", options: Some(&OPTIONS), answer };

static OPTIONS: Options = Options::new("qso:", &[]);

fn answer(ask: &Ask<'_>) -> Reply {
    match ask.given.operands.as_slice() {
        [upgrade] if ask.given.has('s') && matches!(upgrade.as_str(), "upgrade" | "dist-upgrade") => {
            let (security, all) = ask.world.waiting_updates(ask.host);
            let mut text =
                "Reading package lists...\nBuilding dependency tree...\nCalculating upgrade...\n".to_owned();
            for number in 0..all {
                let archive = if number < security {
                    "Debian-Security:12/stable-security"
                } else {
                    "Debian:12.9/stable"
                };
                text.push_str(&format!("Inst libfoo{number} [1.0-1] (1.0-2 {archive} [amd64])\n"));
            }
            text.push_str(&format!("{all} upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"));
            output(text)
        }
        _ => failure(100, "E: the simulated fleet installs nothing"),
    }
}

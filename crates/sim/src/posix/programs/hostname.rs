//! `hostname`.

use crate::options::Options;
use crate::program::Reply;
use crate::program::quick::{Ask, Quick, failure, output};

pub(crate) static HOSTNAME: Quick = Quick { name: "hostname", options: Some(&OPTIONS), answer };

static OPTIONS: Options = Options::new(
    "sfdiI",
    &[
        ("short", 's'),
        ("fqdn", 'f'),
        ("long", 'f'),
        ("domain", 'd'),
        ("ip-address", 'i'),
        ("all-ip-addresses", 'I'),
    ],
);

fn answer(ask: &Ask<'_>) -> Reply {
    let name = ask.world.machine(ask.host).map_or(ask.host, |m| &m.hostname).as_str();
    match (ask.given.options.as_slice(), ask.given.operands.as_slice()) {
        ([] | [('s', _)], []) => output(format!("{name}\n")),
        ([('f', _)], []) => output(format!("{}\n", ask.world.fqdn(ask.host))),
        ([('d', _)], []) => output(format!("{}\n", ask.world.domain().unwrap_or_default())),
        ([('i' | 'I', _)], []) => {
            let address = ask.world.machine(ask.host).map_or("", |m| m.address.as_str());
            output(format!("{address}\n"))
        }
        ([], [_]) if ask.user != "root" => failure(1, "hostname: you must be root to change the host name"),
        ([], [_]) => failure(1, "hostname: the simulated fleet does not rename its machines"),
        _ => failure(255, "Usage: hostname [-s|--short] [-f|--fqdn|--long] [-d|--domain] [-i|-I]"),
    }
}

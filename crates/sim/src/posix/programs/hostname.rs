//! `hostname`.

use crate::program::Reply;
use crate::program::quick::{Ask, Quick, bad_option, failure, output};

pub(crate) static HOSTNAME: Quick = Quick { name: "hostname", answer };

fn answer(ask: &Ask<'_>) -> Reply {
    let name = ask.world.machine(ask.host).map_or(ask.host, |m| &m.hostname).as_str();
    match ask.args {
        [] => output(format!("{name}\n")),
        [option] => match option.as_str() {
            "-s" | "--short" => output(format!("{name}\n")),
            "-f" | "--fqdn" | "--long" => output(format!("{}\n", ask.world.fqdn(ask.host))),
            "-d" | "--domain" => output(format!("{}\n", ask.world.domain().unwrap_or_default())),
            "-i" | "-I" | "--ip-address" | "--all-ip-addresses" => {
                let address = ask.world.machine(ask.host).map_or("", |m| m.address.as_str());
                output(format!("{address}\n"))
            }
            other if other.starts_with('-') => bad_option("hostname", other),
            _ if ask.user != "root" => failure(1, "hostname: you must be root to change the host name"),
            _ => failure(1, "hostname: the simulated fleet does not rename its machines"),
        },
        _ => failure(255, "Usage: hostname [-s|--short] [-f|--fqdn|--long] [-d|--domain] [-i|-I]"),
    }
}

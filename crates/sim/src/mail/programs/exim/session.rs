//! `exim -bh ADDRESS`: a session as if from that address, of which nothing comes.

use std::net::IpAddr;

use crate::mail::programs::Ask;
use crate::program::Reply;
use crate::program::quick::output;

use super::refused;

/// Whether a list of networks (`dc_relay_nets`) has an address.
fn contains(networks: &str, address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { return false };
    networks.split([';', ' ']).filter(|word| !word.is_empty()).any(|word| {
        let (network, bits) = word.split_once('/').unwrap_or((word, "32"));
        let (Ok(IpAddr::V4(network)), Ok(bits)) = (network.parse(), bits.parse::<u32>()) else {
            return word == "*";
        };
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
        u32::from(network) & mask == u32::from(address) & mask
    })
}

/// The session: each line that is read is a command.
pub(super) fn run(ask: &mut Ask<'_>) -> Reply {
    if ask.user != "root" {
        return refused("permission denied");
    }
    let from = ask.args.get(1).map(String::as_str).unwrap_or_default();
    let Ok(address) = from.parse::<IpAddr>() else {
        return refused(&format!("malformed host address {from} after -bh option"));
    };
    let own = ask.world.exim_setting(ask.host, "dc_other_hostnames");
    let taken = ask.world.exim_setting(ask.host, "dc_relay_domains");
    let relays = contains(&ask.world.exim_setting(ask.host, "dc_relay_nets"), address);
    let full = ask.world.fqdn(ask.host);
    let mut text = format!(
        "\n**** SMTP testing session as if from host {from}\n**** but without any ident (RFC 1413) callback.\n\
         **** This is not for real!\n\n220 {full} ESMTP Exim 4.82\n"
    );
    for command in ask.input.lines() {
        let upper = command.to_ascii_uppercase();
        let answer = match upper.split([' ', ':']).next().unwrap_or_default() {
            "HELO" | "EHLO" => format!("250 {full} Hello {} [{from}]", command.get(5..).unwrap_or_default()),
            "MAIL" => "250 OK".to_owned(),
            "RCPT" => {
                let to = command.trim_end().trim_end_matches('>');
                let domain = to.rsplit('@').next().unwrap_or_default();
                let known = |list: &str| list.split([';', ' ']).any(|word| word == domain);
                let takes = relays || known(&own) || known(&taken);
                if takes { "250 Accepted" } else { "550 relay not permitted" }.to_owned()
            }
            "RSET" => "250 Reset OK".to_owned(),
            "QUIT" => format!("221 {full} closing connection"),
            _ => "500 unrecognized command".to_owned(),
        };
        text.push_str(&format!("{answer}\n"));
        if upper.starts_with("QUIT") {
            break;
        }
    }
    output(text)
}

//! Floating addresses: which are attached to nothing, to a machine that the inventory does not have, and which host's address leads
//! nowhere.

use std::net::IpAddr;

use super::{CloudServer, columns, in_short};
use crate::collect::probe::unreadable;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, Service, ServiceReading};
use jumpdeck_fleet::text::Clean;

/// What a client says that has no such command: `openstack` before 3.0, `nova` since 10.0. Then nothing is said of them.
const NO_COMMAND: [&str; 2] = ["is not an openstack command", "invalid choice"];

/// Its names in `openstack floating ip list`, `neutron floatingip-list`, `nova floating-ip-list`.
const ADDRESS: &[&str] = &["Floating IP Address", "floating_ip_address", "IP"];
const FIXED: &[&str] = &["Fixed IP Address", "fixed_ip_address", "Fixed IP"];

/// Adds to what is known of the cloud what its client said of addresses; `None`: it was not asked.
pub(super) fn add(
    service: &mut Service,
    said: Option<&str>,
    servers: &[CloudServer<'_>],
    peers: &[(&str, &str)],
) {
    let found = said.ok_or(Gap::NotAsked).and_then(read);
    let mut readings = service.readings.to_vec();
    match found {
        // Half a minute after the servers.
        Err(Gap::NotAsked | Gap::NotInstalled) => return,
        Err(gap) => {
            let mut gaps = service.gaps.to_vec();
            gaps.push(("floating addresses", gap));
            service.gaps = gaps.into();
            return;
        }
        Ok(rows) => {
            let (free, attached): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.fixed.is_none());
            let is_known = |fixed: &str| {
                let holds = |server: &&CloudServer<'_>| server.has(fixed);
                peers.iter().any(|(_, address)| *address == fixed)
                    || servers
                        .iter()
                        .find(holds)
                        .is_some_and(|server| peers.iter().any(|peer| server.is(*peer)))
            };
            let strange = attached.iter().filter(|row| row.fixed.is_some_and(|fixed| !is_known(fixed)));
            let strange: Vec<String> = strange
                .map(|row| format!("{} (to {})", row.address, row.fixed.unwrap_or_default()))
                .collect();
            let dead = peers.iter().filter(|(_, address)| free.iter().any(|row| row.address == *address));
            let dead: Vec<String> = dead.map(|(name, address)| format!("{name} ({address})")).collect();
            let spare: Vec<&str> = free.iter().map(|row| row.address).collect();
            let count = |n: usize| Figure::count(u64::try_from(n).unwrap_or(u64::MAX));
            let mut add = |name, figure| readings.push(ServiceReading { name, figure });
            add("floating", count(rows.len()));
            add("unattached", count(spare.len()));
            for (name, names) in [
                ("unattached_addresses", spare),
                (STRANGE, strange.iter().map(String::as_str).collect()),
                (DEAD, dead.iter().map(String::as_str).collect()),
            ] {
                if !names.is_empty() {
                    add(name, Figure::text(&in_short(&names, 60)));
                }
            }
            let detail = format!(
                "{}, {} floating addresses, {} attached to nothing",
                service.detail,
                rows.len(),
                free.len()
            );
            service.detail = Clean::new(&detail);
        }
    }
    service.readings = readings.into();
}

/// Readings that the rule looks at.
const STRANGE: &str = "addresses_of_others";
const DEAD: &str = "addresses_that_lead_nowhere";

/// A floating address, and the inner one that it leads to.
struct FloatingAddress<'a> {
    address: &'a str,
    fixed: Option<&'a str>,
}

fn read(said: &str) -> Result<Vec<FloatingAddress<'_>>, Gap> {
    let (status, text) = said.split_once('\n').ok_or_else(|| unreadable(said))?;
    match status {
        "0 no" => {}
        "0 yes" => return Err(Gap::Cut("64 KiB of the list of floating addresses".into())),
        "124 no" => return Err(Gap::TimedOut),
        _ if NO_COMMAND.iter().any(|words| text.contains(words)) => return Err(Gap::NotInstalled),
        _ => {
            let why = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("its client failed");
            return Err(Gap::Failed(Clean::first_line(why, 200)));
        }
    }
    let rows = columns(text, [ADDRESS, FIXED]).ok_or_else(|| unreadable(text))?;
    // `None` of openstack, `-` of nova, nothing of neutron.
    let attached = |fixed: &&str| !matches!(*fixed, "" | "None" | "-");
    if rows.iter().any(|[address, _]| address.parse::<IpAddr>().is_err()) {
        return Err(unreadable(text));
    }
    Ok(rows
        .into_iter()
        .map(|[address, fixed]| FloatingAddress { address, fixed: Some(fixed).filter(attached) })
        .collect())
}

pub(super) fn rule(service: &Service, found: &mut Vec<Finding>) {
    if let Some(addresses) = service.text(STRANGE) {
        let message = format!(
            "Floating addresses lead to machines that the inventory does not have: {addresses}. Add those machines to the inventory, \
             or find out what uses these addresses before they are released."
        );
        found.push(Finding::of(STRANGE, Severity::Warning, message));
    }
    if let Some(hosts) = service.text(DEAD) {
        let message = format!(
            "The inventory's address of hosts is a floating address that is attached to nothing: {hosts}. Attach it to the server, or \
             correct the address in the inventory."
        );
        found.push(Finding::of(DEAD, Severity::Warning, message));
    }
}

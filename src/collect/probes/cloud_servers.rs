//! The servers and floating addresses of the cloud, as its client on the Salt master lists them, beside the inventory: which nobody
//! knows, and which hosts the cloud does not have.
//!
//! `openstack server list`, else `nova list`, with whatever credentials the account's session has; nobody looks at those. A client
//! costs seconds of the host's CPU: it is asked every ten minutes, first half a minute after the console connected, and for the
//! floating addresses half a minute later. Without credentials there is nothing to say.

use std::net::IpAddr;

use crate::collect::probe::{HyphenatedProbe, ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Host, Thresholds};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading};
use jumpdeck_fleet::text::Clean;

mod floating;

pub(super) static PROBE: HyphenatedProbe = HyphenatedProbe {
    section: "cloud_servers",
    probe: ServiceProbe {
        kind: &ServiceKind {
            name: "cloud-servers",
            hosts: HostsOf::FoundIn(&["salt", "deployment"]),
            stopped: Severity::Unknown,
            when_stopped: "",
            rule,
            short: |_| None,
        },
        script: SCRIPT,
        settings,
        cadence: ProbeCadence::Slow,
        read,
    },
};

const SCRIPT: &str = r#"
    cloud_servers_wait=1 cloud_servers_kept="@later$NL" cloud_servers_next= cloud_servers_bad=yes
    cloud_servers_list() {
        if command -v openstack > /dev/null; then openstack server list 2>&1; else nova list 2>&1; fi
    }
    cloud_servers_addresses() {
        if command -v openstack > /dev/null; then openstack floating ip list 2>&1
        elif command -v neutron > /dev/null; then neutron floatingip-list 2>&1
        else nova floating-ip-list 2>&1
        fi
    }
    # A report has time for one client: the addresses come with the next one. Addresses of before beside the servers of now would
    # show a difference that is none, so both change together.
    cloud_servers_look_twice() {
        jd_ask 5 65536 cloud_servers_addresses
        cloud_servers_status=$?
        [ -z "$cloud_servers_next" ] || cloud_servers_servers=$cloud_servers_next
        cloud_servers_next=
        cloud_servers_kept="$cloud_servers_servers@floating $cloud_servers_status ${jd_cut:-no}$NL$jd_got$NL"
    }
    probe_cloud_servers() {
        if [ "$cloud_servers_wait" -gt 0 ]; then
            if [ "$cloud_servers_wait" = "$cloud_servers_every" ] && [ -z "$cloud_servers_bad" ]; then cloud_servers_look_twice; fi
            cloud_servers_wait=$((cloud_servers_wait - 1))
            jd_out=$cloud_servers_kept
            return 0
        fi
        cloud_servers_every=19
        cloud_servers_wait=$cloud_servers_every cloud_servers_first=$cloud_servers_bad cloud_servers_bad=yes
        if command -v openstack > /dev/null || command -v nova > /dev/null; then
            jd_ask 5 65536 cloud_servers_list
            cloud_servers_status=$?
            # bash finds a program that it may not run.
            [ "$cloud_servers_status" != 126 ] || ! barred openstack nova || jd_got=$jd_barred
            [ "$cloud_servers_status" != 0 ] || cloud_servers_bad=
            say "@status $cloud_servers_status ${jd_cut:-no}"
            say "@peers $cloud_servers_peers"
            say "$jd_got"
        elif barred openstack nova; then
            say "@status 126 no"
            say "@peers $cloud_servers_peers"
            say "$jd_barred"
        else
            say @absent
        fi
        if [ -n "$cloud_servers_bad" ] || [ -n "$cloud_servers_first" ]; then
            cloud_servers_kept=$jd_out cloud_servers_servers=$jd_out cloud_servers_next=
        else
            cloud_servers_next=$jd_out
            jd_out=$cloud_servers_kept
        fi
    }
"#;

/// Servers and hosts that are compared: 64 KiB have fewer.
const MOST: usize = 1000;
/// Names that are shown of a list.
const SHOWN: usize = 4;
/// What the clients say to an account that has no credentials in its session.
const NO_CREDENTIALS: [&str; 5] =
    ["Missing value auth-url", "Missing value auth_url", "You must provide", "env[OS_", "Missing parameter"];

/// The environment's hosts, which the servers are compared with.
fn settings(host: &Host) -> Option<String> {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._:-".contains(c));
    let known = host.peers.iter().filter(|peer| plain(&peer.address));
    let rows: Vec<String> = known.map(|peer| format!("{}={}", peer.name, peer.address)).collect();
    Some(format!("cloud_servers_peers='{}'\n", rows.join(" ")))
}

/// A server of the cloud.
struct CloudServer<'a> {
    name: &'a str,
    networks: &'a str,
}

impl CloudServer<'_> {
    /// Whether it is a host of the inventory: by its name, whatever the domain and the case, or by its address.
    fn is(&self, (name, address): (&str, &str)) -> bool {
        let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        short(self.name) == short(name) || (address.parse::<IpAddr>().is_ok() && self.has(address))
    }

    /// Whether it has this address.
    fn has(&self, address: &str) -> bool {
        self.networks
            .split(|c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c)))
            .any(|word| word == address)
    }
}

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    match text.trim() {
        "@later" => return Err(Gap::NotAsked),
        "@absent" => return Err(Gap::NotInstalled),
        _ => {}
    }
    // The last: what a client prints comes before.
    let (text, addresses) = match text.rsplit_once("\n@floating ") {
        Some((text, addresses)) => (text, Some(addresses)),
        None => (text, None),
    };
    let (status, rest) = text.split_once('\n').ok_or_else(|| unreadable(text))?;
    let (peers, rest) = rest.split_once('\n').ok_or_else(|| unreadable(rest))?;
    let status = status.strip_prefix("@status ").ok_or_else(|| unreadable(status))?;
    let peers = peers.strip_prefix("@peers ").ok_or_else(|| unreadable(peers))?;
    match status {
        "0 no" => {}
        "0 yes" => return Err(Gap::Cut("64 KiB of the list of servers".into())),
        "124 no" => return Err(Gap::TimedOut),
        "126 no" => {
            let why = format!("this account may not run {}", rest.lines().next().unwrap_or_default());
            return Err(Gap::NotPermitted(Clean::first_line(&why, 200)));
        }
        _ if NO_CREDENTIALS.iter().any(|words| rest.contains(words)) => return Err(Gap::NotInstalled),
        _ => {
            let why = rest.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("its client failed");
            return Err(Gap::Failed(Clean::first_line(why, 200)));
        }
    }
    let servers = table(rest).ok_or_else(|| unreadable(rest))?;
    let peers: Vec<(&str, &str)> =
        peers.split(' ').filter_map(|row| row.split_once('=')).take(MOST).collect();
    let mut service = compare(&servers, &peers)?;
    floating::add(&mut service, addresses, &servers, &peers);
    Ok(service)
}

fn table(text: &str) -> Option<Vec<CloudServer<'_>>> {
    let rows = columns(text, [&["Name"], &["Networks"]])?;
    Some(rows.into_iter().map(|[name, networks]| CloudServer { name, networks }).collect())
}

/// Columns of a table with heads, `| ID | Name | … |`, each by one of its names, whatever the case. Nothing at all is an empty table,
/// or none.
fn columns<'a, const N: usize>(text: &'a str, names: [&[&str]; N]) -> Option<Vec<[&'a str; N]>> {
    let mut rows = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let Some(heads) = rows.next() else { return text.trim().is_empty().then(Vec::new) };
    let place = |names: &[&str]| {
        heads.iter().position(|head| names.iter().any(|name| head.eq_ignore_ascii_case(name)))
    };
    let mut places = [0; N];
    for (at, names) in places.iter_mut().zip(names) {
        *at = place(names)?;
    }
    rows.take(MOST)
        .map(|row| {
            let mut cells = [""; N];
            for (cell, at) in cells.iter_mut().zip(places) {
                *cell = row.get(at)?;
            }
            Some(cells)
        })
        .collect()
}

fn compare(servers: &[CloudServer<'_>], peers: &[(&str, &str)]) -> Result<Service, Gap> {
    let is_known = |server: &&CloudServer<'_>| peers.iter().any(|peer| server.is(*peer));
    let unknown: Vec<&str> =
        servers.iter().filter(|server| !is_known(server)).map(|server| server.name).collect();
    let missing: Vec<&str> = peers
        .iter()
        .filter(|peer| !servers.iter().any(|server| server.is(**peer)))
        .map(|peer| peer.0)
        .collect();
    let count = |n: usize| Figure::count(u64::try_from(n).unwrap_or(u64::MAX));
    if missing.len() == peers.len() {
        let why = format!(
            "none of its {} servers is a host of the inventory: the credentials are those of another project",
            servers.len()
        );
        return Err(Gap::Failed(Clean::new(&why)));
    }
    let mut readings = Vec::new();
    let mut add = |name, figure| readings.push(ServiceReading { name, figure });
    let mut detail = format!("{} servers", servers.len());
    add("servers", count(servers.len()));
    for (count_name, names_name, names, words) in [
        ("unknown", "unknown_names", &unknown, "not in the inventory"),
        ("missing", "missing_names", &missing, "hosts missing"),
    ] {
        add(count_name, count(names.len()));
        if !names.is_empty() {
            add(names_name, Figure::text(&in_short(names, 24)));
            detail.push_str(&format!(", {} {words}", names.len()));
        }
    }
    Ok(Service {
        running: true,
        detail: detail.into(),
        readings: readings.into(),
        gaps: [].into(),
        ..Service::default()
    })
}

/// The first names, each cut to a length, and how many more there are.
fn in_short(names: &[&str], longest: usize) -> String {
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| Clean::first_line(name, longest).to_string()).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    if let Some(names) = service.text("unknown_names") {
        let message = format!(
            "The cloud has servers that the inventory does not: {names}. Nobody looks at them here. Add them to the inventory, or \
             find out who made them and whether they are still needed."
        );
        found.push(Finding::of("unknown", Severity::Warning, message));
    }
    if let Some(names) = service.text("missing_names") {
        let message = format!(
            "The inventory has hosts that the cloud does not: {names}. Remove from the inventory what was deleted; where some hosts \
             are in no cloud, turn off the service cloud-servers there."
        );
        found.push(Finding::of("missing", Severity::Warning, message));
    }
    floating::rule(service, found);
}

#[cfg(test)]
mod tests;

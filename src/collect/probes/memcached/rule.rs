//! What is wrong with a server that answers.

use std::net::Ipv4Addr;

use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Finding, Service};

/// Near this part of its connections a burst of clients has to wait. Percent.
const MANY_CLIENTS: f64 = 90.0;

pub(super) fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    let mut warn = |of, message| found.push(Finding::of(of, Severity::Warning, message));
    let evicted = service.amount("evicted").filter(|evicted| *evicted > 0);
    if let Some(evicted) = evicted.filter(|_| service.text("holds") == Some("sessions")) {
        let message = format!(
            "memcached threw away {evicted} sessions early since it started. Raise -m in /etc/memcached.conf, then restart it at \
             a quiet hour: a restart ends every session."
        );
        warn("evicted", message);
    }
    if let Some(clients) = service.reading("clients")
        && clients.percent().is_some_and(|used| used >= MANY_CLIENTS)
    {
        let message = format!(
            "memcached has {clients} connections; when all are in use, new ones wait. See which hosts keep them open, or raise \
             -c in /etc/memcached.conf."
        );
        warn("clients", message);
    }
    let listens = service.text("listens").unwrap_or_default();
    if let Some(address) = listens.split(' ').find(|address| is_public(address)) {
        let message = format!(
            "memcached listens on {address}, a public address: everybody may read and change its data unless a firewall is in \
             between. Write an inside address after -l in /etc/memcached.conf."
        );
        warn("listens", message);
    }
}

/// Whether an address is one of the internet. One of every address says nothing: a host may have inside addresses only.
fn is_public(address: &str) -> bool {
    let Ok(address) = address.parse::<Ipv4Addr>() else { return false };
    let [first, second, ..] = address.octets();
    // 100.64/10 is that of carriers and of private networks over the internet.
    let shared = first == 100 && (64..128).contains(&second);
    !(address.is_private() || address.is_loopback() || address.is_link_local() || shared)
}

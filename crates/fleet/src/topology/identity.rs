//! Which server a connection leads to. A replica names its master by an address and, once it has reached it, by the server
//! id that answered. Neither proves it alone: ids are 1 by default, and an address may be a tunnel, a forwarded port or
//! another network's. Both together do.

use std::net::IpAddr;

use crate::database_address::NamedServer;
use crate::fleet::Environment;
use crate::names::HostName;
use crate::replication::{Connection, ServerStatus};
use crate::snapshot::HostSnapshot;

/// A server that a connection may lead to.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its host.
    pub host: &'a HostSnapshot,
    /// What it says; `None` when it could not be asked.
    pub status: Option<&'a ServerStatus>,
}

/// Where a connection leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// To this candidate, for certain: id and address agree.
    To(usize),
    /// To this candidate, by all that is known; something may be in between (a tunnel, a forwarded port).
    Probably(usize),
    /// To none of the candidates: another server id answered, and all of theirs are known.
    Outside,
    /// Nobody can tell.
    Unclear,
}

impl Leads {
    /// The candidate, certain or not.
    #[must_use]
    pub fn candidate(self) -> Option<usize> {
        match self {
            Self::To(at) | Self::Probably(at) => Some(at),
            Self::Outside | Self::Unclear => None,
        }
    }
}

/// Where a connection leads among some servers.
#[must_use]
pub fn leads(env: &Environment, candidates: &[Candidate<'_>], c: &Connection) -> Leads {
    let named: Vec<usize> = places(candidates, |s| is_called(env, s.host, c.master_host.as_str()));
    let listens = |at: &usize| {
        let port = candidates.get(*at).and_then(|s| s.status).and_then(|s| s.port);
        port.is_none() || c.master_port.is_none() || port == c.master_port
    };
    let id_of = |s: &Candidate<'_>| s.status.and_then(|s| s.server_id);
    let Some(id) = c.master_server_id.filter(|id| *id != 0) else {
        // Before the first contact the address is all there is; it may be a name that leads elsewhere.
        return named.into_iter().find(listens).map_or(Leads::Unclear, Leads::Probably);
    };
    let answered = places(candidates, |s| id_of(s) == Some(id));
    if let Some(at) = answered.iter().copied().find(|at| named.contains(at) && listens(at)) {
        return Leads::To(at);
    }
    match answered.as_slice() {
        // One of ours whose id is not known, at that address.
        [] => match named.into_iter().find(|at| candidates.get(*at).is_some_and(|s| id_of(s).is_none())) {
            Some(at) => Leads::Probably(at),
            None if candidates.iter().all(|s| id_of(s).is_some()) => Leads::Outside,
            None => Leads::Unclear,
        },
        [one] => Leads::Probably(*one),
        several => {
            several.iter().copied().find(|at| named.contains(at)).map_or(Leads::Unclear, Leads::Probably)
        }
    }
}

fn places<'a>(candidates: &[Candidate<'a>], is: impl Fn(&Candidate<'a>) -> bool) -> Vec<usize> {
    candidates.iter().enumerate().filter(|(_, s)| is(s)).map(|(at, _)| at).collect()
}

/// The host that a file of an application names: by the address, or by the name where nobody knows its address. A loopback address
/// is nobody's: a proxy may listen there.
pub fn host_named<'a>(
    env: &'a Environment,
    hosts: &[impl AsRef<HostSnapshot>],
    server: &NamedServer,
) -> Option<&'a HostName> {
    let found = match server.address() {
        Some(address) if address.is_loopback() => None,
        Some(address) => {
            env.hosts.iter().find(|host| host.address.parse::<IpAddr>().is_ok_and(|own| own == address))
        }
        None => {
            let called =
                hosts.iter().map(AsRef::as_ref).find(|host| is_called(env, host, server.word.as_str()));
            called.and_then(|host| env.host(&host.id.host))
        }
    };
    found.map(|host| &host.id.host)
}

/// Whether a host goes by this address: its address in the inventory, its name, its name with the domain, or the
/// hostname it reports. Case does not matter, nor a trailing dot. A loopback address (a tunnel) is nobody's.
pub(super) fn is_called(env: &Environment, host: &HostSnapshot, address: &str) -> bool {
    let address = address.trim_end_matches('.');
    if address.is_empty() || address == "::1" || address.starts_with("127.") || address == "localhost" {
        return false;
    }
    let same = |other: &str| other.eq_ignore_ascii_case(address);
    let name = host.id.host.as_str();
    let spec = env.host(&host.id.host);
    let in_domain = env.domain.as_deref().is_some_and(|domain| {
        let (head, tail) = address.split_at_checked(name.len()).unwrap_or_default();
        head.eq_ignore_ascii_case(name)
            && tail.strip_prefix('.').is_some_and(|t| t.eq_ignore_ascii_case(domain))
    });
    same(name)
        || in_domain
        || spec.is_some_and(|s| same(&s.address))
        || host.facts.identity.last().is_some_and(|i| same(i.hostname.as_str()))
}

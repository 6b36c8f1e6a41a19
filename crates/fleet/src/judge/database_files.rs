//! Applications whose files name another database server than the writable one: one problem for all of a kind.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Situation, some};
use crate::database_address::{NamedServer, NamingFile};
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::replication::{Database, ServerStatus};
use crate::snapshot::HostSnapshot;
use crate::text::Clean;
use crate::topology::identity::{Candidate, host_named, leads};

/// What to do about a file that names the wrong server.
const NEXT: &str =
    "Correct the address where the file is written (with Salt: in the pillar), then reload the application";

/// What to do before a file is changed that names a server of another history: to write elsewhere may split the data.
const FIRST: &str = "Find out which server must be writable before you change an address";

/// Where a file leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamedTarget<'a> {
    /// To a server that is writable.
    Writable(&'a HostName),
    /// To one that is read-only.
    ReadOnly(&'a HostName),
    /// To a host of which nobody knows that.
    Host(&'a HostName),
    /// To an address that no host of the inventory has.
    Nowhere,
    /// To a name that nobody resolved here, or to the host itself: a proxy may listen there.
    Unknown,
}

/// A file that is wrong: its host, and what it names.
struct WrongFile<'a> {
    host: &'a HostName,
    file: &'a NamingFile,
    names: String,
}

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let writable: Vec<&HostName> =
        s.judgeable().filter(|host| writes(host) == Some(true)).map(|host| &host.id.host).collect();
    let (mut replicas, mut strangers, mut nowhere) = (Vec::new(), Vec::new(), Vec::new());
    // The servers that files of one path name, each with the hosts of those.
    let mut used: BTreeMap<&Clean, BTreeMap<&HostName, Vec<&HostName>>> = BTreeMap::new();
    for host in s.judgeable() {
        for file in host.facts.database_files.current().into_iter().flatten() {
            let servers = match &file.servers {
                Ok(servers) => servers,
                Err(gap) => {
                    let message =
                        format!("the database address in {} is unknown: {}", file.file, gap.describe());
                    out.push(s.problem(
                        Severity::Unknown,
                        Some(&host.id.host),
                        ProblemKind::Unreadable,
                        message,
                    ));
                    continue;
                }
            };
            let wrong = |server: &NamedServer, target: &HostName| WrongFile {
                host: &host.id.host,
                file,
                names: format!("{target} ({})", server.word),
            };
            match of_file(s, servers) {
                Some((server, NamedTarget::ReadOnly(target))) if !writable.is_empty() => {
                    let follows = matches!(writable.as_slice(), [one] if follows(s, target, one));
                    let list = if follows { &mut replicas } else { &mut strangers };
                    list.push(wrong(server, target));
                }
                Some((_, NamedTarget::Writable(target) | NamedTarget::ReadOnly(target))) => {
                    let by = used.entry(&file.file).or_default().entry(target).or_default();
                    if !by.contains(&&host.id.host) {
                        by.push(&host.id.host);
                    }
                }
                Some((server, NamedTarget::Nowhere)) => {
                    nowhere.push(WrongFile { host: &host.id.host, file, names: server.words() });
                }
                Some((_, NamedTarget::Host(_) | NamedTarget::Unknown)) | None => {}
            }
        }
    }
    let names: Vec<&str> = writable.iter().map(|host| host.as_str()).collect();
    let right = if names.is_empty() {
        "no database server is known to be writable".to_owned()
    } else {
        format!("writable is {}", some(&names))
    };
    say(s, Severity::Critical, &replicas, "which is read-only", &right, NEXT, out);
    let not_its = "which is read-only and does not replicate from the writable server";
    say(s, Severity::Critical, &strangers, not_its, &right, FIRST, out);
    let proxy = "If it is a proxy or another address of the masterdb, change database_files in the inventory";
    let next = if names.is_empty() { proxy.to_owned() } else { format!("{NEXT}. {proxy}") };
    say(s, Severity::Warning, &nowhere, "the address of no host in the inventory", &right, &next, out);
    // Nodes of a cluster are one place to write to.
    if s.judgeable().any(|host| servers(host).any(|server| server.cluster.is_some())) {
        return;
    }
    for (file, targets) in used.iter().filter(|(_, targets)| targets.len() > 1) {
        let each: Vec<String> =
            targets.iter().map(|(target, by)| format!("{target} (by {})", super::some_names(by))).collect();
        let hosts: Vec<&HostName> = targets.values().flatten().copied().collect();
        let message = format!(
            "{file} names different database servers: {}. Find out which one is right, then correct the address where the file \
             is written (with Salt: in the pillar)",
            some(&each)
        );
        out.push(s.problem_of(Severity::Warning, &hosts, ProblemKind::DatabaseAddress, message));
    }
}

/// Whether a server replicates from another one, directly or through others.
fn follows(s: &Situation<'_>, replica: &HostName, master: &HostName) -> bool {
    let candidates = candidates(s);
    let mut reached = vec![replica];
    let mut at = 0;
    while let Some(host) = reached.get(at).copied() {
        at += 1;
        for candidate in candidates.iter().filter(|candidate| candidate.host.id.host == *host) {
            let connections =
                candidate.status.and_then(|status| status.connections.as_ref().ok()).into_iter().flatten();
            let masters =
                connections.filter_map(|c| candidates.get(leads(s.env, &candidates, c).candidate()?));
            for next in masters.map(|candidate| &candidate.host.id.host) {
                if next == master {
                    return true;
                }
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
        }
    }
    false
}

fn candidates<'a>(s: &Situation<'a>) -> Vec<Candidate<'a>> {
    s.judgeable()
        .flat_map(|host| servers(host).map(move |status| Candidate { host, status: Some(status) }))
        .collect()
}

/// One problem for all files that are wrong in the same way.
fn say(
    s: &Situation<'_>,
    severity: Severity,
    wrong: &[WrongFile<'_>],
    what: &str,
    right: &str,
    next: &str,
    out: &mut Vec<Problem>,
) {
    let kind = ProblemKind::DatabaseAddress;
    match wrong {
        [] => {}
        [one] => {
            let message = format!("{} names {}, {what}; {right}. {next}", one.file.file, one.names);
            out.push(s.problem(severity, Some(one.host), kind, message));
        }
        several => {
            let each: Vec<String> =
                several.iter().map(|one| format!("{} names {}", one.host, one.names)).collect();
            let mut hosts: Vec<&HostName> = several.iter().map(|one| one.host).collect();
            hosts.dedup();
            let message = format!(
                "{} files of applications name a database server, {what}: {}; {right}. {next}",
                several.len(),
                some(&each)
            );
            out.push(s.problem_of(severity, &hosts, kind, message));
        }
    }
}

/// What decides about a file: a writable server that it names, else one that nobody knows, else the first.
fn of_file<'a, 'f>(
    s: &Situation<'a>,
    servers: &'f [NamedServer],
) -> Option<(&'f NamedServer, NamedTarget<'a>)> {
    let all: Vec<(&NamedServer, NamedTarget<'a>)> =
        servers.iter().map(|server| (server, target(s, server))).collect();
    let rank = |target: &NamedTarget<'_>| match target {
        NamedTarget::Writable(_) => 0,
        NamedTarget::Unknown => 1,
        NamedTarget::Host(_) => 2,
        NamedTarget::ReadOnly(_) => 3,
        NamedTarget::Nowhere => 4,
    };
    all.into_iter().min_by_key(|(_, target)| rank(target))
}

fn target<'a>(s: &Situation<'a>, server: &NamedServer) -> NamedTarget<'a> {
    let Some(host) = host_named(s.env, s.hosts, server).or_else(|| other_address_of(s, server)) else {
        // A host that the inventory knows by a name may have any address.
        let all_known = s.env.hosts.iter().all(|host| host.address.parse::<IpAddr>().is_ok());
        return match server.address() {
            Some(address) if !address.is_loopback() && all_known => NamedTarget::Nowhere,
            Some(_) | None => NamedTarget::Unknown,
        };
    };
    let known = s.judgeable().find(|known| known.id.host == *host);
    match known.and_then(writes) {
        Some(true) => NamedTarget::Writable(host),
        Some(false) => NamedTarget::ReadOnly(host),
        None => NamedTarget::Host(host),
    }
}

/// The host that replicas reach at this address, where that is not the inventory's.
fn other_address_of<'a>(s: &Situation<'a>, server: &NamedServer) -> Option<&'a HostName> {
    let address = server.address()?;
    let candidates = candidates(s);
    let connections = candidates.iter().filter_map(|c| c.status?.connections.as_ref().ok()).flatten();
    let mut there = connections
        .filter(|c| c.master_host.as_str().parse::<IpAddr>().is_ok_and(|host| host == address))
        .filter_map(|c| leads(s.env, &candidates, c).candidate());
    there.next().and_then(|at| candidates.get(at)).map(|candidate| &candidate.host.id.host)
}

/// Whether a host's database server is writable; `None` where it has none, or nobody knows.
fn writes(host: &HostSnapshot) -> Option<bool> {
    let databases: &[Database] = host.facts.databases.current()?;
    let all: Vec<Option<bool>> =
        databases.iter().map(|d| d.server.as_ref().ok().and_then(ServerStatus::writable)).collect();
    if all.contains(&Some(true)) {
        return Some(true);
    }
    (!all.is_empty() && all.iter().all(|one| *one == Some(false))).then_some(false)
}

fn servers(host: &HostSnapshot) -> impl Iterator<Item = &ServerStatus> {
    host.facts.databases.current().into_iter().flatten().filter_map(|database| database.server.as_ref().ok())
}

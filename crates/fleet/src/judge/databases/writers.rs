//! Exactly one server of an environment is writable, or the nodes of one cluster; none may be, when all of them follow a
//! master outside it. Whatever is concluded rests on servers that answered.

use super::{AskedServer, Situation};
use crate::judge::some_names;
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::replication::Connection;
use crate::topology::identity::{Candidate, Leads, leads};

pub(super) fn judge(
    s: &Situation<'_>,
    asked: &[AskedServer<'_>],
    unknown: &[&HostName],
    out: &mut Vec<Problem>,
) {
    // Servers that neither replicate nor are on a `db` host are nobody's second master.
    let group: Vec<&AskedServer<'_>> = asked
        .iter()
        .filter(|a| {
            a.replicates()
                || a.server.cluster.is_some()
                || s.env.host(a.host).is_some_and(|h| h.expects_database())
        })
        .collect();
    let writable: Vec<&AskedServer<'_>> =
        group.iter().copied().filter(|a| a.server.writable() == Some(true)).collect();
    if let Some(first) = writable.first() {
        // Nodes of one cluster apply each other's writes: they are one place to write to.
        if writable.iter().all(|a| a.host == first.host || in_one_cluster(a, first)) {
            judge_name(s, &group, &writable, out);
        } else {
            several(s, &group, &writable, unknown, out);
        }
    } else {
        none(s, &group, unknown, out);
    }
}

fn in_one_cluster(a: &AskedServer<'_>, b: &AskedServer<'_>) -> bool {
    match (&a.server.cluster, &b.server.cluster) {
        (Some(a), Some(b)) => a.is_same(b),
        (None, _) | (_, None) => false,
    }
}

fn several(
    s: &Situation<'_>,
    group: &[&AskedServer<'_>],
    writable: &[&AskedServer<'_>],
    unknown: &[&HostName],
    out: &mut Vec<Problem>,
) {
    let names: Vec<&HostName> = writable.iter().map(|a| a.host).collect();
    let open = undecided(group, unknown);
    let more = if open.is_empty() { String::new() } else { format!(" (unknown: {})", some_names(&open)) };
    let message = format!(
        "{} databases are writable: {}{more}. Their data diverges; make all but the masterdb read-only",
        names.len(),
        some_names(&names)
    );
    out.push(s.problem_of(Severity::Critical, &names, ProblemKind::WritableMasters, message));
}

/// Servers of which nobody knows whether they are writable.
fn undecided<'a>(group: &[&AskedServer<'a>], unknown: &[&'a HostName]) -> Vec<&'a HostName> {
    let silent = group.iter().filter(|a| a.server.writable().is_none()).map(|a| a.host);
    unknown.iter().copied().chain(silent).collect()
}

/// The one that is writable is the one that the inventory calls masterdb.
fn judge_name(
    s: &Situation<'_>,
    group: &[&AskedServer<'_>],
    writable: &[&AskedServer<'_>],
    out: &mut Vec<Problem>,
) {
    let masterdb: Vec<&HostName> =
        s.env.hosts.iter().filter(|h| h.has_role("masterdb")).map(|h| &h.id.host).collect();
    let ([masterdb], Some(one)) = (masterdb.as_slice(), writable.first()) else { return };
    let refuses = group.iter().any(|a| &a.host == masterdb && a.server.writable() == Some(false));
    if refuses {
        let message = format!("{} is writable, but the masterdb is {masterdb}", one.host);
        out.push(s.problem(Severity::Critical, Some(one.host), ProblemKind::WritableMasters, message));
    }
}

/// No server is known to be writable. That is an outage only where every server answered, and none of them follows a
/// master elsewhere; where one did not, nobody knows. While a first answer is awaited, or the jump box is down, that is said
/// elsewhere.
fn none(s: &Situation<'_>, group: &[&AskedServer<'_>], unknown: &[&HostName], out: &mut Vec<Problem>) {
    let mut open = undecided(group, unknown);
    open.dedup();
    let is_awaited = s.hosts.iter().any(|h| open.contains(&&h.id.host) && s.is_awaited(h));
    if (group.is_empty() && open.is_empty()) || is_awaited || !s.jump_is_there() {
        return;
    }
    // One that is silent may be the master that another one follows.
    let silent = s.hosts.iter().filter(|h| unknown.contains(&&h.id.host));
    let answered = group.iter().map(|a| Candidate { host: a.snapshot, status: Some(a.server) });
    let candidates: Vec<Candidate<'_>> =
        answered.chain(silent.map(|host| Candidate { host, status: None })).collect();
    let mut unclear: Option<String> = None;
    for one in group {
        let Ok(connections) = &one.server.connections else {
            unclear = unclear.or_else(|| Some(format!("the master of {} is unknown", one.host)));
            continue;
        };
        for c in connections {
            match leads(s.env, &candidates, c) {
                Leads::Outside => return,
                Leads::To(_) => {}
                Leads::Probably(_) | Leads::Unclear => unclear = unclear.or_else(|| Some(away(one.host, c))),
            }
        }
    }
    let names: Vec<&HostName> = group.iter().map(|a| a.host).collect();
    let (severity, concerned, message) = match unclear {
        _ if !open.is_empty() => {
            let message = format!("no database is known to be writable; unknown: {}", some_names(&open));
            (Severity::Unknown, &open, message)
        }
        None => {
            let message =
                format!("no database is writable: every server is read-only ({})", some_names(&names));
            (Severity::Critical, &names, message)
        }
        Some(why) => (Severity::Unknown, &names, format!("no writable database found; {why}")),
    };
    out.push(s.problem_of(severity, concerned, ProblemKind::WritableMasters, message));
}

fn away(host: &HostName, c: &Connection) -> String {
    let port = c.master_port.map(|p| format!(":{p}")).unwrap_or_default();
    format!("{host} follows {}{port}, which may be outside this environment", c.master_host)
}

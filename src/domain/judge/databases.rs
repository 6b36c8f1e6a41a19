//! Databases and their replication: who takes writes, who follows, how far behind, over what.

use std::collections::BTreeMap;

use super::{Situation, some_names};
use crate::domain::names::HostName;
use crate::domain::problem::{Problem, ProblemKind, Severity};
use crate::domain::replication::{
    Connection, Database, ReplicationError, ReplicationRole, ServerStatus, Thread,
};
use crate::domain::snapshot::HostSnapshot;

/// A server that could be asked, and its host.
struct Asked<'a> {
    host: &'a HostName,
    database: &'a Database,
    server: &'a ServerStatus,
}

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let mut asked: Vec<Asked<'_>> = Vec::new();
    let mut unknown: Vec<&HostName> = Vec::new();
    for (spec, host) in s.env.hosts.iter().zip(s.hosts) {
        if !s.is_judgeable(host) {
            if spec.has_role("db") {
                unknown.push(&spec.id.host);
            }
            continue;
        }
        let databases = databases_of(s, host, spec.has_role("db"), out);
        if databases.is_none() && spec.has_role("db") {
            unknown.push(&spec.id.host);
        }
        for database in databases.into_iter().flatten() {
            match &database.server {
                Ok(server) => asked.push(Asked { host: &host.id.host, database, server }),
                Err(gap) => {
                    unknown.push(&host.id.host);
                    let message = format!("{} {}", database.engine.word(), gap.describe());
                    let severity =
                        if matches!(gap, crate::domain::fact::Gap::Failed(_)) && spec.has_role("db") {
                            Severity::Critical
                        } else {
                            Severity::Unknown
                        };
                    out.push(s.problem(severity, Some(&host.id.host), ProblemKind::Replication, message));
                }
            }
        }
    }
    for one in &asked {
        for connection in one.server.connections.iter().flatten() {
            judge_connection(s, one.host, connection, out);
        }
        if let Err(gap) = &one.server.connections {
            let message = format!("replication {}", gap.describe());
            out.push(s.problem(Severity::Unknown, Some(one.host), ProblemKind::Replication, message));
        }
    }
    judge_writers(s, &asked, &unknown, out);
    judge_server_ids(s, &asked, out);
    judge_unmanaged(s, &asked, &unknown, out);
}

/// The databases of a host that answers; `None` when they are not known. A host whose role is `db` must have one.
fn databases_of<'a>(
    s: &Situation<'_>,
    host: &'a HostSnapshot,
    is_db: bool,
    out: &mut Vec<Problem>,
) -> Option<&'a [Database]> {
    let databases = host.facts.databases.current()?;
    if databases.is_empty() && is_db {
        let message = "its role is db, and no database server is installed".to_owned();
        out.push(s.problem(Severity::Critical, Some(&host.id.host), ProblemKind::Replication, message));
    }
    Some(databases)
}

fn judge_connection(s: &Situation<'_>, host: &HostName, c: &Connection, out: &mut Vec<Problem>) {
    let name = Some(host);
    let which = if c.name.is_empty() { String::new() } else { format!(" of connection {}", c.name) };
    let mut thread = |what: &str, state: Thread, error: Option<&ReplicationError>| {
        let reason = error.map(|e| format!(": error {} {}", e.number, e.message)).unwrap_or_default();
        let (severity, word) = match state {
            Thread::Running => return,
            Thread::Stopped => (Severity::Critical, "is stopped"),
            Thread::Connecting => (Severity::Critical, "is not connected to its master"),
            Thread::Unknown => (Severity::Unknown, "said nothing readable"),
        };
        let message = format!("replication {what} thread{which} {word}{reason}");
        out.push(s.problem(severity, name, ProblemKind::Replication, message));
    };
    thread("IO", c.io, c.io_error.as_ref());
    thread("SQL", c.sql, c.sql_error.as_ref());

    let running = c.io == Thread::Running && c.sql == Thread::Running;
    match c.lag_s() {
        None if running => {
            let message = format!("replication lag{which} is unknown (the server says NULL)");
            out.push(s.problem(Severity::Unknown, name, ProblemKind::ReplicationLag, message));
        }
        Some(lag) => {
            // A delay that is wanted is not lag.
            let beyond = lag.saturating_sub(c.delay_s.unwrap_or(0));
            #[allow(clippy::cast_precision_loss)]
            let seconds = beyond as f64;
            let limit = s.env.thresholds.lag;
            let severity = if seconds > limit.critical {
                Some(Severity::Critical)
            } else if seconds > limit.warning {
                Some(Severity::Warning)
            } else {
                None
            };
            if let Some(severity) = severity {
                let message = format!("replication{which} is {beyond} s behind {}", c.master_host);
                out.push(s.problem(severity, name, ProblemKind::ReplicationLag, message));
            }
        }
        None => {}
    }
    if c.tls == Some(false) {
        let message = format!("replication{which} from {} is not encrypted", c.master_host);
        out.push(s.problem(Severity::Warning, name, ProblemKind::ReplicationTls, message));
    }
}

/// Exactly one server of the environment takes writes; none may, when all of them follow a master outside it.
/// Servers that neither replicate nor sit on a `db` host are nobody's second master.
fn judge_writers(s: &Situation<'_>, asked: &[Asked<'_>], unknown: &[&HostName], out: &mut Vec<Problem>) {
    let group: Vec<&Asked<'_>> = asked
        .iter()
        .filter(|a| {
            let is_db = s.env.host(a.host).is_some_and(|h| h.has_role("db"));
            is_db || a.database.role() == ReplicationRole::Replica || has_replicas(a.server)
        })
        .collect();
    let writable: Vec<&HostName> =
        group.iter().filter(|a| a.server.read_only == Some(false)).map(|a| a.host).collect();
    match writable.as_slice() {
        [] => {
            let certain = unknown.is_empty() && group.iter().all(|a| a.server.read_only.is_some());
            if certain && !group.is_empty() && !group.iter().any(|a| follows_outside(s, a.server, &group)) {
                let message = "no database takes writes: every server is read-only".to_owned();
                let all: Vec<&HostName> = group.iter().map(|a| a.host).collect();
                out.push(s.problem_of(Severity::Critical, &all, ProblemKind::WritableMasters, message));
            }
        }
        [one] => {
            let masterdb: Vec<&HostName> =
                s.env.hosts.iter().filter(|h| h.has_role("masterdb")).map(|h| &h.id.host).collect();
            if let [masterdb] = masterdb.as_slice()
                && masterdb != one
                && group.iter().any(|a| &a.host == masterdb)
            {
                let message = format!("{one} takes writes, and the masterdb is {masterdb}");
                out.push(s.problem(Severity::Critical, Some(one), ProblemKind::WritableMasters, message));
            }
        }
        many => {
            let message = format!(
                "{} databases take writes: {}. Their data drifts apart; make all but the masterdb read-only",
                many.len(),
                some_names(many)
            );
            out.push(s.problem_of(Severity::Critical, many, ProblemKind::WritableMasters, message));
        }
    }
}

fn has_replicas(server: &ServerStatus) -> bool {
    server.replicas.as_ref().is_ok_and(|r| !r.is_empty())
}

/// Whether a replica's master is none of the environment's servers.
fn follows_outside(s: &Situation<'_>, server: &ServerStatus, group: &[&Asked<'_>]) -> bool {
    server.connections.iter().flatten().any(|c| {
        let by_id = c.master_server_id.is_some_and(|id| group.iter().any(|a| a.server.server_id == Some(id)));
        let by_name = s
            .env
            .hosts
            .iter()
            .any(|h| h.address == c.master_host.as_str() || h.id.host.as_str() == c.master_host.as_str());
        !by_id && !by_name
    })
}

fn judge_server_ids(s: &Situation<'_>, asked: &[Asked<'_>], out: &mut Vec<Problem>) {
    let mut ids: BTreeMap<u64, Vec<&HostName>> = BTreeMap::new();
    for one in asked {
        let replicates = one.database.role() == ReplicationRole::Replica || has_replicas(one.server);
        match one.server.server_id {
            Some(0) if replicates => {
                let message = "server id 0: it can neither be nor have a replica".to_owned();
                out.push(s.problem(Severity::Critical, Some(one.host), ProblemKind::ServerId, message));
            }
            Some(id) if replicates => ids.entry(id).or_default().push(one.host),
            _ => {}
        }
    }
    for (id, hosts) in ids.into_iter().filter(|(_, hosts)| hosts.len() > 1) {
        let message =
            format!("server id {id} is used by {}: replication between them breaks", some_names(&hosts));
        out.push(s.problem_of(Severity::Critical, &hosts, ProblemKind::ServerId, message));
    }
}

/// Replicas a master knows of and the inventory does not. Silent while some servers could not be asked: it may be one
/// of them.
fn judge_unmanaged(s: &Situation<'_>, asked: &[Asked<'_>], unknown: &[&HostName], out: &mut Vec<Problem>) {
    if !unknown.is_empty() {
        return;
    }
    for one in asked {
        for replica in one.server.replicas.iter().flatten() {
            if asked.iter().any(|a| a.server.server_id == Some(replica.server_id)) {
                continue;
            }
            let named = if replica.host.is_empty() { String::new() } else { format!(" ({})", replica.host) };
            let message = format!(
                "a replica with server id {}{named} follows it and is no host of this environment",
                replica.server_id
            );
            out.push(s.problem(Severity::Warning, Some(one.host), ProblemKind::Replication, message));
        }
    }
}

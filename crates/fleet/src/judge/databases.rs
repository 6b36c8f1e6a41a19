//! Databases and their replication: which are writable, who follows whom, how far behind, over what.

mod activity;
mod clusters;
mod connections;
mod writers;

use std::collections::BTreeMap;

use super::{Situation, some_names};
use crate::fact::Gap;
use crate::fleet::Host;
use crate::names::HostName;
use crate::problem::{Problem, ProblemKind, Severity};
use crate::replication::{Database, ReplicationRole, ServerStatus};
use crate::snapshot::HostSnapshot;

/// A server that could be asked, and its host.
struct AskedServer<'a> {
    snapshot: &'a HostSnapshot,
    host: &'a HostName,
    database: &'a Database,
    server: &'a ServerStatus,
}

impl AskedServer<'_> {
    /// Whether it replicates in either direction, as far as it says.
    fn replicates(&self) -> bool {
        self.database.role() == ReplicationRole::Replica
            || self.server.replicas.as_ref().is_ok_and(|r| !r.is_empty())
    }
}

pub(super) fn rule(s: &Situation<'_>, out: &mut Vec<Problem>) {
    let mut asked: Vec<AskedServer<'_>> = Vec::new();
    let mut unknown: Vec<&HostName> = Vec::new();
    for (spec, host) in s.env.hosts.iter().zip(s.hosts) {
        let Some(databases) = s.is_judgeable(host).then(|| host.facts.databases.current()).flatten() else {
            // Whether it is up, and why its databases are not known, is said elsewhere.
            if spec.expects_database() {
                unknown.push(&spec.id.host);
            }
            continue;
        };
        if databases.is_empty() && spec.expects_database() {
            unknown.push(&spec.id.host);
            let role = if spec.has_role("db") { "db" } else { "masterdb" };
            let message = format!("its role is {role}, but no database server was found");
            out.push(s.problem(Severity::Unknown, Some(&host.id.host), ProblemKind::Replication, message));
        }
        for database in databases {
            match &database.server {
                Ok(server) => {
                    asked.push(AskedServer { snapshot: host, host: &host.id.host, database, server })
                }
                Err(gap) => {
                    unknown.push(&host.id.host);
                    out.push(not_asked(s, spec, database, gap));
                }
            }
        }
    }
    for one in &asked {
        for connection in one.server.connections.iter().flatten() {
            connections::judge(s, one, connection, out);
        }
        for message in unanswered(one) {
            out.push(s.problem(Severity::Unknown, Some(one.host), ProblemKind::Replication, message));
        }
        clusters::judge(s, one, out);
        activity::judge(s, one, out);
    }
    writers::judge(s, &asked, &unknown, out);
    judge_server_ids(s, &asked, out);
    judge_unmanaged(s, &asked, &unknown, out);
}

/// A server that could not be asked. One that is down is critical where a database is expected.
fn not_asked(s: &Situation<'_>, spec: &Host, database: &Database, gap: &Gap) -> Problem {
    let severity = match gap {
        Gap::Failed(said)
            if spec.expects_database() && (is_down(said.as_str()) || is_used_up(said.as_str())) =>
        {
            Severity::Critical
        }
        Gap::Failed(_)
        | Gap::NotAsked
        | Gap::TimedOut
        | Gap::Stuck
        | Gap::NotPermitted(_)
        | Gap::NotInstalled
        | Gap::NoTool(_)
        | Gap::Cut(_)
        | Gap::Unreadable(_) => Severity::Unknown,
    };
    let mut message = format!("{} {}", database.engine.word(), gap.describe());
    match gap {
        Gap::NotPermitted(said) => message.push_str(&way_in(spec, said.as_str())),
        Gap::Failed(said) if is_used_up(said.as_str()) => {
            message.push_str(". An account with SUPER still gets in, once: ");
            message.push_str(activity::WHO);
        }
        Gap::NotAsked
        | Gap::TimedOut
        | Gap::Stuck
        | Gap::NotInstalled
        | Gap::NoTool(_)
        | Gap::Cut(_)
        | Gap::Unreadable(_)
        | Gap::Failed(_) => {}
    }
    s.problem(severity, Some(&spec.id.host), ProblemKind::Replication, message)
}

/// Whether the client found no server, or lost it (CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_SERVER_GONE_ERROR,
/// CR_SERVER_LOST, CR_SERVER_LOST_EXTENDED). Whatever else ends a client, such as an option it does not know, tells nothing of
/// the server.
fn is_down(said: &str) -> bool {
    ["2002", "2003", "2006", "2013", "2055"].iter().any(|n| said.starts_with(&format!("ERROR {n} ")))
}

/// Whether every connection of the server is in use (ER_CON_COUNT_ERROR).
fn is_used_up(said: &str) -> bool {
    said.starts_with("ERROR 1040 ")
}

/// What to do about a login that the server or `sudo` refuses.
fn way_in(spec: &Host, said: &str) -> String {
    let user = &spec.access.user;
    if said.starts_with("sudo:") {
        return format!(". Allow {user} to run the client with sudo without a password");
    }
    if spec.sudo {
        return ". Put user and password under [client] in ~/.my.cnf of root on this host".to_owned();
    }
    format!(
        ". Set sudo = true for this host in the inventory, or put user and password under [client] in ~/.my.cnf of \
         {user} on it"
    )
}

/// What a server that answers did not say: each a problem, as it may be anything.
fn unanswered(one: &AskedServer<'_>) -> Vec<String> {
    let server = one.server;
    let mut out = Vec::new();
    if let Err(gap) = &server.connections {
        out.push(format!("replication {}", gap.describe()));
    }
    if let Err(gap) = &server.replicas {
        out.push(format!("replicas {}", gap.describe()));
    }
    out.extend(server.gaps.iter().map(|(what, gap)| format!("{what} {}", gap.describe())));
    if server.read_only.is_none() {
        out.push("whether it is read-only is unknown".to_owned());
    }
    out
}

fn judge_server_ids(s: &Situation<'_>, asked: &[AskedServer<'_>], out: &mut Vec<Problem>) {
    let mut ids: BTreeMap<u64, Vec<&HostName>> = BTreeMap::new();
    for one in asked.iter().filter(|one| one.replicates()) {
        match one.server.server_id {
            Some(0) => {
                let message = "server id 0: this server cannot be a replica and cannot have one".to_owned();
                out.push(s.problem(Severity::Critical, Some(one.host), ProblemKind::ServerId, message));
            }
            Some(id) => ids.entry(id).or_default().push(one.host),
            None => {
                let message = "its server id is unknown".to_owned();
                out.push(s.problem(Severity::Unknown, Some(one.host), ProblemKind::ServerId, message));
            }
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
fn judge_unmanaged(
    s: &Situation<'_>,
    asked: &[AskedServer<'_>],
    unknown: &[&HostName],
    out: &mut Vec<Problem>,
) {
    if !unknown.is_empty() || asked.iter().any(|a| a.server.server_id.is_none()) {
        return;
    }
    for one in asked {
        for replica in one.server.replicas.iter().flatten() {
            if asked.iter().any(|a| a.server.server_id == Some(replica.server_id)) {
                continue;
            }
            let named = if replica.host.is_empty() { String::new() } else { format!(" ({})", replica.host) };
            let message = format!(
                "unknown replica with server id {}{named}, not in the inventory of this environment",
                replica.server_id
            );
            out.push(s.problem(Severity::Warning, Some(one.host), ProblemKind::Replication, message));
        }
    }
}

//! The status JSON, schema 1: stable. A value not known is `null`, with the reason in `state_detail` or `errors`,
//! never a zero. Documented in `docs/status-json.md`; a field may be added, none removed or given another meaning.

use std::time::Duration;

use serde::Serialize;

use jumpdeck_fleet::fact::Fact;
use jumpdeck_fleet::judge::roles::{self, RoleStanding};
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::replication::{
    Cluster, Connection, Database, Encryption, NodeHealth, ServerActivity, ServerStatus, encryption,
};
use jumpdeck_fleet::snapshot::{HostSnapshot, Load, Memory};
use jumpdeck_fleet::topology::status_of_master;

use super::gather::Picture;
use database_files::DatabaseFileStatus;
pub(super) use filesystems::FilesystemStatus;
use outside::OutsideStatus;
use services::{ServiceStatus, services};
use upkeep::UpkeepStatus;

pub(super) mod database_files;
mod filesystems;
pub(super) mod outside;
pub(super) mod services;
pub(super) mod upkeep;

const SCHEMA: u32 = 1;

/// One environment.
#[derive(Debug, Serialize)]
pub struct EnvironmentStatus {
    pub(super) schema: u32,
    pub(super) taken_at: String,
    pub(super) environment: String,
    pub(super) simulated: bool,
    pub(super) jump: JumpStatus,
    pub(super) hosts: Vec<HostStatus>,
    pub(super) outside: Vec<OutsideStatus>,
    pub(super) roles: Vec<RoleStatus>,
    pub(super) problems: Vec<ProblemStatus>,
}

#[derive(Debug, Serialize)]
pub(super) struct JumpStatus {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) state: &'static str,
    pub(super) state_detail: Option<String>,
    pub(super) rtt_ms: Option<f64>,
    pub(super) banner: Vec<String>,
    pub(super) second: Option<SecondJumpStatus>,
}

/// The second jump box, while the fleet was reached through it.
#[derive(Debug, Serialize)]
pub(super) struct SecondJumpStatus {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) first_state: &'static str,
    pub(super) first_detail: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct HostStatus {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) state: &'static str,
    pub(super) state_detail: Option<String>,
    pub(super) age_ms: Option<u64>,
    /// Whether the figures are of now; else they are `null`.
    #[serde(skip)]
    pub(super) current: bool,
    pub(super) level: Option<String>,
    pub(super) roles: Option<Vec<String>>,
    pub(super) os: Option<String>,
    pub(super) uptime_s: Option<u64>,
    pub(super) load: Option<LoadStatus>,
    pub(super) memory: Option<MemoryStatus>,
    pub(super) filesystems: Option<Vec<FilesystemStatus>>,
    pub(super) replication: Option<Vec<ReplicationStatus>>,
    pub(super) database_files: Option<Vec<DatabaseFileStatus>>,
    pub(super) upkeep: Option<UpkeepStatus>,
    pub(super) services: Option<Vec<ServiceStatus>>,
    pub(super) problems: Vec<ProblemStatus>,
}

#[derive(Debug, Serialize)]
pub(super) struct LoadStatus {
    pub(super) one: f64,
    pub(super) five: f64,
    pub(super) fifteen: f64,
    pub(super) cpus: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(super) struct MemoryStatus {
    pub(super) total_kb: u64,
    pub(super) available_kb: u64,
    /// ZFS runs, and how large its cache is could not be read: more than `available_kb` may be available.
    pub(super) cache_unread: bool,
    pub(super) swap_total_kb: u64,
    pub(super) swap_free_kb: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct ReplicationStatus {
    pub(super) engine: &'static str,
    pub(super) version: Option<String>,
    pub(super) role: &'static str,
    pub(super) connection: Option<String>,
    pub(super) source: Option<String>,
    pub(super) io: Option<&'static str>,
    pub(super) sql: Option<&'static str>,
    pub(super) lag_s: Option<u64>,
    pub(super) delay_s: Option<u64>,
    pub(super) tls: Option<bool>,
    pub(super) tls_detail: Option<&'static str>,
    pub(super) read_only: Option<bool>,
    pub(super) writable: Option<bool>,
    pub(super) cluster: Option<ClusterStatus>,
    pub(super) activity: Option<ActivityStatus>,
    pub(super) gtid: Option<String>,
    pub(super) server_id: Option<u64>,
    pub(super) replicas: Option<Vec<ReplicaStatus>>,
    pub(super) errors: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ClusterStatus {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) state: Option<String>,
    pub(super) in_sync: Option<bool>,
    pub(super) primary_component: Option<bool>,
    pub(super) nodes: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct ActivityStatus {
    pub(super) connections: Option<u64>,
    pub(super) max_connections: Option<u64>,
    pub(super) refused_connections: Option<u64>,
    pub(super) aborted_connects: Option<u64>,
    pub(super) slow_queries: Option<u64>,
    pub(super) commits: Option<u64>,
    pub(super) longest_transaction_s: Option<u64>,
    pub(super) longest_transaction_connection: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReplicaStatus {
    pub(super) server_id: u64,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
}

#[derive(Debug, Serialize)]
pub(super) struct RoleStatus {
    pub(super) role: String,
    pub(super) required: Option<String>,
    pub(super) found: usize,
    pub(super) hosts: Vec<String>,
    pub(super) unknown: Vec<String>,
    pub(super) state: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct ProblemStatus {
    pub(super) severity: &'static str,
    pub(super) host: Option<String>,
    pub(super) hosts: Vec<String>,
    pub(super) kind: &'static str,
    pub(super) service: Option<String>,
    pub(super) message: String,
    pub(super) owner: Option<String>,
    pub(super) docs: Option<String>,
    pub(super) runbook: Option<String>,
}

impl EnvironmentStatus {
    /// The picture as schema 1. `taken_at` is RFC 3339.
    #[must_use]
    pub fn new(picture: &Picture, taken_at: String) -> Self {
        let jump = &picture.jump;
        Self {
            schema: SCHEMA,
            taken_at,
            environment: picture.env.name.to_string(),
            simulated: picture.simulated,
            jump: JumpStatus {
                name: jump.name.to_string(),
                address: jump.address.clone(),
                state: jump.link.state.word(),
                state_detail: text(jump.link.detail.as_str()),
                rtt_ms: jump.rtt.current().map(|rtt| (rtt.as_secs_f64() * 1e6).round() / 1e3),
                banner: jump.banner.iter().map(ToString::to_string).collect(),
                second: jump.second.as_ref().map(|second| SecondJumpStatus {
                    name: second.name.to_string(),
                    address: second.address.clone(),
                    first_state: second.first.state.word(),
                    first_detail: text(second.first.detail.as_str()),
                }),
            },
            hosts: picture.hosts.iter().map(|h| host(picture, h)).collect(),
            outside: picture.outside.results.iter().map(|result| outside::status(picture, result)).collect(),
            roles: picture.roles.iter().map(role).collect(),
            problems: picture.problems.iter().map(|p| problem(picture, p)).collect(),
        }
    }
}

fn host(picture: &Picture, h: &HostSnapshot) -> HostStatus {
    let situation = picture.situation();
    let facts = &h.facts;
    // Figures that may not be judged any more are not told as if they were current.
    let judgeable = situation.is_judgeable(h);
    let spec = picture.env.host(&h.id.host).filter(|_| judgeable);
    HostStatus {
        name: h.id.host.to_string(),
        address: h.address.clone(),
        state: h.link.state.word(),
        state_detail: detail(h),
        age_ms: h.age(picture.now).map(milliseconds),
        current: judgeable,
        level: told(&facts.grains, judgeable).and_then(|g| g.level.as_ref()).map(ToString::to_string),
        roles: spec
            .and_then(|spec| roles::reported(spec, h))
            .map(|roles| roles.iter().map(RoleName::to_string).collect()),
        os: told(&facts.os, judgeable).map(|os| os.pretty.to_string()),
        uptime_s: told(&facts.uptime, judgeable).map(|u| u.as_secs()),
        load: told(&facts.load, judgeable).map(load),
        memory: told(&facts.memory, judgeable).map(memory),
        filesystems: filesystems::filesystems(h, judgeable),
        replication: told(&facts.databases, judgeable)
            .map(|databases| databases.iter().flat_map(|d| replication(picture, d)).collect()),
        database_files: told(&facts.database_files, judgeable)
            .map(|files| files.iter().map(|file| database_files::status(picture, file)).collect()),
        upkeep: told(&facts.upkeep, judgeable)
            .map(|upkeep| upkeep::upkeep(upkeep, told(&facts.os, judgeable))),
        services: services(picture, h, judgeable),
        problems: picture
            .problems
            .iter()
            .filter(|p| p.host.as_ref() == Some(&h.id.host))
            .map(|p| problem(picture, p))
            .collect(),
    }
}

fn told<T>(fact: &Fact<T>, judgeable: bool) -> Option<&T> {
    fact.current().filter(|_| judgeable)
}

fn milliseconds(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}

fn text(s: &str) -> Option<String> {
    (!s.is_empty()).then(|| s.to_owned())
}

/// Why the host is not up; when it is, which questions it did not answer, and why.
fn detail(h: &HostSnapshot) -> Option<String> {
    if !h.link.is_up() {
        return text(h.link.detail.as_str());
    }
    let gaps: Vec<String> = h
        .facts
        .questions()
        .filter_map(|(question, gap)| gap.map(|gap| format!("{question} {}", gap.describe())))
        .collect();
    text(&gaps.join("; "))
}

fn load(load: &Load) -> LoadStatus {
    LoadStatus { one: load.one, five: load.five, fifteen: load.fifteen, cpus: load.cpus }
}

fn memory(m: &Memory) -> MemoryStatus {
    MemoryStatus {
        total_kb: m.total_kb,
        available_kb: m.available_kb,
        cache_unread: m.cache_unread,
        swap_total_kb: m.swap_total_kb,
        swap_free_kb: m.swap_free_kb,
    }
}

/// An entry for each connection; one without a connection for a server that follows nobody or could not be asked.
fn replication(picture: &Picture, database: &Database) -> Vec<ReplicationStatus> {
    let server = match &database.server {
        Err(gap) => return vec![entry(picture, database, None, None, vec![gap.describe()])],
        Ok(server) => server,
    };
    let unknown = || {
        let gaps = server.gaps.iter().map(|(what, gap)| format!("{what} {}", gap.describe()));
        let replicas = server.replicas.as_ref().err().map(|gap| format!("replicas {}", gap.describe()));
        gaps.chain(replicas).collect::<Vec<String>>()
    };
    match &server.connections {
        Err(gap) => {
            let errors = [vec![format!("connections {}", gap.describe())], unknown()].concat();
            vec![entry(picture, database, Some(server), None, errors)]
        }
        Ok(connections) if connections.is_empty() => {
            vec![entry(picture, database, Some(server), None, unknown())]
        }
        Ok(connections) => connections
            .iter()
            .map(|c| entry(picture, database, Some(server), Some(c), [errors(c), unknown()].concat()))
            .collect(),
    }
}

fn entry(
    picture: &Picture,
    database: &Database,
    server: Option<&ServerStatus>,
    connection: Option<&Connection>,
    errors: Vec<String>,
) -> ReplicationStatus {
    let encryption =
        connection.map(|c| encryption(database, c, status_of_master(&picture.env, &picture.hosts, c)));
    ReplicationStatus {
        engine: database.engine.word(),
        version: database.version.as_ref().map(ToString::to_string),
        role: database.role().word(),
        connection: connection.map(|c| c.name.to_string()),
        source: connection.map(source),
        io: connection.map(|c| c.io.word()),
        sql: connection.map(|c| c.sql.word()),
        lag_s: connection.and_then(Connection::lag_s),
        delay_s: connection.and_then(|c| c.delay_s),
        tls: encryption.and_then(Encryption::known),
        tls_detail: encryption.map(Encryption::basis),
        read_only: server.and_then(|s| s.read_only),
        writable: server.and_then(ServerStatus::writable),
        cluster: server.and_then(|s| s.cluster.as_ref()).map(cluster),
        activity: server.map(|s| activity(&s.activity)),
        gtid: server.and_then(|s| s.gtid.as_ref()).map(ToString::to_string),
        server_id: server.and_then(|s| s.server_id),
        replicas: server.and_then(replicas),
        errors,
    }
}

fn cluster(c: &Cluster) -> ClusterStatus {
    ClusterStatus {
        kind: c.kind.word(),
        name: c.name.to_string(),
        state: text(c.state.as_str()),
        in_sync: match c.health {
            NodeHealth::InSync => Some(true),
            NodeHealth::Behind | NodeHealth::Out => Some(false),
            NodeHealth::Unknown => None,
        },
        primary_component: c.primary_component,
        nodes: c.size,
    }
}

fn activity(a: &ServerActivity) -> ActivityStatus {
    ActivityStatus {
        connections: a.connections,
        max_connections: a.max_connections,
        refused_connections: a.refused,
        aborted_connects: a.aborted,
        slow_queries: a.slow_queries,
        commits: a.commits,
        longest_transaction_s: a.longest.map(|open| open.age_s),
        longest_transaction_connection: a.longest.map(|open| open.connection),
    }
}

fn source(c: &Connection) -> String {
    match c.master_port {
        Some(port) => format!("{}:{port}", c.master_host),
        None => c.master_host.to_string(),
    }
}

fn errors(c: &Connection) -> Vec<String> {
    let error = |what: &str, e: &jumpdeck_fleet::replication::ReplicationError| {
        format!("{what} error {}: {}", e.number, e.message)
    };
    let io = c.io_error.as_ref().map(|e| error("IO", e));
    let sql = c.sql_error.as_ref().map(|e| error("SQL", e));
    let lag = c.lag_s().is_none().then(|| "lag unknown".to_owned());
    io.into_iter().chain(sql).chain(lag).collect()
}

fn replicas(server: &ServerStatus) -> Option<Vec<ReplicaStatus>> {
    let replicas = server.replicas.as_ref().ok()?;
    Some(
        replicas
            .iter()
            .map(|r| ReplicaStatus { server_id: r.server_id, host: text(r.host.as_str()), port: r.port })
            .collect(),
    )
}

fn role(standing: &RoleStanding) -> RoleStatus {
    let names = |hosts: &[HostName]| hosts.iter().map(ToString::to_string).collect();
    RoleStatus {
        role: standing.role.to_string(),
        required: standing.required.as_ref().map(jumpdeck_fleet::fleet::Requirement::describe),
        found: standing.hosts.len(),
        hosts: names(&standing.hosts),
        unknown: names(&standing.unknown),
        state: standing.state.word(),
    }
}

fn problem(picture: &Picture, p: &Problem) -> ProblemStatus {
    let contact = picture.env.contact(p);
    ProblemStatus {
        severity: p.severity.word(),
        host: p.host.as_ref().map(ToString::to_string),
        hosts: p.named.iter().map(ToString::to_string).collect(),
        kind: p.kind.word(),
        service: p.service.clone(),
        message: p.message.clone(),
        owner: contact.owner.map(str::to_owned),
        docs: contact.docs.map(str::to_owned),
        runbook: contact.runbook.map(str::to_owned),
    }
}

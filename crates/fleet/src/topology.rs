//! Who follows whom: replication connections resolved to the hosts of an environment, as a tree. Pure.
//!
//! Which server a connection leads to: see [`identity`].

use std::collections::HashSet;
use std::sync::Arc;

use super::fact::Gap;
use super::fleet::Environment;
use super::replication::{ConnectedReplica, Connection, Database, ServerStatus};
use super::snapshot::HostSnapshot;
use identity::{Candidate, Leads, is_called, leads};

pub mod identity;
#[cfg(test)]
mod tests;

/// A server in the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Server<'a> {
    /// A database on a host of the inventory, as last heard (it may be old: see the host's facts).
    Managed {
        /// Its host.
        host: &'a HostSnapshot,
        /// The database.
        database: &'a Database,
    },
    /// A host that should have a database, and of whose database nothing was ever heard.
    Unasked {
        /// The host.
        host: &'a HostSnapshot,
        /// Why; `None` when the host answers that it has no database.
        gap: Option<&'a Gap>,
    },
    /// A replica that a master sees and no host of the environment is known to be.
    UnmanagedReplica {
        /// What the master knows of it.
        replica: &'a ConnectedReplica,
        /// Whether it is certain that it is none of them: every server could be asked.
        certain: bool,
    },
    /// A master that one of ours follows and no host of the environment is known to be.
    UnmanagedMaster {
        /// How a replica names it.
        connection: &'a Connection,
        /// Whether it is certain that it is none of them: another server id answered than all of theirs.
        certain: bool,
    },
}

impl<'a> Server<'a> {
    /// The host of the inventory it is on.
    #[must_use]
    pub fn host(&self) -> Option<&'a HostSnapshot> {
        match self {
            Server::Managed { host, .. } | Server::Unasked { host, .. } => Some(host),
            Server::UnmanagedReplica { .. } | Server::UnmanagedMaster { .. } => None,
        }
    }

    fn status(&self) -> Option<&'a ServerStatus> {
        match self {
            Server::Managed { database, .. } => database.server.as_ref().ok(),
            _ => None,
        }
    }

    fn connections(&self) -> &'a [Connection] {
        self.status().and_then(|s| s.connections.as_deref().ok()).unwrap_or_default()
    }
}

/// A row of the tree, in drawing order.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch<'a> {
    /// The server.
    pub server: Server<'a>,
    /// The connection by which it follows the row above it; `None` for a root and for a replica only its master knows.
    pub via: Option<&'a Connection>,
    /// One entry a level: whether more siblings follow there. Empty for a root.
    pub trail: Vec<bool>,
    /// It stands above already (a second master, or a ring): its own replicas are not repeated.
    pub repeated: bool,
}

/// The tree of an environment: masters with replicas first, then masters outside it, rings, and servers alone.
#[must_use]
pub fn tree<'a>(env: &'a Environment, hosts: &'a [Arc<HostSnapshot>]) -> Vec<Branch<'a>> {
    let servers = servers(env, hosts);
    let mut edges: Vec<Vec<Edge<'a>>> = servers.iter().map(|_| Vec::new()).collect();
    let mut outside: Vec<(Server<'a>, &'a Connection, Vec<Edge<'a>>)> = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        for connection in server.connections() {
            let edge = Edge { to: MasterOfReplica::Server(at), via: Some(connection) };
            match resolve(env, &servers, connection).candidate() {
                Some(master) => edges.get_mut(master).into_iter().for_each(|e| e.push(edge)),
                None => match outside.iter_mut().find(|(_, c, _)| same_master(c, connection)) {
                    Some((_, _, followers)) => followers.push(edge),
                    None => {
                        let certain = resolve(env, &servers, connection) == Leads::Outside;
                        outside.push((
                            Server::UnmanagedMaster { connection, certain },
                            connection,
                            vec![edge],
                        ));
                    }
                },
            }
        }
    }
    add_unmanaged(env, &servers, &mut edges);

    let mut walk = Walk { servers: &servers, edges: &edges, seen: HashSet::new(), out: Vec::new() };
    let leads = |at: usize| edges.get(at).is_some_and(|e| !e.is_empty());
    let follows = |at: usize| servers.get(at).is_some_and(|s| !s.connections().is_empty());
    let all = 0..servers.len();
    for at in all.clone().filter(|at| leads(*at) && !follows(*at)) {
        walk.visit(Edge { to: MasterOfReplica::Server(at), via: None }, Vec::new());
    }
    for (server, _, followers) in &outside {
        walk.out.push(Branch { server: *server, via: None, trail: Vec::new(), repeated: false });
        walk.children(followers, &[]);
    }
    // What is left and follows somebody is in a ring: it starts at the server that takes writes.
    for writable in [true, false] {
        for at in all.clone().filter(|at| follows(*at)) {
            let writes = servers.get(at).and_then(Server::status).is_some_and(|s| s.read_only == Some(false));
            if !walk.seen.contains(&at) && (writes || !writable) {
                walk.visit(Edge { to: MasterOfReplica::Server(at), via: None }, Vec::new());
            }
        }
    }
    for at in all {
        if !walk.seen.contains(&at) {
            walk.visit(Edge { to: MasterOfReplica::Server(at), via: None }, Vec::new());
        }
    }
    walk.out
}

/// The host of the environment that a connection's master is; `None` when it is none of them, or cannot be told.
#[must_use]
pub fn master_of<'a>(
    env: &'a Environment,
    hosts: &'a [Arc<HostSnapshot>],
    connection: &Connection,
) -> Option<&'a HostSnapshot> {
    let servers = servers(env, hosts);
    resolve(env, &servers, connection).candidate().and_then(|at| servers.get(at)).and_then(Server::host)
}

/// What the server at a connection's other end says of itself now, where its server id is the one that answered.
#[must_use]
pub fn status_of_master<'a>(
    env: &'a Environment,
    hosts: &'a [Arc<HostSnapshot>],
    connection: &Connection,
) -> Option<&'a ServerStatus> {
    let servers = servers(env, hosts);
    let master = servers.get(resolve(env, &servers, connection).candidate()?)?;
    let host = master.host()?;
    let is_current = host.link.is_up() && host.facts.databases.current().is_some();
    let status = master.status().filter(|_| is_current)?;
    let answered = connection.master_server_id.filter(|id| *id != 0);
    (answered.is_some() && status.server_id == answered).then_some(status)
}

#[derive(Clone, Copy)]
struct Edge<'a> {
    to: MasterOfReplica<'a>,
    via: Option<&'a Connection>,
}

#[derive(Clone, Copy)]
enum MasterOfReplica<'a> {
    Server(usize),
    Unmanaged(&'a ConnectedReplica, bool),
}

fn servers<'a>(env: &'a Environment, hosts: &'a [Arc<HostSnapshot>]) -> Vec<Server<'a>> {
    let mut servers = Vec::new();
    for (spec, host) in env.hosts.iter().zip(hosts) {
        let host: &HostSnapshot = host;
        let fact = &host.facts.databases;
        match fact.last() {
            Some(databases) if !databases.is_empty() => {
                servers.extend(databases.iter().map(|database| Server::Managed { host, database }));
            }
            _ if spec.has_role("db") || spec.has_role("masterdb") => {
                servers.push(Server::Unasked { host, gap: fact.gap.as_ref() })
            }
            _ => {}
        }
    }
    servers
}

fn resolve(env: &Environment, servers: &[Server<'_>], connection: &Connection) -> Leads {
    // The hosts that no server is known of can be named, too.
    let candidates: Vec<Candidate<'_>> =
        servers.iter().filter_map(|s| s.host().map(|host| Candidate { host, status: s.status() })).collect();
    leads(env, &candidates, connection)
}

fn same_master(a: &Connection, b: &Connection) -> bool {
    a.master_host == b.master_host && a.master_port == b.master_port
}

/// Replicas that masters see and that no server of ours is.
fn add_unmanaged<'a>(env: &Environment, servers: &[Server<'a>], edges: &mut [Vec<Edge<'a>>]) {
    let certain =
        servers.iter().all(|s| s.status().is_some_and(|s| s.server_id.is_some() && s.connections.is_ok()));
    for (server, edges) in servers.iter().zip(edges) {
        let replicas = server.status().and_then(|s| s.replicas.as_deref().ok()).unwrap_or_default();
        for replica in replicas {
            let known =
                servers.iter().any(|s| s.status().and_then(|s| s.server_id) == Some(replica.server_id));
            let unasked = servers.iter().enumerate().find(|(_, s)| {
                s.status().is_none() && s.host().is_some_and(|h| is_called(env, h, replica.host.as_str()))
            });
            let to = match unasked {
                _ if known => continue,
                Some((at, _)) => MasterOfReplica::Server(at),
                None => MasterOfReplica::Unmanaged(replica, certain),
            };
            edges.push(Edge { to, via: None });
        }
    }
}

struct Walk<'a, 'b> {
    servers: &'b [Server<'a>],
    edges: &'b [Vec<Edge<'a>>],
    seen: HashSet<usize>,
    out: Vec<Branch<'a>>,
}

impl<'a> Walk<'a, '_> {
    fn visit(&mut self, edge: Edge<'a>, trail: Vec<bool>) {
        let (server, at) = match edge.to {
            MasterOfReplica::Unmanaged(replica, certain) => {
                (Server::UnmanagedReplica { replica, certain }, None)
            }
            MasterOfReplica::Server(at) => match self.servers.get(at) {
                Some(server) => (*server, Some(at)),
                None => return,
            },
        };
        let repeated = at.is_some_and(|at| !self.seen.insert(at));
        let edges = at.filter(|_| !repeated).and_then(|at| self.edges.get(at));
        self.out.push(Branch { server, via: edge.via, trail: trail.clone(), repeated });
        if let Some(edges) = edges {
            self.children(edges, &trail);
        }
    }

    fn children(&mut self, edges: &[Edge<'a>], trail: &[bool]) {
        for (i, edge) in edges.iter().enumerate() {
            let mut trail = trail.to_vec();
            trail.push(i + 1 < edges.len());
            self.visit(*edge, trail);
        }
    }
}

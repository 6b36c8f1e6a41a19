//! Fleets and the trees they must give.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::access::{Access, KnownHosts};
use crate::fleet::{Cadence, Guard, Host, Jump, Thresholds, Transport};
use crate::names::{EnvName, HostId, HostName, roles_from_host_name};
use crate::replication::{Engine, GtidMode, Thread};
use crate::text::Clean;
use crate::time::Moment;

const NOW: Moment = Moment(1000);

struct World {
    env: Environment,
    hosts: Vec<Arc<HostSnapshot>>,
}

/// A host and what it says: its server id, and the address and id of each master it follows.
type Said<'a> = (&'a str, u64, &'a [(&'a str, u64)]);

fn world(said: &[Said<'_>]) -> World {
    let name = EnvName::new("production").unwrap();
    let access = Arc::new(Access {
        user: "ops".to_owned(),
        keys: vec![],
        agent: None,
        password: false,
        known_hosts: KnownHosts::Text(String::new()),
    });
    let mut specs = Vec::new();
    let mut hosts = Vec::new();
    for (i, (host, id, masters)) in said.iter().enumerate() {
        let host_id = HostId { env: name.clone(), host: HostName::new(host).unwrap() };
        let address = format!("10.0.0.{}", i + 1);
        let mut snapshot = HostSnapshot::pending(host_id.clone(), address.clone(), NOW);
        if *id != 0 {
            snapshot.facts.databases.learn(vec![database(*id, masters)], NOW);
        }
        hosts.push(Arc::new(snapshot));
        specs.push(Arc::new(Host {
            id: host_id,
            peers: [].into(),
            database_files: [].into(),
            address,
            port: 22,
            access: access.clone(),
            roles: roles_from_host_name(host),
            roles_declared: false,
            hostname: None,
            sudo: false,
            services: Vec::new(),
            backups: Vec::new(),
            checks: Vec::new(),
            unwatched: Vec::new(),
            logs: Vec::new(),
        }));
    }
    let env = Environment {
        outside: Default::default(),
        level: "production".to_owned(),
        guard: Guard::Challenge,
        signatures: Default::default(),
        journals: None,
        lease: Default::default(),
        management: Default::default(),
        contacts: Default::default(),
        domain: Some("production.wpdn".to_owned()),
        second_jump: None,
        jump: Jump::Local { name: HostName::new("salt").unwrap() },
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: vec![],
        cadence: Cadence::default(),
        hosts: specs,
        name,
    };
    World { env, hosts }
}

fn database(id: u64, masters: &[(&str, u64)]) -> Database {
    let connections = masters.iter().map(|(address, id)| Connection {
        name: Clean::default(),
        master_host: (*address).into(),
        master_port: Some(3306),
        master_server_id: Some(*id),
        io: Thread::Running,
        sql: Thread::Running,
        seconds_behind: Some(0),
        delay_s: None,
        tls_requested: Some(true),
        tls_verified: Some(true),
        gtid_mode: GtidMode::SlavePos,
        gtid_received: None,
        read: None,
        executed: None,
        io_error: None,
        sql_error: None,
    });
    let server = ServerStatus {
        server_id: Some(id),
        read_only: Some(!masters.is_empty()),
        log_bin: Some(true),
        connections: Ok(connections.collect()),
        replicas: Ok(vec![]),
        ..ServerStatus::default()
    };
    Database { engine: Engine::MariaDb, version: None, server: Ok(server) }
}

impl World {
    fn database(&mut self, at: usize, change: impl FnOnce(&mut Database)) {
        let host = Arc::make_mut(&mut self.hosts[at]);
        change(&mut host.facts.databases.known.as_mut().unwrap().value[0]);
    }

    fn sees(&mut self, at: usize, server_id: u64, host: &str) {
        self.database(at, |d| {
            let replica = ConnectedReplica { server_id, host: host.into(), port: None };
            d.server.as_mut().unwrap().replicas.as_mut().unwrap().push(replica);
        });
    }

    fn tree(&self) -> Vec<String> {
        tree(&self.env, &self.hosts)
            .iter()
            .map(|b| {
                let name = match b.server {
                    Server::Managed { host, .. } => host.id.host.to_string(),
                    Server::Unasked { host, .. } => format!("unasked {}", host.id.host),
                    Server::UnmanagedReplica { replica, certain } => {
                        format!("replica {}{}", replica.server_id, if certain { "" } else { "?" })
                    }
                    Server::UnmanagedMaster { connection, certain } => {
                        format!("outside {}{}", connection.master_host, if certain { "" } else { "?" })
                    }
                };
                format!("{}{name}{}", "> ".repeat(b.trail.len()), if b.repeated { " again" } else { "" })
            })
            .collect()
    }
}

#[test]
fn replicas_stand_below_their_master_also_in_chains() {
    let w = world(&[
        ("db3", 3, &[("db2.production.wpdn", 2)]),
        ("db2", 2, &[("db1-masterdb", 1)]),
        ("db1-masterdb", 1, &[]),
        ("db4", 4, &[("10.0.0.3", 1)]),
    ]);
    assert_eq!(w.tree(), ["db1-masterdb", "> db2", "> > db3", "> db4"]);
    let trails: Vec<_> = tree(&w.env, &w.hosts).into_iter().map(|b| b.trail).collect();
    assert_eq!(trails, [vec![], vec![true], vec![true, false], vec![false]]);
}

#[test]
fn the_id_that_answered_decides_and_the_address_where_it_is_shared() {
    let by_id = world(&[("db1", 1, &[]), ("db2", 2, &[("127.0.0.1", 1)])]);
    assert_eq!(by_id.tree(), ["db1", "> db2"]);
    let shared = world(&[("db1", 1, &[]), ("db9", 1, &[]), ("db2", 2, &[("DB9.Production.wpdn.", 1)])]);
    assert_eq!(shared.tree(), ["db9", "> db2", "db1"]);
    let not_yet = world(&[("db1", 1, &[]), ("db2", 2, &[("10.0.0.1", 0)])]);
    assert_eq!(not_yet.tree(), ["db1", "> db2"]);
    let tunnel = world(&[("db1", 1, &[]), ("db2", 2, &[("localhost", 0)])]);
    assert_eq!(tunnel.tree(), ["outside localhost?", "> db2", "db1"]);
}

#[test]
fn masters_outside_the_environment_have_their_own_row() {
    let w = world(&[("db1", 1, &[("db1.production.elsewhere", 77)]), ("db2", 2, &[("db1", 1)])]);
    assert_eq!(w.tree(), ["outside db1.production.elsewhere", "> db1", "> > db2"]);
    let followed = tree(&w.env, &w.hosts)[2].via.unwrap();
    assert_eq!(master_of(&w.env, &w.hosts, followed).unwrap().id.host.as_str(), "db1");
}

#[test]
fn rings_and_second_masters_end() {
    let ring = world(&[("db1", 1, &[("db2", 2)]), ("db2", 2, &[("db1", 1)])]);
    assert_eq!(ring.tree(), ["db1", "> db2", "> > db1 again"]);
    let mut writable = world(&[("db1", 1, &[("db2", 2)]), ("db2", 2, &[("db1", 1)])]);
    writable.database(1, |d| d.server.as_mut().unwrap().read_only = Some(false));
    assert_eq!(writable.tree(), ["db2", "> db1", "> > db2 again"]);
    let two = world(&[("db1", 1, &[]), ("db2", 2, &[]), ("db3", 3, &[("db1", 1), ("db2", 2)])]);
    assert_eq!(two.tree(), ["db1", "> db3", "db2", "> db3 again"]);
    let own = world(&[("db1", 1, &[("db1", 1)])]);
    assert_eq!(own.tree(), ["db1", "> db1 again"]);
}

#[test]
fn what_cannot_be_asked_stays_in_the_picture() {
    let mut w = world(&[("db1", 1, &[]), ("db2", 0, &[]), ("app1", 0, &[])]);
    assert_eq!(w.tree(), ["db1", "unasked db2"]);
    w.sees(0, 2, "db2");
    assert_eq!(w.tree(), ["db1", "> unasked db2"]);
    w.sees(0, 7, "");
    assert_eq!(w.tree(), ["db1", "> unasked db2", "> replica 7?"]);
    let mut all = world(&[("db1", 1, &[]), ("db2", 2, &[("db1", 1)])]);
    all.sees(0, 2, "");
    all.sees(0, 7, "spare");
    assert_eq!(all.tree(), ["db1", "> db2", "> replica 7"]);
    all.database(1, |d| d.server = Err(Gap::TimedOut));
    assert_eq!(all.tree(), ["db1", "> replica 2?", "> replica 7?", "db2"]);
}

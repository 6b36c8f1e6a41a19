//! Situations and what must be said of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::access::{Access, KnownHosts};
use crate::domain::fact::{Fact, Gap};
use crate::domain::fleet::{
    Cadence, Guard, Host, Jump, JumpBox, Requirement, Thresholds, Transport, default_requirements,
};
use crate::domain::names::{EnvName, HostId, RoleName, roles_from_host_name};
use crate::domain::replication::*;
use crate::domain::snapshot::*;
use crate::domain::storage::{Filesystem, Usage};
use crate::domain::text::Clean;

const NOW: Moment = Moment(100_000);

struct World {
    env: Environment,
    jump: JumpSnapshot,
    hosts: Vec<Arc<HostSnapshot>>,
}

impl World {
    fn judge(&self) -> Vec<Problem> {
        self.judge_at(NOW)
    }

    fn judge_at(&self, now: Moment) -> Vec<Problem> {
        judge(&self.situation(now))
    }

    fn situation(&self, now: Moment) -> Situation<'_> {
        Situation { env: &self.env, jump: &self.jump, hosts: &self.hosts, now }
    }

    fn change(&mut self, host: &str, change: impl FnOnce(&mut HostSnapshot)) {
        let at = self.hosts.iter().position(|h| h.id.host.as_str() == host).unwrap();
        change(Arc::make_mut(&mut self.hosts[at]));
    }

    fn database(&mut self, host: &str, change: impl FnOnce(&mut ServerStatus)) {
        self.change(host, |h| {
            let mut databases = h.facts.databases.current().unwrap().clone();
            change(databases[0].server.as_mut().unwrap());
            h.facts.databases.learn(databases, NOW);
        });
    }
}

fn world(hosts: &[&str]) -> World {
    let access = Arc::new(Access {
        user: "ops".to_owned(),
        keys: Vec::new(),
        agent: None,
        password: false,
        known_hosts: KnownHosts::Text(String::new()),
    });
    let env_name = EnvName::new("production").unwrap();
    let jump_name = HostName::new("salt").unwrap();
    let specs: Vec<Arc<Host>> = hosts
        .iter()
        .map(|name| {
            Arc::new(Host {
                id: HostId { env: env_name.clone(), host: HostName::new(name).unwrap() },
                address: format!("{name}.production.wpdn"),
                port: 22,
                access: access.clone(),
                roles: roles_from_host_name(name),
                roles_declared: false,
                hostname: None,
                sudo: false,
            })
        })
        .collect();
    let snapshots = specs.iter().enumerate().map(|(i, spec)| Arc::new(healthy(spec, i))).collect();
    World {
        jump: JumpSnapshot {
            env: env_name.clone(),
            name: jump_name.clone(),
            address: "salt:22".to_owned(),
            link: Link::up(NOW),
            rtt: Fact::default(),
            banner: Vec::new(),
        },
        env: Environment {
            name: env_name,
            level: "production".to_owned(),
            guard: Guard::Challenge,
            signatures: Default::default(),
            lease: Default::default(),
            domain: None,
            jump: Jump::Remote(JumpBox {
                name: jump_name,
                address: "salt".to_owned(),
                port: 22,
                access,
                via: None,
            }),
            transport: Transport::Ssh,
            thresholds: Thresholds::default(),
            requirements: Vec::new(),
            cadence: Cadence::default(),
            hosts: specs,
        },
        hosts: snapshots,
    }
}

fn healthy(spec: &Host, index: usize) -> HostSnapshot {
    let mut snapshot = HostSnapshot::pending(spec.id.clone(), spec.address.clone(), NOW);
    snapshot.link = Link::up(NOW);
    snapshot.reported_at = Some(NOW);
    let facts = &mut snapshot.facts;
    facts.identity.learn(Identity { hostname: spec.id.host.as_str().into(), machine_id: None }, NOW);
    facts.grains.learn(Grains { level: Some("production".into()), ..Grains::default() }, NOW);
    facts.load.learn(load(0.2, 0.1, Some(2)), NOW);
    facts.os.learn(Os { pretty: "Ubuntu 14.04".into(), release: "ubuntu 14.04".into(), kernel: None }, NOW);
    facts.filesystems.learn(vec![filesystem("/", 40)], NOW);
    facts.network_filesystems.learn(Vec::new(), NOW);
    facts.services.learn(Vec::new(), NOW);
    let memory = Memory {
        total_kb: 4_000_000,
        available_kb: 3_000_000,
        available_estimated: false,
        swap_total_kb: 0,
        swap_free_kb: 0,
    };
    facts.memory.learn(memory, NOW);
    facts.uptime.learn(Duration::from_secs(86_400), NOW);
    facts.clock_offset_ms.learn(0, NOW);
    let databases =
        if spec.has_role("db") { vec![database(index, spec.has_role("masterdb"))] } else { vec![] };
    facts.databases.learn(databases, NOW);
    snapshot
}

fn load(one: f64, five: f64, cpus: Option<u32>) -> Load {
    Load { one, five, fifteen: five, cpus, of_container_host: false }
}

fn filesystem(mount: &str, percent: u8) -> Filesystem {
    Filesystem {
        device: "/dev/vda1".into(),
        mount: mount.into(),
        fstype: Some("ext4".into()),
        remote: false,
        usage: Ok(Usage {
            size_kb: 1_000_000,
            used_kb: u64::from(percent) * 10_000,
            available_kb: (100 - i64::from(percent)) * 10_000,
            use_percent: Some(percent),
            inodes_use_percent: Some(3),
        }),
        inodes_gap: None,
    }
}

fn cluster(id: &str, health: NodeHealth) -> Option<Cluster> {
    Some(Cluster {
        kind: ClusterKind::Galera,
        id: id.into(),
        name: "wiki".into(),
        state: "Synced".into(),
        primary_component: Some(true),
        size: Some(2),
        health,
        reason: Clean::default(),
    })
}

fn database(index: usize, master: bool) -> Database {
    let connection = Connection {
        name: Clean::default(),
        master_host: "db1-masterdb.production.wpdn".into(),
        master_port: Some(3306),
        master_server_id: Some(1),
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
    };
    Database {
        engine: Engine::MariaDb,
        version: Some("10.11.6-MariaDB".into()),
        server: Ok(ServerStatus {
            server_id: Some(index as u64 + 1),
            read_only: Some(!master),
            log_bin: Some(true),
            connections: Ok(if master { vec![] } else { vec![connection] }),
            replicas: Ok(if master {
                vec![ConnectedReplica { server_id: 2, host: "db2".into(), port: Some(3306) }]
            } else {
                vec![]
            }),
            ..ServerStatus::default()
        }),
    }
}

fn trio() -> World {
    world(&["db1-masterdb", "db2", "app1"])
}

/// The problems as `severity kind host`.
fn brief(problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|p| {
            let host = p.host.as_ref().map_or("-", |h| h.as_str());
            format!("{} {} {host}", p.severity.word(), p.kind.word())
        })
        .collect()
}

#[test]
fn a_healthy_environment_has_no_problem() {
    assert_eq!(trio().judge(), []);
}

#[test]
fn a_jump_box_down_is_one_problem() {
    let mut w = trio();
    w.jump.link.state = LinkState::Unreachable;
    w.jump.link.detail = "connection refused".into();
    for host in ["db1-masterdb", "db2", "app1"] {
        w.change(host, |h| h.link.state = LinkState::Unreachable);
    }
    let problems = w.judge();
    assert_eq!(brief(&problems), ["critical jump_down -"]);
    assert!(problems[0].message.contains("connection refused"), "{}", problems[0].message);
}

#[test]
fn hosts_that_do_not_answer_say_why() {
    for (state, want) in [
        (LinkState::Unreachable, "critical host_down app1"),
        (LinkState::TimedOut, "critical host_down app1"),
        (LinkState::AuthFailed, "unknown host_down app1"),
        (LinkState::HostKeyUnknown, "unknown host_key app1"),
        (LinkState::HostKeyChanged, "critical host_key app1"),
        (LinkState::IdentityMismatch, "critical identity app1"),
    ] {
        let mut w = trio();
        w.change("app1", |h| h.link.state = state);
        assert_eq!(brief(&w.judge()), [want]);
    }
}

#[test]
fn a_host_up_and_silent_is_unknown_and_its_old_figures_are_not_judged() {
    let mut w = trio();
    w.change("app1", |h| h.facts.load.learn(load(99.0, 99.0, Some(1)), NOW));
    for host in ["db1-masterdb", "db2"] {
        w.change(host, |h| h.reported_at = Some(NOW.plus(Duration::from_secs(21))));
    }
    assert_eq!(brief(&w.judge_at(NOW)), ["critical load app1"]);
    assert_eq!(brief(&w.judge_at(NOW.plus(Duration::from_secs(21)))), ["unknown stale app1"]);
}

#[test]
fn load_is_judged_per_cpu() {
    for (cpus, want) in [
        (Some(8), vec![]),
        (Some(2), vec!["warning load app1"]),
        (None, vec!["unknown load app1"]),
        (Some(1), vec!["critical load app1"]),
    ] {
        let mut w = trio();
        w.change("app1", |h| h.facts.load.learn(load(4.5, 1.0, cpus), NOW));
        assert_eq!(brief(&w.judge()), want, "{cpus:?}");
    }
}

/// Case 17: the load of the machine under a container is no load of the container.
#[test]
fn the_load_of_a_container_s_host_is_unknown_unless_it_is_low_for_any_number_of_cpus() {
    for (one, want) in [(31.2, vec!["unknown load app1"]), (0.9, vec![])] {
        let mut w = trio();
        let averages = Load { of_container_host: true, ..load(one, one, None) };
        w.change("app1", |h| h.facts.load.learn(averages, NOW));
        assert_eq!(brief(&w.judge()), want);
    }
}

#[test]
fn inodes_that_are_not_known_are_one_unknown_problem_of_the_host() {
    let mut w = trio();
    let without =
        |mount| Filesystem { inodes_gap: Some(Gap::Failed("no -i".into())), ..filesystem(mount, 1) };
    w.change("app1", |h| h.facts.filesystems.learn(vec![without("/"), without("/srv")], NOW));
    assert_eq!(brief(&w.judge()), ["unknown inodes app1"]);
    assert_eq!(w.judge()[0].message, "inodes of / and 1 more failed: no -i");
}

#[test]
fn disks_warn_are_critical_and_time_out() {
    let mut w = trio();
    w.change("app1", |h| {
        h.facts
            .filesystems
            .learn(vec![filesystem("/", 84), filesystem("/mnt", 85), filesystem("/b", 100)], NOW);
        let dead = Filesystem { usage: Err(Gap::TimedOut), remote: true, ..filesystem("/nfs", 1) };
        h.facts.network_filesystems.learn(vec![dead], NOW);
    });
    assert_eq!(brief(&w.judge()), ["critical disk app1", "critical mount app1", "warning disk app1"]);
}

#[test]
fn levels_and_roles_are_compared_with_the_inventory() {
    let grains = |level: Option<&str>, roles: Option<&[&str]>| Grains {
        level: level.map(Clean::new),
        roles: roles.map(|r| r.iter().map(|r| RoleName::new(r).unwrap()).collect()),
        odd_roles: vec![],
    };
    for (grains, want) in [
        (grains(Some("production"), Some(&["app"])), vec![]),
        (grains(Some("staging"), None), vec!["critical level app1"]),
        (grains(None, None), vec!["warning level app1"]),
        (grains(Some("production"), Some(&["blog"])), vec!["warning roles_differ app1"]),
    ] {
        let mut w = trio();
        w.change("app1", |h| h.facts.grains.learn(grains, NOW));
        assert_eq!(brief(&w.judge()), want);
    }
}

#[test]
fn role_requirements_count_what_answers_and_wait_for_what_does_not() {
    let mut w = world(&["memcache1", "memcache2"]);
    w.env.requirements = vec![Requirement {
        built_in: false,
        role: RoleName::new("memcache").unwrap(),
        at_least: 2,
        at_most: None,
        implies: vec![],
    }];
    let state = |w: &World| roles::standings(&w.situation(NOW))[0].state;
    assert_eq!(state(&w), roles::RoleState::Ok);
    w.change("memcache2", |h| h.link.state = LinkState::TimedOut);
    assert_eq!(state(&w), roles::RoleState::Unknown);
    assert_eq!(brief(&w.judge()), ["critical host_down memcache2"]);

    let mut w = world(&["app1"]);
    w.env.requirements =
        default_requirements().into_iter().map(|r| Requirement { built_in: false, ..r }).collect();
    let problems = brief(&w.judge());
    assert_eq!(problems.len(), 10, "{problems:?}");
    assert!(problems.iter().all(|p| p == "critical role_count -"));
}

/// Console, 8: built-in requirements hold where the inventory has the role, and nothing is missed before anybody looked.
#[test]
fn roles_that_nobody_wrote_down_are_not_missed() {
    let mut w = world(&["app1", "memcache1"]);
    w.env.requirements = default_requirements();
    assert_eq!(brief(&w.judge()), ["warning role_count -"], "memcache: two are required");

    w.env.requirements =
        default_requirements().into_iter().map(|r| Requirement { built_in: false, ..r }).collect();
    for host in ["app1", "memcache1"] {
        w.change(host, |h| {
            h.reported_at = None;
            h.link.state = LinkState::Pending;
        });
    }
    assert!(brief(&w.judge()).iter().all(|p| !p.contains("role_count")), "{:?}", w.judge());
}

#[test]
fn a_masterdb_must_be_a_db_and_there_is_one() {
    let mut w = world(&["db1-masterdb", "db2-masterdb"]);
    w.env.requirements =
        default_requirements().into_iter().filter(|r| r.role.as_str() == "masterdb").collect();
    assert!(brief(&w.judge()).contains(&"critical role_count -".to_owned()));

    let mut w = world(&["x1-masterdb"]);
    w.env.requirements =
        default_requirements().into_iter().filter(|r| r.role.as_str() == "masterdb").collect();
    assert_eq!(brief(&w.judge()), ["critical role_implies x1-masterdb"]);
}

#[test]
fn mixed_operating_systems_are_one_finding() {
    let mut w = trio();
    w.change("db2", |h| {
        h.facts
            .os
            .learn(Os { pretty: "Ubuntu 10.04".into(), release: "ubuntu 10.04".into(), kernel: None }, NOW);
    });
    let problems = w.judge();
    assert_eq!(brief(&problems), ["warning os_differs -"]);
    assert_eq!(problems[0].message, "operating systems differ: ubuntu 14.04 on 2 hosts; ubuntu 10.04 on db2");
}

#[test]
fn stopped_threads_are_critical_and_named_and_their_lag_is_never_zero() {
    let mut w = trio();
    w.database("db2", |d| {
        let c = &mut d.connections.as_mut().unwrap()[0];
        c.io = Thread::Stopped;
        assert_eq!(c.lag_s(), None, "Seconds_Behind_Master 0 with the IO thread stopped is not a lag of 0");
    });
    let problems = w.judge();
    assert_eq!(brief(&problems), ["critical replication db2"]);
    assert!(problems[0].message.contains("IO thread is stopped"));

    let mut w = trio();
    w.database("db2", |d| {
        let c = &mut d.connections.as_mut().unwrap()[0];
        c.sql = Thread::Stopped;
        c.seconds_behind = None;
        c.sql_error = Some(ReplicationError { number: 1062, message: "Duplicate entry".into() });
    });
    let problems = w.judge();
    assert!(problems[0].message.contains("SQL thread is stopped: error 1062 Duplicate entry"));
}

#[test]
fn lag_warns_and_null_lag_is_unknown() {
    for (lag, delay, want) in [
        (Some(30), None, vec![]),
        (Some(31), None, vec!["warning replication_lag db2"]),
        (Some(301), None, vec!["critical replication_lag db2"]),
        (Some(3630), Some(3600), vec![]),
        (Some(3700), Some(3600), vec!["warning replication_lag db2"]),
        (Some(3950), Some(3600), vec!["critical replication_lag db2"]),
        (None, None, vec!["unknown replication_lag db2"]),
    ] {
        let mut w = trio();
        w.database("db2", |d| {
            let c = &mut d.connections.as_mut().unwrap()[0];
            c.seconds_behind = lag;
            c.delay_s = delay;
        });
        assert_eq!(brief(&w.judge()), want, "{lag:?}");
    }
}

#[test]
fn writers_are_counted() {
    let mut w = trio();
    w.database("db2", |d| d.read_only = Some(false));
    let problems = w.judge();
    assert_eq!(brief(&problems), ["critical writable_masters -"]);
    let concerned = |host: &str| problems[0].concerns(&HostName::new(host).unwrap());
    assert_eq!(["db1-masterdb", "db2", "app1"].map(concerned), [true, true, false]);

    let mut w = trio();
    w.database("db1-masterdb", |d| d.read_only = Some(true));
    assert_eq!(brief(&w.judge()), ["critical writable_masters -"]);

    // What could not be read is neither writable nor read-only.
    let mut w = trio();
    w.database("db1-masterdb", |d| d.read_only = None);
    assert_eq!(brief(&w.judge()), ["unknown replication db1-masterdb"]);

    // The other one took over and the name was not moved.
    let mut w = trio();
    w.database("db1-masterdb", |d| d.read_only = Some(true));
    w.database("db2", |d| d.read_only = Some(false));
    assert_eq!(brief(&w.judge()), ["critical writable_masters db2"]);

    // A secondary site: every server follows a master outside it.
    let mut w = world(&["db2"]);
    w.database("db2", |d| {
        let c = &mut d.connections.as_mut().unwrap()[0];
        c.master_host = "10.9.9.9".into();
        c.master_server_id = Some(900);
    });
    assert_eq!(w.judge(), []);
}

#[test]
fn unencrypted_replication_duplicate_ids_and_unmanaged_replicas_are_found() {
    let mut w = trio();
    w.database("db2", |d| d.connections.as_mut().unwrap()[0].tls_requested = Some(false));
    assert_eq!(brief(&w.judge()), ["warning replication_tls db2"]);

    let mut w = trio();
    w.database("db2", |d| d.server_id = Some(1));
    let problems = brief(&w.judge());
    assert!(problems.contains(&"critical server_id -".to_owned()), "{problems:?}");

    let mut w = trio();
    w.database("db1-masterdb", |d| {
        d.replicas = Ok(vec![ConnectedReplica { server_id: 77, host: Clean::default(), port: None }]);
    });
    assert_eq!(brief(&w.judge()), ["warning replication db1-masterdb"]);
}

#[test]
fn what_could_not_be_asked_is_unknown() {
    let mut w = trio();
    w.change("app1", |h| h.facts.load.miss(Gap::Unreadable("two fields".into())));
    assert_eq!(brief(&w.judge()), ["unknown unreadable app1"]);

    let mut w = trio();
    w.change("db2", |h| {
        let mut databases = h.facts.databases.current().unwrap().clone();
        databases[0].server = Err(Gap::NotPermitted("ERROR 1045".into()));
        h.facts.databases.learn(databases, NOW);
    });
    assert_eq!(brief(&w.judge()), ["unknown replication db2"]);
}

#[test]
fn a_clock_that_is_off_is_a_warning() {
    let mut w = trio();
    w.change("app1", |h| h.facts.clock_offset_ms.learn(-1_500, NOW));
    let problems = w.judge();
    assert_eq!(brief(&problems), ["warning clock app1"]);
    assert_eq!(problems[0].message, "its clock is 1.5 s behind this machine's");
}

/// Case 06: the nodes of a healthy Galera cluster are all writable, and rightly so.
#[test]
fn writable_nodes_of_one_cluster_are_no_fault() {
    let of = |healths: [NodeHealth; 2], ids: [&str; 2]| {
        let mut w = world(&["db1", "db2"]);
        for ((host, health), id) in ["db1", "db2"].into_iter().zip(healths).zip(ids) {
            w.database(host, |d| {
                (d.read_only, d.connections, d.log_bin) = (Some(false), Ok(vec![]), Some(false));
                d.cluster = cluster(id, health);
            });
        }
        brief(&w.judge())
    };
    use NodeHealth::{Behind, InSync, Out, Unknown};
    assert_eq!(of([InSync, InSync], ["a", "a"]), Vec::<String>::new());
    assert_eq!(of([InSync, Behind], ["a", "a"]), ["warning cluster db2"]);
    // A node out of its component takes no writes, whatever its read_only says.
    assert_eq!(of([InSync, Out], ["a", "a"]), ["critical cluster db2"]);
    assert_eq!(of([InSync, Unknown], ["a", ""]), ["unknown cluster db2"]);
    // A cluster begun twice.
    assert_eq!(of([InSync, InSync], ["a", "b"]), ["critical writable_masters -"]);
    let nobody = of([Out, Out], ["a", "a"]);
    assert_eq!(nobody, ["critical cluster db1", "critical cluster db2", "critical writable_masters -"]);
}

#[test]
fn a_writable_server_beside_a_cluster_is_a_second_master() {
    let mut w = world(&["db1", "db2", "db3"]);
    for host in ["db1", "db2", "db3"] {
        w.database(host, |d| (d.read_only, d.connections) = (Some(false), Ok(vec![])));
    }
    for host in ["db1", "db2"] {
        w.database(host, |d| d.cluster = cluster("a", NodeHealth::InSync));
    }
    let problems = w.judge();
    assert_eq!(brief(&problems), ["critical writable_masters -"]);
    assert_eq!(problems[0].named.len(), 3);
}

/// Case 25: an account that may not ask for connections, and addresses that another machine answers at.
#[test]
fn no_database_is_writable_is_said_only_of_servers_that_answered() {
    let follows = |change: &dyn Fn(&mut ServerStatus)| {
        let mut w = trio();
        w.database("db1-masterdb", |d| (d.read_only, d.port) = (Some(true), Some(3306)));
        w.database("db2", |d| change(d));
        brief(&w.judge())
    };
    let to = |d: &mut ServerStatus, host: &str, port: u16, id: u64| {
        let c = &mut d.connections.as_mut().unwrap()[0];
        (c.master_host, c.master_port, c.master_server_id) = (host.into(), Some(port), Some(id));
    };
    let none = "critical writable_masters -";
    let maybe = "unknown writable_masters -";
    assert_eq!(follows(&|_| {}), [none]);
    let refused = |d: &mut ServerStatus| d.connections = Err(Gap::NotPermitted("ERROR 1227".into()));
    assert_eq!(follows(&refused), ["unknown replication db2"]);
    assert_eq!(follows(&|d| d.read_only = None), ["unknown replication db2"]);
    // Another server id answered than ours: at a host's own address too, by NAT or on another port.
    assert_eq!(follows(&|d| to(d, "db1-masterdb.production.wpdn", 3306, 900)), Vec::<String>::new());
    assert_eq!(follows(&|d| to(d, "db1-masterdb.production.wpdn", 3307, 900)), Vec::<String>::new());
    assert_eq!(follows(&|d| to(d, "10.9.9.9", 3306, 900)), Vec::<String>::new());
    // Every MariaDB has server id 1 by default: alone it proves nothing.
    assert_eq!(follows(&|d| to(d, "10.9.9.9", 3306, 1)), [maybe]);
    assert_eq!(follows(&|d| to(d, "127.0.0.1", 3306, 1)), [maybe]);
    assert_eq!(follows(&|d| to(d, "db1-masterdb.production.wpdn", 3307, 1)), [maybe]);
    // Before the first contact there is only an address.
    assert_eq!(follows(&|d| to(d, "10.9.9.9", 3306, 0)), [maybe]);
    let mut w = trio();
    w.database("db2", |d| d.read_only = Some(true));
    w.change("db1-masterdb", |h| h.facts.databases.miss(Gap::TimedOut));
    assert_eq!(brief(&w.judge()), ["unknown unreadable db1-masterdb"]);
}

/// Case 27: no server found is not no server.
#[test]
fn a_role_db_without_a_server_found_is_unknown() {
    let mut w = trio();
    w.change("db2", |h| h.facts.databases.learn(vec![], NOW));
    assert_eq!(brief(&w.judge()), ["unknown replication db2"]);
}

#[test]
fn what_a_server_did_not_say_is_a_problem_of_its_own() {
    let mut w = trio();
    w.database("db2", |d| d.gaps.push(("binary log", Gap::TimedOut)));
    w.database("db1-masterdb", |d| d.replicas = Err(Gap::NotPermitted("ERROR 1227".into())));
    let problems = w.judge();
    assert_eq!(brief(&problems), ["unknown replication db1-masterdb", "unknown replication db2"]);
    assert_eq!(problems[1].message, "binary log timed out");
}

/// Fleet finding 1.
#[test]
fn tls_that_is_only_asked_for_is_a_warning_and_not_ok() {
    let with = |change: &dyn Fn(&mut ServerStatus), have_ssl: Option<bool>| {
        let mut w = trio();
        w.database("db1-masterdb", |d| d.have_ssl = have_ssl);
        w.database("db2", |d| change(d));
        w.judge().into_iter().map(|p| p.message).collect::<Vec<_>>()
    };
    let unverified = |d: &mut ServerStatus| d.connections.as_mut().unwrap()[0].tls_verified = Some(false);
    assert_eq!(with(&|_| {}, Some(true)), Vec::<String>::new());
    let clear = with(&unverified, Some(false));
    assert!(clear[0].contains("is not encrypted"), "{clear:?}");
    for have_ssl in [None, Some(true)] {
        let unknown = with(&unverified, have_ssl);
        assert!(unknown[0].contains("is unknown") && unknown[0].contains("VERIFY"), "{unknown:?}");
    }
}

#[test]
fn an_account_that_is_refused_is_told_the_way_in() {
    let refused = |sudo: bool, said: &str| {
        let mut w = trio();
        Arc::make_mut(&mut w.env.hosts[1]).sudo = sudo;
        w.change("db2", |h| {
            let mut databases = h.facts.databases.current().unwrap().clone();
            databases[0].server = Err(Gap::NotPermitted(said.into()));
            h.facts.databases.learn(databases, NOW);
        });
        w.judge().remove(0).message
    };
    let denied = "ERROR 1045 (28000): Access denied for user 'ops'@'localhost'";
    assert!(refused(false, denied).ends_with("~/.my.cnf of ops on it"));
    assert!(refused(true, denied).ends_with("~/.my.cnf of root on this host"));
    assert!(refused(true, "sudo: a password is required").contains("with sudo without a password"));
}

/// A client that could not ask tells nothing of the server: only one that found no server does.
#[test]
fn a_server_is_down_when_the_client_found_none() {
    for (said, severity) in [
        (
            "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)",
            Severity::Critical,
        ),
        ("ERROR 2003 (HY000): Can't connect to MySQL server on '127.0.0.1:3306' (111)", Severity::Critical),
        ("ERROR 2006 (HY000): Server has gone away", Severity::Critical),
        (
            "ERROR 2013 (HY000): Lost connection to server at 'handshake: reading initial communication packet'",
            Severity::Critical,
        ),
        ("ERROR 2026 (HY000): TLS/SSL error: certificate has expired", Severity::Unknown),
        ("ERROR 2005 (HY000): Unknown server host 'db' (-2)", Severity::Unknown),
        ("ERROR 20021 (HY000): something else", Severity::Unknown),
        ("mariadb: unknown option '--nonexistent-option'", Severity::Unknown),
        ("mariadb: option '--batch' cannot take an argument", Severity::Unknown),
        ("Segmentation fault", Severity::Unknown),
    ] {
        let mut w = trio();
        w.change("db2", |h| {
            let mut databases = h.facts.databases.current().unwrap().clone();
            databases[0].server = Err(Gap::Failed(said.into()));
            h.facts.databases.learn(databases, NOW);
        });
        let problems = w.judge();
        let of_db2: Vec<_> =
            problems.iter().filter(|p| p.message.contains(said)).map(|p| p.severity).collect();
        assert_eq!(of_db2, [severity], "{said}: {problems:#?}");
    }
}

//! Situations and what must be said of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::access::{Access, KnownHosts};
use crate::fact::{Fact, Gap};
use crate::fleet::{
    Cadence, Guard, Host, Jump, JumpBox, Requirement, Thresholds, Transport, default_requirements,
};
use crate::names::{EnvName, HostId, RoleName, roles_from_host_name};
use crate::replication::*;
use crate::snapshot::*;
use crate::storage::{Filesystem, Usage};
use crate::text::Clean;
use crate::upkeep::Upkeep;

mod contacts;
mod database_files;
mod databases;
mod figures;
mod likeness;
mod requirements;
mod timeline;
mod upkeep;

const NOW: Moment = Moment(100_000);

struct World {
    env: Environment,
    jump: JumpSnapshot,
    hosts: Vec<Arc<HostSnapshot>>,
    outside: OutsideSnapshot,
}

impl World {
    fn judge(&self) -> Vec<Problem> {
        self.judge_at(NOW)
    }

    fn judge_at(&self, now: Moment) -> Vec<Problem> {
        judge(&self.situation(now)).problems
    }

    fn situation(&self, now: Moment) -> Situation<'_> {
        Situation { env: &self.env, jump: &self.jump, hosts: &self.hosts, outside: &self.outside, now }
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
                peers: [].into(),
                database_files: [].into(),
                address: format!("{name}.production.wpdn"),
                port: 22,
                access: access.clone(),
                roles: roles_from_host_name(name),
                roles_declared: false,
                hostname: None,
                sudo: false,
                services: Vec::new(),
                backups: Vec::new(),
                checks: Vec::new(),
                unwatched: Vec::new(),
                logs: Vec::new(),
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
            second: None,
            rtt: Fact::default(),
            left: Fact::default(),
            banner: Vec::new(),
        },
        env: Environment {
            outside: Default::default(),
            name: env_name,
            level: "production".to_owned(),
            guard: Guard::Challenge,
            signatures: Default::default(),
            journals: None,
            lease: Default::default(),
            management: Default::default(),
            contacts: Default::default(),
            domain: None,
            second_jump: None,
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
        outside: OutsideSnapshot { env: EnvName::new("production").unwrap(), results: Vec::new() },
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
    facts.deleted_files.learn(Vec::new(), NOW);
    let memory = Memory {
        total_kb: 4_000_000,
        available_kb: 3_000_000,
        available_estimated: false,
        cache_unread: false,
        swap_total_kb: 0,
        swap_free_kb: 0,
    };
    facts.memory.learn(memory, NOW);
    facts.uptime.learn(Duration::from_secs(86_400), NOW);
    facts.clock_offset_ms.learn(0, NOW);
    facts.database_files.learn(Vec::new(), NOW);
    facts.upkeep.learn(Upkeep::in_order(), NOW);
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

/// Seen through the second jump box.
fn by_second(answers: Option<Moment>) -> SecondJump {
    SecondJump {
        name: HostName::new("backup").unwrap(),
        address: "198.51.100.9:22".to_owned(),
        since: Moment(40_000),
        first: FirstJump {
            state: LinkState::TimedOut,
            detail: "no answer within 3 s".into(),
            since: Moment(30_000),
            asked: Moment(90_000),
            answers,
        },
    }
}

#[test]
fn the_second_jump_box_in_use_is_a_problem_until_the_first_is() {
    let mut world = world(&["app1"]);
    world.jump.second = Some(by_second(None));
    world.jump.left.miss(Gap::Failed("salt is not connected".into()));
    let [problem] = &world.judge()[..] else { panic!("{:#?}", world.judge()) };
    assert_eq!((problem.severity, problem.kind), (Severity::Critical, ProblemKind::SecondJump));
    let said = "jump box salt timed out: no answer within 3 s; backup is in use, for no runs. Unfinished runs, and what is seen from \
                salt, are unknown";
    assert_eq!(problem.message, said);
    world.jump.second = Some(by_second(Some(Moment(80_000))));
    let [problem] = &world.judge()[..] else { panic!("{:#?}", world.judge()) };
    assert_eq!((problem.severity, problem.kind), (Severity::Warning, ProblemKind::SecondJump));
    assert!(problem.message.starts_with("jump box salt answers again since 20s"), "{}", problem.message);
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
        (LinkState::NoAlgorithm, "unknown host_down app1"),
        (LinkState::NotUsable, "critical host_down app1"),
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

//! Models to draw: the 2015 fleet in good and bad days. Test code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_precision_loss)]

use std::sync::Arc;
use std::time::Duration;

use crate::app::model::{EnvironmentState, Model, Screen};
use crate::config::keymap::Keymap;
use crate::config::theme::builtin;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::*;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::replication::*;
use jumpdeck_fleet::snapshot::*;
use jumpdeck_fleet::storage::Filesystem;
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::timeline::WallTime;

use super::styles::{ColorSupport, Styles};

mod hosts;
#[cfg(test)]
mod services;

pub(crate) use hosts::environment;
use hosts::{answer, memory};
#[cfg(test)]
pub(crate) use hosts::{disk, load};
#[cfg(not(test))]
use hosts::{disk, load};
#[cfg(test)]
pub(crate) use services::{check, fail, serve};

/// Two hours in.
pub(crate) const NOW: Moment = Moment(7_200_000);

const PRODUCTION: &[&str] = &[
    "salt",
    "accounts",
    "app1",
    "app2",
    "app3",
    "backup",
    "blog",
    "db1-masterdb",
    "db2",
    "db3",
    "elastic",
    "mail",
    "memcache-alpha1",
    "notes",
    "piwik",
    "project",
    "redis-alpha1",
    "sessions1",
    "source",
    "bots",
    "app1-jobrunner",
    "nginx1",
    "specs",
    "hhvmbackend1",
    "memcache1",
    "memcache2",
];

pub(crate) fn styles(theme: &str) -> Styles {
    let themes = builtin();
    Styles::new(themes.iter().find(|t| t.name == theme).unwrap(), ColorSupport::TrueColor)
}

pub(crate) fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

/// A fleet in which every host answers.
#[cfg(test)]
pub(crate) fn answering(environments: Vec<Arc<Environment>>) -> Model {
    let mut model = of(environments);
    model.environments.iter_mut().for_each(answer);
    settled(model)
}

/// Nobody has answered yet.
pub(crate) fn waiting() -> Model {
    let environments = vec![
        environment("production", Guard::Challenge, PRODUCTION),
        environment("staging", Guard::Confirm, &["salt", "app1", "db1-masterdb", "memcache1", "memcache2"]),
        environment("secondary", Guard::Challenge, &["salt", "db1"]),
    ];
    of(environments)
}

pub(crate) fn of(environments: Vec<Arc<Environment>>) -> Model {
    let fleet = Arc::new(Fleet { environments, simulated: true });
    let themes = builtin().into_iter().map(|t| t.name).collect();
    let mut model = Model::new(
        fleet,
        Arc::new(Keymap::builtin_default()),
        themes,
        crate::view::fleet_columns(),
        NOW,
        (80, 24),
    );
    // 17:02:03 on 30 November 2026.
    model.clock = (WallTime(1_796_058_123), NOW);
    model.settle();
    model
}

/// Everything as it should be.
pub(crate) fn healthy() -> Model {
    let mut model = waiting();
    for env in &mut model.environments {
        answer(env);
    }
    let production = &mut model.environments[0];
    for (host, id) in [("db2", 2), ("db3", 3)] {
        edit(production, host, |h| database(h, |s| s.server_id = Some(id)));
    }
    edit(production, "db1-masterdb", |h| {
        database(h, |s| {
            s.server_id = Some(1);
            s.read_only = Some(false);
            s.connections = Ok(vec![]);
            s.replicas = Ok([2, 3].map(|id| replica(id, &format!("db{id}"))).to_vec());
        });
    });
    let staging = &mut model.environments[1];
    edit(staging, "db1-masterdb", |h| {
        database(h, |s| (s.read_only, s.connections) = (Some(false), Ok(vec![])));
    });
    settled(model)
}

/// A bad night: full disks, a broken and an unencrypted replica, silent hosts, wrong grains, a section that hangs.
pub(crate) fn trouble() -> Model {
    let mut model = healthy();
    let production = &mut model.environments[0];
    edit(production, "backup", |h| {
        h.facts.filesystems.learn(
            vec![
                disk("/", 24),
                disk("/mnt", 100),
                Filesystem { device: "/dev/mapper/backup1-lvbackup1".into(), ..disk("/mnt/backup", 100) },
            ],
            NOW,
        );
    });
    edit(production, "app2", |h| h.facts.load.learn(load(9.31, 6.02, 3.5), NOW));
    edit(production, "app3", |h| {
        let dead = Filesystem {
            device: "storage3:/wiki-images".into(),
            mount: "/srv/webplatform/wiki/images".into(),
            fstype: Some("fuse.glusterfs".into()),
            remote: true,
            usage: Err(Gap::TimedOut),
            inodes_gap: None,
        };
        h.facts.network_filesystems.learn(vec![dead], NOW);
    });
    edit(production, "db2", |h| {
        database(h, |s| {
            let c = &mut s.connections.as_mut().unwrap()[0];
            c.sql = Thread::Stopped;
            c.seconds_behind = None;
            c.sql_error = Some(ReplicationError {
                number: 1062,
                message:
                    "Could not execute Write_rows_v1 event on table wiki.page; Duplicate entry '4711' for \
                          key 'PRIMARY', handler error HA_ERR_FOUND_DUPP_KEY; the event's master log \
                          mariadb-bin.000123, end_log_pos 45120"
                        .into(),
            });
        });
    });
    edit(production, "db3", |h| {
        database(h, |s| {
            let c = &mut s.connections.as_mut().unwrap()[0];
            c.seconds_behind = Some(47);
            c.tls_requested = Some(false);
        });
    });
    edit(production, "elastic", |h| h.facts.memory.learn(memory(97), NOW));
    edit(production, "mail", |h| {
        h.facts.grains.learn(Grains { level: None, ..Grains::default() }, NOW);
        h.facts.filesystems.miss(Gap::TimedOut);
    });
    edit(production, "notes", |h| {
        let roles = ["notes", "blog"].map(|r| RoleName::new(r).unwrap()).to_vec();
        h.facts
            .grains
            .learn(Grains { level: Some("production".into()), roles: Some(roles), odd_roles: vec![] }, NOW);
    });
    edit(production, "piwik", |h| {
        silent(h, LinkState::Unreachable, "connection refused by 10.0.0.15:22: is sshd running there?");
    });
    edit(production, "bots", |h| {
        silent(h, LinkState::TimedOut, "no answer within 10 s after the TCP connection")
    });
    edit(production, "specs", |h| {
        silent(
            h,
            LinkState::HostKeyChanged,
            "offers SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE, known is \
             SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
        );
    });
    edit(production, "memcache2", |h| *h = HostSnapshot::pending(h.id.clone(), h.address.clone(), NOW));
    edit(production, "source", |h| h.reported_at = Some(Moment(NOW.0 - 14_000)));
    edit(production, "redis-alpha1", |h| h.reported_at = Some(Moment(NOW.0 - 140_000)));
    edit(production, "nginx1", |h| {
        h.facts.load.miss(Gap::NotPermitted("cat: /proc/loadavg: Permission denied".into()));
        h.facts.memory.miss(Gap::Unreadable("no MemTotal".into()));
        h.facts.databases.miss(Gap::TimedOut);
    });
    let staging = &mut model.environments[1];
    edit(staging, "app1", |h| h.facts.filesystems.learn(vec![disk("/", 91)], NOW));
    settled(model)
}

/// Seen through the second jump box for so many seconds; `answers`: since when the first answers again.
pub(crate) fn by_second(ago_s: u64, answers: Option<u64>) -> Model {
    let mut model = trouble();
    let ago = |seconds: u64| Moment(NOW.0 - seconds * 1000);
    let jump = Arc::make_mut(&mut model.environments[0].jump);
    jump.link.since = ago(ago_s);
    jump.second = Some(SecondJump {
        name: name("backup"),
        address: "198.51.100.9:22".into(),
        since: ago(ago_s),
        first: FirstJump {
            state: LinkState::TimedOut,
            detail: "no connection to 198.51.100.1:22 within 10 s".into(),
            since: ago(ago_s + 14),
            asked: ago(6),
            answers: answers.map(ago),
        },
    });
    settled(model)
}

/// The jump box went a while ago.
pub(crate) fn jump_down(ago_s: u64) -> Model {
    let mut model = trouble();
    let production = &mut model.environments[0];
    let since = Moment(NOW.0 - ago_s * 1000);
    let jump = Arc::make_mut(&mut production.jump);
    jump.link = Link {
        state: LinkState::Unreachable,
        hop: Some(Hop::Jump(name("salt"))),
        detail: "the connection ended: connection reset by peer".into(),
        since,
        retry_at: Some(NOW.plus(Duration::from_secs(4))),
    };
    for host in &mut production.hosts {
        let host = Arc::make_mut(host);
        if host.reported_at.is_some() {
            host.reported_at = Some(Moment(since.0 - 1000));
        }
    }
    settled(model)
}

/// Every report of the healthy fleet is that old.
pub(crate) fn aged(seconds: u64) -> Model {
    let mut model = healthy();
    for env in &mut model.environments {
        for host in &mut env.hosts {
            Arc::make_mut(host).reported_at = Some(Moment(NOW.0 - seconds * 1000));
        }
    }
    settled(model)
}

/// Names and texts as odd as they may be: long, wide, with escapes shown.
pub(crate) fn odd() -> Model {
    let long = "x".repeat(120);
    let mut model =
        of(vec![environment("a-very-long-environment-name-1", Guard::Confirm, &["app1", &long, "db1"])]);
    answer(&mut model.environments[0]);
    let env = &mut model.environments[0];
    edit(env, "app1", |h| {
        let os = "\x1b[2J東京リナックス 12.04 \u{202e}evil";
        h.facts.os.learn(Os { pretty: os.into(), release: os.into(), kernel: None }, NOW);
        let mount = "/mnt/写真 und Bilder/e\u{301}te\u{301}/a b c";
        h.facts.filesystems.learn(vec![disk(mount, 99), disk("/x\ny", 3)], NOW);
        h.facts.load.learn(load(12345.6, 123.456, 99.999), NOW);
    });
    edit(env, "db1", |h| silent(h, LinkState::Unreachable, "\x1b]0;owned\x07 東京 said no"));
    settled(model)
}

/// A large fleet with a problem here and there.
pub(crate) fn large(hosts: usize) -> Model {
    let names: Vec<String> = (1..=hosts).map(|i| format!("app{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut model = of(vec![environment("production", Guard::Challenge, &names)]);
    answer(&mut model.environments[0]);
    for i in (0..hosts).step_by(17) {
        let host = model.environments[0].hosts[i].id.host.clone();
        edit(&mut model.environments[0], host.as_str(), |h| {
            h.facts.filesystems.learn(vec![disk("/", 96)], NOW);
        });
    }
    settled(model)
}

/// Judged, and a row selected.
pub(crate) fn settled(mut model: Model) -> Model {
    for env in &mut model.environments {
        env.judged_at = None;
    }
    model.settle();
    model
}

pub(crate) fn on(mut model: Model, screen: Screen) -> Model {
    model.screens.push(screen);
    settled(model)
}

pub(crate) fn edit(env: &mut EnvironmentState, host: &str, change: impl FnOnce(&mut HostSnapshot)) {
    let at = env.hosts.iter().position(|h| h.id.host.as_str() == host).unwrap();
    change(Arc::make_mut(&mut env.hosts[at]));
}

fn silent(host: &mut HostSnapshot, state: LinkState, detail: &str) {
    host.link = Link {
        state,
        hop: Some(Hop::Host(host.id.host.clone())),
        detail: detail.into(),
        since: Moment(NOW.0 - 190_000),
        retry_at: (!state.needs_a_person()).then(|| NOW.plus(Duration::from_secs(20))),
    };
    host.reported_at = Some(Moment(NOW.0 - 190_000));
}

pub(crate) fn database(host: &mut HostSnapshot, change: impl FnOnce(&mut ServerStatus)) {
    let databases = &mut host.facts.databases.known.as_mut().unwrap().value;
    change(databases[0].server.as_mut().unwrap());
}

pub(crate) fn replica(server_id: u64, host: &str) -> ConnectedReplica {
    ConnectedReplica { server_id, host: host.into(), port: Some(3306) }
}

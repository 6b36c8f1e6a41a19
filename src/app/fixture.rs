//! A small fleet for the tests of this layer.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use super::message::{AppEffect, Msg};
use super::model::Model;
use super::update::update;
use crate::config::keymap::{KeyCode, KeyPress, Keymap};
use jumpdeck_fleet::access::{Access, KnownHosts};
use jumpdeck_fleet::event::{FleetEvent, Question, QuestionId, QuestionKind};
use jumpdeck_fleet::fact::Fact;
use jumpdeck_fleet::fleet::{
    Cadence, Environment, Fleet, Guard, Host, Jump, JumpBox, Requirement, Thresholds, Transport,
};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::{EnvName, HostId, HostName, RoleName, roles_from_host_name};
use jumpdeck_fleet::snapshot::{HostSnapshot, JumpSnapshot, Link, LinkState, Load};
use jumpdeck_fleet::time::Moment;

pub(crate) fn host_name(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

pub(crate) fn env_name(name: &str) -> EnvName {
    EnvName::new(name).unwrap()
}

pub(crate) fn environment(name: &str, hosts: &[&str]) -> Arc<Environment> {
    let access = Arc::new(Access {
        user: "ops".into(),
        keys: Vec::new(),
        agent: None,
        password: false,
        known_hosts: KnownHosts::Text(String::new()),
    });
    let host = |(at, host): (usize, &&str)| {
        Arc::new(Host {
            id: HostId { env: env_name(name), host: host_name(host) },
            peers: [].into(),
            database_files: [].into(),
            address: format!("10.0.0.{}", at + 1),
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
        })
    };
    Arc::new(Environment {
        outside: Default::default(),
        name: env_name(name),
        level: name.into(),
        guard: Guard::Confirm,
        signatures: Default::default(),
        journals: None,
        lease: Default::default(),
        management: Default::default(),
        contacts: Default::default(),
        domain: None,
        second_jump: None,
        jump: Jump::Remote(JumpBox {
            name: host_name("jump"),
            address: "192.0.2.1".into(),
            port: 22,
            access: access.clone(),
            via: None,
        }),
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: vec![Requirement {
            built_in: false,
            role: RoleName::new("masterdb").unwrap(),
            at_least: 1,
            at_most: Some(1),
            implies: Vec::new(),
        }],
        cadence: Cadence::default(),
        hosts: hosts.iter().enumerate().map(host).collect(),
    })
}

/// Two environments, four hosts and one; the first frame is drawn at one second.
pub(crate) fn model() -> Model {
    let fleet = Fleet {
        environments: vec![
            environment("production", &["app1", "app2", "db1-masterdb", "db2"]),
            environment("staging", &["app1"]),
        ],
        simulated: false,
    };
    let themes = vec!["dark".to_owned(), "light".to_owned()];
    let mut model =
        Model::new(Arc::new(fleet), Arc::new(Keymap::default()), themes, Vec::new(), Moment(1000), (80, 24));
    frame(&mut model);
    model
}

/// What the loop does for a frame.
pub(crate) fn frame(model: &mut Model) {
    model.settle();
    model.drawn(super::model::Room::default());
}

pub(crate) fn pass(model: &mut Model, by: Duration) {
    let now = model.now.plus(by);
    update(model, Msg::Tick(now));
}

/// A host that answers, with this load, asked at `at`.
pub(crate) fn answering(model: &Model, env: &str, host: &str, load: f64, at: Moment) -> Arc<HostSnapshot> {
    let env = model.environments.iter().find(|e| e.spec.name.as_str() == env).unwrap();
    let (_, before) = env.host(&host_name(host)).unwrap();
    let mut after = HostSnapshot::clone(before);
    after.generation += 1;
    after.link = Link::up(at);
    after.reported_at = Some(at);
    after.facts.load =
        Fact::new(Load { one: load, five: load, fifteen: load, cpus: Some(2), of_container_host: false }, at);
    Arc::new(after)
}

pub(crate) fn report(model: &mut Model, env: &str, host: &str, load: f64) {
    let snapshot = answering(model, env, host, load, model.now);
    update(model, Msg::Fleet(FleetEvent::Host(snapshot)));
}

pub(crate) fn fail(model: &mut Model, env: &str, host: &str, state: LinkState) {
    let mut snapshot = HostSnapshot::clone(&answering(model, env, host, 0.0, model.now));
    snapshot.reported_at = None;
    snapshot.link.state = state;
    update(model, Msg::Fleet(FleetEvent::Host(Arc::new(snapshot))));
}

pub(crate) fn jump_up(model: &mut Model, env: &str) {
    let spec = model.fleet.environment(&env_name(env)).unwrap().clone();
    let mut jump = JumpSnapshot::pending(&spec, model.now);
    jump.link = Link::up(model.now);
    update(model, Msg::Fleet(FleetEvent::Jump(Arc::new(jump))));
}

pub(crate) fn press(model: &mut Model, code: KeyCode) -> Vec<AppEffect> {
    update(model, Msg::Key(KeyPress { code, ctrl: false, alt: false }))
}

pub(crate) fn ctrl(model: &mut Model, c: char) -> Vec<AppEffect> {
    update(model, Msg::Key(KeyPress { code: KeyCode::Char(c), ctrl: true, alt: false }))
}

pub(crate) fn type_text(model: &mut Model, text: &str) -> Vec<AppEffect> {
    text.chars().flat_map(|c| press(model, KeyCode::Char(c))).collect()
}

pub(crate) fn ask(model: &mut Model, id: u64, kind: QuestionKind) {
    let hop = Hop::Host(host_name("app1"));
    let question = Question { id: QuestionId(id), env: env_name("production"), hop, kind };
    update(model, Msg::Fleet(FleetEvent::Question(question)));
}

pub(crate) fn unknown_key() -> QuestionKind {
    QuestionKind::UnknownHostKey {
        address: "10.0.0.1:22".into(),
        algorithm: "ssh-ed25519".into(),
        fingerprint: "SHA256:abc".into(),
        file: "/home/ops/.ssh/known_hosts".into(),
    }
}

pub(crate) fn passphrase() -> QuestionKind {
    QuestionKind::Passphrase { key: "/home/ops/.ssh/id_ed25519".into(), wrong: false }
}

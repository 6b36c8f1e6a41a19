//! A jump box and hosts as the inventory describes them, and a person who answers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::ask::AskPerson;
use jumpdeck::transport::error::TransportError;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck::transport::ssh::link::JumpLink;
use jumpdeck::transport::ssh::ring::KeyRing;
use jumpdeck_fleet::access::{Access, KeySource, KnownHosts};
use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::fleet::{
    Cadence, Environment, Guard, Host, Jump, JumpBox, LeaseScope, Thresholds, Transport,
};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::{EnvName, HostId, HostName};

pub(crate) fn access(key: &Path, known_hosts: PathBuf) -> Access {
    Access {
        user: "root".to_owned(),
        keys: vec![KeySource::File { path: key.to_owned(), certificate: None }],
        agent: None,
        password: false,
        known_hosts: KnownHosts::own(vec![known_hosts]),
    }
}

pub(crate) fn name(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

pub(crate) fn remote(port: u16, access: Access) -> Jump {
    Jump::Remote(JumpBox {
        name: name("jump1"),
        address: "127.0.0.1".to_owned(),
        port,
        access: Arc::new(access),
        via: None,
    })
}

pub(crate) fn environment(jump: Jump, connect: Duration) -> Environment {
    Environment {
        outside: Default::default(),
        name: EnvName::new("test").unwrap(),
        level: "test".to_owned(),
        guard: Guard::Confirm,
        signatures: Default::default(),
        journals: None,
        // Without root all sshds of the tests have this machine's /run/lock: runs must not wait for each other there.
        lease: LeaseScope::OwnAccount,
        management: Default::default(),
        contacts: Default::default(),
        domain: None,
        second_jump: None,
        jump,
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: Vec::new(),
        cadence: Cadence { connect, ..Cadence::default() },
        hosts: Vec::new(),
    }
}

pub(crate) fn host(host: &str, port: u16, access: Access) -> Host {
    Host {
        id: HostId { env: EnvName::new("test").unwrap(), host: name(host) },
        peers: [].into(),
        database_files: [].into(),
        address: "127.0.0.1".to_owned(),
        port,
        access: Arc::new(access),
        roles: Vec::new(),
        roles_declared: false,
        hostname: None,
        sudo: false,
        services: Vec::new(),
        backups: Vec::new(),
        checks: Vec::new(),
        unwatched: Vec::new(),
        logs: Vec::new(),
    }
}

/// Answers from a list, in order; then refuses. Keeps what it was asked.
#[derive(Default)]
pub(crate) struct Person {
    answers: Mutex<Vec<Answer>>,
    asked: Mutex<Vec<(Hop, QuestionKind)>>,
}

impl Person {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }

    pub(crate) fn asked(&self) -> Vec<(Hop, QuestionKind)> {
        self.asked.lock().unwrap().clone()
    }
}

impl AskPerson for Person {
    fn ask<'a>(&'a self, _: &'a EnvName, hop: &'a Hop, kind: QuestionKind) -> BoxFuture<'a, Answer> {
        let nothing_to_answer = matches!(kind, QuestionKind::Waiting { .. });
        self.asked.lock().unwrap().push((hop.clone(), kind));
        if nothing_to_answer {
            return Box::pin(std::future::pending());
        }
        let answer = self.answers.lock().unwrap().pop().unwrap_or(Answer::Refuse);
        Box::pin(async move {
            // Long enough that whoever else wants to ask comes meanwhile.
            tokio::time::sleep(Duration::from_millis(200)).await;
            answer
        })
    }
}

pub(crate) fn secret(text: &str) -> Answer {
    Answer::Secret(zeroize::Zeroizing::new(text.to_owned()))
}

pub(crate) async fn open(
    env: &Environment,
    person: &Arc<Person>,
    ring: &Arc<KeyRing>,
) -> Result<JumpLink, TransportError> {
    JumpLink::open(env, Arc::new(TcpDial), person.clone(), ring.clone()).await
}

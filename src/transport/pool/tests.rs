//! One login at a time to each target, and nobody waits for another's.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::*;
use crate::openssh::sshsig::{NotSigned, TextSigner};
use crate::transport::ask::{AskPerson, RefuseAll};
use crate::transport::{Held, Limits, Ran};
use jumpdeck_fleet::access::{Access, KnownHosts};
use jumpdeck_fleet::fleet::{Cadence, Guard, Thresholds};
use jumpdeck_fleet::names::EnvName;

/// Machines whose logins wait, fail and are counted as the test says.
#[derive(Default)]
struct Machines {
    /// Who was logged in to, in order.
    logins: std::sync::Mutex<Vec<String>>,
    /// Logins to these wait for a permit: a person is asked.
    waiting: std::sync::Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Logins to these fail.
    refused: std::sync::Mutex<Vec<String>>,
    /// Logins that were dropped before they were over.
    dropped: AtomicUsize,
}

struct UnderWay<'a>(&'a Machines, bool);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Machines {
    fn wait_at(&self, name: &str) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.waiting.lock().unwrap().insert(name.to_owned(), gate.clone());
        gate
    }

    fn count(&self, name: &str) -> usize {
        self.logins.lock().unwrap().iter().filter(|login| *login == name).count()
    }

    async fn until_asked(&self, name: &str) {
        while self.count(name) == 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn log_in(&self, name: &str) -> Result<Arc<Line>, TransportError> {
        self.logins.lock().unwrap().push(name.to_owned());
        let gate = self.waiting.lock().unwrap().get(name).cloned();
        let mut under_way = UnderWay(self, false);
        if let Some(gate) = gate {
            drop(gate.acquire().await);
        }
        under_way.1 = true;
        if self.refused.lock().unwrap().iter().any(|refused| refused == name) {
            return Err(TransportError::new(&Hop::Here, ErrorKind::AuthFailed, "scripted"));
        }
        Ok(Arc::new(Line::default()))
    }
}

/// A connection that ends when the test says so.
#[derive(Default)]
struct Line(AtomicBool);

struct Script(Arc<Machines>);

struct ScriptedJump(Arc<Machines>, Arc<Line>);

impl Connector for Script {
    fn connect<'a>(
        &'a self,
        _: &'a Arc<Environment>,
        _: Lane,
    ) -> BoxFuture<'a, Result<Arc<dyn JumpConnection>, TransportError>> {
        Box::pin(async move {
            let line = self.0.log_in("jump").await?;
            Ok(Arc::new(ScriptedJump(self.0.clone(), line)) as Arc<dyn JumpConnection>)
        })
    }

    fn ask(&self) -> &dyn AskPerson {
        &RefuseAll
    }

    fn signer<'a>(
        &'a self,
        _: &'a Environment,
        _: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<TextSigner, NotSigned>> {
        Box::pin(async { Err(NotSigned("scripted".to_owned())) })
    }
}

impl JumpConnection for ScriptedJump {
    fn host<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, Result<Arc<dyn HostConnection>, TransportError>> {
        Box::pin(async move { Ok(self.0.log_in(host.id.host.as_str()).await? as Arc<dyn HostConnection>) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<Duration, TransportError>> {
        Box::pin(async { Ok(Duration::ZERO) })
    }

    fn closed(&self) -> BoxFuture<'_, TransportError> {
        Box::pin(std::future::pending())
    }

    fn is_closed(&self) -> bool {
        self.1.0.load(Ordering::SeqCst)
    }
}

impl HostConnection for Line {
    fn is_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Session for Line {
    fn exec<'a>(
        &'a self,
        _: &'a str,
        _: &'a [u8],
        _: Limits,
        _: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        self.0.store(true, Ordering::SeqCst);
        Box::pin(async { Err(TransportError::new(&Hop::Here, ErrorKind::Dropped, "ended by the test")) })
    }

    fn start<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async { Err(TransportError::new(&Hop::Here, ErrorKind::Refused, "scripted")) })
    }
}

/// Ends the connection that a session is of.
async fn end(session: &dyn Session) {
    let limits = Limits { time: Duration::from_secs(1), bytes: 0 };
    assert!(session.exec("", b"", limits, &mut |_| ()).await.is_err());
}

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn pool() -> (Arc<Machines>, Arc<SessionPool>) {
    let access = Arc::new(Access {
        user: "ops".to_owned(),
        keys: Vec::new(),
        agent: None,
        password: false,
        known_hosts: KnownHosts::Text(String::new()),
    });
    let name = EnvName::new("production").unwrap();
    let of = |host: &str| {
        Arc::new(Host {
            id: HostId { env: name.clone(), host: HostName::new(host).unwrap() },
            peers: [].into(),
            database_files: [].into(),
            address: "10.0.0.1".to_owned(),
            port: 22,
            access: access.clone(),
            roles: Vec::new(),
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
    let jump = JumpBox {
        name: host("jump"),
        address: "jump".to_owned(),
        port: 22,
        access: access.clone(),
        via: None,
    };
    let env = Environment {
        outside: Default::default(),
        hosts: ["a", "b", "c"].map(of).to_vec(),
        name,
        level: "production".to_owned(),
        guard: Guard::Challenge,
        signatures: Default::default(),
        journals: None,
        lease: Default::default(),
        management: Default::default(),
        contacts: Default::default(),
        domain: None,
        second_jump: None,
        jump: Jump::Remote(jump),
        transport: Default::default(),
        thresholds: Thresholds::default(),
        requirements: Vec::new(),
        cadence: Cadence::default(),
    };
    let machines = Arc::new(Machines::default());
    (machines.clone(), Arc::new(SessionPool::new(Arc::new(Script(machines)), Arc::new(env), Lane::Run)))
}

/// Begins to log in to a host, and leaves it waiting for its person.
async fn begin(
    machines: &Machines,
    pool: &Arc<SessionPool>,
    name: &'static str,
) -> tokio::task::JoinHandle<Result<Arc<dyn Session>, TransportError>> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.host(&host(name)).await });
    machines.until_asked(name).await;
    begun
}

/// Lets every task go on until each waits for somebody else.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn while_a_login_waits_for_a_person_every_other_host_is_usable() {
    let (machines, pool) = pool();
    let known = pool.host(&host("b")).await.unwrap();
    machines.wait_at("a");
    let waiting = begin(&machines, &pool, "a").await;
    let again = pool.host(&host("b")).await.unwrap();
    assert!(Arc::ptr_eq(&known, &again), "a session that exists is handed out");
    pool.host(&host("c")).await.map(drop).unwrap();
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn callers_that_want_the_same_host_share_one_login() {
    let (machines, pool) = pool();
    let gate = machines.wait_at("a");
    let first = begin(&machines, &pool, "a").await;
    let other = pool.clone();
    let second = tokio::spawn(async move { other.host(&host("a")).await });
    settle().await;
    gate.add_permits(9);
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!((machines.count("a"), machines.count("jump")), (1, 1));
}

#[tokio::test]
async fn a_login_that_fails_fails_for_all_who_wait_and_is_tried_again_for_the_next() {
    let (machines, pool) = pool();
    let gate = machines.wait_at("jump");
    machines.refused.lock().unwrap().push("jump".to_owned());
    let waiting: Vec<_> = ["a", "b", "a"]
        .map(|name| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.host(&host(name)).await.map(drop) })
        })
        .into();
    machines.until_asked("jump").await;
    settle().await;
    gate.add_permits(9);
    for caller in waiting {
        assert_eq!(caller.await.unwrap().unwrap_err().kind, ErrorKind::AuthFailed);
    }
    assert_eq!(machines.count("jump"), 1, "one attempt is counted, and one push sent");
    machines.refused.lock().unwrap().clear();
    pool.host(&host("a")).await.map(drop).unwrap();
    assert_eq!(machines.count("jump"), 2);
}

#[tokio::test]
async fn a_login_goes_on_for_those_who_wait_and_is_taken_back_when_nobody_does() {
    let (machines, pool) = pool();
    let gate = machines.wait_at("a");
    let first = begin(&machines, &pool, "a").await;
    let other = pool.clone();
    let second = tokio::spawn(async move { other.host(&host("a")).await });
    settle().await;
    first.abort();
    assert!(first.await.is_err());
    gate.add_permits(1);
    second.await.unwrap().map(drop).unwrap();
    assert_eq!((machines.count("a"), machines.dropped.load(Ordering::SeqCst)), (1, 0));
    machines.wait_at("b");
    let alone = begin(&machines, &pool, "b").await;
    alone.abort();
    assert!(alone.await.is_err());
    assert_eq!(machines.dropped.load(Ordering::SeqCst), 1, "its question goes with it");
}

#[tokio::test]
async fn a_connection_that_ended_is_opened_anew_and_no_other_is() {
    let (machines, pool) = pool();
    let (a, b) = (pool.host(&host("a")).await.unwrap(), pool.host(&host("b")).await.unwrap());
    end(a.as_ref()).await;
    let anew = pool.host(&host("a")).await.unwrap();
    assert!(!Arc::ptr_eq(&a, &anew) && Arc::ptr_eq(&b, &pool.host(&host("b")).await.unwrap()));
    assert_eq!((machines.count("a"), machines.count("b"), machines.count("jump")), (2, 1, 1));
}

#[tokio::test]
async fn a_host_that_is_not_in_the_inventory_is_refused_without_a_login() {
    let (machines, pool) = pool();
    let refused = pool.host(&host("stranger")).await.map(drop).unwrap_err();
    assert_eq!((refused.kind, refused.hop), (ErrorKind::Refused, Hop::Here));
    assert_eq!(machines.count("stranger"), 0);
}

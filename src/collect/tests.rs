//! The actors against scripted links, in paused time: deadlines, blame, retries.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::*;
use crate::openssh::sshsig::{NotSigned, TextSigner};
use crate::transport::ask::{AskPerson, RefuseAll};
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{BoxFuture, Held, HostConnection, JumpConnection, Lane, Limits, Ran, Session};
use jumpdeck_fleet::access::{Access, KnownHosts};
use jumpdeck_fleet::fleet::*;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::{HostId, RoleName};
use jumpdeck_fleet::snapshot::{HostSnapshot, JumpSnapshot, LinkState};

/// How a scripted host behaves.
#[derive(Debug, Clone, PartialEq)]
enum Manner {
    Answers,
    Silent,
    Garbage,
    AnswersAs(&'static str),
    Refuses(ErrorKind),
    /// The jump box is there and will not forward to it.
    NotForwarded,
    /// Answers in time, while this program is stopped for longer than its deadline.
    AnswersIntoAStall,
}

/// A scripted fleet.
#[derive(Clone)]
struct Script {
    manners: Arc<Mutex<HashMap<String, Manner>>>,
    jump_up: Arc<watch::Sender<bool>>,
    logins: Arc<AtomicU32>,
    polls: Arc<AtomicU32>,
    forgotten: Arc<AtomicU32>,
    /// Programs that were started on hosts.
    programs: Arc<AtomicU32>,
}

impl Script {
    fn new() -> Self {
        Self {
            manners: Arc::default(),
            jump_up: Arc::new(watch::channel(true).0),
            logins: Arc::default(),
            polls: Arc::default(),
            forgotten: Arc::default(),
            programs: Arc::default(),
        }
    }

    fn set(&self, host: &str, manner: Manner) {
        self.manners.lock().unwrap().insert(host.to_owned(), manner);
    }

    fn manner(&self, host: &str) -> Manner {
        self.manners.lock().unwrap().get(host).cloned().unwrap_or(Manner::Answers)
    }
}

fn failure(kind: ErrorKind, hop: Hop) -> TransportError {
    TransportError::new(&hop, kind, "scripted")
}

fn jump_name() -> HostName {
    HostName::new("salt").unwrap()
}

impl Connector for Script {
    fn connect<'a>(
        &'a self,
        _: &'a Arc<Environment>,
        lane: Lane,
    ) -> BoxFuture<'a, Result<Arc<dyn JumpConnection>, TransportError>> {
        assert_eq!(lane, Lane::Probe);
        Box::pin(async move {
            if *self.jump_up.borrow() {
                Ok(Arc::new(self.clone()) as Arc<dyn JumpConnection>)
            } else {
                Err(failure(ErrorKind::Unreachable, Hop::Jump(jump_name())))
            }
        })
    }

    fn ask(&self) -> &dyn AskPerson {
        &RefuseAll
    }

    fn signer<'a>(
        &'a self,
        _: &'a Environment,
        _: Option<&'a std::path::Path>,
    ) -> BoxFuture<'a, Result<TextSigner, NotSigned>> {
        Box::pin(async { Err(NotSigned("scripted".to_owned())) })
    }

    fn forget_refusals(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
    }
}

impl JumpConnection for Script {
    fn host<'a>(&'a self, host: &'a Host) -> BoxFuture<'a, Result<Arc<dyn HostConnection>, TransportError>> {
        Box::pin(async move {
            self.logins.fetch_add(1, Ordering::SeqCst);
            let name = host.id.host.to_string();
            match self.manner(&name) {
                Manner::NotForwarded => Err(failure(ErrorKind::Unreachable, Hop::Jump(jump_name()))),
                Manner::Refuses(kind) => Err(failure(kind, Hop::Host(host.id.host.clone()))),
                _ => Ok(Arc::new(ScriptHost { script: self.clone(), name }) as Arc<dyn HostConnection>),
            }
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<Duration, TransportError>> {
        Box::pin(async { Ok(Duration::from_millis(40)) })
    }

    fn closed(&self) -> BoxFuture<'_, TransportError> {
        Box::pin(async move {
            let mut up = self.jump_up.subscribe();
            let _ = up.wait_for(|up| !up).await;
            failure(ErrorKind::Unreachable, Hop::Jump(jump_name()))
        })
    }

    fn is_closed(&self) -> bool {
        !*self.jump_up.borrow()
    }
}

struct ScriptHost {
    script: Script,
    name: String,
}

impl HostConnection for ScriptHost {
    fn is_closed(&self) -> bool {
        false
    }
}

impl Session for ScriptHost {
    fn exec<'a>(
        &'a self,
        _: &'a str,
        _: &'a [u8],
        _: Limits,
        _: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        panic!("the probe has one shell and runs nothing beside it");
    }

    fn start<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        let shell = ScriptShell { script: self.script.clone(), name: self.name.clone(), answers: Vec::new() };
        Box::pin(async move { Ok(Box::new(shell) as Box<dyn Held>) })
    }
}

struct ScriptShell {
    script: Script,
    name: String,
    answers: Vec<Vec<u8>>,
}

impl ScriptShell {
    fn answer(&self, nonce: &str, sections: &[&str]) -> Vec<u8> {
        let hostname = match self.script.manner(&self.name) {
            Manner::AnswersAs(other) => other.to_owned(),
            _ => self.name.clone(),
        };
        let mut text = format!("%{nonce} begin\n");
        for section in sections {
            let body = match *section {
                "identity" => format!("{hostname}\n"),
                "load" => "0.20 0.14 0.10 1/100 4242\n".to_owned(),
                _ => String::new(),
            };
            text.push_str(&format!("%{nonce} section {section} 0\n{body}"));
        }
        text.push_str(&format!("%{nonce} end {}\n", sections.len()));
        text.into_bytes()
    }
}

impl Held for ScriptShell {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let asked = text.lines().rev().find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            (matches!(words.first(), Some(&"jd_main" | &"tick"))).then(|| {
                (words[1].to_owned(), words[2..].iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
            })
        });
        if text.contains("jd_main ") {
            self.script.programs.fetch_add(1, Ordering::SeqCst);
        }
        if let Some((nonce, sections)) = asked {
            self.script.polls.fetch_add(1, Ordering::SeqCst);
            let sections: Vec<&str> = sections.iter().map(String::as_str).collect();
            match self.script.manner(&self.name) {
                Manner::Silent => {}
                Manner::Garbage => self.answers.insert(0, vec![0xff; 64]),
                _ => self.answers.insert(0, self.answer(&nonce, &sections)),
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        let next = self.answers.pop();
        let stalled = self.script.manner(&self.name) == Manner::AnswersIntoAStall;
        Box::pin(async move {
            if stalled {
                crate::listening::answered_into_a_stall(STALLED_DEADLINE).await;
            }
            match next {
                Some(bytes) => Ok(bytes),
                None => std::future::pending().await,
            }
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async { Err(failure(ErrorKind::Dropped, Hop::Here)) })
    }
}

/// A running collector, and what has arrived from it.
struct Bench {
    script: Script,
    collector: Collector,
    events: mpsc::Receiver<FleetEvent>,
    env: EnvName,
    hosts: HashMap<String, Arc<HostSnapshot>>,
    jump: Option<Arc<JumpSnapshot>>,
}

impl Bench {
    fn start(script: Script, hosts: &[&str]) -> Self {
        Self::of(script, fleet(hosts))
    }

    fn of(script: Script, fleet: Fleet) -> Self {
        let fleet = Arc::new(fleet);
        let env = fleet.environments[0].name.clone();
        let (sender, events) = mpsc::channel(64);
        let collector = Collector::new(fleet, Arc::new(script.clone()), Clock::start(), sender);
        collector.activate(&env);
        Self { script, collector, events, env, hosts: HashMap::new(), jump: None }
    }

    /// Takes events until `done` holds; fails when it does not within a minute of (paused) time.
    async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !done(self) {
            let event = tokio::time::timeout_at(deadline, self.events.recv()).await;
            match event.unwrap_or_else(|_| panic!("not within a minute: {what}")).unwrap() {
                FleetEvent::Host(host) => {
                    self.hosts.insert(host.id.host.to_string(), host);
                }
                FleetEvent::Jump(jump) => self.jump = Some(jump),
                _ => {}
            }
        }
    }

    fn state(&self, host: &str) -> Option<LinkState> {
        self.hosts.get(host).map(|h| h.link.state)
    }
}

pub(super) fn fleet(hosts: &[&str]) -> Fleet {
    let access = Arc::new(Access {
        user: "ops".to_owned(),
        keys: Vec::new(),
        agent: None,
        password: false,
        known_hosts: KnownHosts::Text(String::new()),
    });
    let env = EnvName::new("production").unwrap();
    let host = |name: &&str| {
        Arc::new(Host {
            id: HostId { env: env.clone(), host: HostName::new(name).unwrap() },
            peers: [].into(),
            database_files: [].into(),
            address: (*name).to_owned(),
            port: 22,
            access: access.clone(),
            roles: vec![RoleName::new("app").unwrap()],
            roles_declared: true,
            hostname: None,
            sudo: false,
            services: Vec::new(),
            backups: Vec::new(),
            checks: Vec::new(),
            unwatched: Vec::new(),
            logs: Vec::new(),
        })
    };
    Fleet {
        simulated: false,
        environments: vec![Arc::new(Environment {
            outside: Default::default(),
            name: env.clone(),
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
                name: jump_name(),
                address: "salt".to_owned(),
                port: 22,
                access: access.clone(),
                via: None,
            }),
            transport: Transport::Ssh,
            thresholds: Thresholds::default(),
            requirements: Vec::new(),
            cadence: Cadence::default(),
            hosts: hosts.iter().map(host).collect(),
        })],
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_are_asked_at_their_cadence() {
    let mut bench = Bench::start(Script::new(), &["app1"]);
    bench.until("first report", |b| b.state("app1") == Some(LinkState::Up)).await;
    let first = bench.hosts["app1"].clone();
    assert_eq!(first.facts.load.current().unwrap().one, 0.20);
    bench.until("a second report", |b| b.hosts["app1"].generation > first.generation).await;
    let apart = bench.hosts["app1"].reported_at.unwrap().since(first.reported_at.unwrap());
    assert!((5000..5100).contains(&apart.as_millis()), "{apart:?}");
    assert_eq!(bench.script.logins.load(Ordering::SeqCst), 1, "a refresh is no new login");
}

#[tokio::test(start_paused = true)]
async fn a_silent_host_times_out_alone_and_is_tried_again() {
    let script = Script::new();
    script.set("app2", Manner::Silent);
    let mut bench = Bench::start(script, &["app1", "app2"]);
    bench.until("app2 timed out", |b| b.state("app2") == Some(LinkState::TimedOut)).await;
    assert_eq!(bench.state("app1"), Some(LinkState::Up));
    assert_eq!(bench.hosts["app2"].link.hop, Some(Hop::Host(HostName::new("app2").unwrap())));
    bench.script.set("app2", Manner::Answers);
    bench.until("app2 is back", |b| b.state("app2") == Some(LinkState::Up)).await;
}

/// Longer than the answer takes, shorter than the stall.
const STALLED_DEADLINE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_host_that_answers_while_this_program_is_stopped_is_not_late() {
    let script = Script::new();
    script.set("app1", Manner::AnswersIntoAStall);
    let mut fleet = fleet(&["app1"]);
    let env = Arc::get_mut(&mut fleet.environments[0]).unwrap();
    env.cadence.deadline = STALLED_DEADLINE;
    let mut bench = Bench::of(script, fleet);
    bench.until("app1 is judged", |b| b.state("app1").is_some_and(|state| state != LinkState::Pending)).await;
    assert_eq!(bench.state("app1"), Some(LinkState::Up), "{:?}", bench.hosts["app1"].link);
}

#[tokio::test(start_paused = true)]
async fn garbage_is_no_report() {
    let script = Script::new();
    script.set("app1", Manner::Garbage);
    let mut bench = Bench::start(script, &["app1"]);
    bench
        .until("app1 failed", |b| {
            matches!(b.state("app1"), Some(LinkState::TimedOut | LinkState::Unreachable))
        })
        .await;
    assert!(bench.hosts["app1"].facts.load.last().is_none());
}

#[tokio::test(start_paused = true)]
async fn another_machine_that_answers_is_shown_and_its_data_dropped() {
    let script = Script::new();
    script.set("app1", Manner::AnswersAs("app9"));
    let mut bench = Bench::start(script, &["app1"]);
    bench.until("mismatch", |b| b.state("app1") == Some(LinkState::IdentityMismatch)).await;
    let host = &bench.hosts["app1"];
    assert!(host.facts.load.last().is_none());
    assert!(host.link.detail.as_str().contains("app9"));
    assert_eq!(host.link.retry_at, None);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_waits_for_a_person() {
    let script = Script::new();
    script.set("app1", Manner::Refuses(ErrorKind::AuthFailed));
    let mut bench = Bench::start(script, &["app1"]);
    bench.until("refused", |b| b.state("app1") == Some(LinkState::AuthFailed)).await;
    let more = timeout(Duration::from_secs(600), async {
        loop {
            if let Some(FleetEvent::Host(host)) = bench.events.recv().await {
                return host;
            }
        }
    });
    assert!(more.await.is_err(), "tried again by itself");
    assert_eq!(bench.script.logins.load(Ordering::SeqCst), 1);
    assert_eq!(bench.script.forgotten.load(Ordering::SeqCst), 0);

    bench.script.set("app1", Manner::Answers);
    bench.collector.retry(&bench.env, Some(&HostName::new("app1").unwrap()));
    assert_eq!(bench.script.forgotten.load(Ordering::SeqCst), 1, "a refused passphrase would stand for good");
    bench.until("up", |b| b.state("app1") == Some(LinkState::Up)).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_jump_box_is_blamed_and_comes_back_by_itself() {
    let mut bench = Bench::start(Script::new(), &["app1", "app2"]);
    bench.until("all up", |b| ["app1", "app2"].iter().all(|h| b.state(h) == Some(LinkState::Up))).await;
    let before = bench.hosts["app1"].clone();
    bench.script.jump_up.send_replace(false);
    bench
        .until("all lost", |b| {
            ["app1", "app2"].iter().all(|h| b.state(h) == Some(LinkState::Unreachable))
                && b.jump.as_ref().unwrap().link.state == LinkState::Unreachable
        })
        .await;
    assert_eq!(bench.hosts["app1"].link.hop, Some(Hop::Jump(jump_name())));
    assert_eq!(bench.hosts["app1"].reported_at, before.reported_at, "the last report keeps its age");
    bench.script.jump_up.send_replace(true);
    bench.until("all back", |b| ["app1", "app2"].iter().all(|h| b.state(h) == Some(LinkState::Up))).await;
}

#[tokio::test(start_paused = true)]
async fn refresh_asks_now() {
    let mut bench = Bench::start(Script::new(), &["app1"]);
    bench.until("up", |b| b.state("app1") == Some(LinkState::Up)).await;
    let (generation, at) = (bench.hosts["app1"].generation, Instant::now());
    tokio::time::advance(Duration::from_secs(1)).await;
    bench.collector.refresh(&bench.env);
    bench.until("asked", |b| b.hosts["app1"].generation > generation).await;
    assert!(at.elapsed() < Duration::from_secs(2), "{:?}", at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_jump_box_that_will_not_forward_is_not_asked_without_pause() {
    let script = Script::new();
    script.set("app1", Manner::NotForwarded);
    let mut bench = Bench::start(script, &["app1"]);
    bench.until("refused", |b| b.state("app1") == Some(LinkState::Unreachable)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let logins = bench.script.logins.load(Ordering::SeqCst);
    assert!((2..=8).contains(&logins), "{logins} tries in a minute");
}

/// A fleet whose hosts are changed by hand, as an edited inventory has them.
fn edited(hosts: &[&str], change: impl Fn(&mut Environment)) -> Arc<Fleet> {
    let mut fleet = fleet(hosts);
    change(Arc::get_mut(&mut fleet.environments[0]).unwrap());
    Arc::new(fleet)
}

fn host_of<'e>(env: &'e mut Environment, name: &str) -> &'e mut Host {
    let host = env.hosts.iter_mut().find(|host| host.id.host.as_str() == name).unwrap();
    Arc::get_mut(host).unwrap()
}

/// Waits until a host has reported again.
async fn reports_again(bench: &mut Bench, host: &str) {
    let before = bench.hosts[host].generation;
    bench.until("another report", |b| b.hosts[host].generation > before && b.hosts[host].link.is_up()).await;
}

#[tokio::test(start_paused = true)]
async fn an_inventory_read_again_keeps_the_connections_of_hosts_that_did_not_change() {
    let mut bench = Bench::start(Script::new(), &["app1", "app2"]);
    bench.until("both up", |b| ["app1", "app2"].iter().all(|h| b.state(h) == Some(LinkState::Up))).await;
    assert_eq!(bench.script.logins.load(Ordering::SeqCst), 2);
    bench.collector.use_inventory(&edited(&["app1", "app3"], |_| {}));
    bench.until("the new host", |b| b.state("app3") == Some(LinkState::Up)).await;
    reports_again(&mut bench, "app1").await;
    assert_eq!(bench.script.logins.load(Ordering::SeqCst), 3, "only the new host was logged in to");
    let polls = bench.hosts["app2"].generation;
    reports_again(&mut bench, "app1").await;
    assert_eq!(bench.hosts["app2"].generation, polls, "a host that is gone is not asked any more");
    bench.collector.retry(&bench.env, Some(&HostName::new("app2").unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_gets_a_role_is_asked_for_it_over_the_connection_there_is() {
    let mut bench = Bench::start(Script::new(), &["app1"]);
    bench.until("up", |b| b.state("app1") == Some(LinkState::Up)).await;
    let db = edited(&["app1"], |env| host_of(env, "app1").roles = vec![RoleName::new("db").unwrap()]);
    bench.collector.use_inventory(&db);
    reports_again(&mut bench, "app1").await;
    reports_again(&mut bench, "app1").await;
    assert_eq!(bench.script.logins.load(Ordering::SeqCst), 1);
    assert_eq!(bench.script.programs.load(Ordering::SeqCst), 2, "the program that expects a database");
}

#[tokio::test(start_paused = true)]
async fn a_host_with_another_address_is_connected_anew_and_nothing_of_the_old_one_is_kept() {
    let mut bench = Bench::start(Script::new(), &["app1", "app2"]);
    bench.until("both up", |b| ["app1", "app2"].iter().all(|h| b.state(h) == Some(LinkState::Up))).await;
    let moved = edited(&["app1", "app2"], |env| host_of(env, "app1").address = "10.9.9.9".to_owned());
    bench.collector.use_inventory(&moved);
    bench
        .until("it is not known", |b| {
            b.hosts["app1"].address == "10.9.9.9:22" && b.state("app1") == Some(LinkState::Pending)
        })
        .await;
    assert!(bench.hosts["app1"].reported_at.is_none());
    bench.until("it answers", |b| b.state("app1") == Some(LinkState::Up)).await;
    assert_eq!(bench.script.logins.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn another_jump_box_is_another_way_to_every_host() {
    let mut bench = Bench::start(Script::new(), &["app1"]);
    bench.until("up", |b| b.state("app1") == Some(LinkState::Up)).await;
    let elsewhere = edited(&["app1"], |env| {
        if let Jump::Remote(jump) = &mut env.jump {
            jump.address = "salt2".to_owned();
        }
    });
    bench.collector.use_inventory(&elsewhere);
    bench
        .until("the new jump box", |b| {
            b.jump.as_ref().is_some_and(|j| j.address == "salt2:22" && j.link.is_up())
        })
        .await;
    reports_again(&mut bench, "app1").await;
    assert_eq!(bench.script.logins.load(Ordering::SeqCst), 2);
    // An environment that is gone is left.
    let mut none = fleet(&["app1"]);
    none.environments.clear();
    bench.collector.use_inventory(&Arc::new(none));
    let polls = bench.script.polls.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(bench.script.polls.load(Ordering::SeqCst) <= polls + 1);
}

#[tokio::test(start_paused = true)]
async fn a_host_name_in_the_inventory_mends_an_identity_that_did_not_fit() {
    let script = Script::new();
    script.set("app1", Manner::AnswersAs("ip-10-0-0-5"));
    let mut bench = Bench::start(script, &["app1"]);
    bench.until("another machine", |b| b.state("app1") == Some(LinkState::IdentityMismatch)).await;
    let named = edited(&["app1"], |env| host_of(env, "app1").hostname = Some("ip-10-0-0-5".to_owned()));
    bench.collector.use_inventory(&named);
    bench.until("up without a key", |b| b.state("app1") == Some(LinkState::Up)).await;
}

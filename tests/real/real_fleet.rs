//! What a person sees of a real fleet: sshd, MariaDB and a jump box in namespaces (`tests/fleet up`), while things go
//! wrong. Runs when `JUMPDECK_FLEET` names the fleet's directory, as `tests/run` does; says so when it does not.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpdeck::collect::Collector;
use jumpdeck::collect::clock::Clock;
use jumpdeck::config::{files, inventory};
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::judge::{Situation, judge};
use jumpdeck_fleet::outside::OutsideSnapshot;
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
use jumpdeck_fleet::snapshot::{HostSnapshot, JumpSnapshot, LinkState};
use serde_json::Value;
use tokio::sync::mpsc;

mod names;
mod salt;
mod services;
mod shift;

/// The fleet, held by one test at a time: tests change it.
struct Fleet {
    dir: PathBuf,
    _held: File,
}

impl Fleet {
    fn hold() -> Option<Self> {
        let Some(dir) = std::env::var_os("JUMPDECK_FLEET").map(PathBuf::from) else {
            println!("skipped: no real fleet (JUMPDECK_FLEET is not set; tests/run sets it)");
            return None;
        };
        let held = File::create(dir.join("tests.lock")).unwrap();
        held.lock().unwrap();
        Some(Self { dir, _held: held })
    }

    fn verb(&self, args: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fleet");
        let out = Command::new(script).arg("--dir").arg(&self.dir).args(args).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "tests/fleet {args:?}: {stdout}{stderr}");
        stdout.into_owned()
    }

    fn inventory(&self) -> PathBuf {
        self.dir.join("inventory.toml")
    }

    /// `jumpdeck status --format json` and its exit code.
    fn status(&self) -> (Value, i32) {
        let out = Command::new(env!("CARGO_BIN_EXE_jumpdeck"))
            .args(["status", "--format", "json", "--inventory"])
            .arg(self.inventory())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout);
        let document = serde_json::from_str(&text)
            .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&out.stderr)));
        (document, out.status.code().unwrap())
    }

    /// Undoes `undo` when the test ends, however it ends.
    fn undo<'a>(&'a self, undo: &'a [&'a [&'a str]]) -> Undo<'a> {
        Undo { fleet: self, undo }
    }
}

struct Undo<'a> {
    fleet: &'a Fleet,
    undo: &'a [&'a [&'a str]],
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        for verb in self.undo {
            self.fleet.verb(verb);
        }
    }
}

/// The console's eyes: the collecting side, and the newest it told.
struct Watcher {
    env: Arc<Environment>,
    _collector: Collector,
    clock: Clock,
    events: mpsc::Receiver<FleetEvent>,
    jump: Option<Arc<JumpSnapshot>>,
    hosts: HashMap<String, Arc<HostSnapshot>>,
}

impl Watcher {
    async fn start(fleet: &Fleet) -> Self {
        let text = fs::read_to_string(fleet.inventory()).unwrap();
        let parsed = inventory::parse("inventory.toml", &text, &files::context().unwrap()).unwrap();
        let env = parsed.environments[0].clone();
        let (sender, events) = mpsc::channel(1024);
        let reach = Arc::new(SshConnector::new(Arc::new(TcpDial), Arc::new(RefuseAll)));
        let clock = Clock::start();
        let collector = Collector::new(Arc::new(parsed), reach, clock, sender);
        collector.activate(&env.name);
        let mut watcher =
            Self { env, _collector: collector, clock, events, jump: None, hosts: HashMap::new() };
        watcher.until("every host is up", Duration::from_secs(40), Watcher::all_up).await;
        watcher
    }

    async fn next(&mut self, until: Instant) -> bool {
        match tokio::time::timeout_at(until.into(), self.events.recv()).await {
            Ok(Some(FleetEvent::Host(host))) => {
                self.hosts.insert(host.id.host.to_string(), host);
            }
            Ok(Some(FleetEvent::Jump(jump))) => self.jump = Some(jump),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
        true
    }

    async fn until(&mut self, what: &str, limit: Duration, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + limit;
        while !done(self) {
            assert!(self.next(until).await, "not within {limit:?}: {what}\n{}", self.tell());
        }
    }

    /// Looks at all that arrives for so long.
    async fn during(&mut self, time: Duration, mut look: impl FnMut(&Self)) {
        let until = Instant::now() + time;
        while self.next(until).await {
            look(self);
        }
    }

    fn all_up(&self) -> bool {
        self.jump.as_ref().is_some_and(|j| j.link.is_up())
            && self.env.hosts.iter().all(|h| self.state(h.id.host.as_str()) == Some(LinkState::Up))
    }

    fn state(&self, host: &str) -> Option<LinkState> {
        self.hosts.get(host).map(|h| h.link.state)
    }

    fn problems(&self) -> Vec<Problem> {
        let hosts: Vec<Arc<HostSnapshot>> =
            self.env.hosts.iter().filter_map(|h| self.hosts.get(h.id.host.as_str()).cloned()).collect();
        let jump = self.jump.as_ref().unwrap();
        judge(&Situation {
            env: &self.env,
            jump,
            hosts: &hosts,
            outside: &OutsideSnapshot::pending(&self.env.name, &self.env.outside),
            now: self.clock.now(),
        })
        .problems
    }

    fn has(&self, severity: Severity, kind: ProblemKind, host: Option<&str>) -> Option<Problem> {
        self.problems()
            .into_iter()
            .find(|p| p.severity == severity && p.kind == kind && p.host.as_ref().map(|h| h.as_str()) == host)
    }

    fn tell(&self) -> String {
        let hosts: Vec<String> = self
            .hosts
            .values()
            .map(|h| format!("{} {} {}", h.id.host, h.link.state.word(), h.link.detail))
            .collect();
        format!("jump {:?}\n{}", self.jump.as_ref().map(|j| &j.link), hosts.join("\n"))
    }
}

fn host<'a>(document: &'a Value, name: &str) -> &'a Value {
    let hosts = document["hosts"].as_array().unwrap();
    hosts.iter().find(|h| h["name"] == name).unwrap_or_else(|| panic!("no {name} in {document}"))
}

#[test]
fn status_shows_a_writable_master_and_two_encrypted_replicas() {
    let Some(fleet) = Fleet::hold() else { return };
    let (document, code) = fleet.status();
    assert_eq!(code, 0, "{}", document["problems"]);
    assert_eq!(document["simulated"], false);
    assert_eq!(document["jump"]["state"], "up");
    for host in document["hosts"].as_array().unwrap() {
        assert_eq!(host["state"], "up", "{host}");
        assert!(host["load"]["one"].is_number(), "{host}");
        assert_eq!(host["level"], "production");
    }
    let master = &host(&document, "db1-masterdb")["replication"][0];
    assert_eq!((&master["role"], &master["read_only"]), (&"master".into(), &false.into()), "{master}");
    let followers: Vec<u64> =
        master["replicas"].as_array().unwrap().iter().map(|r| r["server_id"].as_u64().unwrap()).collect();
    assert_eq!(followers.len(), 2, "{master}");
    for name in ["db2", "db3"] {
        let replica = &host(&document, name)["replication"][0];
        assert_eq!(replica["role"], "replica", "{replica}");
        assert_eq!(replica["io"], "running", "{replica}");
        assert_eq!(replica["sql"], "running", "{replica}");
        assert_eq!(replica["lag_s"], 0, "{replica}");
        assert_eq!(replica["tls"], true, "{replica}");
        assert_eq!(replica["read_only"], true, "{replica}");
    }
}

#[tokio::test]
async fn a_stopped_sql_thread_is_critical_within_two_polls() {
    let Some(fleet) = Fleet::hold() else { return };
    let mut watcher = Watcher::start(&fleet).await;
    let _undo = fleet.undo(&[&["sql", "db2", "START SLAVE"]]);
    fleet.verb(&["sql", "db2", "STOP SLAVE SQL_THREAD"]);
    // What was asked before the statement ended is no poll of what came after it.
    let stopped = watcher.clock.now();
    let mut polls = 0;
    let mut last = watcher.hosts["db2"].generation;
    loop {
        assert!(watcher.next(Instant::now() + Duration::from_secs(15)).await, "{}", watcher.tell());
        let db2 = &watcher.hosts["db2"];
        if db2.generation > last && db2.reported_at > Some(stopped) {
            polls += 1;
            last = db2.generation;
        }
        if let Some(problem) = watcher.has(Severity::Critical, ProblemKind::Replication, Some("db2")) {
            assert!(problem.message.contains("SQL thread is stopped"), "{}", problem.message);
            break;
        }
        assert!(polls < 2, "two polls, and still not seen");
    }
}

#[tokio::test]
async fn a_stopped_io_thread_never_shows_lag_zero() {
    let Some(fleet) = Fleet::hold() else { return };
    let mut watcher = Watcher::start(&fleet).await;
    let _undo = fleet.undo(&[&["sql", "db2", "START SLAVE"]]);
    fleet.verb(&["sql", "db2", "STOP SLAVE IO_THREAD"]);
    let stopped = watcher.clock.now();
    let mut looked = 0;
    watcher
        .during(Duration::from_secs(16), |w| {
            let db2 = &w.hosts["db2"];
            if db2.reported_at <= Some(stopped) {
                return;
            }
            looked += 1;
            let server = db2.facts.databases.current().unwrap()[0].server.as_ref().unwrap();
            assert_eq!(server.connections.as_ref().unwrap()[0].lag_s(), None);
            let problem = w.has(Severity::Critical, ProblemKind::Replication, Some("db2")).unwrap();
            assert!(problem.message.contains("IO thread is stopped"), "{}", problem.message);
        })
        .await;
    assert!(looked > 1, "nothing arrived");
}

#[tokio::test]
async fn a_second_writable_server_is_critical() {
    let Some(fleet) = Fleet::hold() else { return };
    let mut watcher = Watcher::start(&fleet).await;
    let _undo = fleet.undo(&[&["sql", "db3", "SET GLOBAL read_only = 1"]]);
    fleet.verb(&["sql", "db3", "SET GLOBAL read_only = 0"]);
    let seen = |w: &Watcher| w.has(Severity::Critical, ProblemKind::WritableMasters, None).is_some();
    watcher.until("two writable", Duration::from_secs(15), seen).await;
    let problem = watcher.has(Severity::Critical, ProblemKind::WritableMasters, None).unwrap();
    assert!(problem.message.contains("db1-masterdb, db3"), "{}", problem.message);
}

#[test]
fn a_changed_host_key_is_refused_and_shown() {
    let Some(fleet) = Fleet::hold() else { return };
    let known_hosts = fleet.dir.join("known_hosts");
    let before = fs::read_to_string(&known_hosts).unwrap();
    let old = fleet.verb(&["exec", "app1", "ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"]);
    let old_key = fleet.verb(&["exec", "app1", "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
    fleet.verb(&["rekey", "app1"]);
    let new = fleet.verb(&["exec", "app1", "ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"]);
    let new_key = fleet.verb(&["exec", "app1", "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
    let (document, code) = fleet.status();
    // As an operator would who knows that the host was replaced.
    let base64 = |line: &str| line.split(' ').nth(1).unwrap().trim().to_owned();
    fs::write(&known_hosts, before.replace(&base64(&old_key), &base64(&new_key))).unwrap();

    let app1 = host(&document, "app1");
    assert_eq!(app1["state"], "host_key_changed", "{app1}");
    assert_eq!(app1["load"], Value::Null);
    let detail = app1["state_detail"].as_str().unwrap();
    for line in [&old, &new] {
        let fingerprint = line.split(' ').nth(1).unwrap();
        assert!(detail.contains(fingerprint), "{detail} lacks {fingerprint}");
    }
    assert_eq!(code, 2);
    assert_eq!(host(&document, "app2")["state"], "up");
    let (document, _) = fleet.status();
    assert_eq!(host(&document, "app1")["state"], "up", "after known_hosts was put right");
}

#[tokio::test]
async fn a_dead_jump_box_is_one_problem_and_comes_back_by_itself() {
    let Some(fleet) = Fleet::hold() else { return };
    let mut watcher = Watcher::start(&fleet).await;
    {
        let _undo = fleet.undo(&[&["jump", "start"]]);
        fleet.verb(&["jump", "stop"]);
        let down = |w: &Watcher| w.jump.as_ref().is_some_and(|j| !j.link.is_up());
        watcher.until("the jump box is down", Duration::from_secs(15), down).await;
        watcher
            .during(Duration::from_secs(6), |w| {
                let problems = w.problems();
                assert_eq!(problems.len(), 1, "{problems:#?}");
                assert_eq!(problems[0].kind, ProblemKind::JumpDown);
            })
            .await;
    }
    watcher.until("all is back by itself", Duration::from_secs(60), Watcher::all_up).await;
}

#[tokio::test]
async fn a_frozen_host_holds_nobody_up() {
    let Some(fleet) = Fleet::hold() else { return };
    let mut watcher = Watcher::start(&fleet).await;
    {
        let _undo = fleet.undo(&[&["thaw", "app2"]]);
        fleet.verb(&["freeze", "app2"]);
        let cadence = watcher.env.cadence.poll;
        let mut oldest = Duration::ZERO;
        watcher
            .during(Duration::from_secs(25), |w| {
                let now = w.clock.now();
                let others = w.hosts.values().filter(|h| h.id.host.as_str() != "app2");
                let age = others.map(|h| h.age(now).unwrap()).max().unwrap();
                oldest = oldest.max(age);
                assert!(age < cadence * 2, "a host was {age:?} old");
            })
            .await;
        assert_eq!(watcher.state("app2"), Some(LinkState::TimedOut), "{}", watcher.tell());
        println!("the oldest of the others was {oldest:?} old");
    }
    watcher.until("app2 is back", Duration::from_secs(60), Watcher::all_up).await;
}

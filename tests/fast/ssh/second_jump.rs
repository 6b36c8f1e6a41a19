//! A second jump box, all of them real `sshd`s: the first is killed, or goes silent, while somebody looks; both are gone; the first is
//! back; the second has another key; no run goes through it.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck::collect::Collector;
use jumpdeck::collect::clock::Clock;
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck::transport::{HostSessions, Lane, SessionPool};
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Cadence, Environment, Fleet, Jump, JumpBox};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::snapshot::{HostSnapshot, JumpSnapshot, LinkState};
use tokio::sync::mpsc;

use super::fleet::{Person, access, environment, host, name, remote};
use super::sshd::{Sshd, keygen, public, run};
use super::unprepared;

const LONG: Duration = Duration::from_secs(60);

/// Two jump boxes, and a host behind each of them.
struct Stage {
    dir: tempfile::TempDir,
    first: Sshd,
    second: Sshd,
    host: Sshd,
    env: Environment,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        keygen(&key, "ed25519", "");
        fs::write(dir.path().join("authorized_keys"), public(&key)).unwrap();
        let [first, second, host_sshd] =
            ["jump1", "gw2", "host"].map(|called| Sshd::start(dir.path(), called, ""));
        let known = dir.path().join("known_hosts");
        fs::write(&known, first.known() + &second.known() + &host_sshd.known()).unwrap();
        let login = || access(&key, known.clone());
        let mut env = environment(remote(first.port, login()), Duration::from_secs(2));
        env.cadence = Cadence { poll: Duration::from_secs(1), ..env.cadence };
        env.second_jump = Some(JumpBox {
            name: name("gw2"),
            address: "127.0.0.1".to_owned(),
            port: second.port,
            access: Arc::new(login()),
            via: None,
        });
        let mut db1 = host("db1", host_sshd.port, login());
        db1.hostname = Some(run("hostname", &[]).trim().to_owned());
        env.hosts = vec![Arc::new(db1)];
        Self { dir, first, second, host: host_sshd, env }
    }

    fn watch(&self) -> Watch {
        let env = Arc::new(self.env.clone());
        let fleet = Fleet { environments: vec![env.clone()], simulated: false };
        let (sender, events) = mpsc::channel(64);
        let connector = Arc::new(SshConnector::new(Arc::new(TcpDial), Person::new([])));
        let collector = Collector::new(Arc::new(fleet), connector, Clock::start(), sender);
        collector.activate(&env.name);
        Watch { collector, events, env, jump: None, host: None, states: Vec::new() }
    }

    fn pool(&self, lane: Lane) -> SessionPool {
        let connector = Arc::new(SshConnector::new(Arc::new(TcpDial), Person::new([])));
        SessionPool::new(connector, Arc::new(self.env.clone()), lane)
    }
}

fn kill(sshd: &mut Sshd) {
    sshd.child.kill().unwrap();
    sshd.child.wait().unwrap();
}

/// What the collecting side tells.
struct Watch {
    collector: Collector,
    events: mpsc::Receiver<FleetEvent>,
    env: Arc<Environment>,
    jump: Option<Arc<JumpSnapshot>>,
    host: Option<Arc<HostSnapshot>>,
    /// The states of the host, since they were last looked at.
    states: Vec<LinkState>,
}

impl Watch {
    async fn until(&mut self, what: &str, done: impl Fn(&JumpSnapshot, &HostSnapshot) -> bool) {
        let wait = async {
            loop {
                match self.events.recv().await.unwrap() {
                    FleetEvent::Jump(jump) => self.jump = Some(jump),
                    FleetEvent::Host(host) => {
                        self.states.push(host.link.state);
                        self.host = Some(host);
                    }
                    FleetEvent::Outside(_)
                    | FleetEvent::Question(_)
                    | FleetEvent::QuestionGone(_)
                    | FleetEvent::Inventory(_) => {}
                }
                if let (Some(jump), Some(host)) = (&self.jump, &self.host)
                    && done(jump, host)
                {
                    return;
                }
            }
        };
        let come = tokio::time::timeout(LONG, wait).await;
        assert!(come.is_ok(), "{what}: {:#?} {:?}", self.jump, self.host.as_ref().map(|host| &host.link));
    }

    /// The host reports through this jump box, anew.
    async fn until_seen_through(&mut self, jump: &str) {
        self.until(&format!("up through {jump}"), |now, _| now.link.is_up() && now.in_use().as_str() == jump)
            .await;
        let since = self.jump.as_ref().unwrap().link.since;
        let is_new = |_: &JumpSnapshot, host: &HostSnapshot| {
            host.link.is_up() && host.reported_at.is_some_and(|at| at > since)
        };
        self.until(&format!("a report through {jump}"), is_new).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_is_killed_while_somebody_looks() {
    if unprepared() {
        return;
    }
    let mut stage = Stage::new();
    let mut watch = stage.watch();
    watch.until_seen_through("jump1").await;
    assert!(watch.jump.as_ref().unwrap().is_first_up());
    stage.first.signal_sessions("-KILL");
    kill(&mut stage.first);
    watch.until_seen_through("gw2").await;
    let jump = watch.jump.clone().unwrap();
    let second = jump.second.as_ref().unwrap();
    assert_eq!((jump.name.as_str(), second.first.state), ("jump1", LinkState::Unreachable));
    assert!(second.first.detail.as_str().contains("no connection to 127.0.0.1:"), "{}", second.first.detail);
    assert!(second.first.since <= second.since && second.first.answers.is_none());
    assert!(
        matches!(&jump.left.gap, Some(Gap::Failed(why)) if why.as_str().contains("jump1")),
        "{:?}",
        jump.left
    );
    // Going back to one that is gone changes nothing.
    watch.states.clear();
    watch.collector.retry(&watch.env.name, None);
    let asked = second.first.asked;
    watch
        .until("that it was asked", |now, _| now.second.as_ref().is_some_and(|s| s.first.asked > asked))
        .await;
    assert!(watch.states.iter().all(|state| *state == LinkState::Up), "{:?}", watch.states);
    // When the second is lost as well, neither answers, and that is what is said.
    stage.second.signal_sessions("-KILL");
    kill(&mut stage.second);
    let both =
        |now: &JumpSnapshot, _: &HostSnapshot| now.link.detail.as_str().contains("neither jump box answers");
    watch.until("that both are gone", both).await;
    let link = &watch.jump.as_ref().unwrap().link;
    assert_eq!((link.state, &link.hop), (LinkState::Unreachable, &Some(Hop::Jump(name("jump1")))));
    assert!(link.detail.as_str().contains("check the network of this machine first"), "{}", link.detail);
    assert!(link.retry_at.is_some(), "both are asked again");
    assert!(watch.jump.as_ref().unwrap().second.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_first_is_gone_back_to_when_an_operator_says_so() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let mut watch = stage.watch();
    watch.until_seen_through("jump1").await;
    // Nothing is closed: it only answers no more.
    stage.first.signal_listener("-STOP");
    stage.first.signal_sessions("-STOP");
    watch.until_seen_through("gw2").await;
    assert_eq!(watch.jump.as_ref().unwrap().second.as_ref().unwrap().first.state, LinkState::TimedOut);
    stage.first.signal_sessions("-CONT");
    stage.first.signal_listener("-CONT");
    let answers =
        |now: &JumpSnapshot, _: &HostSnapshot| now.second.as_ref().is_some_and(|s| s.first.answers.is_some());
    watch.until("that it answers again", answers).await;
    // It is not gone back to without a word.
    assert_eq!(watch.jump.as_ref().unwrap().in_use().as_str(), "gw2");
    watch.states.clear();
    watch.collector.retry(&watch.env.name, None);
    watch.until_seen_through("jump1").await;
    assert!(watch.jump.as_ref().unwrap().second.is_none());
    assert!(watch.states.iter().all(|state| *state == LinkState::Up), "no host was lost: {:?}", watch.states);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_with_another_key_is_not_used() {
    if unprepared() {
        return;
    }
    let mut stage = Stage::new();
    let wrong = format!("[127.0.0.1]:{} {}\n", stage.second.port, public(&stage.host.host_key));
    let known = stage.first.known() + &wrong + &stage.host.known();
    fs::write(stage.dir.path().join("known_hosts"), known).unwrap();
    let mut watch = stage.watch();
    watch.until_seen_through("jump1").await;
    stage.first.signal_sessions("-KILL");
    kill(&mut stage.first);
    let refused =
        |now: &JumpSnapshot, _: &HostSnapshot| now.link.detail.as_str().contains("second jump box gw2");
    watch.until("why the second is not used", refused).await;
    let jump = watch.jump.clone().unwrap();
    assert_eq!((jump.link.state, &jump.second), (LinkState::Unreachable, &None), "{}", jump.link.detail);
    assert!(jump.link.detail.as_str().contains("do not log in"), "{}", jump.link.detail);
    // The first is asked again, and the second not.
    assert!(jump.link.retry_at.is_some());
    let alone = |now: &JumpSnapshot, _: &HostSnapshot| {
        !now.link.is_up() && !now.link.detail.as_str().contains("second jump box")
    };
    watch.until("another try, of the first alone", alone).await;
    let known = stage.first.known() + &stage.second.known() + &stage.host.known();
    fs::write(stage.dir.path().join("known_hosts"), known).unwrap();
    watch.collector.retry(&watch.env.name, None);
    watch.until_seen_through("gw2").await;
}

/// A host's key is the one of its name, whichever jump box leads there.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_another_key_is_refused_on_both_routes() {
    if unprepared() {
        return;
    }
    let mut stage = Stage::new();
    let wrong = format!("[127.0.0.1]:{} {}\n", stage.host.port, public(&stage.second.host_key));
    fs::write(stage.dir.path().join("known_hosts"), stage.first.known() + &stage.second.known() + &wrong)
        .unwrap();
    let refused = async |stage: &Stage| {
        let login = stage.pool(Lane::Person).host(&name("db1")).await;
        let error = login.map(|_| ()).unwrap_err();
        assert_eq!((error.state(), error.hop), (LinkState::HostKeyChanged, Hop::Host(name("db1"))));
    };
    refused(&stage).await;
    kill(&mut stage.first);
    refused(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_goes_through_the_second_and_a_run_does_not() {
    if unprepared() {
        return;
    }
    let mut stage = Stage::new();
    let gone: Vec<HostName> = [name("db1"), name("jump1")].into();
    kill(&mut stage.first);
    stage.pool(Lane::Person).host(&gone[0]).await.map(|_| ()).unwrap();
    for host in &gone {
        let refused = stage.pool(Lane::Run).host(host).await.map(|_| ()).unwrap_err();
        assert_eq!(refused.hop, Hop::Jump(name("jump1")));
        let said = refused.to_string();
        assert!(said.contains("leases and journals are there"), "{said}");
    }
    // Without a second one nothing is said of it.
    stage.env.second_jump = None;
    let said = stage.pool(Lane::Run).host(&gone[0]).await.map(|_| ()).unwrap_err().to_string();
    assert!(!said.contains("leases"), "{said}");
    // On the jump box itself there is no other.
    stage.env.jump = Jump::Local { name: name("here") };
    stage.pool(Lane::Person).host(&gone[0]).await.map(|_| ()).unwrap();
}

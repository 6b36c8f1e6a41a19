//! Routes over several jump boxes, and names that host keys are known by.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck::collect::Collector;
use jumpdeck::collect::clock::Clock;
use jumpdeck::transport::error::{ErrorKind, TransportError};
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck::transport::ssh::link::JumpLink;
use jumpdeck_fleet::access::{Access, HostKeyFiles, KnownHosts};
use jumpdeck_fleet::event::{Answer, FleetEvent, QuestionKind};
use jumpdeck_fleet::fleet::{Environment, Fleet, Jump, JumpBox};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::LinkState;
use tokio::sync::mpsc;

use super::door::{Door, Plan, Turn};
use super::fleet::{Person, access, environment, host, name, open, remote};
use super::sshd::{Sshd, keygen, missing, not_root, public};

const SOON: Duration = Duration::from_secs(20);

fn unprepared() -> bool {
    missing(&["sshd", "ssh-keygen"]) || not_root()
}

/// Two jump boxes in a row, and a host behind them.
struct Stage {
    dir: tempfile::TempDir,
    first: Sshd,
    second: Sshd,
    host: Sshd,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        keygen(&dir.path().join("key"), "ed25519", "");
        fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key"))).unwrap();
        let [first, second, host] = ["first", "second", "host"].map(|name| Sshd::start(dir.path(), name, ""));
        fs::write(dir.path().join("known_hosts"), first.known() + &second.known() + &host.known()).unwrap();
        Self { dir, first, second, host }
    }

    fn access(&self) -> Access {
        access(&self.dir.path().join("key"), self.dir.path().join("known_hosts"))
    }

    fn env(&self, (first, second): (u16, u16), access: [Access; 2]) -> Environment {
        let [of_first, of_second] = access.map(Arc::new);
        let jump = |called: &str, port, access: Arc<Access>| JumpBox {
            name: name(called),
            address: "127.0.0.1".to_owned(),
            port,
            access,
            via: None,
        };
        let via = Some(Arc::new(jump("bastion1", first, of_first)));
        environment(Jump::Remote(JumpBox { via, ..jump("bastion2", second, of_second) }), SOON)
    }

    fn usual(&self) -> Environment {
        self.env((self.first.port, self.second.port), [self.access(), self.access()])
    }
}

async fn log_in(env: &Environment) -> Result<JumpLink, TransportError> {
    open(env, &Person::new([]), &Arc::default()).await
}

fn hop(called: &str) -> Hop {
    Hop::Jump(name(called))
}

/// The port that a session came to.
async fn asked_at(link: &JumpLink, called: &str, port: u16, access: Access) -> String {
    let link = link.host(&host(called, port, access)).await.unwrap();
    let said = link.exec("echo $SSH_CONNECTION | cut -d' ' -f4", b"", SOON).await.unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Case 28: two jump boxes in a row; each is a login of its own, and a host of its name is asked over it.
#[tokio::test(flavor = "multi_thread")]
async fn two_jump_boxes_in_a_row() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let link = log_in(&stage.usual()).await.unwrap();
    assert!(link.ping().await.is_ok());
    for (called, sshd) in [("db1", &stage.host), ("bastion1", &stage.first), ("bastion2", &stage.second)] {
        assert_eq!(asked_at(&link, called, stage.host.port, stage.access()).await, sshd.port.to_string());
    }
    // Whichever is lost is named, by the host behind both too.
    let db = link.host(&host("db1", stage.host.port, stage.access())).await.unwrap();
    stage.first.signal_sessions("-KILL");
    assert_eq!(link.closed().await.hop, hop("bastion1"));
    assert_eq!(db.closed().await.hop, hop("bastion1"));
}

/// Case 28: each jump box is named as the failing hop.
#[tokio::test(flavor = "multi_thread")]
async fn the_jump_box_that_fails_is_named() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (first, second) = (stage.first.port, stage.second.port);
    let usual = || [stage.access(), stage.access()];
    let no_keys = || Access { keys: Vec::new(), ..stage.access() };
    let file = stage.dir.path().join("none");
    let unknown = || Access { known_hosts: KnownHosts::own(vec![file.clone()]), ..stage.access() };
    for (env, kind, failing) in [
        (stage.env((free(), second), usual()), ErrorKind::Unreachable, "bastion1"),
        (stage.env((first, free()), usual()), ErrorKind::Unreachable, "bastion2"),
        (stage.env((first, second), [no_keys(), stage.access()]), ErrorKind::NoCredentials, "bastion1"),
        (stage.env((first, second), [stage.access(), no_keys()]), ErrorKind::NoCredentials, "bastion2"),
        (stage.env((first, second), [unknown(), stage.access()]), ErrorKind::HostKeyUnknown, "bastion1"),
        (stage.env((first, second), [stage.access(), unknown()]), ErrorKind::HostKeyUnknown, "bastion2"),
    ] {
        let failed = log_in(&env).await.unwrap_err();
        assert_eq!((failed.kind, &failed.hop), (kind, &hop(failing)), "{failed}");
    }
}

/// Case 28: a jump box that goes silent is named, not the one behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_first_jump_box_is_named() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let env = stage.usual();
    let called = env.name.clone();
    let fleet = Fleet { environments: vec![Arc::new(env)], simulated: false };
    let (sender, mut events) = mpsc::channel(64);
    let reach = Arc::new(SshConnector::new(Arc::new(TcpDial), Person::new([])));
    let collector = Collector::new(Arc::new(fleet), reach, Clock::start(), sender);
    collector.activate(&called);
    let mut stopped = false;
    let lost = async {
        loop {
            let FleetEvent::Jump(jump) = events.recv().await.unwrap() else { continue };
            match jump.link.state {
                LinkState::Up if !stopped => {
                    stage.first.signal_sessions("-STOP");
                    stopped = true;
                }
                LinkState::Up | LinkState::Pending => {}
                _ => return jump,
            }
        }
    };
    let jump = tokio::time::timeout(Duration::from_secs(60), lost).await.unwrap();
    stage.first.signal_sessions("-CONT");
    assert_eq!((jump.link.state, jump.link.hop.clone()), (LinkState::TimedOut, Some(hop("bastion1"))));
}

/// Case 28: the one before it is named also where it went silent after its own answer, and where the connection behind
/// it ends first.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_box_that_goes_silent_after_its_answer_is_named() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let link = log_in(&stage.usual()).await.unwrap();
    let (limit, asked_for) = (Duration::from_secs(1), Duration::from_secs(2));
    stage.second.signal_sessions("-STOP");
    tokio::time::timeout(asked_for, link.ping()).await.unwrap_err();
    assert_eq!(link.silent_hop(limit).await, Some(hop("bastion2")));
    stage.first.signal_sessions("-STOP");
    assert_eq!(link.silent_hop(limit).await, Some(hop("bastion1")));
    assert_eq!(link.closed().await.kind, ErrorKind::TimedOut);
    assert_eq!(link.silent_hop(limit).await, Some(hop("bastion1")));
    for bastion in [&stage.first, &stage.second] {
        bastion.signal_sessions("-CONT");
    }
}

/// Case 28: the host key is looked up by an alias, without a port, and an accepted key is written under it.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_alias_stands_for_address_and_port() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let known = stage.dir.path().join("aliases");
    let with = |files: PathBuf, alias: &str| {
        let files =
            HostKeyFiles { own: vec![files], alias: Some(alias.to_owned()), ..HostKeyFiles::default() };
        let login = Access { known_hosts: KnownHosts::Files(files), ..stage.access() };
        environment(remote(stage.first.port, login), SOON)
    };
    fs::write(&known, format!("app1.test {}\n", public(&stage.first.host_key))).unwrap();
    log_in(&with(known.clone(), "App1.test")).await.unwrap();
    let refused = log_in(&with(known.clone(), "app2.test")).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::HostKeyUnknown, "{refused}");
    let person = Person::new([Answer::Accept]);
    open(&with(known.clone(), "app2.test"), &person, &Arc::default()).await.unwrap();
    let QuestionKind::UnknownHostKey { address, .. } = &person.asked()[0].1 else { panic!("a host key") };
    assert_eq!(*address, format!("127.0.0.1:{} as app2.test", stage.first.port));
    let text = fs::read_to_string(&known).unwrap();
    assert!(text.ends_with(&format!("app2.test {}\n", public(&stage.first.host_key))), "{text}");
    fs::write(&known, format!("app1.test {}\n", public(&stage.second.host_key))).unwrap();
    let refused = log_in(&with(known, "app1.test")).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::HostKeyChanged, "{refused}");
}

/// Case 28: the account's name reaches the server as it is written.
#[tokio::test(flavor = "multi_thread")]
async fn account_names_are_sent_as_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let door = Door::open(Plan { turns: vec![Turn::Opens], preferred: russh::Preferred::DEFAULT }).await;
    let known = dir.path().join("known_hosts");
    fs::write(&known, &door.known).unwrap();
    let names = ["CORP\\alice", "ops+db", "user:target", "me@realm@gate", "svc$"];
    for user in names {
        let login = Access {
            user: user.to_owned(),
            keys: Vec::new(),
            password: true,
            ..access(&known, known.clone())
        };
        log_in(&environment(remote(door.port, login), SOON)).await.unwrap();
    }
    assert_eq!(door.users(), names);
}

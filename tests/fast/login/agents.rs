//! Keys of agents: many of them, of unknown kinds, chosen by their public halves.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jumpdeck::transport::error::{ErrorKind, TransportError};
use jumpdeck::transport::ssh::link::JumpLink;
use jumpdeck_fleet::access::{Access, KeySource};

use super::agent::KeyAgent;
use super::fleet::{Person, access, environment, open, remote};
use super::sshd::{Sshd, fingerprint, keygen, missing, not_root, public, run};

fn unprepared() -> bool {
    missing(&["sshd", "ssh-keygen", "ssh-agent", "ssh-add"]) || not_root()
}

/// A server that lets `right` in, an agent with eight keys of which it is the seventh, and no private key beside.
struct Stage {
    dir: tempfile::TempDir,
    sshd: Sshd,
    agent: KeyAgent,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let agent = KeyAgent::start(dir.path());
        for name in ["a", "b", "c", "d", "e", "f", "right", "g"] {
            keygen(&path(name), "ed25519", "");
            agent.add(&["-q", path(name).to_str().unwrap()]);
            fs::remove_file(path(name)).unwrap();
        }
        fs::write(path("authorized_keys"), public(&path("right"))).unwrap();
        let sshd = Sshd::start(dir.path(), "server", "");
        fs::write(path("known_hosts"), sshd.known()).unwrap();
        Self { dir, sshd, agent }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    async fn log_in(&self, keys: &[&str], agent: Option<PathBuf>) -> Result<JumpLink, TransportError> {
        let file = |name: &&str| KeySource::File { path: self.path(name), certificate: None };
        let login = Access {
            keys: keys.iter().map(file).collect(),
            agent,
            ..access(Path::new("/none"), self.path("known_hosts"))
        };
        let env = environment(remote(self.sshd.port, login), Duration::from_secs(20));
        open(&env, &Person::new([]), &Arc::default()).await
    }

    fn agent(&self) -> Option<PathBuf> {
        Some(self.agent.socket.clone())
    }
}

/// Case 9: the advice for too many keys can be followed: the public half chooses the agent's key.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_chooses_the_key_of_the_agent() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let refused = stage.log_in(&[], stage.agent()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::AuthFailed, "{refused}");
    assert!(refused.to_string().contains("2 more keys were not offered"), "{refused}");
    assert!(refused.to_string().contains("id_ed25519.pub"), "{refused}");
    stage.log_in(&["right.pub"], stage.agent()).await.unwrap();
    stage.log_in(&["a.pub", "right.pub"], stage.agent()).await.unwrap();
    // Named keys and no others: as `IdentitiesOnly` has it.
    let refused = stage.log_in(&["a.pub", "b.pub"], stage.agent()).await.unwrap_err();
    assert!(refused.to_string().contains(&fingerprint(&stage.path("b.pub"))), "{refused}");
    assert!(!refused.to_string().contains(&fingerprint(&stage.path("c.pub"))), "{refused}");
    assert!(!refused.to_string().contains("not offered"), "{refused}");
    // A key that the agent does not hold, and no agent at all.
    keygen(&stage.path("elsewhere"), "ed25519", "");
    let refused = stage.log_in(&["elsewhere.pub"], stage.agent()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NoCredentials, "{refused}");
    assert!(refused.to_string().contains("does not hold this key"), "{refused}");
    let refused = stage.log_in(&["right.pub"], None).await.unwrap_err();
    assert!(refused.to_string().contains("no agent is used"), "{refused}");
}

/// Case 9: where no prompt can follow, six keys are offered, as many as sshd allows, also to a jump box that might ask.
#[tokio::test(flavor = "multi_thread")]
async fn six_keys_are_offered_where_no_prompt_follows() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    fs::write(stage.path("authorized_keys"), public(&stage.path("f"))).unwrap();
    for password in [false, true] {
        let login = Access {
            keys: Vec::new(),
            agent: stage.agent(),
            password,
            ..access(Path::new("/none"), stage.path("known_hosts"))
        };
        let env = environment(remote(stage.sshd.port, login), Duration::from_secs(20));
        let person = Person::new([]);
        open(&env, &person, &Arc::default()).await.unwrap();
        assert!(person.asked().is_empty());
    }
}

/// Case 9: certificates, by file: the agent holds the plain key and signs for its certificate.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_chooses_the_key_of_the_agent_too() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let text = |name: &str| stage.path(name).to_str().unwrap().to_owned();
    keygen(&stage.path("ca"), "ed25519", "");
    fs::write(stage.path("authorized_keys"), format!("cert-authority {}", public(&stage.path("ca"))))
        .unwrap();
    run("ssh-keygen", &["-q", "-s", &text("ca"), "-I", "me", "-n", "root", &text("right.pub")]);
    stage.log_in(&["right-cert.pub"], stage.agent()).await.unwrap();
    // Beside the public key, as beside a private one.
    stage.log_in(&["right.pub"], stage.agent()).await.unwrap();
}

/// Case 10: an agent that holds a key of an unknown kind, first in its list, keeps its other keys.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_an_unknown_kind_takes_no_other_key_away() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    for kind in ["ssh-ed448", "ssh-dss", "sk-new@example.org", "x-cert-v01@openssh.com", "ssh-ed25519"] {
        let socket = stage.path(&format!("with-{}", kind.replace(['@', '/'], "-")));
        put_before(&socket, &stage.agent.socket, kind);
        stage.log_in(&["right.pub"], Some(socket)).await.unwrap();
    }
}

/// Stands before an agent and puts an identity of that kind, with 57 bytes that mean nothing, first in its list.
fn put_before(socket: &Path, upstream: &Path, kind: &'static str) {
    let listener = UnixListener::bind(socket).unwrap();
    let upstream = upstream.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let agent = UnixStream::connect(&upstream).unwrap();
            std::thread::spawn(move || relay(client, agent, kind));
        }
    });
}

fn relay(mut client: UnixStream, mut agent: UnixStream, kind: &str) -> Option<()> {
    let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    loop {
        let request = message(&mut client)?;
        agent.write_all(&string(&request)).ok()?;
        let mut answer = message(&mut agent)?;
        if answer.first() == Some(&12) {
            let count = u32::from_be_bytes(answer[1..5].try_into().unwrap()) + 1;
            let key = [string(kind.as_bytes()), string(&[7; 57])].concat();
            answer = [&[12][..], &count.to_be_bytes(), &string(&key), &string(b"odd"), &answer[5..]].concat();
        }
        client.write_all(&string(&answer)).ok()?;
    }
}

fn message(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

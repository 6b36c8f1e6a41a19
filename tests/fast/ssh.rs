//! The SSH client against real `sshd`s on loopback: verification, login, links through a jump box, scripts.

mod jump_boxes;
mod second_jump;

use crate::support::accounts::Changed;
use crate::support::{agent, fleet, sshd};

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use agent::KeyAgent;
use fleet::{Person, access, environment, host, open, remote, secret};
use jumpdeck::transport::error::ErrorKind;
use jumpdeck::transport::ssh::link::{HostLink, JumpLink};
use jumpdeck::transport::ssh::ring::KeyRing;
use jumpdeck_fleet::access::Access;
use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::fleet::{Host, Jump};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::LinkState;
use sshd::{Sshd, fingerprint, keygen, missing, not_root, public, run};

const SOON: Duration = Duration::from_secs(10);

/// A jump box and a host behind it, a key both accept, and a known_hosts file with both.
struct Stage {
    dir: tempfile::TempDir,
    jump: Sshd,
    host: Sshd,
}

impl Stage {
    fn new() -> Self {
        Self::with("", "")
    }

    fn with(jump: &str, host: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        keygen(&dir.path().join("key"), "ed25519", "");
        fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key"))).unwrap();
        let jump = Sshd::start(dir.path(), "jump", jump);
        let host = Sshd::start(dir.path(), "host", host);
        fs::write(dir.path().join("known_hosts"), jump.known() + &host.known()).unwrap();
        Self { dir, jump, host }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn access(&self) -> Access {
        access(&self.path("key"), self.path("known_hosts"))
    }

    fn host(&self) -> Host {
        host("db1", self.host.port, self.access())
    }

    async fn open(&self) -> JumpLink {
        let env = environment(remote(self.jump.port, self.access()), SOON);
        open(&env, &Person::new([]), &Arc::default()).await.unwrap()
    }
}

async fn output(link: &HostLink, program: &str) -> String {
    let mut script = link.shell().await.unwrap();
    script.write(program.as_bytes()).await.unwrap();
    script.eof().await;
    let mut text = Vec::new();
    while let Some(bytes) = script.read_chunk().await {
        text.extend_from_slice(&bytes);
    }
    assert_eq!(script.end().await.error, None);
    String::from_utf8(text).unwrap()
}

fn unprepared() -> bool {
    missing(&["sshd", "ssh-keygen"]) || not_root()
}

#[tokio::test(flavor = "multi_thread")]
async fn through_the_jump_box_to_a_host() {
    if unprepared() {
        return;
    }
    let banner = tempfile::NamedTempFile::new().unwrap();
    fs::write(banner.path(), "WELCOME\x1b[2J\nproduction\n").unwrap();
    let stage = Stage::with(&format!("Banner {}", banner.path().display()), "");
    let jump = stage.open().await;
    assert_eq!(jump.banner().iter().map(|l| l.as_str()).collect::<Vec<_>>(), ["WELCOME^[[2J", "production"]);
    assert!(!jump.is_local() && jump.ping().await.unwrap() < SOON);

    let link = jump.host(&stage.host()).await.unwrap();
    let mut script = link.shell().await.unwrap();
    script.write(b"echo out $((6 * 7)); echo err >&2; (sleep 0.2; echo late) & exit 3\n").await.unwrap();
    let mut text = Vec::new();
    while let Some(bytes) = script.read_chunk().await {
        text.extend_from_slice(&bytes);
    }
    let end = script.end().await;
    assert_eq!(String::from_utf8(text).unwrap(), "out 42\nlate\n", "the exit status is not the end");
    assert_eq!((end.status, end.stderr[0].as_str(), end.error), (Some(3), "err", None));

    let done = link.exec("cat; echo no >&2; kill -9 $$", b"input", SOON).await.unwrap();
    assert_eq!(
        (done.status, done.stdout.as_slice(), done.stderr.as_slice()),
        (None, &b"input"[..], &b"no\n"[..])
    );
    assert_eq!(done.signal.unwrap().as_str(), "KILL");
    let slow = link.exec("sleep 60", b"", Duration::from_millis(300)).await.unwrap_err();
    assert_eq!((slow.kind, slow.hop), (ErrorKind::TimedOut, Hop::Host(fleet::name("db1"))));
    assert!(link.ping().await.is_ok(), "a command given up leaves the connection standing");

    let own = jump.host(&host("jump1", 1, stage.access())).await.unwrap();
    assert_eq!(
        own.exec("echo $SSH_CONNECTION | cut -d' ' -f4", b"", SOON).await.unwrap().stdout,
        format!("{}\n", stage.jump.port).as_bytes()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_opened_ahead_takes_none_from_those_who_need_one() {
    if unprepared() {
        return;
    }
    let stage = Stage::with("", "MaxSessions 2");
    let jump = stage.open().await;
    let link = jump.host(&stage.host()).await.unwrap().opening_ahead();
    let said = async |word: &str| {
        let done = link.exec(&format!("echo {word}"), b"", SOON).await.unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    for word in ["one", "two", "three", "four"] {
        assert_eq!(said(word).await, format!("{word}\n"));
    }
    // As many at once as the server allows.
    let (fifth, sixth) = tokio::join!(said("five"), said("six"));
    assert_eq!((fifth.as_str(), sixth.as_str()), ("five\n", "six\n"));
    assert_eq!(said("seven").await, "seven\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_one_session_runs_one_command_after_the_other_and_refuses_a_second_one() {
    if unprepared() {
        return;
    }
    let stage = Stage::with("", "MaxSessions 1");
    let jump = stage.open().await;
    for ahead in [true, false] {
        let link = jump.host(&stage.host()).await.unwrap();
        let link = if ahead { link.opening_ahead() } else { link };
        for _ in 0..4 {
            assert_eq!(link.exec("echo here", b"", SOON).await.unwrap().stdout, b"here\n");
        }
        let mut held = link.spawn("echo held; exec cat >/dev/null").await.unwrap();
        assert_eq!(held.read_chunk().await.unwrap().as_ref(), b"held\n");
        let refused = link.exec("echo never", b"", SOON).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Refused, "{refused}");
        assert!(refused.to_string().contains("MaxSessions"), "{refused}");
        held.end().await;
        assert_eq!(link.exec("echo here", b"", SOON).await.unwrap().stdout, b"here\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_hosts_through_one_jump_box_at_sshd_s_own_limits() {
    if unprepared() {
        return;
    }
    // MaxSessions counts no tunnels; one connection never meets MaxStartups.
    let stage = Stage::with("MaxSessions 10\nMaxStartups 10:30:100", "");
    let jump = stage.open().await;
    let hosts: Vec<Host> = (0..30).map(|_| stage.host()).collect();
    let links = futures::future::join_all(hosts.iter().map(|h| jump.host(h))).await;
    for link in links.iter().map(|l| l.as_ref().unwrap()) {
        assert_eq!(output(link, "echo here\n").await, "here\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_refused_or_asked_about_once() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    fs::write(stage.path("known_hosts"), stage.jump.known().trim_end()).unwrap();
    let jump = stage.open().await;
    let refused = jump.host(&stage.host()).await.unwrap_err();
    assert_eq!((refused.state(), refused.kind), (LinkState::HostKeyUnknown, ErrorKind::HostKeyUnknown));
    assert!(refused.to_string().contains(&fingerprint(&stage.host.host_key)), "{refused}");
    assert!(refused.to_string().contains("accept"), "{refused}");

    let person = Person::new([Answer::Accept]);
    // Far less time than the person takes: the clock stands still meanwhile.
    let env = environment(remote(stage.jump.port, stage.access()), SOON);
    let jump = open(&env, &person, &Arc::default()).await.unwrap();
    let host = stage.host();
    let links = tokio::join!(jump.host(&host), jump.host(&host), jump.host(&host));
    assert!(links.0.is_ok() && links.1.is_ok() && links.2.is_ok());
    let file = stage.path("known_hosts");
    let expected = QuestionKind::UnknownHostKey {
        address: format!("127.0.0.1:{}", stage.host.port),
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: fingerprint(&stage.host.host_key),
        file: file.display().to_string(),
    };
    assert_eq!(person.asked(), [(Hop::Host(fleet::name("db1")), expected)]);
    assert_eq!(fs::read_to_string(file).unwrap(), stage.jump.known() + &stage.host.known());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_is_refused_with_both_fingerprints() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let other = stage.path("other");
    keygen(&other, "ed25519", "");
    let known = format!("{}[127.0.0.1]:{} {}\n", stage.jump.known(), stage.host.port, public(&other));
    fs::write(stage.path("known_hosts"), known).unwrap();
    let refused = stage.open().await.host(&stage.host()).await.unwrap_err();
    assert_eq!((refused.state(), &refused.hop), (LinkState::HostKeyChanged, &Hop::Host(fleet::name("db1"))));
    let said = refused.to_string();
    let place = format!("{}:2", stage.path("known_hosts").display());
    for part in [fingerprint(&other), fingerprint(&stage.host.host_key), place] {
        assert!(said.contains(&part), "{said:?} lacks {part}");
    }
    // A host that has no key of the known kind any more is no better.
    let ecdsa = stage.path("ecdsa");
    keygen(&ecdsa, "ecdsa", "");
    let known = format!("{}[127.0.0.1]:{} {}\n", stage.jump.known(), stage.host.port, public(&ecdsa));
    fs::write(stage.path("known_hosts"), known).unwrap();
    let refused = stage.open().await.host(&stage.host()).await.unwrap_err();
    assert_eq!(refused.state(), LinkState::HostKeyChanged, "{refused}");
    // A file that cannot be read is not an empty one.
    fs::remove_file(stage.path("known_hosts")).unwrap();
    fs::create_dir(stage.path("known_hosts")).unwrap();
    let env = environment(remote(stage.jump.port, stage.access()), SOON);
    let refused = open(&env, &Person::new([Answer::Accept]), &Arc::default()).await.unwrap_err();
    assert_eq!((refused.kind, refused.hop), (ErrorKind::KnownHostsFile, Hop::Here));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_once_for_all() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let key = stage.path("locked");
    keygen(&key, "ed25519", "open sesame");
    fs::write(stage.path("authorized_keys"), public(&key) + "\n" + &public(&stage.path("key"))).unwrap();
    let locked = || host("db1", stage.host.port, access(&key, stage.path("known_hosts")));
    let ring = Arc::new(KeyRing::new());
    let env = environment(remote(stage.jump.port, stage.access()), SOON);
    let person = Person::new([secret("wrong"), secret("open sesame")]);
    let jump = open(&env, &person, &ring).await.unwrap();
    let hosts: Vec<Host> = (0..12).map(|_| locked()).collect();
    let links = futures::future::join_all(hosts.iter().map(|h| jump.host(h))).await;
    for link in links {
        link.unwrap();
    }
    let question = |wrong| (Hop::Here, QuestionKind::Passphrase { key: key.display().to_string(), wrong });
    assert_eq!(person.asked(), [question(false), question(true)]);

    // A refusal stands for all, until somebody wants another try.
    let ring = Arc::new(KeyRing::new());
    let person = Person::new([]);
    let jump = open(&env, &person, &ring).await.unwrap();
    let links = futures::future::join_all(hosts.iter().map(|h| jump.host(h))).await;
    for link in links {
        let refused = link.unwrap_err();
        assert_eq!(
            (refused.kind, refused.state()),
            (ErrorKind::NoCredentials, LinkState::AuthFailed),
            "{refused}"
        );
    }
    assert_eq!(person.asked().len(), 1);
    ring.forget_refusals();
    jump.host(&locked()).await.unwrap_err();
    assert_eq!(person.asked().len(), 2);
    // A key the server does not want is not asked about.
    fs::write(stage.path("authorized_keys"), public(&stage.path("key"))).unwrap();
    ring.forget_refusals();
    let refused = jump.host(&locked()).await.unwrap_err();
    assert_eq!((refused.kind, person.asked().len()), (ErrorKind::AuthFailed, 2), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_signs_and_a_dead_one_costs_two_seconds() {
    if unprepared() || missing(&["ssh-agent", "ssh-add"]) {
        return;
    }
    let stage = Stage::new();
    let rsa = stage.path("rsa");
    keygen(&rsa, "rsa", "");
    fs::write(stage.path("authorized_keys"), public(&rsa)).unwrap();
    let agent = KeyAgent::start(stage.dir.path());
    agent.add(&["-q", rsa.to_str().unwrap()]);
    let with = |socket: PathBuf| {
        let access = Access { keys: Vec::new(), agent: Some(socket), ..stage.access() };
        environment(remote(stage.jump.port, access), SOON)
    };
    open(&with(agent.socket.clone()), &Person::new([]), &Arc::default()).await.unwrap();

    let dead = stage.path("dead");
    let _silent = std::os::unix::net::UnixListener::bind(&dead).unwrap();
    let begun = Instant::now();
    let refused = open(&with(dead), &Person::new([]), &Arc::default()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NoCredentials);
    assert!(refused.to_string().contains("did not answer"), "{refused}");
    assert!((Duration::from_secs(2)..Duration::from_secs(4)).contains(&begun.elapsed()));
    // RSA from a file, too.
    let env = environment(remote(stage.jump.port, access(&rsa, stage.path("known_hosts"))), SOON);
    open(&env, &Person::new([]), &Arc::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_users_and_of_hosts() {
    if unprepared() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    keygen(&path("ca"), "ed25519", "");
    keygen(&path("key"), "ed25519", "");
    keygen(&path("good.host_key"), "ed25519", "");
    keygen(&path("bad.host_key"), "ed25519", "");
    run("ssh-keygen", &["-q", "-s", &text("ca"), "-I", "me", "-n", "root", &text("key.pub")]);
    for (name, principal) in [("good", "127.0.0.1"), ("bad", "elsewhere")] {
        let key = text(&format!("{name}.host_key.pub"));
        run("ssh-keygen", &["-q", "-s", &text("ca"), "-I", name, "-h", "-n", principal, &key]);
    }
    fs::write(path("authorized_keys"), "").unwrap();
    let start = |name: &str| {
        let certificate = text(&format!("{name}.host_key-cert.pub"));
        let config = format!("TrustedUserCAKeys {}\nHostCertificate {certificate}", text("ca.pub"));
        Sshd::start(dir.path(), name, &config)
    };
    let (good, bad) = (start("good"), start("bad"));
    fs::write(path("known_hosts"), format!("@cert-authority *,[127.*]:* {}\n", public(&path("ca")))).unwrap();
    let to = |sshd: &Sshd| environment(remote(sshd.port, access(&path("key"), path("known_hosts"))), SOON);
    open(&to(&good), &Person::new([]), &Arc::default()).await.unwrap();
    let person = Person::new([Answer::Accept]);
    let refused = open(&to(&bad), &person, &Arc::default()).await.unwrap_err();
    assert_eq!((refused.kind, person.asked().len()), (ErrorKind::HostCertificate, 0), "{refused}");
    // The authority is withdrawn.
    let mut known = fs::OpenOptions::new().append(true).open(path("known_hosts")).unwrap();
    writeln!(known, "@revoked * {}", public(&path("ca"))).unwrap();
    let refused = open(&to(&good), &person, &Arc::default()).await.unwrap_err();
    assert_eq!((refused.kind, person.asked().len()), (ErrorKind::HostKeyRevoked, 0), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_said_and_a_password_is_asked_for_where_allowed() {
    if unprepared() || missing(&["useradd", "chpasswd"]) {
        return;
    }
    let user = User::new("password", "/bin/sh");
    let mut child = Command::new("chpasswd").stdin(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{}:open sesame", user.0).unwrap();
    assert!(child.wait().unwrap().success());
    let stage = Stage::with("PasswordAuthentication yes", "");
    keygen(&stage.path("stranger"), "ed25519", "");
    let stranger = |password| Access {
        user: user.0.clone(),
        password,
        ..access(&stage.path("stranger"), stage.path("known_hosts"))
    };
    let env = environment(remote(stage.jump.port, stranger(false)), SOON);
    let person = Person::new([secret("wrong"), secret("open sesame")]);
    let refused = open(&env, &person, &Arc::default()).await.unwrap_err();
    assert_eq!((refused.state(), person.asked().len()), (LinkState::AuthFailed, 0));
    assert!(refused.to_string().contains(&fingerprint(&stage.path("stranger"))), "{refused}");
    let env = environment(remote(stage.jump.port, stranger(true)), SOON);
    open(&env, &person, &Arc::default()).await.unwrap();
    assert!(matches!(
        person.asked().as_slice(),
        [(Hop::Jump(_), QuestionKind::Prompt { echo: false, .. }), _]
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_or_dripping_server_hits_the_deadline() {
    let dir = tempfile::tempdir().unwrap();
    keygen(&dir.path().join("key"), "ed25519", "");
    for drip in [false, true] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            if !drip {
                let mut all = Vec::new();
                // Ends when the client has let the socket go.
                return tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut all).await.map(|_| ());
            }
            for byte in b"SSH-2.0-slow\r\n\0\0\xff\xff".iter().chain(std::iter::repeat(&0)) {
                tokio::io::AsyncWriteExt::write_all(&mut stream, &[*byte]).await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(())
        });
        let access = access(&dir.path().join("key"), dir.path().join("known_hosts"));
        let env = environment(remote(port, access), Duration::from_secs(1));
        let begun = Instant::now();
        let late = open(&env, &Person::new([]), &Arc::default()).await.unwrap_err();
        assert_eq!((late.state(), late.hop), (LinkState::TimedOut, Hop::Jump(fleet::name("jump1"))));
        assert!((Duration::from_secs(1)..Duration::from_secs(3)).contains(&begun.elapsed()), "{drip}");
        // The socket is let go too, in the middle of a key exchange even.
        let _ = tokio::time::timeout(Duration::from_secs(5), server).await.expect("the connection must end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_listen_or_does_not_speak_ssh_is_told_apart() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let jump = stage.open().await;
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = jump.host(&host("db2", free(), stage.access())).await.unwrap_err();
    assert_eq!((refused.kind, refused.hop), (ErrorKind::Unreachable, Hop::Host(fleet::name("db2"))));
    let env = environment(remote(free(), stage.access()), SOON);
    let refused = open(&env, &Person::new([]), &Arc::default()).await.unwrap_err();
    assert_eq!((refused.kind, &refused.hop), (ErrorKind::Unreachable, &Hop::Jump(fleet::name("jump1"))));
    assert!(refused.to_string().contains("refused"), "{refused}");

    let stage = Stage::with("AllowTcpForwarding no", "");
    let refused = stage.open().await.host(&stage.host()).await.unwrap_err();
    assert_eq!((refused.kind, refused.hop), (ErrorKind::Refused, Hop::Jump(fleet::name("jump1"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_box_without_sessions_still_forwards() {
    if unprepared() {
        return;
    }
    let stage = Stage::with("MaxSessions 0", "");
    let jump = stage.open().await;
    let link = jump.host(&stage.host()).await.unwrap();
    assert_eq!(output(&link, "echo fine\n").await, "fine\n");
    let own = jump.host(&host("jump1", 1, stage.access())).await.unwrap();
    assert_eq!(own.shell().await.unwrap_err().kind, ErrorKind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_is_noticed() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let jump = stage.open().await;
    let link = jump.host(&stage.host()).await.unwrap();
    stage.host.signal_sessions("-STOP");
    let begun = Instant::now();
    let why = tokio::time::timeout(Duration::from_secs(15), link.closed()).await.unwrap();
    stage.host.signal_sessions("-CONT");
    assert_eq!((why.state(), why.hop), (LinkState::TimedOut, Hop::Host(fleet::name("db1"))));
    assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
    assert!(jump.ping().await.is_ok(), "the jump box is well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_in_the_middle_of_a_report() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let jump = stage.open().await;
    for jump_box in [false, true] {
        let link = jump.host(&stage.host()).await.unwrap();
        let mut script = link.shell().await.unwrap();
        script.write(b"echo half; sleep 60; echo never\n").await.unwrap();
        assert_eq!(script.read_chunk().await.unwrap().as_ref(), b"half\n");
        let (lost, hop) = match jump_box {
            false => (&stage.host, Hop::Host(fleet::name("db1"))),
            true => (&stage.jump, Hop::Jump(fleet::name("jump1"))),
        };
        lost.signal_sessions("-KILL");
        assert_eq!(script.read_chunk().await, None);
        assert!(script.write(b"echo more\n").await.is_err());
        let end = script.end().await;
        let error = end.error.unwrap();
        assert_eq!((error.kind, &error.hop), (ErrorKind::Dropped, &hop), "{error}");
        assert_eq!(link.closed().await.hop, hop);
        assert!(link.ping().await.is_err() && link.shell().await.is_err());
    }
    assert_eq!(jump.closed().await.state(), LinkState::Unreachable);
    assert!(jump.host(&stage.host()).await.is_err_and(|e| e.hop == Hop::Jump(fleet::name("jump1"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flooding_host_is_bounded_and_delays_nobody() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let jump = stage.open().await;
    let link = jump.host(&stage.host()).await.unwrap();
    // Nobody reads it.
    let flood = link.shell().await.unwrap();
    flood.write(b"exec yes flooding\n").await.unwrap();
    let flooded = link.exec("yes", b"", SOON).await.unwrap_err();
    assert_eq!(flooded.kind, ErrorKind::Flooding);
    for _ in 0..20 {
        assert!(jump.ping().await.unwrap() < Duration::from_secs(1));
        assert!(link.ping().await.unwrap() < Duration::from_secs(1));
    }
    assert_eq!(flood.end().await.error.unwrap().kind, ErrorKind::Flooding);
    assert_eq!(output(&link, "echo still here\n").await, "still here\n");
    // Standard error is kept at its end only.
    let loud = link.exec("yes err | head -c 300000 >&2; echo last >&2", b"", SOON).await.unwrap();
    assert!(loud.stderr.len() <= 4096 && loud.stderr.ends_with(b"last\n"));
}

/// A user of this machine; removed when dropped.
struct User(String, #[allow(dead_code)] Changed);

impl User {
    fn new(what: &str, shell: &str) -> Self {
        let changing = Changed::begin();
        let name = format!("jd{}{what}", std::process::id() % 100_000);
        run("useradd", &["-M", "-d", "/tmp", "-s", shell, "-p", "*", &name]);
        Self(name, changing)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = Command::new("userdel").arg(&self.0).stderr(Stdio::null()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_does_not_care_for_the_login_shell() {
    if unprepared() || missing(&["useradd", "fish", "zsh", "tcsh", "dash"]) {
        return;
    }
    let stage = Stage::new();
    let jump = stage.open().await;
    for shell in ["bash", "dash", "zsh", "fish", "tcsh"] {
        let user = User::new(shell, &run("which", &[shell]).trim().replace("/bin/bin", "/bin"));
        let login = Access { user: user.0.clone(), ..stage.access() };
        let link = jump.host(&host("db1", stage.host.port, login)).await.unwrap();
        let said = output(&link, "a='$x' b=\\\"; printf '%s|' \"$a\" \"$b\" \"${0##*/}\"; id -un\n").await;
        assert_eq!(said, format!("$x|\"|sh|{}\n", user.0), "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_jump_box_hosts_are_reached_directly_and_this_machine_without_ssh() {
    if unprepared() {
        return;
    }
    let stage = Stage::new();
    let env = environment(Jump::Local { name: fleet::name("here") }, SOON);
    let jump = open(&env, &Person::new([]), &Arc::default()).await.unwrap();
    assert!(jump.is_local());
    let link = jump.host(&stage.host()).await.unwrap();
    assert_eq!(output(&link, "echo direct\n").await, "direct\n");
    let here = jump.host(&host("here", 1, stage.access())).await.unwrap();
    assert_eq!(output(&here, "echo $PPID\n").await, format!("{}\n", std::process::id()));
    let done = here.exec("cat; exit 4", b"in", SOON).await.unwrap();
    assert_eq!((done.status, done.stdout.as_slice()), (Some(4), &b"in"[..]));
    assert_eq!(here.exec("yes", b"", SOON).await.unwrap_err().kind, ErrorKind::Flooding);
    assert_eq!(
        here.exec("sleep 60", b"", Duration::from_millis(100)).await.unwrap_err().kind,
        ErrorKind::TimedOut
    );
}

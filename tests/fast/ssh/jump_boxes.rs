//! Several jump boxes in a row, each a real `sshd`: one is reached through the one before it, the one that fails is named.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck::transport::error::TransportError;
use jumpdeck::transport::ssh::link::JumpLink;
use jumpdeck_fleet::access::Access;
use jumpdeck_fleet::fleet::{Jump, JumpBox};
use jumpdeck_fleet::hop::Hop;

use super::fleet::{Person, access, environment, host, name, open};
use super::sshd::{Sshd, keygen, public};
use super::{SOON, unprepared};

/// Three jump boxes and a host behind them.
struct Row {
    dir: tempfile::TempDir,
    jumps: Vec<Sshd>,
    host: Sshd,
}

impl Row {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        keygen(&dir.path().join("key"), "ed25519", "");
        fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key"))).unwrap();
        let jumps: Vec<Sshd> = ["edge", "inner", "salt"].map(|jump| Sshd::start(dir.path(), jump, "")).into();
        let host = Sshd::start(dir.path(), "host", "");
        let known: String = jumps.iter().chain([&host]).map(Sshd::known).collect();
        fs::write(dir.path().join("known_hosts"), known).unwrap();
        Self { dir, jumps, host }
    }

    fn access(&self) -> Access {
        access(&self.dir.path().join("key"), self.dir.path().join("known_hosts"))
    }

    fn jump(&self) -> Jump {
        let mut before = None;
        for (sshd, called) in self.jumps.iter().zip(["edge", "inner", "salt"]) {
            before = Some(Arc::new(JumpBox {
                name: name(called),
                address: "127.0.0.1".to_owned(),
                port: sshd.port,
                access: Arc::new(self.access()),
                via: before,
            }));
        }
        Jump::Remote(Arc::unwrap_or_clone(before.unwrap()))
    }

    async fn open(&self) -> Result<JumpLink, TransportError> {
        open(&environment(self.jump(), SOON), &Person::new([]), &Arc::default()).await
    }

    /// The client's port of the connection that a command runs in, and the server's.
    async fn ports(&self, link: &JumpLink, of: &str, port: u16) -> (String, String) {
        let link = link.host(&host(of, port, self.access())).await.unwrap();
        let said = link.exec("echo $SSH_CONNECTION", b"", SOON).await.unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        (words[1].to_owned(), words[3].to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_reached_through_the_one_before_it() {
    if unprepared() {
        return;
    }
    let row = Row::new();
    let link = row.open().await.unwrap();
    assert!(link.ping().await.unwrap() < SOON);
    let (_, port) = row.ports(&link, "db1", row.host.port).await;
    assert_eq!(port, row.host.port.to_string());
    // A jump box that is a host, too, is asked over its own connection, the last as the first.
    for (jump, sshd) in ["edge", "inner", "salt"].into_iter().zip(&row.jumps) {
        let (client, server) = row.ports(&link, jump, 1).await;
        assert_eq!(server, sshd.port.to_string(), "{jump}");
        assert_eq!(row.ports(&link, jump, 1).await.0, client, "{jump}: one connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_that_fails_is_named() {
    if unprepared() {
        return;
    }
    for (at, failing) in ["edge", "inner", "salt"].into_iter().enumerate() {
        let mut row = Row::new();
        let link = row.open().await.unwrap();
        // It goes while everything is connected.
        row.jumps[at].signal_sessions("-KILL");
        row.jumps[at].child.kill().unwrap();
        row.jumps[at].child.wait().unwrap();
        let lost = tokio::time::timeout(Duration::from_secs(60), link.closed()).await.unwrap();
        assert_eq!(lost.hop, Hop::Jump(name(failing)), "{}", lost.describe());
        // It does not come back.
        let refused = row.open().await.map(|_| ()).unwrap_err();
        assert_eq!(refused.hop, Hop::Jump(name(failing)), "{}", refused.describe());
    }
}

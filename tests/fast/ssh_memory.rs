//! The SSH client over an in-memory pipe, against a server that does what no `sshd` does.

use crate::support::fleet;
use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleet::{Person, access, environment, host, remote};
use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::error::ErrorKind;
use jumpdeck::transport::ssh::dial::{BoxStream, Dial};
use jumpdeck::transport::ssh::link::JumpLink;
use jumpdeck::transport::ssh::ring::KeyRing;
use jumpdeck_fleet::access::{Access, KeySource, KnownHosts};
use jumpdeck_fleet::event::Answer;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::LinkState;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, Preferred, cipher, kex};

/// Opens pipes to a [`Hostile`] server.
struct MemoryDial(Arc<Config>);

impl Dial for MemoryDial {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(russh::server::run_stream(self.0.clone(), far, Hostile));
        Box::pin(async move { Ok(Box::new(near) as BoxStream) })
    }
}

/// Opens channels to its client.
struct Hostile;

impl Handler for Hostile {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(id)?;
        if command == b"lengths" {
            return Ok(());
        }
        let handle = session.handle();
        tokio::spawn(async move {
            let opened = open_everything(&handle).await;
            handle.data(id, opened.join(" ").into_bytes()).await.unwrap();
            handle.exit_status_request(id, 0).await.unwrap();
            handle.close(id).await.unwrap();
        });
        Ok(())
    }

    /// Answers with how much came at once.
    async fn data(&mut self, id: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        session.data(id, format!("{}\n", data.len()).into_bytes())
    }
}

async fn open_everything(handle: &Handle) -> Vec<String> {
    let attempts = [
        ("forwarded-tcpip", handle.channel_open_forwarded_tcpip("a", 1, "b", 2).await.is_ok()),
        ("forwarded-streamlocal", handle.channel_open_forwarded_streamlocal("/a").await.is_ok()),
        ("direct-tcpip", handle.channel_open_direct_tcpip("localhost", 22, "b", 2).await.is_ok()),
        ("direct-streamlocal", handle.channel_open_direct_streamlocal("/a").await.is_ok()),
        ("session", handle.channel_open_session().await.is_ok()),
        ("x11", handle.channel_open_x11("b", 2).await.is_ok()),
        ("agent", handle.channel_open_agent().await.is_ok()),
    ];
    let words =
        attempts.iter().map(|(kind, opened)| format!("{kind}:{}", if *opened { "OPENED" } else { "no" }));
    words.collect()
}

struct Stage {
    env: Environment,
    access: Access,
    key: PrivateKey,
}

fn stage(known: bool) -> Stage {
    let new_key = || PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap();
    let (key, own) = (new_key(), new_key());
    let line = format!("127.0.0.1 {}", key.public_key().to_openssh().unwrap());
    let access = Access {
        keys: vec![KeySource::Memory(own.to_openssh(LineEnding::LF).unwrap().to_string())],
        known_hosts: KnownHosts::Text(if known { line } else { String::new() }),
        ..access(Path::new("/"), "/".into())
    };
    Stage { env: environment(remote(22, access.clone()), Duration::from_secs(10)), access, key }
}

fn server(key: &PrivateKey, preferred: Preferred) -> Arc<MemoryDial> {
    let config = Config { keys: vec![key.clone()], preferred, ..Config::default() };
    Arc::new(MemoryDial(Arc::new(config)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_opens_no_channel_to_us() {
    let Stage { env, access, key } = stage(true);
    let dial = server(&key, Preferred::default());
    let jump = JumpLink::open(&env, dial, Person::new([]), Arc::default()).await.unwrap();
    let own = jump.host(&host("jump1", 22, access)).await.unwrap();
    let tried = own.exec("try", b"", Duration::from_secs(10)).await.unwrap();
    let tried = String::from_utf8(tried.stdout).unwrap();
    assert_eq!((tried.matches(":no").count(), tried.contains("OPENED")), (7, false), "{tried}");
}

/// A connection keeps buffers as large as the most that was ever sent at once: the program of a host goes in pieces.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_to_a_program_goes_in_small_pieces() {
    const LONG: usize = 60_000;
    let Stage { env, access, key } = stage(true);
    let dial = server(&key, Preferred::default());
    let jump = JumpLink::open(&env, dial, Person::new([]), Arc::default()).await.unwrap();
    let own = jump.host(&host("jump1", 22, access)).await.unwrap();
    let mut program = own.spawn("lengths").await.unwrap();
    program.write(&[b'x'; LONG]).await.unwrap();
    let (mut said, mut lengths) = (String::new(), Vec::<usize>::new());
    while lengths.iter().sum::<usize>() < LONG {
        let chunk = program.read_chunk().await.expect("the program goes on");
        said.push_str(core::str::from_utf8(&chunk).unwrap());
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        lengths = whole.lines().map(|line| line.parse().unwrap()).collect();
    }
    assert_eq!(lengths.iter().sum::<usize>(), LONG);
    assert!(lengths.iter().all(|length| *length <= 8192), "{lengths:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_terrapin_can_touch_needs_strict_key_exchange() {
    let Stage { env, key, .. } = stage(true);
    let lax = |cipher: cipher::Name| Preferred {
        kex: Cow::Owned(vec![kex::CURVE25519]),
        cipher: Cow::Owned(vec![cipher]),
        ..Preferred::default()
    };
    let open = |dial| JumpLink::open(&env, dial, Person::new([]), Arc::default());
    let refused = open(server(&key, lax(cipher::CHACHA20_POLY1305))).await.unwrap_err();
    assert_eq!((refused.kind, refused.hop), (ErrorKind::Algorithms, Hop::Jump(fleet::name("jump1"))));
    open(server(&key, lax(cipher::AES_256_GCM))).await.unwrap();
    // Encrypt-and-MAC comes first, so a server without strict key exchange is served by CTR too.
    open(server(&key, lax(cipher::AES_256_CTR))).await.unwrap();
    let old = Preferred { kex: Cow::Owned(vec![kex::DH_G14_SHA1]), ..Preferred::default() };
    assert_eq!(open(server(&key, old)).await.unwrap_err().kind, ErrorKind::Algorithms);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_no_file_can_hold_is_remembered_for_its_environment() {
    let Stage { env, key, .. } = stage(false);
    let dial = server(&key, Preferred::default());
    let ring = Arc::new(KeyRing::new());
    let person = Person::new([Answer::Accept]);
    let open = |env: Environment| {
        let (dial, person, ring) = (dial.clone(), person.clone(), ring.clone());
        async move { JumpLink::open(&env, dial, person, ring).await }
    };
    open(env.clone()).await.unwrap();
    open(env.clone()).await.unwrap();
    assert_eq!(person.asked().len(), 1);
    // Another fleet may well use the same address for another machine.
    let other = Environment { name: jumpdeck_fleet::names::EnvName::new("other").unwrap(), ..env };
    assert_eq!(open(other).await.unwrap_err().state(), LinkState::HostKeyUnknown);
}

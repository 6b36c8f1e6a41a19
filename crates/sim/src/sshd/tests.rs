//! A real SSH client (russh) against the simulated servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, AuthResult, Handle};
use russh::keys::{PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate, decode_secret_key};
use russh::{ChannelMsg, Pty};

use super::SimFleet;
use super::fault::Fault;
use crate::sshd::stream::Stream;
use crate::world::universe::Universe;
use jumpdeck_fleet::names::{EnvName, HostId, HostName};

struct Trusting {
    seen: Arc<std::sync::Mutex<Option<PublicKey>>>,
    banner: Arc<std::sync::Mutex<String>>,
}

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = key {
            *self.seen.lock().unwrap() = Some(key.clone());
        }
        Ok(true)
    }

    async fn auth_banner(&mut self, text: &str, _: &mut client::Session) -> Result<(), Self::Error> {
        self.banner.lock().unwrap().push_str(text);
        Ok(())
    }
}

struct Peer {
    handle: Handle<Trusting>,
    key: PublicKey,
    banner: String,
    accepted: bool,
}

async fn log_in(fleet: &SimFleet, stream: impl Stream) -> Result<Peer, russh::Error> {
    let (seen, banner) = (Arc::default(), Arc::default());
    let handler = Trusting { seen: Arc::clone(&seen), banner: Arc::clone(&banner) };
    let mut handle = client::connect_stream(Arc::default(), stream, handler).await?;
    let key = decode_secret_key(&fleet.client_key(), None).unwrap();
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
    let result = handle.authenticate_publickey("root", key).await?;
    let accepted = matches!(result, AuthResult::Success);
    let key = seen.lock().unwrap().clone().unwrap();
    let banner = banner.lock().unwrap().clone();
    Ok(Peer { handle, key, banner, accepted })
}

fn production() -> EnvName {
    EnvName::new("production").unwrap()
}

fn host(name: &str) -> HostId {
    HostId { env: production(), host: HostName::new(name).unwrap() }
}

fn fleet() -> (SimFleet, String) {
    let universe = Universe::load_still("wpd-2015", 1).unwrap();
    let address = universe.jumps().find(|(name, ..)| **name == production()).unwrap().2.to_owned();
    (SimFleet::start(&universe), address)
}

async fn jump(fleet: &SimFleet, address: &str) -> Peer {
    let stream = fleet.connect(address, 22).unwrap();
    log_in(fleet, stream).await.unwrap()
}

async fn through(fleet: &SimFleet, jump: &Peer, name: &str) -> Result<Peer, russh::Error> {
    let channel = jump.handle.channel_open_direct_tcpip(name, 22, "127.0.0.1", 0).await?;
    log_in(fleet, channel.into_stream()).await
}

/// Output, errors, status; `None` when the channel ended without one.
async fn exec(peer: &Peer, command: &str, stdin: &[u8]) -> (String, String, Option<u32>) {
    let mut channel = peer.handle.channel_open_session().await.unwrap();
    channel.exec(true, command).await.unwrap();
    if !stdin.is_empty() {
        channel.data(stdin).await.unwrap();
    }
    channel.eof().await.unwrap();
    let (mut out, mut err, mut status) = (Vec::new(), Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => out.extend_from_slice(&data),
            ChannelMsg::ExtendedData { data, .. } => err.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            _ => {}
        }
    }
    (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned(), status)
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("in time")
}

#[tokio::test]
async fn a_command_runs_on_a_host_behind_the_jump_box() {
    soon(async {
        let (fleet, address) = fleet();
        let jump = jump(&fleet, &address).await;
        assert!(jump.banner.contains("PRODUCTION") && jump.banner.contains("SIMULATED"), "{}", jump.banner);
        let app1 = through(&fleet, &jump, "app1").await.unwrap();
        assert!(app1.banner.is_empty());
        let (out, err, status) =
            exec(&app1, "cat /etc/hostname -; echo oops >&2; exit 7", b"from stdin\n").await;
        assert_eq!((out.as_str(), err.as_str(), status), ("app1\nfrom stdin\n", "oops\n", Some(7)));
        let (out, err, status) = exec(&app1, "nonsense", b"").await;
        assert_eq!((out.as_str(), status), ("", Some(127)));
        assert!(err.contains("nonsense: command not found"), "{err}");
    })
    .await;
}

#[tokio::test]
async fn every_machine_shows_the_key_that_known_hosts_lists() {
    soon(async {
        let (fleet, address) = fleet();
        let text = fleet.known_hosts(&production());
        let listed = |name: &str| {
            let line =
                text.lines().find(|l| l.split(' ').next().unwrap().split(',').any(|n| n == name)).unwrap();
            PublicKey::from_openssh(line.split_once(' ').unwrap().1).unwrap()
        };
        let jump = jump(&fleet, &address).await;
        assert_eq!(jump.key, listed(&address));
        let app1 = through(&fleet, &jump, "app1").await.unwrap();
        assert_eq!(app1.key, listed("app1"));
        assert_ne!(app1.key, jump.key);
    })
    .await;
}

#[tokio::test]
async fn from_outside_only_the_jump_box_answers() {
    let (fleet, address) = fleet();
    for (address, port) in [("app1", 22), ("10.0.0.1", 22), (address.as_str(), 80)] {
        let refused = fleet.connect(address, port).err().expect("refused");
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused, "{address}:{port}");
    }
    assert!(fleet.listen(&production(), "0.0.0.0:0".parse().unwrap()).await.is_err());
}

#[tokio::test]
async fn faults_do_what_they_say() {
    soon(async {
        let (fleet, address) = fleet();
        let jump = jump(&fleet, &address).await;
        let before = through(&fleet, &jump, "app1").await.unwrap();

        assert!(fleet.set_fault(&host("app1"), Some(Fault::Garbage)));
        let (out, _, status) = exec(&before, "echo hello; echo hello", b"").await;
        assert!(out.contains('\u{1b}') && !out.contains("hello") && status == Some(0), "{out:?}");

        fleet.set_fault(&host("app1"), Some(Fault::AnswersAs(HostName::new("app2").unwrap())));
        let other = through(&fleet, &jump, "app1").await.unwrap();
        assert_eq!(other.key, before.key);
        assert_eq!(exec(&other, "cat /etc/hostname", b"").await.0, "app2\n");

        fleet.set_fault(&host("app1"), Some(Fault::ChangedKey));
        assert_ne!(through(&fleet, &jump, "app1").await.unwrap().key, before.key);

        fleet.set_fault(&host("app1"), Some(Fault::AuthFail));
        assert!(!through(&fleet, &jump, "app1").await.unwrap().accepted);

        fleet.set_fault(&host("app1"), Some(Fault::Refuse));
        assert!(matches!(through(&fleet, &jump, "app1").await, Err(russh::Error::ChannelOpenFailure(_))));

        fleet.set_fault(&host("app1"), None);
        let again = through(&fleet, &jump, "app1").await.unwrap();
        assert_eq!(again.key, before.key);
        fleet.set_fault(&host("app1"), Some(Fault::DropMidReport));
        let (out, _, status) = exec(&again, "echo 0123456789", b"").await;
        assert_eq!((out.as_str(), status), ("01234", None));

        fleet.set_fault(&host("app1"), None);
        let again = through(&fleet, &jump, "app1").await.unwrap();
        fleet.set_fault(&host("app1"), Some(Fault::Flood));
        let mut channel = again.handle.channel_open_session().await.unwrap();
        channel.exec(true, "echo hello").await.unwrap();
        let mut flooded = 0;
        while flooded < 1 << 17 {
            if let ChannelMsg::Data { data } = channel.wait().await.expect("more") {
                flooded += data.len();
            }
        }

        assert!(!fleet.set_fault(&host("nobody"), None));
    })
    .await;
}

#[tokio::test]
async fn a_silent_host_is_silent_and_its_neighbours_are_not() {
    soon(async {
        let (fleet, address) = fleet();
        let jump = jump(&fleet, &address).await;
        let app1 = through(&fleet, &jump, "app1").await.unwrap();
        let app2 = through(&fleet, &jump, "app2").await.unwrap();
        let mut stuck = app1.handle.channel_open_session().await.unwrap();
        stuck.exec(true, "cat").await.unwrap();
        while !matches!(stuck.wait().await, Some(ChannelMsg::Success)) {}
        fleet.set_fault(&host("app1"), Some(Fault::Silent));
        // More messages than any queue on the way holds: they must not fill the jump box's.
        for _ in 0..200 {
            stuck.data(&b"line\n"[..]).await.unwrap();
        }
        let waiting = tokio::spawn(async move { exec(&app1, "echo late", b"").await });
        assert_eq!(exec(&app2, "echo here", b"").await.0, "here\n");
        assert!(!waiting.is_finished());
        fleet.set_fault(&host("app1"), None);
        assert_eq!(waiting.await.unwrap().0, "late\n");
    })
    .await;
}

#[tokio::test]
async fn a_jump_box_that_goes_down_takes_its_connections_with_it() {
    soon(async {
        let (fleet, address) = fleet();
        let jump_peer = jump(&fleet, &address).await;
        let app1 = through(&fleet, &jump_peer, "app1").await.unwrap();
        fleet.set_jump_down(&production(), true);
        while !app1.handle.is_closed() || !jump_peer.handle.is_closed() {
            tokio::task::yield_now().await;
        }
        assert!(fleet.connect(&address, 22).is_err());
        fleet.set_jump_down(&production(), false);
        let again = jump(&fleet, &address).await;
        assert!(again.accepted);
    })
    .await;
}

/// Asks until a file on the jump box says that.
async fn until(peer: &Peer, path: &str, text: &str) {
    while !exec(peer, &format!("cat {path} 2>/dev/null"), b"").await.0.contains(text) {}
}

#[tokio::test]
async fn a_command_outlives_its_channel_as_with_a_real_server_and_a_signal_ends_it() {
    soon(async {
        let (fleet, address) = fleet();
        let jump = jump(&fleet, &address).await;
        let channel = jump.handle.channel_open_session().await.unwrap();
        let script = "echo on > /tmp/on; cat > /dev/null; trap 'echo left > /tmp/left' EXIT; exit 3";
        channel.exec(true, script).await.unwrap();
        until(&jump, "/tmp/on", "on").await;
        channel.close().await.unwrap();
        until(&jump, "/tmp/left", "left").await;
        let channel = jump.handle.channel_open_session().await.unwrap();
        channel.exec(true, "sleep 1000 & echo $! > /tmp/bg; while :; do :; done").await.unwrap();
        let background = loop {
            let (out, ..) = exec(&jump, "cat /tmp/bg 2>/dev/null", b"").await;
            if !out.is_empty() {
                break out.trim().to_owned();
            }
        };
        assert_eq!(exec(&jump, &format!("kill -0 {background}"), b"").await.2, Some(0));
        channel.signal(russh::Sig::TERM).await.unwrap();
        while exec(&jump, &format!("kill -0 {background} 2>/dev/null"), b"").await.2 == Some(0) {}
    })
    .await;
}

#[tokio::test]
async fn what_is_detached_outlives_its_session_and_ends_with_the_power() {
    soon(async {
        let universe = Universe::load_still("wpd-2015", 1).unwrap();
        let (fleet, address) = (SimFleet::start(&universe), universe.jumps().next().unwrap().2.to_owned());
        let jump = jump(&fleet, &address).await;
        let app1 = through(&fleet, &jump, "app1").await.unwrap();
        let started = "nohup sh -c 'sleep 0.2; echo $$ > /tmp/done; sleep 1000' > /tmp/out 2>&1 & echo $!";
        let (pid, ..) = exec(&app1, started, b"").await;
        until(&app1, "/tmp/done", "\n").await;
        let alive = format!("kill -0 {}", pid.trim());
        assert_eq!(exec(&app1, &alive, b"").await.2, Some(0));
        let world = &universe.environments[0].1;
        assert!(world.lock().unwrap().power_off(&HostName::new("app1").unwrap()));
        assert!(app1.handle.channel_open_session().await.is_err());
        assert!(through(&fleet, &jump, "app1").await.is_err(), "it is off");
        world.lock().unwrap().power_on(&HostName::new("app1").unwrap(), 0.0);
        let app1 = through(&fleet, &jump, "app1").await.unwrap();
        while exec(&app1, &format!("{alive} 2>/dev/null"), b"").await.2 == Some(0) {}
    })
    .await;
}

/// What takes a lease on the jump box, holds it for as long as its input brings heartbeats, and tells who has it.
const LEASE: &str = r#"
umask 022
exec 9>>/run/lock/jumpdeck-promote.lock || exit 70
if ! flock -n 9; then
    echo "taken $(cat /run/lock/jumpdeck-promote.holder 2>/dev/null)"
    exit 75
fi
printf '%s\n' "$1" > /run/lock/jumpdeck-promote.holder.$$ &&
    mv -f /run/lock/jumpdeck-promote.holder.$$ /run/lock/jumpdeck-promote.holder || exit 71
trap 'rm -f /run/lock/jumpdeck-promote.holder' EXIT
echo held
while IFS= read -r -t "$2" line; do
    case $line in
        beat*) echo "alive ${line#beat }" ;;
        step*) printf '%s\n' "$1 ${line#step }" > /run/lock/jumpdeck-promote.holder ;;
        bye) echo released; exit 0 ;;
    esac
done
"#;

async fn lease(peer: &Peer, who: &str, patience: &str) -> russh::Channel<russh::client::Msg> {
    let channel = peer.handle.channel_open_session().await.unwrap();
    let script = shlex::try_quote(LEASE).unwrap();
    channel.exec(true, format!("sh -c {script} lease {who} {patience}")).await.unwrap();
    channel
}

async fn next_text(channel: &mut russh::Channel<russh::client::Msg>) -> String {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Data { data }) => return String::from_utf8_lossy(&data).into_owned(),
            Some(ChannelMsg::ExtendedData { data, .. }) => panic!("{}", String::from_utf8_lossy(&data)),
            Some(_) => {}
            None => return String::new(),
        }
    }
}

#[tokio::test]
async fn a_lease_is_held_by_one_session_and_free_when_that_is_killed() {
    soon(async {
        let (fleet, address) = fleet();
        let (one, two) = (jump(&fleet, &address).await, jump(&fleet, &address).await);
        let mut first = lease(&one, "ann@console", "30").await;
        assert_eq!(next_text(&mut first).await, "held\n");
        first.data(&b"beat 1\n"[..]).await.unwrap();
        assert_eq!(next_text(&mut first).await, "alive 1\n");
        first.data(&b"step 4 freeze\nbeat 2\n"[..]).await.unwrap();
        assert_eq!(next_text(&mut first).await, "alive 2\n");
        let mut second = lease(&two, "bob@console", "30").await;
        assert_eq!(next_text(&mut second).await, "taken ann@console 4 freeze\n");
        // The first console is killed: its connection breaks off.
        drop(first);
        drop(one);
        let mut again = loop {
            let mut again = lease(&two, "bob@console", "30").await;
            if next_text(&mut again).await == "held\n" {
                break again;
            }
        };
        again.data(&b"bye\n"[..]).await.unwrap();
        assert_eq!(next_text(&mut again).await, "released\n");
        // A holder that falls silent loses it, too.
        let mut silent = lease(&two, "eve@console", "0.2").await;
        while !next_text(&mut silent).await.is_empty() {}
        let mut last = lease(&two, "bob@console", "30").await;
        assert_eq!(next_text(&mut last).await, "held\n");
        assert_eq!(exec(&two, "cat /run/lock/jumpdeck-promote.holder", b"").await.0, "bob@console\n");
    })
    .await;
}

#[tokio::test]
async fn a_terminal_has_a_prompt_echo_and_control_keys() {
    soon(async {
        let (fleet, address) = fleet();
        let jump = jump(&fleet, &address).await;
        let mut channel = jump.handle.channel_open_session().await.unwrap();
        let modes: &[(Pty, u32)] = &[];
        channel.request_pty(true, "xterm", 80, 24, 0, 0, modes).await.unwrap();
        channel.request_shell(true).await.unwrap();
        let mut screen = String::new();
        let until = async |channel: &mut russh::Channel<client::Msg>, screen: &mut String, wanted: &str| {
            while !screen.contains(wanted) {
                if let Some(ChannelMsg::Data { data }) = channel.wait().await {
                    screen.push_str(&String::from_utf8_lossy(&data));
                }
            }
            std::mem::take(screen)
        };
        until(&mut channel, &mut screen, "# ").await;
        channel.data(&b"echo oX\x7fne\r"[..]).await.unwrap();
        let shown = until(&mut channel, &mut screen, "\r\none\r\n").await;
        assert!(shown.contains("echo oX\u{8} \u{8}ne"), "{shown:?}");
        channel.data(&b"sleep 1000\r\x03echo $?\r"[..]).await.unwrap();
        until(&mut channel, &mut screen, "130\r\n").await;
        channel.data(&b"cat\rtyped\r"[..]).await.unwrap();
        until(&mut channel, &mut screen, "typed\r\ntyped\r\n").await;
        channel.data(&b"\x04exit 5\r"[..]).await.unwrap();
        let mut status = None;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
                ChannelMsg::Data { data } => screen.push_str(&String::from_utf8_lossy(&data)),
                _ => {}
            }
        }
        assert_eq!(status, Some(5), "{screen:?}");
    })
    .await;
}

#[tokio::test]
async fn much_both_ways_at_once_does_not_lock_up() {
    soon(async {
        let (fleet, address) = fleet();
        let jump = jump(&fleet, &address).await;
        let sent = vec![b'x'; 300_000];
        let echo = async |name: &str| {
            let peer = through(&fleet, &jump, name).await.unwrap();
            let channel = peer.handle.channel_open_session().await.unwrap();
            channel.exec(true, "cat").await.unwrap();
            let (mut from, to) = channel.split();
            let write = async {
                to.data(sent.as_slice()).await.unwrap();
                to.eof().await.unwrap();
            };
            let read = async {
                let mut count = 0;
                while let Some(message) = from.wait().await {
                    if let ChannelMsg::Data { data } = message {
                        count += data.len();
                    }
                }
                count
            };
            tokio::join!(write, read).1
        };
        let counts = tokio::join!(echo("app1"), echo("app2"), echo("db1-masterdb"), echo("db2"));
        assert_eq!(counts, (sent.len(), sent.len(), sent.len(), sent.len()));
    })
    .await;
}

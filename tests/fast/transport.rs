//! What every way to reach a host does alike, whoever implements it: over SSH to the simulated fleet and to a real sshd, and on
//! this machine. A new transport adds its own test that calls [`conforms`].

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::error::{ErrorKind, TransportError};
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::{Dial, TcpDial};
use jumpdeck::transport::{
    Held, HeldTerminal, HostSessions, Lane, Limits, Ran, Session, SessionPool, StreamOutput, TerminalRequest,
    TerminalSize,
};
use jumpdeck_fleet::fleet::{Environment, Jump};
use jumpdeck_fleet::names::HostName;
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;

use crate::support::fleet::{access, environment, host, name, remote};
use crate::support::sshd::{Sshd, keygen, missing, not_root, public};

const SOON: Duration = Duration::from_secs(30);

fn person(dial: Arc<dyn Dial>, env: Arc<Environment>) -> SessionPool {
    SessionPool::new(Arc::new(SshConnector::new(dial, Arc::new(RefuseAll))), env, Lane::Person)
}

async fn exec(
    session: &dyn Session,
    command: &str,
    stdin: &[u8],
    limits: Limits,
) -> Result<Ran, TransportError> {
    session.exec(command, stdin, limits, &mut |_| {}).await
}

/// Reads until `wanted` was printed.
async fn read_until(held: &mut (impl Held + ?Sized), wanted: &str) -> String {
    let mut text = String::new();
    let reading = async {
        while !text.contains(wanted) {
            let bytes = held.read().await.unwrap_or_else(|e| panic!("{e} after {text:?}"));
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    };
    let in_time = tokio::time::timeout(SOON, reading).await;
    assert!(in_time.is_ok(), "no {wanted:?} in {text:?}");
    text
}

/// Reads to the end, and takes how it ended.
async fn end_of(held: &mut (impl Held + ?Sized)) -> Result<Ran, TransportError> {
    while held.read().await.is_ok() {}
    held.ended().await
}

/// The promises of [`Session`] and [`Held`], one by one.
async fn conforms(session: &dyn Session) {
    a_command_says_how_it_ended(session).await;
    limits_hold(session).await;
    what_is_recorded_is_bounded_and_counted(session).await;
    what_stays_loses_nothing(session).await;
    its_end_is_an_error_and_its_status_is_told(session).await;
}

async fn a_command_says_how_it_ended(session: &dyn Session) {
    let mut seen = Vec::new();
    let mut keep = |bytes: &[u8]| seen.extend_from_slice(bytes);
    let ran = session.exec("cat; echo no >&2; exit 3", b"input\n", SOON.into(), &mut keep).await.unwrap();
    assert_eq!((ran.status, ran.stdout.as_slice()), (Some(3), &b"input\n"[..]));
    assert_eq!(String::from_utf8_lossy(&ran.stderr).trim(), "no");
    assert_eq!(seen, b"input\n", "it is handed on as it comes");
    let ran = session.run("echo one; false", SOON, &mut |_| {}).await.unwrap();
    assert_eq!((ran.status, ran.stdout.as_slice()), (Some(1), &b"one\n"[..]));
}

async fn limits_hold(session: &dyn Session) {
    let limits = Limits { time: Duration::from_millis(300), bytes: 1000 };
    let late = exec(session, "sleep 600", b"", limits).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::TimedOut, "{late}");
    assert!(late.to_string().contains("it may still be running"), "{late}");
    let limits = Limits { time: SOON, bytes: 1000 };
    let full = exec(session, "cat", &[b'x'; 1000], limits).await.unwrap();
    assert_eq!(full.stdout.len(), 1000, "as much as was asked for is no flood");
    let flood = exec(session, "cat", &[b'x'; 1001], limits).await.unwrap_err();
    assert_eq!(flood.kind, ErrorKind::Flooding, "{flood}");
    let after = exec(session, "echo ok", b"", limits).await.unwrap();
    assert_eq!((after.status, after.stdout.as_slice()), (Some(0), &b"ok\n"[..]), "the session stays usable");
}

async fn what_is_recorded_is_bounded_and_counted(session: &dyn Session) {
    let limits = Limits { time: SOON, bytes: 1000 };
    let ran = session.record("cat; echo no >&2; exit 3", b"input\n", limits).await.unwrap();
    assert_eq!((ran.status, ran.cut), (Some(3), None));
    assert_eq!((ran.stdout.kept.as_slice(), ran.stderr.kept.as_slice()), (&b"input\n"[..], &b"no\n"[..]));
    let full = session.record("cat", &[b'x'; 1000], limits).await.unwrap();
    assert_eq!((full.status, full.stdout.kept.len(), full.stdout.beyond), (Some(0), 1000, 0));
    let more = session.record("cat; cat /dev/null >&2", &[b'x'; 20_000], limits).await.unwrap();
    assert_eq!((more.status, more.stdout.kept.len(), more.stdout.beyond), (Some(0), 1000, 19_000));
    assert!(more.stdout.beyond_sha256.is_some() && more.stderr == StreamOutput::default());
    // What came before its time was over is there.
    let limits = Limits { time: Duration::from_millis(1500), bytes: 1000 };
    let late = session.record("echo first; sleep 600", b"", limits).await.unwrap();
    assert_eq!((late.status, late.stdout.kept.as_slice()), (None, &b"first\n"[..]));
    let cut = late.cut.unwrap();
    assert!(cut.kind == ErrorKind::TimedOut && cut.to_string().contains("it may still be running"), "{cut}");
}

async fn what_stays_loses_nothing(session: &dyn Session) {
    let mut held = session.start("cat").await.unwrap();
    // Reads that are given up, before anything is there and while it comes.
    assert!(held.read().now_or_never().is_none());
    let mut text = Vec::new();
    for number in 0..50 {
        held.write(format!("line {number}\n").as_bytes()).await.unwrap();
        if let Some(bytes) = held.read().now_or_never() {
            text.extend(bytes.unwrap());
        }
    }
    let wanted: String = (0..50).map(|number| format!("line {number}\n")).collect();
    while text.len() < wanted.len() {
        let bytes = tokio::time::timeout(SOON, held.read()).await.expect("nothing is lost").unwrap();
        text.extend(bytes);
    }
    assert_eq!(String::from_utf8(text).unwrap(), wanted);
}

async fn its_end_is_an_error_and_its_status_is_told(session: &dyn Session) {
    let mut shell = session.open().await.unwrap();
    shell.write(b"echo first; echo last words >&2; exit 4\n").await.unwrap();
    read_until(shell.as_mut(), "first\n").await;
    let ran = end_of(shell.as_mut()).await.unwrap();
    assert_eq!((ran.status, String::from_utf8_lossy(&ran.stderr).trim()), (Some(4), "last words"));
    assert!(shell.write(b"echo more\n").await.is_err() && shell.read().await.is_err());
}

/// The end of the connection is an error of whatever runs, and never the end of it.
async fn a_lost_connection_is_an_error(session: Arc<dyn Session>, cut: impl FnOnce()) {
    let mut held = session.start("echo up; cat").await.unwrap();
    read_until(held.as_mut(), "up\n").await;
    let running = session.clone();
    let (tell, told) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(async move {
        let mut tell = Some(tell);
        let mut began = |_: &[u8]| assert!(tell.take().is_none_or(|tell| tell.send(()).is_ok()));
        running.exec("echo up; sleep 600", b"", SOON.into(), &mut began).await
    });
    told.await.unwrap();
    cut();
    let lost = running.await.unwrap().unwrap_err();
    assert!(matches!(lost.kind, ErrorKind::Dropped | ErrorKind::TimedOut), "{lost}");
    assert!(end_of(held.as_mut()).await.is_err(), "nobody knows how it ended");
    let refused = exec(session.as_ref(), "echo ok", b"", SOON.into()).await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Dropped | ErrorKind::TimedOut), "{refused}");
}

fn request(command: Option<&str>) -> TerminalRequest {
    TerminalRequest {
        kind: "xterm-256color".to_owned(),
        size: TerminalSize { columns: 97, rows: 31 },
        command: command.map(str::to_owned),
    }
}

/// Types into a login shell, and reads how it ended.
async fn a_shell_in_a_terminal(session: &dyn Session) {
    let mut terminal = session.terminal(&request(None)).await.unwrap();
    terminal.write(b"echo $((6 * 7))-$TERM\r").await.unwrap();
    read_until(terminal.as_mut(), "42-xterm-256color").await;
    // The key that interrupts is a byte like others.
    terminal.write(b"sleep 600\r").await.unwrap();
    read_until(terminal.as_mut(), "sleep 600").await;
    terminal.write(b"\x03").await.unwrap();
    terminal.write(b"exit 5\r").await.unwrap();
    assert_eq!(end_of(terminal.as_mut()).await.unwrap().status, Some(5));
}

fn simulated() -> (Universe, SimFleet, Arc<Environment>) {
    let universe = Universe::load("wpd-2015", 7).unwrap();
    let fleet = SimFleet::start(&universe);
    let env = universe.fleet(|name| fleet.access(name)).environments[0].clone();
    (universe, fleet, env)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_fleet_over_ssh() {
    let (_universe, fleet, env) = simulated();
    let pool = person(Arc::new(fleet.clone()), env.clone());
    let app1 = HostName::new("app1").unwrap();
    for host in [&app1, env.jump.name()] {
        let session = pool.host(host).await.unwrap();
        conforms(session.as_ref()).await;
        a_shell_in_a_terminal(session.as_ref()).await;
    }
    let session = pool.host(&app1).await.unwrap();
    a_lost_connection_is_an_error(session, || fleet.set_jump_down(&env.name, true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_where_it_is_the_jump_box() {
    let mut env = environment(Jump::Local { name: name("here") }, SOON);
    env.hosts = vec![Arc::new(host("here", 22, access(Path::new("/none"), "/none".into())))];
    let session = person(Arc::new(TcpDial), Arc::new(env)).host(&name("here")).await.unwrap();
    conforms(session.as_ref()).await;
    let refused = session.terminal(&request(None)).await.map(drop).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert_eq!(
        refused.describe().as_str(),
        "no terminal is opened on this machine; use a terminal of that machine, or ssh"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_sshd_and_its_terminals() {
    if missing(&["sshd", "ssh-keygen"]) || not_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (key, known) = (dir.path().join("key"), dir.path().join("known_hosts"));
    keygen(&key, "ed25519", "");
    fs::write(dir.path().join("authorized_keys"), public(&key)).unwrap();
    let jump = Sshd::start(dir.path(), "jump", "");
    let (open, shut) = (Sshd::start(dir.path(), "open", ""), Sshd::start(dir.path(), "shut", "PermitTTY no"));
    fs::write(&known, jump.known() + &open.known() + &shut.known()).unwrap();
    let mut env = environment(remote(jump.port, access(&key, known.clone())), SOON);
    let hosts = [("open", &open), ("shut", &shut)];
    env.hosts = hosts.map(|(name, at)| Arc::new(host(name, at.port, access(&key, known.clone())))).to_vec();
    let pool = person(Arc::new(TcpDial), Arc::new(env));

    let session = pool.host(&name("open")).await.unwrap();
    conforms(session.as_ref()).await;
    let size_and_name = "stty size; tty; echo $TERM; read line; stty size; echo \"$line\"; exit 7";
    let mut terminal = session.terminal(&request(Some(size_and_name))).await.unwrap();
    let begun = read_until(terminal.as_mut(), "xterm-256color").await;
    assert!(begun.contains("31 97") && begun.contains("/dev/pts/"), "{begun:?}");
    terminal.resize(TerminalSize { columns: 120, rows: 40 }).await.unwrap();
    terminal.write(b"typed\r").await.unwrap();
    read_until(terminal.as_mut(), "40 120\r\ntyped\r\n").await;
    assert_eq!(end_of(terminal.as_mut()).await.unwrap().status, Some(7));
    assert!(terminal.resize(TerminalSize { columns: 1, rows: 1 }).await.is_err());
    hangs_up(session.as_ref(), dir.path()).await;

    // Without a terminal nothing is started: sshd itself would go on without one.
    let session = pool.host(&name("shut")).await.unwrap();
    let trace = dir.path().join("trace");
    let command = format!("touch {}", trace.display());
    let refused = session.terminal(&request(Some(&command))).await.map(drop).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(refused.describe().as_str().starts_with("it gives no terminal; see PermitTTY"), "{refused}");
    exec(session.as_ref(), "true", b"", SOON.into()).await.unwrap();
    assert!(!trace.exists());

    let session = pool.host(&name("open")).await.unwrap();
    a_lost_connection_is_an_error(session, || open.signal_sessions("-KILL")).await;
}

/// A terminal that is dropped hangs up: what runs in it is told, as by every terminal that is closed.
async fn hangs_up(session: &dyn Session, dir: &Path) {
    let mark = dir.join("hung-up");
    let command = format!("trap 'touch {}; exit' HUP; echo up; while :; do sleep 0.1; done", mark.display());
    let mut terminal: Box<dyn HeldTerminal> = session.terminal(&request(Some(&command))).await.unwrap();
    read_until(terminal.as_mut(), "up").await;
    drop(terminal);
    let gone = async {
        while !mark.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, gone).await.expect("it was told");
}

//! The guard of a switchover, as promote-masterdb has it, between two real servers: whatever is cut off when, never are both
//! writable, and writes go on by themselves where nothing was promoted.

use crate::support::mariadb;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mariadb::{Server, is_here, is_root, ports};
use rustix::process::{Pid, Signal, kill_process};

const PROMOTE: &str =
    "SET GLOBAL read_only = IF(IS_USED_LOCK('jumpdeck_promote') = CONNECTION_ID(), 0, @@global.read_only)";

/// The guard's script of promote-masterdb.
fn script() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/promote-masterdb.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let guard = text.split("kind    = \"guard\"").nth(1).expect("promote-masterdb has a guard");
    guard.split("run     = '''\n").nth(1).unwrap().split("\n'''").next().unwrap().to_owned()
}

/// A certificate that signs itself, as the server's options: replicas come encrypted, and so does the guard.
fn certificate(dir: &Path) -> [String; 2] {
    let [key, cert] = ["key.pem", "cert.pem"].map(|name| dir.join(name).display().to_string());
    let words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=db", "-keyout"];
    let made = Command::new("openssl").args(words).args([&key, "-out", &cert]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    [format!("--ssl-key={key}"), format!("--ssl-cert={cert}")]
}

/// A program that stays: a guard, or the client that is to promote.
struct Stays {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Stays {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    fn say(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn until(&mut self, wanted: &str) {
        let mut all = String::new();
        while !all.lines().any(|line| line == wanted) {
            assert_ne!(self.stdout.read_line(&mut all).unwrap(), 0, "it ended: {all}");
        }
    }

    /// The console or its link is gone.
    fn cut(&mut self) {
        self.stdin = None;
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Pair {
    old: Server,
    new: Arc<Server>,
    port: u16,
    dir: tempfile::TempDir,
    run: String,
    /// Whether both were seen writable at once, and what looks.
    both: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    looks: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = self.looks.take().map(std::thread::JoinHandle::join);
        let _ = std::fs::remove_file(self.mark());
    }
}

impl Pair {
    fn new(name: &str) -> Option<Self> {
        if !is_here() {
            return None;
        }
        if !is_root() {
            eprintln!("skipped: the guard keeps its mark in /run/jumpdeck, and this is not root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let [port_old, port] = ports::<2>();
        let tls = certificate(dir.path());
        let server = |name: &str, id, port| {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            Server::start_with(&dir.path().join(name), id, port, &tls)
        };
        let (old, new) = (server("old", 1, port_old), Arc::new(server("new", 2, port)));
        new.sql("CREATE USER repl@'%' IDENTIFIED BY 'p\\\\w #\\'1'; GRANT REPLICATION SLAVE ON *.* TO repl@'%'; SET GLOBAL read_only = 1");
        old.sql("CREATE DATABASE d; CREATE TABLE d.t (a INT) ENGINE=InnoDB; CREATE USER app@localhost; GRANT ALL ON d.* TO app@localhost");
        std::fs::write(dir.path().join(".my.cnf"), format!("[client]\nsocket={}\n", old.socket)).unwrap();
        let (both, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (seen, stop) = (both.clone(), over.clone());
        let sockets = [old.socket.clone(), new.socket.clone()];
        let looks = std::thread::spawn(move || {
            let writable = |socket: &String| {
                let socket = format!("--socket={socket}");
                let args = ["--no-defaults", &socket, "-uroot", "-BNe", "SELECT @@global.read_only"];
                Command::new("mariadb").args(args).output().unwrap().stdout == b"0\n"
            };
            // The old one is asked before and after: both answers are then of one moment.
            while !stop.load(Ordering::SeqCst) {
                let [old, new] = &sockets;
                if writable(new) && writable(old) && writable(new) {
                    seen.store(true, Ordering::SeqCst);
                }
            }
        });
        let run = format!("test-{name}-{}", std::process::id());
        Some(Self { old, new, port, dir, run, both, over, looks: Some(looks) })
    }

    fn mark(&self) -> String {
        format!("/run/jumpdeck/{}-guard", self.run)
    }

    fn guard_unready(&self) -> Stays {
        let mut command = Command::new("/bin/sh");
        command.env("HOME", self.dir.path());
        let mut guard = Stays::start(command);
        let assigned = format!(
            "run={}\ncandidate_address=127.0.0.1\nmaster_port={}\nrepl_user=repl\nrepl_password='p\\w #'\\''1'\n\
             ssl_ca=\nssl_cert=\nssl_key=\n",
            self.run, self.port
        );
        guard.say(&format!("{{\n{assigned}{}\nexit\n}}\n", script()));
        guard
    }

    fn guard(&self) -> Stays {
        let mut guard = self.guard_unready();
        guard.until("ready");
        guard
    }

    /// The client in whose session the promotion is to run.
    fn promoter(&self) -> Stays {
        Self::holder(&self.new)
    }

    /// A client of the run: its session has the lock on that server.
    fn holder(server: &Server) -> Stays {
        let mut command = Command::new("mariadb");
        let socket = format!("--socket={}", server.socket);
        command.args(["--no-defaults", &socket, "-uroot", "-BN", "--unbuffered", "--skip-reconnect"]);
        let mut client = Stays::start(command);
        client.say("SELECT GET_LOCK('jumpdeck_promote', 0);\n");
        client.until("1");
        client
    }

    fn freeze(&self) {
        self.old.sql("SET GLOBAL read_only = 1");
    }

    /// What the guard did in the end, by its mark.
    fn told(&self) -> String {
        self.told_when(|told| !told.contains(" times asked)"))
    }

    /// The same, when that holds of it.
    fn told_when(&self, holds: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            if let Ok(text) = std::fs::read_to_string(self.mark())
                && holds(&text)
            {
                return text.split_once(' ').unwrap().1.trim().to_owned();
            }
            assert!(Instant::now() < until, "the guard left no such mark");
            std::thread::yield_now();
        }
    }

    /// An application's write on the old server.
    fn writes(&self) -> bool {
        let socket = format!("--socket={}", self.old.socket);
        let insert = ["--no-defaults", &socket, "-uapp", "-e", "INSERT INTO d.t VALUES (1)"];
        Command::new("mariadb").args(insert).stderr(Stdio::null()).status().unwrap().success()
    }

    fn writable(&self) -> (bool, bool) {
        let read_only = |server: &Server| server.value("SELECT @@global.read_only") == "0";
        (read_only(&self.old), read_only(&self.new))
    }

    fn never_both(&self) {
        assert!(!self.both.load(Ordering::SeqCst), "both were writable");
    }

    /// From the cut until an application writes to the old server again.
    fn writes_again(&self, cut: Instant) -> Duration {
        while !self.writes() {
            assert!(cut.elapsed() < Duration::from_secs(60), "writes did not resume");
        }
        cut.elapsed()
    }
}

const AGAIN: &str = "this server is writable again: nothing was promoted, and nobody can promote any more";
const STAYS: &str = "this server stays read-only: the candidate is writable";

#[test]
fn a_guard_that_stands_down_does_nothing() {
    let Some(pair) = Pair::new("down") else { return };
    let (mut guard, _promoter) = (pair.guard(), pair.promoter());
    pair.freeze();
    guard.say("stand down\n");
    guard.child.wait().unwrap();
    assert_eq!(pair.writable(), (false, false));
    assert!(!Path::new(&pair.mark()).exists());
}

#[test]
fn a_cut_before_the_freeze_changes_nothing() {
    let Some(pair) = Pair::new("before") else { return };
    let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
    promoter.cut();
    guard.cut();
    assert_eq!(pair.told(), "nothing to do: this server is writable");
    assert_eq!(pair.writable(), (true, false));
    pair.never_both();
}

/// The freeze waits in its session, behind a transaction for example, when the console is killed: it comes later, and is undone.
#[test]
fn a_freeze_that_is_on_its_way_at_the_cut_is_undone() {
    let Some(pair) = Pair::new("waits") else { return };
    let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
    let mut freezer = Pair::holder(&pair.old);
    freezer.say("DO SLEEP(2); SET GLOBAL read_only = 1;\n");
    promoter.cut();
    freezer.cut();
    guard.cut();
    assert_eq!(pair.told(), AGAIN);
    assert_eq!(pair.writable(), (true, false));
    pair.never_both();
}

#[test]
fn a_cut_after_the_freeze_lets_the_old_server_write_again() {
    let Some(pair) = Pair::new("after") else { return };
    for stopped in [false, true] {
        let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
        pair.freeze();
        if stopped {
            pair.new.sql("STOP ALL SLAVES");
        }
        assert!(!pair.writes());
        let cut = Instant::now();
        promoter.cut();
        guard.cut();
        let took = pair.writes_again(cut);
        println!("writes resumed {} ms after the cut", took.as_millis());
        assert_eq!(pair.told(), AGAIN);
        assert_eq!(pair.writable(), (true, false));
        guard.child.wait().unwrap();
        let _ = std::fs::remove_file(pair.mark());
    }
    pair.never_both();
}

/// The promotion is on its way when the link is cut: either it is done and the old server stays frozen, or it is never done.
#[test]
fn a_cut_during_the_promotion_leaves_one_server_writable() {
    let Some(pair) = Pair::new("during") else { return };
    let mut promoted = 0;
    let whole = format!("{PROMOTE};\n");
    for turn in 0..12 {
        let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
        pair.freeze();
        guard.cut();
        // The link may be cut in the middle of it.
        promoter.say(whole.get(..whole.len() * (turn + 1) / 12).unwrap());
        promoter.cut();
        let told = pair.told();
        match pair.writable() {
            (true, false) => assert_eq!(told, AGAIN),
            (false, true) => {
                assert_eq!(told, STAYS);
                promoted += 1;
            }
            other => panic!("old and new writable: {other:?}, {told}"),
        }
        guard.child.wait().unwrap();
        promoter.child.wait().unwrap();
        std::fs::remove_file(pair.mark()).unwrap();
        pair.never_both();
        pair.new.sql("SET GLOBAL read_only = 1");
        pair.old.sql("SET GLOBAL read_only = 0");
    }
    println!("promoted {promoted} of 12");
}

#[test]
fn a_cut_after_the_promotion_leaves_the_old_server_frozen() {
    let Some(pair) = Pair::new("promoted") else { return };
    let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
    pair.freeze();
    promoter.say(&format!("{PROMOTE}; SELECT 'done';\n"));
    promoter.until("done");
    promoter.cut();
    guard.cut();
    assert_eq!(pair.told(), STAYS);
    assert_eq!(pair.writable(), (false, true));
    pair.never_both();
}

/// The client that is to promote is stopped with the promotion in its input, and still has the lock: nothing is proved as long
/// as it has it. When it wakes up it promotes, and the guard sees that.
#[test]
fn a_stopped_client_that_has_the_lock_keeps_the_old_server_frozen() {
    let Some(pair) = Pair::new("stopped") else { return };
    let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
    pair.freeze();
    promoter.signal(Signal::STOP);
    promoter.say(&format!("{PROMOTE};\n"));
    promoter.cut();
    guard.cut();
    // It tries to have the lock, and has not got it.
    let waits =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE USER = 'repl' AND STATE = 'User lock'";
    let until = Instant::now() + Duration::from_secs(30);
    while pair.new.value(waits) != "1" {
        assert!(Instant::now() < until, "the guard does not try to take the lock");
    }
    assert_eq!(pair.writable(), (false, false));
    promoter.signal(Signal::CONT);
    assert_eq!(pair.told(), STAYS);
    assert_eq!(pair.writable(), (false, true));
    pair.never_both();
}

/// The same client, whose session was ended on the server meanwhile: what it has in its input is never done.
#[test]
fn a_stopped_client_whose_session_was_ended_never_promotes() {
    let Some(pair) = Pair::new("ended") else { return };
    let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
    pair.freeze();
    promoter.signal(Signal::STOP);
    promoter.say(&format!("{PROMOTE};\n"));
    promoter.cut();
    let session = pair.new.value("SELECT IS_USED_LOCK('jumpdeck_promote')");
    pair.new.sql(&format!("KILL {session}"));
    guard.cut();
    assert_eq!(pair.told(), AGAIN);
    promoter.signal(Signal::CONT);
    promoter.child.wait().unwrap();
    assert_eq!(pair.writable(), (true, false));
    pair.never_both();
}

/// The guard cannot reach the candidate: nothing is proved, and the old server stays frozen.
#[test]
fn a_guard_that_cannot_reach_the_candidate_leaves_the_old_server_frozen() {
    let Some(pair) = Pair::new("apart") else { return };
    let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
    pair.freeze();
    pair.new.sql("DROP USER repl@'%'");
    promoter.cut();
    guard.cut();
    let told = pair.told_when(|told| told.contains(" (3 times asked)"));
    assert!(told.starts_with("this server stays read-only: the candidate did not tell"), "{told}");
    assert_eq!(pair.writable(), (false, false));
    // It goes on asking: when the candidate can be reached, it is proved.
    pair.new.sql("CREATE USER repl@'%' IDENTIFIED BY 'p\\\\w #\\'1'");
    assert_eq!(pair.told(), AGAIN);
    assert_eq!(pair.writable(), (true, false));
}

/// A guard that wakes up when somebody else has gone on has no session any more by which it could do anything.
#[test]
fn a_guard_whose_session_was_ended_does_nothing() {
    let Some(pair) = Pair::new("late") else { return };
    let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
    pair.freeze();
    // Nobody else can keep guard meanwhile.
    let mut second = pair.guard_unready();
    let mut said = String::new();
    second.stdout.read_to_string(&mut said).unwrap();
    assert!(!said.lines().any(|line| line == "ready"), "two guards on one server: {said}");
    let session = pair.old.value("SELECT IS_USED_LOCK('jumpdeck_guard')");
    pair.old.sql(&format!("KILL {session}"));
    promoter.cut();
    guard.cut();
    let told = pair.told();
    assert_eq!(told, "this server stays read-only: the session of this guard on it was ended");
    assert_eq!(pair.writable(), (false, false));
    // The next one can.
    guard.child.wait().unwrap();
    let _next = pair.guard();
}

/// What the console's sessions begin with: the server ends one that is silent for eight seconds.
const ENDS_WHEN_SILENT: &str = "SET SESSION wait_timeout = 8;\n";

/// Every packet of the console is dropped, and no connection is closed: its session on the candidate ends by itself, the guard takes
/// the silence for a cut, and what the console says when the link is back does nothing any more.
#[test]
fn writes_resume_when_the_link_of_the_console_goes_silent() {
    let Some(pair) = Pair::new("silent") else { return };
    let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
    promoter.say(ENDS_WHEN_SILENT);
    pair.freeze();
    let silent = Instant::now();
    let took = pair.writes_again(silent);
    println!("writes resumed {} ms after the link went silent", took.as_millis());
    assert_eq!(pair.told(), AGAIN);
    promoter.say(&format!("{PROMOTE};\n"));
    promoter.child.wait().unwrap();
    guard.child.wait().unwrap();
    assert_eq!(pair.writable(), (true, false));
    pair.never_both();
}

/// Only the link to the old server is silent or cut: the console goes on speaking with the candidate, and has the lock there. It can
/// still promote, so the guard waits; it sees the promotion, or takes the lock when the console lets go of it.
#[test]
fn a_guard_waits_for_a_console_that_still_has_the_candidate() {
    let Some(pair) = Pair::new("half") else { return };
    for (promotes, cut) in [(true, false), (true, true), (false, false), (false, true)] {
        let (mut guard, mut promoter) = (pair.guard(), pair.promoter());
        promoter.say(ENDS_WHEN_SILENT);
        pair.freeze();
        if cut {
            guard.cut();
        }
        let until = Instant::now() + Duration::from_secs(180);
        while !std::fs::read_to_string(pair.mark()).is_ok_and(|told| told.contains(" times asked)")) {
            assert!(Instant::now() < until, "the guard does not ask: promotes {promotes}, cut {cut}");
            promoter.say("SELECT 'here';\n");
            promoter.until("here");
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(pair.writable(), (false, false));
        if promotes {
            promoter.say(&format!("{PROMOTE}; SELECT 'done';\n"));
            promoter.until("done");
        }
        promoter.cut();
        assert_eq!(pair.told(), if promotes { STAYS } else { AGAIN });
        assert_eq!(pair.writable(), (!promotes, promotes));
        guard.child.wait().unwrap();
        let _ = std::fs::remove_file(pair.mark());
        pair.never_both();
        pair.new.sql("SET GLOBAL read_only = 1");
        pair.old.sql("SET GLOBAL read_only = 0");
    }
}

#[test]
fn a_guard_that_hears_the_run_does_nothing() {
    let Some(pair) = Pair::new("hears") else { return };
    let (mut guard, _promoter) = (pair.guard(), pair.promoter());
    pair.freeze();
    let until = Instant::now() + Duration::from_secs(12);
    while Instant::now() < until {
        guard.say("here\n");
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(pair.writable(), (false, false));
    }
    guard.say("stand down\n");
    guard.child.wait().unwrap();
    assert!(!Path::new(&pair.mark()).exists());
}

#[test]
fn a_promotion_without_the_lock_does_nothing() {
    let Some(pair) = Pair::new("lock") else { return };
    pair.new.sql(PROMOTE);
    assert_eq!(pair.writable(), (true, false));
    let _promoter = pair.promoter();
    pair.new.sql(PROMOTE);
    assert_eq!(pair.writable(), (true, false));
}

//! The resident probe in a real shell on this machine: ticks in, reports out.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpdeck::collect::resident::{FrameReader, Report, ingest, program, sections, tick};
use jumpdeck_fleet::access::{Access, KnownHosts};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::names::{EnvName, HostId, HostName};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::time::Moment;

/// The shells that may stand behind `/bin/sh`.
pub(crate) const SHELLS: &[&[&str]] =
    &[&["dash"], &["bash", "--posix"], &["bash"], &["busybox", "sh"], &["zsh", "--emulate", "sh"]];

/// A host whose name and roles are as given.
pub(crate) fn host(name: &str) -> Host {
    let id = HostId { env: EnvName::new("test").unwrap(), host: HostName::new(name).unwrap() };
    let access = Access {
        user: "root".into(),
        keys: Vec::new(),
        agent: None,
        password: false,
        known_hosts: KnownHosts::own(Vec::new()),
    };
    let mut host = Host {
        id,
        peers: [].into(),
        database_files: [].into(),
        address: "127.0.0.1".into(),
        port: 22,
        access: Arc::new(access),
        roles: Vec::new(),
        roles_declared: false,
        hostname: None,
        sudo: false,
        services: Vec::new(),
        backups: Vec::new(),
        checks: Vec::new(),
        unwatched: Vec::new(),
        logs: Vec::new(),
    };
    host.roles = host.roles_by_name();
    host
}

/// The shells of [`SHELLS`] that are here; says which are not.
pub(crate) fn shells_here() -> Vec<&'static [&'static str]> {
    let here = |shell: &&&[&str]| {
        let found = find(shell[0]).is_some();
        if !found {
            eprintln!("skipped: {} is not installed", shell[0]);
        }
        found
    };
    let found: Vec<_> = SHELLS.iter().filter(here).copied().collect();
    assert!(!found.is_empty(), "no shell at all");
    found
}

/// Where a program is.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|dir| dir.join(program)).find(|p| p.is_file())
}

/// Where a probe writes to.
enum Output {
    /// A datagram socket: what one `write` wrote arrives as one datagram.
    Datagrams(UnixDatagram),
    /// A stream, for reports that are longer than a datagram may be.
    Stream(UnixStream),
}

/// A running probe.
pub(crate) struct Resident {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Output,
    reader: FrameReader,
    asked: u64,
    pub(crate) facts: HostFacts,
}

impl Resident {
    /// Starts the probe for `host` under `shell`, with programs of `bin` before all others, and reads the first report.
    pub(crate) fn start(
        shell: &[&str],
        host: &Host,
        bin: &Path,
        change: impl Fn(String) -> String,
    ) -> (Self, Report) {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self::begin(shell, host, bin, change, (Output::Datagrams(ours), OwnedFd::from(theirs)))
    }

    /// The same with reports of any length.
    pub(crate) fn start_long(
        shell: &[&str],
        host: &Host,
        bin: &Path,
        change: impl Fn(String) -> String,
    ) -> (Self, Report) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self::begin(shell, host, bin, change, (Output::Stream(ours), OwnedFd::from(theirs)))
    }

    fn begin(
        shell: &[&str],
        host: &Host,
        bin: &Path,
        change: impl Fn(String) -> String,
        (ours, theirs): (Output, OwnedFd),
    ) -> (Self, Report) {
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .env("PATH", path)
            .env("HOME", bin)
            .stdin(Stdio::piped())
            .stdout(Stdio::from(theirs))
            .stderr(std::fs::File::create(bin.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let asked = sections(host, 0);
        stdin.write_all(change(program(host, "n0", &asked)).as_bytes()).unwrap();
        let facts = HostFacts::default();
        let mut it =
            Self { child, stdin: Some(stdin), output: ours, reader: FrameReader::new(), asked: 0, facts };
        let report = it.await_report("n0");
        ingest(&report, &asked, Moment(0), &mut it.facts);
        (it, report)
    }

    /// Asks for `asked` and reads the answer into the facts; how long it took comes with it.
    pub(crate) fn poll(&mut self, asked: &[&'static str]) -> (Report, Duration) {
        self.asked += 1;
        let nonce = format!("n{}", self.asked);
        let started = Instant::now();
        self.stdin.as_mut().unwrap().write_all(tick(&nonce, asked).as_bytes()).unwrap();
        let report = self.await_report(&nonce);
        let took = started.elapsed();
        ingest(&report, asked, Moment(self.asked), &mut self.facts);
        (report, took)
    }

    /// Asks for `asked`, and goes away at once: nobody reads the answer.
    #[allow(dead_code)] // not every test that has this module goes away
    pub(crate) fn abandon(&mut self, asked: &[&'static str]) {
        self.stdin.as_mut().unwrap().write_all(tick("gone", asked).as_bytes()).unwrap();
        drop(self.stdin.take());
        match &self.output {
            Output::Datagrams(socket) => socket.shutdown(std::net::Shutdown::Both),
            Output::Stream(socket) => socket.shutdown(std::net::Shutdown::Both),
        }
        .unwrap();
    }

    /// Polls until the facts are as wanted.
    pub(crate) fn poll_until(
        &mut self,
        asked: &[&'static str],
        what: &str,
        wanted: impl Fn(&HostFacts) -> bool,
    ) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !wanted(&self.facts) {
            assert!(Instant::now() < deadline, "never {what}: {:#?}", self.facts);
            self.poll(asked);
        }
    }

    /// Whether the shell has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends the input and waits for the shell's end.
    pub(crate) fn finish(mut self) -> std::process::ExitStatus {
        drop(self.stdin.take());
        self.child.wait().unwrap()
    }

    /// A report must come whole; a datagram's with one write.
    fn await_report(&mut self, nonce: &str) -> Report {
        let mut buffer = vec![0; 1 << 20];
        let report = loop {
            let read = match &mut self.output {
                Output::Datagrams(socket) => socket.recv(&mut buffer),
                Output::Stream(stream) => stream.read(&mut buffer),
            };
            let n = match read {
                // A stopped and continued process ends a read that has a time limit.
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                read => read.expect("a report"),
            };
            let bytes = &buffer[..n];
            match self.reader.push(bytes).unwrap() {
                Some(report) => break report,
                None if matches!(self.output, Output::Stream(_)) && n > 0 => {}
                None => panic!("not in one write: {:?}", String::from_utf8_lossy(bytes)),
            }
        };
        assert_eq!(report.nonce, nonce);
        assert_eq!(report.noise, 0);
        report
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// Writes a program for `/bin/sh`.
///
/// Another process writes it: what a child of another test has inherited open for writing cannot be run.
pub(crate) fn script(dir: &Path, name: &str, text: &str) {
    let mut writes = Command::new("/bin/sh")
        .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
        .arg(dir.join(name))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    write!(writes.stdin.take().unwrap(), "#!/bin/sh\n{text}\n").unwrap();
    assert!(writes.wait().unwrap().success());
}

//! Sessions with this machine's own shells, and consoles as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::LeasePlaces;
use crate::transport::BoxFuture;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{Held, Limits, Ran, Session};
use jumpdeck_fleet::hop::Hop;

/// The group of operators in tests: the one of the second account.
pub(super) const GROUP: u32 = 65534;

/// Shells there are on jump boxes.
pub(super) const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

/// A folder for leases: the group's, made by root, where the tests run as root; else the account's own.
pub(super) struct Place(TempDir);

impl Place {
    pub(super) fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        std::fs::set_permissions(top.path(), std::os::unix::fs::PermissionsExt::from_mode(0o1777)).unwrap();
        let place = Self(top);
        if rustix::process::geteuid().is_root() {
            std::fs::create_dir(place.folder()).unwrap();
            place.owned_by(0, Some(GROUP), 0o2770);
        }
        place
    }

    /// Gives the folder to an account and a group.
    pub(super) fn owned_by(&self, uid: u32, gid: Option<u32>, mode: u32) {
        std::os::unix::fs::chown(self.folder(), Some(uid), gid).unwrap();
        std::fs::set_permissions(self.folder(), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.0.path().join("locks")
    }

    pub(super) fn places(&self) -> LeasePlaces {
        let shared = self.folder().display().to_string();
        match rustix::process::geteuid().is_root() {
            true => LeasePlaces { shared, own: String::new(), apart: false, journals: String::new() },
            // Each has one changing run at a time: no two tests share a place.
            false => LeasePlaces {
                shared: format!("{shared}.none"),
                own: shared,
                apart: true,
                journals: String::new(),
            },
        }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }
}

/// A session with a shell of this machine, whose link can be cut.
pub(super) struct Local {
    shell: String,
    uid: Option<u32>,
    cut: Arc<AtomicBool>,
    pid: AtomicI32,
}

fn failed(error: &std::io::Error) -> TransportError {
    TransportError::new(&Hop::Here, ErrorKind::Dropped, error.to_string())
}

impl Local {
    pub(super) fn new(shell: &str) -> Self {
        Self { shell: shell.to_owned(), uid: None, cut: Arc::default(), pid: AtomicI32::new(0) }
    }

    /// Another account's.
    pub(super) fn of(shell: &str, uid: u32) -> Self {
        Self { uid: Some(uid), ..Self::new(shell) }
    }

    /// From now on nothing comes through, either way, and nobody is told.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Kills the newest shell.
    pub(super) fn kill(&self) {
        let pid = rustix::process::Pid::from_raw(self.pid.load(Ordering::SeqCst)).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }

    fn command(&self, command: &str) -> tokio::process::Command {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command.replace("/bin/sh", &self.shell)).current_dir("/");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some(uid) = self.uid {
            std::os::unix::process::CommandExt::uid(&mut shell, uid);
            std::os::unix::process::CommandExt::gid(&mut shell, uid);
        }
        shell.into()
    }
}

impl Session for Local {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            let mut child = self.command(command).spawn().unwrap();
            child.stdin.take().unwrap().write_all(stdin).await.unwrap();
            let done = tokio::time::timeout(limits.time, child.wait_with_output()).await.unwrap().unwrap();
            out(&done.stdout);
            let status = done.status.code().and_then(|c| u32::try_from(c).ok());
            Ok(Ran { status, stdout: done.stdout, ..Ran::default() })
        })
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            let child = self.command(command).spawn().map_err(|e| failed(&e))?;
            self.pid.store(i32::try_from(child.id().unwrap()).unwrap(), Ordering::SeqCst);
            Ok(Box::new(Open { child, cut: self.cut.clone() }) as Box<dyn Held>)
        })
    }
}

struct Open {
    child: tokio::process::Child,
    cut: Arc<AtomicBool>,
}

impl Drop for Open {
    /// A link that was cut does not tell the other side that it ends.
    fn drop(&mut self) {
        if self.cut.load(Ordering::SeqCst) {
            std::mem::forget(self.child.stdin.take());
            std::mem::forget(self.child.stdout.take());
        }
    }
}

impl Held for Open {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            if self.cut.load(Ordering::SeqCst) {
                return Ok(());
            }
            let stdin = self.child.stdin.as_mut().unwrap();
            stdin.write_all(bytes).await.map_err(|e| failed(&e))?;
            stdin.flush().await.map_err(|e| failed(&e))
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let mut bytes = vec![0; 4096];
            let n = self.child.stdout.as_mut().unwrap().read(&mut bytes).await.map_err(|e| failed(&e))?;
            if self.cut.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            bytes.truncate(n);
            let ended = TransportError::new(&Hop::Here, ErrorKind::Dropped, "the session has ended");
            if n == 0 { Err(ended) } else { Ok(bytes) }
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async { panic!("nobody asks how a lease's session ended") })
    }
}

/// A console as a process of its own, which holds the lease of `production.client`.
pub(super) struct Client {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Client {
    pub(super) fn start(place: &Place, shell: &str) -> Self {
        // The test that is the console there instead.
        let test = "runbook::lease::tests::after_kill_9_of_its_console_it_is_free_at_once";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("LEASE_SHARED", place.places().shared)
            .env("LEASE_OWN", place.places().own)
            .env("LEASE_SHELL", shell)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    /// Whether this process was started as one.
    pub(super) fn is_this_process() -> bool {
        std::env::var_os("LEASE_SHELL").is_some()
    }

    /// Waits until it says that.
    pub(super) fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            assert!(self.said.read_line(&mut line).unwrap() > 0, "it ended before it said {word}");
        }
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a path is there.
pub(super) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

//! An `ssh-agent` of a test's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An `ssh-agent` with a socket of its own; killed when dropped.
pub(crate) struct KeyAgent {
    pub(crate) socket: PathBuf,
    child: Child,
}

impl KeyAgent {
    pub(crate) fn start(dir: &Path) -> Self {
        let socket = dir.join("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a", socket.to_str().unwrap()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while !socket.exists() {
            assert!(Instant::now() < until, "ssh-agent does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { socket, child }
    }

    /// Runs `ssh-add` with these arguments.
    pub(crate) fn add(&self, arguments: &[&str]) {
        let out =
            Command::new("ssh-add").args(arguments).env("SSH_AUTH_SOCK", &self.socket).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
}

impl Drop for KeyAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Real `sshd`s on loopback for tests, with keys and configuration of their own in a temporary folder.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whether the programs are there; else says `skipped: …`, which `tests/run` counts.
pub(crate) fn missing(programs: &[&str]) -> bool {
    for program in programs {
        let found =
            ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|d| Path::new(d).join(program).exists());
        if !found {
            println!("skipped: no {program}");
            return true;
        }
    }
    false
}

/// Whether we are root; else says so.
pub(crate) fn not_root() -> bool {
    let not = run("id", &["-u"]).trim() != "0";
    if not {
        println!("skipped: not root");
    }
    not
}

/// Whether this account may have mounts of its own.
fn can_unshare() -> bool {
    Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|out| out.status.success())
}

/// Runs a program and returns what it printed; a failure fails the test.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Makes a key pair at `path`; empty passphrase for none.
pub(crate) fn keygen(path: &Path, kind: &str, passphrase: &str) {
    run("ssh-keygen", &["-q", "-t", kind, "-N", passphrase, "-C", "", "-f", path.to_str().unwrap()]);
}

/// The public half of a key pair, as in a known_hosts line: kind and data.
pub(crate) fn public(path: &Path) -> String {
    let text = fs::read_to_string(format!("{}.pub", path.display())).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// `SHA256:…` of a key pair.
pub(crate) fn fingerprint(path: &Path) -> String {
    let out = run("ssh-keygen", &["-lf", path.to_str().unwrap()]);
    out.split_whitespace().nth(1).unwrap().to_owned()
}

/// A running `sshd`; killed when dropped.
pub(crate) struct Sshd {
    pub(crate) port: u16,
    pub(crate) host_key: PathBuf,
    pub(crate) child: Child,
}

impl Sshd {
    /// Starts one called `name` in `dir`. `config` is added to its configuration. Where this is root, its `/run/lock` is its
    /// own, with the folder of leases as root makes it.
    pub(crate) fn start(dir: &Path, name: &str, config: &str) -> Self {
        Self::behind(dir, name, config, "install -d -o root -g 65534 -m 2770 /run/lock/jumpdeck")
    }

    /// The same. `before` is a script that root runs first in the sshd's own mount namespace.
    pub(crate) fn behind(dir: &Path, name: &str, config: &str, before: &str) -> Self {
        let host_key = dir.join(format!("{name}.host_key"));
        if !host_key.exists() {
            keygen(&host_key, "ed25519", "");
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = dir.join(format!("{name}.config"));
        let text = format!(
            "{config}\nListenAddress 127.0.0.1:{port}\nHostKey {}\nPidFile none\nStrictModes no\nUsePAM no\n\
             PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             AuthorizedKeysFile {}\nLogLevel ERROR\nMaxStartups 100\n",
            host_key.display(),
            dir.join("authorized_keys").display(),
        );
        fs::write(&file, text).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let log = fs::File::create(dir.join(format!("{name}.log"))).unwrap();
        let mut command = match can_unshare() {
            true => {
                let script = format!(
                    "mkdir -p /run/lock; mount -t tmpfs -o mode=1777 tmpfs /run/lock && {{ {before}; }} && \
                     exec /usr/sbin/sshd \"$@\""
                );
                let mut command = Command::new("unshare");
                command.args(["-m", "sh", "-c", &script, "sshd"]);
                command
            }
            false => Command::new("/usr/sbin/sshd"),
        };
        let child = command
            .args(["-D", "-e", "-f", file.to_str().unwrap()])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "sshd does not start: see {}", dir.display());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { port, host_key, child }
    }

    /// A known_hosts line for it.
    pub(crate) fn known(&self) -> String {
        format!("[127.0.0.1]:{} {}\n", self.port, public(&self.host_key))
    }

    /// Sends a signal to the listener: one that is stopped greets nobody.
    pub(crate) fn signal_listener(&self, signal: &str) {
        run("kill", &[signal, &self.child.id().to_string()]);
    }

    /// Sends a signal to every sshd of its connections, not to the listener; and to nothing that runs in them: a login shell
    /// that is killed while it starts leaves the locks of its profile behind (pyenv's), and every shell after it waits for them.
    pub(crate) fn signal_sessions(&self, signal: &str) {
        let mut parents = vec![self.child.id()];
        let mut pids = Vec::new();
        while let Some(parent) = parents.pop() {
            let children =
                fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
            for child in children.split_whitespace() {
                let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
                if name.starts_with("sshd") {
                    pids.push(child.to_owned());
                }
                parents.push(child.parse().unwrap());
            }
        }
        assert!(!pids.is_empty(), "no connection to signal");
        for pid in pids {
            // One may end while another is told to.
            let _ = Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! MariaDB servers of a test's own, each in a folder of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Where a program is.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|dir| dir.join(program)).find(|p| p.is_file())
}

/// Whether servers can be started here; says why not.
pub(crate) fn is_here() -> bool {
    let here = find("mariadbd").is_some() && find("mariadb").is_some();
    if !here {
        eprintln!("skipped: MariaDB is not installed (mariadb-server, mariadb-client)");
    }
    here
}

/// Free ports, all different: each is taken before one is free again.
pub(crate) fn ports<const N: usize>() -> [u16; N] {
    let taken = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    taken.map(|listener| listener.local_addr().unwrap().port())
}

/// A server in a folder of its own; ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) socket: String,
}

impl Server {
    pub(crate) fn start(dir: &Path, id: u32, port: u16) -> Self {
        Self::start_with(dir, id, port, &[])
    }

    /// The same, with more options.
    pub(crate) fn start_with(dir: &Path, id: u32, port: u16, more: &[String]) -> Self {
        let data = format!("--datadir={}/data", dir.display());
        let mut install = Command::new(find("mariadb-install-db").expect("mariadb-install-db"));
        let root = is_root().then_some("--user=root");
        // Servers that are made at the same time would share the names of their files in /tmp.
        install
            .env("TMPDIR", dir)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data])
            .args(root);
        let installed = install.output().unwrap();
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        if is_root() && more.iter().any(|option| option.starts_with("--wsrep-sst-method")) {
            // rsync's daemon, begun by root, writes as nobody.
            let chown = Command::new("chown").args(["-R", "nobody"]).arg(dir).status().unwrap();
            assert!(chown.success());
        }
        let socket = format!("{}/s", dir.display());
        let child = Command::new(find("mariadbd").unwrap())
            .args(["--no-defaults", &data])
            .args(root)
            .args([&format!("--socket={socket}"), &format!("--port={port}"), "--bind-address=127.0.0.1"])
            .args([&format!("--server-id={id}"), "--log-bin=bin", "--log-slave-updates"])
            .args([&format!("--report-host=db{id}"), &format!("--pid-file={}/pid", dir.display())])
            .args(["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"])
            .args(more)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(dir.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self { child, socket };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !server.run("SELECT 1").status.success() {
            assert!(Instant::now() < deadline, "{}", std::fs::read_to_string(dir.join("log")).unwrap());
            assert!(
                server.child.try_wait().unwrap().is_none(),
                "{}",
                std::fs::read_to_string(dir.join("log")).unwrap()
            );
        }
        server
    }

    pub(crate) fn run(&self, sql: &str) -> Output {
        let socket = format!("--socket={}", self.socket);
        Command::new("mariadb").args(["--no-defaults", &socket, "--user=root", "-e", sql]).output().unwrap()
    }

    /// The same as an account without a password.
    pub(crate) fn run_as(&self, user: &str, sql: &str) -> Output {
        let (socket, user) = (format!("--socket={}", self.socket), format!("--user={user}"));
        Command::new("mariadb").args(["--no-defaults", &socket, &user, "-e", sql]).output().unwrap()
    }

    /// A client of an account without a password that did this and keeps its connection.
    pub(crate) fn hold(&self, user: &str, sql: &str) -> HeldClient {
        let socket = format!("--socket={}", self.socket);
        let mut child = Command::new("mariadb")
            .args(["--no-defaults", &socket, &format!("--user={user}"), "--batch", "--unbuffered"])
            .arg("--skip-column-names")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.as_mut().unwrap();
        writeln!(input, "{sql}; SELECT 'done';").unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "done\n", "{sql}");
        HeldClient(child)
    }

    /// Ends it as a machine does that loses its power.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What a statement prints, without column names.
    pub(crate) fn value(&self, sql: &str) -> String {
        let socket = format!("--socket={}", self.socket);
        let client = Command::new("mariadb")
            .args(["--no-defaults", &socket, "--user=root", "--batch", "--skip-column-names", "-e", sql])
            .output()
            .unwrap();
        String::from_utf8_lossy(&client.stdout).trim().to_owned()
    }

    pub(crate) fn sql(&self, sql: &str) {
        let output = self.run(sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A client that keeps its connection until it is dropped.
pub(crate) struct HeldClient(Child);

impl Drop for HeldClient {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.run("SHUTDOWN");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n")
}

//! Values through the host's own client into a real server, whatever its option files and modes say.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::runbook::judge::HostAnswer;
use crate::runbook::scope::literal;
use crate::runbook::value::{Value, ValueKind};

/// A server in a folder of its own; ends with the test.
pub(in crate::runbook::act) struct Server {
    child: Child,
    dir: tempfile::TempDir,
}

impl Server {
    /// None, and said so, where there is no MariaDB.
    pub(in crate::runbook::act) fn start(options: &[&str]) -> Option<Self> {
        let program = |name: &str| {
            ["/usr/bin", "/usr/sbin"].iter().map(|dir| Path::new(dir).join(name)).find(|path| path.exists())
        };
        let (Some(install), Some(server)) = (program("mariadb-install-db"), program("mariadbd")) else {
            println!("skipped: MariaDB is not installed");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let data = format!("--datadir={}/data", dir.path().display());
        let account = rustix::process::getuid().is_root().then_some("--user=root");
        let common = ["--no-defaults", &data];
        let installed = Command::new(install)
            .args(common)
            .env("TMPDIR", dir.path())
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(account)
            .output()
            .unwrap();
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        let child = Command::new(server)
            .args(common)
            .args(account)
            .args(["--skip-networking", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"])
            .arg(format!("--socket={}/s", dir.path().display()))
            .arg(format!("--pid-file={}/pid", dir.path().display()))
            .args(options)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(dir.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, dir };
        let until = Instant::now() + Duration::from_secs(60);
        while !server.plain(&[], "SELECT 1;").status.success() {
            let log = std::fs::read_to_string(server.dir.path().join("log")).unwrap();
            assert!(Instant::now() < until, "{log}");
        }
        Some(server)
    }

    /// The client without option files, with these options.
    pub(in crate::runbook::act) fn plain(&self, options: &[&str], sql: &str) -> Output {
        let mut command = Command::new("mariadb");
        let socket = format!("--socket={}/s", self.dir.path().display());
        command.args(["--no-defaults", &socket, "--user=root", "--batch"]).args(options);
        fed(command, sql)
    }

    /// A home whose option file says this, and where the server is.
    pub(in crate::runbook::act) fn home(&self, options: &str) -> &Path {
        let socket = self.dir.path().join("s");
        let text = format!("[client]\nsocket={}\n{options}\n", socket.display());
        std::fs::write(self.dir.path().join(".my.cnf"), text).unwrap();
        self.dir.path()
    }

    /// As a step calls it, with an option file that says this.
    fn asked(&self, options: &str, statements: &str) -> Result<HostAnswer, Trouble> {
        let mut command = Command::new("sh");
        let client = command_of("");
        command.args(["-c", &client]).env("HOME", self.home(options));
        let said = fed(command, &begun(statements.to_owned()));
        let status = said.status.code().and_then(|code| u32::try_from(code).ok());
        answer(&Ran { status, stdout: said.stdout, stderr: said.stderr, ..Ran::default() }, false)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.plain(&[], "SHUTDOWN;");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fed(mut command: Command, sql: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A client that ends before it has read all tells why in its output.
    let _ = stdin.write_all(sql.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// Texts of what quoting, escaping and many-byte characters could break; the same each time.
fn texts() -> Vec<String> {
    const PIECES: [&str; 34] = [
        "\\",
        "\\\\",
        "'",
        "''",
        "\"",
        "`",
        "\\'",
        "\\0",
        "\\n",
        "\t",
        "\n",
        ";",
        "--",
        "-- x",
        "#",
        "/*",
        "*/",
        "%",
        "_",
        "東",
        "縗",
        "ソ",
        "表",
        "功",
        "é",
        "¿",
        "¿'",
        "😀",
        "\u{80}",
        "$$",
        "\\g",
        "delimiter //",
        "a",
        " OR 1=1 ",
    ];
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    let mut texts: Vec<String> = vec![
        String::new(),
        "東\\' UNION SELECT 42 -- x".to_owned(),
        "a\\b".to_owned(),
        "\\".to_owned(),
        "'".to_owned(),
    ];
    for _ in 0..400 {
        let length = 1 + next() % 6;
        texts.push((0..length).map(|_| PIECES[next() % PIECES.len()]).collect());
    }
    texts
}

/// Every text as a literal in one statement each, and what arrived of it.
fn arrive(server: &Server, options: &str, what: &str) {
    let values: Vec<Value> =
        texts().iter().filter_map(|text| Value::new(ValueKind::Lines, text).ok()).collect();
    assert!(values.len() > 300);
    let statements: String =
        values.iter().map(|v| format!("SELECT HEX({}) AS h;\n", literal(v, false))).collect();
    let said = server.asked(options, &statements).unwrap_or_else(|e| panic!("{what}: {}", e.words()));
    let arrived: Vec<&str> = said.text.lines().filter(|line| *line != "h").collect();
    let sent: Vec<String> = values
        .iter()
        .map(|v| v.text().bytes().map(|b| format!("{b:02X}")).collect::<String>())
        .map(|hex| if hex.is_empty() { String::new() } else { hex })
        .collect();
    assert_eq!(arrived.len(), sent.len(), "{what}");
    for (value, (arrived, sent)) in values.iter().zip(arrived.iter().zip(&sent)) {
        assert_eq!(arrived, sent, "{what}: {:?}", value.text());
    }
}

#[test]
fn every_value_arrives_whatever_option_files_and_modes_say() {
    let Some(server) = Server::start(&[]) else { return };
    let charsets = ["", "gbk", "sjis", "big5", "cp932", "latin1", "utf8mb3"];
    let modes = ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI", "ORACLE", "MSSQL,EMPTY_STRING_IS_NULL"];
    for mode in modes {
        let set = server.plain(&[], &format!("SET GLOBAL sql_mode = '{mode}';"));
        assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
        for charset in charsets {
            let line =
                if charset.is_empty() { String::new() } else { format!("default-character-set={charset}") };
            arrive(&server, &line, &format!("{charset} {mode}"));
        }
    }
    let odd = "[mysql]\ntable\nhtml\nxml\nvertical\nskip-column-names\nraw\nforce\nsafe-updates\ndelimiter=//\n\
               named-commands\nauto-vertical-output\nbinary-mode\nshow-warnings\n\
               init-command=\"SET NAMES gbk, sql_mode='NO_BACKSLASH_ESCAPES'\"";
    arrive(&server, odd, "an option file that changes the format");
}

#[test]
fn every_value_arrives_at_a_server_that_believes_no_client_about_its_characters() {
    let options = ["--skip-character-set-client-handshake", "--character-set-server=gbk"];
    let Some(server) = Server::start(&options) else { return };
    arrive(&server, "", "a server that speaks gbk");
}

/// What the two tests above would not see: that these servers and clients are really able to change a value.
#[test]
fn without_the_beginning_a_value_is_sql_or_another_value() {
    let Some(server) = Server::start(&[]) else { return };
    let attack = Value::new(ValueKind::Text, "東\\' UNION SELECT 42 -- x").unwrap();
    let sql = format!("SELECT {};\n", literal(&attack, false));
    let said = server.plain(&["--default-character-set=gbk", "--skip-column-names"], &sql);
    assert!(String::from_utf8_lossy(&said.stdout).lines().any(|line| line == "42"));
    let value = Value::new(ValueKind::Text, "a\\b").unwrap();
    let sql = format!("SET sql_mode='NO_BACKSLASH_ESCAPES'; SELECT HEX({});\n", literal(&value, false));
    let said = server.plain(&["--skip-column-names"], &sql);
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "615C5C62");
}

#[test]
fn an_answer_that_cannot_be_read_is_refused() {
    let Some(server) = Server::start(&[]) else { return };
    let tee: PathBuf = server.dir.path().join("tee");
    for options in ["[mysql]\nsilent".to_owned(), format!("[mysql]\ntee={}", tee.display())] {
        let Err(Trouble::Unknown(why)) = server.asked(&options, "SELECT 1 AS one") else {
            panic!("{options}")
        };
        assert!(why.contains("option files"), "{why}");
    }
    let said = server.asked("", "SELECT 'x\ty' AS one, 2 AS two").unwrap();
    assert_eq!(said.text, "one\ttwo\nx\\ty\t2\n");
    assert!(
        matches!(server.asked("", "SELECT nothing"), Err(Trouble::Failed(why)) if why.contains("at line 1"))
    );
}

#[test]
fn what_the_beginning_prints_is_not_shown() {
    for size in [1, 2, 5, 100] {
        let mut seen = Vec::new();
        let mut sink = shown(|bytes: &[u8]| seen.extend_from_slice(bytes));
        for piece in format!("{BEGUN}a\nb\n").as_bytes().chunks(size) {
            sink(piece);
        }
        drop(sink);
        assert_eq!(seen, b"a\nb\n", "{size}");
    }
}

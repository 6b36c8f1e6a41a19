//! promote-masterdb, failover-masterdb and setup-replica on a real fleet without Salt (`tests/fleet up --layout plain`), while
//! applications write all the time. Needs `JUMPDECK_PLAIN_FLEET`, the directory of such a fleet that is up (tests/run gives it).

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "support/lane.rs"]
mod lane;
#[path = "support/operator.rs"]
mod operator;
#[path = "support/sweep.rs"]
mod sweep;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jumpdeck::domain::run::{Prompt, PromptKind, Reply, RunState};
use lane::{MASTER, Told, agrees, lane, run, score, slave, sql, tried, until};

const POSITION: &str = "SELECT @@global.gtid_current_pos";
const ROWS: &str = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, app, seq)))) FROM webplatform.journal";
/// Behind this link is what the applications read.
const FILE: &str = "/etc/webplatform/db.ini";

/// The fleet, applications writing; whole again when this is dropped.
struct Plain {
    dir: PathBuf,
    journals: tempfile::TempDir,
}

impl Plain {
    fn new() -> Option<Self> {
        let Some(dir) = std::env::var_os("JUMPDECK_PLAIN_FLEET").map(PathBuf::from) else {
            println!("skipped: JUMPDECK_PLAIN_FLEET is not set");
            return None;
        };
        lane(&dir, &["db", "reset", "gtid"]);
        lane(&dir, &["writers", "start"]);
        Some(Self { dir, journals: tempfile::tempdir().unwrap() })
    }

    fn lane(&self, words: &[&str]) -> String {
        lane(&self.dir, words)
    }

    fn sql(&self, host: &str, statement: &str) -> String {
        sql(&self.dir, host, statement)
    }

    /// The password of the account that replicas log in with.
    fn password(&self) -> String {
        let text = std::fs::read_to_string(self.dir.join("secrets.json")).unwrap();
        let all: serde_json::Value = serde_json::from_str(&text).unwrap();
        all["repl"].as_str().unwrap().to_owned()
    }

    /// Runs a runbook as it stands in the tree, with what a replica needs less time for than in life.
    async fn run(&self, what: (&str, &[(&str, &str)]), mut answer: impl FnMut(&Prompt) -> Reply) -> Told {
        let password = self.password();
        let mut asked = 0;
        let told = run(&self.dir, self.journals.path(), &tree(), what, |prompt| match &prompt.kind {
            PromptKind::Input(view) if view.name == "repl_password" => {
                asked += 1;
                Reply::Text(password.clone().into())
            }
            _ => answer(prompt),
        })
        .await;
        assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
        println!("{} in {:?}, the password was asked for {asked} times", what.0, told.took);
        let files = std::fs::read_dir(self.journals.path()).unwrap().flatten();
        for file in files.filter(|file| file.file_type().unwrap().is_file()) {
            let text = std::fs::read_to_string(file.path()).unwrap();
            assert!(!text.contains(&password), "the password is in {}", file.path().display());
        }
        told
    }

    /// That every row that was acknowledged is on the one writable server, once.
    fn is_clean(&self, writable: &str) {
        self.lane(&["writers", "stop"]);
        let score = score(&self.dir);
        println!("{}", self.lane(&["writers", "score"]));
        assert_eq!(score["clean"], true, "{score:#}");
        assert_eq!(score["writable"], serde_json::json!([writable]), "{score:#}");
        assert!(score["by_server"][writable].as_u64().unwrap() > 0, "{score:#}");
    }

    /// That nothing stands beside the applications' file any more, and that it is a link still.
    fn files_are_tidy(&self) {
        for app in ["app1", "app2"] {
            let there = self.lane(&["exec", app, "find", "/etc/webplatform", "-name", "*.next*"]);
            assert_eq!(there, "", "{app}");
            assert_eq!(self.lane(&["exec", app, "readlink", FILE]).trim(), "shared/db.ini", "{app}");
        }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        for words in [&["db", MASTER, "start"][..], &["writers", "stop"], &["db", "reset", "gtid"]] {
            let (said, well) = tried(&self.dir, words);
            if !well {
                println!("tests/fleet {words:?}: {said}");
            }
        }
    }
}

/// Runbooks as they stand in the tree, so that a change of them needs no compiler.
fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks")
}

/// Issue 10, part 8: there and back without Salt, while applications write.
#[tokio::test(flavor = "multi_thread")]
async fn writes_move_to_a_replica_and_back_without_salt_and_none_is_lost() {
    let Some(fleet) = Plain::new() else { return };
    let salt =
        "command -v salt salt-call; ls -d /etc/salt/pki /etc/salt/grains /srv/pillar 2>/dev/null; true";
    for host in ["salt", "app1", "db2"] {
        assert_eq!(fleet.lane(&["exec", host, "sh", "-c", salt]), "", "{host} has something of Salt");
    }
    for (old, candidate) in [(MASTER, "db2"), ("db2", MASTER)] {
        let told = fleet.run(("promote-masterdb", &[("old", old), ("candidate", candidate)]), agrees).await;
        assert_eq!(told.view.in_effect, [], "{}", told.story());
        assert_eq!(sweep::mentions(&fleet.dir, old), BTreeSet::new());
        fleet.files_are_tidy();
        for replica in [old, "db3"] {
            assert_eq!(
                slave(&fleet.dir, replica, "Master_Server_Id"),
                fleet.sql(candidate, "SELECT @@server_id")
            );
        }
    }
    fleet.is_clean(MASTER);
}

/// What is done by hand, as the step says: a dump of the new master is loaded; its position.
fn seed(fleet: &Plain, from: &str, into: &str) -> String {
    let dump = "mariadb-dump --user=root --all-databases --single-transaction --routines --flush-privileges --master-data=2 --gtid";
    let dump = fleet.lane(&["exec", from, "sh", "-c", dump]);
    fleet.sql(into, "RESET MASTER");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet");
    let mut loading = Command::new(script);
    loading.arg("--dir").arg(&fleet.dir).args(["exec", into, "mariadb", "--user=root"]).stdin(Stdio::piped());
    let mut loading = loading.spawn().unwrap();
    let mut stdin = loading.stdin.take().unwrap();
    stdin.write_all(format!("SET SESSION sql_log_bin = 0;\n{dump}").as_bytes()).unwrap();
    drop(stdin);
    assert!(loading.wait().unwrap().success());
    let line = dump.lines().find(|line| line.starts_with("-- SET GLOBAL gtid_slave_pos")).unwrap();
    line.split('\'').nth(1).unwrap().to_owned()
}

/// Issue 10, part 8: the master is killed while applications write, a replica takes its place, and the old master comes back as
/// a replica of it. With semi-synchronous replication nothing that was acknowledged is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_master_is_replaced_and_comes_back_as_a_replica_without_salt() {
    let Some(fleet) = Plain::new() else { return };
    for replica in ["db2", "db3"] {
        fleet.sql(
            replica,
            "SET GLOBAL rpl_semi_sync_slave_enabled = ON; STOP SLAVE IO_THREAD; START SLAVE IO_THREAD",
        );
    }
    let waits = "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC; SET GLOBAL rpl_semi_sync_master_enabled = ON";
    fleet.sql(MASTER, waits);
    let status = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_clients', 'Rpl_semi_sync_master_status')";
    until("both replicas say what they received", 20, || {
        let said = fleet.lane(&["sql", MASTER, status]);
        said.contains("Rpl_semi_sync_master_clients\t2") && said.contains("Rpl_semi_sync_master_status\tON")
    });
    let before = fleet.sql(MASTER, "SELECT COUNT(*) FROM webplatform.journal");
    until("applications write", 20, || {
        fleet.sql(MASTER, "SELECT COUNT(*) FROM webplatform.journal") != before
    });
    fleet.lane(&["db", MASTER, "kill"]);

    let mut promoted = String::new();
    let told = fleet
        .run(("failover-masterdb", &[("old", MASTER)]), |prompt| match &prompt.kind {
            PromptKind::Input(view) if view.name == "fence_proof" => {
                Reply::Text("port-dropped".to_owned().into())
            }
            PromptKind::Challenge(value) => {
                promoted = value.to_string();
                agrees(prompt)
            }
            _ => agrees(prompt),
        })
        .await;
    assert_eq!(told.view.in_effect, [], "{}", told.story());
    let asked = told.prompts.iter().any(|prompt| prompt.title.as_str().contains("assword"));
    assert!(!asked, "replicas keep their password\n{}", told.story());
    let left = sweep::mentions(&fleet.dir, MASTER);
    // What the dead master itself has nobody can change yet.
    let left: Vec<_> = left.iter().filter(|mention| !mention.starts_with("db1-masterdb: ")).collect();
    assert!(left.is_empty(), "{left:#?}");
    fleet.files_are_tidy();

    fleet.lane(&["db", MASTER, "start"]);
    until("the old master is up again, read-only", 20, || {
        fleet.sql(MASTER, "SELECT @@global.read_only") == "1"
    });
    let inputs = [("master", promoted.as_str()), ("replica", MASTER)];
    fleet
        .run(("setup-replica", &inputs), |prompt| match &prompt.kind {
            PromptKind::Input(view) if view.name == "seeded_at" => {
                Reply::Text(seed(&fleet, &promoted, MASTER).into())
            }
            _ => agrees(prompt),
        })
        .await;
    assert_eq!(sweep::mentions(&fleet.dir, MASTER), BTreeSet::new());
    fleet.is_clean(&promoted);
    let end = fleet.sql(&promoted, POSITION);
    for replica in ["db1-masterdb", "db2", "db3"].into_iter().filter(|host| *host != promoted) {
        assert_eq!(fleet.sql(replica, &format!("SELECT MASTER_GTID_WAIT('{end}', 20)")), "0", "{replica}");
        let status = fleet.lane(&["sql", replica, "SHOW ALL SLAVES STATUS", "--vertical"]);
        let text = format!("{replica} at {}, {end} wanted\n{status}", fleet.sql(replica, POSITION));
        assert_eq!(fleet.sql(replica, ROWS), fleet.sql(&promoted, ROWS), "{text}");
        assert_eq!(fleet.sql(replica, "SELECT @@global.read_only"), "1", "{replica}");
        assert_eq!(slave(&fleet.dir, replica, "Master_SSL_Allowed"), "Yes", "{replica}");
    }
}

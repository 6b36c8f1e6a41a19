//! A real fleet without Salt, applications writing all the time, and runbooks run on it.

use std::path::{Path, PathBuf};

use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState};

use crate::support::lane::{MASTER, Told, lane, run, score, sql, tried, until};

/// Behind this link is what the applications read.
const FILE: &str = "/etc/webplatform/db.ini";

/// The fleet, applications writing; whole again when this is dropped.
pub(crate) struct Plain {
    pub(crate) dir: PathBuf,
    journals: tempfile::TempDir,
}

impl Plain {
    /// The fleet that the variable names; without one the test says that it is skipped.
    pub(crate) fn new(variable: &str) -> Option<Self> {
        let Some(dir) = std::env::var_os(variable).map(PathBuf::from) else {
            println!("skipped: {variable} is not set");
            return None;
        };
        lane(&dir, &["db", "reset", "gtid"]);
        lane(&dir, &["writers", "start"]);
        Some(Self { dir, journals: tempfile::tempdir().unwrap() })
    }

    pub(crate) fn lane(&self, words: &[&str]) -> String {
        lane(&self.dir, words)
    }

    pub(crate) fn sql(&self, host: &str, statement: &str) -> String {
        sql(&self.dir, host, statement)
    }

    /// The password of the account that replicas log in with.
    fn password(&self) -> String {
        let text = std::fs::read_to_string(self.dir.join("secrets.json")).unwrap();
        let all: serde_json::Value = serde_json::from_str(&text).unwrap();
        all["repl"].as_str().unwrap().to_owned()
    }

    /// Runs a runbook as it stands in the tree to its end, with what a replica needs less time for than in life.
    pub(crate) async fn run(
        &self,
        what: (&str, &[(&str, &str)]),
        answer: impl FnMut(&Prompt) -> Reply,
    ) -> Told {
        let told = self.try_run(what, answer).await;
        assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
        told
    }

    /// The same, however it ends.
    pub(crate) async fn try_run(
        &self,
        what: (&str, &[(&str, &str)]),
        mut answer: impl FnMut(&Prompt) -> Reply,
    ) -> Told {
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
        println!("{} in {:?}, the password was asked for {asked} times", what.0, told.took);
        assert!(!self.journals().contains(&password), "the password is in a journal");
        told
    }

    /// What the journals say.
    pub(crate) fn journals(&self) -> String {
        let files = std::fs::read_dir(self.journals.path()).unwrap().flatten();
        let files = files.filter(|file| file.file_type().unwrap().is_file());
        files.map(|file| std::fs::read_to_string(file.path()).unwrap()).collect()
    }

    /// Semi-synchronous replication: what is acknowledged from here on at least one replica has received.
    pub(crate) fn waits_for_replicas(&self) {
        for replica in ["db2", "db3"] {
            self.sql(
                replica,
                "SET GLOBAL rpl_semi_sync_slave_enabled = ON; STOP SLAVE IO_THREAD; START SLAVE IO_THREAD",
            );
        }
        let waits = "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC; SET GLOBAL rpl_semi_sync_master_enabled = ON";
        self.sql(MASTER, waits);
        let status = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_clients', 'Rpl_semi_sync_master_status')";
        until("both replicas say what they received", 20, || {
            let said = self.lane(&["sql", MASTER, status]);
            said.contains("Rpl_semi_sync_master_clients\t2")
                && said.contains("Rpl_semi_sync_master_status\tON")
        });
        let rows = || self.sql(MASTER, "SELECT COUNT(*) FROM webplatform.journal");
        let before = rows();
        until("applications write", 20, || rows() != before);
    }

    /// That every row that was acknowledged is on the one writable server, once.
    pub(crate) fn is_clean(&self, writable: &str) {
        self.lane(&["writers", "stop"]);
        let score = score(&self.dir);
        println!("{}", self.lane(&["writers", "score"]));
        assert_eq!(score["clean"], true, "{score:#}");
        assert_eq!(score["writable"], serde_json::json!([writable]), "{score:#}");
        assert!(score["by_server"][writable].as_u64().unwrap() > 0, "{score:#}");
    }

    /// That nothing stands beside the applications' file any more, and that it is a link still.
    pub(crate) fn files_are_tidy(&self) {
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

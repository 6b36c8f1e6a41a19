//! failover-masterdb on the real fleet: the master's cable is cut while applications write. Needs `JUMPDECK_FLEET`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/lane.rs"]
mod lane;
#[path = "support/operator.rs"]
mod operator;

use std::path::{Path, PathBuf};
use std::process::Command;

use jumpdeck::domain::run::{Prompt, PromptKind, Reply, RunState, StepState};
use jumpdeck::runbook::value::gtid;
use lane::{Told, agrees, fleet, lane, run, score, slave, sql, until};

const MASTER: &str = "db1-masterdb";
const POSITION: &str = "SELECT @@global.gtid_current_pos";

/// A fleet in which applications write, in that mode of replication; whole again when this is dropped, whatever a test
/// did to it.
struct Scene {
    dir: PathBuf,
    journals: tempfile::TempDir,
    runbooks: tempfile::TempDir,
}

impl Scene {
    fn new(dir: PathBuf, mode: &str) -> Self {
        lane(&dir, &["salt", "up"]);
        lane(&dir, &["db", "reset", mode]);
        lane(&dir, &["writers", "start"]);
        let scene =
            Self { dir, journals: tempfile::tempdir().unwrap(), runbooks: tempfile::tempdir().unwrap() };
        // As it stands in the tree; replicas here notice a silent master within ten seconds, so nobody waits for 75.
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/failover-masterdb.toml");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("timeout = \"75s\""));
        let text = text.replace("timeout = \"75s\"", "timeout = \"15s\"");
        std::fs::write(scene.runbooks.path().join("failover-masterdb.toml"), text).unwrap();
        scene
    }

    fn lane(&self, words: &[&str]) -> String {
        lane(&self.dir, words)
    }

    fn sql(&self, host: &str, statement: &str) -> String {
        sql(&self.dir, host, statement)
    }

    /// How many transactions a server has behind a position of the fleet's one domain.
    fn ahead(&self, host: &str, of: &str) -> u64 {
        sequence(&self.sql(host, POSITION)).saturating_sub(sequence(of))
    }

    /// Cuts the master off from these alone, and waits until it has gone on without `replica` for a while.
    fn leave_behind(&self, replica: &str, others: &str) {
        self.lane(&["cut", MASTER, "--from", others]);
        until("the master goes on alone", 20, || {
            self.ahead(MASTER, &self.sql(replica, "SELECT @@global.gtid_slave_pos")) > 50
        });
    }

    async fn fail_over(&self, answer: impl FnMut(&Prompt) -> Reply) -> Told {
        let what = ("failover-masterdb", &[("old", MASTER)][..]);
        run(&self.dir, self.journals.path(), self.runbooks.path(), what, answer).await
    }

    /// That nobody was led elsewhere, and nobody but the master takes writes.
    fn is_untouched(&self) {
        let master = self.sql("db2", "SELECT @@global.read_only");
        assert_eq!((master.as_str(), self.sql("db3", "SELECT @@global.read_only").as_str()), ("1", "1"));
        let address = slave(&self.dir, "db2", "Master_Host");
        assert!(!address.is_empty());
        assert_eq!(slave(&self.dir, "db3", "Master_Host"), address);
        for app in ["app1", "app2"] {
            let file = self.lane(&["exec", app, "cat", "/etc/webplatform/db.ini"]);
            assert!(file.contains(&format!("host = {address}\n")), "{app}: {file}");
        }
        let pillar = self.lane(&["exec", "salt", "git", "-C", "/srv/pillar", "log", "-1", "--format=%s"]);
        assert!(!pillar.contains("fails over"), "{pillar}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for words in [&["mend", MASTER][..], &["writers", "stop"], &["db", "reset", "gtid"]] {
            let (said, well) = lane::tried(&self.dir, words);
            if !well {
                println!("tests/fleet {words:?}: {said}");
            }
        }
    }
}

/// The sequence in the fleet's one domain.
fn sequence(position: &str) -> u64 {
    gtid::parse(position).unwrap().get(&0).map_or(0, |(_, sequence)| *sequence)
}

/// What `jumpdeck status` saw of the master: the last anybody did.
fn seen_by_the_console(dir: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    let said = command.arg("--inventory").arg(dir.join("inventory.toml")).args(["status", "--format", "json"]);
    let said = String::from_utf8(said.output().unwrap().stdout).unwrap();
    let status: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let hosts = status["hosts"].as_array().unwrap();
    let master = hosts.iter().find(|host| host["name"] == MASTER).unwrap();
    master["replication"][0]["gtid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn as_long_as_one_replica_hears_the_master_nothing_is_done() {
    let Some(dir) = fleet() else { return };
    let scene = Scene::new(dir, "gtid");
    scene.lane(&["cut", MASTER, "--from", "salt,app1,app2,db2"]);
    let told = scene.fail_over(agrees).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = told.said("lost did not succeed");
    assert!(said.contains("db3: Slave_IO_Running is \"Yes\""), "{said}");
    assert!(!said.contains("db2"), "{said}");
    assert_eq!(told.state_of("by-gtid"), StepState::Waiting, "{}", told.story());
    scene.is_untouched();
    scene.lane(&["mend", MASTER]);
    until("applications write again", 20, || scene.ahead(MASTER, &scene.sql(MASTER, POSITION)) > 0);
    scene.lane(&["writers", "stop"]);
    scene.lane(&["writers", "score"]);
}

/// Cuts the master off, the two replicas at different places and both behind it. What the console saw of it last.
fn lose_the_master(scene: &Scene) -> String {
    scene.leave_behind("db3", "db3");
    scene.leave_behind("db2", "db2,db3");
    let last = seen_by_the_console(&scene.dir);
    scene.lane(&["cut", MASTER]);
    last
}

/// What a person says who knows how the master is fenced, and where it was seen; hosts that fail are left out.
fn knowing<'a>(proof: &'a str, last: &'a str) -> impl FnMut(&Prompt) -> Reply + 'a {
    move |prompt| match &prompt.kind {
        PromptKind::Input(view) => Reply::Text(
            match view.name.as_str() {
                "fenced_by" => "its cable is cut",
                "fence_proof" => proof,
                "last_seen" => last,
                other => panic!("{other}"),
            }
            .to_owned()
            .into(),
        ),
        PromptKind::Choose(choices) if choices.iter().any(|c| c.key == 'x') => {
            Reply::Chosen('x', Some("it is rebuilt".to_owned()))
        }
        _ => agrees(prompt),
    }
}

/// What the run says is lost, what the dead master's disk says, and what the applications know.
fn the_loss_is_told(scene: &Scene, told: &Told, last: &str) {
    let said = told.said("Promote db2");
    let found = regex::Regex::new(r"at least (\d+) transactions are lost: the master was seen at (\S+), it has everything up to (\S+)\.");
    let found = found.unwrap();
    let parts = found.captures(&said).unwrap_or_else(|| panic!("{said}"));
    let (at_least, seen, has) = (parts[1].parse::<u64>().unwrap(), &parts[2], &parts[3]);
    assert_eq!(seen, last);
    assert_eq!(at_least, sequence(last) - sequence(has));
    let markdown = told.report.to_markdown(&jiff::tz::TimeZone::UTC);
    assert!(markdown.contains(&format!("at least {at_least} transactions are lost")), "{markdown}");
    // Behind its cut cable the master stands where it stood: its end less what the new one has is what is lost.
    let truly = scene.ahead(MASTER, has);
    let score = score(&scene.dir);
    println!("told: at least {at_least}, on the dead master's disk: {truly}, score: {score}");
    let lost = score["lost"].as_u64().unwrap();
    assert!(at_least > 0 && at_least <= truly, "{at_least} of {truly}");
    // A row of each application may have been under way: committed, and not acknowledged.
    assert!(lost <= truly && truly <= lost + 2, "{lost} rows acknowledged, {truly} transactions: {score}");
    assert_eq!(score["writable"], serde_json::json!(["db2"]));
    assert_eq!(score["cut_off"], serde_json::json!([MASTER]));
    for wrong in ["duplicated", "acknowledged_by_two", "refused_but_there"] {
        assert_eq!(score[wrong], 0, "{wrong}: {score}");
    }
    assert!(score["by_server"]["db2"].as_u64().unwrap() > 0, "{score}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replica_that_has_most_is_promoted_and_what_nobody_has_is_counted() {
    let Some(dir) = fleet() else { return };
    let scene = Scene::new(dir, "gtid");
    let last = lose_the_master(&scene);

    // Nobody can say that it is off, and no second person agrees.
    let told = scene.fail_over(knowing("not-proved", &last)).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(told.said("second-person did not succeed").contains("said no"), "{}", told.story());
    scene.is_untouched();

    let told = scene.fail_over(knowing("seen-off", &last)).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    println!("failed over in {:?}", told.took);
    assert!(matches!(told.state_of("second-person"), StepState::Skipped(_)), "{}", told.story());
    until("applications write to db2", 20, || scene.ahead("db2", &scene.sql("db2", POSITION)) > 0);
    scene.lane(&["writers", "stop"]);
    the_loss_is_told(&scene, &told, &last);

    // The one that had less has caught up with the new master, and knows its name.
    let end = scene.sql("db2", POSITION);
    assert_eq!(scene.sql("db3", &format!("SELECT MASTER_GTID_WAIT('{end}', 20)")), "0");
    let rows = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, app, seq)))) FROM webplatform.journal";
    assert_eq!(scene.sql("db2", rows), scene.sql("db3", rows));
    assert_eq!(slave(&scene.dir, "db3", "Master_SSL_Allowed"), "Yes");
    let hosts = scene.lane(&["exec", "db3", "grep", "-w", "masterdb", "/etc/hosts"]);
    assert!(hosts.starts_with(&slave(&scene.dir, "db3", "Master_Host")), "{hosts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_log_slave_updates_a_replica_that_has_less_is_left_out() {
    let Some(dir) = fleet() else { return };
    let scene = Scene::new(dir, "gtid-nolsu");
    let last = lose_the_master(&scene);
    let told = scene.fail_over(knowing("seen-off", &last)).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    until("applications write to db2", 20, || scene.ahead("db2", &scene.sql("db2", POSITION)) > 0);
    scene.lane(&["writers", "stop"]);
    the_loss_is_told(&scene, &told, &last);
    println!("{}", told.story());
    let left_out: Vec<_> = told.report.excluded.iter().map(|e| format!("{e:?}")).collect();
    assert!(left_out.iter().any(|e| e.contains("db3")), "{left_out:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_file_and_position_nothing_is_done_and_it_is_said_why() {
    let Some(dir) = fleet() else { return };
    let scene = Scene::new(dir, "position");
    scene.lane(&["cut", MASTER]);
    let told = scene.fail_over(agrees).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = told.said("by-gtid did not succeed");
    assert!(said.contains("db2: Using_Gtid is \"No\"") && said.contains("db3"), "{said}");
    scene.is_untouched();
}

//! failover-masterdb and setup-replica on the real fleet, while applications write: the master's cable is cut; a replica
//! that lost its data gets them again. Needs `JUMPDECK_FLEET`.

use crate::support::{lane, sweep};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jumpdeck::runbook::value::gtid;
use jumpdeck_fleet::run::{InEffect, Prompt, PromptKind, Reply, RunState, StepState};
use lane::{MASTER, Scene, Told, agrees, fleet, score, slave, until};

const POSITION: &str = "SELECT @@global.gtid_current_pos";

/// Runbooks as they stand in the tree; replicas here notice a silent master within ten seconds, so nobody waits for more.
fn hurried() -> tempfile::TempDir {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/failover-masterdb.toml");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("timeout = \"75s\"") && text.contains("timeout = \"60s\""));
    let text = text
        .replace("timeout = \"75s\"", "timeout = \"15s\"")
        .replace("timeout = \"60s\"", "timeout = \"15s\"");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("failover-masterdb.toml"), text).unwrap();
    folder
}

async fn fail_over(scene: &Scene, answer: impl FnMut(&Prompt) -> Reply) -> Told {
    scene.run(hurried().path(), ("failover-masterdb", &[("old", MASTER)]), answer).await
}

/// How many transactions a server has behind a position of the fleet's one domain.
fn ahead(scene: &Scene, host: &str, of: &str) -> u64 {
    sequence(&scene.sql(host, POSITION)).saturating_sub(sequence(of))
}

/// Cuts the master off from these alone, and waits until it has gone on without `replica` for a while.
fn leave_behind(scene: &Scene, replica: &str, others: &str) {
    scene.lane(&["cut", MASTER, "--from", others]);
    until("the master goes on alone", 20, || {
        ahead(scene, MASTER, &scene.sql(replica, "SELECT @@global.gtid_slave_pos")) > 50
    });
}

/// The sequence in the fleet's one domain.
fn sequence(position: &str) -> u64 {
    gtid::parse(position).unwrap().get(&0).map_or(0, |(_, sequence)| *sequence)
}

/// What `jumpdeck status` saw of the master: the last anybody did.
fn seen_by_the_console(dir: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    let said =
        command.arg("--inventory").arg(dir.join("inventory.toml")).args(["status", "--format", "json"]);
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
    let told = fail_over(&scene, agrees).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = told.said("(lost) failed");
    assert!(said.contains("db3: Slave_IO_Running: expected anything but \"Yes\", got Yes"), "{said}");
    assert!(!said.contains("db2"), "{said}");
    assert_eq!(told.state_of("by-gtid"), StepState::Waiting, "{}", told.story());
    scene.is_untouched();
    scene.lane(&["mend", MASTER]);
    until("applications write again", 20, || ahead(&scene, MASTER, &scene.sql(MASTER, POSITION)) > 0);
    scene.lane(&["writers", "stop"]);
    scene.lane(&["writers", "score"]);
}

/// Cuts the master off, the two replicas at different places and both behind it. What the console saw of it last.
fn lose_the_master(scene: &Scene) -> String {
    leave_behind(scene, "db3", "db3");
    leave_behind(scene, "db2", "db2,db3");
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
    let found = regex::Regex::new(
        r"at least (\d+) transactions are lost: the old master was last seen at (\S+), the new one has everything up to (\S+)\.",
    );
    let found = found.unwrap();
    let parts = found.captures(&said).unwrap_or_else(|| panic!("{said}"));
    let (at_least, seen, has) = (parts[1].parse::<u64>().unwrap(), &parts[2], &parts[3]);
    assert_eq!(seen, last);
    assert_eq!(at_least, sequence(last) - sequence(has));
    let markdown = told.report.to_markdown(&jiff::tz::TimeZone::UTC);
    assert!(markdown.contains(&format!("at least {at_least} transactions are lost")), "{markdown}");
    // Behind its cut cable the master stands where it stood: its end less what the new one has is what is lost.
    let truly = ahead(scene, MASTER, has);
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
    let told = fail_over(&scene, knowing("not-proved", &last)).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(told.said("(second-person) failed").contains("declined by"), "{}", told.story());
    let left: Vec<String> = told.view.in_effect.iter().map(InEffect::line).collect();
    assert!(
        left.len() == 1 && left[0].starts_with("Users cannot write: no application can connect to"),
        "{left:?}"
    );
    scene.is_untouched();

    let told = fail_over(&scene, knowing("seen-off", &last)).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    println!("failed over in {:?}", told.took);
    let window = told.report.without_writes.last().unwrap();
    assert!(window.at_least && window.from_step == "from-apps" && window.until_step.is_some(), "{window:?}");
    assert_eq!(told.view.in_effect, []);
    // What the dead master itself has nobody can change.
    let mentions = sweep::mentions(&scene.dir, lane::MASTER);
    let left: Vec<_> = mentions.iter().filter(|mention| !mention.starts_with("db1-masterdb: ")).collect();
    assert!(left.is_empty(), "{left:#?}");
    assert!(matches!(told.state_of("second-person"), StepState::Skipped(_)), "{}", told.story());
    until("applications write to db2", 20, || ahead(&scene, "db2", &scene.sql("db2", POSITION)) > 0);
    scene.lane(&["writers", "stop"]);
    the_loss_is_told(&scene, &told, &last);

    // The one that had less has caught up with the new master, and knows its name.
    let end = scene.sql("db2", POSITION);
    assert_eq!(scene.sql("db3", &format!("SELECT MASTER_GTID_WAIT('{end}', 20)")), "0");
    assert_eq!(scene.sql("db2", ROWS), scene.sql("db3", ROWS));
    assert_eq!(slave(&scene.dir, "db3", "Master_SSL_Allowed"), "Yes");
    let hosts = scene.lane(&["exec", "db3", "grep", "-w", "masterdb", "/etc/hosts"]);
    assert!(hosts.starts_with(&slave(&scene.dir, "db3", "Master_Host")), "{hosts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_log_slave_updates_a_replica_that_has_less_is_left_out() {
    let Some(dir) = fleet() else { return };
    let scene = Scene::new(dir, "gtid-nolsu");
    let last = lose_the_master(&scene);
    let told = fail_over(&scene, knowing("seen-off", &last)).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    until("applications write to db2", 20, || ahead(&scene, "db2", &scene.sql("db2", POSITION)) > 0);
    scene.lane(&["writers", "stop"]);
    the_loss_is_told(&scene, &told, &last);
    let said = told.said("(all-follow) failed");
    assert!(said.contains("db3") && said.contains("1236"), "{said}");
    let left_out: Vec<_> = told.report.excluded.iter().map(|e| format!("{e:?}")).collect();
    assert!(left_out.iter().any(|e| e.contains("db3")), "{left_out:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_file_and_position_nothing_is_done_and_it_is_said_why() {
    let Some(dir) = fleet() else { return };
    let scene = Scene::new(dir, "position");
    scene.lane(&["cut", MASTER]);
    let told = fail_over(&scene, agrees).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = told.said("(by-gtid) failed");
    for host in ["db2", "db3"] {
        let expected = format!("{host}: Using_Gtid: expected one of \"Slave_Pos\", \"Current_Pos\", got No");
        assert!(said.contains(&expected), "{said}");
    }
    assert!(said.contains("Without GTID this runbook cannot fail over"), "{said}");
    scene.is_untouched();
}

const ROWS: &str = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, app, seq)))) FROM webplatform.journal";

/// What a person does by hand, as the step says; the position that stands in the dump.
fn seed(scene: &Scene) -> String {
    let dump = "mariadb-dump --all-databases --single-transaction --routines --flush-privileges --master-data=2 --gtid";
    let dump = scene.lane(&["exec", MASTER, "sh", "-c", dump]);
    scene.sql("db3", "RESET MASTER");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet");
    let mut loading = Command::new(script);
    loading.arg("--dir").arg(&scene.dir).args(["exec", "db3", "mariadb"]).stdin(Stdio::piped());
    let mut loading = loading.spawn().unwrap();
    let mut into = loading.stdin.take().unwrap();
    into.write_all(format!("SET SESSION sql_log_bin = 0;\n{dump}").as_bytes()).unwrap();
    drop(into);
    assert!(loading.wait().unwrap().success());
    let line = dump.lines().find(|l| l.starts_with("-- SET GLOBAL gtid_slave_pos")).unwrap();
    line.split('\'').nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_lost_its_data_is_seeded_and_follows_over_tls() {
    let Some(dir) = fleet() else { return };
    let scene = Scene::new(dir, "gtid");
    scene.sql("db3", "STOP ALL SLAVES; RESET SLAVE ALL; DROP DATABASE webplatform; DROP DATABASE fleet");
    let what = (
        "setup-replica",
        &[("master", MASTER), ("replica", "db3"), ("source", "db2"), ("seed", "by-hand")][..],
    );
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");

    // Nothing was seeded, and it wrote by itself.
    let seen = scene.sql("db3", "SELECT @@global.gtid_slave_pos");
    let told = scene
        .run(&folder, what, |prompt| match &prompt.kind {
            PromptKind::Input(view) if view.name == "seeded_at" => Reply::Text(seen.clone().into()),
            _ => agrees(prompt),
        })
        .await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = told.said("(own-log) failed");
    assert!(said.contains("0-3-"), "{said}");
    assert_eq!(scene.sql("db3", "SHOW ALL SLAVES STATUS"), "");

    let told = scene
        .run(&folder, what, |prompt| match &prompt.kind {
            PromptKind::Input(view) if view.name == "seeded_at" => Reply::Text(seed(&scene).into()),
            _ => agrees(prompt),
        })
        .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    scene.lane(&["writers", "stop"]);
    let end = scene.sql(MASTER, POSITION);
    assert_eq!(scene.sql("db3", &format!("SELECT MASTER_GTID_WAIT('{end}', 20)")), "0");
    assert_eq!(scene.sql(MASTER, ROWS), scene.sql("db3", ROWS));
    assert_eq!(scene.sql("db3", "SELECT @@global.read_only"), "1");
    for (column, wanted) in
        [("Master_SSL_Allowed", "Yes"), ("Master_SSL_Verify_Server_Cert", "Yes"), ("Using_Gtid", "Slave_Pos")]
    {
        assert_eq!(slave(&scene.dir, "db3", column), wanted, "{column}");
    }
    scene.is_untouched();
    scene.lane(&["writers", "score"]);
    scene.lane(&["prove"]);
}

//! setup-replica seeds the replica: the dump is proved before anything is replaced, what was there is put aside, and every table is
//! compared at one place.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState};
use jumpdeck_sim::world::World;

use super::rehearsal::{Stage, Told};
use super::{Scene, scene, way};

const ROWS: &str = "mysql -N -e 'SELECT COUNT(*), MIN(title) FROM webplatform.page'";

async fn stage() -> (Scene, Stage) {
    let scene = scene("setup-replica");
    let stage = scene.stage(false).await;
    let made = "mysql webplatform -e \"CREATE TABLE page (id INT NOT NULL, title VARCHAR(99), PRIMARY KEY (id)); \
                INSERT INTO page VALUES (1, 'it''s \\\\\\\\ CSS'), (2, NULL)\"";
    stage.shell("db1-masterdb", made).await;
    stage
        .shell(
            "db2",
            "mysql -e \"CREATE DATABASE old; CREATE TABLE old.t (id INT); INSERT INTO old.t VALUES (7)\"",
        )
        .await;
    (scene, stage)
}

async fn run(scene: &Scene, stage: &Stage, mut also: impl FnMut(&Prompt)) -> Told {
    let mut decisions = 0;
    stage
        .run("setup-replica", scene.inputs, None, |prompt| {
            also(prompt);
            match &prompt.kind {
                PromptKind::Choose(choices) => {
                    decisions += 1;
                    assert!(decisions < 9, "{}: {:?}", prompt.title, prompt.text);
                    way(choices, "ba")
                }
                _ => scene.agrees(stage, prompt),
            }
        })
        .await
}

fn now(stage: &Stage, host: &str, script: &str) -> String {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(stage.shell(host, script)))
}

/// Nothing of db2 was replaced, and nothing of the run is left.
async fn is_as_before(stage: &Stage, told: &Told) {
    assert_eq!(stage.shell("db2", "mysql -N -e 'SELECT id FROM old.t'").await, "7", "{}", told.story());
    assert_eq!(stage.shell("db2", "mysql -e 'SHOW ALL SLAVES STATUS'").await, "", "{}", told.story());
    is_tidy(stage).await;
}

async fn is_tidy(stage: &Stage) {
    for host in ["db1-masterdb", "db2"] {
        let left = "mysql -N -e \"SELECT User FROM mysql.user WHERE User = 'jumpdeck_seed'\"; ls /var/lib | grep jumpdeck-seed; true";
        assert_eq!(stage.shell(host, left).await, "", "{host}");
    }
}

/// Issue 11, part 2; procedures.md 2.4: seeding was a manual text.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_seeded_and_what_it_held_is_put_aside() {
    let (scene, stage) = stage().await;
    let (mut secret, mut asked) = (String::new(), String::new());
    let told = run(&scene, &stage, |prompt| {
        if matches!(prompt.kind, PromptKind::Challenge(_)) {
            secret = now(&stage, "db1-masterdb", "cat /var/lib/jumpdeck-seed-*/password");
            asked = format!("{:?}", prompt.text);
        }
    })
    .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(stage.shell("db2", ROWS).await, stage.shell("db1-masterdb", ROWS).await);
    assert!(
        stage.shell("db2", ROWS).await.starts_with("2\tit's \\\\ CSS"),
        "{}",
        stage.shell("db2", ROWS).await
    );
    let databases = stage.shell("db2", "mysql -N -e 'SHOW DATABASES'").await;
    assert!(
        !databases.lines().any(|name| name == "old") && asked.contains("old: 1 tables"),
        "{databases} {asked}"
    );
    let aside = stage
        .shell(
            "db2",
            "gunzip -c /var/lib/mysql-before-*.sql.gz; stat -c '%U %a' /var/lib/mysql-before-*.sql.gz",
        )
        .await;
    assert!(
        aside.contains("CREATE TABLE `t`") && aside.contains("VALUES (7)") && aside.ends_with("root 600"),
        "{aside}"
    );
    assert_eq!(secret.len(), 64, "{secret}");
    assert!(!stage.journals_text().contains(&secret), "the password is in the journal");
    assert!(told.prompts.iter().all(|prompt| !format!("{prompt:?}").contains(&secret)));
    is_tidy(&stage).await;
    let journal = "mysql -N -e 'SELECT COUNT(*) FROM webplatform.journal'";
    assert_ne!(stage.shell("db2", journal).await, "0");
}

/// A replica whose data are replaced is agreed to by its name, or nothing is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_typed_name_what_a_server_holds_stays() {
    let (scene, stage) = stage().await;
    let told = stage
        .run("setup-replica", scene.inputs, None, |prompt| match &prompt.kind {
            PromptKind::Challenge(_) => Reply::No,
            PromptKind::Choose(choices) => way(choices, "ba"),
            _ => scene.agrees(&stage, prompt),
        })
        .await;
    assert_ne!(told.view.state, RunState::Finished, "{}", told.story());
    is_as_before(&stage, &told).await;
}

/// While the dump is fetched, something happens.
fn when_dumping(
    stage: &Stage,
    what: impl FnOnce(&mut World) + Send + 'static,
) -> std::thread::JoinHandle<()> {
    let world: Arc<Mutex<World>> = stage.shared_world();
    let db2 = HostName::new("db2").unwrap();
    std::thread::spawn(move || {
        let began = std::time::Instant::now();
        while began.elapsed() < Duration::from_secs(60) {
            let mut world = world.lock().unwrap();
            if world.tasks(&db2).any(|task| task.command.contains("dump")) {
                return what(&mut world);
            }
            drop(world);
            std::thread::yield_now();
        }
        panic!("no dump began");
    })
}

/// A pipe of which one end fails: the server that is read, or the disk that is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_dump_that_breaks_off_is_never_loaded() {
    for (end, words) in [("source", "mysqldump ended with 3"), ("disk", "is the disk full?")] {
        let (scene, stage) = stage().await;
        let mut waits = None;
        let told = run(&scene, &stage, |prompt| {
            if prompt.title.as_str().starts_with("Copy ") {
                waits = Some(match end {
                    "source" => when_dumping(&stage, |world| {
                        let db1 = HostName::new("db1-masterdb").unwrap();
                        assert!(world.crash_database(&db1));
                        assert!(world.start_database(&db1));
                    }),
                    _ => when_dumping(&stage, |world| {
                        let db2 = HostName::new("db2").unwrap();
                        world.fill_mount(&db2, "/var/lib", 2);
                    }),
                });
            }
        })
        .await;
        waits.unwrap().join().unwrap();
        assert!(told.decisions().iter().any(|title| title.contains("fetched")), "{end}\n{}", told.story());
        let said = format!("{:?}", told.prompts);
        assert!(said.contains(words), "{end}: {said}");
        is_as_before(&stage, &told).await;
    }
}

/// A disk that is too small is found before anything is touched.
#[tokio::test(flavor = "multi_thread")]
async fn without_room_nothing_is_begun() {
    let (scene, stage) = stage().await;
    stage.world(|world| world.fill_mount(&HostName::new("db2").unwrap(), "/var/lib", 0));
    let told = run(&scene, &stage, |prompt| {
        assert!(!prompt.title.as_str().starts_with("Copy "), "it was asked for");
    })
    .await;
    assert!(told.decisions().iter().any(|title| title.contains("room")), "{}", told.story());
    assert!(format!("{:?}", told.prompts).contains("0 MiB are free"), "{:?}", told.prompts);
    is_as_before(&stage, &told).await;
}

/// A replica that loses a row, and whose place says that it has everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_missing_is_found_by_the_comparison() {
    let (scene, stage) = stage().await;
    let told = run(&scene, &stage, |prompt| {
        if matches!(prompt.kind, PromptKind::Challenge(_)) {
            now(&stage, "db1-masterdb", "mysql -e \"INSERT INTO webplatform.page VALUES (3, 'html')\"");
            stage.world(|world| {
                assert!(world.databases().lose_rows(&HostName::new("db2").unwrap(), u64::MAX))
            });
        }
    })
    .await;
    assert!(told.decisions().iter().any(|title| title.contains("same")), "{}", told.story());
    let said = format!("{:?}", told.prompts);
    assert!(said.contains("replica: webplatform.page"), "{said}");
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    // The way back brings what was put aside.
    is_as_before(&stage, &told).await;
}

/// The way by hand stays: data that are there, and their place.
#[tokio::test(flavor = "multi_thread")]
async fn data_that_are_there_already_are_taken_with_their_place() {
    let (scene, stage) = stage().await;
    let mut inputs = scene.inputs.to_vec();
    inputs.push(("seed", "by-hand"));
    let at = now(
        &stage,
        "db2",
        "mysql -e 'DROP DATABASE old; RESET MASTER'; mysql -N -e 'SELECT @@global.gtid_slave_pos'",
    );
    let told = stage
        .run("setup-replica", &inputs, None, |prompt| match &prompt.kind {
            PromptKind::Input(view) if view.name.as_str() == "seeded_at" => Reply::Text(at.clone().into()),
            PromptKind::Choose(choices) => way(choices, "s"),
            _ => scene.agrees(&stage, prompt),
        })
        .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.prompts.iter().all(|prompt| !matches!(prompt.kind, PromptKind::Challenge(_))));
}

//! restore-database: a dump comes back beside, is exchanged in one statement, and the way back brings the tables of before.

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState};

use super::rehearsal::{Stage, Told};
use super::{scene, way};

const DUMP: &str = "/mnt/backup/mysql/webplatform-";

async fn stage() -> Stage {
    let stage = scene("restore-database").stage(false).await;
    let made = "mysql webplatform -e \"CREATE TABLE page (page_id INT NOT NULL, page_title VARCHAR(255), PRIMARY KEY (page_id)); \
                INSERT INTO page VALUES (1, 'spoilt')\"";
    stage.shell("db1-masterdb", made).await;
    stage
}

async fn run(
    stage: &Stage,
    inputs: &[(&str, &str)],
    mut answer: impl FnMut(&Prompt) -> Option<Reply>,
) -> Told {
    let mut decisions = 0;
    let mut given = inputs.to_vec();
    if !given.iter().any(|(name, _)| *name == "master") {
        given.push(("master", "db1-masterdb"));
    }
    stage
        .run("restore-database", &given, None, |prompt| {
            if let Some(reply) = answer(prompt) {
                return reply;
            }
            match &prompt.kind {
                PromptKind::Choose(choices) => {
                    decisions += 1;
                    assert!(decisions < 9, "{}: {:?}", prompt.title, prompt.text);
                    way(choices, "bas")
                }
                _ => scene("restore-database").agrees(stage, prompt),
            }
        })
        .await
}

const TITLES: &str = "mysql -N -e 'SELECT page_title FROM webplatform.page ORDER BY page_id'";
const RESTORED: &str = "Main_Page\ncss\nhtml\njavascript";

async fn databases(stage: &Stage, host: &str) -> String {
    stage.shell(host, "mysql -N -e \"SHOW DATABASES\" | grep '^webplatform'").await
}

async fn is_tidy(stage: &Stage) {
    for host in ["db1-masterdb", "db2", "backup"] {
        assert_eq!(stage.shell(host, "ls /var/lib | grep jumpdeck-restore; true").await, "", "{host}");
    }
    let accounts = "mysql -N -e \"SELECT User FROM mysql.user WHERE User = 'jumpdeck_load'\"";
    assert_eq!(stage.shell("db1-masterdb", accounts).await, "");
}

async fn is_as_before(stage: &Stage, told: &Told) {
    assert_eq!(stage.shell("db1-masterdb", TITLES).await, "spoilt", "{}", told.story());
    assert_eq!(databases(stage, "db1-masterdb").await, "webplatform", "{}", told.story());
    is_tidy(stage).await;
}

/// Issue 11, part 2; coverage.md 2.11: the restore of a database had no runbook.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_comes_back_and_what_it_held_is_kept() {
    let stage = stage().await;
    let (mut secret, mut asked) = (String::new(), String::new());
    let told = run(&stage, &[("schema", "webplatform")], |prompt| {
        if matches!(prompt.kind, PromptKind::Challenge(_)) {
            let script = "cat /var/lib/jumpdeck-restore-*/password";
            secret = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(stage.shell("db1-masterdb", script))
            });
            asked = format!("{:?}", prompt.text);
        }
        None
    })
    .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(
        asked.contains("page 4 rows in webplatform_restore") && asked.contains("page 1 rows in webplatform"),
        "{asked}"
    );
    for host in ["db1-masterdb", "db2"] {
        assert_eq!(stage.shell(host, TITLES).await, RESTORED, "{host}");
        let kept =
            databases(&stage, host).await.lines().find(|name| name.contains("_before_")).unwrap().to_owned();
        let old = format!(
            "mysql -N -e 'SELECT page_title FROM {kept}.page; SELECT COUNT(*) > 0 FROM {kept}.journal'"
        );
        assert_eq!(stage.shell(host, &old).await, "spoilt\n1", "{host}");
    }
    assert_eq!(secret.len(), 64, "{secret}");
    assert!(!stage.journals_text().contains(&secret), "the password is in the journal");
    is_tidy(&stage).await;
}

/// The restored data are not what was wanted: the way back brings the tables of before, on the replica too.
#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_brings_the_tables_of_before() {
    let stage = stage().await;
    let told = run(&stage, &[("schema", "webplatform")], |prompt| {
        prompt
            .title
            .as_str()
            .contains("Check the applications that use")
            .then(|| Reply::Text("back".to_owned().into()))
    })
    .await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    is_as_before(&stage, &told).await;
}

/// What is wrong with a dump, or with the servers, is found before anything is touched.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_refused_before_anything_is_touched() {
    let newest = format!("$(ls {DUMP}* | tail -n 1)");
    let cases: &[(&str, &str, String, &str, &str)] = &[
        ("webplatform", "backup", format!("rm {DUMP}*"), "found", ""),
        ("blog", "backup", "true".to_owned(), "found", ""),
        (
            "webplatform",
            "backup",
            format!("gunzip -c {newest} | grep -v completed > /tmp/d; gzip -c /tmp/d > {newest}"),
            "whole",
            "its last line is missing",
        ),
        (
            "webplatform",
            "backup",
            format!(
                "gunzip -c {newest} > /tmp/d; echo 'USE `blog`;' > /tmp/e; cat /tmp/d >> /tmp/e; gzip -c /tmp/e > {newest}"
            ),
            "whole",
            "other databases",
        ),
        (
            "webplatform",
            "db1-masterdb",
            "mysql -e 'CREATE DATABASE webplatform_restore'".to_owned(),
            "now",
            "",
        ),
    ];
    for (schema, host, script, step, words) in cases {
        let stage = stage().await;
        stage.shell(host, script).await;
        let told = run(&stage, &[("schema", schema)], |prompt| {
            let PromptKind::Choose(choices) = &prompt.kind else { panic!("{step}: asked {}", prompt.title) };
            Some(way(choices, "s"))
        })
        .await;
        assert!(told.decisions().iter().any(|title| title.contains(step)), "{step}\n{}", told.story());
        assert!(format!("{:?}", told.prompts).contains(words), "{step}: {:?}", told.prompts);
        assert_eq!(stage.shell("db1-masterdb", TITLES).await, "spoilt", "{step}");
    }
    let stage = stage().await;
    let told = run(&stage, &[("schema", "webplatform"), ("master", "db2")], |_| None).await;
    assert!(told.decisions().iter().any(|title| title.contains("writable")), "{}", told.story());
    let stage = self::stage().await;
    stage.world(|world| world.fill_mount(&HostName::new("db2").unwrap(), "/var/lib/mysql", 1000));
    let told = run(&stage, &[("schema", "webplatform")], |_| None).await;
    assert!(told.decisions().iter().any(|title| title.contains("room")), "{}", told.story());
    assert!(format!("{:?}", told.prompts).contains("0 MiB are free"), "{:?}", told.prompts);
}

/// An old dump is agreed to by its age; a broken one is found by the bytes.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_dump_is_asked_about_and_a_cut_one_is_refused() {
    let stage = stage().await;
    let oldest = stage.shell("backup", &format!("ls {DUMP}* | head -n 1")).await;
    let inputs = [("schema", "webplatform"), ("dump", oldest.as_str())];
    let mut asked = 0;
    let told = run(&stage, &inputs, |prompt| {
        asked += usize::from(prompt.title.as_str().contains("hours old, more than"));
        None
    })
    .await;
    assert_eq!((asked, &told.view.state), (1, &RunState::Finished), "{}", told.story());
    assert_eq!(stage.shell("db1-masterdb", TITLES).await, RESTORED);
    let stage = self::stage().await;
    stage.world(|world| assert!(world.corrupt_file(&HostName::new("backup").unwrap(), &oldest)));
    let told = run(&stage, &inputs, |_| None).await;
    assert!(format!("{:?}", told.prompts).contains("the dump is damaged"), "{}", told.story());
    is_as_before(&stage, &told).await;
}

/// A dump that would write elsewhere is stopped by the rights of the account that loads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_dump_that_reaches_into_another_database_is_stopped_and_rolled_back() {
    let stage = stage().await;
    let script = format!(
        "cat > /tmp/d <<'END'\nCREATE TABLE `page` (`a` int);\nINSERT INTO blog.journal (app, seq) VALUES ('x', 1);\n\
         -- Dump completed on 2015\nEND\ngzip -c /tmp/d > $(ls {DUMP}* | tail -n 1)"
    );
    stage.shell("backup", &script).await;
    let told = run(&stage, &[("schema", "webplatform")], |_| None).await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert!(format!("{:?}", told.prompts).contains("denied"), "{:?}", told.prompts);
    is_as_before(&stage, &told).await;
}

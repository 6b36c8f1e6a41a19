//! Runbooks on a simulated fleet without Salt: what moves the database is in the inventory, and is done over SSH.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "support/operator.rs"]
mod operator;
#[path = "support/rehearsal.rs"]
mod rehearsal;

use jumpdeck::domain::fleet::DatabaseFile;
use jumpdeck::domain::names::RoleName;
use jumpdeck::domain::run::{Prompt, PromptKind, Reply, RunState};
use rehearsal::{Stage, Told};

/// What replicas log in with in the simulated worlds.
const PASSWORD: &str = "repl-simulated";

fn file(role: &str, file: &str, line: &str, reload: Option<&str>) -> DatabaseFile {
    DatabaseFile {
        role: RoleName::new(role).unwrap(),
        file: file.to_owned(),
        line: line.to_owned(),
        reload: reload.map(str::to_owned),
    }
}

/// The small fleet without Salt, and which of its files name the database.
fn plain() -> Stage {
    Stage::new("wpd-2015", "staging", false).without_salt(vec![
        file("app", "/etc/webplatform/db.ini", "host = {address}", Some("service apache2 reload")),
        file(
            "accounts",
            "/etc/fxa/auth-db.json",
            "\"host\": \"{address}\"",
            Some("service fxa-auth-server restart"),
        ),
        file("blog", "/etc/hosts", "{address} masterdb", None),
    ])
}

fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(view) if view.name.as_str() == "repl_password" => {
            Reply::Text(PASSWORD.to_owned().into())
        }
        PromptKind::Input(view) => {
            let value = view.default.as_ref().or(view.choices.first());
            Reply::Text(value.map(ToString::to_string).unwrap_or_else(|| "seen".to_owned()).into())
        }
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        PromptKind::Approve(_) => Reply::No,
    }
}

const SETUP: &[(&str, &str)] =
    &[("master", "db1-masterdb"), ("replica", "db2"), ("ca_file", "/etc/mysql/ssl/ca-cert.pem")];

/// db2 is made a replica again, after its settings were lost.
async fn set_up(stage: &Stage, mut answer: impl FnMut(&Prompt) -> Reply) -> Told {
    stage.shell("db2", "mysql -e \"STOP ALL SLAVES; RESET SLAVE ALL\"").await;
    let at = stage.shell("db2", "mysql -N -e 'SELECT @@global.gtid_slave_pos'").await;
    let seeded = |prompt: &Prompt| match &prompt.kind {
        PromptKind::Input(view) if view.name.as_str() == "seeded_at" => Reply::Text(at.clone().into()),
        _ => answer(prompt),
    };
    stage.run("setup-replica", SETUP, None, seeded).await
}

/// Issue 10, part 8: setup-replica on a fleet without Salt comes to its end; the password is typed, and is in no entry of the journal.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_set_up_without_salt_and_its_password_is_asked() {
    let stage = plain();
    let told = set_up(&stage, agrees).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    let status = stage.shell("db2", "mysql -e 'SHOW ALL SLAVES STATUS\\G'").await;
    assert!(
        status.contains("Slave_IO_Running: Yes") && status.contains("Master_SSL_Allowed: Yes"),
        "{status}"
    );
    let kept = stage.journals_text();
    assert!(kept.contains("repl-password"), "{kept}");
    assert!(!kept.contains(PASSWORD), "the password is in the journal");
    assert!(told.prompts.iter().all(|prompt| !format!("{prompt:?}").contains(PASSWORD)));
}

/// The inventory says nothing of Salt, and there is none: the first check says so, and what to write. Nothing is begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_does_not_say_that_it_has_no_salt_is_told_so_by_the_first_check() {
    for (runbook, inputs) in [("setup-replica", SETUP)] {
        let stage = Stage::new("wpd-2015", "staging", false);
        stage.world(jumpdeck::sim::world::World::remove_salt);
        let told = stage.run(runbook, inputs, None, agrees).await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{runbook}: {}", told.story());
        assert_eq!(told.decisions().len(), 1, "{runbook}: {}", told.story());
        let asked: Vec<String> =
            told.prompts.iter().map(|prompt| format!("{}: {:?}", prompt.title, prompt.text)).collect();
        let said = asked.iter().find(|said| said.contains("failed")).unwrap_or_else(|| panic!("{asked:#?}"));
        assert!(
            said.contains("This jump box has no Salt") && said.contains("salt = false"),
            "{runbook}: {said}"
        );
        assert!(!said.contains("disk"), "{runbook}: {said}");
    }
}

/// A runbook that knows Salt alone says before anything is run that it cannot be used, and by which steps.
#[tokio::test(flavor = "multi_thread")]
async fn a_runbook_that_needs_salt_is_refused_where_the_inventory_says_that_there_is_none() {
    let stage = plain();
    let problems = stage.problems("deploy-code", &[("canary", "app1")]).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("the inventory says that staging has no Salt, and steps "),
        "{problems:?}"
    );
    assert_eq!(stage.problems("setup-replica", SETUP).await, Vec::<String>::new());
}

/// procedures.md 2.2: on MySQL the first check says in one sentence what the runbook needs, and no raw error comes before it.
#[tokio::test(flavor = "multi_thread")]
async fn on_mysql_the_first_check_says_that_the_runbook_needs_mariadb() {
    for (runbook, inputs) in [("setup-replica", &[("master", "db1"), ("replica", "db2")][..])] {
        let stage = Stage::new("wpd-2013", "production", false);
        let told = stage.run(runbook, inputs, None, agrees).await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{runbook}: {}", told.story());
        let asked: Vec<String> =
            told.prompts.iter().map(|prompt| format!("{}: {:?}", prompt.title, prompt.text)).collect();
        let said = asked.iter().find(|said| said.contains("failed")).unwrap_or_else(|| panic!("{asked:#?}"));
        assert!(said.contains("(mariadb) failed"), "{runbook}: {said}");
        assert!(
            said.contains("This runbook needs MariaDB 10.0.2 or newer; this server is MySQL 5.1."),
            "{runbook}: {said}"
        );
        assert!(!said.contains("ERROR"), "{runbook}: {said}");
    }
}

/// Every other runbook, too: that Salt is missing is told as such, and not as a full disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_salt_where_there_is_none_is_told_as_such() {
    let stage = Stage::new("wpd-2015", "staging", false);
    stage.world(jumpdeck::sim::world::World::remove_salt);
    let told = stage.run("deploy-code", &[("canary", "app1")], None, agrees).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = told.story();
    assert!(
        said.contains("the jump box has no program \\\"salt\\\"") && said.contains("salt = false"),
        "{said}"
    );
    assert!(!said.contains("the room on its disks"), "{said}");
}

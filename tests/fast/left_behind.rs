//! What a switchover leaves behind in the simulated fleet: hosts whose files, pillar, connections or resolver still mean the
//! old master, and applications that it refuses.

use crate::support::rehearsal;
use std::collections::BTreeSet;

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState, StepState};
use jumpdeck_sim::world::sweep::{Mention, Place};
use rehearsal::{Stage, Told};

fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(_) => Reply::Text("seen".to_owned().into()),
        // The secondary site's replica stays with the old master.
        PromptKind::Choose(_) => Reply::Chosen('k', Some("the off-site replica".to_owned())),
        PromptKind::Approve(_) => Reply::No,
    }
}

fn hosts(mentions: &[Mention], so: impl Fn(&Place) -> bool) -> BTreeSet<&str> {
    mentions.iter().filter(|m| so(&m.place)).map(|m| m.host.as_str()).collect()
}

/// Finding F1: the runbook that moves only the roles app and db says FINISHED, and leaves most of the fleet with the old
/// master. The sweep sees each way in which it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_switchover_of_app_and_db_alone_leaves_the_rest_of_the_fleet_with_the_old_master() {
    let stage = Stage::new("wpd-2015", "production", false);
    let old = HostName::new("db1-masterdb").unwrap();
    let told = stage
        .run("promote-app-and-db-only", &[("old", "db1-masterdb"), ("candidate", "db2")], None, agrees)
        .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    let left = stage.world(|world| {
        world.advance(std::time::Duration::from_secs(120));
        world.mentions_of(&old)
    });
    left.iter().for_each(|mention| println!("{mention}"));
    let all: BTreeSet<String> = stage.world(|w| w.machines().map(|m| m.name.to_string()).collect());
    let names_old = hosts(&left, |place| matches!(place, Place::HostsFile));
    assert_eq!(
        names_old.len(),
        all.len() - 2,
        "/etc/hosts is moved on the two databases alone: {names_old:?}"
    );
    let pillar = hosts(&left, |place| matches!(place, Place::Pillar(_)));
    assert!(pillar.contains("blog") && !pillar.contains("app1"), "{pillar:?}");
    assert_eq!(hosts(&left, |place| matches!(place, Place::PillarFile(_))), BTreeSet::new());
    let configured = hosts(&left, |place| matches!(place, Place::Configuration(_)));
    let applications = ["accounts", "app1-jobrunner", "blog", "bots", "notes", "piwik", "project"];
    assert_eq!(configured, BTreeSet::from(applications));
    assert_eq!(hosts(&left, |place| matches!(place, Place::Connection(_))), BTreeSet::from(applications));
    assert_eq!(hosts(&left, |place| matches!(place, Place::Zone(_))), BTreeSet::from(["salt"]));
    // Every one of them is refused what it writes.
    for application in stage.world(|w| w.applications()) {
        let host = application.host.as_str();
        let moved = application.kind.name == "MediaWiki";
        assert_eq!(application.server.as_deref(), Some(if moved { "db2" } else { "db1-masterdb" }), "{host}");
        let said = application.last_error.unwrap_or_default();
        assert!(moved || said.contains("ERROR 1290"), "{host}: {said}");
        assert_eq!(application.lost, Some(0), "{host}");
    }
}

/// Lets a run go to its end: who is asked moves the bots by hand when they alone are left. What was asked, with its text.
async fn moved(
    stage: &Stage,
    runbook: &str,
    inputs: &[(&str, &str)],
    says: fn(&Prompt) -> Reply,
) -> (Told, Vec<String>) {
    let accepted = std::cell::RefCell::new(Vec::new());
    let answer = |prompt: &Prompt| {
        let title = prompt.title.as_str();
        let PromptKind::Choose(_) = &prompt.kind else { return says(prompt) };
        let text: Vec<String> = prompt.text.iter().map(ToString::to_string).collect();
        println!("{title}\n  {}", text.join("\n  "));
        accepted.borrow_mut().push(format!("{title}: {}", text.join("\n")));
        assert!(accepted.borrow().len() < 12, "asked again and again");
        if title.contains("nobody-left)") {
            let work = stage.shell(
                "bots",
                "sed -i 's/^DB_HOST=.*/DB_HOST=10.10.10.15/' /srv/bots/pierc.conf; service pierc restart",
            );
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work));
            return Reply::Chosen('r', None);
        }
        says(prompt)
    };
    let told = stage.run(runbook, inputs, None, answer).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    println!("{}", told.story());
    (told, accepted.into_inner())
}

/// That no host but the old master names it, that every application writes to db2, and that what a person alone can move was
/// named, before writes moved and after.
async fn nobody_is_left(stage: &Stage, told: &Told, accepted: &[String]) {
    let old = HostName::new("db1-masterdb").unwrap();
    let before = stage.world(|world| {
        world.advance(std::time::Duration::from_secs(30));
        world.applications()
    });
    let (left, after) = stage.world(|world| {
        world.advance(std::time::Duration::from_secs(120));
        let mut left = world.mentions_of(&old);
        // A server that is down can neither be asked nor changed.
        left.retain(|mention| world.is_up(&mention.host));
        (left, world.applications())
    });
    // Not one: what means the old master by its own name is no mention (World::mentions_of).
    assert_eq!(
        left.iter().map(ToString::to_string).collect::<Vec<_>>(),
        Vec::<String>::new(),
        "{}",
        told.story()
    );
    let kinds: BTreeSet<&str> = after.iter().map(|application| application.kind.name).collect();
    assert_eq!(kinds.len(), jumpdeck_sim::apps::kinds::KINDS.len(), "{kinds:?}");
    for (before, after) in before.iter().zip(&after) {
        let what = format!("{} on {}", after.kind.name, after.host);
        assert_eq!(after.server.as_deref(), Some("db2"), "{what}");
        assert!(after.acknowledged > before.acknowledged, "{what} writes nothing");
        assert_eq!(after.refused, before.refused, "{what}: {:?}", after.last_error);
        assert_eq!(after.lost, Some(0), "{what}");
    }
    // Only what nobody but a person can move was asked about, and by name.
    let about =
        |step: &str| accepted.iter().find(|a| a.contains(&format!("{step})"))).cloned().unwrap_or_default();
    for step in ["by-hand", "nobody-left"] {
        assert!(
            about(step).contains("bots") && about(step).contains("/srv/bots/pierc.conf"),
            "{step}: {accepted:#?}"
        );
    }
    // Who agreed saw every command that ran without another question.
    let agreed = told
        .prompts
        .iter()
        .find(|p| p.title.as_str().contains("Move writes") || p.title.as_str().contains("and lose"));
    let agreed = agreed.unwrap().text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for command in
        ["/etc/hosts.next", "state.sls \"$state\"", "nscd -i hosts", "service \"$service\" restart"]
    {
        assert!(agreed.contains(command), "{command}\n{agreed}");
    }
    // Highstate is held nowhere any more.
    let held = stage.shell("salt", "salt --out=txt '*' state.list_disabled").await;
    assert!(!held.contains("highstate"), "{held}");
}

/// Issue 10, part 2: after FINISHED nobody names the old master, and every application writes to the new one. The file that no
/// state renders is named before writes move, and is moved by hand when the run says that it alone is left.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_promotion_no_host_names_the_old_master_and_every_application_writes_to_the_new_one() {
    let stage = Stage::new("wpd-2015", "production", false);
    let inputs = [("old", "db1-masterdb"), ("candidate", "db2")];
    let (told, accepted) = moved(&stage, "promote-masterdb", &inputs, agrees).await;
    nobody_is_left(&stage, &told, &accepted).await;
    assert_eq!(accepted.len(), 3, "{accepted:#?}");
}

/// The same after a failover, but for the old master itself.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_no_host_names_the_old_master_and_every_application_writes_to_the_new_one() {
    let stage = Stage::new("wpd-2015", "production", false);
    stage.world(|world| assert!(world.stop_server("db1-masterdb").is_ok()));
    let says = |prompt: &Prompt| match &prompt.kind {
        PromptKind::Input(view) => {
            let value = match view.name.as_str() {
                "fence_proof" => "seen-off",
                "last_seen" => "",
                _ => "switched off",
            };
            Reply::Text(value.to_owned().into())
        }
        _ => agrees(prompt),
    };
    let (told, accepted) = moved(&stage, "failover-masterdb", &[("old", "db1-masterdb")], says).await;
    nobody_is_left(&stage, &told, &accepted).await;
}

/// A fleet with other applications is not told that it is finished: what keeps its connection and is not known, and files that
/// no state renders there, are named before anything is changed.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_how_to_move_is_named_before_anything_is_changed() {
    let mut stage = Stage::new("wpd-2015", "production", false);
    let text = std::fs::read_to_string("runbooks/database-users.toml").unwrap();
    let known = "keeping='jobrunner:/etc/jobrunner/database.yml hypothesis:/etc/h/production.ini'";
    assert!(text.contains(known));
    stage.add("database-users", &text.replace(known, "keeping=''"));
    // A file of its own, and one in the pillar.
    let file = "mkdir -p /opt/other; echo 'db = 10.10.10.14' >/opt/other/db.conf";
    stage.shell("mail", file).await;
    let pillar = "echo 'reports: 10.10.10.14' >/srv/pillar/reports.sls; cd /srv/pillar; git add -A; git commit -q -m reports";
    stage.shell("salt", pillar).await;
    let mut said = String::new();
    let told = stage
        .run("promote-masterdb", &[("old", "db1-masterdb"), ("candidate", "db2")], None, |prompt| {
            if prompt.title.as_str().contains("by-hand)") {
                said = prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                return Reply::Chosen('s', None);
            }
            agrees(prompt)
        })
        .await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert_eq!(told.state_of("prepare"), StepState::Waiting, "{}", told.story());
    println!("{said}");
    for named in [
        "file /srv/bots/pierc.conf: by hand",
        "file /opt/other/db.conf: by hand",
        "file /srv/pillar/reports.sls: by hand",
        "connection of gunicorn: restart it by hand",
    ] {
        assert!(said.contains(named), "{named}\n{said}\n{}", told.story());
    }
    // What Salt restarts, and PHP, which connects for each request, need nobody.
    for not in ["connection of node", "connection of apache2", "auth-db.json", "wp-config.php"] {
        assert!(!said.contains(not), "{not}\n{said}");
    }
}

/// Who is connected to a server, by account and address.
const CONNECTED: &str = "SELECT USER AS account, SUBSTRING_INDEX(HOST, ':', 1) AS client, COUNT(*) AS connections \
                         FROM information_schema.processlist WHERE USER NOT IN ('system user', 'event_scheduler', 'repl') \
                         AND HOST <> 'localhost' AND HOST <> '' AND ID <> CONNECTION_ID() \
                         GROUP BY USER, SUBSTRING_INDEX(HOST, ':', 1)";
/// What a host's own resolver, its configuration files and its hosts file say of an address.
const NAMES: &str = "old=10.10.10.14
for name in masterdb masterdb.production.wpdn mysql.production.wpdn; do
  at=$(getent hosts \"$name\" | head -n 1 | cut -d' ' -f1)
  if [ \"$at\" = \"$old\" ]; then echo \"name $name\"; fi
done
find /etc /srv /opt /home -type f 2>/dev/null | while IFS= read -r file; do
  if grep -qsFw -e \"$old\" -e masterdb -e mysql.production.wpdn \"$file\"; then echo \"file $file\"; fi
done";

/// Who uses the database is found from the master's connections, and from each host's own resolver and files: together
/// they name every application of the fleet.
#[tokio::test(flavor = "multi_thread")]
async fn who_uses_the_database_is_found_by_statements_and_scripts_that_a_runbook_can_run() {
    let stage = Stage::new("wpd-2015", "production", false);
    stage.world(|world| {
        world.advance(std::time::Duration::from_secs(30));
        world.applications();
    });
    let list = stage.shell("db1-masterdb", &format!("mysql -N -e \"{CONNECTED}\"")).await;
    let applications = stage.world(|world| world.applications());
    for application in &applications {
        let address = stage.world(|w| w.machine(&application.host).unwrap().address.clone());
        assert!(list.contains(&format!("{}\t{address}\t1", application.kind.user)), "{list}");
        let said = stage.shell(application.host.as_str(), NAMES).await;
        assert!(said.contains("name masterdb\n") && said.contains("name mysql.production.wpdn\n"), "{said}");
        assert!(said.contains(&format!("file {}", application.kind.file)), "{}: {said}", application.host);
    }
    assert_eq!(list.lines().count(), applications.len(), "{list}");
}

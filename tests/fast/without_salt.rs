//! Every runbook of the library on a fleet without Salt and without a program for its cloud: to its end, or refused in one sentence
//! before anything is touched. A runbook that is added has to be given a row here, or the test fails.

mod by_hand;
mod fleet;
mod half_way;
mod provider;

use crate::support::rehearsal;

use fleet::{differences, fingerprint};
use jumpdeck::runbook::event::{Event, Phase};
use jumpdeck_fleet::fleet::DatabaseFile;
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::run::{Effect, Prompt, PromptKind, Reply, RunState};
use jumpdeck_sim::world::World;
use provider::PROVIDER;
use rehearsal::{Stage, Told};

/// What must come of a runbook.
#[derive(Debug, Clone, Copy)]
enum Comes {
    ToItsEnd,
    /// Refused with exactly this sentence.
    Refused(&'static str),
}

/// What a person does at a step by hand, found by a piece of the step's title, and the value that they state.
struct Hand(&'static str, Does);

enum Does {
    /// Nothing but stating this.
    States(&'static str),
    /// A script on a machine; what it prints is stated.
    Runs(&'static str, &'static str),
    /// Something on the provider's pages; the answer is stated.
    Orders(fn(&mut World) -> String),
}

/// A runbook, and what must come of it.
struct Row {
    comes: Comes,
    env: &'static str,
    world: &'static str,
    inputs: &'static [(&'static str, &'static str)],
    /// What was wrong before, so that there is something to do.
    broken: fn(&mut World),
    before: &'static [(&'static str, &'static str)],
    hands: &'static [Hand],
}

const END: Row = Row {
    comes: Comes::ToItsEnd,
    env: "staging",
    world: "wpd-2015",
    inputs: &[],
    broken: |_| (),
    before: &[],
    hands: &[],
};

const fn refused(sentence: &'static str, inputs: &'static [(&'static str, &'static str)]) -> Row {
    Row { comes: Comes::Refused(sentence), inputs, ..END }
}

/// The row of each runbook.
fn row(runbook: &str) -> Row {
    match runbook {
        "backup-disk-full" => Row {
            world: "wpd-2013",
            env: "production",
            inputs: &[("backup", "backup"), ("mount", "/mnt/backup")],
            ..END
        },
        "backup-restore-test" => Row { hands: &[Hand("Load the dump", Does::States("2"))], ..END },
        "deploy-code" => refused(
            "deploy-code works through Salt, but the inventory says that staging has no Salt: bring the code to each host as its \
             application does it (git pull, rsync), one host after the other",
            &[("canary", "app1")],
        ),
        "elasticsearch-restore" => Row { env: "production", inputs: &[("node", "elastic")], ..END },
        "elasticsearch-rolling-restart" => Row { env: "production", ..END },
        "elasticsearch-snapshot" => Row { env: "production", inputs: &[("node", "elastic")], ..END },
        "failover-masterdb" => Row {
            inputs: &[("old", "db1-masterdb")],
            broken: |w| assert!(w.stop_server("db1-masterdb").is_ok()),
            ..END
        },
        "fastly-backends" => refused(
            "salt has no file /root/.fastly-token: if this fleet uses Fastly, write its API token into the first line of \
             this file, mode 600.",
            &[("vm", "app1")],
        ),
        "highstate" => refused(
            "highstate works through Salt, but the inventory says that staging has no Salt: there are no states to apply, so change \
             each host by hand, one after the other",
            &[("canary", "app1")],
        ),
        "job-queue" => Row {
            env: "production",
            inputs: &[("runner", "app1-jobrunner")],
            broken: |w| w.jobs_run_away(80_000, 5),
            ..END
        },
        "mail-queue" => {
            Row { inputs: &[("mail", "mail"), ("sender", "www-data@project.production.wpdn")], ..END }
        }
        "new-db-credentials" => Row {
            env: "production",
            inputs: &[("new_user", "wiki2"), ("password", "correct-horse"), ("canary", "app1")],
            hands: &[
                Hand("credentials on app1", Does::Runs("app1", NEW_ACCOUNT)),
                Hand("credentials on app1", Does::Runs("app1", "service apache2 reload")),
                // The run reloads them, as the inventory says.
                Hand("credentials on the other hosts", Does::Runs("app2", NEW_ACCOUNT)),
                Hand("credentials on the other hosts", Does::Runs("app3", NEW_ACCOUNT)),
                Hand("credentials on the other hosts", Does::Runs("app1-jobrunner", NEW_ACCOUNT)),
            ],
            ..END
        },
        "promote-masterdb" => Row { inputs: &[("old", "db1-masterdb"), ("candidate", "db2")], ..END },
        "rebuild-lost-salt-master" => refused(
            "rebuild-lost-salt-master works through Salt, but the inventory says that staging has no Salt: build a new jump box by \
             hand, and write its address into the inventory",
            &[("address", "10.20.20.250"), ("old_address", "10.20.20.10"), ("minion", "notes")],
        ),
        "rebuild-salt-master" => refused(
            "rebuild-salt-master works through Salt, but the inventory says that staging has no Salt: build a new jump box by hand, \
             and write its address into the inventory",
            &[("minion", "notes")],
        ),
        "reboot-silent-host" => Row {
            broken: |w| assert!(w.server_hangs("app1").is_ok()),
            ..refused(
                "The jump box has no nova: choose a cloud client that it has, or restart the host on the provider's page.",
                &[("vm", "app1")],
            )
        },
        "remove-person" => Row { inputs: &[("person", "shepazu")], ..END },
        "replace-vm" => refused(
            "replace-vm works through Salt, but the inventory says that staging has no Salt: use replace-vm-by-hand",
            &[("vm", "app1")],
        ),
        "replace-vm-by-hand" => Row { env: "production", inputs: &[("vm", "app1")], hands: PROVIDER, ..END },
        "rolling-reboot" => Row { inputs: &[("role", "db2+app1")], ..END },
        "restore-database" => Row {
            inputs: &[("schema", "webplatform"), ("master", "db1-masterdb")],
            hands: &[Hand("Check the applications that use", Does::States("well"))],
            ..END
        },
        "rotate-certificate" => {
            Row { env: "production", inputs: &[("role", "app1+app2"), ("canary", "app1")], ..END }
        }
        "setup-replica" => Row {
            inputs: &[
                ("master", "db1-masterdb"),
                ("replica", "db2"),
                ("source", "db1-masterdb"),
                ("ca_file", "/etc/mysql/ssl/ca-cert.pem"),
            ],
            before: &[("db2", "mysql -e \"STOP ALL SLAVES; RESET SLAVE ALL\"")],
            ..END
        },
        other => panic!(
            "{other} has no row: say what comes of it on a fleet without Salt and without a cloud client"
        ),
    }
}

/// What a person writes into an application's files by hand.
const NEW_ACCOUNT: &str = "sed -i 's/^user = wiki$/user = wiki2/' /etc/webplatform/db.ini && \
                           printf 'correct-horse\n' >/etc/webplatform/db.password";

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

/// What replicas log in with in the simulated worlds.
const PASSWORD: &str = "repl-simulated";

impl Row {
    /// A fleet without Salt, as its inventory says, and without a program for its cloud.
    async fn stage(&self) -> Stage {
        let stage = self.without_salt();
        stage.world(World::remove_cloud_clients);
        self.prepare(&stage).await;
        stage
    }

    /// A fleet without Salt, as its inventory says.
    fn without_salt(&self) -> Stage {
        let files = [
            ("app", "/etc/webplatform/db.ini", "host = {address}", "service apache2 reload"),
            (
                "accounts",
                "/etc/fxa/auth-db.json",
                "\"host\": \"{address}\"",
                "service fxa-auth-server restart",
            ),
            ("salt", "/etc/gdnsd/zones/staging.wpdn", "masterdb 60 IN A {address}", "service gdnsd reload"),
        ];
        let files = files.map(|(role, file, line, reload)| DatabaseFile {
            role: RoleName::new(role).unwrap(),
            file: file.to_owned(),
            line: line.to_owned(),
            reload: Some(reload.to_owned()),
            check: None,
            built_in: false,
        });
        Stage::new(self.world, self.env, true).without_salt(files.to_vec())
    }

    async fn prepare(&self, stage: &Stage) {
        stage.world(|w| (self.broken)(w));
        for (host, script) in self.before {
            stage.shell(host, script).await;
        }
    }

    /// What a person says who agrees, and does where a step is done by hand.
    fn agrees(&self, stage: &Stage, prompt: &Prompt) -> Reply {
        let hands = self.hands.iter().filter(|hand| prompt.title.as_str().contains(hand.0));
        let work = hands.map(|hand| match hand.1 {
            Does::States(value) => value.to_owned(),
            Does::Runs(host, script) => {
                let work = || tokio::runtime::Handle::current().block_on(stage.shell(host, script));
                tokio::task::block_in_place(work)
            }
            Does::Orders(order) => stage.world(order),
        });
        // Each of them is done; the last one's answer counts.
        let said = work.fold(None, |_, said| Some(said));
        match &prompt.kind {
            PromptKind::Confirm => Reply::Yes,
            PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
            PromptKind::Input(view) if view.name == "repl_password" => {
                Reply::Text(PASSWORD.to_owned().into())
            }
            PromptKind::Input(view) => {
                let known = view.default.as_ref().or(view.choices.first()).map(ToString::to_string);
                let value = said.or(known).unwrap_or_else(|| "seen".to_owned());
                Reply::Text(value.into())
            }
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            PromptKind::Approve(_) => Reply::No,
        }
    }

    async fn run(&self, name: &str, stage: &Stage) -> Told {
        stage.run(name, self.inputs, None, |prompt| self.agrees(stage, prompt)).await
    }
}

/// The steps that changed something, or were begun to.
fn begun(told: &Told) -> Vec<String> {
    let changing = |step: &str| told.plan.steps.iter().any(|s| s.id == step && s.effect != Effect::Read);
    let begun = told.entries.iter().filter_map(|entry| match &entry.event {
        Event::Intent { step, phase: Phase::Run, .. } => Some(step.to_string()),
        _ => None,
    });
    begun.filter(|step| changing(step)).collect()
}

/// One sentence, which says what is missing, where, and what to do instead.
fn is_one_sentence(sentence: &str) -> bool {
    let inside = sentence.trim_end_matches('.');
    !inside.contains(". ") && !inside.contains('\n') && inside.contains(": ")
}

/// Runs it, which must be refused before anything is touched, with exactly this sentence.
async fn is_refused(name: &str, row: &Row, stage: &Stage, sentence: &str) {
    assert!(is_one_sentence(sentence), "{name}: {sentence}");
    let before = fingerprint(stage);
    let problems = stage.problems(name, row.inputs).await;
    if !problems.is_empty() {
        assert_eq!(problems, [sentence], "{name}");
    } else {
        let told = row.run(name, stage).await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{name}\n{}", told.story());
        assert_eq!(begun(&told), Vec::<String>::new(), "{name}\n{}", told.story());
        let asked = told.prompts.iter().find(|prompt| matches!(prompt.kind, PromptKind::Choose(_)));
        let asked = asked.unwrap_or_else(|| panic!("{name}\n{}", told.story()));
        let said: Vec<&str> = asked.text.iter().map(|line| line.as_str()).collect();
        assert!(said.iter().any(|line| line.contains(sentence)), "{name}: {said:#?}");
    }
    assert_eq!(differences(&before, &fingerprint(stage)), Vec::<String>::new(), "{name}");
}

/// Runs it, which must come to its end without anything going wrong.
async fn comes_to_its_end(name: &str, row: &Row, stage: &Stage) {
    assert_eq!(stage.problems(name, row.inputs).await, Vec::<String>::new(), "{name}");
    let told = row.run(name, stage).await;
    assert_eq!(told.view.state, RunState::Finished, "{name}\n{}", told.story());
    assert_eq!(told.decisions(), Vec::<String>::new(), "{name}");
    told.closed(&stage.runbook(name));
}

/// The runbooks to look at: all, or what `JUMPDECK_ONLY` names.
fn runbooks() -> Vec<String> {
    let only = std::env::var("JUMPDECK_ONLY").ok();
    let wanted = |name: &String| only.as_ref().is_none_or(|only| only.split(',').any(|one| one == name));
    rehearsal::names().into_iter().filter(wanted).collect()
}

/// Issue 11, "Done when" 2.
#[tokio::test(flavor = "multi_thread")]
async fn without_salt_and_cloud_client_every_runbook_comes_to_its_end_or_is_refused_in_one_sentence() {
    for name in runbooks() {
        let row = row(&name);
        let stage = row.stage().await;
        match row.comes {
            Comes::Refused(sentence) => is_refused(&name, &row, &stage, sentence).await,
            Comes::ToItsEnd => comes_to_its_end(&name, &row, &stage).await,
        }
    }
}

//! Every runbook of the library in the simulated world: to its end, and with each of its changes going wrong. A runbook
//! that is added has to be given inputs here, or the tests fail.

mod applications;
mod certificates;
mod fastly;
mod highstate;
mod indices;
mod mail;
mod reboot_silent_host;
mod remove_person;
mod replicas;
mod restore;
mod rolling_reboot;

use crate::support::rehearsal;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use jumpdeck::config::inventory::Context;
use jumpdeck::config::store::InventoryStore;
use jumpdeck_fleet::run::{Choice, Prompt, PromptKind, Reply, RunState, StepState};
use jumpdeck_sim::world::World;
use jumpdeck_sim::world::universe::Universe;
use rehearsal::{Stage, Told, Wrong};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;

/// Where and with what a runbook is rehearsed.
struct Scene {
    world: &'static str,
    env: &'static str,
    inputs: &'static [(&'static str, &'static str)],
    /// What was wrong before, so that there is something to do: machine and script.
    before: &'static [(&'static str, &'static str)],
    /// The same, for what no script does.
    broken: fn(&mut World),
    /// What the fleet had been through before its inventory was written.
    prepared: fn(&mut World),
    /// What a person does and says at steps by hand: a piece of the step's title, machine and script, the value
    /// seen (or else what the script printed).
    hands: &'static [Hand],
    /// Changes that can be in effect already when they are made, so that a lie about them is true.
    held: &'static [&'static str],
}

struct Hand(&'static str, Option<(&'static str, &'static str)>, &'static str);

const PLAIN: Scene = Scene {
    world: "wpd-2015",
    env: "production",
    inputs: &[],
    before: &[],
    broken: |_| (),
    prepared: |_| (),
    hands: &[],
    held: &[],
};
const SMALL: Scene = Scene { env: "staging", ..PLAIN };

/// What a person does to build a server like app1, and to let Salt make it that; its address comes last.
const BUILD: &str = r#"
of() { nova show "$old" | sed -n "s/^| $1  *| \(.*[^ ]\)  *|\$/\1/p" | sed 's/.*(\([^()]*\))$/\1/'; }
newest() { nova list | grep ' app1 ' | head -n 1 | cut -d' ' -f2; }
old=$(newest)
salt --out=txt app1 cmd.run 'service salt-minion stop' >/dev/null
salt-key -y -d app1 >/dev/null
nova boot --image "$(of image)" --flavor "$(of flavor)" --key_name "$(of key_name)" --user-data /srv/opsconfigs/userdata.txt app1 >/dev/null || exit 1
until salt-key -l un | grep -qx app1; do sleep 1; done
salt-key -y -a app1 >/dev/null
until salt -t 5 --out=txt app1 test.ping | grep -q True; do sleep 1; done
salt -t 600 --out=txt app1 state.highstate >/dev/null
neutron port-list --device-id "$(newest)" -f value -c fixed_ips | tr -d ' \n' | sed 's/.*"ip_address":"\([^"]*\)".*/\1/'
"#;

/// The fingerprint that the newest server's console shows.
const CONSOLE: &str = r#"nova console-log "$(nova list | grep ' app1 ' | head -n 1 | cut -d' ' -f2)" | grep ED25519 | sed 's/.*\(SHA256:[^ ]*\).*/\1/'"#;

fn scene(runbook: &str) -> Scene {
    match runbook {
        "backup-disk-full" => {
            Scene { world: "wpd-2013", inputs: &[("backup", "backup"), ("mount", "/mnt/backup")], ..PLAIN }
        }
        "backup-restore-test" => Scene { hands: &[Hand("Load the dump", None, "2")], ..SMALL },
        "deploy-code" => Scene { inputs: &[("canary", "app1")], ..PLAIN },
        "elasticsearch-restore" => Scene { inputs: &[("node", "elastic")], ..PLAIN },
        "elasticsearch-rolling-restart" => Scene { held: &["allocation-on"], ..PLAIN },
        "elasticsearch-snapshot" => Scene { inputs: &[("node", "elastic")], ..PLAIN },
        "failover-masterdb" => Scene {
            inputs: &[("old", "db1-masterdb")],
            broken: |w| assert!(w.stop_server("db1-masterdb").is_ok()),
            // What was connected to a dead server is connected to it no more, restarted or not; a cache forgets by itself.
            held: &["others/caches-empty", "others/restarted", "writable-again"],
            ..SMALL
        },
        "fastly-backends" => Scene { inputs: fastly::ADD, ..PLAIN },
        "highstate" => Scene {
            inputs: &[("canary", "app1"), ("site", "docs.webplatform.org"), ("says", "MediaWiki")],
            before: highstate::CHANGED_BY_HAND,
            ..PLAIN
        },
        "job-queue" => Scene {
            inputs: &[("runner", "app1-jobrunner")],
            broken: |w| w.jobs_run_away(80_000, 5),
            hands: &[
                Hand("What is to be done", None, "throw-away"),
                Hand("Refresh the semantic data", None, "yes"),
            ],
            ..PLAIN
        },
        "mail-queue" => {
            Scene { inputs: &[("mail", "mail"), ("sender", "www-data@project.production.wpdn")], ..SMALL }
        }
        "new-db-credentials" => Scene {
            inputs: &[("new_user", "wiki2"), ("password", "correct-horse"), ("canary", "app1")],
            hands: &[Hand(
                "Write the new credentials",
                Some((
                    "salt",
                    "sed -i -e 's/username: wiki$/username: wiki2/' -e 's/password: wiki-simulated$/password: correct-horse/' \
                     /srv/private/pillar/accounts/staging.sls",
                )),
                "",
            )],
            // Nobody else uses the account here: there is nothing to move, and a lie about it is true.
            held: &["elsewhere-moved"],
            // Every host of the fleet is asked: the small one has twelve.
            ..SMALL
        },
        "promote-masterdb" => Scene {
            inputs: &[("old", "db1-masterdb"), ("candidate", "db2")],
            // A pillar that was fresh, and a cache that forgets by itself: a lie about them may be true.
            held: &["candidate-read-only", "pillar-known", "others/caches-empty", "writable-again"],
            ..SMALL
        },
        "rebuild-lost-salt-master" => Scene {
            // Each minion is a change of its own: the smallest site has four.
            env: "secondary",
            inputs: &[("address", "10.30.30.250"), ("old_address", "10.30.30.10"), ("minion", "db1")],
            prepared: |w| assert!(w.lose_jump_box("10.30.30.250")),
            hands: &[Hand("Stop or delete the lost box", None, "deleted")],
            // Here no address in the zone is a minion's own: what is rendered once more is the same.
            held: &["zone-again"],
            ..PLAIN
        },
        "rebuild-salt-master" => Scene {
            inputs: &[("minion", "notes")],
            hands: &[
                Hand("Build the new box", None, "10.20.20.250"),
                Hand("would change nothing", None, "staging"),
            ],
            ..SMALL
        },
        "reboot-silent-host" => {
            Scene { inputs: &[("vm", "app1")], broken: |w| assert!(w.server_hangs("app1").is_ok()), ..SMALL }
        }
        "remove-person" => Scene {
            inputs: &[("person", "shepazu")],
            before: remove_person::THERE,
            broken: remove_person::runs,
            // Nothing of theirs runs on the jump box: there is nothing to end.
            held: &["last[1/1]/jump/sessions"],
            ..SMALL
        },
        "replace-vm" => {
            Scene { inputs: &[("vm", "app1")], held: &["key-swept", "known/jump-known-hosts"], ..PLAIN }
        }
        "replace-vm-by-hand" => Scene {
            inputs: &[("vm", "app1")],
            held: &["known/jump-known-hosts"],
            hands: &[
                Hand("Build the new", Some(("salt", BUILD)), ""),
                Hand("The host key of the new", Some(("salt", CONSOLE)), ""),
                Hand(
                    "Stop the old",
                    Some(("salt", "nova stop $(nova list | grep ' app1 ' | tail -n 1 | cut -d' ' -f2)")),
                    "",
                ),
                Hand(
                    "Delete the old",
                    Some(("salt", "nova delete $(nova list | grep ' app1 ' | tail -n 1 | cut -d' ' -f2)")),
                    "",
                ),
            ],
            ..PLAIN
        },
        // The replica, a search node and one application: a fleet in small.
        "rolling-reboot" => Scene { inputs: &[("role", "db2+elastic")], ..SMALL },
        "restore-database" => Scene {
            inputs: &[("schema", "webplatform"), ("master", "db1-masterdb")],
            hands: &[Hand("Check the applications that use", None, "well")],
            ..SMALL
        },
        "rotate-certificate" => certificates::ALONE,
        "setup-replica" => Scene {
            inputs: &[
                ("master", "db1-masterdb"),
                ("replica", "db2"),
                ("source", "db1-masterdb"),
                ("ca_file", "/etc/mysql/ssl/ca-cert.pem"),
            ],
            held: &["read-only"],
            before: &[("db2", "mysql -e \"STOP ALL SLAVES; RESET SLAVE ALL\"")],
            ..SMALL
        },
        other => panic!("{other} is rehearsed nowhere: give it a scene"),
    }
}

impl Scene {
    async fn stage(&self, impatient: bool) -> Stage {
        let universe = Universe::load(self.world, 7).unwrap();
        for (_, world) in universe.environments.iter().filter(|(name, _)| name.as_str() == self.env) {
            (self.prepared)(&mut world.lock().unwrap());
        }
        let stage = Stage::of(universe, self.env, impatient);
        stage.world(|w| (self.broken)(w));
        for (host, script) in self.before {
            stage.shell(host, script).await;
        }
        stage
    }

    /// What a person who agrees says, and does where a step is done by hand.
    fn agrees(&self, stage: &Stage, prompt: &Prompt) -> Reply {
        let hand = self.hands.iter().find(|hand| prompt.title.as_str().contains(hand.0));
        let said = hand.and_then(|hand| hand.1).map(|(host, script)| {
            let work = || tokio::runtime::Handle::current().block_on(stage.shell(host, script));
            tokio::task::block_in_place(work)
        });
        match &prompt.kind {
            PromptKind::Confirm => Reply::Yes,
            PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
            PromptKind::Input(view) => {
                let there = prompt.text.iter().find_map(|line| {
                    let (_, rest) = line.as_str().split_once("(On the old box: ")?;
                    Some(rest.split_once(".)")?.0.to_owned())
                });
                let told = hand
                    .map(|h| h.2.to_owned())
                    .filter(|v| !v.is_empty())
                    .or(said)
                    .filter(|v| !v.is_empty())
                    .or(there);
                let told =
                    told.or_else(|| view.default.as_ref().or(view.choices.first()).map(ToString::to_string));
                Reply::Text(told.unwrap_or_else(|| "seen".to_owned()).into())
            }
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            PromptKind::Approve(_) => Reply::No,
        }
    }
}

/// The runbooks to rehearse: all, or what `JUMPDECK_ONLY` names.
fn runbooks() -> Vec<String> {
    let only = std::env::var("JUMPDECK_ONLY").ok();
    rehearsal::names()
        .into_iter()
        .filter(|n| only.as_ref().is_none_or(|o| o.split(',').any(|o| o == n)))
        .collect()
}

/// Takes the first of these ways that is there. A reason is given with it.
fn way(choices: &[Choice], wanted: &str) -> Reply {
    let found = wanted.chars().find(|key| choices.iter().any(|c| c.key == *key));
    Reply::Chosen(found.unwrap_or('s'), Some("a rehearsal".to_owned()))
}

/// How a runbook goes where nothing goes wrong. It is run once: several tests begin with it.
async fn course(name: &str) -> &'static Told {
    static COURSES: LazyLock<BTreeMap<String, OnceCell<Told>>> =
        LazyLock::new(|| rehearsal::names().into_iter().map(|name| (name, OnceCell::new())).collect());
    let run = || async {
        let scene = scene(name);
        let stage = scene.stage(false).await.watched();
        let began = Instant::now();
        let told = stage.run(name, scene.inputs, None, |p| scene.agrees(&stage, p)).await;
        println!("{name}: {:.1} s", began.elapsed().as_secs_f64());
        told.nothing_repeated(&stage.runbook(name));
        told.closed(&stage.runbook(name));
        told
    };
    COURSES[name].get_or_init(run).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_runbook_comes_to_its_end() {
    let names = runbooks().into_iter().map(|name| (name.clone(), name)).collect();
    let wrong = each(names, |name| async move {
        let told = course(&name).await;
        hold(told.view.state == RunState::Finished, "it did not finish", &name, told)?;
        hold(told.decisions().is_empty(), &format!("asked {:?}", told.decisions()), &name, told)
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}

/// Whoever watches, and whoever is asked to approve, must see the run that its operator sees, at every entry of its journal.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_sees_what_the_operator_sees() {
    let names = runbooks().into_iter().map(|name| (name.clone(), name)).collect();
    let wrong = each(names, |name| async move {
        let told = course(&name).await;
        hold(told.seen + 1 == told.entries.len(), &format!("{} entries were seen", told.seen), &name, told)?;
        hold(told.apart.is_empty(), &told.apart.join("\n"), &name, told)
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}

/// What is said of each of these, with its name, several at a time: they wait for their worlds more than they work.
async fn each<T, F>(cases: Vec<(String, T)>, check: impl Fn(T) -> F) -> Vec<String>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    static PLACES: Semaphore = Semaphore::const_new(10);
    let mut tasks = JoinSet::new();
    for (name, case) in cases {
        let check = check(case);
        tasks.spawn(async move {
            let _place = PLACES.acquire().await.unwrap();
            match tokio::spawn(check).await {
                Ok(Ok(())) => None,
                Ok(Err(said)) => Some(format!("{name}: {said}")),
                Err(error) => Some(format!("{name}: {error}")),
            }
        });
    }
    let mut wrong: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
    wrong.sort();
    wrong
}

/// One check for each change of each runbook; everything that does not hold is told at once.
async fn every_change<F>(check: fn(String, usize, String) -> F)
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let names = runbooks().into_iter().map(|name| (name.clone(), name)).collect();
    let began = each(names, |name| async move {
        course(&name).await;
        Ok(())
    });
    assert_eq!(began.await, Vec::<String>::new());
    let mut cases = Vec::new();
    for name in runbooks() {
        // Those of the happy path: what a condition leaves out is not there.
        let told = course(&name).await;
        let done = |id: &String| told.state_of(id) == StepState::Done;
        let numbers: BTreeMap<String, usize> = rehearsal::changes(&told.plan)
            .into_iter()
            .filter(done)
            .enumerate()
            .map(|(n, step)| (step, n))
            .collect();
        let case = |(step, number)| (format!("{name}, {step}"), (name.clone(), number, step));
        cases.extend(numbers.into_iter().map(case));
    }
    let wrong = each(cases, |(name, number, step)| check(name, number, step)).await;
    assert!(wrong.is_empty(), "{} do not hold\n{}", wrong.len(), wrong.join("\n----\n"));
}

/// A run in which one step goes wrong once; at each decision the first way there is of `ways` is taken.
async fn with(name: &str, step: &str, wrong: Wrong, ways: &str) -> (Stage, Told) {
    let scene = scene(name);
    let stage = scene.stage(true).await;
    let mut decisions = 0;
    let began = Instant::now();
    let told = stage
        .run(name, scene.inputs, Some((step, wrong)), |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => {
                decisions += 1;
                if decisions > 12 { Reply::Chosen('s', None) } else { way(choices, ways) }
            }
            _ => scene.agrees(&stage, prompt),
        })
        .await;
    println!("{name}, {step} {wrong:?}: {:.1} s", began.elapsed().as_secs_f64());
    told.nothing_repeated(&stage.runbook(name));
    (stage, told)
}

fn hold(holds: bool, what: &str, name: &str, told: &Told) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{name}: {what}\n{}", told.story())) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_says_it_was_done_and_was_not_is_seen_and_the_run_given_up_closes() {
    every_change(|name, _, step| async move {
        let (stage, told) = with(&name, &step, Wrong::Lies, "a").await;
        let runbook = stage.runbook(&name);
        if !told.decisions().iter().any(|t| t.contains(&step)) {
            hold(scene(&name).held.contains(&step.as_str()), "nobody saw it", &name, &told)?;
            return hold(told.view.state == RunState::Finished, "it did not finish", &name, &told);
        }
        if !runbook.every_step().iter().any(|s| s.always && s.id == step) {
            hold(matches!(told.view.state, RunState::Abandoned(_)), "it was not given up", &name, &told)?;
            told.closed(&runbook);
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_is_taken_back_as_far_as_that_goes() {
    every_change(|name, _, step| async move {
        let (stage, told) = with(&name, &step, Wrong::Fails, "bs").await;
        hold(told.decisions().iter().any(|t| t.contains(&step)), "nobody saw it", &name, &told)?;
        match &told.view.state {
            RunState::RolledBack => told.closed(&stage.runbook(&name)),
            RunState::Stopped(_) => {}
            _ => return hold(false, "neither taken back nor stopped", &name, &told),
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_in_mid_step_leads_to_looking_and_nothing_is_done_twice() {
    every_change(|name, number, step| async move {
        let wrong = if number % 2 == 0 { Wrong::CutAfter } else { Wrong::CutBefore };
        // Looks first; what was not done is done again by one's word, what was done is gone on with.
        let (stage, told) = with(&name, &step, wrong, "lrs").await;
        hold(told.was_unknown(&step), &format!("{wrong:?}: it was never unknown"), &name, &told)?;
        hold(told.view.state == RunState::Finished, &format!("{wrong:?}: it did not finish"), &name, &told)?;
        told.closed(&stage.runbook(&name));
        Ok(())
    })
    .await;
}

/// Issue 10, part 8: MySQL is told in one sentence, before anything else is asked and before anything is changed.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_mariadb_are_told_in_one_sentence_what_is_needed() {
    for (name, inputs, broken) in [
        ("promote-masterdb", &[("old", "db1"), ("candidate", "db2")][..], false),
        ("failover-masterdb", &[("old", "db1")][..], true),
    ] {
        let stage = Stage::new("wpd-2013", "production", false);
        if broken {
            stage.world(|w| assert!(w.stop_server("db1").is_ok()));
        }
        let told = stage
            .run(name, inputs, None, |prompt| match &prompt.kind {
                PromptKind::Choose(_) => Reply::Chosen('s', None),
                _ => panic!("{name}: asked {}", prompt.title),
            })
            .await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{name}\n{}", told.story());
        assert_eq!(told.prompts.len(), 1, "{name}\n{}", told.story());
        let said = told.prompts[0].text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(told.prompts[0].title.as_str().contains("(can/mariadb) failed"), "{name}\n{}", told.story());
        assert!(said.contains("5.1.41-3ubuntu12.10-log"), "{name}: {said}");
        assert!(said.contains("needs MariaDB 10.0"), "{name}: {said}");
    }
}

/// Issue 10, part 3; procedures.md F5: what is writable and what the inventory calls masterdb agree at the end.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_promotion_the_inventory_says_who_is_masterdb() {
    for name in ["promote-masterdb", "failover-masterdb"] {
        let scene = scene(name);
        let stage = scene.stage(false).await;
        let told = stage.run(name, scene.inputs, None, |p| scene.agrees(&stage, p)).await;
        assert_eq!(told.view.state, RunState::Finished, "{name}\n{}", told.story());
        let fleet = stage.inventory.in_memory().unwrap();
        let masters: Vec<&str> = fleet.environments[0]
            .hosts
            .iter()
            .filter(|host| host.has_role("masterdb"))
            .map(|host| host.id.host.as_str())
            .collect();
        assert_eq!(masters, ["db2"], "{name}\n{}", told.story());
        assert!(
            fleet.environments[0]
                .hosts
                .iter()
                .any(|h| h.id.host.as_str() == "db1-masterdb" && h.has_role("db"))
        );
    }
}

/// Where grains list the roles, the role moves there as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_grains_name_moves_in_the_grains() {
    let scene = scene("promote-masterdb");
    let stage = scene.stage(false).await;
    let listed = |roles: &str| format!("printf 'level: staging\\nroles:\\n{roles}' >/etc/salt/grains");
    stage.shell("db1-masterdb", &listed("  - db\\n  - masterdb\\n")).await;
    stage.shell("db2", &listed("  - db\\n")).await;
    let told = stage.run("promote-masterdb", scene.inputs, None, |p| scene.agrees(&stage, p)).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    for (host, named) in [("db1-masterdb", false), ("db2", true)] {
        let grains = stage.shell(host, "cat /etc/salt/grains").await;
        assert_eq!(grains.contains("- masterdb"), named, "{host}: {grains}");
        assert!(grains.contains("- db") && grains.contains("level: staging"), "{host}: {grains}");
    }
}

/// Console finding 10: the new address must not be taken on a yes.
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_server_has_its_new_address_in_the_inventory() {
    let scene = scene("replace-vm");
    let stage = scene.stage(false).await;
    let address = |stage: &Stage| {
        let fleet = stage.inventory.in_memory().unwrap();
        let host = fleet.environments[0].hosts.iter().find(|h| h.id.host.as_str() == "app1").unwrap();
        host.address.clone()
    };
    let before = address(&stage);
    let told = stage.run("replace-vm", scene.inputs, None, |p| scene.agrees(&stage, p)).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_ne!(address(&stage), before);
}

/// Where the file cannot be written to, a person does it: a yes is no proof of it, the file is.
#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_that_a_person_must_write_is_read_to_prove_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.toml");
    let text = "user = \"ops\"\n[environments.staging]\njump = \"local\"\n[environments.staging.hosts]\ndb1-masterdb = {}\ndb2 = {}\n";
    let write = |text: &str| {
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    };
    write(text);
    let scene = scene("promote-masterdb");
    let mut stage = scene.stage(false).await;
    stage.inventory = Arc::new(InventoryStore::file(path.clone(), Context::default()));
    let mut asked = 0;
    let told = stage
        .run("promote-masterdb", scene.inputs, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, "rs"),
            PromptKind::Confirm if prompt.title.as_str().contains("Move the role masterdb") => {
                let lines = prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                assert!(lines.contains("db2: roles = [\"db\", \"masterdb\"]"), "{lines}");
                assert!(
                    lines.contains("db1-masterdb: roles = [\"db\"]") && lines.contains("read-only"),
                    "{lines}"
                );
                asked += 1;
                if asked == 2 {
                    write(
                        &text
                            .replace("db1-masterdb = {}", "db1-masterdb = { roles = [\"db\"] }")
                            .replace("db2 = {}", "db2 = { roles = [\"masterdb\", \"db\"] } # mine"),
                    );
                }
                Reply::Yes
            }
            _ => scene.agrees(&stage, prompt),
        })
        .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(asked, 2, "a yes without the change is not taken\n{}", told.story());
    assert!(std::fs::read_to_string(&path).unwrap().contains("# mine"), "what a person wrote stays");
}

/// Once the role has moved, the old master is a server like others: replace-vm refuses it no longer.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_promotion_the_old_master_can_be_replaced() {
    let scene = scene("promote-masterdb");
    let mut stage = scene.stage(false).await;
    let refused = |told: &Told| !matches!(told.state_of("no-master"), StepState::Skipped(_));
    let inputs = &[("vm", "db1-masterdb")];
    let told = stage.run("replace-vm", inputs, None, |p| scene.agrees(&stage, p)).await;
    assert!(refused(&told), "{}", told.story());
    let told = stage.run("promote-masterdb", scene.inputs, None, |p| scene.agrees(&stage, p)).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    stage.env = stage.inventory.in_memory().unwrap().environments[0].clone();
    let stop = |prompt: &Prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => Reply::No,
    };
    let told = stage.run("replace-vm", inputs, None, stop).await;
    assert!(!refused(&told), "{}", told.story());
}

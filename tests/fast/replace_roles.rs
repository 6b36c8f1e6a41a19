//! replace-vm for every role of the training worlds, alive and dead: what a server keeps is on the new one afterwards, or the run is
//! refused before anything is touched. Some cases of each table; all with `JUMPDECK_THOROUGH`, the servers named with `JUMPDECK_ONLY=blog,db2`.

use crate::support::rehearsal;
use std::collections::BTreeSet;
use std::sync::Arc;

use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState};
use jumpdeck_sim::world::World;
use rehearsal::{Stage, Told, Wrong};
use tokio::task::JoinSet;

/// How many fleets are rehearsed at once, whatever test they are of: a jump box that does not answer for three seconds is lost.
static PLACES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(4);

/// What is put on a server before it is replaced, below a folder that its role keeps.
const MARK: &str = "#!/bin/sh\n# what somebody pushed on Friday\n";

/// In which state the old server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Alive,
    /// It runs, and its minion does not.
    NoMinion,
    Off,
    Hung,
    Failed,
    Gone,
}

/// A server and what must come of it.
#[derive(Debug, Clone, Copy)]
struct Case {
    world: &'static str,
    env: &'static str,
    vm: &'static str,
    state: State,
    /// A file that must be on the new server, if its role keeps files.
    file: Option<&'static str>,
    cloud: &'static str,
}

const fn case(vm: &'static str, state: State, file: Option<&'static str>) -> Case {
    Case { world: "wpd-2015", env: "production", vm, state, file, cloud: "nova" }
}

fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

/// The UUIDs of the servers of a name.
fn servers(world: &World, vm: &str) -> Vec<String> {
    let now = world.now().as_secs_f64();
    world.cloud().servers(now).filter(|s| s.name == vm).map(|s| s.id.clone()).collect()
}

/// The machine of a server.
fn machine(world: &World, id: &str) -> HostName {
    world.cloud().find(id, world.now().as_secs_f64()).unwrap().machine.clone().unwrap()
}

/// Everything below a folder of a machine: paths and contents.
fn below(world: &World, host: &HostName, folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in world.list_dir(host, &folder).unwrap_or_default() {
            let path = format!("{folder}/{entry}");
            match world.read_file(host, &path) {
                Some(bytes) => found.push((path, bytes)),
                None => folders.push(path),
            }
        }
    }
    found
}

struct Played {
    stage: Stage,
    told: Told,
    before: Vec<String>,
    /// The public address that led to it.
    public: Option<String>,
}

/// What goes wrong, or is done by somebody else, while the run goes on: told each prompt's title.
type Meanwhile = fn(&mut World, &str);

impl Case {
    fn prepare(&self, stage: &Stage) {
        let vm = name(self.vm);
        stage.world(|w| {
            if let Some(file) = self.file {
                w.write_file(&vm, file, MARK.as_bytes().to_vec());
            }
            match self.state {
                State::Alive => {}
                State::NoMinion => assert!(w.set_service(&vm, "salt-minion", false)),
                State::Off => w.stop_server(self.vm).unwrap(),
                State::Hung => w.server_hangs(self.vm).unwrap(),
                State::Failed => w.server_fails(self.vm).unwrap(),
                State::Gone => w.delete_server(self.vm).unwrap(),
            }
        });
    }

    async fn play(self, meanwhile: Meanwhile, inputs: &[(&str, &str)]) -> Played {
        self.play_with(meanwhile, inputs, None).await
    }

    /// The same; one step goes wrong once.
    async fn play_with(
        self,
        meanwhile: Meanwhile,
        inputs: &[(&str, &str)],
        wrong: Option<(&str, Wrong)>,
    ) -> Played {
        let _place = PLACES.acquire().await.unwrap();
        let stage = Stage::new(self.world, self.env, false);
        let before = stage.world(|w| servers(w, self.vm));
        let public = stage.world(|w| {
            let now = w.now().as_secs_f64();
            let server = w.cloud().find(self.vm, now).unwrap();
            w.cloud().public_address(server).map(str::to_owned)
        });
        let volumes: Vec<String> = stage.world(|w| {
            let own = w.volumes().iter().filter(|v| v.machine.as_ref() == Some(&name(self.vm)));
            own.map(|v| v.id.clone()).collect()
        });
        let made = stage.world(|w| {
            let server = w.cloud().find(self.vm, 0.0).unwrap().clone();
            (server.flavor, server.image, server.key_name, server.security_groups.join(","))
        });
        self.prepare(&stage);
        // A server that was deleted is listed for two seconds more.
        stage.world(|w| w.advance(std::time::Duration::from_secs(5)));
        let given = [&[("vm", self.vm), ("cloud", self.cloud)], inputs].concat();
        let told = stage
            .run("replace-vm", &given, wrong, |prompt| {
                let title = prompt.title.to_string();
                stage.world(|w| meanwhile(w, &title));
                match &prompt.kind {
                    PromptKind::Confirm => {
                        tokio::task::block_in_place(|| {
                            tokio::runtime::Handle::current().block_on(self.by_hand(&stage, &title));
                        });
                        Reply::Yes
                    }
                    PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
                    PromptKind::Input(_) => {
                        tokio::task::block_in_place(|| {
                            tokio::runtime::Handle::current().block_on(self.by_hand(&stage, &title));
                        });
                        let said = if title.starts_with("The flavor of") {
                            made.0.clone()
                        } else if title.starts_with("The image of") {
                            made.1.clone()
                        } else if title.starts_with("The key pair") {
                            made.2.clone()
                        } else if title.starts_with("The security groups") {
                            made.3.clone()
                        } else if title.starts_with("The public address") {
                            public.clone().unwrap_or_else(|| "none".to_owned())
                        } else if title.starts_with("The volumes of") {
                            if volumes.is_empty() { "none".to_owned() } else { volumes.join(" ") }
                        } else if title.starts_with("State the mount points") {
                            stage.world(|w| paths(w, &volumes)).join(" ")
                        } else if title.starts_with("Move all shards off") {
                            "0".to_owned()
                        } else {
                            "none needed".to_owned()
                        };
                        Reply::Text(said.into())
                    }
                    // Looks first, then does what was not done again; else everything goes back, where it can.
                    PromptKind::Choose(ways) => {
                        let cut = matches!(wrong, Some((_, Wrong::CutAfter | Wrong::CutBefore)));
                        // Some volumes of these worlds are empty, and 2013's piwik keeps nothing below these folders.
                        let empty =
                            ["volumes/not-empty", "restored/there"].iter().any(|step| title.contains(step));
                        let wanted = match (cut, empty) {
                            (true, _) => "lrbs",
                            (false, true) => "k",
                            (false, false) => "bs",
                        };
                        let key = wanted.chars().find(|key| ways.iter().any(|way| way.key == *key));
                        Reply::Chosen(key.unwrap_or('s'), Some("a rehearsal".to_owned()))
                    }
                    PromptKind::Approve(_) => Reply::Chosen('s', None),
                }
            })
            .await;
        Played { stage, told, before, public }
    }

    /// What a person does at a step by hand.
    async fn by_hand(self, stage: &Stage, title: &str) {
        let old = stage.world(|w| w.machine(&name(self.vm)).map(|m| m.address.clone()));
        if title.starts_with("Copy /") {
            stage.world(|w| self.copy(w));
        } else if title.starts_with("Restore from the newest backup") {
            // What was on its own disk comes back from a backup.
            stage.world(|w| {
                let new = machine(w, servers(w, self.vm).first().unwrap());
                if let Some(file) = self.file.filter(|file| w.read_file(&new, file).is_none()) {
                    w.write_file(&new, file, MARK.as_bytes().to_vec());
                }
            });
        } else if title.contains("Copy the data of the old Redis") {
            let order = format!("salt {} cmd.run 'redis-cli replicaof {} 6379'", self.vm, old.unwrap());
            stage.shell("salt", &order).await;
            stage.world(|w| w.advance(std::time::Duration::from_secs(5)));
        } else if title == "Switch the applications to the new Redis" {
            stage.shell("salt", &format!("salt {} cmd.run 'redis-cli replicaof no one'", self.vm)).await;
        } else if title.contains("Stop new mail") {
            stage.shell(self.vm, "postsuper -d ALL").await;
        } else if title.contains("Make the new") {
            // From a copy of the replica that it replaces; it catches up with the master.
            stage.world(|w| {
                let ids = servers(w, self.vm);
                let new = ids.iter().map(|id| machine(w, id)).find(|m| *m != name(self.vm)).unwrap();
                assert!(w.seed_replica(&new, &name("db2")));
            });
            let again = format!("salt {} cmd.run 'mysql -e \"STOP ALL SLAVES; START ALL SLAVES\"'", self.vm);
            stage.shell("salt", &again).await;
            stage.world(|w| w.advance(std::time::Duration::from_secs(5)));
        }
    }

    /// `rsync` of the folders that are on the old server's own disk.
    fn copy(self, world: &mut World) {
        let ids = servers(world, self.vm);
        let new = ids.iter().map(|id| machine(world, id)).find(|m| *m != name(self.vm)).unwrap();
        for folder in ["/srv", "/var/www", "/home/git", "/var/lib/h", "/var/lib/ganglia"] {
            for (path, bytes) in below(world, &name(self.vm), folder) {
                world.write_file(&new, &path, bytes);
            }
        }
    }
}

/// Where each volume was mounted, in the order in which the new server sees their filesystems.
fn paths(world: &World, volumes: &[String]) -> Vec<String> {
    let mine = world.volumes().iter().filter(|v| volumes.contains(&v.id));
    mine.map(|v| v.last_mounted().to_owned()).collect()
}

impl Played {
    fn finished(&self, case: Case) -> Result<(), String> {
        let hold = |holds: bool, what: &str| {
            if holds { Ok(()) } else { Err(format!("{case:?}: {what}\n{}", self.told.story())) }
        };
        hold(self.told.view.state == RunState::Finished, "it did not finish")?;
        let after = self.stage.world(|w| servers(w, case.vm));
        hold(after.len() == 1 && !self.before.contains(&after[0]), "not one new server")?;
        let new = self.stage.world(|w| machine(w, &after[0]));
        if let Some(file) = case.file {
            let kept = self.stage.world(|w| w.read_file(&new, file));
            hold(kept.as_deref() == Some(MARK.as_bytes()), &format!("{file} is not on the new server"))?;
        }
        if let Some(public) = &self.public {
            let behind = self.stage.world(|w| w.cloud().behind(public).cloned());
            hold(behind.as_ref() == Some(&new), "the public address does not lead to it")?;
        }
        let address = self.stage.world(|w| w.machine(&new).unwrap().address.clone());
        let fleet = self.stage.inventory.in_memory().unwrap();
        let host = fleet.environments[0].hosts.iter().find(|h| h.id.host.as_str() == case.vm).unwrap();
        hold(host.address == address, "the inventory has another address")
    }
}

/// The first and each so many after it; all where nobody waits. The number has no factor in common with what repeats in the list.
fn some<T>(all: Vec<T>, step: usize) -> Vec<T> {
    let every = ["JUMPDECK_THOROUGH", "JUMPDECK_ONLY"].iter().any(|name| std::env::var_os(name).is_some());
    all.into_iter().step_by(if every { 1 } else { step }).collect()
}

/// Several at a time; what does not hold is told at once.
async fn all(cases: Vec<Case>) {
    let mut tasks = JoinSet::new();
    for case in some(cases, 4) {
        tasks.spawn(async move {
            let began = std::time::Instant::now();
            let done = tokio::spawn(async move { case.play(|_, _| {}, &[]).await.finished(case) }).await;
            println!("{} {:?}: {:.1} s", case.vm, case.state, began.elapsed().as_secs_f64());
            done.map_err(|error| format!("{case:?}: {error}")).and_then(|done| done)
        });
    }
    let wrong: Vec<String> = tasks.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} do not hold\n{}", wrong.len(), wrong.join("\n----\n"));
}

/// The servers of production in 2015 that can be replaced, and a file that each keeps.
fn replaceable() -> Vec<(&'static str, Option<&'static str>)> {
    let only = std::env::var("JUMPDECK_ONLY").ok();
    let all = vec![
        ("source", Some("/srv/git/wiki.git/refs/heads/master")),
        ("mail", None),
        ("backup", Some("/mnt/backup/files/by-hand.tar.gz")),
        ("db2", None),
        ("app1", None),
        ("app1-jobrunner", None),
        ("accounts", Some("/srv/fxa/keys.json")),
        ("blog", Some("/srv/webplatform/blog/uploads/2015/03/photo.jpg")),
        ("bots", Some("/srv/bots/logs/2015-03-10.txt")),
        ("elastic", None),
        ("hhvmbackend1", None),
        ("memcache1", None),
        ("memcache-alpha1", None),
        ("nginx1", None),
        ("notes", Some("/srv/h/annotations.key")),
        ("piwik", Some("/srv/piwik/archive.db")),
        ("project", Some("/var/www/bugs/files/attachment.png")),
        ("redis-alpha1", None),
        ("sessions1", None),
        ("specs", None),
    ];
    all.into_iter().filter(|(vm, _)| only.as_ref().is_none_or(|o| o.split(',').any(|o| o == *vm))).collect()
}

/// Issue 11, "done when" 1 (F2): each role of the 2015 world, its server alive.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_each_role_is_replaced_and_what_it_keeps_is_on_the_new_one() {
    all(replaceable().into_iter().map(|(vm, file)| case(vm, State::Alive, file)).collect()).await;
}

/// Issue 11, "done when" 1 (F3): each role of the 2015 world, its server switched off.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_of_each_role_is_replaced_and_its_volumes_are_on_the_new_one() {
    all(replaceable().into_iter().map(|(vm, file)| case(vm, State::Off, file)).collect()).await;
}

/// F3: hung, given up by the cloud, deleted by somebody, alive without its minion.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_any_state_is_replaced() {
    let file = Some("/srv/git/wiki.git/refs/heads/master");
    let mut cases = Vec::new();
    for state in [State::Hung, State::Failed, State::Gone, State::NoMinion] {
        cases.push(case("app1", state, None));
        cases.push(case("source", state, file));
        cases.push(Case { cloud: "openstack", ..case("source", state, file) });
    }
    for state in [State::Alive, State::Off] {
        cases.push(Case {
            cloud: "openstack",
            ..case("blog", state, Some("/srv/webplatform/blog/uploads/a.jpg"))
        });
        cases.push(Case {
            world: "wpd-2013",
            ..case("monitor", state, Some("/var/lib/ganglia/rrds/load.rrd"))
        });
        cases.push(Case { world: "wpd-2013", ..case("piwik0", state, Some("/mnt/tmp/a")) });
    }
    all(cases).await;
}

/// Asked for nothing, changed nothing: one choice was put, which says why.
fn refused(told: &Told, says: &str) {
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert_eq!(told.prompts.len(), 1, "{}", told.story());
    let said = told.prompts[0].text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(said.contains(says), "{says}\n{said}\n{}", told.story());
}

fn stops(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => panic!("asked {}", prompt.title),
    }
}

/// K2: what no part can keep is refused before anything is touched, alive or dead.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_no_part_keeps_the_data_of_is_refused_before_anything_is_touched() {
    for (world, vm, says) in [
        ("wpd-2015", "salt", "use rebuild-salt-master"),
        ("wpd-2015", "db1-masterdb", "promote another server first"),
        ("wpd-2013", "storage3", "it holds a Gluster brick"),
        ("wpd-2013", "storage5", "it holds a Gluster brick"),
        ("wpd-2013", "code", "where its Gerrit keeps"),
    ] {
        for dead in [false, true] {
            if dead && vm == "salt" {
                continue;
            }
            let stage = Stage::new(world, "production", false);
            if dead {
                stage.world(|w| w.stop_server(vm).unwrap());
            }
            let before = stage.world(|w| servers(w, vm));
            let told = stage.run("replace-vm", &[("vm", vm)], None, stops).await;
            refused(&told, says);
            assert_eq!(stage.world(|w| servers(w, vm)), before);
        }
    }
}

/// A role that nobody has heard of, beside one that is known or alone; and no role at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_role_is_refused_whatever_else_the_server_is() {
    for (roles, says) in [
        (&["wiki-archive"][..], "how the data of the role wiki-archive is kept"),
        (&["app", "gerrit"][..], "how the data of the role gerrit is kept"),
        (&[][..], "it has no role"),
    ] {
        let mut stage = Stage::new("wpd-2015", "production", false);
        let mut env = Environment::clone(&stage.env);
        for host in env.hosts.iter_mut().filter(|h| h.id.host.as_str() == "app2") {
            let mut changed = (**host).clone();
            changed.roles = roles.iter().map(|role| RoleName::new(role).unwrap()).collect();
            changed.roles_declared = true;
            *host = Arc::new(changed);
        }
        stage.env = Arc::new(env);
        let told = stage.run("replace-vm", &[("vm", "app2")], None, stops).await;
        refused(&told, says);
    }
}

/// Every host of both worlds is either in the table above or refused: a role that is added to a world gets a decision.
#[test]
fn every_role_of_the_worlds_has_a_decision() {
    let listed = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/replace-keeps.toml"),
    )
    .unwrap();
    let decided: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.trim().split_once(')'))
        .flat_map(|(words, _)| words.split('|').map(str::trim))
        .collect();
    for world in ["wpd-2013", "wpd-2015"] {
        let universe = jumpdeck_sim::world::universe::Universe::load(world, 7).unwrap();
        for (_, world) in &universe.environments {
            let world = world.lock().unwrap();
            for machine in world.machines() {
                for role in machine.roles() {
                    assert!(decided.contains(role.as_str()), "{}: role {role} has no decision", machine.name);
                }
            }
        }
    }
}

/// A volume that does not come off stops the run before anything is deleted, and everything goes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_does_not_detach_stops_the_run_and_is_where_it_was() {
    for state in [State::Alive, State::Off] {
        let file = "/srv/git/wiki.git/refs/heads/master";
        let case = case("source", state, Some(file));
        let stuck: Meanwhile = |w, title| {
            if title.starts_with("Move the volumes") {
                let id = w.volumes().iter().find(|v| v.name == "source-srv").unwrap().id.clone();
                w.detaching_does_nothing(&id).unwrap();
            }
        };
        let played = case.play(stuck, &[]).await;
        assert_eq!(played.told.view.state, RunState::RolledBack, "{state:?} {}", played.told.story());
        assert!(played.told.decisions()[0].contains("detached"), "{:?}", played.told.decisions());
        played.stage.world(|w| {
            assert_eq!(servers(w, "source"), played.before, "{state:?}");
            let volume = w.volumes().iter().find(|v| v.name == "source-srv").unwrap();
            assert_eq!(volume.machine, Some(name("source")), "{state:?}");
            assert_eq!(w.read_file(&name("source"), file).as_deref(), Some(MARK.as_bytes()), "{state:?}");
            assert!(state == State::Off || all_run(w, "source"));
        });
    }
}

/// One that answers in one way lives, whatever the other says: it is neither stopped nor treated as dead.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_in_one_way_is_never_treated_as_dead() {
    let stage = Stage::new("wpd-2015", "production", false);
    stage.world(|w| assert!(w.set_service(&name("app1"), "ssh", false)));
    let told = stage.run("replace-vm", &[("vm", "app1")], None, stops).await;
    refused(&told, "answers Salt, but not SSH");
    // Off by the cloud's word, and somebody answers at its address all the same.
    let stage = Stage::new("wpd-2015", "production", false);
    stage.world(|w| {
        w.stop_server("app1").unwrap();
        assert!(w.power_on(&name("app1"), 0.0));
    });
    let told = stage.run("replace-vm", &[("vm", "app1")], None, stops).await;
    refused(&told, "another machine has its name or its address");
}

/// A person who does not type the UUID has not declared it dead: nothing is changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_is_declared_dead_by_a_person_or_left_alone() {
    for state in [State::Off, State::Hung, State::Gone] {
        let stage = Stage::new("wpd-2015", "production", false);
        let case = case("app1", state, None);
        case.prepare(&stage);
        stage.world(|w| w.advance(std::time::Duration::from_secs(5)));
        let before = stage.world(|w| servers(w, "app1"));
        let told = stage
            .run("replace-vm", &[("vm", "app1")], None, |prompt| match &prompt.kind {
                PromptKind::Choose(_) => Reply::Chosen('s', None),
                PromptKind::Challenge(_) => Reply::No,
                _ => panic!("asked {}", prompt.title),
            })
            .await;
        assert_ne!(told.view.state, RunState::Finished, "{}", told.story());
        assert_eq!(stage.world(|w| servers(w, "app1")), before, "{state:?}");
    }
}

/// Whether every service of a host runs.
fn all_run(w: &World, host: &str) -> bool {
    let host = name(host);
    let services = w.services(&host);
    !services.is_empty() && services.into_iter().all(|service| w.service_runs(&host, service))
}

/// D: flavor and image are asked for, by id or by name; one that is not there is refused with those that are.
#[tokio::test(flavor = "multi_thread")]
async fn the_new_server_has_the_flavor_and_the_image_that_were_asked_for() {
    for (cloud, flavor) in [("nova", "hyperspeed"), ("openstack", "500")] {
        let case = Case { cloud, ..case("app1", State::Alive, None) };
        let played = case.play(|_, _| {}, &[("flavor", flavor)]).await;
        played.finished(case).unwrap();
        played.stage.world(|w| {
            let id = servers(w, "app1").remove(0);
            assert_eq!(w.cloud().find(&id, w.now().as_secs_f64()).unwrap().flavor, "500");
        });
    }
    for inputs in [[("vm", "app1"), ("flavor", "gigantic")], [("vm", "app1"), ("image", "Ubuntu 42.04")]] {
        let stage = Stage::new("wpd-2015", "production", false);
        let told = stage.run("replace-vm", &inputs, None, stops).await;
        refused(&told, "there are:");
    }
}

/// E: an old backup is said before the deletion, and only of a role that has data.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_backup_is_a_question_before_the_deletion() {
    let old: Meanwhile = |w, title| {
        if title.starts_with("Free the name") {
            let found = below(w, &name("backup"), "/mnt/backup");
            for (path, _) in found {
                assert!(w.remove_file(&name("backup"), &path), "{path}");
            }
        }
    };
    let kept = case("source", State::Alive, Some("/srv/git/wiki.git/refs/heads/master"));
    let played = kept.play(old, &[]).await;
    assert_eq!(played.told.view.state, RunState::RolledBack, "{}", played.told.story());
    assert!(played.told.decisions()[0].contains("backup-age/is-young"), "{:?}", played.told.decisions());
    assert_eq!(played.stage.world(|w| servers(w, "source")), played.before);
    let plain = case("nginx1", State::Alive, None);
    plain.play(old, &[]).await.finished(plain).unwrap();
}

/// An address that somebody else has by now is not taken from them.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_address_that_leads_elsewhere_by_now_is_not_moved() {
    let taken: Meanwhile = |w, title| {
        if title.starts_with("Move the public address") || title.contains("to the new server") {
            let now = w.now().as_secs_f64();
            let cloud = w.cloud();
            let server = cloud.servers(now).filter(|s| s.name == "app1").last().unwrap();
            let address = cloud.public_address(server).map(str::to_owned);
            let Some(address) = address else { return };
            let id = cloud.floating_ips().iter().find(|f| f.address == address).unwrap().id.clone();
            let other = cloud.find("memcache1", now).unwrap().port.clone();
            w.associate(&id, &other).unwrap();
        }
    };
    let played = case("app1", State::Alive, None).play(taken, &[]).await;
    assert_ne!(played.told.view.state, RunState::Finished, "{}", played.told.story());
    let public = played.public.clone().unwrap();
    let behind = played.stage.world(|w| w.cloud().behind(&public).cloned());
    assert_eq!(behind, Some(name("memcache1")), "{}", played.told.story());
}

/// The changes that move data, each going wrong once: seen, and everything goes back; a cut link is looked at, and the run goes on.
#[tokio::test(flavor = "multi_thread")]
async fn each_change_that_moves_data_going_wrong_loses_none() {
    let file = "/srv/git/wiki.git/refs/heads/master";
    let case = case("source", State::Alive, Some(file));
    let steps = [
        "files/writers-stopped",
        "volumes/unmounted",
        "volumes/detached",
        "volumes/attached",
        "volumes/mounted",
    ];
    let wrongs = [Wrong::Lies, Wrong::Fails, Wrong::CutAfter, Wrong::CutBefore];
    let all = steps.into_iter().flat_map(|step| wrongs.map(|wrong| (step, wrong))).collect();
    let mut tasks = JoinSet::new();
    for (step, wrong) in some(all, 3) {
        tasks.spawn(async move {
            let played = case.play_with(|_, _| {}, &[], Some((step, wrong))).await;
            let hold = |holds: bool, what: &str| {
                if holds { Ok(()) } else { Err(format!("{step} {wrong:?}: {what}\n{}", played.told.story())) }
            };
            if matches!(wrong, Wrong::CutAfter | Wrong::CutBefore) {
                hold(played.told.was_unknown(step), "it was never unknown")?;
                return played.finished(case).map_err(|said| format!("{step} {wrong:?}: {said}"));
            }
            hold(played.told.decisions().iter().any(|d| d.contains(step)), "nobody saw it")?;
            hold(played.told.view.state == RunState::RolledBack, "it was not rolled back")?;
            let (ids, kept, runs) = played.stage.world(|w| {
                let kept = w.read_file(&name("source"), file);
                (servers(w, "source"), kept, all_run(w, "source"))
            });
            hold(ids == played.before, "another server has the name")?;
            hold(kept.as_deref() == Some(MARK.as_bytes()), "the repository is not where it was")?;
            hold(runs, "its services do not run")
        });
    }
    let wrong: Vec<String> = tasks.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} do not hold\n{}", wrong.len(), wrong.join("\n----\n"));
}

//! replace-vm-by-hand where a person, or a server, is not as they should be.

use std::time::Duration;

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{PromptKind, Reply, RunState};
use jumpdeck_sim::world::World;

use super::provider::{build, console_print, newest, old_server, servers};
use super::rehearsal::{Stage, Told};
use super::{Does, END, Hand, PROVIDER, Row, host};

/// Replaces app1 of a fleet without Salt and cloud client; what a person does is in `hands`, and at a failed step everything is rolled back.
async fn play(hands: &'static [Hand], broken: fn(&mut World)) -> (Stage, Told) {
    let row = Row { env: "production", inputs: &[("vm", "app1")], hands, broken, ..END };
    let stage = row.stage().await;
    let told = stage
        .run("replace-vm-by-hand", row.inputs, None, |prompt| match &prompt.kind {
            PromptKind::Choose(ways) if ways.iter().any(|way| way.key == 'b') => Reply::Chosen('b', None),
            _ => row.agrees(&stage, prompt),
        })
        .await;
    (stage, told)
}

/// A stranger's key, or a fingerprint that was read on the wrong console, goes no further.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_another_key_than_the_console_shows_gets_no_traffic() {
    const HANDS: &[Hand] = &[
        Hand("Build the new", Does::Orders(|world| build(world, "app1", None))),
        Hand("The host key of the new", Does::States("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
    ];
    let (_, told) = play(HANDS, |_| ()).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(told.decisions()[0].contains("(print) failed"), "{:?}", told.decisions());
    assert!(!told.prompts.iter().any(|prompt| prompt.title.as_str().contains("Stop the old")));
}

/// Who says that the old one is stopped, and stopped the new one or none, is told so; nothing is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_server_stopped_or_none_is_seen_before_anything_is_deleted() {
    const NONE: &[Hand] = &[
        Hand("Build the new", Does::Orders(|world| build(world, "app1", None))),
        Hand("The host key of the new", Does::Orders(|world| console_print(world, "app1"))),
    ];
    const BOTH: &[Hand] = &[
        Hand("Build the new", Does::Orders(|world| build(world, "app1", None))),
        Hand("The host key of the new", Does::Orders(|world| console_print(world, "app1"))),
        Hand("Stop the old", Does::Orders(|world| old_server(world, "app1", World::stop_server))),
        Hand(
            "Stop the old",
            Does::Orders(|world| {
                let newest = servers(world, "app1").remove(0);
                world.stop_server(&newest).unwrap();
                newest
            }),
        ),
    ];
    for (hands, step) in [(NONE, "(silent) failed"), (BOTH, "(new-stays) failed")] {
        let (stage, told) = play(hands, |_| ()).await;
        assert!(told.decisions()[0].contains(step), "{step}: {}", told.story());
        assert!(!told.prompts.iter().any(|prompt| prompt.title.as_str().contains("Delete the old")));
        assert_eq!(stage.world(|world| servers(world, "app1").len()), 2);
    }
}

/// Whoever deletes the new one finds it out at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_of_the_wrong_server_is_no_success() {
    const HANDS: &[Hand] = &[
        Hand("Build the new", Does::Orders(|world| build(world, "app1", None))),
        Hand("The host key of the new", Does::Orders(|world| console_print(world, "app1"))),
        Hand("Stop the old", Does::Orders(|world| old_server(world, "app1", World::stop_server))),
        Hand(
            "Delete the old",
            Does::Orders(|world| {
                let newest = servers(world, "app1").remove(0);
                world.delete_server(&newest).unwrap();
                newest
            }),
        ),
    ];
    let (_, told) = play(HANDS, |_| ()).await;
    assert!(told.decisions()[0].contains("delete-old"), "{}", told.story());
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
}

/// A server that is dead is treated so when its name is typed, and replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_is_replaced_by_hand() {
    let (stage, told) = play(PROVIDER, |world| world.stop_server("app1").unwrap()).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.prompts.iter().any(|prompt| prompt.title.as_str().contains("does not answer SSH")));
    let left = stage.world(|world| {
        // A provider takes some seconds to delete a server, and the run may end before.
        world.advance(Duration::from_secs(60));
        servers(world, "app1").len()
    });
    assert_eq!(left, 1);
}

/// Files and volumes are compared by a checksum that is read on the new server: one that differs undoes what was done, and the old server
/// serves again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_keeps_is_compared_before_the_old_one_is_stopped() {
    const LIST: &str = "sha256sum /srv/.replaced.sha256 | cut -d' ' -f1";
    const FILES: &str = "Compare the new server's files";
    const VOLUMES: &str = "Move the volumes";
    for (vm, volume, wrong) in [
        ("blog", "/srv/webplatform/blog/uploads", None),
        ("blog", "/srv/webplatform/blog/uploads", Some(FILES)),
        ("source", "/srv", None),
        ("source", "/srv", Some(VOLUMES)),
    ] {
        let row = Row { env: "production", ..END };
        let stage = row.stage().await;
        stage.world(|world| world.write_file(&host(vm), "/srv/git/HEAD", b"pushed on Friday".to_vec()));
        let listing = format!(
            "cd {volume} && find . -xdev -type f -printf '%s %T@ %p\\n' | LC_ALL=C sort | sha256sum | cut -d' ' -f1"
        );
        let running = |world: &World| {
            let runs = |service: &&'static str| world.service_runs(&host(vm), service);
            world.services(&host(vm)).iter().filter(|service| runs(service)).count()
        };
        let before = stage.world(|world| running(world));
        let text = |said: String| Reply::Text(said.into());
        let sum = |script: &str| {
            let work = || tokio::runtime::Handle::current().block_on(stage.shell(vm, script));
            text(tokio::task::block_in_place(work))
        };
        let told = stage
            .run("replace-vm-by-hand", &[("vm", vm)], None, |prompt| {
                let asked = prompt.title.as_str();
                match &prompt.kind {
                    PromptKind::Choose(ways) if ways.iter().any(|way| way.key == 'b') => {
                        Reply::Chosen('b', None)
                    }
                    _ if wrong.is_some_and(|title| asked.contains(title)) => text("0".repeat(64)),
                    _ if asked.contains(FILES) => sum(LIST),
                    _ if asked.contains(VOLUMES) => sum(&listing),
                    _ if asked.contains("Build the new") => text(stage.world(|w| build(w, vm, None))),
                    _ if asked.contains("The host key of the new") => {
                        text(stage.world(|w| console_print(w, vm)))
                    }
                    _ if asked.contains("Stop the old") => {
                        stage.world(|w| old_server(w, vm, World::stop_server));
                        Reply::Yes
                    }
                    _ if asked.contains("Delete the old") => {
                        stage.world(|w| old_server(w, vm, World::delete_server));
                        Reply::Yes
                    }
                    _ => row.agrees(&stage, prompt),
                }
            })
            .await;
        let asked = |what: &str| told.prompts.iter().any(|prompt| prompt.title.as_str().contains(what));
        assert!(asked(wrong.unwrap_or(VOLUMES)), "{vm}: {}", told.story());
        assert_eq!(asked("Stop the old"), wrong.is_none(), "{vm}: {}", told.story());
        let ended = if wrong.is_none() { RunState::Finished } else { RunState::RolledBack };
        assert_eq!(told.view.state, ended, "{vm}: {}", told.story());
        if wrong.is_some() {
            assert_eq!(stage.world(|world| running(world)), before, "{vm}: {}", told.story());
        }
    }
}

/// A role with data of its own, and what a person does for it.
struct Kept {
    vm: &'static str,
    /// A piece of the title of the step by hand at which `does` is done.
    title: &'static str,
    does: fn(&mut World, &HostName, &HostName),
    /// The check that fails when it is not done, where there is one.
    check: Option<&'static str>,
}

const KEPT: &[Kept] = &[
    Kept {
        vm: "db2",
        title: "Make the new",
        does: |world, old, new| assert!(world.seed_replica(new, old)),
        check: Some("db/connected"),
    },
    Kept {
        vm: "sessions1",
        title: "Copy the data of the old Redis",
        does: |world, old, new| {
            let address = world.machine(old).unwrap().address.clone();
            world.redis(new).unwrap().master = Some((address, 6379));
        },
        check: Some("sessions/followed"),
    },
    Kept {
        vm: "mail",
        title: "Stop new mail",
        does: |world, old, _| {
            let ids: Vec<String> =
                world.mail(old).unwrap().messages().iter().map(|message| message.id.clone()).collect();
            assert!(ids.iter().all(|id| world.mail(old).unwrap().delete(id)));
        },
        check: Some("mail/drained"),
    },
    Kept { vm: "memcache1", title: "the memcache ring", does: |_, _, _| (), check: None },
    Kept { vm: "elastic", title: "has joined", does: |_, _, _| (), check: None },
];

/// What a person does for a role is asked of the servers that this console can log in to; where it was not done, the run stops there.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_by_hand_for_a_role_is_asked_of_other_servers() {
    for kept in KEPT {
        for done in [true, false] {
            if !done && kept.check.is_none() {
                continue;
            }
            let vm = kept.vm;
            let row = Row { env: "production", ..END };
            let stage = row.stage().await;
            let text = |said: String| Reply::Text(said.into());
            let told = stage
                .run("replace-vm-by-hand", &[("vm", vm)], None, |prompt| {
                    let asked = prompt.title.as_str();
                    if done && asked.contains(kept.title) {
                        stage.world(|world| {
                            let new = newest(world, vm);
                            (kept.does)(world, &host(vm), &new);
                            world.advance(std::time::Duration::from_secs(5));
                        });
                    }
                    match &prompt.kind {
                        PromptKind::Choose(_) => Reply::Chosen('s', None),
                        _ if asked.contains("Build the new") => text(stage.world(|w| build(w, vm, None))),
                        _ if asked.contains("The host key of the new") => {
                            text(stage.world(|w| console_print(w, vm)))
                        }
                        _ if asked.contains("Move all shards off") => text("0".to_owned()),
                        _ if asked.contains("Stop the old") => {
                            stage.world(|w| old_server(w, vm, World::stop_server));
                            Reply::Yes
                        }
                        _ if asked.contains("Delete the old") => {
                            stage.world(|w| old_server(w, vm, World::delete_server));
                            Reply::Yes
                        }
                        _ => row.agrees(&stage, prompt),
                    }
                })
                .await;
            if done {
                assert_eq!(told.view.state, RunState::Finished, "{vm}: {}", told.story());
                assert_eq!(told.decisions(), Vec::<String>::new(), "{vm}: {}", told.story());
            } else {
                let check = kept.check.unwrap_or_default();
                assert!(told.decisions()[0].contains(check), "{vm}: {}", told.story());
            }
        }
    }
}

//! rebuild-lost-salt-master in the simulated fleet: the Salt master is gone, which is the jump box and the name server too, and a bare
//! machine takes its place. With real Salt: `rebuild_real_salt.rs`.

use crate::support::rehearsal;
use std::collections::BTreeSet;

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState, StepState};
use jumpdeck_sim::world::World;
use jumpdeck_sim::world::universe::Universe;
use rehearsal::{Stage, Told};

const RUNBOOK: &str = "rebuild-lost-salt-master";
const OLD: &str = "10.20.20.10";
const NEW: &str = "10.20.20.250";
const MOVED: &[(&str, &str)] = &[("address", NEW), ("old_address", OLD), ("minion", "mail")];

fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

/// The staging fleet after what happened to it, as its operator has written it into the inventory since.
fn after(happened: impl FnOnce(&mut World)) -> Stage {
    let universe = Universe::load("wpd-2015", 7).unwrap();
    let (_, world) = universe.environments.iter().find(|(name, _)| name.as_str() == "staging").unwrap();
    happened(&mut world.lock().unwrap());
    Stage::of(universe, "staging", false)
}

fn lost(world: &mut World) {
    assert!(world.lose_jump_box(NEW));
}

/// Who agrees, and says that the lost box was deleted; where a step failed, takes the first of these ways that there is.
fn agrees(prompt: &Prompt, ways: &str) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(_) => Reply::Text("deleted".to_owned().into()),
        PromptKind::Choose(choices) => {
            let way = ways.chars().find(|key| choices.iter().any(|choice| choice.key == *key));
            Reply::Chosen(way.unwrap_or('s'), Some("a rehearsal".to_owned()))
        }
        PromptKind::Approve(_) => Reply::No,
    }
}

async fn run(stage: &Stage, inputs: &[(&str, &str)], ways: &str) -> Told {
    stage.run(RUNBOOK, inputs, None, |prompt| agrees(prompt, ways)).await
}

/// The hosts whose minion answers, and the ids that the master has accepted.
fn minions(stage: &Stage) -> (BTreeSet<String>, BTreeSet<String>) {
    stage.world(|w| {
        let names: Vec<String> = w.machines().map(|m| m.hostname.to_string()).collect();
        let answer = names.iter().filter(|name| w.minion(name).is_some()).cloned().collect();
        (answer, w.salt().keys().accepted.keys().cloned().collect())
    })
}

fn everybody(stage: &Stage) -> BTreeSet<String> {
    stage.env.hosts.iter().map(|host| host.id.host.to_string()).collect()
}

/// Every host finds the new box by `salt`, and by the name server that it asks; the zone has the pillar's serial.
async fn found_by_name(stage: &Stage) {
    for host in everybody(stage) {
        if host != "salt" {
            let seen = stage.shell(&host, "getent ahostsv4 salt | head -n 1 | cut -d ' ' -f 1").await;
            assert_eq!(seen, NEW, "{host}");
            assert_eq!(stage.shell(&host, "dig +short salt.staging.wpdn").await, NEW, "{host}");
            assert!(!stage.shell(&host, "cat /etc/resolv.conf").await.contains(OLD), "{host}");
        }
    }
    let serial =
        stage.shell("salt", "sed -n 's/^ *gdnsd_timestamp: *//p' /srv/pillar/infra/staging.sls").await;
    let zone = stage.shell("salt", "cat /etc/gdnsd/zones/staging.wpdn").await;
    assert!(zone.contains(&format!("( {serial} ")) && !zone.contains(OLD), "{zone}");
}

fn said(told: &Told) -> String {
    let last = told.prompts.last().unwrap();
    last.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_key_pair_in_the_backup_minions_come_back_to_the_key_that_they_know() {
    let mut key = None;
    let stage = after(|w| {
        key = w.master_fingerprint();
        lost(w);
    });
    let told = run(&stage, MOVED, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions().is_empty(), "{:?}", told.decisions());
    assert_eq!(stage.world(|w| w.master_fingerprint()), key);
    assert_eq!(minions(&stage), (everybody(&stage), everybody(&stage)));
    found_by_name(&stage).await;
    let level = stage.shell("salt", "salt --out=json --static salt grains.get level | tr -d ' \\n'").await;
    assert_eq!(level, r#"{"salt":"staging"}"#);
    assert_eq!(
        stage.shell("salt", "git -C /srv/pillar status --porcelain; ls /root").await,
        "",
        "nothing is left over"
    );
    // Nothing secret was kept.
    assert!(!stage.journals_text().contains("RSA PRIVATE KEY"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_the_lost_masters_key_is_put_aside_and_each_key_is_compared() {
    let mut key = None;
    let stage = after(|w| {
        key = w.master_fingerprint();
        assert!(w.forget_in_archives(&name("backup"), "/etc/salt/pki/master") > 0);
        lost(w);
    });
    // Strangers were quicker than the minions: one under a host's name, one under a name of its own.
    let told = stage
        .run(RUNBOOK, MOVED, None, |prompt| {
            if prompt.title.as_str().starts_with("Point the hosts") {
                stage.world(|w| {
                    w.show_key("app1", "aa:bb:cc:dd");
                    w.show_key("intruder", "ee:ff:00:11");
                });
            }
            agrees(prompt, "xk")
        })
        .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    let decisions = told.decisions();
    assert_eq!(decisions.len(), 2, "{decisions:?}");
    assert!(
        decisions[0].contains("own) failed") && decisions[1].contains("(waiting) failed"),
        "{decisions:?}"
    );
    let stood: Vec<&Prompt> =
        told.prompts.iter().filter(|p| matches!(p.kind, PromptKind::Choose(_))).collect();
    let text = |prompt: &Prompt| prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(
        text(stood[0]).contains("app1: ") && text(stood[0]).contains("the master denied its key"),
        "{}",
        text(stood[0])
    );
    assert!(text(stood[1]).contains("intruder"), "{}", text(stood[1]));
    assert_ne!(stage.world(|w| w.master_fingerprint()), key);
    let mut others = everybody(&stage);
    others.remove("app1");
    assert_eq!(minions(&stage), (others.clone(), others));
    assert_eq!(stage.shell("mail", "ls /etc/salt/pki/minion | grep -c before-").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_is_named_and_left_behind() {
    let stage = after(|w| {
        lost(w);
        assert!(w.power_off(&name("notes")));
    });
    let told = run(&stage, MOVED, "xk").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    let decisions = told.decisions();
    assert!(decisions[0].contains("(there) failed"), "{decisions:?}");
    assert!(decisions.len() == 2 && decisions[1].contains("(down) failed"), "{decisions:?}");
    let mut others = everybody(&stage);
    others.remove("notes");
    assert_eq!(minions(&stage).0, others);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_address_needs_no_change_of_names() {
    let stage = after(|w| assert!(w.lose_jump_box(OLD)));
    let told = run(&stage, &[("address", OLD), ("old_address", OLD), ("minion", "mail")], "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(matches!(told.state_of("names"), StepState::Skipped(_)));
    assert_eq!(minions(&stage), (everybody(&stage), everybody(&stage)));
}

/// What is refused, where, and with which words; the box is bare afterwards, and no host was touched.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_refused_before_anything_is_touched() {
    type Happened = fn(&mut World);
    let no_archive: Happened = |w| {
        lost(w);
        let folder = "/mnt/backup/salt";
        for file in w.list_dir(&name("backup"), folder).unwrap() {
            assert!(w.remove_file(&name("backup"), &format!("{folder}/{file}")));
        }
    };
    let cut_off: Happened = |w| {
        lost(w);
        let folder = "/mnt/backup/salt";
        for file in w.list_dir(&name("backup"), folder).unwrap() {
            assert!(w.corrupt_file(&name("backup"), &format!("{folder}/{file}")));
        }
    };
    let nothing_happened: Happened = |_| ();
    let elsewhere = &[("address", "10.20.20.251"), ("old_address", OLD), ("minion", "mail")];
    let here = &[("address", OLD), ("old_address", OLD), ("minion", "mail")];
    for (happened, inputs, step, words) in [
        (no_archive, MOVED, "archive", "There is no archive"),
        (cut_off, MOVED, "archive", "is damaged: rename it"),
        (lost, MOVED, "silent", "the old box is alive"),
        (nothing_happened, here, "bare", "is alive use rebuild-salt-master"),
        (lost, elsewhere, "address-here", "this box has 10.20.20.250"),
    ] {
        let stage = after(happened);
        if step == "silent" {
            // Somebody has switched the old one on again.
            stage.world(|w| {
                assert!(w.add_machine(&name("salt"), OLD, &name("salt")).is_some());
                w.advance(std::time::Duration::from_secs(30));
            });
        }
        let before = stage.shell("mail", "cat /etc/hosts /etc/resolv.conf").await;
        let told = run(&stage, inputs, "s").await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{step}: {}", told.story());
        assert!(matches!(told.state_of(step), StepState::Failed(_)), "{step}: {}", told.story());
        assert!(said(&told).contains(words), "{step}: {}", said(&told));
        assert_eq!(stage.shell("mail", "cat /etc/hosts /etc/resolv.conf").await, before, "{step}");
        let made = told.plan.steps.iter().filter(|s| s.effect != jumpdeck_fleet::run::Effect::Read);
        let begun: Vec<&str> = made.filter(|s| told.was_done(&s.id)).map(|s| s.id.as_str()).collect();
        assert!(begun.is_empty(), "{step}: {begun:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_archive_is_used_only_when_somebody_says_so() {
    let stage = after(lost);
    let mut inputs = MOVED.to_vec();
    inputs.push(("backup_age", "-1"));
    let told = run(&stage, &inputs, "s").await;
    assert!(matches!(told.state_of("age"), StepState::Failed(_)), "{}", told.story());
    assert!(said(&told).contains("hours old"), "{}", said(&told));
}

/// Of each repository below /srv the commit is shown, and whether its origin on `source` has it; an origin that does not answer is a
/// question.
#[tokio::test(flavor = "multi_thread")]
async fn repositories_are_compared_with_their_origins() {
    for away in [false, true] {
        let stage = after(|w| {
            lost(w);
            if away {
                w.power_off(&name("source"));
            }
        });
        let mut asked = None;
        stage
            .run(RUNBOOK, MOVED, None, |prompt| {
                let text = prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                if prompt.title.as_str().contains("(repositories) failed") {
                    asked = Some(text);
                    return agrees(prompt, "s");
                }
                agrees(prompt, "xks")
            })
            .await;
        let journal = stage.journals_text();
        assert!(
            journal.contains("/srv/pillar is at ") && journal.contains("the repository has no origin"),
            "{journal}"
        );
        assert_eq!(asked.is_some(), away, "{asked:?}");
        match asked {
            Some(text) => assert!(text.contains("does not answer"), "{text}"),
            None => assert!(journal.contains("deploy it with deploy-code when you want it"), "{journal}"),
        }
    }
}

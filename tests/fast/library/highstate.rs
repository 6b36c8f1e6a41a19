//! highstate: what it refuses, and what a host that fails, lies or is already right leads to.

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, RunState};
use jumpdeck_sim::salt::MinionFault;

use super::rehearsal::{Stage, Told};
use super::{PLAIN, scene, way};

/// What somebody changed on the hosts of role app, so that a highstate has something to do.
pub(super) const CHANGED_BY_HAND: &[(&str, &str)] = &[
    ("app1", "echo '10.9.9.9 elsewhere' >>/etc/hosts"),
    ("app2", "echo '10.9.9.9 elsewhere' >>/etc/hosts"),
    ("app3", "service ntp stop"),
    ("app1-jobrunner", "echo '10.9.9.9 elsewhere' >>/etc/hosts"),
];

async fn stage() -> Stage {
    scene("highstate").stage(false).await
}

async fn run(stage: &Stage, ways: &str) -> Told {
    let inputs = scene("highstate").inputs;
    stage
        .run("highstate", inputs, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, ways),
            _ => PLAIN.agrees(stage, prompt),
        })
        .await
}

/// Which of the hosts are not as the states say.
fn wrong(stage: &Stage) -> Vec<&'static str> {
    let is_wrong = |host: &&str| {
        let host = HostName::new(host).unwrap();
        stage.world(|w| {
            let hosts = String::from_utf8(w.read_file(&host, "/etc/hosts").unwrap()).unwrap();
            hosts.contains("elsewhere") || !w.service_runs(&host, "ntp")
        })
    };
    CHANGED_BY_HAND.iter().map(|(host, _)| *host).filter(|host| is_wrong(host)).collect()
}

/// Everything that the decisions and their steps said.
fn said(told: &Told) -> String {
    told.story()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_change_is_shown_and_every_host_is_right_at_the_end() {
    let stage = stage().await;
    assert_eq!(wrong(&stage).len(), 4);
    let told = run(&stage, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", said(&told));
    assert!(told.decisions().is_empty(), "{:?}", told.decisions());
    assert!(wrong(&stage).is_empty());
    let journal = stage.journals_text();
    for line in [
        "would change: file /etc/hosts: ",
        "would change: service ntp: ",
        "runs each time: cmd rsync ",
        " states: 0 would change, ",
    ] {
        assert!(journal.contains(line), "{line}\n{}", said(&told));
    }
}

/// Each of these is refused before anything is touched, in words that name it.
#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_before_anything_is_touched() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("minions", "app2", "service salt-minion stop", "app2"),
        ("levels", "app3", "printf 'level: staging\n' >/etc/salt/grains", "staging"),
        ("clean", "salt", "echo '# mine' >>/srv/salt/hosts/init.sls", "hosts/init.sls"),
        ("clean", "salt", "echo '# mine' >>/srv/pillar/infra/production.sls", "infra/production.sls"),
        ("idle", "salt", "salt --async app2 state.highstate", "is running as PID"),
        ("enabled", "salt", "salt app3 state.disable highstate", "highstate"),
        ("there/salt", "", "", "this environment has none"),
    ];
    for (step, host, script, named) in cases {
        let mut stage = stage().await;
        if host.is_empty() {
            stage = stage.without_salt(Vec::new());
            let problems = stage.problems("highstate", scene("highstate").inputs).await.join("\n");
            assert!(problems.contains("works through Salt"), "{problems}");
            continue;
        }
        if *step == "levels" {
            // The plan compares grains, too: they change after it was made.
            let problems = {
                stage.shell(host, script).await;
                stage.problems("highstate", scene("highstate").inputs).await.join("\n")
            };
            assert!(problems.contains(named), "{problems}");
            continue;
        }
        if *step == "idle" {
            let slow = HostName::new("app2").unwrap();
            stage.world(|w| w.set_minion_fault(&slow, Some(MinionFault::Slow(500.0))));
        }
        stage.shell(host, script).await;
        if *step == "idle" {
            // It answers as quickly as before; its job goes on.
            let slow = HostName::new("app2").unwrap();
            stage.world(|w| w.set_minion_fault(&slow, None));
        }
        let told = run(&stage, "s").await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{step}: {}", said(&told));
        assert_eq!(told.prompts.len(), 1, "{step}: {}", said(&told));
        assert!(told.decisions()[0].contains(&format!("({step})")), "{step}: {:?}", told.decisions());
        assert!(prompt_text(&told.prompts[0]).contains(named), "{step}: {}", said(&told));
        assert_eq!(wrong(&stage).len(), 4, "{step}");
    }
}

fn prompt_text(prompt: &Prompt) -> String {
    prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A promotion holds its lock on the databases, whoever leads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_under_way_is_refused() {
    let stage = stage().await;
    let way = stage.way();
    let db = HostName::new("db1-masterdb").unwrap();
    let session = jumpdeck::transport::HostSessions::host(&way, &db).await.unwrap();
    let mut held = session.start("exec mysql --user=root --batch --unbuffered").await.unwrap();
    held.write(b"SELECT GET_LOCK('jumpdeck_promote', 0) AS held;\n").await.unwrap();
    let mut answer = String::new();
    while !answer.contains('1') {
        answer.push_str(&String::from_utf8_lossy(&held.read().await.unwrap()));
    }
    let told = run(&stage, "s").await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", said(&told));
    assert!(told.decisions()[0].contains("(no-promotion)"), "{:?}", told.decisions());
    assert_eq!(wrong(&stage).len(), 4);
}

/// A host whose test fails gets nothing; the others do, by a person's word.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_test_fails_gets_nothing() {
    let stage = stage().await;
    let bad = HostName::new("app3").unwrap();
    stage.world(|w| w.set_minion_fault(&bad, Some(MinionFault::StateFails("monit".to_owned()))));
    let told = run(&stage, "xs").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", said(&told));
    assert_eq!(told.decisions().len(), 1, "{:?}", told.decisions());
    assert!(told.decisions()[0].contains("(test/states)"), "{:?}", told.decisions());
    assert_eq!(wrong(&stage), ["app3"]);
}

/// The first host that fails stops it, whatever its states said; no other host has anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_host_that_fails_stops_it_and_the_others_keep_what_they_have() {
    for (fault, broken) in [(Some(MinionFault::SaysDone), false), (None, true)] {
        let stage = stage().await;
        let canary = HostName::new("app1").unwrap();
        stage.world(|w| {
            w.set_minion_fault(&canary, fault.clone());
            if broken {
                w.set_service(&canary, "ntp", false);
                w.set_service_broken(&canary, "ntp", true);
            }
        });
        let told = run(&stage, "s").await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{fault:?}: {}", said(&told));
        assert!(told.decisions()[0].contains("canary/states"), "{:?}", told.decisions());
        assert!(wrong(&stage).contains(&"app2") && wrong(&stage).len() >= 3, "{:?}", wrong(&stage));
    }
}

/// In the batches, too; the hosts that were not reached are named.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_fails_stops_it_and_names_the_hosts_that_were_not_reached() {
    let stage = stage().await;
    let bad = HostName::new("app2").unwrap();
    stage.world(|w| w.set_minion_fault(&bad, Some(MinionFault::SaysDone)));
    let told = run(&stage, "s").await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", said(&told));
    let text = prompt_text(told.prompts.last().unwrap());
    println!("{text}");
    assert!(wrong(&stage).contains(&"app2"));
    assert!(text.contains("Not reached: app1-jobrunner"), "{}", said(&told));
}

/// Names are hosts or roles; one that is neither is refused, so that nobody believes it was done.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_may_be_named_and_a_mistyped_name_is_refused() {
    let stage = stage().await;
    let inputs = |role| [("role", role), ("canary", "app3"), ("site", "none"), ("says", "nothing")];
    let told = stage.run("highstate", &inputs("app2+app3"), None, |p| PLAIN.agrees(&stage, p)).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", said(&told));
    assert_eq!(wrong(&stage), ["app1", "app1-jobrunner"]);
    let made = stage.try_plan("highstate", &inputs("app3+app33")).await;
    assert!(made.unwrap_err().contains("\"app33\" is neither a host nor a role of production"));
}

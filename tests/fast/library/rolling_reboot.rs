//! rolling-reboot: what it refuses, what it waits for, and a host that does not come back.

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{PromptKind, RunState};

use super::rehearsal::{Stage, Told};
use super::{PLAIN, SMALL, way};

async fn run(stage: &Stage, inputs: &[(&str, &str)], ways: &str) -> Told {
    stage
        .run("rolling-reboot", inputs, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, ways),
            _ => PLAIN.agrees(stage, prompt),
        })
        .await
}

async fn boot(stage: &Stage, host: &str) -> String {
    stage.shell(host, "cat /proc/sys/kernel/random/boot_id").await
}

fn last_words(told: &Told) -> String {
    let prompt = told.prompts.last().unwrap();
    prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A replica and a search node: both in another boot, replication running, the cluster green, an application that keeps writing.
#[tokio::test(flavor = "multi_thread")]
async fn each_host_is_in_another_boot_and_as_it_was() {
    let stage = SMALL.stage(false).await;
    let hosts = ["db2", "app1", "elastic"];
    let mut before = Vec::new();
    for host in hosts {
        before.push(boot(&stage, host).await);
    }
    let inputs = [("role", "db2+app1+elastic"), ("site", "none"), ("says", "nothing"), ("pool", "by-hand")];
    let told = run(&stage, &inputs, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions().is_empty(), "{:?}", told.decisions());
    for (host, before) in hosts.iter().zip(&before) {
        assert_ne!(boot(&stage, host).await, *before, "{host}");
        let up: f64 = stage.shell(host, "cut -d' ' -f1 /proc/uptime").await.parse().unwrap();
        assert!(up < 86_400.0, "{host} is up for {up} s");
    }
    let state = stage.shell("db2", "mysql -e 'SHOW ALL SLAVES STATUS\\G'").await;
    assert!(state.contains("Slave_IO_Running: Yes") && state.contains("Slave_SQL_Running: Yes"), "{state}");
    // Never two at once: the one is back, in and proved before the next is taken out.
    let asked: Vec<&str> =
        told.prompts.iter().map(|p| p.title.as_str()).filter(|t| t.contains("its pool")).collect();
    assert_eq!(asked.len(), 6, "{asked:?}");
    for pair in asked.chunks(2) {
        assert!(pair[0].starts_with("Take ") && pair[1].starts_with("Put "), "{asked:?}");
    }
}

/// Before anything is touched: the masterdb, by the inventory and by its own word; a package that is half installed; a peer
/// that is away; a replica that is behind.
#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_before_the_first_host_goes() {
    let db = |name: &'static str| [("role", name)];
    for (inputs, host, script, step, words) in [
        (db("db"), "", "", "masters", "the inventory calls it masterdb"),
        (
            db("db2"),
            "db2",
            "mysql -e 'STOP ALL SLAVES'",
            "level-before",
            "a replication thread is in the state No",
        ),
        (db("elastic"), "elastic", "shutdown -r +600", "free", "shutdown -r +600"),
    ] {
        let stage = SMALL.stage(true).await;
        if !host.is_empty() {
            stage.shell(host, script).await;
        }
        let target = if host.is_empty() { "db2" } else { host };
        let before = boot(&stage, target).await;
        let told = run(&stage, &inputs, "s").await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{step}: {}", told.story());
        assert!(told.decisions().last().unwrap().contains(step), "{step}: {:?}", told.decisions());
        assert!(last_words(&told).contains(words), "{step}: {}", told.story());
        assert_eq!(boot(&stage, target).await, before, "{step}");
    }
}

/// Two of a role must not be away at once.
#[tokio::test(flavor = "multi_thread")]
async fn another_of_the_role_that_is_away_is_named_and_nothing_goes() {
    let stage = Stage::new("wpd-2015", "production", true);
    stage.world(|w| assert!(w.stop_server("app3").is_ok()));
    let before = boot(&stage, "app2").await;
    let told = run(&stage, &[("role", "app2")], "s").await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(told.decisions().last().unwrap().contains("peers"), "{:?}", told.decisions());
    assert!(last_words(&told).contains("app3, of role app, does not answer"), "{}", told.story());
    assert_eq!(boot(&stage, "app2").await, before);
}

/// A host that does not come back stops the run, with what to do; the hosts behind it are named, and were not touched. When it is
/// back it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_come_back_stops_the_run() {
    let stage = SMALL.stage(true).await;
    let (stuck, next) = (HostName::new("app1").unwrap(), "elastic");
    stage.world(|w| assert!(w.set_boot_hangs(&stuck, true)));
    let before = boot(&stage, next).await;
    let mut asked = 0;
    let told = stage
        .run("rolling-reboot", &[("role", "app1+elastic")], None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => {
                asked += 1;
                let text = prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                if asked == 1 {
                    assert!(text.contains("nova console-log app1"), "{text}");
                    assert!(text.contains("Not reached: elastic"), "{text}");
                    // A person starts it by the cloud.
                    stage.world(|w| {
                        w.set_boot_hangs(&stuck, false);
                        w.reboot(&stuck)
                    });
                }
                way(choices, if asked < 4 { "rs" } else { "s" })
            }
            _ => PLAIN.agrees(&stage, prompt),
        })
        .await;
    assert!(asked >= 1, "{}", told.story());
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_ne!(boot(&stage, next).await, before);
}

/// A service that does not come up with its host is named, and the next host stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_come_up_stops_the_run() {
    let stage = SMALL.stage(true).await;
    let host = HostName::new("app1").unwrap();
    stage.world(|w| w.set_service_broken(&host, "apache2", true));
    let before = boot(&stage, "elastic").await;
    let told = run(&stage, &[("role", "app1+elastic")], "s").await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(last_words(&told).contains("no longer: runs apache2"), "{}", told.story());
    assert_eq!(boot(&stage, "elastic").await, before);
}

/// The jump box is left out by a person's word, never restarted under the run.
#[tokio::test(flavor = "multi_thread")]
async fn the_jump_box_is_left_out() {
    let stage = SMALL.stage(false).await;
    let before = boot(&stage, "salt").await;
    let told = run(&stage, &[("role", "salt+notes")], "ks").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions()[0].contains("not-the-jump"), "{:?}", told.decisions());
    assert_eq!(boot(&stage, "salt").await, before);
}

/// Several at once: every one is proved, and a batch waits for the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn several_go_at_once_and_come_back_before_the_next_go() {
    let stage = Stage::new("wpd-2015", "production", true);
    let hosts = ["app1", "app2", "app3"];
    let mut before = Vec::new();
    for host in hosts {
        before.push(boot(&stage, host).await);
    }
    let told = run(&stage, &[("role", "app1+app2+app3"), ("batch", "2")], "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions().is_empty(), "{:?}", told.decisions());
    for (host, before) in hosts.iter().zip(&before) {
        assert_ne!(boot(&stage, host).await, *before, "{host}");
    }
    for step in ["rolling[1/2]/order", "rolling[2/2]/order"] {
        assert!(told.was_done(step), "{step}: {}", told.story());
    }
}

/// A batch that a role cannot spare is a problem of the plan: nothing is begun. One at a time is always allowed.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_a_role_cannot_spare_is_refused_in_the_plan() {
    let stage = Stage::new("wpd-2015", "production", true);
    for (role, batch, words) in [
        ("app1+app2+app3", "3", None),
        (
            "memcache1+memcache2",
            "2",
            Some(
                "memcache1 and memcache2 would be down at once, leaving 1 of 3 hosts of role memcache; 2 must stay",
            ),
        ),
        (
            "app1+mail",
            "2",
            Some("mail would be down at once, leaving 0 of 1 hosts of role mail; 1 must stay"),
        ),
        ("db", "2", Some("only one host of role db may be")),
        ("app", "0", Some("batch is the number of hosts at once, from 1 to 1000")),
        ("mail", "1", None),
        ("db", "1", None),
    ] {
        let problems = stage.problems("rolling-reboot", &[("role", role), ("batch", batch)]).await;
        match words {
            None => assert_eq!(problems, Vec::<String>::new(), "{role} {batch}"),
            Some(words) => {
                assert!(problems.iter().any(|p| p.contains(words)), "{role} {batch}: {problems:?}")
            }
        }
    }
}

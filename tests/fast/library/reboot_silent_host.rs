//! reboot-silent-host: what it refuses, what it shows before anybody agrees, a soft restart that helps and one that does not, a host that is
//! switched off, and one that never comes back.

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState, StepState};

use super::rehearsal::{Stage, Told};
use super::{PLAIN, SMALL, way};

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn words(prompt: &Prompt) -> String {
    prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Runs it; where a step fails, the first of these ways that is there is taken.
async fn run(stage: &Stage, inputs: &[(&str, &str)], ways: &str) -> Told {
    stage
        .run("reboot-silent-host", inputs, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, ways),
            _ => PLAIN.agrees(stage, prompt),
        })
        .await
}

async fn boot(stage: &Stage, host: &str) -> String {
    stage.shell(host, "cat /proc/sys/kernel/random/boot_id").await
}

fn asked<'a>(told: &'a Told, title: &str) -> Vec<&'a Prompt> {
    told.prompts.iter().filter(|prompt| prompt.title.as_str().contains(title)).collect()
}

/// A replica that hangs: its state and its console log stand there before the yes; afterwards it replicates, in another boot.
#[tokio::test(flavor = "multi_thread")]
async fn a_soft_restart_helps_and_is_proved() {
    let stage = SMALL.stage(false).await;
    let before = boot(&stage, "db2").await;
    stage.world(|w| assert!(w.server_hangs("db2").is_ok()));
    let told = run(&stage, &[("vm", "db2")], "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions().is_empty(), "{:?}", told.decisions());
    let agreed = asked(&told, "Restart db2: the cloud says ACTIVE, power running");
    assert_eq!(agreed.len(), 1, "{}", told.story());
    let text = words(agreed[0]);
    for part in ["db: applications read from it", "blocked for more than 120 seconds"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What cloud-init prints at the first boot is on the console, and in neither question nor journal.
    assert!(text.contains("(hidden: it may hold a secret)"), "{text}");
    assert!(!told.story().contains("Ahp4eiQuoh") && !text.contains("Ahp4eiQuoh"), "{}", told.story());
    assert!(told.was_done("soft"), "{}", told.story());
    for step in ["start", "hard", "cut", "master"] {
        assert!(matches!(told.state_of(step), StepState::Skipped(_)), "{step}: {}", told.story());
    }
    assert_ne!(boot(&stage, "db2").await, before);
    let state = stage.shell("db2", "mysql -e 'SHOW ALL SLAVES STATUS\\G'").await;
    assert!(state.contains("Slave_IO_Running: Yes") && state.contains("Slave_SQL_Running: Yes"), "{state}");
}

/// Its power is cut only after its UUID was typed, with the console log of that moment on screen. Also with the newer client.
#[tokio::test(flavor = "multi_thread")]
async fn its_power_is_cut_where_nothing_else_helps_and_only_by_its_uuid() {
    for cloud in ["nova", "openstack"] {
        let mut stage = SMALL.stage(false).await;
        // Nobody waits for minutes here.
        let text = stage.text("reboot-silent-host").replace("$tries -lt 20", "$tries -lt 3");
        stage.add("reboot-silent-host", &text);
        let before = boot(&stage, "app1").await;
        stage.world(|w| {
            assert!(w.server_hangs("app1").is_ok() && w.soft_reboot_does_nothing("app1").is_ok());
        });
        let inputs = [("vm", "app1"), ("cloud", cloud)];
        let declined = stage
            .run("reboot-silent-host", &inputs, None, |prompt| match &prompt.kind {
                PromptKind::Choose(choices) => way(choices, "s"),
                PromptKind::Challenge(_) => Reply::No,
                _ => PLAIN.agrees(&stage, prompt),
            })
            .await;
        assert!(matches!(declined.view.state, RunState::Stopped(_)), "{}", declined.story());
        assert!(
            !declined.was_done("hard") && !stage.world(|w| w.is_up(&host("app1"))),
            "{}",
            declined.story()
        );
        let told = run(&stage, &inputs, "s").await;
        assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
        let cut = asked(&told, "app1 still does not answer. Type its UUID");
        assert_eq!(cut.len(), 1, "{}", told.story());
        assert!(words(cut[0]).contains("blocked for more than 120 seconds"), "{}", words(cut[0]));
        assert!(told.was_done("soft") && told.was_done("hard"), "{}", told.story());
        assert_ne!(boot(&stage, "app1").await, before, "{cloud}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_switched_off_is_started() {
    let stage = SMALL.stage(false).await;
    stage.world(|w| assert!(w.stop_server("app1").is_ok()));
    let told = run(&stage, &[("vm", "app1")], "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(asked(&told, "the cloud says SHUTOFF, power off").len(), 1, "{}", told.story());
    assert!(told.was_done("start"), "{}", told.story());
    assert!(matches!(told.state_of("soft"), StepState::Skipped(_)), "{}", told.story());
}

/// Nothing is restarted: it answers, it is the jump box, the cloud gave it up, two servers bear its name, nobody typed the masterdb's name.
#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_before_anything_is_touched() {
    type Prepare = fn(&mut jumpdeck_sim::world::World);
    let cases: [(&str, Prepare, &str, &str); 5] = [
        ("app1", |_| (), "silent", "app1 answers SSH: it is not silent"),
        ("salt", |_| (), "no-jump", "salt is the jump box"),
        ("app1", |w| assert!(w.server_fails("app1").is_ok()), "state", "status: ERROR"),
        (
            "app1",
            |w| {
                assert!(w.server_hangs("app1").is_ok());
                let order = jumpdeck_sim::cloud::Order {
                    name: "app1".to_owned(),
                    flavor: w.cloud().flavors()[0].id.clone(),
                    image: w.cloud().images()[0].id.clone(),
                    ..Default::default()
                };
                assert!(w.build_server(&order).is_ok());
            },
            "id",
            "",
        ),
        ("db1-masterdb", |w| assert!(w.server_hangs("db1-masterdb").is_ok()), "master", ""),
    ];
    for (vm, prepare, step, says) in cases {
        let stage = SMALL.stage(true).await;
        stage.world(prepare);
        let told = stage
            .run("reboot-silent-host", &[("vm", vm)], None, |prompt| match &prompt.kind {
                PromptKind::Choose(choices) => way(choices, "s"),
                PromptKind::Challenge(_) | PromptKind::Confirm => Reply::No,
                _ => PLAIN.agrees(&stage, prompt),
            })
            .await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{vm} {step}: {}", told.story());
        let last = told.prompts.last().unwrap();
        assert!(told.story().contains(step) && words(last).contains(says), "{vm} {step}: {}", told.story());
        for step in ["soft", "start", "hard"] {
            assert!(!told.was_done(step), "{vm}: {}", told.story());
        }
    }
}

/// Restarted for nothing, and its power cut for nothing: it says so, and what the console log shows.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_comes_back_is_never_called_restarted() {
    let mut stage = SMALL.stage(false).await;
    stage.world(|w| {
        assert!(w.server_hangs("app1").is_ok());
        assert!(w.set_boot_hangs(&host("app1"), true));
    });
    let text = stage.text("reboot-silent-host").replace("timeout = \"15m\"", "timeout = \"5s\"");
    let text = text.replace("$tries -lt 20", "$tries -lt 3");
    stage.add("reboot-silent-host", &text);
    let told = run(&stage, &[("vm", "app1")], "s").await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(told.decisions().last().unwrap().contains("back"), "{:?}", told.decisions());
    let last = words(told.prompts.last().unwrap());
    assert!(last.contains("read its console log") && last.contains("replace-vm"), "{last}");
    let cut = asked(&told, "Type its UUID to cut its power");
    assert!(words(cut[0]).contains("Kernel panic"), "{}", told.story());
    assert!(!told.was_done("restarted"), "{}", told.story());
}

/// It answers again in the boot of before, as when only the network was cut: no restart is claimed.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_the_boot_of_before_is_no_proof() {
    let mut stage = SMALL.stage(false).await;
    stage.world(|w| assert!(w.server_hangs("app1").is_ok()));
    // What it restarts is not what it proves: the soft restart happens, and time is read as if the run had begun after it.
    let text =
        stage.text("reboot-silent-host").replace("echo $(($(cut -d. -f1 /proc/uptime) - began))", "echo 0");
    stage.add("reboot-silent-host", &text);
    let told = run(&stage, &[("vm", "app1")], "s").await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(told.decisions().last().unwrap().contains("restarted"), "{:?}", told.decisions());
}

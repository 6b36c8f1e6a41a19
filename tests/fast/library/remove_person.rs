//! remove-person: nothing of a person is left on any host, whoever tries to bring it back; what is refused; what is named and left.

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, RunState};
use jumpdeck_sim::posix::people::key_file;
use jumpdeck_sim::world::World;

use super::rehearsal::{Stage, Told};
use super::{SMALL, Scene, scene, way};

/// What the person left behind: a cron job, a key in root's file, accounts of the database.
pub(super) const THERE: &[(&str, &str)] = &[
    ("notes", "echo '0 3 * * * /home/shepazu/report.sh' | crontab -u shepazu -"),
    ("notes", "mkdir -p /root/.ssh && cat /home/shepazu/.ssh/authorized_keys >/root/.ssh/authorized_keys"),
    ("notes", "echo 'ssh-ed25519 AAAAother renoirb@laptop' >>/root/.ssh/authorized_keys"),
    ("db1-masterdb", "mysql -e \"CREATE USER 'shepazu'@'%' IDENTIFIED BY 'simulated-one'\""),
    ("db1-masterdb", "mysql -e \"CREATE USER 'shepazu'@'localhost' IDENTIFIED BY 'simulated-two'\""),
];

/// And a process.
pub(super) fn runs(world: &mut World) {
    world.start_task(&HostName::new("notes").unwrap(), "shepazu", "python report.py", None);
}

async fn stage(impatient: bool) -> Stage {
    scene("remove-person").stage(impatient).await
}

async fn run(stage: &Stage, inputs: &[(&str, &str)], ways: &str) -> Told {
    let plain = Scene { inputs: &[], before: &[], ..SMALL };
    stage
        .run("remove-person", inputs, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, ways),
            _ => plain.agrees(stage, prompt),
        })
        .await
}

/// Hosts that still let the person in, by what their sshd does.
fn open(stage: &Stage, person: &str) -> Vec<String> {
    let hosts: Vec<HostName> = stage.env.hosts.iter().map(|host| host.id.host.clone()).collect();
    stage.world(|w| hosts.iter().filter(|host| w.lets_in(host, person)).map(ToString::to_string).collect())
}

fn words(prompt: &Prompt) -> String {
    prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_on_any_host_and_a_highstate_does_not_bring_it_back() {
    let stage = stage(false).await;
    assert_eq!(open(&stage, "shepazu").len(), stage.env.hosts.len());
    let told = run(&stage, &[("person", "shepazu")], "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions().is_empty(), "{:?}", told.decisions());
    assert!(open(&stage, "shepazu").is_empty());
    assert_eq!(open(&stage, "renoirb").len(), stage.env.hosts.len(), "others keep what they have");
    assert!(stage.shell("salt", "git -C /srv/pillar status --porcelain").await.is_empty());
    let said = stage.shell("salt", "salt --out=json --static notes state.highstate").await;
    assert!(!said.contains("\"result\": false"), "{said}");
    assert!(open(&stage, "shepazu").is_empty());
    let (notes, file) = (HostName::new("notes").unwrap(), key_file("shepazu"));
    stage.world(|w| {
        assert!(w.read_file(&notes, &file).is_none());
        assert!(w.tasks(&notes).all(|task| task.user != "shepazu"));
        let root = String::from_utf8(w.read_file(&notes, "/root/.ssh/authorized_keys").unwrap()).unwrap();
        assert_eq!(root, "ssh-ed25519 AAAAother renoirb@laptop\n");
    });
    let left =
        stage.shell("db2", "mysql -N -e \"SELECT COUNT(*) FROM mysql.user WHERE User = 'shepazu'\"").await;
    assert_eq!(left, "0", "replicas follow");
    // The jump box is last: its account is closed when every other one is.
    let at = |id: &str| told.view.steps.iter().position(|s| s.id == id).unwrap();
    assert!(at("hosts[1/1]/closed/sessions") < at("last[1/1]/jump/lock"), "{}", told.story());
}

/// Before anything is touched: root, who runs it, an account of the system with what it runs, a name that nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_before_anything_is_touched() {
    for (person, step, said) in [
        ("root", "a-person", "root is not a person"),
        ("test", "a-person", "you are logged in as test@here"),
        ("www-data", "no-service", "uid 33 is an account of the system; it runs: "),
        ("shepazuu", "known", "check its spelling"),
    ] {
        let stage = stage(true).await;
        let told = run(&stage, &[("person", person)], "s").await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{person}: {}", told.story());
        assert_eq!(told.prompts.len(), 1, "{person}: {}", told.story());
        assert!(told.decisions()[0].contains(&format!("({step})")), "{person}: {:?}", told.decisions());
        assert!(words(&told.prompts[0]).contains(said), "{person}: {}", told.story());
        assert_eq!(open(&stage, "shepazu").len(), stage.env.hosts.len());
    }
}

/// A host that is down is named and left behind; it is not said to be done, and the next run does it.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_is_left_behind_by_name() {
    let stage = stage(true).await;
    stage.world(|w| assert!(w.stop_server("elastic").is_ok()));
    let told = run(&stage, &[("person", "shepazu")], "xs").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions()[0].contains("(reached)"), "{:?}", told.decisions());
    let note = told.view.steps.iter().find(|s| s.id == "left").unwrap();
    assert!(!note.title.as_str().contains("elastic"), "{}", note.title);
    assert_eq!(open(&stage, "shepazu"), ["elastic"]);
    stage.world(|w| assert!(w.start_server("elastic").is_ok()));
    let mut up = false;
    while !up {
        up = stage.world(|w| w.is_up(&HostName::new("elastic").unwrap()));
        tokio::task::yield_now().await;
    }
    let told = run(&stage, &[("person", "shepazu")], "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(open(&stage, "shepazu").is_empty());
}

/// A rollback before the database gives back what there was: accounts, keys, cron jobs, rights.
#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_rolled_back_until_the_database() {
    let stage = stage(true).await;
    // The one thing that goes wrong: on the jump box, which is last, another program has the accounts locked.
    stage.shell("salt", "touch /etc/passwd.lock").await;
    let told = stage
        .run("remove-person", &[("person", "shepazu")], None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, "bs"),
            _ => SMALL.agrees(&stage, prompt),
        })
        .await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert!(told.decisions()[0].contains("last[1/1]/jump/lock"), "{:?}", told.decisions());
    assert_eq!(open(&stage, "shepazu").len(), stage.env.hosts.len());
    let cron = stage.shell("notes", "crontab -u shepazu -l").await;
    assert!(cron.contains("report.sh"), "{cron}");
    let groups = stage.shell("notes", "id -nG shepazu").await;
    assert!(groups.contains("sudo"), "{groups}");
    let root = stage.shell("notes", "cat /root/.ssh/authorized_keys").await;
    assert!(root.contains("shepazu@laptop") && root.contains("renoirb@laptop"), "{root}");
    let pillar = stage.shell("salt", "cat /srv/pillar/users.sls").await;
    assert!(pillar.contains("state: present") && !pillar.contains("state: absent"), "{pillar}");
    assert!(stage.shell("salt", "git -C /srv/pillar status --porcelain").await.is_empty());
}

/// A file of keys that would be left without any is not emptied: nobody could log in any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_share_is_not_taken_from_the_only_file_that_has_it() {
    let stage = stage(true).await;
    let theirs = stage.shell("notes", "cat /home/shepazu/.ssh/authorized_keys").await;
    stage.shell("notes", "cat /home/shepazu/.ssh/authorized_keys >/root/.ssh/authorized_keys").await;
    let told = run(&stage, &[("person", "shepazu")], "s").await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(told.decisions()[0].contains("closed/keys"), "{:?}", told.decisions());
    assert!(words(told.prompts.last().unwrap()).contains("would have no key left"), "{}", told.story());
    assert_eq!(stage.shell("notes", "cat /root/.ssh/authorized_keys").await, theirs);
}

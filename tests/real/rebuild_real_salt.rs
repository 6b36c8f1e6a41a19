//! rebuild-lost-salt-master on the real fleet: the box with the real Salt master and the real name server ends for good, twice. What
//! minions and keys say afterwards is asked of Salt, and what names mean of gdnsd. Needs `JUMPDECK_FLEET`, the directory of a fleet that is up; it is the last that such a fleet is good for.

use crate::support::operator;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use crate::support::reach::over_ssh;
use jumpdeck::collect::clock::Clock;
use jumpdeck::config::files;
use jumpdeck::config::store::InventoryStore;
use jumpdeck::runbook::library::Library;
use jumpdeck::runbook::signing_keys::SigningKeys;
use jumpdeck::runbook::{planner, runner};
use jumpdeck::transport::HostSessions;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck_fleet::run::{Mode, Prompt, PromptKind, Reply, RunState, RunView, StepState};

const RUNBOOK: &str = "rebuild-lost-salt-master";

/// The hosts of the real fleet that have a minion.
const MINIONS: [&str; 6] = ["app1", "app2", "db1-masterdb", "db2", "db3", "salt"];

struct Lane(PathBuf);

impl Lane {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet"));
        command.arg("--dir").arg(&self.0).args(words);
        command
    }

    /// `tests/fleet` with these words; what it printed.
    fn says(&self, words: &[&str]) -> String {
        let said = self.command(words).output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let failed = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "tests/fleet {words:?}: {text}{failed}");
        text.trim().to_owned()
    }

    /// A script inside a host.
    fn on(&self, host: &str, script: &str) -> String {
        self.says(&["exec", host, "sh", "-c", script])
    }

    /// The backup host gets an archive of these of the Salt master.
    fn back_up(&self, members: &str) {
        let script = format!("tar -C / -czf - {members}");
        let mut packs = self.command(&["exec", "salt", "sh", "-c", &script]);
        let mut packed = packs.stdout(Stdio::piped()).spawn().unwrap();
        let keeps = "mkdir -p /root/backup && cat > /root/backup/salt.tar.gz";
        let mut kept = self.command(&["exec", "backup", "sh", "-c", keeps]);
        let kept = kept.stdin(packed.stdout.take().unwrap()).status().unwrap();
        assert!(packed.wait().unwrap().success() && kept.success());
    }

    /// The address of the jump box among the hosts.
    fn inner_address(&self) -> String {
        let own = self.on("salt", "hostname -I");
        own.split_whitespace().find(|address| address.starts_with("198.19.")).unwrap().to_owned()
    }

    async fn run(
        &self,
        inputs: &[(&str, &str)],
        answer: impl FnMut(&Prompt) -> Reply,
    ) -> (Arc<RunView>, Vec<Prompt>) {
        let (library, errors) = Library::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks"));
        assert!(errors.is_empty(), "{}", errors.iter().map(|e| e.render(false)).collect::<String>());
        let context = files::context().unwrap();
        let fleet = files::load_inventory(&self.0.join("inventory.toml"), &context).unwrap();
        let env = fleet.environments[0].clone();
        let reach = over_ssh(env.clone(), Arc::new(TcpDial), Arc::new(RefuseAll));
        let reach: Arc<dyn HostSessions> = Arc::new(reach);
        let inventory = Some(Arc::new(InventoryStore::of_environment(&env, false)));
        let inputs: BTreeMap<_, _> =
            inputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
        let runbook = library.get(RUNBOOK).unwrap();
        let made = planner::make(runbook, &env, false, inputs, &BTreeMap::new(), reach.as_ref()).await;
        let (plan, view) = made.unwrap();
        assert!(view.problems.is_empty(), "{:?}", view.problems);
        let journals = tempfile::tempdir().unwrap();
        let clock = Clock::start();
        let launch = runner::Launch {
            env,
            simulated: false,
            reach,
            inventory,
            keys: SigningKeys::none(),
            folder: journals.path().to_owned(),
            who: "test@here".to_owned(),
            clock: Arc::new(move || clock.now()),
            armed: Arc::new(|| true),
        };
        let handle = runner::start(launch, plan, "a rehearsal".to_owned(), Mode::Live).await.unwrap();
        operator::drive(handle, answer).await
    }
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

fn decisions(prompts: &[Prompt]) -> Vec<String> {
    let chosen = prompts.iter().filter(|p| matches!(p.kind, PromptKind::Choose(_)));
    chosen.map(|p| p.title.to_string()).collect()
}

fn state<'v>(view: &'v RunView, step: &str) -> &'v StepState {
    &view.steps.iter().find(|s| s.id == step).unwrap().state
}

/// Every minion answers, and the master has accepted these keys and no other.
fn all_answer(lane: &Lane) {
    let said = lane.on("salt", "salt -t 10 --out=json --static '*' test.ping | tr -d ' \\n'");
    for minion in MINIONS {
        assert!(said.contains(&format!("\"{minion}\":true")), "{said}");
    }
    let accepted = lane.on("salt", "salt-key -l acc --no-color | sed 1d | tr '\\n' ' '");
    assert_eq!(accepted.trim(), MINIONS.join(" "));
}

/// Whether the fleet has a name server: without one the rest is tested all the same.
fn has_name_server(lane: &Lane) -> bool {
    let there =
        lane.on("salt", "command -v gdnsd >/dev/null && test -e /etc/gdnsd/config && echo yes || echo no");
    if there == "no" {
        println!("skipped: no gdnsd");
    }
    there == "yes"
}

/// Every name of the fleet, and the address that the fleet itself gives it.
fn names(lane: &Lane) -> Vec<(String, String)> {
    let status: serde_json::Value = serde_json::from_str(&lane.says(&["status", "--json"])).unwrap();
    let hosts = status["hosts"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut names: Vec<_> = hosts.iter().map(|host| (text(&host["name"]), text(&host["address"]))).collect();
    let master = names.iter().find(|(name, _)| name == "db1-masterdb").unwrap().1.clone();
    names.extend(["masterdb", "mysql"].map(|name| (name.to_owned(), master.clone())));
    names
}

/// The name server of this box says every name, to itself and to another host, with the pillar's serial; and so does what programs ask.
fn every_name_is_served(lane: &Lane) {
    let server = lane.inner_address();
    let names = names(lane);
    let serial = lane.on("salt", "sed -n 's/^ *gdnsd_timestamp: *//p' /srv/pillar/infra/production.sls");
    let wanted: String = names.iter().map(|(name, address)| format!("{name} {address}\n")).collect();
    let list: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    for (host, at) in [("salt", "@127.0.0.1"), ("mail", &format!("@{server}")), ("app1", "")] {
        let ask = format!("dig +short +time=2 +tries=1 {at}");
        let each = format!(
            "for name in {}; do echo \"$name $({ask} $name.production.wpdn | tail -n 1)\"; done",
            list.join(" ")
        );
        assert_eq!(lane.on(host, &each), wanted.trim_end(), "asked from {host} {at}");
        let said = lane.on(host, &format!("{ask} production.wpdn SOA"));
        assert_eq!(said.split(' ').nth(2), Some(serial.as_str()), "{said}, asked from {host}");
        // This name is in no /etc/hosts.
        let found = lane.on(host, "getent ahostsv4 mysql | head -n 1 | cut -d ' ' -f 1");
        assert_eq!(found, names.last().unwrap().1, "mysql on {host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_master_is_lost_and_its_minions_come_back() {
    let Some(dir) = std::env::var_os("JUMPDECK_FLEET").map(PathBuf::from) else {
        println!("skipped: JUMPDECK_FLEET is not set");
        return;
    };
    let lane = Lane(dir);
    lane.says(&["salt", "up"]);
    let key = lane.on("salt", "sha256sum < /etc/salt/pki/master/master.pub");
    let zone = if has_name_server(&lane) { " etc/gdnsd" } else { "" };
    if !zone.is_empty() {
        every_name_is_served(&lane);
    }
    lane.back_up(&format!("srv etc/salt/master etc/salt/pki/master{zone}"));
    let old = lane.inner_address();
    lane.says(&["jump", "lose"]);
    let new = lane.inner_address();
    assert_ne!(old, new);
    let inputs =
        [("address", new.as_str()), ("old_address", &old), ("minion", "app1"), ("folder", "/root/backup")];
    let began = Instant::now();
    let (view, prompts) = lane.run(&inputs, |prompt| agrees(prompt, "xs")).await;
    println!("rebuilt with the key pair in {:.1} s", began.elapsed().as_secs_f64());
    let story = operator::story(&view, &prompts);
    assert_eq!(view.state, RunState::Finished, "{story}");
    // Hosts without a minion are named, and nothing else is asked about.
    let asked = decisions(&prompts);
    assert!(!asked.is_empty() && asked.iter().all(|title| title.contains("(minions) failed")), "{asked:?}");
    assert_eq!(lane.on("salt", "sha256sum < /etc/salt/pki/master/master.pub"), key);
    all_answer(&lane);
    for host in ["app1", "db3", "mail", "source"] {
        assert_eq!(lane.on(host, "getent ahostsv4 salt | head -n 1 | cut -d ' ' -f 1"), new, "{host}");
    }
    assert!(lane.on("salt", "git -C /srv/pillar log -1 --format=%s").contains(&new));
    if !zone.is_empty() {
        every_name_is_served(&lane);
    }

    // Again, at the same address, and nobody has backed the key pair up. A stranger's key waits.
    lane.back_up(&format!("srv etc/salt/master{zone}"));
    lane.says(&["jump", "lose"]);
    assert_eq!(lane.inner_address(), new);
    let inputs =
        [("address", new.as_str()), ("old_address", &new), ("minion", "app1"), ("folder", "/root/backup")];
    let began = Instant::now();
    let (view, prompts) = lane
        .run(&inputs, |prompt| {
            if prompt.title.as_str().starts_with("Point the hosts") {
                let stranger = "openssl genrsa 2048 2>/dev/null | openssl rsa -pubout 2>/dev/null > \
                                /etc/salt/pki/master/minions_pre/intruder";
                lane.on("salt", stranger);
            }
            agrees(prompt, "xk")
        })
        .await;
    println!("rebuilt without it in {:.1} s", began.elapsed().as_secs_f64());
    let story = operator::story(&view, &prompts);
    assert_eq!(view.state, RunState::Finished, "{story}");
    assert!(matches!(state(&view, "names"), StepState::Skipped(_)), "{story}");
    let asked = decisions(&prompts);
    assert!(asked.last().unwrap().contains("(waiting) failed"), "{asked:?}");
    assert_ne!(lane.on("salt", "sha256sum < /etc/salt/pki/master/master.pub"), key);
    all_answer(&lane);
    assert!(lane.on("salt", "salt-key -l un --no-color").contains("intruder"));
    assert!(lane.on("app1", "ls /etc/salt/pki/minion").contains("minion_master.pub.before-"));
    if !zone.is_empty() {
        every_name_is_served(&lane);
    }
    lane.says(&["prove"]);
}

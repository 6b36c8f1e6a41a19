//! replace-vm: an application host is replaced by a new one of the same name. On the real fleet with real Salt (the cloud is
//! stood in for; needs `JUMPDECK_FLEET`, the directory of a fleet that is up), and in the simulated world.

use crate::support::operator;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Mode, Prompt, PromptKind, Reply, RunState, RunView, StepState};
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::World;
use jumpdeck_sim::world::universe::Universe;
use zeroize::Zeroizing;

/// A fleet to run on.
struct Stage {
    env: Arc<Environment>,
    reach: Arc<dyn HostSessions>,
    simulated: bool,
    journals: tempfile::TempDir,
    /// Runbooks of one's own.
    own: tempfile::TempDir,
}

/// How a run ended, and what was asked.
struct Told {
    view: Arc<RunView>,
    prompts: Vec<Prompt>,
}

impl Told {
    fn state_of(&self, step: &str) -> StepState {
        let found = self.view.steps.iter().find(|s| s.id == step);
        found.unwrap_or_else(|| panic!("no step {step}")).state.clone()
    }

    fn story(&self) -> String {
        operator::story(&self.view, &self.prompts)
    }

    /// The value of a captured variable.
    fn value(&self, name: &str) -> String {
        let found = self.view.values.iter().find(|(n, _, _)| n == name);
        found.unwrap_or_else(|| panic!("no {name}: {}", self.story())).2.to_string()
    }
}

impl Stage {
    fn new(env: Arc<Environment>, reach: Arc<dyn HostSessions>, simulated: bool) -> Self {
        let own = tempfile::tempdir().unwrap();
        // As they stand in the tree, so that a change of them needs no compiler.
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, own.path().join(path.file_name().unwrap())).unwrap();
        }
        Self { env, reach, simulated, journals: tempfile::tempdir().unwrap(), own }
    }

    fn real(dir: &Path) -> Self {
        let context = files::context().unwrap();
        let fleet = files::load_inventory(&dir.join("inventory.toml"), &context).unwrap();
        let env = fleet.environments[0].clone();
        let reach = over_ssh(env.clone(), Arc::new(TcpDial), Arc::new(RefuseAll));
        Self::new(env, Arc::new(reach), false)
    }

    /// In the simulated world time runs faster; what waits looks oftener, and gives up sooner.
    fn hurry(&self) {
        let path = self.own.path().join("replace-vm.toml");
        let mut text = std::fs::read_to_string(&path).unwrap();
        for (from, to) in [
            ("timeout = \"15m\"", "timeout = \"8s\""),
            ("every   = \"2s\"", "every   = \"300ms\""),
            ("every   = \"3s\"", "every   = \"300ms\""),
            ("every   = \"5s\"", "every   = \"300ms\""),
            ("$tries -ge 60", "$tries -ge 3"),
        ] {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        std::fs::write(&path, text).unwrap();
    }

    async fn run(&self, inputs: &[(&str, &str)], mut first: impl FnMut(&Prompt) -> Option<Reply>) -> Told {
        let (library, errors) = Library::load(self.own.path());
        assert!(errors.is_empty(), "{}", errors.iter().map(|e| e.render(false)).collect::<String>());
        let runbook = library.get("replace-vm").unwrap();
        let inputs: BTreeMap<String, Zeroizing<String>> =
            inputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
        let made =
            planner::make(runbook, &self.env, self.simulated, inputs, &BTreeMap::new(), self.reach.as_ref())
                .await;
        let (plan, view) = made.unwrap();
        assert!(view.problems.is_empty(), "{:?}", view.problems);
        let clock = Clock::start();
        let launch = runner::Launch {
            env: self.env.clone(),
            simulated: self.simulated,
            reach: self.reach.clone(),
            inventory: Some(Arc::new(InventoryStore::of_environment(&self.env, self.simulated))),
            keys: SigningKeys::none(),
            folder: self.journals.path().to_owned(),
            who: "test@here".to_owned(),
            clock: Arc::new(move || clock.now()),
            armed: Arc::new(|| true),
        };
        let handle = runner::start(launch, plan, "a rehearsal".to_owned(), Mode::Live).await.unwrap();
        let (view, prompts) =
            operator::drive(handle, move |prompt| first(prompt).unwrap_or_else(|| agreed(prompt))).await;
        let told = Told { view, prompts };
        if std::env::var_os("JUMPDECK_STORY").is_some() {
            println!("{}", told.story());
        }
        told
    }
}

/// What an operator says who agrees; where a step stands, everything is taken back when that can be, else it stays.
fn agreed(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Choose(ways) if ways.iter().any(|w| w.key == 'b') => Reply::Chosen('b', None),
        _ => Reply::Chosen('s', None),
    }
}

/// The choices that were put, in words.
fn stood(told: &Told) -> Vec<String> {
    let chosen = told.prompts.iter().filter(|p| matches!(p.kind, PromptKind::Choose(_)));
    chosen
        .map(|p| format!("{}: {}", p.title, p.text.iter().map(|l| l.as_str()).collect::<Vec<_>>().join("\n")))
        .collect()
}

// ---- In the simulated world ------------------------------------------------------------------------------------------------

struct Sim {
    stage: Stage,
    world: Arc<Mutex<World>>,
    /// Lets time pass ten times as fast.
    clock: tokio::task::JoinHandle<()>,
    _universe: Universe,
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.clock.abort();
    }
}

impl Sim {
    fn start() -> Self {
        let universe = Universe::load("wpd-2015", 7).unwrap();
        let fleet = SimFleet::start(&universe);
        let env = universe.fleet(|name| fleet.access(name)).environments[0].clone();
        let world = universe.jumps().next().unwrap().1.clone();
        let reach = over_ssh(env.clone(), Arc::new(fleet.clone()), Arc::new(RefuseAll));
        let stage = Stage::new(env, Arc::new(reach), true);
        stage.hurry();
        let passing = world.clone();
        let clock = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                passing.lock().unwrap_or_else(PoisonError::into_inner).advance(Duration::from_secs(1));
            }
        });
        Self { stage, world, clock, _universe: universe }
    }

    fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// UUIDs of the servers of a name.
    fn servers(&self, name: &str) -> Vec<String> {
        self.world(|w| {
            let now = w.now().as_secs_f64();
            w.cloud().servers(now).filter(|s| s.name == name).map(|s| s.id.clone()).collect()
        })
    }

    /// The fingerprint of the minion that Salt reaches by that id.
    fn accepted(&self, name: &str) -> Option<String> {
        self.world(|w| w.minion(name).and_then(|host| w.minion_fingerprint(&host)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_an_application_host_is_replaced() {
    for cloud in ["nova", "openstack"] {
        let sim = Sim::start();
        let (before, key) = (sim.servers("app1"), sim.accepted("app1"));
        assert_eq!(before.len(), 1);
        let told = sim.stage.run(&[("vm", "app1"), ("cloud", cloud)], |_| None).await;
        assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
        let after = sim.servers("app1");
        assert_eq!(after.len(), 1);
        assert_ne!(before, after);
        assert_ne!(sim.accepted("app1"), key);
        let public = told.value("public");
        let behind = sim.world(|w| w.cloud().behind(&public).cloned());
        let address = told.value("new_address");
        let machine = sim.world(|w| w.machine(&behind.unwrap()).unwrap().address.clone());
        assert_eq!(machine, address);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_what_never_becomes_active_is_taken_back() {
    let sim = Sim::start();
    let (before, key) = (sim.servers("app1"), sim.accepted("app1"));
    sim.world(World::next_server_never_becomes_active);
    let told = sim.stage.run(&[("vm", "app1")], |_| None).await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert!(stood(&told)[0].contains("(active) failed"), "{:?}", stood(&told));
    assert_eq!((sim.servers("app1"), sim.accepted("app1")), (before, key));
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_a_strangers_key_is_not_accepted() {
    let sim = Sim::start();
    let (before, key) = (sim.servers("app1"), sim.accepted("app1"));
    sim.world(World::next_server_shows_foreign_fingerprints);
    let told = sim.stage.run(&[("vm", "app1")], |_| None).await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert!(stood(&told)[0].contains("(fingerprint) failed"), "{:?}", stood(&told));
    assert_eq!((sim.servers("app1"), sim.accepted("app1")), (before, key));
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_a_deletion_that_does_nothing_is_no_success() {
    let sim = Sim::start();
    let before = sim.servers("app1");
    sim.world(|w| w.deleting_does_nothing(&before[0])).unwrap();
    let told = sim.stage.run(&[("vm", "app1")], |_| None).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(stood(&told)[0].contains("it reported success, but"), "{:?}", stood(&told));
    assert!(sim.servers("app1").contains(&before[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_a_masterdb_is_refused() {
    let sim = Sim::start();
    let told = sim.stage.run(&[("vm", "db1-masterdb")], |_| None).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert!(matches!(told.state_of("no-master"), StepState::Failed(_)), "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_a_server_of_another_level_is_taken_back() {
    let sim = Sim::start();
    let (before, key) = (sim.servers("app1"), sim.accepted("app1"));
    let text = b"#cloud-config\nsalt_minion:\n  grains:\n    level: staging\n".to_vec();
    sim.world(|w| w.write_file(&HostName::new("salt").unwrap(), "/srv/other.txt", text));
    let told = sim.stage.run(&[("vm", "app1"), ("userdata", "/srv/other.txt")], |_| None).await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert!(stood(&told)[0].contains("(level) failed"), "{:?}", stood(&told));
    assert_eq!((sim.servers("app1"), sim.accepted("app1")), (before, key));
}

// ---- On the real fleet -----------------------------------------------------------------------------------------------------

fn fleet() -> Option<PathBuf> {
    std::env::var_os("JUMPDECK_FLEET").map(PathBuf::from)
}

fn lane_command(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet"));
    command.arg("--dir").arg(dir).args(words);
    command
}

/// `tests/fleet` with these words; what it printed.
fn lane(dir: &Path, words: &[&str]) -> String {
    let said = lane_command(dir, words).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "tests/fleet {words:?}: {text}{}", String::from_utf8_lossy(&said.stderr));
    text
}

/// On the jump box.
fn jump(dir: &Path, command: &str) -> String {
    lane(dir, &["ssh", "salt", command]).trim().to_owned()
}

/// Asks an address from the jump box, ten times a second, until it is told to end.
struct Visitor {
    dir: PathBuf,
    child: Child,
}

impl Visitor {
    fn start(dir: &Path, address: &str) -> Self {
        let script = format!(
            "touch /run/visits; while [ -e /run/visits ]; do curl -s -m 2 -o /dev/null -w '%{{http_code}}\\n' \
             http://{address}/; sleep 0.1; done"
        );
        let mut command = lane_command(dir, &["ssh", "salt", &script]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        Self { dir: dir.to_owned(), child }
    }

    /// How many visits there were, and how many without an answer.
    fn end(self) -> (usize, usize) {
        jump(&self.dir, "rm -f /run/visits");
        let text = self.child.wait_with_output().unwrap().stdout;
        let text = String::from_utf8_lossy(&text).into_owned();
        (text.lines().count(), text.lines().filter(|code| *code != "200").count())
    }
}

fn ids(dir: &Path, name: &str) -> Vec<String> {
    let list = jump(dir, "nova list");
    let row = format!(" {name} ");
    let rows = list.lines().filter(|l| l.split('|').nth(2).is_some_and(|n| n.trim() == row.trim()));
    rows.filter_map(|l| l.split_whitespace().nth(1)).map(str::to_owned).collect()
}

fn print_of(dir: &Path, name: &str) -> String {
    jump(dir, &format!("salt-key -f {name} --out=json 2>/dev/null | tr -d ' \\n'"))
}

/// The old server as it was: alone, its key accepted, and Salt answered.
fn as_it_was(dir: &Path, before: &[String], key: &str) {
    assert_eq!(ids(dir, "app1"), before);
    assert_eq!(print_of(dir, "app1"), key);
    assert!(jump(dir, "salt -t 10 --out=json --static app1 test.ping 2>/dev/null").contains("true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_host_is_replaced_and_the_twin_is_never_deleted() {
    let Some(dir) = fleet() else {
        println!("skipped: JUMPDECK_FLEET is not set");
        return;
    };
    lane(&dir, &["salt", "up"]);
    lane(&dir, &["cloud", "up"]);
    let (before, key) = (ids(&dir, "app1"), print_of(&dir, "app1"));
    assert_eq!(before.len(), 1);

    // A stranger's key is not accepted, and everything is as it was.
    lane(&dir, &["cloud", "foreign-console"]);
    let told = Stage::real(&dir).run(&[("vm", "app1")], |_| None).await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert!(stood(&told)[0].contains("(fingerprint) failed"), "{:?}", stood(&told));
    as_it_was(&dir, &before, &key);

    // The address goes back to the old server while people watch: it is not deleted, whatever is typed.
    let stage = Stage::real(&dir);
    let public = first_public(&dir, &before[0]);
    let (mut typed, there) = (Vec::new(), dir.clone());
    let told = stage
        .run(&[("vm", "app1")], |prompt| {
            if prompt.title.as_str().starts_with("Watch the new server") {
                let list = jump(&there, "neutron floatingip-list -f value -c id -c floating_ip_address");
                let id = list.lines().find_map(|l| l.strip_suffix(&format!(" {public}"))).unwrap();
                let old =
                    jump(&there, &format!("neutron port-list --device-id {} -f value -c id", before[0]));
                jump(&there, &format!("neutron floatingip-associate {id} {old}"));
            }
            match &prompt.kind {
                // First the other one's UUID.
                PromptKind::Challenge(value)
                    if prompt.title.as_str().starts_with("Type the UUID") && typed.is_empty() =>
                {
                    let new = ids(&there, "app1").into_iter().find(|id| id != value.as_str()).unwrap();
                    typed.push(new.clone());
                    Some(Reply::Text(new.into()))
                }
                _ => None,
            }
        })
        .await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    let asked = told.prompts.iter().filter(|p| p.title.as_str().starts_with("Type the UUID")).count();
    assert_eq!(asked, 2, "the new server's UUID was taken: {}", told.story());
    assert!(
        stood(&told)[0].contains("no public address is assigned to the old server"),
        "{:?}",
        stood(&told)
    );
    as_it_was(&dir, &before, &key);

    // And now in earnest, with a visitor.
    let stage = Stage::real(&dir);
    let visitor = Visitor::start(&dir, &public);
    let told = stage.run(&[("vm", "app1")], |_| None).await;
    let (visits, unanswered) = visitor.end();
    println!("{visits} visits while app1 was replaced, {unanswered} without an answer");
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(visits > 20 && unanswered <= 2, "{unanswered} of {visits}");
    let after = ids(&dir, "app1");
    assert_eq!(after, [told.value("new_id")]);
    assert_ne!(after, before);
    assert!(print_of(&dir, "app1").contains(&told.value("new_print")));
    reached_by_its_new_key(&dir, &told).await;
    served_at_its_new_address(&dir, &told);
    lane(&dir, &["trust"]);

    // Dead, this time: switched off, and its minion's key is still there.
    jump(&dir, &format!("nova stop {}", after[0]));
    let told = Stage::real(&dir).run(&[("vm", "app1")], |_| None).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(told.value("life"), "off");
    let (last, new) = (ids(&dir, "app1"), told.value("new_id"));
    assert_eq!(last, [new]);
    assert_ne!(last, after);
    assert_eq!(first_public(&dir, &last[0]), public);
    assert!(print_of(&dir, "app1").contains(&told.value("new_print")));
    lane(&dir, &["trust"]);
}

/// Where the fleet has a name server, it says the new address to everybody.
fn served_at_its_new_address(dir: &Path, told: &Told) {
    if jump(dir, "test -e /etc/gdnsd/config && echo yes || echo no") == "no" {
        return println!("there is no name server to ask");
    }
    for server in ["127.0.0.1", "salt"] {
        assert_eq!(
            jump(dir, &format!("dig +short app1.production.wpdn @{server}")),
            told.value("new_address")
        );
    }
}

/// The public address of a server.
fn first_public(dir: &Path, id: &str) -> String {
    let port = jump(dir, &format!("neutron port-list --device-id {id} -f value -c id"));
    let list = jump(dir, "neutron floatingip-list -f value -c floating_ip_address -c port_id");
    list.lines().find_map(|l| l.strip_suffix(&format!(" {port}")).map(str::to_owned)).unwrap()
}

/// The console logs in on the new server by the key that the run wrote, at the address it was told.
async fn reached_by_its_new_key(dir: &Path, told: &Told) {
    let (inventory, new) =
        (std::fs::read_to_string(dir.join("inventory.toml")).unwrap(), told.value("new_address"));
    let known = std::fs::read_to_string(dir.join("known_hosts")).unwrap();
    assert!(known.lines().any(|l| l.starts_with("app1.") && l.contains(&new)), "{known}");
    let before = dir.join(format!("known_hosts.before-{}", told.view.id));
    assert!(!std::fs::read_to_string(&before).unwrap().contains(&new));
    std::fs::remove_file(before).unwrap();
    let changed: Vec<String> =
        inventory
            .lines()
            .map(|l| {
                if l.starts_with("app1 =") {
                    format!("app1 = {{ address = \"{new}\" }}")
                } else {
                    l.to_owned()
                }
            })
            .collect();
    let file = dir.join("inventory-after.toml");
    std::fs::write(&file, changed.join("\n")).unwrap();
    let fleet = files::load_inventory(&file, &files::context().unwrap()).unwrap();
    std::fs::remove_file(file).unwrap();
    let reach = over_ssh(fleet.environments[0].clone(), Arc::new(TcpDial), Arc::new(RefuseAll));
    let session = reach.host(&HostName::new("app1").unwrap()).await.unwrap();
    let ran = session.run("hostname", Duration::from_secs(10), &mut |_| {}).await.unwrap();
    assert!(String::from_utf8_lossy(&ran.stdout).starts_with("app1"));
}

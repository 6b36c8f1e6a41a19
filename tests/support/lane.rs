//! The real fleet that is up, and runbooks run on it in this process. Needs `JUMPDECK_FLEET`, the directory of a fleet
//! (tests/run gives it).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::reach::signed_over_ssh;
use jumpdeck::collect::clock::Clock;
use jumpdeck::config::files;
use jumpdeck::config::store::InventoryStore;
use jumpdeck::runbook::library::Library;
use jumpdeck::runbook::report::RunReport;
use jumpdeck::runbook::{journal, planner, runner};
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck_fleet::run::{Mode, Prompt, PromptKind, Reply, RunView, StepState};
use zeroize::Zeroizing;

use crate::support::operator;

/// The fleet's directory; without one the test says that it is skipped.
pub(crate) fn fleet() -> Option<PathBuf> {
    let dir = std::env::var_os("JUMPDECK_FLEET").map(PathBuf::from);
    if dir.is_none() {
        println!("skipped: JUMPDECK_FLEET is not set");
    }
    dir
}

/// Whether variants are wanted too, of what is tried once anyway: `JUMPDECK_THOROUGH`.
pub(crate) fn thorough() -> bool {
    std::env::var_os("JUMPDECK_THOROUGH").is_some()
}

/// Runbooks of one's own to try instead of those that come with the program: `JUMPDECK_RUNBOOKS`.
pub(crate) fn own_runbooks() -> PathBuf {
    std::env::var_os("JUMPDECK_RUNBOOKS").map_or_else(|| PathBuf::from("/nonexistent"), PathBuf::from)
}

/// `tests/fleet` with these words: what it printed, and whether it was content.
pub(crate) fn tried(dir: &Path, words: &[&str]) -> (String, bool) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet");
    let said = Command::new(script).arg("--dir").arg(dir).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    (text + &String::from_utf8_lossy(&said.stderr), said.status.success())
}

/// The same, when it must be content.
pub(crate) fn lane(dir: &Path, words: &[&str]) -> String {
    let (text, well) = tried(dir, words);
    assert!(well, "tests/fleet {words:?}: {text}");
    text
}

/// The only value that a statement gives, as the database's root, cable or not.
pub(crate) fn sql(dir: &Path, host: &str, statement: &str) -> String {
    lane(dir, &["sql", host, statement]).lines().nth(1).unwrap_or_default().to_owned()
}

/// A column of the replica's status.
pub(crate) fn slave(dir: &Path, host: &str, column: &str) -> String {
    let shown = lane(dir, &["sql", host, "SHOW ALL SLAVES STATUS", "--vertical"]);
    let found = shown.lines().find_map(|l| l.trim().strip_prefix(&format!("{column}: ")).map(str::to_owned));
    found.unwrap_or_default()
}

/// What became of the writers' rows, whatever it is.
pub(crate) fn score(dir: &Path) -> serde_json::Value {
    let (text, _) = tried(dir, &["writers", "score", "--json"]);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Waits until that holds.
pub(crate) fn until(what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The database that takes writes in a fleet that is new.
pub(crate) const MASTER: &str = "db1-masterdb";

/// The fleet, applications writing, in one mode of replication; whole again when this is dropped, whatever a test did to
/// it.
pub(crate) struct Scene {
    pub(crate) dir: PathBuf,
    journals: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new(dir: PathBuf, mode: &str) -> Self {
        lane(&dir, &["salt", "up"]);
        lane(&dir, &["db", "reset", mode]);
        lane(&dir, &["writers", "start"]);
        Self { dir, journals: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn lane(&self, words: &[&str]) -> String {
        lane(&self.dir, words)
    }

    pub(crate) fn sql(&self, host: &str, statement: &str) -> String {
        sql(&self.dir, host, statement)
    }

    pub(crate) async fn run(
        &self,
        runbooks: &Path,
        what: (&str, &[(&str, &str)]),
        answer: impl FnMut(&Prompt) -> Reply,
    ) -> Told {
        run(&self.dir, self.journals.path(), runbooks, what, answer).await
    }

    /// That the master takes writes and nobody else does, that both replicas are led to it, and that applications and
    /// pillar name it.
    pub(crate) fn is_untouched(&self) {
        let read_only = [MASTER, "db2", "db3"].map(|host| self.sql(host, "SELECT @@global.read_only"));
        assert_eq!(read_only, ["0", "1", "1"]);
        let hosts = self.lane(&["exec", MASTER, "cat", "/etc/hosts"]);
        let line = hosts.lines().find(|l| l.ends_with(" masterdb")).unwrap();
        let address = line.split_whitespace().next().unwrap();
        for replica in ["db2", "db3"] {
            assert_eq!(slave(&self.dir, replica, "Master_Host"), address, "{replica}");
        }
        for app in ["app1", "app2"] {
            let file = self.lane(&["exec", app, "cat", "/etc/webplatform/db.ini"]);
            assert!(file.contains(&format!("host = {address}\n")), "{app}: {file}");
        }
        let pillar = self.lane(&["exec", "salt", "cat", "/srv/pillar/infra/production.sls"]);
        assert!(pillar.lines().any(|l| l.trim() == format!("writes: {address}")), "{address}: {pillar}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for words in [&["mend", MASTER][..], &["writers", "stop"], &["db", "reset", "gtid"]] {
            let (said, well) = tried(&self.dir, words);
            if !well {
                println!("tests/fleet {words:?}: {said}");
            }
        }
    }
}

/// How a run on the fleet ended.
pub(crate) struct Told {
    pub(crate) view: Arc<RunView>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) report: RunReport,
    pub(crate) took: Duration,
}

impl Told {
    pub(crate) fn story(&self) -> String {
        operator::story(&self.view, &self.prompts)
    }

    /// What was said in the last prompt whose title has that in it.
    pub(crate) fn said(&self, title: &str) -> String {
        let found = self.prompts.iter().rev().find(|p| p.title.as_str().contains(title));
        let found = found.unwrap_or_else(|| panic!("nobody asked {title:?}\n{}", self.story()));
        found.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn state_of(&self, step: &str) -> StepState {
        let found = self.view.steps.iter().find(|s| s.id == step);
        found.unwrap_or_else(|| panic!("no step {step}\n{}", self.story())).state.clone()
    }
}

/// What a person who agrees says to most prompts: yes, what is to be typed, what stands there already; at a decision, stop.
pub(crate) fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(view) => {
            let value = view.default.as_ref().or(view.choices.first());
            Reply::Text(value.map(ToString::to_string).unwrap_or_else(|| "seen".to_owned()).into())
        }
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        PromptKind::Approve(_) => Reply::No,
    }
}

/// Runs a runbook of `runbooks`, or else of those that come with the program, on the fleet's first environment; `answer`
/// is asked at every prompt. Journals go to `folder`.
pub(crate) async fn run(
    dir: &Path,
    folder: &Path,
    runbooks: &Path,
    (name, inputs): (&str, &[(&str, &str)]),
    answer: impl FnMut(&Prompt) -> Reply,
) -> Told {
    let context = files::context().unwrap();
    let fleet = files::load_inventory(&dir.join("inventory.toml"), &context).unwrap();
    let env = fleet.environments[0].clone();
    let (reach, keys) = signed_over_ssh(env.clone(), Arc::new(TcpDial), Arc::new(RefuseAll));
    // The fleet's own file: a run that moves a role moves it there, as an operator's would.
    let store = InventoryStore::file(dir.join("inventory.toml"), context);
    let (reach, inventory) = (Arc::new(reach), Some(Arc::new(store)));
    let (library, errors) = Library::load(runbooks);
    assert!(errors.is_empty(), "{}", errors.iter().map(|e| e.render(false)).collect::<String>());
    let runbook = library.get(name).unwrap();
    let inputs: BTreeMap<String, Zeroizing<String>> =
        inputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
    let (plan, view) =
        planner::make(runbook, &env, false, inputs, &BTreeMap::new(), reach.as_ref()).await.unwrap();
    assert!(view.problems.is_empty(), "{:?}", view.problems);
    let clock = Clock::start();
    let launch = runner::Launch {
        env,
        simulated: false,
        reach,
        inventory,
        keys,
        folder: folder.to_owned(),
        who: "test@here".to_owned(),
        clock: Arc::new(move || clock.now()),
        armed: Arc::new(|| true),
    };
    let began = Instant::now();
    let handle = runner::start(launch, plan, "a rehearsal".to_owned(), Mode::Live).await.unwrap();
    let path = folder.join(format!("{}.jsonl", handle.id));
    let (view, prompts) = operator::drive(handle, answer).await;
    let took = began.elapsed();
    let report = RunReport::of(&journal::read(&path).unwrap()).unwrap();
    let told = Told { view, prompts, report, took };
    if std::env::var_os("JUMPDECK_STORY").is_some() {
        println!("{}", told.story());
    }
    told
}

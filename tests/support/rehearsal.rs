//! A simulated fleet to rehearse runbooks on, each run in a world of its own, and ways for single steps to go wrong that
//! no machine would be needed for: a command that says it was done and was not, one that fails, a link that is cut.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::support::reach::over_ssh;
use jumpdeck::collect::clock::Clock;
use jumpdeck::config::store::InventoryStore;
use jumpdeck::runbook::definition::Runbook;
use jumpdeck::runbook::event::{Event, OperatorAnswer, Phase, Verdict, Way};
use jumpdeck::runbook::journal::{self, Entry};
use jumpdeck::runbook::library::Library;
use jumpdeck::runbook::signing_keys::SigningKeys;
use jumpdeck::runbook::watched::Watch;
use jumpdeck::runbook::{planner, runner};
use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::SessionPool;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::error::{ErrorKind, TransportError};
use jumpdeck::transport::{Held, HostSessions, Limits, Ran, Session};
use jumpdeck_fleet::fleet::{DatabaseFile, Environment, Management};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Mode, PlanView, Prompt, Reply, RunState, RunView, StepState};
use jumpdeck_fleet::time::Moment;
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::World;
use jumpdeck_sim::world::universe::Universe;
use zeroize::Zeroizing;

use crate::support::{operator, same_run};

/// How a step goes wrong. The first time it is done; later attempts go well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It says it was done, and nothing was.
    Lies,
    /// It is refused, and nothing was done.
    Fails,
    /// It is done, and the link is gone before anybody hears of it.
    CutAfter,
    /// The link is gone, and nothing was done.
    CutBefore,
}

/// A fleet, in one environment of which runbooks are run.
pub(crate) struct Stage {
    pub(crate) env: Arc<Environment>,
    pub(crate) servers: SimFleet,
    world: Arc<Mutex<World>>,
    journals: tempfile::TempDir,
    /// The inventory, which runbooks change.
    pub(crate) inventory: Arc<InventoryStore>,
    shelf: Arc<Shelf>,
    /// Follows its runs, when somebody watches them.
    watcher: Option<Arc<Watcher>>,
    _universe: Universe,
    hurry: tokio::task::AbortHandle,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.hurry.abort();
    }
}

/// The runbooks of the tree, and those that tests alone have: their texts by file name, and what was read of them.
struct Shelf {
    texts: BTreeMap<String, String>,
    library: Library,
}

impl Shelf {
    /// As they stand in the tree, so that a change of them needs no compiler. They are read once: there are many stages.
    fn of(impatient: bool) -> Arc<Self> {
        static SHELVES: [OnceLock<Arc<Shelf>>; 2] = [OnceLock::new(), OnceLock::new()];
        let shelf = &SHELVES[usize::from(impatient)];
        shelf
            .get_or_init(|| Arc::new(Self::load(texts(impatient)).unwrap_or_else(|why| panic!("{why}"))))
            .clone()
    }

    /// An error is what `check` says.
    fn load(texts: BTreeMap<String, String>) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &texts {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let (library, errors) = Library::load(folder.path());
        if errors.is_empty() {
            Ok(Self { texts, library })
        } else {
            Err(errors.iter().map(|e| e.render(false)).collect())
        }
    }
}

fn texts(impatient: bool) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let long = regex::Regex::new(r#"timeout( *)= "[0-9]+[mh]""#).unwrap();
    // The world runs twenty times as fast as this machine's clock, by ticks that a busy machine delays: who asks again and again does so
    // twenty times as often, who sleeps between two looks sleeps a fifth of the time.
    let asks = regex::Regex::new(r#"every( *)= "([0-9]+)s""#).unwrap();
    let sleeps = regex::Regex::new(r"\bsleep ([1-9][0-9]*)\b").unwrap();
    let seconds = |found: &regex::Captures<'_>, at: usize| found[at].parse::<u64>().unwrap();
    let folders = [root.join("runbooks"), root.join("tests/fixtures/runbooks")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        // A window's limit is time of this machine, which rehearses several fleets at once: what is rehearsed here is not how long.
        let text = text.replace("limit = \"3s\"", "limit = \"30s\"");
        let text = asks.replace_all(&text, |found: &regex::Captures<'_>| {
            format!("every{}= \"{}ms\"", &found[1], (seconds(found, 2) * 50).max(100))
        });
        let text = sleeps.replace_all(&text, |found: &regex::Captures<'_>| {
            format!("sleep {}", Duration::from_millis(seconds(found, 1) * 200).as_secs_f64())
        });
        let text = if impatient {
            long.replace_all(&text, "timeout$1= \"20s\"").into_owned()
        } else {
            text.into_owned()
        };
        (path.file_name().unwrap().to_str().unwrap().to_owned(), text)
    };
    files.map(|entry| read(entry.unwrap().path())).collect()
}

/// How a run ended, and what was asked.
pub(crate) struct Told {
    pub(crate) plan: PlanView,
    pub(crate) view: Arc<RunView>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) entries: Vec<Entry>,
    /// At how many entries somebody looked who watches.
    pub(crate) seen: usize,
    /// Where that was another run than the operator had, less what only a console knows.
    pub(crate) apart: Vec<String>,
}

/// Somebody who watches a run from elsewhere, and looks at every entry.
#[derive(Default)]
struct Watcher(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    watch: Option<Watch>,
    seen: usize,
    apart: Vec<String>,
}

impl Watcher {
    fn look(&self, folder: &Path, entry: &Entry, written: &RunView) {
        let mut watched = self.0.lock().unwrap();
        let Watched { watch, seen, apart } = &mut *watched;
        let now = (Moment(0), entry.at);
        // Its first entry was written before anybody could follow it.
        let watch = watch.get_or_insert_with(|| {
            let path = folder.join(format!("{}.jsonl", written.id));
            Watch::begin(journal::read(&path).unwrap().swap_remove(0), now).unwrap()
        });
        watch.take(entry.clone(), now).unwrap();
        *seen += 1;
        let differences = same_run::differences(&watch.look(now, None), written);
        // One tells enough, and more would follow from it.
        if apart.is_empty() && !differences.is_empty() {
            *apart = differences;
            apart.insert(0, format!("after {:?}", entry.event));
        }
    }

    fn said(&self) -> (usize, Vec<String>) {
        let watched = self.0.lock().unwrap();
        (watched.seen, watched.apart.clone())
    }
}

/// Every runbook there is.
pub(crate) fn names() -> Vec<String> {
    let (library, errors) = Library::load(Path::new("/nonexistent"));
    assert!(errors.is_empty(), "{}", errors.iter().map(|e| e.render(false)).collect::<String>());
    library.entries().into_iter().map(|entry| entry.name).collect()
}

impl Stage {
    /// The environment of that name of a world. Its time runs many times faster than ours. With `impatient`, no step waits
    /// for minutes.
    pub(crate) fn new(world: &str, env: &str, impatient: bool) -> Self {
        Self::of(Universe::load(world, 7).unwrap(), env, impatient)
    }

    /// The same of a world that is there already.
    pub(crate) fn of(universe: Universe, env: &str, impatient: bool) -> Self {
        let servers = SimFleet::start(&universe);
        let fleet = universe.fleet(|name| servers.access(name));
        let at = fleet.environments.iter().position(|e| e.name.as_str() == env).unwrap();
        let world = universe.environments[at].1.clone();
        let fast = world.clone();
        let hurry = tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            loop {
                tick.tick().await;
                fast.lock().unwrap_or_else(PoisonError::into_inner).advance(Duration::from_millis(400));
            }
        });
        Self {
            env: fleet.environments[at].clone(),
            servers,
            world,
            journals: tempfile::tempdir().unwrap(),
            inventory: Arc::new(InventoryStore::of_environment(&fleet.environments[at], true)),
            shelf: Shelf::of(impatient),
            watcher: None,
            _universe: universe,
            hurry: hurry.abort_handle(),
        }
    }

    /// The same fleet without Salt, as its inventory says: these files name the database.
    pub(crate) fn without_salt(mut self, database_files: Vec<DatabaseFile>) -> Self {
        self.world(World::remove_salt);
        let management = Management::Ssh { database_files };
        self.env = Arc::new(Environment { management, ..(*self.env).clone() });
        self.inventory = Arc::new(InventoryStore::of_environment(&self.env, true));
        self
    }

    /// Looks into the world, or changes it.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets root's shell on a machine run a script, as somebody at work beside the run would.
    pub(crate) async fn shell(&self, host: &str, script: &str) -> String {
        let way = over_ssh(self.env.clone(), Arc::new(self.servers.clone()), Arc::new(RefuseAll));
        let session = way.host(&HostName::new(host).unwrap()).await.unwrap();
        let ran = session.run(script, Duration::from_secs(60), &mut |_| ()).await.unwrap();
        assert_eq!(ran.status, Some(0), "{host}: {script}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    /// The same where it may fail, or not be reached: nobody asks.
    pub(crate) async fn try_shell(&self, host: &str, script: &str) {
        let way = over_ssh(self.env.clone(), Arc::new(self.servers.clone()), Arc::new(RefuseAll));
        if let Ok(session) = way.host(&HostName::new(host).unwrap()).await {
            let _said = session.run(script, Duration::from_secs(60), &mut |_| ()).await;
        }
    }

    /// Its next run is watched from elsewhere at every entry.
    pub(crate) fn watched(mut self) -> Self {
        self.watcher = Some(Arc::default());
        self
    }

    /// One more runbook.
    pub(crate) fn add(&mut self, name: &str, text: &str) {
        self.try_add(name, text).unwrap_or_else(|why| panic!("{why}"));
    }

    /// One more runbook, or another in place of one; an error is what `check` says of it.
    pub(crate) fn try_add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let mut texts = self.shelf.texts.clone();
        texts.insert(format!("{name}.toml"), text.to_owned());
        self.shelf = Arc::new(Shelf::load(texts)?);
        Ok(())
    }

    /// Its world, for those who live in it.
    pub(crate) fn shared_world(&self) -> Arc<Mutex<World>> {
        self.world.clone()
    }

    /// The text of a runbook, as it is rehearsed.
    pub(crate) fn text(&self, name: &str) -> String {
        self.shelf.texts[&format!("{name}.toml")].clone()
    }

    /// The way to its hosts.
    pub(crate) fn way(&self) -> SessionPool {
        over_ssh(self.env.clone(), Arc::new(self.servers.clone()), Arc::new(RefuseAll))
    }

    pub(crate) fn runbook(&self, name: &str) -> Arc<Runbook> {
        self.shelf.library.get(name).unwrap_or_else(|| panic!("no runbook {name}"))
    }

    /// Runs a runbook; `answer` is asked at every prompt.
    pub(crate) async fn run(
        &self,
        name: &str,
        inputs: &[(&str, &str)],
        wrong: Option<(&str, Wrong)>,
        answer: impl FnMut(&Prompt) -> Reply,
    ) -> Told {
        let inner = self.way();
        let spoil = wrong.map(|(step, how)| Spoil {
            step: step.to_owned(),
            how,
            journals: self.journals.path().to_owned(),
            spent: Mutex::default(),
        });
        let reach: Arc<dyn HostSessions> = Arc::new(Spoiled { inner, spoil: spoil.map(Arc::new) });
        let told = self.run_over(reach, name, inputs, answer).await;
        if std::env::var_os("JUMPDECK_STORY").is_some() {
            println!("{name} {wrong:?}\n{}", told.story());
        }
        told
    }

    /// All journals of its runs, as they are on the disk.
    pub(crate) fn journals_text(&self) -> String {
        let files = std::fs::read_dir(self.journals.path()).unwrap().flatten().map(|entry| entry.path());
        files.filter_map(|path| std::fs::read_to_string(path).ok()).collect()
    }

    /// What keeps a plan of a runbook from running.
    pub(crate) async fn problems(&self, name: &str, inputs: &[(&str, &str)]) -> Vec<String> {
        let inputs: BTreeMap<String, Zeroizing<String>> =
            inputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
        let way = self.way();
        let made = planner::make(self.runbook(name), &self.env, true, inputs, &BTreeMap::new(), &way).await;
        let (_, shown) = made.unwrap_or_else(|e| panic!("{name}: {e}"));
        shown.problems.iter().map(ToString::to_string).collect()
    }

    /// Whether a plan can be made of these inputs; an error is what the planner says.
    pub(crate) async fn try_plan(&self, name: &str, inputs: &[(&str, &str)]) -> Result<(), String> {
        let inputs: BTreeMap<String, Zeroizing<String>> =
            inputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
        let way = self.way();
        let made = planner::make(self.runbook(name), &self.env, true, inputs, &BTreeMap::new(), &way).await;
        made.map(|_| ()).map_err(|e| e.to_string())
    }

    /// The same, its hosts reached in another way.
    pub(crate) async fn run_over(
        &self,
        reach: Arc<dyn HostSessions>,
        name: &str,
        inputs: &[(&str, &str)],
        answer: impl FnMut(&Prompt) -> Reply,
    ) -> Told {
        let inputs: BTreeMap<String, Zeroizing<String>> =
            inputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
        let made =
            planner::make(self.runbook(name), &self.env, true, inputs, &BTreeMap::new(), reach.as_ref())
                .await;
        let (plan, shown) = made.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(shown.problems.is_empty(), "{name}: {:?}", shown.problems);
        let clock = Clock::start();
        let launch = runner::Launch {
            env: self.env.clone(),
            simulated: true,
            reach,
            inventory: Some(self.inventory.clone()),
            keys: SigningKeys::none(),
            folder: self.journals.path().to_owned(),
            who: "test@here".to_owned(),
            clock: Arc::new(move || clock.now()),
            armed: Arc::new(|| true),
        };
        let why = "a rehearsal".to_owned();
        let handle = match self.watcher.clone() {
            Some(watcher) => {
                let folder = self.journals.path().to_owned();
                let follow = move |entry: &Entry, written: &RunView| watcher.look(&folder, entry, written);
                runner::start_followed(launch, plan, why, Mode::Live, Arc::new(follow)).await
            }
            None => runner::start(launch, plan, why, Mode::Live).await,
        };
        let handle = handle.unwrap();
        let path = self.journals.path().join(format!("{}.jsonl", handle.id));
        let (view, prompts) = operator::drive(handle, answer).await;
        let entries = journal::read(&path).unwrap();
        let (seen, apart) = self.watcher.as_ref().map(|watcher| watcher.said()).unwrap_or_default();
        Told { plan: shown, view, prompts, entries, seen, apart }
    }
}

impl Told {
    pub(crate) fn story(&self) -> String {
        operator::story(&self.view, &self.prompts)
    }

    pub(crate) fn state_of(&self, step: &str) -> StepState {
        let found = self.view.steps.iter().find(|s| s.id == step);
        found.unwrap_or_else(|| panic!("no step {step}: {}", self.story())).state.clone()
    }

    /// Whether every host of a step said that it was done, whatever came after.
    pub(crate) fn was_done(&self, id: &str) -> bool {
        self.entries.iter().any(|e| match &e.event {
            Event::Outcome { step, phase: Phase::Run, hosts, .. } if *step == id => {
                hosts.values().all(|h| h.verdict == Verdict::Done)
            }
            _ => false,
        })
    }

    /// Titles of the decisions that were put.
    pub(crate) fn decisions(&self) -> Vec<String> {
        let chosen = |p: &&Prompt| matches!(p.kind, jumpdeck_fleet::run::PromptKind::Choose(_));
        // Of a window that failed the first line says which step did.
        let told =
            |p: &Prompt| match p.text.first().filter(|_| p.title.as_str().starts_with("The window failed")) {
                Some(why) => format!("{}: {why}", p.title),
                None => p.title.to_string(),
            };
        self.prompts.iter().filter(chosen).map(told).collect()
    }

    /// Nothing that changes something was done twice on a host, unless a person said so, or it was proved between the two that
    /// it was not done, or was undone.
    pub(crate) fn nothing_repeated(&self, runbook: &Runbook) {
        let changes: BTreeSet<&str> = self
            .plan
            .steps
            .iter()
            .filter(|s| s.effect != jumpdeck_fleet::run::Effect::Read && s.kind != "manual")
            .map(|s| s.id.as_str())
            .collect();
        // What a console holds open ends with it: whoever goes on opens it again.
        let open: BTreeSet<&str> = self
            .plan
            .steps
            .iter()
            .filter(|step| ["hold", "guard"].contains(&step.kind))
            .map(|step| step.id.as_str())
            .collect();
        let mut in_effect: BTreeSet<(String, String)> = BTreeSet::new();
        for entry in &self.entries {
            match &entry.event {
                Event::Intent { step, phase: Phase::Run, commands, .. }
                    if changes.contains(step.as_str()) =>
                {
                    for host in commands.keys() {
                        let first = in_effect.insert((step.to_string(), host.to_string()));
                        let story = self.story();
                        assert!(first, "{}: {step} was done twice on {host}\n{story}", runbook.name);
                    }
                }
                Event::Answered {
                    step,
                    answer: OperatorAnswer::Chosen(Way::Retry | Way::WasNotDone),
                    ..
                }
                // A session that was lost is opened again.
                | Event::HoldLost { step, .. } => in_effect.retain(|(of, _)| step != of.as_str()),
                Event::Outcome { step, phase: Phase::Probe, hosts, .. } => {
                    in_effect.retain(|(of, on)| {
                        let gone = hosts
                            .iter()
                            .any(|(host, h)| host.to_string() == *on && h.verdict == Verdict::NotDone);
                        step != of.as_str() || !gone
                    });
                }
                Event::Outcome { step, phase: Phase::Undo | Phase::UndoProbe, hosts, .. } => {
                    in_effect.retain(|(of, on)| {
                        let undone = hosts
                            .iter()
                            .any(|(host, h)| host.to_string() == *on && h.verdict == Verdict::Done);
                        step != of.as_str() || !undone
                    });
                }
                Event::Resumed { .. } => in_effect.retain(|(of, _)| !open.contains(of.as_str())),
                _ => {}
            }
        }
    }

    /// What is done whatever happens was done: every such step has an outcome, and stands well.
    pub(crate) fn closed(&self, runbook: &Runbook) {
        if !matches!(self.view.state, RunState::Abandoned(_) | RunState::RolledBack | RunState::Finished) {
            return;
        }
        let begun = self.entries.iter().any(|e| matches!(e.event, Event::Intent { .. }));
        for step in runbook.every_step().into_iter().filter(|s| s.always && begun) {
            let state = self.state_of(&step.id);
            let well = matches!(state, StepState::Done | StepState::Skipped(_));
            assert!(well, "{}: {} is {state:?} at the end\n{}", runbook.name, step.id, self.story());
        }
    }

    /// Whether an outcome of that step said that nobody knows.
    pub(crate) fn was_unknown(&self, id: &str) -> bool {
        self.entries.iter().any(|e| match &e.event {
            Event::Outcome { step, hosts, .. } if *step == id => {
                hosts.values().any(|h| matches!(h.verdict, Verdict::Unknown(_)))
            }
            _ => false,
        })
    }
}

/// The steps of a plan that change machines by one command: those that can be made to go wrong here.
pub(crate) fn changes(plan: &PlanView) -> Vec<String> {
    let kinds = ["run", "sql", "salt", "edit", "fence"];
    let changing = |s: &&jumpdeck_fleet::run::PlanStep| {
        s.effect != jumpdeck_fleet::run::Effect::Read && kinds.contains(&s.kind)
    };
    plan.steps.iter().filter(changing).map(|s| s.id.clone()).collect()
}

// ---- Machines that misbehave for one step ----------------------------------------------------------------------------------

struct Spoil {
    step: String,
    how: Wrong,
    journals: PathBuf,
    /// Hosts on which it went wrong already.
    spent: Mutex<BTreeSet<String>>,
}

impl Spoil {
    /// Whether the step is being done right now, by the newest entry of the journal, and this is the first command of it on
    /// the host.
    fn strikes(&self, host: &str) -> bool {
        let newest = std::fs::read_dir(&self.journals).unwrap().flatten().map(|e| e.path());
        let Some(path) = newest.filter(|p| p.extension().is_some_and(|e| e == "jsonl")).max() else {
            return false;
        };
        let entries = journal::read(&path).unwrap_or_default();
        let last = entries.iter().rev().find(|e| !matches!(e.event, Event::Note { .. }));
        let doing = last.is_some_and(|e| {
            matches!(&e.event, Event::Intent { step, phase: Phase::Run, attempt: 1, .. } if *step == self.step.as_str())
        });
        doing && self.spent.lock().unwrap().insert(host.to_owned())
    }
}

struct Spoiled {
    inner: SessionPool,
    spoil: Option<Arc<Spoil>>,
}

impl HostSessions for Spoiled {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            let session = self.inner.host(name).await?;
            let Some(spoil) = self.spoil.clone() else { return Ok(session) };
            Ok(Arc::new(SpoiledSession { session, spoil, host: name.clone() }) as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        self.inner.jump()
    }
}

struct SpoiledSession {
    session: Arc<dyn Session>,
    spoil: Arc<Spoil>,
    host: HostName,
}

impl Session for SpoiledSession {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            if !self.spoil.strikes(self.host.as_str()) {
                return self.session.exec(command, stdin, limits, out).await;
            }
            let cut =
                || TransportError::new(&Hop::Host(self.host.clone()), ErrorKind::Dropped, "cut by the test");
            match self.spoil.how {
                Wrong::Lies => Ok(Ran { status: Some(0), ..Ran::default() }),
                Wrong::Fails => {
                    Ok(Ran { status: Some(1), stderr: b"refused by the test\n".to_vec(), ..Ran::default() })
                }
                Wrong::CutBefore => Err(cut()),
                Wrong::CutAfter => {
                    self.session.exec(command, stdin, limits, out).await?;
                    Err(cut())
                }
            }
        })
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            let held = self.session.start(command).await?;
            if !command.contains("mariadb") {
                return Ok(held);
            }
            let (spoil, host) = (self.spoil.clone(), self.host.clone());
            Ok(Box::new(SpoiledHeld { held: Some(held), spoil, host, cut_after: false }) as Box<dyn Held>)
        })
    }
}

/// A session that stays: its statements go wrong like commands.
struct SpoiledHeld {
    /// None: the link is gone.
    held: Option<Box<dyn Held>>,
    spoil: Arc<Spoil>,
    host: HostName,
    /// The link goes when the answer is there, before anybody reads it.
    cut_after: bool,
}

/// How the end of an answer begins.
const END: &str = "SELECT 'jumpdeck_end_";

impl SpoiledHeld {
    fn cut(&self) -> TransportError {
        TransportError::new(&Hop::Host(self.host.clone()), ErrorKind::Dropped, "cut by the test")
    }
}

impl Held for SpoiledHeld {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            let cut = self.cut();
            let held = self.held.as_mut().ok_or_else(|| cut.clone())?;
            let text = String::from_utf8_lossy(bytes);
            // A heartbeat may come in between: it only reads.
            if text.starts_with("SELECT") || !self.spoil.strikes(self.host.as_str()) {
                return held.write(bytes).await;
            }
            match self.spoil.how {
                Wrong::Lies => {
                    let end = text.rfind(END).expect("a statement ends with its mark");
                    held.write(text[end..].as_bytes()).await
                }
                Wrong::Fails => held.write(b"REFUSED BY THE TEST;\n").await,
                Wrong::CutBefore => {
                    self.held = None;
                    Err(cut)
                }
                Wrong::CutAfter => {
                    self.cut_after = true;
                    held.write(bytes).await
                }
            }
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let cut = self.cut();
            let held = self.held.as_mut().ok_or_else(|| cut.clone())?;
            if !self.cut_after {
                return held.read().await;
            }
            let mut said = String::new();
            while !said.contains("jumpdeck_end_") {
                said.push_str(&String::from_utf8_lossy(&held.read().await?));
            }
            self.held = None;
            Err(cut)
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async move {
            let cut = self.cut();
            self.held.as_mut().ok_or(cut)?.ended().await
        })
    }
}

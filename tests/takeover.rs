//! Takeovers of a switchover, on the simulated fleet: each console dies with its machine, and the next operator
//! goes on from the jump box. It must end as if nobody had died: the same state, every statement once. `JUMPDECK_KILLS`: `every`, a
//! console dies at every entry, the ways take turns; `all`, in each of the three ways; else at those on which everything hangs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "support/operator.rs"]
mod operator;
#[path = "support/rehearsal.rs"]
mod rehearsal;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jumpdeck::collect::clock::Clock;
use jumpdeck::config::store::InventoryStore;
use jumpdeck::domain::names::HostName;
use jumpdeck::domain::run::{Mode, Prompt, PromptKind, Reply, RunState, RunView};
use jumpdeck::runbook::event::{Event, Phase};
use jumpdeck::runbook::journal::{self, Entry};
use jumpdeck::runbook::reach::{Held, Limits, Ran, Reach, Session};
use jumpdeck::runbook::runner::{self, Launch, StartError};
use jumpdeck::runbook::{over_ssh::OverSsh, planner};
use jumpdeck::ssh::dial::BoxFuture;
use jumpdeck::ssh::error::SshError;
use rehearsal::Stage;
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// How far a console gets with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// The entry is on its own disk, and not on the jump box.
    OwnDisk,
    /// The entry is on the jump box, and nothing was sent since.
    JumpBox,
    /// One more command or statement was sent and done, and nobody heard of it.
    Sent,
}

/// Where everything hangs on what the next console knows.
const TURNS: [&str; 6] = [
    "started ",
    "intent Run hold-highstate",
    "intent Run pillar-edit",
    "intent Run freeze",
    "outcome Run freeze",
    "intent Run promote",
];

const WAYS: [Way; 3] = [Way::OwnDisk, Way::JumpBox, Way::Sent];

/// What all consoles of a switchover share: what they died at, and what they sent.
#[derive(Default)]
struct Fate {
    died: Mutex<BTreeSet<(String, Way)>>,
    /// Statements that change something, by host, as they were sent.
    sent: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Fate {
    /// Whether a console dies at this entry, and how. Each only once.
    fn strikes(&self, entry: &Entry) -> Option<(String, Way)> {
        let (name, step) = match &entry.event {
            Event::Intent { step, phase, .. } => (format!("intent {phase:?}"), step.as_str()),
            Event::Outcome { step, phase, .. } => (format!("outcome {phase:?}"), step.as_str()),
            Event::Answered { step, .. } => ("answered".to_owned(), step.as_str()),
            Event::Skipped { step, .. } => ("skipped".to_owned(), step.as_str()),
            Event::Started { .. } => ("started".to_owned(), ""),
            Event::WindowFailed { .. } => ("window failed".to_owned(), ""),
            _ => return None,
        };
        let name = format!("{name} {step}");
        let died = self.died.lock().unwrap();
        let kills = std::env::var("JUMPDECK_KILLS").unwrap_or_default();
        let all = kills == "all";
        if !matches!(kills.as_str(), "all" | "every") && !TURNS.contains(&name.as_str()) {
            return None;
        }
        // A run whose first entry never came to the jump box did nothing, and nobody can take it over.
        if matches!(entry.event, Event::Started { .. }) {
            return (!died.iter().any(|(at, _)| *at == name)).then_some((name, Way::JumpBox));
        }
        let way = match all {
            true => WAYS.into_iter().find(|way| !died.contains(&(name.clone(), *way)))?,
            false if died.iter().any(|(at, _)| *at == name) => return None,
            false => WAYS[died.len() % 3],
        };
        Some((name, way))
    }

    /// Keeps what changes something on a database.
    fn note(&self, host: &HostName, text: &str) {
        const KINDS: [&str; 7] =
            ["SET GLOBAL", "SET STATEMENT", "STOP ", "START ", "RESET ", "CHANGE MASTER", "FLUSH "];
        let own = |line: &&str| KINDS.iter().any(|kind| line.starts_with(kind));
        let statements = text.lines().map(str::trim).filter(own);
        let statements = statements.map(|s| s.split(" MASTER_PASSWORD").next().unwrap().to_owned());
        self.sent.lock().unwrap().entry(host.to_string()).or_default().extend(statements);
    }
}

/// A console's way to the fleet, up to its death.
struct Mortal {
    inner: OverSsh,
    life: Arc<Life>,
}

struct Life {
    fate: Arc<Fate>,
    /// Its state folder.
    journals: PathBuf,
    /// How many entries the jump box has of the run.
    copied: Box<dyn Fn(&str) -> usize + Send + Sync>,
    known: Mutex<usize>,
    striking: Mutex<Option<(String, String, usize, Way)>>,
    sent: AtomicBool,
    dead: AtomicBool,
    died: Notify,
}

impl Life {
    /// The entry that it dies at, once it is written: the run, the entry's number, and how.
    fn struck(&self) -> Option<(String, usize, Way)> {
        let mut striking = self.striking.lock().unwrap();
        if striking.is_none() {
            let files = std::fs::read_dir(&self.journals).unwrap().flatten().map(|file| file.path());
            let path = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).max()?;
            // Only what is new is read: there are thousands of entries at the end, and it is asked before everything that is sent.
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let mut known = self.known.lock().unwrap();
            let run = path.file_stem().unwrap().to_string_lossy().into_owned();
            for (at, line) in whole.lines().enumerate().skip(*known) {
                *known = at + 1;
                let entry = Entry::from_line(line).unwrap();
                if let Some((name, way)) = self.fate.strikes(&entry) {
                    *striking = Some((name, run, at + 1, way));
                    break;
                }
            }
        }
        striking.as_ref().map(|(_, run, number, way)| (run.clone(), *number, *way))
    }

    fn die(&self) {
        if let Some((name, _, _, way)) = self.striking.lock().unwrap().clone()
            && !self.dead.swap(true, Ordering::SeqCst)
        {
            println!("dies at {name}: {way:?}");
            self.fate.died.lock().unwrap().insert((name, way));
            self.died.notify_one();
        }
    }

    /// Before something is sent: it is, unless the console is dead by then.
    async fn send(&self, jump: bool) {
        loop {
            if self.dead.load(Ordering::SeqCst) {
                return std::future::pending().await;
            }
            let Some((run, number, way)) = self.struck() else { return };
            let copied = (self.copied)(&run) >= number;
            match (way, jump) {
                (Way::OwnDisk, _) => self.die(),
                (Way::JumpBox, _) if copied => self.die(),
                (Way::Sent, _) if self.sent.load(Ordering::SeqCst) => self.die(),
                (Way::Sent, false) if copied => {
                    self.sent.store(true, Ordering::SeqCst);
                    return;
                }
                (Way::JumpBox | Way::Sent, true) => return,
                // What is sent to hosts waits until the entry is on the jump box, as it would without being looked at.
                (Way::JumpBox | Way::Sent, false) => tokio::task::yield_now().await,
            }
        }
    }
}

impl Reach for Mortal {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, SshError>> {
        Box::pin(async move {
            let (session, jump) = (self.inner.host(name).await?, name == self.inner.jump());
            let (life, host) = (self.life.clone(), name.clone());
            Ok(Arc::new(MortalSession { session, life, host, jump }) as Arc<dyn Session>)
        })
    }

    fn inventory(&self) -> Option<Arc<InventoryStore>> {
        self.inner.inventory()
    }

    fn jump(&self) -> &HostName {
        self.inner.jump()
    }
}

struct MortalSession {
    session: Arc<dyn Session>,
    life: Arc<Life>,
    host: HostName,
    jump: bool,
}

impl Session for MortalSession {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, SshError>> {
        Box::pin(async move {
            self.life.send(self.jump).await;
            self.life.fate.note(&self.host, &String::from_utf8_lossy(stdin));
            self.session.exec(command, stdin, limits, out).await
        })
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, SshError>> {
        Box::pin(async move {
            self.life.send(self.jump).await;
            let held = self.session.start(command).await?;
            let (life, host, jump) = (self.life.clone(), self.host.clone(), self.jump);
            Ok(Box::new(MortalHeld { held, life, host, jump }) as Box<dyn Held>)
        })
    }
}

struct MortalHeld {
    held: Box<dyn Held>,
    life: Arc<Life>,
    host: HostName,
    jump: bool,
}

impl Held for MortalHeld {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), SshError>> {
        Box::pin(async move {
            self.life.send(self.jump).await;
            self.life.fate.note(&self.host, &String::from_utf8_lossy(bytes));
            self.held.write(bytes).await
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, SshError>> {
        self.held.read()
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, SshError>> {
        self.held.ended()
    }
}

fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(view) => {
            let value = view.choices.first().or(view.default.as_ref());
            Reply::Text(value.map(ToString::to_string).unwrap_or_else(|| "seen".to_owned()).into())
        }
        // What nobody knows is looked for; what was begun and not done is begun again.
        PromptKind::Choose(choices) => {
            let key = "lrk".chars().find(|key| choices.iter().any(|choice| choice.key == *key));
            Reply::Chosen(key.unwrap_or('s'), Some("a rehearsal".to_owned()))
        }
        PromptKind::Approve(_) => Reply::No,
    }
}

/// The same; what fails again and again is not tried for ever.
fn patient() -> impl FnMut(&Prompt) -> Reply + Send {
    let mut again = BTreeMap::new();
    move |prompt| {
        let tries = again.entry(prompt.title.to_string()).or_insert(0);
        *tries += 1;
        match agrees(prompt) {
            Reply::Chosen('r', _) if *tries > 20 => {
                println!("tried {tries} times: {}: {:?}", prompt.title, prompt.text);
                Reply::Chosen('s', None)
            }
            reply => reply,
        }
    }
}

const INPUTS: [(&str, &str); 2] = [("old", "db1-masterdb"), ("candidate", "db2")];

/// What is so when a switchover is over.
#[derive(Debug, PartialEq)]
struct End {
    mentions: BTreeSet<String>,
    applications: BTreeSet<(String, Option<String>, Option<u64>)>,
    read_only: Vec<String>,
    commits: String,
}

async fn end(stage: &Stage) -> End {
    let old = HostName::new("db1-masterdb").unwrap();
    let (mentions, applications) = stage.world(|world| {
        world.advance(Duration::from_secs(120));
        let mentions = world.mentions_of(&old).iter().map(ToString::to_string).collect();
        let applications = world.applications().into_iter();
        (mentions, applications.map(|a| (a.host.to_string(), a.server.clone(), a.lost)).collect())
    });
    let mut read_only = Vec::new();
    for host in ["db1-masterdb", "db2"] {
        read_only.push(stage.shell(host, "mysql -N -e 'SELECT @@global.read_only'").await);
    }
    let commits = stage.shell("salt", "git -C /srv/pillar rev-list --count HEAD").await;
    End { mentions, applications, read_only, commits }
}

fn launch(stage: &Stage, reach: Arc<dyn Reach>, folder: PathBuf, who: &str) -> Launch {
    let clock = Clock::start();
    Launch {
        env: stage.env.clone(),
        simulated: true,
        reach,
        folder,
        who: who.to_owned(),
        clock: Arc::new(move || clock.now()),
        armed: Arc::new(|| true),
    }
}

/// A console, in a runtime of its own that ends with it.
enum Task {
    Begin(Box<jumpdeck::runbook::plan::Plan>),
    TakeOver(String),
}

type Over = (Arc<RunView>, Vec<Prompt>);

/// Lets a console work until it dies (`None`) or the run is over.
async fn console(launch: Launch, life: Arc<Life>, task: Task) -> Option<Over> {
    let machine = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let works = machine.spawn(async move {
        let handle = match task {
            Task::Begin(plan) => runner::start(launch, *plan, "a switchover".to_owned(), Mode::Live).await,
            Task::TakeOver(run) => {
                let began = Instant::now();
                loop {
                    let taken = runner::take_over(launch.clone(), &run, BTreeMap::new()).await;
                    // The lease outlives its console by a moment.
                    match taken {
                        Err(StartError::Lease(why)) if began.elapsed() < Duration::from_secs(60) => {
                            println!("again: {why}");
                        }
                        taken => break taken,
                    }
                }
            }
        };
        let handle = handle.unwrap_or_else(|error| panic!("{error}"));
        let seen = handle.view.clone();
        tokio::spawn(async move {
            // A console that hangs says where.
            tokio::time::sleep(Duration::from_secs(100)).await;
            let view = seen.borrow();
            println!("it stands: {:?} {:?} {:?}", view.state, view.prompt, view.doing);
        });
        operator::drive(handle, patient()).await
    });
    let over = tokio::select! {
        over = works => Some(over.unwrap()),
        () = life.died.notified() => None,
    };
    machine.shutdown_background();
    over
}

fn life(stage: &Arc<Stage>, fate: &Arc<Fate>, journals: PathBuf, known: usize) -> Arc<Life> {
    let at = stage.clone();
    let jump = stage.way().jump().clone();
    let copied = move |run: &str| {
        let path = format!("/run/lock/jumpdeck/{run}/entries");
        let bytes = at.world(|world| world.read_file(&jump, &path)).unwrap_or_default();
        bytes.iter().filter(|byte| **byte == b'\n').count()
    };
    Arc::new(Life {
        fate: fate.clone(),
        journals,
        copied: Box::new(copied),
        known: Mutex::new(known),
        striking: Mutex::default(),
        sent: AtomicBool::new(false),
        dead: AtomicBool::new(false),
        died: Notify::new(),
    })
}

/// A switchover whose consoles die as fate has it; how it ended, its entries, and the number of takeovers.
async fn switchover(stage: &Arc<Stage>, fate: &Arc<Fate>) -> (Over, Vec<Entry>, usize) {
    let inputs: BTreeMap<String, Zeroizing<String>> =
        INPUTS.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
    let runbook = stage.runbook("promote-masterdb");
    let made = planner::make(runbook, &stage.env, true, inputs, &BTreeMap::new(), &stage.way()).await;
    let mut task = Task::Begin(Box::new(made.unwrap().0));
    let (mut run, mut taken) = (None::<String>, 0);
    loop {
        // The machine of the operator before is gone, with its state folder.
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("runs");
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::PermissionsExt::set_mode(
            &mut std::fs::metadata(&folder).unwrap().permissions(),
            0o700,
        );
        let on_the_jump_box = run.as_ref().map_or(0, |run| {
            let seen = life(stage, fate, folder.clone(), 0);
            (seen.copied)(run)
        });
        let life = life(stage, fate, folder.clone(), on_the_jump_box);
        let reach = Arc::new(Mortal { inner: stage.way(), life: life.clone() });
        let with = launch(stage, reach, folder.clone(), &format!("operator{taken}@desk{taken}"));
        let over = console(with, life, task).await;
        let files = std::fs::read_dir(&folder).unwrap().flatten().map(|file| file.path());
        let path = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).max();
        if let Some(path) = &path {
            run = Some(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
        if let Some(over) = over {
            return (over, journal::read(&path.unwrap()).unwrap(), taken);
        }
        task = Task::TakeOver(run.clone().unwrap());
        taken += 1;
    }
}

/// Done when 4: the operator's machine is gone, and a colleague takes over, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn taken_over_a_switchover_ends_in_the_same_state_with_each_statement_once() {
    let began = Instant::now();
    let untouched = Arc::new(Stage::new("wpd-2015", "staging", false));
    let told = untouched.run("promote-masterdb", &INPUTS, None, agrees).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    let wanted = end(&untouched).await;
    println!("untouched: {} entries, {:?}\n{wanted:#?}", told.entries.len(), began.elapsed());

    let stage = Arc::new(Stage::new("wpd-2015", "staging", false));
    let fate = Arc::new(Fate::default());
    let ((view, prompts), entries, taken) = switchover(&stage, &fate).await;
    println!("{taken} takeovers, {} entries, {:?}", entries.len(), began.elapsed());
    assert_eq!(view.state, RunState::Finished, "{}", operator::story(&view, &prompts));
    assert_eq!(end(&stage).await, wanted);

    let steps = |entries: &[Entry]| -> BTreeSet<String> {
        let of = |entry: &Entry| match &entry.event {
            Event::Intent { step, phase: Phase::Run, .. } => Some(step.to_string()),
            _ => None,
        };
        entries.iter().filter_map(of).collect()
    };
    assert_eq!(steps(&entries), steps(&told.entries));
    let runbook = stage.runbook("promote-masterdb");
    rehearsal::Told { plan: told.plan, view, prompts, entries }.nothing_repeated(&runbook);
    println!("{:#?}", fate.sent.lock().unwrap());
    let died = fate.died.lock().unwrap();
    assert_eq!(taken, died.len());
    for turn in TURNS {
        assert!(died.iter().any(|(at, _)| at == turn), "nobody died at {turn}: {died:?}");
    }
    // Whoever promotes a second time could promote behind applications that have moved on.
    let sent = fate.sent.lock().unwrap();
    let of = |host: &str| sent.get(host).cloned().unwrap_or_default();
    let promoted = of("db2").iter().filter(|s| s.starts_with("SET GLOBAL read_only = IF")).count();
    assert_eq!(promoted, 1, "{sent:#?}");
}

//! Plays a schedule: a fleet with clients that live in it, a runbook, consoles that die and are followed by others; and judges the
//! history.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jumpdeck::collect::clock::Clock;
use jumpdeck::runbook::plan::Plan;
use jumpdeck::runbook::planner;
use jumpdeck::runbook::runner::{self, Launch, StartError};
use jumpdeck::runbook::signing_keys::SigningKeys;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Mode, Prompt, PromptKind, Reply, RunState, RunView};
use jumpdeck_sim::world::World;
use jumpdeck_sim::world::score::Score;
use jumpdeck_sim::world::universe::Universe;
use zeroize::Zeroizing;

use crate::support::clients::Clients;
use crate::support::fate::{Fate, Life, Way};
use crate::support::history::{self, Counts, End, Op, Verdict, Wrong};
use crate::support::operator;
use crate::support::rehearsal::Stage;
use crate::support::schedule::{Next, Schedule};
use crate::support::seed::Seed;

/// The master at the beginning, and the replica that is to take its place.
const OLD: &str = "db1-masterdb";
const CANDIDATE: &str = "db2";
const DATABASES: [&str; 3] = [OLD, CANDIDATE, "db3"];

/// How long an operator goes on trying.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The same again.
    tries: u32,
    /// Resuming a run that was stopped.
    resumes: usize,
}

impl Patience {
    /// Longer than any fault of a schedule lasts.
    pub(crate) const LONG: Self = Self { tries: 12, resumes: 8 };
    /// Where nothing is wrong that ends by itself.
    pub(crate) const BRIEF: Self = Self { tries: 2, resumes: 1 };
}

/// What came of a schedule.
pub(crate) struct Played {
    pub(crate) schedule: Schedule,
    /// How the run ended, in words.
    pub(crate) ended: String,
    pub(crate) struck: Vec<String>,
    pub(crate) ops: Vec<Op>,
    pub(crate) end: End,
    pub(crate) verdict: Verdict,
    /// What the fleet's own applications counted, rows that are no part of the history.
    pub(crate) score: Score,
    /// How many servers took writes at the end.
    pub(crate) writable: usize,
    /// What each step came to, and what was asked: for a failing test.
    pub(crate) story: String,
    /// Clients of which every write was refused when all was over.
    pub(crate) left: Vec<String>,
    /// How often a way on had to be chosen, and why first.
    pub(crate) asked: usize,
    pub(crate) why: String,
    pub(crate) consoles: usize,
    pub(crate) took: Duration,
}

impl Played {
    /// Everything that is wrong, a line each.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        let mut all: Vec<String> = self.verdict.findings.iter().map(ToString::to_string).collect();
        let dead = self.end.dead.is_some();
        let score = &self.score;
        if !dead && score.lost.is_some_and(|lost| lost > 0) {
            all.push(format!("lost: {:?} rows of the fleet's own applications", score.lost));
        }
        // What died with a master without an answer, and was written again, is on the new master once.
        let twice = if dead { 0 } else { score.duplicated };
        if twice > 0 || score.split_rows > 0 {
            let split = score.split_rows;
            all.push(format!(
                "{twice} rows of the fleet's own applications are there twice, {split} on two masters"
            ));
        }
        // Who was asked was told who is left behind.
        if self.ended == "finished" && self.asked == 0 && !self.left.is_empty() {
            all.push(format!(
                "left behind: the run is finished, and every write is refused to {}",
                self.left.join(", ")
            ));
        }
        if self.writable != 1 {
            all.push(format!("nothing is wrong any more, and {} servers take writes", self.writable));
        }
        all
    }

    pub(crate) fn counts(&self) -> Counts {
        self.verdict.counts
    }

    /// One line of the table.
    pub(crate) fn line(&self) -> String {
        let (v, c) = (&self.verdict, self.counts());
        format!(
            "| {} | {} | {} | {} | {} | {} | {} ({}) | {} | {} | {} | {} | {} | {} | {:.1} s |",
            self.schedule,
            self.struck.len(),
            self.ended,
            c.operations,
            c.acknowledged,
            c.refused,
            c.unknown,
            c.unknown_there,
            v.count(Wrong::Lost),
            v.lost_with_the_dead.len(),
            v.count(Wrong::Duplicated),
            v.count(Wrong::Stale),
            v.count(Wrong::TwoMasters),
            v.count(Wrong::Phantom),
            self.took.as_secs_f64(),
        )
    }

    /// For a failing test: the seed, the schedule, the history around what is wrong.
    pub(crate) fn tell(&self) -> String {
        let mut text = format!("{}\nstruck: {:?}\n{}\n", self.schedule, self.struck, self.line());
        for wrong in self.wrongs().iter().take(12) {
            let _ = writeln!(text, "{wrong}");
        }
        for finding in self.verdict.findings.iter().take(3) {
            let _ = writeln!(text, "around {finding}\n{}", history::around(&self.ops, finding));
        }
        let _ = writeln!(text, "{}", self.story);
        let _ = writeln!(
            text,
            "again: JUMPDECK_SEED={} cargo test --test fast histories::schedules -- --nocapture",
            self.schedule.seed
        );
        text
    }
}

/// A fleet of a master and two replicas.
pub(crate) fn stage(schedule: &Schedule) -> Stage {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/worlds/two-replicas.toml");
    let mut text = std::fs::read_to_string(path).unwrap();
    if !schedule.gtid {
        text = text.replace("gtid = true", "gtid = false");
    }
    Stage::of(Universe::described("two-replicas", &text, schedule.seed).unwrap(), "staging", true)
}

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

/// What an operator does: agrees, looks, tries again, and after a while goes the safe way that is offered.
fn answers(patience: Patience) -> impl FnMut(&Prompt) -> Reply + Send + 'static {
    let (mut asked, mut all) = (BTreeMap::<String, u32>::new(), 0_u32);
    move |prompt| match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(view) => {
            let typed = match view.name.as_str() {
                "fence_proof" => "seen-off".to_owned(),
                "last_seen" => String::new(),
                _ => {
                    let value = view.choices.first().or(view.default.as_ref());
                    value.map_or_else(|| "switched off".to_owned(), ToString::to_string)
                }
            };
            Reply::Text(typed.into())
        }
        PromptKind::Choose(choices) => {
            let times = asked.entry(prompt.title.to_string()).or_default();
            (*times, all) = (*times + 1, all + 1);
            // Who looks at a host needs a moment; and what is wrong may be over by then.
            std::thread::sleep(Duration::from_millis(u64::from(times.saturating_sub(1)).min(5) * 100));
            let ways = match (*times <= patience.tries, all <= 5 * patience.tries) {
                (true, true) => "lrxkbs",
                (false, true) => "bxksa",
                (_, false) => "as",
            };
            let key = ways.chars().find(|key| choices.iter().any(|choice| choice.key == *key)).unwrap_or('s');
            Reply::Chosen(key, Some("a rehearsal".to_owned()))
        }
        PromptKind::Approve(_) => Reply::No,
    }
}

enum Task {
    Begin(Box<Plan>),
    Resume(String),
    TakeOver(String),
}

enum Over {
    /// It stands.
    Stands(Arc<RunView>, Vec<Prompt>),
    /// The console was killed.
    Died(Next, u64),
    /// Nobody can go on with it.
    Refused(String),
    /// The console does not end.
    Hangs(String),
}

fn launch(stage: &Stage, life: &Arc<Life>, folder: PathBuf, who: &str) -> Launch {
    let clock = Clock::start();
    Launch {
        env: stage.env.clone(),
        simulated: true,
        reach: Arc::new(Way { inner: stage.way(), life: life.clone() }),
        inventory: Some(stage.inventory.clone()),
        keys: SigningKeys::none(),
        folder,
        who: who.to_owned(),
        clock: Arc::new(move || clock.now()),
        armed: Arc::new(|| true),
    }
}

/// Begins, or goes on as soon as that is possible.
async fn go(launch: Launch, task: Task) -> Result<runner::RunHandle, String> {
    let began = Instant::now();
    let mut task = task;
    loop {
        let tried = match task {
            Task::Begin(plan) => {
                let begun = runner::start(launch, *plan, "a rehearsal".to_owned(), Mode::Live).await;
                return begun.map_err(|error| error.to_string());
            }
            Task::Resume(ref run) => runner::resume(launch.clone(), run, BTreeMap::new()).await,
            Task::TakeOver(ref run) => runner::take_over(launch.clone(), run, BTreeMap::new()).await,
        };
        match tried {
            Ok(handle) => return Ok(handle),
            // What is so for ever need not be waited for.
            Err(error @ (StartError::Replay(..) | StartError::Impossible(_) | StartError::Plan(_))) => {
                return Err(error.to_string());
            }
            Err(error) if began.elapsed() > Duration::from_secs(25) => return Err(error.to_string()),
            Err(_) => tokio::time::sleep(Duration::from_millis(150)).await,
        }
        task = match task {
            Task::Begin(plan) => Task::Begin(plan),
            other => other,
        };
    }
}

/// Lets a console work, in a runtime of its own that ends with it.
async fn console(
    stage: &Stage,
    life: &Arc<Life>,
    tasks: Vec<(Task, PathBuf, String)>,
    patience: Patience,
) -> Over {
    let machine = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let working = Arc::new(AtomicUsize::new(0));
    let mut works = tokio::task::JoinSet::new();
    for (task, folder, who) in tasks {
        let (launch, working) = (launch(stage, life, folder, &who), working.clone());
        let work = async move {
            match go(launch, task).await {
                Err(why) => Over::Refused(why),
                Ok(handle) => {
                    let others = working.fetch_add(1, Ordering::SeqCst);
                    let seen = handle.view.clone();
                    // Before the operator's own limit: a console that hangs says where.
                    let driven = operator::drive(handle, answers(patience));
                    let driven = tokio::time::timeout(Duration::from_secs(290), driven).await;
                    working.fetch_sub(1, Ordering::SeqCst);
                    let now = seen.borrow().clone();
                    match (others, driven) {
                        (0, Ok((view, prompts))) => Over::Stands(view, prompts),
                        (0, Err(_)) => {
                            let asked = now.prompt.as_ref().map(|prompt| prompt.title.to_string());
                            Over::Hangs(format!("{:?}, asks {asked:?}, does {:?}", now.state, now.doing))
                        }
                        _ => Over::Hangs("two consoles went on with it at once".to_owned()),
                    }
                }
            }
        };
        works.spawn_on(work, machine.handle());
    }
    let all = async {
        let mut refused = "nobody".to_owned();
        while let Some(over) = works.join_next().await {
            match over {
                Ok(Over::Refused(why)) => refused = why,
                Ok(over) => return over,
                Err(error) => return Over::Hangs(error.to_string()),
            }
        }
        Over::Refused(refused)
    };
    let over = tokio::select! {
        over = all => over,
        () = life.died.notified() => {
            let (next, long) = life.next.lock().unwrap().unwrap();
            Over::Died(next, long)
        }
    };
    machine.shutdown_background();
    over
}

/// A folder for a console's journals.
fn folder(home: &tempfile::TempDir, number: usize) -> PathBuf {
    let folder = home.path().join(format!("console{number}"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    folder
}

fn run_in(folder: &Path) -> Option<String> {
    let files = std::fs::read_dir(folder).unwrap().flatten().map(|file| file.path());
    let newest = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).max()?;
    Some(newest.file_stem()?.to_string_lossy().into_owned())
}

/// Takes the master away, its replicas at different places if the seed says so.
async fn kill_master(stage: &Stage, seed: u64) {
    let mut dice = Seed::new(seed ^ 0xdead);
    let first = dice.pick(&["db2", "db3", "none"]);
    if first != "none" {
        assert!(stage.world(|w| w.cut_databases(&host(OLD), &host(first), true)));
        tokio::time::sleep(Duration::from_millis(100 + dice.below(300))).await;
    }
    if dice.below(2) == 0 {
        for other in ["db2", "db3"] {
            assert!(stage.world(|w| w.cut_databases(&host(OLD), &host(other), true)));
        }
        tokio::time::sleep(Duration::from_millis(50 + dice.below(200))).await;
    }
    assert!(stage.world(|w| w.stop_server(OLD)).is_ok());
}

/// Plays a schedule on its own fleet.
pub(crate) async fn play(schedule: &Schedule) -> Result<Played, String> {
    play_on(Arc::new(stage(schedule)), schedule, Patience::LONG).await
}

/// Plays a schedule on a fleet; an error is what keeps its plan from running.
pub(crate) async fn play_on(
    stage: Arc<Stage>,
    schedule: &Schedule,
    patience: Patience,
) -> Result<Played, String> {
    let began = Instant::now();
    let mut clients = Clients::begin(stage.shared_world(), schedule.seed).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let failover = schedule.runbook == "failover-masterdb";
    if failover {
        kill_master(&stage, schedule.seed).await;
    }
    let mut inputs: BTreeMap<String, Zeroizing<String>> =
        BTreeMap::from([("old".to_owned(), OLD.to_owned().into())]);
    if !failover {
        inputs.insert("candidate".to_owned(), CANDIDATE.to_owned().into());
    }
    let runbook = stage.runbook(schedule.runbook);
    let made = planner::make(runbook, &stage.env, true, inputs, &BTreeMap::new(), &stage.way()).await;
    let (plan, shown) = made.map_err(|error| error.to_string())?;
    if !shown.problems.is_empty() {
        return Err(shown.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    let fate = Fate::new(stage.clone(), &schedule.faults);
    let (over, consoles) = consoles(&stage, &fate, Box::new(plan), patience).await;
    while fate.lasts() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Some time with nothing wrong any more.
    let over_at = clients.recorder.now();
    clients.after(over_at).await;
    clients.end().await;
    let dead = failover.then(|| OLD.to_owned());
    let (end, writable) = settle(&stage, &clients, dead);
    let ops = clients.recorder.ops();
    let left = history::refused_since(&ops, over_at);
    let verdict = history::check(&ops, &end);
    let score = stage.world(World::score);
    let (ended, story) = match &over {
        Over::Stands(view, prompts) => (told(&view.state), operator::story(view, prompts)),
        Over::Refused(why) => (format!("nobody could go on: {why}"), String::new()),
        Over::Hangs(why) => (format!("hangs: {why}"), String::new()),
        Over::Died(..) => ("killed".to_owned(), String::new()),
    };
    let chosen: Vec<&Prompt> = match &over {
        Over::Stands(_, prompts) => {
            prompts.iter().filter(|prompt| matches!(prompt.kind, PromptKind::Choose(_))).collect()
        }
        Over::Refused(_) | Over::Hangs(_) | Over::Died(..) => Vec::new(),
    };
    let asked = chosen.len();
    let why = chosen.first().map_or_else(String::new, |prompt| {
        format!("{}: {}", prompt.title, prompt.text.first().map(ToString::to_string).unwrap_or_default())
    });
    let struck = fate.struck();
    let took = began.elapsed();
    Ok(Played {
        schedule: schedule.clone(),
        ended,
        struck,
        ops,
        end,
        verdict,
        score,
        writable,
        story,
        left,
        asked,
        why,
        consoles,
        took,
    })
}

fn told(state: &RunState) -> String {
    match state {
        RunState::Finished => "finished".to_owned(),
        RunState::RolledBack => "rolled back".to_owned(),
        RunState::Abandoned(_) => "given up".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Console after console, until the run is over or nobody can go on.
async fn consoles(stage: &Stage, fate: &Arc<Fate>, plan: Box<Plan>, patience: Patience) -> (Over, usize) {
    let home = tempfile::tempdir().unwrap();
    let mut at = folder(&home, 0);
    let mut tasks = vec![(Task::Begin(plan), at.clone(), "operator0@desk0".to_owned())];
    for number in 1.. {
        let life = Life::new(fate, at.clone());
        let over = console(stage, &life, tasks, patience).await;
        let run = run_in(&at);
        let next = folder(&home, number);
        let who = format!("operator{number}@desk{number}");
        tasks = match (over, run) {
            (Over::Died(Next::Resume, long), Some(run)) => {
                tokio::time::sleep(Duration::from_millis(long)).await;
                vec![(Task::Resume(run), at.clone(), who)]
            }
            (Over::Died(Next::TakeOver, long), Some(run)) => {
                tokio::time::sleep(Duration::from_millis(long)).await;
                at = next;
                vec![(Task::TakeOver(run), at.clone(), who)]
            }
            (Over::Died(Next::Both, long), Some(run)) => {
                tokio::time::sleep(Duration::from_millis(long)).await;
                let own = (Task::Resume(run.clone()), at.clone(), who.clone());
                at = next;
                vec![own, (Task::TakeOver(run), at.clone(), format!("colleague{number}@desk{number}"))]
            }
            // A run that stands is gone on with when what stopped it is over.
            (Over::Stands(view, _), Some(run))
                if matches!(view.state, RunState::Stopped(_)) && number < patience.resumes =>
            {
                while fate.lasts() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                vec![(Task::Resume(run), at.clone(), who)]
            }
            (over, _) => return (over, number),
        };
    }
    unreachable!("it ends above")
}

/// Lets the servers come to rest, and reads what each holds.
fn settle(stage: &Stage, clients: &Clients, dead: Option<String>) -> (End, usize) {
    let mut end = End { dead: dead.clone(), ..End::default() };
    for _ in 0..40 {
        end = stage.world(|world| {
            world.advance(Duration::from_secs(10));
            read(world, clients, dead.clone())
        });
        // The last reading counts; it comes sooner when all are level.
        let others =
            end.servers.iter().filter(|(name, _)| **name != end.master && Some(*name) != dead.as_ref());
        if others.into_iter().all(|(_, held)| held.level) {
            break;
        }
    }
    let alive = end.servers.iter().filter(|(name, _)| Some(*name) != dead.as_ref());
    let writable = alive.filter(|(_, held)| held.writable).count();
    (end, writable)
}

fn read(world: &mut World, clients: &Clients, dead: Option<String>) -> End {
    let databases = world.databases();
    let servers: BTreeMap<String, _> = DATABASES
        .iter()
        .map(|name| ((*name).to_owned(), clients.held(databases.server(&host(name)).unwrap())))
        .collect();
    // The server that takes writes, the newer one of two; where there is none, the one that promised something last.
    let takes = servers.iter().filter(|(name, held)| held.writable && Some(*name) != dead.as_ref());
    let takes: Vec<&String> = takes.map(|(name, _)| name).collect();
    let newest = takes.iter().find(|name| **name != OLD).or(takes.first()).map(|name| (*name).clone());
    let master = newest.or_else(|| clients.last_promise()).unwrap_or_else(|| OLD.to_owned());
    let mut end = End { servers, master: master.clone(), dead };
    let databases = world.databases();
    let there = databases.server(&host(&master)).unwrap();
    let (address, position) = (there.address.clone(), there.log_end());
    for (name, held) in &mut end.servers {
        let server = databases.server(&host(name)).unwrap();
        held.level = databases.following(server).iter().any(|following| {
            let connection = following.connection;
            let well = connection.io_started && connection.sql_started && following.connected;
            let clean = connection.io_error.code == 0 && connection.sql_error.code == 0;
            connection.host == address && well && clean && !following.behind && following.executed == position
        });
    }
    end
}

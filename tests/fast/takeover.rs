//! Takeovers of a switchover, on the simulated fleet: each console dies with its machine, and the next operator
//! goes on from the jump box. It must end as if nobody had died: the same state, every statement once. `JUMPDECK_KILLS`: `every`, a
//! console dies at every entry, the ways take turns; `all`, in each of the three ways; else at those on which everything hangs.

use crate::support::{mortal, operator, rehearsal};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpdeck::collect::clock::Clock;
use jumpdeck::runbook::event::{Event, Phase};
use jumpdeck::runbook::journal::{self, Entry};
use jumpdeck::runbook::planner;
use jumpdeck::runbook::runner::{self, Launch, StartError};
use jumpdeck::runbook::signing_keys::SigningKeys;
use jumpdeck::transport::HostSessions;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Mode, Prompt, PromptKind, Reply, RunState, RunView};
use mortal::{Fate, Life, Mortal, TURNS, kills, name};
use rehearsal::Stage;
use zeroize::Zeroizing;

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

fn launch(stage: &Stage, reach: Arc<dyn HostSessions>, folder: PathBuf, who: &str) -> Launch {
    let clock = Clock::start();
    Launch {
        env: stage.env.clone(),
        simulated: true,
        reach,
        inventory: Some(stage.inventory.clone()),
        keys: SigningKeys::none(),
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
        () = life.ends() => None,
    };
    machine.shutdown_background();
    over
}

/// How a switchover went whose consoles died as fate had it.
struct Went {
    over: Over,
    entries: Vec<Entry>,
    takeovers: usize,
    /// Consoles that lost their lease, and stopped: this machine was busy.
    lost: usize,
}

async fn switchover(stage: &Arc<Stage>, fate: &Arc<Fate>) -> Went {
    let inputs: BTreeMap<String, Zeroizing<String>> =
        INPUTS.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
    let runbook = stage.runbook("promote-masterdb");
    let made = planner::make(runbook, &stage.env, true, inputs, &BTreeMap::new(), &stage.way()).await;
    let mut task = Task::Begin(Box::new(made.unwrap().0));
    let (mut takeovers, mut lost) = (0, 0);
    loop {
        // The machine of the operator before is gone, with its state folder.
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("runs");
        let life = Life::new(stage, fate);
        let reach = Arc::new(Mortal { inner: stage.way(), life: life.clone() });
        let with = launch(stage, reach, folder.clone(), &format!("operator{takeovers}@desk{takeovers}"));
        let over = console(with, life, task).await;
        let run = fate.run.lock().unwrap().clone().unwrap();
        match over {
            Some((view, _)) if matches!(&view.state, RunState::Stopped(why) if lost_lease(why.as_str())) => {
                println!("stopped: {:?}", view.state);
                lost += 1;
                assert!(lost < 20, "no console keeps its lease");
            }
            Some(over) => {
                let entries = journal::read(&folder.join(format!("{run}.jsonl"))).unwrap();
                return Went { over, entries, takeovers, lost };
            }
            None => {}
        }
        task = Task::TakeOver(run);
        takeovers += 1;
    }
}

fn lost_lease(why: &str) -> bool {
    why.contains("the lease on the jump box is lost")
}

/// Done when 4: the operator's machine is gone, and a colleague takes over, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn taken_over_a_switchover_ends_in_the_same_state_with_each_statement_once() {
    let began = Instant::now();
    let untouched = Arc::new(Stage::new("wpd-2015", "staging", false));
    let spared = Arc::new(Fate { spares: true, ..Fate::default() });
    let reach = Arc::new(Mortal { inner: untouched.way(), life: Life::new(&untouched, &spared) });
    let told = untouched.run_over(reach, "promote-masterdb", &INPUTS, agrees).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    let wanted = end(&untouched).await;
    println!("untouched: {} entries, {:?}\n{wanted:#?}", told.entries.len(), began.elapsed());

    let stage = Arc::new(Stage::new("wpd-2015", "staging", false));
    let fate = Arc::new(Fate::default());
    let Went { over: (view, prompts), entries, takeovers, lost } = switchover(&stage, &fate).await;
    let count = entries.len();
    println!(
        "{takeovers} takeovers, {lost} of them after a lost lease, {count} entries, {:?}",
        began.elapsed()
    );
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
    let died = fate.died.lock().unwrap().clone();
    assert_eq!(takeovers, died.len() + lost);
    let died_at = |name: &str| died.iter().any(|(at, _)| at == name);
    let every = entries.iter().filter_map(name).filter(|_| kills() == "every");
    for name in every.chain(TURNS.map(str::to_owned)) {
        assert!(died_at(&name), "nobody died at {name}: {died:?}");
    }
    let runbook = stage.runbook("promote-masterdb");
    rehearsal::Told { plan: told.plan, view, prompts, entries, seen: 0, apart: Vec::new() }
        .nothing_repeated(&runbook);
    // Whoever promotes a second time could promote behind applications that have moved on.
    let sent = fate.statements();
    println!("{sent:#?}");
    let of = |host: &str, beginning: &str| -> usize {
        let of = sent.iter().filter(|((on, statement), _)| on == host && statement.starts_with(beginning));
        of.map(|(_, count)| count).sum()
    };
    assert_eq!(of("db2", "SET GLOBAL read_only = IF"), 1, "{sent:#?}");
    // A window that a death ended is undone and begun again: what stops the candidate's replication is sent again then, and
    // `nothing_repeated` has seen that it was undone in between.
    let of_window = ("db2".to_owned(), "STOP ALL SLAVES;".to_owned());
    let others = |mut sent: BTreeMap<(String, String), usize>| {
        assert!(sent.remove(&of_window) >= Some(1), "{sent:#?}");
        sent
    };
    assert_eq!(others(sent), others(spared.statements()));
}

//! The lease over slow links, on simulated jump boxes: what is copied there or read from there must not hold up its beats.

use crate::support::{operator, rehearsal, slow_link};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::reach::over_ssh;
use jumpdeck::collect::clock::Clock;
use jumpdeck::runbook::event::Event;
use jumpdeck::runbook::journal::{self, Entry, Journal};
use jumpdeck::runbook::lease::{Copy, Holder, Lease, LeasePlaces, LeaseState, WatcherSees, copy_in, watch};
use jumpdeck::runbook::planner;
use jumpdeck::runbook::runner::{self, Launch, RunHandle};
use jumpdeck::runbook::signing_keys::SigningKeys;
use jumpdeck::transport::SessionPool;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::{HostSessions, Session};
use jumpdeck_fleet::run::{Mode, Prompt, PromptKind, Reply, RunCommand, RunState, RunView};
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;
use rehearsal::Stage;
use slow_link::SlowLink;

/// A jump box behind a slow link.
struct Far {
    link: SlowLink,
    _reach: SessionPool,
    session: Arc<dyn Session>,
    _universe: Universe,
}

impl Far {
    async fn new(rate: u32) -> Self {
        let universe = Universe::load("wpd-2015", 7).unwrap();
        let fleet = SimFleet::start(&universe);
        let env = universe.fleet(|name| fleet.access(name)).environments[0].clone();
        let link = SlowLink::new(fleet, rate);
        let reach = over_ssh(env, Arc::new(link.clone()), Arc::new(RefuseAll));
        let session = reach.host(reach.jump()).await.unwrap();
        Self { link, _reach: reach, session, _universe: universe }
    }

    async fn take(&self) -> Lease {
        let holder = Holder::new("anna@desk", "first", "promote-masterdb");
        Lease::take(self.session.as_ref(), &["production.x".to_owned()], &holder).await.unwrap()
    }

    async fn copied(&self) -> Copy {
        copy_in(&LeasePlaces::default(), self.session.as_ref(), "first").await.unwrap()
    }
}

/// So many entries with so many bytes of text each, characters of several bytes among them.
fn entries(count: usize, bytes: usize) -> Vec<Entry> {
    // In memory, where there is such a folder: each entry is flushed.
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    };
    let mut journal = Journal::create(&folder.path().join("runs"), "first").unwrap();
    let text = "\\ 'ü\" ".repeat(bytes / 7);
    let note = |_| journal.append(&Event::Note { who: "anna".to_owned(), text: text.clone() }).unwrap();
    (0..count).map(note).collect()
}

fn size(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.line.len() + 1).sum()
}

/// Says entries over a link, and reads them there, all the time having the lease.
async fn copied_and_read(count: usize, bytes: usize, rate: u32) {
    let all = entries(count, bytes);
    let far = Far::new(rate).await;
    let lease = far.take().await;
    let from = Instant::now();
    lease.say_all(&all);
    lease.store().await.unwrap();
    println!("{} bytes were copied in {:?}", size(&all), from.elapsed());
    assert_eq!(far.copied().await, Copy::Entries(all), "{:?}", lease.lost());
    println!("they were read after {:?}", from.elapsed());
    assert_eq!(lease.lost(), None);
    lease.prove().await.unwrap();
    lease.release().await;
}

/// Issue 10, "Done when" 4: a journal of 1 MB over 40 kB/s, which takes 25 s each way.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_journal_is_copied_and_read_over_a_slow_link_and_the_lease_stays() {
    copied_and_read(1180, 800, 40_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_entry_of_500_kb_is_copied_and_read_over_a_slow_link_and_the_lease_stays() {
    copied_and_read(1, 500_000, 60_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_small_entries_are_copied_and_read_over_a_slow_link_and_the_lease_stays() {
    copied_and_read(10_000, 7, 200_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_very_slow_link_the_lease_stays() {
    copied_and_read(100, 800, 20_000).await;
}

/// The link stops twice, and becomes slow at once in between. Two seconds are borne where the machine is not busy.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_stalls_for_a_moment_or_becomes_slow_at_once_costs_no_lease() {
    let all = entries(1180, 800);
    let far = Far::new(1_000_000).await;
    let lease = far.take().await;
    lease.say_all(&all);
    let stored = lease.store();
    let troubles = async {
        for rate in [40_000, 200_000] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            far.link.set_rate(rate);
            tokio::time::sleep(Duration::from_millis(2700)).await;
            far.link.stall(true);
            tokio::time::sleep(Duration::from_millis(1500)).await;
            far.link.stall(false);
        }
    };
    let (stored, ()) = tokio::join!(stored, troubles);
    assert_eq!(stored, Ok(()));
    assert_eq!(far.copied().await, Copy::Entries(all));
    assert_eq!(lease.lost(), None);
}

/// Who watches a run sees its large journal over a slow link, piece by piece, and its own lease stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_journal_is_watched_over_a_slow_link() {
    let all = entries(600, 800);
    let far = Far::new(1_000_000).await;
    let lease = far.take().await;
    lease.say_all(&all);
    lease.store().await.unwrap();
    far.link.set_rate(40_000);
    let mut watching = watch(far.session.clone(), "first").unwrap();
    let mut seen = Vec::new();
    while seen.len() < all.len() {
        for new in watching.poll().await.unwrap().unwrap() {
            if let WatcherSees::Entry(entry) = new {
                seen.push(*entry);
            }
        }
    }
    assert_eq!(seen, all);
    assert_eq!(lease.lost(), None);
}

/// A link that stalls for ever: the lease is lost, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_stalls_for_ever_loses_the_lease_and_says_why() {
    let all = entries(1180, 800);
    let far = Far::new(40_000).await;
    let lease = far.take().await;
    lease.say_all(&all);
    let mut state = lease.state();
    let stall = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        far.link.stall(true);
        Instant::now()
    };
    let (stored, stalled) = tokio::join!(lease.store(), stall);
    let why = stored.unwrap_err();
    assert!(why.as_str().contains("the jump box did not answer for 3 s"), "{why}");
    assert!(stalled.elapsed() < Duration::from_secs(10), "{:?}", stalled.elapsed());
    state.wait_for(|state| matches!(state, LeaseState::Lost(_))).await.unwrap();
    assert_eq!(lease.prove().await, Err(why));
}

// ---- Whole runs ------------------------------------------------------------------------------------------------------------

const RUNBOOK: &str = r#"
name = "slow"
title = "Mark a host"
summary = "Writes one file"
danger = "data"
[[input]]
name = "old"
label = "Which host?"
kind = "host"
[[step]]
id = "go"
kind = "confirm"
title = "Write the mark?"
covers = ["mark"]
[[step]]
id = "mark"
kind = "run"
title = "Write the mark"
on = "old"
pre = [{ says = "there is no mark", run = "ls /srv/slow-mark || echo none", expect = [{ is = "none" }] }]
run = "echo done >> /srv/slow-mark"
effect = "mutate"
read_back = [{ says = "the mark is there", run = "cat /srv/slow-mark", expect = [{ is = "done" }] }]
undo = { run = "rm /srv/slow-mark", read_back = [{ says = "there is no mark", run = "ls /srv/slow-mark || echo none", expect = [{ is = "none" }] }] }
"#;

fn launch(stage: &Stage, reach: Arc<dyn HostSessions>, folder: &Path) -> Launch {
    let clock = Clock::start();
    Launch {
        env: stage.env.clone(),
        simulated: true,
        reach,
        inventory: Some(stage.inventory.clone()),
        keys: SigningKeys::none(),
        folder: folder.to_owned(),
        who: "anna@desk".to_owned(),
        clock: Arc::new(move || clock.now()),
        armed: Arc::new(|| true),
    }
}

fn slow(stage: &Stage, rate: u32) -> (SlowLink, Arc<dyn HostSessions>) {
    let link = SlowLink::new(stage.servers.clone(), rate);
    let reach = over_ssh(stage.env.clone(), Arc::new(link.clone()), Arc::new(RefuseAll));
    (link, Arc::new(reach))
}

async fn begin(stage: &Stage, reach: Arc<dyn HostSessions>, folder: &Path) -> RunHandle {
    let inputs = BTreeMap::from([("old".to_owned(), "db2".to_owned().into())]);
    let runbook = stage.runbook("slow");
    let made = planner::make(runbook, &stage.env, true, inputs, &BTreeMap::new(), reach.as_ref()).await;
    let launch = launch(stage, reach, folder);
    runner::start(launch, made.unwrap().0, "a test".to_owned(), Mode::Live).await.unwrap()
}

/// Stops a run at its question.
async fn stop(mut handle: RunHandle) {
    handle.view.wait_for(|view| view.prompt.is_some()).await.unwrap();
    handle.commands.send(RunCommand::Stop).await.unwrap();
    handle.view.wait_for(|view| matches!(view.state, RunState::Stopped(_))).await.unwrap();
}

fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(_) | PromptKind::Approve(_) => Reply::No,
    }
}

/// A run that stopped at its question, with a journal of 1 MB here and on the jump box.
async fn stopped_run(stage: &Stage, folder: &Path) -> String {
    let handle = begin(stage, Arc::new(stage.way()), folder).await;
    let run = handle.id.clone();
    stop(handle).await;
    let (mut journal, _) = Journal::reopen(folder, &run).unwrap();
    for _ in 0..1180 {
        journal.append(&Event::Note { who: "anna".to_owned(), text: "x".repeat(700) }).unwrap();
    }
    drop(journal);
    let again = launch(stage, Arc::new(stage.way()), folder);
    stop(runner::resume(again, &run, BTreeMap::new()).await.unwrap()).await;
    run
}

fn stage() -> (Stage, tempfile::TempDir) {
    let mut stage = Stage::new("wpd-2015", "production", false);
    stage.add("slow", RUNBOOK);
    (stage, tempfile::tempdir().unwrap())
}

fn runs(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    let folder = folder.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    folder
}

async fn ends_well(stage: &Stage, handle: RunHandle, folder: &Path) {
    let path = folder.join(format!("{}.jsonl", handle.id));
    let (view, prompts) = operator::drive(handle, agrees).await;
    assert_eq!(view.state, RunState::Finished, "{}", operator::story(&view, &prompts));
    assert_eq!(stage.shell("db2", "cat /srv/slow-mark").await, "done");
    let trouble = |entry: &Entry| matches!(&entry.event, Event::Trouble { .. });
    assert!(!journal::read(&path).unwrap().iter().any(trouble));
}

/// Issue 10, "Done when" 4: the whole of a large run is read from the jump box and copied there again.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_a_large_journal_is_taken_over_over_a_slow_link_and_ends() {
    let (stage, folder) = stage();
    let run = stopped_run(&stage, &runs(&folder, "anna")).await;
    let ours = runs(&folder, "bob");
    let (_link, reach) = slow(&stage, 60_000);
    let handle = runner::take_over(launch(&stage, reach, &ours), &run, BTreeMap::new()).await.unwrap();
    ends_well(&stage, handle, &ours).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_a_large_journal_is_resumed_over_a_slow_link_and_ends() {
    let (stage, folder) = stage();
    let ours = runs(&folder, "anna");
    let run = stopped_run(&stage, &ours).await;
    let (_link, reach) = slow(&stage, 60_000);
    let handle = runner::resume(launch(&stage, reach, &ours), &run, BTreeMap::new()).await.unwrap();
    ends_well(&stage, handle, &ours).await;
}

/// The first entry has the runbook in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_large_runbook_begins_and_ends_over_a_slow_link() {
    let (mut stage, folder) = stage();
    stage.add("slow", &format!("{RUNBOOK}{}", "# what nobody reads\n".repeat(15_000)));
    let ours = runs(&folder, "anna");
    let (_link, reach) = slow(&stage, 60_000);
    let handle = begin(&stage, reach, &ours).await;
    ends_well(&stage, handle, &ours).await;
}

/// The link stalls for ever while the entries are copied: the run stops, and what waited on the link changes nothing later.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_link_stalls_for_ever_while_it_is_taken_over_stops_and_changes_nothing() {
    let (stage, folder) = stage();
    let run = stopped_run(&stage, &runs(&folder, "anna")).await;
    let ours = runs(&folder, "bob");
    let (link, reach) = slow(&stage, 400_000);
    let mut handle = runner::take_over(launch(&stage, reach, &ours), &run, BTreeMap::new()).await.unwrap();
    link.set_rate(40_000);
    let view: Arc<RunView> = handle.view.wait_for(|view| view.prompt.is_some()).await.unwrap().clone();
    let reply = agrees(view.prompt.as_ref().unwrap());
    let answer = RunCommand::Answer { prompt: view.prompt.as_ref().unwrap().number, reply };
    handle.commands.send(answer).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    link.stall(true);
    let stopped = handle.view.wait_for(|view| matches!(view.state, RunState::Stopped(_)));
    let stopped = tokio::time::timeout(Duration::from_secs(60), stopped).await.unwrap().unwrap().clone();
    let RunState::Stopped(why) = &stopped.state else { panic!("{:?}", stopped.state) };
    assert!(why.as_str().contains("the lease on the jump box is lost"), "{why}");
    // What waits on the link arrives.
    link.set_rate(1_000_000);
    link.stall(false);
    link.has_carried_all().await;
    assert_eq!(stage.shell("db2", "ls /srv/slow-mark || echo none").await, "none");
}

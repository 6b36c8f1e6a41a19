//! What a step costs beside what it is about: a run of 200 reads and 50 changes on one host, journal on a disk, lease on
//! the jump box.
//!
//! `cargo bench --bench steps [FOLDER]`: journals are written in FOLDER, `/var/tmp` when none is named; name a disk. The
//! fleet is the simulated one over its SSH servers; the way there takes 0 ms, then 40 ms there and back. A step's time
//! is that from the journal's outcome of the step before to its own, both flushed: everything is in it. A read is one
//! command, a change two (itself and its proof); a bare command on the same connection is timed beside them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jumpdeck::collect::clock::Clock;
use jumpdeck::runbook::definition::Runbook;
use jumpdeck::runbook::event::{Event, Phase};
use jumpdeck::runbook::evidence::Signing;
use jumpdeck::runbook::ids::RunId;
use jumpdeck::runbook::journal::{Entry, Journal};
use jumpdeck::runbook::lease::{Holder, Lease};
use jumpdeck::runbook::machine::Machine;
use jumpdeck::runbook::planner;
use jumpdeck::runbook::redact::Redactor;
use jumpdeck::runbook::runner::{self, Needs, Record, Recorder, RunHandle};
use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::HostSessions;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::{BoxStream, Dial};
use jumpdeck::transport::{Lane, SessionPool};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{PromptKind, Reply, RunCommand, RunState};
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

const READS: usize = 200;
const CHANGES: usize = 50;
const BARE: usize = 50;

/// The same way, longer: every byte arrives so much later.
struct Far(SimFleet, Duration);

impl Dial for Far {
    fn dial<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let stream = self.0.dial(address, port).await?;
            if self.1.is_zero() {
                return Ok(stream);
            }
            let (ours, theirs) = duplex(1 << 20);
            let (from, to) = split(stream);
            let (back_from, back_to) = split(theirs);
            late(back_from, to, self.1);
            late(from, back_to, self.1);
            Ok(Box::new(ours) as BoxStream)
        })
    }
}

/// Hands bytes on, each so much after it came.
fn late(
    mut from: impl AsyncReadExt + Unpin + Send + 'static,
    mut to: impl AsyncWriteExt + Unpin + Send + 'static,
    by: Duration,
) {
    let (sender, mut under_way) = mpsc::unbounded_channel::<(tokio::time::Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer).await {
            if sender.send((tokio::time::Instant::now() + by, buffer[..n].to_vec())).is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some((at, bytes)) = under_way.recv().await {
            sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // An end comes late as well, and an error of it is one of the connection.
        let _ = to.shutdown().await;
    });
}

/// The journal, and when each outcome was on the disk.
struct Timed {
    journal: Journal,
    ends: Arc<Mutex<Vec<(String, Instant)>>>,
}

impl Record for Timed {
    fn append(&mut self, event: &Event) -> Result<Entry, String> {
        let entry = self.journal.append(event).map_err(|error| error.to_string())?;
        if let Event::Outcome { step, phase: Phase::Run, .. } = event {
            self.ends.lock().unwrap().push((step.to_string(), Instant::now()));
        }
        Ok(entry)
    }
}

fn runbook() -> Runbook {
    let mut text = "name = \"bench\"\ntitle = \"Steps\"\nsummary = \"To time them.\"\ndanger = \"changes\"\n\
                    [[target]]\nname = \"one\"\nhost = \"app1\"\n"
        .to_owned();
    for i in 0..READS {
        let check =
            "kind = \"check\"\ntitle = \"Read\"\non = \"one\"\nrun = \"echo 1\"\nexpect = [{ is = \"1\" }]";
        writeln!(text, "[[step]]\nid = \"read-{i}\"\n{check}").unwrap();
    }
    let ids: Vec<String> = (0..CHANGES).map(|i| format!("\"change-{i}\"")).collect();
    let covers = ids.join(", ");
    writeln!(text, "[[step]]\nid = \"sure\"\nkind = \"confirm\"\ntitle = \"Sure?\"\ncovers = [{covers}]")
        .unwrap();
    for i in 0..CHANGES {
        let change = "kind = \"run\"\ntitle = \"Change\"\non = \"one\"\neffect = \"mutate\"\n\
                      undo = { not_needed = \"a bench\" }";
        writeln!(
            text,
            "[[step]]\nid = \"change-{i}\"\n{change}\nrun = \"echo {i} > /tmp/bench\"\n\
             read_back = [{{ says = \"it is there\", run = \"cat /tmp/bench\", expect = [{{ is = \"{i}\" }}] }}]"
        )
        .unwrap();
    }
    Runbook::read("bench.toml", &text, &|_| None)
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(|e| e.render(false)).collect::<String>()))
}

/// Says yes until the run has ended.
async fn agree(mut handle: RunHandle) -> RunState {
    let mut answered = 0;
    loop {
        let view = handle.view.borrow_and_update().clone();
        if !view.state.is_under_way() {
            return view.state.clone();
        }
        if let Some(prompt) = view.prompt.as_ref().filter(|prompt| prompt.number != answered) {
            answered = prompt.number;
            let reply = match &prompt.kind {
                PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
                _ => Reply::Yes,
            };
            handle.commands.send(RunCommand::Answer { prompt: answered, reply }).await.unwrap();
        }
        handle.view.changed().await.unwrap();
    }
}

/// How long the steps of a kind took, in milliseconds, in order of time.
fn times(ends: &[(String, Instant)], kind: &str) -> Vec<f64> {
    let mut times: Vec<f64> = ends
        .windows(2)
        .filter(|pair| pair.iter().all(|(id, _)| id.starts_with(kind)))
        .map(|pair| pair[1].1.duration_since(pair[0].1).as_secs_f64() * 1000.0)
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn tell(what: &str, times: &[f64], rtt: f64, trips: f64) {
    let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
    let (median, late) = (at(0.5), at(0.95));
    println!(
        "{what:24} median {median:7.2} ms, p95 {late:7.2} ms; without {trips} round trips {:6.2}, {:6.2} ms",
        median - trips * rtt,
        late - trips * rtt
    );
}

async fn measure(folder: &Path, rtt: Duration) {
    let universe = Universe::load("wpd-2015", 7).unwrap();
    let servers = SimFleet::start(&universe);
    let fleet = universe.fleet(|env| servers.access(env));
    let env = fleet.environments[0].clone();
    let far = Arc::new(Far(servers, rtt / 2));
    let reach: Arc<dyn HostSessions> = Arc::new(SessionPool::new(
        Arc::new(SshConnector::new(far, Arc::new(RefuseAll))),
        env.clone(),
        Lane::Run,
    ));
    let (plan, _) =
        planner::make(Arc::new(runbook()), &env, true, BTreeMap::new(), &BTreeMap::new(), reach.as_ref())
            .await
            .unwrap();
    let host = reach.host(&HostName::new("app1").unwrap()).await.unwrap();
    let mut bare = Vec::new();
    for _ in 0..BARE {
        let began = Instant::now();
        let script = b"{\necho 1\n} </dev/null\n";
        host.exec("exec /bin/sh", script, Duration::from_secs(9).into(), &mut |_| ()).await.unwrap();
        bare.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    bare.sort_by(f64::total_cmp);

    let journal = Journal::create(&folder.join("runs"), "bench").unwrap();
    let ends = Arc::new(Mutex::new(Vec::new()));
    let jump = reach.host(reach.jump()).await.unwrap();
    let holder = Holder::new("bench@here", "bench", "bench");
    let lease = Lease::take(jump.as_ref(), &["bench".to_owned()], &holder).await.unwrap();
    let clock = Clock::start();
    let needs = Needs {
        env: env.clone(),
        simulated: true,
        reach,
        inventory: None,
        record: Recorder::new(Timed { journal, ends: ends.clone() }),
        lease: Some(Box::new(lease)),
        who: "bench@here".to_owned(),
        clock: Arc::new(move || clock.now()),
        armed: Arc::new(|| true),
        redactor: Redactor::default(),
        signing: Signing::none("a benchmark"),
        entries: Vec::new(),
        follow: None,
    };
    let machine = Machine::new(
        Arc::new(plan),
        &RunId::new("bench").unwrap(),
        "bench@here",
        "to time it",
        "20261121",
        false,
    );
    let state = agree(runner::launch(machine, needs)).await;
    assert_eq!(state, RunState::Finished);
    let ends = ends.lock().unwrap().clone();
    let rtt = rtt.as_secs_f64() * 1000.0;
    println!("\n{rtt} ms there and back");
    tell("a bare command", &bare, rtt, 1.0);
    tell("a read", &times(&ends, "read-"), rtt, 1.0);
    tell("a change and its proof", &times(&ends, "change-"), rtt, 2.0);
}

/// What an entry of the journal costs alone.
fn disk(folder: &Path) {
    let mut journal = Journal::create(&folder.join("alone"), "bench").unwrap();
    let event = Event::Note { who: "bench@here".to_owned(), text: "x".repeat(300) };
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let began = Instant::now();
            journal.append(&event).unwrap();
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    tell("an entry of the journal", &times, 0.0, 0.0);
}

fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let top = named.unwrap_or_else(|| "/var/tmp".to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("journals in {top}");
    disk(tempfile::tempdir_in(&top).unwrap().path());
    for rtt in [0, 40] {
        let folder = tempfile::tempdir_in(&top).unwrap();
        runtime.block_on(measure(folder.path(), Duration::from_millis(rtt)));
    }
    runtime.shutdown_background();
}

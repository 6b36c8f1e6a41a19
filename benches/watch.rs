//! What a look at a run that somebody else has under way costs, by the length of its journal: the entries read anew, from the
//! first, and the run as it was kept since the look before, with one new entry.
//!
//! `cargo bench --bench watch`. No network and no disk: entries in memory, one look each time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use jumpdeck::runbook::definition::Runbook;
use jumpdeck::runbook::event::{Event, HostOutcome, Outcomes, Phase, ProvedFact, SCHEMA, Verdict};
use jumpdeck::runbook::ids::{RunId, StepId};
use jumpdeck::runbook::journal::Entry;
use jumpdeck::runbook::place::Place;
use jumpdeck::runbook::plan::{Frozen, FrozenHost};
use jumpdeck::runbook::watched::{self, Watch};
use jumpdeck_fleet::time::Moment;

/// So often each figure is taken; the median counts.
const ROUNDS: usize = 25;

fn runbook(steps: usize) -> Arc<Runbook> {
    let mut text = "name = \"bench\"\ntitle = \"Steps\"\nsummary = \"To time them.\"\ndanger = \"reads\"\n\
                    [[target]]\nname = \"one\"\nhost = \"app1\"\n"
        .to_owned();
    for i in 0..steps {
        let check =
            "kind = \"check\"\ntitle = \"Read\"\non = \"one\"\nrun = \"echo 1\"\nexpect = [{ is = \"1\" }]";
        writeln!(text, "[[step]]\nid = \"read-{i}\"\n{check}").unwrap();
    }
    let read = Runbook::read("bench.toml", &text, &|_| None);
    Arc::new(
        read.unwrap_or_else(|errors| {
            panic!("{}", errors.iter().map(|e| e.render(false)).collect::<String>())
        }),
    )
}

/// A plan, and an intent and an outcome a step, with a page of output each.
fn entries(steps: usize) -> Vec<Entry> {
    let runbook = runbook(steps);
    let host = FrozenHost {
        name: "app1".to_owned(),
        address: "10.0.0.1".to_owned(),
        roles: Vec::new(),
        port: 22,
        database_files: String::new(),
        machine_id: None,
    };
    let plan = Frozen {
        runbook: "bench".to_owned(),
        sources: runbook.sources.clone(),
        hash: runbook.hash.clone(),
        environment: "bench".to_owned(),
        level: "test".to_owned(),
        domain: String::new(),
        jump: "jump".to_owned(),
        managed_by: Default::default(),
        inputs: BTreeMap::new(),
        targets: [("one".to_owned(), vec![host])].into(),
    };
    let mut events = vec![Event::Started {
        schema: SCHEMA,
        run: RunId::new("bench").unwrap(),
        who: "bench@here".to_owned(),
        why: "to time it".to_owned(),
        dry_run: false,
        simulated: true,
        plan: Box::new(plan),
        accounts: BTreeMap::new(),
    }];
    let place = Place::new("app1").unwrap();
    let fact =
        ProvedFact { says: "it is there".to_owned(), host: place.clone(), seen: "1".to_owned(), holds: true };
    for i in 0..steps {
        let step = StepId::new(&format!("read-{i}")).unwrap();
        events.push(Event::Intent {
            step: step.clone(),
            phase: Phase::Run,
            attempt: 1,
            commands: [(place.clone(), "echo 1".to_owned())].into(),
            facts: vec![fact.clone()],
        });
        let output = "a line of output, as a host prints it\n".repeat(20);
        let outcome = HostOutcome { output, proof: vec![fact.clone()], ..HostOutcome::of(Verdict::Done) };
        let hosts = Outcomes::one(place.clone(), outcome);
        events.push(Event::Outcome {
            step,
            phase: Phase::Run,
            attempt: 1,
            hosts,
            withheld: Vec::new(),
            took_ms: 9,
        });
    }
    let entry = |(seq, event)| Entry {
        seq: seq as u64 + 1,
        at: Timestamp::now(),
        prev: String::new(),
        event,
        seal: Default::default(),
        hash: String::new(),
        line: String::new(),
    };
    events.into_iter().enumerate().map(entry).collect()
}

/// In milliseconds.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    for steps in [50, 250, 1000] {
        let entries = entries(steps);
        let now = (Moment(0), Timestamp::now());
        let (mut anew, mut kept) = (Vec::new(), Vec::new());
        let (newest, before) = entries.split_last().unwrap();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            black_box(watched::view(&entries, now).unwrap());
            anew.push(began.elapsed().as_secs_f64() * 1000.0);

            let mut watch = Watch::of(before, now).unwrap();
            black_box(watch.look(now, None));
            let newest = newest.clone();
            let began = Instant::now();
            watch.take(newest, now).unwrap();
            black_box(watch.look(now, None));
            kept.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        println!(
            "{:5} entries: anew {:8.3} ms, kept {:7.3} ms a look",
            entries.len(),
            median(anew),
            median(kept)
        );
    }
}

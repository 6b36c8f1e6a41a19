//! What a frame costs with a thousand hosts: news, judgement and drawing, on 200 × 50 cells.
//!
//! `cargo bench --bench screen`. The hosts' figures are those of a simulated fleet of 25, asked once over its SSH
//! servers and handed to a thousand hosts in turn; every report in the bench moves the load.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use jumpdeck::app::message::Msg;
use jumpdeck::app::model::{Model, Room};
use jumpdeck::app::update::update;
use jumpdeck::collect::Collector;
use jumpdeck::collect::clock::Clock;
use jumpdeck::config::keymap::{KeyCode, KeyPress, Keymap};
use jumpdeck::config::theme::builtin;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::view::{ColorSupport, Styles, ViewState, draw, fleet_columns};
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fact::Fact;
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::snapshot::{HostSnapshot, JumpSnapshot, Link};
use jumpdeck_fleet::time::Moment;
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::mpsc;

const HOSTS: usize = 1000;
const SAMPLES: usize = 25;
const SEED: u64 = 2015;

/// One report of each of a small simulated fleet's hosts.
fn reports() -> Vec<Arc<HostSnapshot>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let reports = runtime.block_on(async {
        let universe = Universe::generated(SAMPLES, SEED).unwrap();
        let servers = SimFleet::start(&universe);
        let fleet = Arc::new(universe.fleet(|env| servers.access(env)));
        let (sender, mut events) = mpsc::channel(1024);
        let reach = Arc::new(SshConnector::new(Arc::new(servers), Arc::new(RefuseAll)));
        let collector = Collector::new(fleet.clone(), reach, Clock::start(), sender);
        collector.activate(&fleet.environments[0].name);
        let mut reports: Vec<Arc<HostSnapshot>> = Vec::new();
        while reports.len() < fleet.environments[0].hosts.len() {
            if let FleetEvent::Host(host) = events.recv().await.unwrap()
                && host.reported_at.is_some()
                && reports.iter().all(|r| r.id != host.id)
            {
                reports.push(host);
            }
        }
        reports
    });
    runtime.shutdown_background();
    reports
}

/// A console with a thousand hosts that answer.
struct Bench {
    model: Model,
    terminal: Terminal<TestBackend>,
    styles: Styles,
    state: ViewState,
    next: usize,
}

impl Bench {
    fn new(samples: &[Arc<HostSnapshot>]) -> Self {
        let universe = Universe::generated(HOSTS, SEED).unwrap();
        Self::of(universe.fleet(|_| Arc::new(no_access())), samples)
    }

    /// A thousand hosts in each of three environments.
    fn of_three_environments(samples: &[Arc<HostSnapshot>]) -> Self {
        let universe = Universe::generated(HOSTS, SEED).unwrap();
        let mut fleet = universe.fleet(|_| Arc::new(no_access()));
        let first = fleet.environments[0].clone();
        fleet.environments = ["production", "staging", "secondary"]
            .map(|name| {
                let name = EnvName::new(name).unwrap();
                let mut env = Environment::clone(&first);
                for host in &mut env.hosts {
                    Arc::make_mut(host).id.env = name.clone();
                }
                Arc::new(Environment { name, ..env })
            })
            .into();
        Self::of(fleet, samples)
    }

    fn of(fleet: Fleet, samples: &[Arc<HostSnapshot>]) -> Self {
        let keymap = Arc::new(Keymap::builtin_default());
        let mut model = Model::new(
            Arc::new(fleet),
            keymap,
            vec!["dark".into()],
            fleet_columns(),
            Moment(10_000),
            (200, 50),
        );
        let mut jump = JumpSnapshot::pending(&model.environments[0].spec, model.now);
        jump.link = Link::up(model.now);
        update(&mut model, Msg::Fleet(FleetEvent::Jump(Arc::new(jump))));
        let hosts = model.environments[0].hosts.clone();
        for (host, sample) in hosts.iter().zip(samples.iter().cycle()) {
            let report =
                HostSnapshot { id: host.id.clone(), link: Link::up(model.now), ..(**sample).clone() };
            let report = HostSnapshot { reported_at: Some(model.now), ..report };
            update(&mut model, Msg::Fleet(FleetEvent::Host(Arc::new(report))));
        }
        let styles = Styles::new(&builtin()[0], ColorSupport::TrueColor);
        let terminal = Terminal::new(TestBackend::new(200, 50)).unwrap();
        let mut bench = Self { model, terminal, styles, state: ViewState::default(), next: 0 };
        // Rings as full as after an hour.
        for _ in 0..720 {
            bench.pass(Duration::from_secs(5));
            for report in bench.wave(HOSTS) {
                update(&mut bench.model, report);
            }
        }
        bench.frame();
        bench
    }

    fn pass(&mut self, by: Duration) {
        let now = self.model.now.plus(by);
        update(&mut self.model, Msg::Tick(now));
    }

    /// News of the next so many hosts, in turn: asked just now, with another load.
    fn wave(&mut self, count: usize) -> Vec<Msg> {
        let hosts = &self.model.environments[0].hosts;
        let now = self.model.now;
        let report = |at: usize| {
            let mut host = (*hosts[at % hosts.len()]).clone();
            host.generation += 1;
            host.reported_at = Some(now);
            if let Some(mut load) = host.facts.load.last().cloned() {
                load.one = ((load.one * 100.0 + 7.0) % 900.0) / 100.0;
                host.facts.load = Fact::new(load, now);
            }
            Msg::Fleet(FleetEvent::Host(Arc::new(host)))
        };
        let wave = (self.next..self.next + count).map(report).collect();
        self.next += count;
        wave
    }

    fn frame(&mut self) {
        self.model.settle();
        let Self { model, terminal, styles, state, .. } = self;
        terminal.draw(|frame| draw(frame, model, styles, state)).unwrap();
        self.model.drawn(Room { page: Some(self.state.page()), ..Room::default() });
    }

    /// Time for `count` reports and the frame after them; `by` passed since the frame before. What the cadence brings
    /// besides (two hundred a second) is taken in outside of the measurement.
    fn measure(&mut self, count: usize, by: Duration) -> Duration {
        self.pass(by);
        let besides = (by.as_millis() as usize / 5).saturating_sub(count);
        for msg in self.wave(besides) {
            update(&mut self.model, msg);
        }
        let wave = self.wave(count);
        let start = Instant::now();
        for msg in wave {
            update(&mut self.model, msg);
        }
        self.frame();
        start.elapsed()
    }

    fn key(&mut self, key: KeyCode) -> Duration {
        let start = Instant::now();
        update(&mut self.model, Msg::Key(KeyPress { code: key, ctrl: false, alt: false }));
        self.frame();
        start.elapsed()
    }
}

fn no_access() -> jumpdeck_fleet::access::Access {
    jumpdeck_fleet::access::Access {
        user: "ops".into(),
        keys: Vec::new(),
        agent: None,
        password: false,
        known_hosts: jumpdeck_fleet::access::KnownHosts::Text(String::new()),
    }
}

fn frames(criterion: &mut Criterion) {
    let samples = reports();
    let mut bench = Bench::new(&samples);
    let mut group = criterion.benchmark_group("1000 hosts");
    // 25 frames a second of 8 reports each; judged every fifth time.
    let cases = [
        ("8 reports", 8, Duration::from_millis(40)),
        ("8 reports, judged", 8, Duration::from_millis(200)),
        ("200 reports, judged", 200, Duration::from_secs(1)),
    ];
    for (name, count, by) in cases {
        group.bench_function(name, |b| {
            b.iter_custom(|times| (0..times).map(|_| bench.measure(count, by)).sum());
        });
    }
    let mut down = true;
    group.bench_function("a key", |b| {
        b.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    down = !down;
                    bench.key(if down { KeyCode::Down } else { KeyCode::Up })
                })
                .sum()
        });
    });
    group.finish();
    let mut bench = Bench::of_three_environments(&samples);
    let mut group = criterion.benchmark_group("palette, 3 x 1000 hosts");
    // Each letter and each letter deleted again, with the frame after it.
    let typing = "ap1 prod".chars().map(KeyCode::Char);
    let keys: Vec<KeyCode> = typing.chain([KeyCode::Backspace; 8]).collect();
    bench.key(KeyCode::Char(':'));
    let mut next = keys.iter().cycle();
    group.bench_function("a letter", |b| {
        b.iter_custom(|times| next.by_ref().take(times as usize).map(|key| bench.key(*key)).sum());
    });
    bench.key(KeyCode::Esc);
    group.bench_function("opened", |b| {
        b.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    let took = bench.key(KeyCode::Char(':'));
                    bench.key(KeyCode::Esc);
                    took
                })
                .sum()
        });
    });
    group.bench_function("8 reports beneath it", |b| {
        bench.key(KeyCode::Char(':'));
        b.iter_custom(|times| (0..times).map(|_| bench.measure(8, Duration::from_millis(40))).sum());
    });
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);

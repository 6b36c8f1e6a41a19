//! Measures the collecting side alone, for `tests/fleet bench`: connects to every host of an environment (cold), then
//! asks all of them again and again (warm), and prints one line of JSON.
//!
//! `cargo run --release --example poll_bench -- INVENTORY ENVIRONMENT ROUNDS`

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpdeck::collect::Collector;
use jumpdeck::collect::clock::Clock;
use jumpdeck::config::inventory::{self, Context};
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::snapshot::LinkState;
use tokio::sync::mpsc;

/// No poll comes by itself: every round is asked for.
const NEVER: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_secs(60);

#[derive(serde::Serialize)]
struct Figures {
    hosts: usize,
    lost: Vec<String>,
    cold_ms: f64,
    cold_cpu_s: f64,
    warm_ms: Vec<f64>,
    warm_cpu_s: f64,
    pss_kb: Option<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, env, rounds] = args.as_slice() else {
        return Err("usage: poll_bench INVENTORY ENVIRONMENT ROUNDS".into());
    };
    let text = std::fs::read_to_string(path)?;
    let home = std::env::var_os("HOME").unwrap_or_default().into();
    let context = Context { home, user: std::env::var("USER").unwrap_or_default(), ..Context::default() };
    let mut fleet =
        inventory::parse(path, &text, &context).map_err(|_| "the inventory has errors: jumpdeck check")?;
    for environment in &mut fleet.environments {
        Arc::make_mut(environment).cadence.poll = NEVER;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(fleet, &EnvName::new(env)?, rounds.parse()?))?;
    println!("{}", serde_json::to_string(&figures)?);
    runtime.shutdown_background();
    Ok(())
}

async fn measure(fleet: Fleet, env: &EnvName, rounds: usize) -> Result<Figures, Box<dyn Error>> {
    let fleet = Arc::new(fleet);
    let spec = fleet.environment(env).ok_or("no such environment")?.clone();
    let (sender, mut events) = mpsc::channel(4096);
    let reach = Arc::new(SshConnector::new(Arc::new(TcpDial), Arc::new(RefuseAll)));
    let (start, cpu) = (Instant::now(), cpu_s());
    let collector = Collector::new(fleet.clone(), reach, Clock::start(), sender);
    collector.activate(env);

    let all: HashSet<HostName> = spec.hosts.iter().map(|h| h.id.host.clone()).collect();
    let (up, lost) = first_answers(&mut events, &all).await;
    let cold_ms = start.elapsed().as_secs_f64() * 1e3;
    let cold_cpu_s = cpu_s() - cpu;

    let cpu = cpu_s();
    let mut warm_ms = Vec::new();
    for _ in 0..rounds {
        while events.try_recv().is_ok() {}
        let asked = Instant::now();
        collector.refresh(env);
        round(&mut events, &up).await?;
        warm_ms.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    let warm_cpu_s = (cpu_s() - cpu) / rounds.max(1) as f64;
    Ok(Figures { hosts: up.len(), lost, cold_ms, cold_cpu_s, warm_ms, warm_cpu_s, pss_kb: pss_kb() })
}

/// Waits until every host has answered once or failed.
async fn first_answers(
    events: &mut mpsc::Receiver<FleetEvent>,
    all: &HashSet<HostName>,
) -> (HashSet<HostName>, Vec<String>) {
    let (mut up, mut lost) = (HashSet::new(), Vec::new());
    let deadline = tokio::time::Instant::now() + LIMIT;
    while up.len() + lost.len() < all.len() {
        match tokio::time::timeout_at(deadline, events.recv()).await {
            Ok(Some(FleetEvent::Host(host))) => match host.link.state {
                LinkState::Pending => {}
                LinkState::Up => {
                    up.insert(host.id.host.clone());
                }
                _ => lost.push(format!("{}: {}", host.id.host, host.link.detail)),
            },
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break,
        }
    }
    (up, lost)
}

/// Waits for one report of every host.
async fn round(
    events: &mut mpsc::Receiver<FleetEvent>,
    up: &HashSet<HostName>,
) -> Result<(), Box<dyn Error>> {
    let mut seen = HashSet::new();
    while seen.len() < up.len() {
        match tokio::time::timeout(LIMIT, events.recv()).await {
            Ok(Some(FleetEvent::Host(host))) if host.link.is_up() => {
                seen.insert(host.id.host.clone());
            }
            Ok(Some(FleetEvent::Host(host))) => {
                return Err(format!("lost {}: {}", host.id, host.link.detail).into());
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Err("a round did not end".into()),
        }
    }
    Ok(())
}

/// CPU seconds of this process's threads so far, to the nanosecond (`/proc/self/task/*/schedstat`). Threads that ended are
/// not in it: the runtime's workers stay.
fn cpu_s() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let used = tasks.filter_map(|task| {
        let schedstat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        schedstat.split_whitespace().next()?.parse::<u64>().ok()
    });
    used.sum::<u64>() as f64 / 1e9
}

/// Proportional set size.
fn pss_kb() -> Option<u64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = rollup.lines().find(|l| l.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

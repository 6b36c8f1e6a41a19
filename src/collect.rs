//! Collecting: one actor a host, one a jump box, and the resident probe with its `probes/`.
//!
//! [`Collector`] starts the actors of an environment when it is first shown and keeps them; what they find arrives as
//! [`FleetEvent`]s.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fleet::{Environment, Fleet, Host};
use jumpdeck_fleet::names::{EnvName, HostName};

mod backoff;
pub mod clock;
pub mod desk;
pub mod disks;
mod failure;
pub mod host;
mod identity;
pub mod jump;
pub mod outside;
pub mod probe;
pub mod probes;
pub mod resident;
mod runs;
mod shell;
#[cfg(test)]
mod tests;

use clock::Clock;
use disks::DiskHistory;
pub use runs::LooksForRuns;
use runs::NoRuns;

use crate::transport::Connector;

/// Polls under way at once, over every environment: enough that a thousand hosts are asked within a cadence, few
/// enough that their answers do not queue up here.
const POLLS_IN_FLIGHT: usize = 128;

/// Runs the actors; dropping it ends them.
pub struct Collector {
    connector: Arc<dyn Connector>,
    runs: Arc<dyn LooksForRuns>,
    disks: Arc<DiskHistory>,
    clock: Clock,
    events: mpsc::Sender<FleetEvent>,
    in_flight: Arc<Semaphore>,
    names: watch::Sender<Arc<identity::AnsweringNames>>,
    running: Mutex<Running>,
}

struct Running {
    /// What the inventory says.
    fleet: Arc<Fleet>,
    environments: HashMap<EnvName, Handles>,
    tasks: JoinSet<()>,
}

/// The actors of an environment.
struct Handles {
    spec: watch::Sender<Arc<Environment>>,
    refresh: watch::Sender<u64>,
    jump: Arc<Notify>,
    jump_actor: Actor,
    outside_actor: Actor,
    shared: host::EnvironmentShared,
    hosts: HashMap<HostName, HostHandle>,
}

struct HostHandle {
    spec: watch::Sender<Arc<Host>>,
    retry: Arc<Notify>,
    actor: Actor,
}

/// An actor that runs.
struct Actor {
    abort: AbortHandle,
    /// Ends when the actor has.
    gone: oneshot::Receiver<()>,
}

impl Actor {
    /// Starts an actor when the one that it replaces has ended: nothing that it says arrives after the news of this one.
    fn start<F>(tasks: &mut JoinSet<()>, before: Before, run: F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (alive, gone) = oneshot::channel();
        // A future that is moved into another one has its room twice there.
        let run = Box::pin(run);
        let abort = tasks.spawn(async move {
            let _alive = alive;
            if let Some(ended) = before {
                // Nothing is sent: the sender goes with its actor.
                let _ = ended.await;
            }
            run.await;
        });
        Self { abort, gone }
    }

    /// Ends it, and its connection with it.
    fn end(self) -> oneshot::Receiver<()> {
        self.abort.abort();
        self.gone
    }
}

/// What tells when the actor that is replaced has ended; `None`: it replaces none.
type Before = Option<oneshot::Receiver<()>>;

impl Collector {
    /// A collector that has asked nobody yet. News goes to `events`; a full queue makes actors wait, and none is lost.
    #[must_use]
    pub fn new(
        fleet: Arc<Fleet>,
        connector: Arc<dyn Connector>,
        clock: Clock,
        events: mpsc::Sender<FleetEvent>,
    ) -> Self {
        let in_flight = Arc::new(Semaphore::new(POLLS_IN_FLIGHT));
        let names = watch::Sender::new(Arc::new(identity::AnsweringNames::of(&fleet)));
        let running = Running { fleet, environments: HashMap::new(), tasks: JoinSet::new() };
        Self {
            connector,
            runs: Arc::new(NoRuns),
            disks: Arc::default(),
            clock,
            events,
            in_flight,
            names,
            running: Mutex::new(running),
        }
    }

    /// Looks for runs that are not over, too.
    #[must_use]
    pub fn looking_for_runs(self, runs: Arc<dyn LooksForRuns>) -> Self {
        Self { runs, ..self }
    }

    /// Keeps what disks have in use there.
    #[must_use]
    pub fn keeping(self, disks: Arc<DiskHistory>) -> Self {
        Self { disks, ..self }
    }

    /// Starts an environment's actors, if they do not run yet. Must be called within the tokio runtime.
    pub fn activate(&self, env: &EnvName) {
        let running = &mut *self.running();
        if running.environments.contains_key(env) {
            return;
        }
        if let Some(spec) = running.fleet.environment(env) {
            let handles = self.start(spec, &mut running.tasks, None);
            running.environments.insert(env.clone(), handles);
        }
    }

    /// Goes on with another inventory: hosts that are new are asked, those that are gone are not asked any more, and one that is
    /// reached another way is connected anew. Every other connection stays. Must be called within the tokio runtime.
    pub fn use_inventory(&self, fleet: &Arc<Fleet>) {
        self.names.send_replace(Arc::new(identity::AnsweringNames::of(fleet)));
        let running = &mut *self.running();
        running.fleet = fleet.clone();
        while running.tasks.try_join_next().is_some() {}
        for (name, mut handles) in std::mem::take(&mut running.environments) {
            let Some(env) = fleet.environment(&name) else {
                handles.jump_actor.end();
                handles.outside_actor.end();
                end_hosts(handles.hosts);
                continue;
            };
            let same_way = handles.spec.borrow().has_jumps_of(env);
            if same_way {
                follow(&mut handles, env, &mut running.tasks);
            } else {
                handles = self.start(env, &mut running.tasks, Some(handles));
            }
            running.environments.insert(name, handles);
        }
    }

    fn start(&self, env: &Arc<Environment>, tasks: &mut JoinSet<()>, before: Option<Handles>) -> Handles {
        let (before_jump, before_outside, mut before_hosts) = match before {
            Some(before) => (Some(before.jump_actor.end()), Some(before.outside_actor.end()), before.hosts),
            None => (None, None, HashMap::new()),
        };
        let (refresh, refresh_seen) = watch::channel(0);
        let (spec, spec_seen) = watch::channel(env.clone());
        let jump_retry = Arc::new(Notify::new());
        let (actor, jumps) = jump::JumpActor::new(
            spec_seen.clone(),
            self.connector.clone(),
            self.runs.clone(),
            self.clock,
            self.events.clone(),
            jump_retry.clone(),
        );
        let jump_actor = Actor::start(tasks, before_jump, actor.run());
        let outside = outside::OutsideActor::new(
            spec_seen.clone(),
            self.connector.clone(),
            // What is seen from another box says nothing of what is seen from this one.
            jumps.first,
            self.clock,
            self.events.clone(),
            refresh_seen.clone(),
        );
        let outside_actor = Actor::start(tasks, before_outside, outside.run());
        let shared = host::EnvironmentShared {
            clock: self.clock,
            env: spec_seen,
            jump_name: jumps.name,
            jump: jumps.way,
            names: self.names.subscribe(),
            events: self.events.clone(),
            in_flight: self.in_flight.clone(),
            refresh: refresh_seen,
            disks: self.disks.clone(),
        };
        let mut hosts = HashMap::new();
        for spec in &env.hosts {
            let name = spec.id.host.clone();
            let before = before_hosts.remove(&name).map(|host| host.actor.end());
            hosts.insert(name, start_host(spec, &shared, tasks, before));
        }
        end_hosts(before_hosts);
        Handles { spec, refresh, jump: jump_retry, jump_actor, outside_actor, shared, hosts }
    }

    /// Asks every host of an environment now.
    pub fn refresh(&self, env: &EnvName) {
        self.with(env, |handles| handles.refresh.send_modify(|n| *n += 1));
    }

    /// Tries a host, or with `None` the jump box, again now: the way on after a refused login. Passphrases that were
    /// refused are asked for again.
    pub fn retry(&self, env: &EnvName, host: Option<&HostName>) {
        // First: the actor that is woken may ask at once.
        self.connector.forget_refusals();
        self.with(env, |handles| match host {
            Some(host) => {
                if let Some(host) = handles.hosts.get(host) {
                    host.retry.notify_waiters();
                }
            }
            None => handles.jump.notify_waiters(),
        });
    }

    fn with(&self, env: &EnvName, act: impl FnOnce(&Handles)) {
        if let Some(handles) = self.running().environments.get(env) {
            act(handles);
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings the actors of an environment up to what the inventory says, behind the same jump box.
fn follow(handles: &mut Handles, env: &Arc<Environment>, tasks: &mut JoinSet<()>) {
    handles.spec.send_replace(env.clone());
    let mut before = std::mem::take(&mut handles.hosts);
    for spec in &env.hosts {
        let name = spec.id.host.clone();
        let handle = match before.remove(&name) {
            Some(handle) if handle.spec.borrow().is_reached_like(spec) => {
                handle.spec.send_if_modified(|now| {
                    let differs = now != spec;
                    now.clone_from(spec);
                    differs
                });
                handle
            }
            Some(handle) => start_host(spec, &handles.shared, tasks, Some(handle.actor.end())),
            None => start_host(spec, &handles.shared, tasks, None),
        };
        handles.hosts.insert(name, handle);
    }
    end_hosts(before);
}

/// Ends the actors of hosts that are in the inventory no more.
fn end_hosts(hosts: HashMap<HostName, HostHandle>) {
    for host in hosts.into_values() {
        host.actor.end();
    }
}

fn start_host(
    spec: &Arc<Host>,
    shared: &host::EnvironmentShared,
    tasks: &mut JoinSet<()>,
    before: Before,
) -> HostHandle {
    let retry = Arc::new(Notify::new());
    let (sender, seen) = watch::channel(spec.clone());
    let actor = host::HostActor::new(seen, shared.clone(), retry.clone());
    // One that takes the place of another says first that nothing is known of it yet.
    let anew = before.is_some();
    let actor = Actor::start(tasks, before, actor.run(anew));
    HostHandle { spec: sender, retry, actor }
}

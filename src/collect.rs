//! Collecting: one actor a host, one a jump box, and the resident probe with its `probes/`.
//! May import `ssh` and `domain`.
//!
//! [`Collector`] starts the actors of an environment when it is first shown and keeps them; what they find arrives as
//! [`FleetEvent`]s.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::domain::event::FleetEvent;
use crate::domain::fleet::{Environment, Fleet};
use crate::domain::names::{EnvName, HostName};

mod backoff;
pub mod clock;
pub mod desk;
pub mod host;
mod identity;
pub mod jump;
pub mod over_ssh;
pub mod probe;
pub mod probes;
pub mod reach;
pub mod resident;
#[cfg(test)]
mod tests;

use clock::Clock;
use reach::Reach;

/// Polls under way at once, over every environment: enough that a thousand hosts are asked within a cadence, few
/// enough that their answers do not queue up here.
const POLLS_IN_FLIGHT: usize = 128;

/// Runs the actors; dropping it ends them.
pub struct Collector {
    fleet: Arc<Fleet>,
    reach: Arc<dyn Reach>,
    clock: Clock,
    events: mpsc::Sender<FleetEvent>,
    in_flight: Arc<Semaphore>,
    names: Arc<identity::Names>,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    environments: HashMap<EnvName, Handles>,
    tasks: JoinSet<()>,
}

struct Handles {
    refresh: watch::Sender<u64>,
    jump: Arc<Notify>,
    hosts: HashMap<HostName, Arc<Notify>>,
}

impl Collector {
    /// A collector that has asked nobody yet. News goes to `events`; a full queue makes actors wait, and none is lost.
    #[must_use]
    pub fn new(
        fleet: Arc<Fleet>,
        reach: Arc<dyn Reach>,
        clock: Clock,
        events: mpsc::Sender<FleetEvent>,
    ) -> Self {
        let in_flight = Arc::new(Semaphore::new(POLLS_IN_FLIGHT));
        let names = Arc::new(identity::Names::of(&fleet));
        Self { fleet, reach, clock, events, in_flight, names, running: Mutex::default() }
    }

    /// Starts an environment's actors, if they do not run yet. Must be called within the tokio runtime.
    pub fn activate(&self, env: &EnvName) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.environments.contains_key(env) {
            return;
        }
        if let Some(spec) = self.fleet.environment(env) {
            let handles = self.start(spec, &mut running.tasks);
            running.environments.insert(env.clone(), handles);
        }
    }

    fn start(&self, env: &Arc<Environment>, tasks: &mut JoinSet<()>) -> Handles {
        let (refresh, refresh_seen) = watch::channel(0);
        let jump_retry = Arc::new(Notify::new());
        let (actor, jump) = jump::JumpActor::new(
            env.clone(),
            self.reach.clone(),
            self.clock,
            self.events.clone(),
            jump_retry.clone(),
        );
        tasks.spawn(actor.run());
        let shared = host::Shared {
            clock: self.clock,
            cadence: env.cadence,
            jump_name: env.jump.name().clone(),
            jump,
            names: self.names.clone(),
            events: self.events.clone(),
            in_flight: self.in_flight.clone(),
            refresh: refresh_seen,
        };
        let mut hosts = HashMap::new();
        for spec in &env.hosts {
            let retry = Arc::new(Notify::new());
            tasks.spawn(host::HostActor::new(spec.clone(), shared.clone(), retry.clone()).run());
            hosts.insert(spec.id.host.clone(), retry);
        }
        Handles { refresh, jump: jump_retry, hosts }
    }

    /// Asks every host of an environment now.
    pub fn refresh(&self, env: &EnvName) {
        self.with(env, |handles| handles.refresh.send_modify(|n| *n += 1));
    }

    /// Tries a host, or with `None` the jump box, again now: the way on after a refused login. Passphrases that were
    /// refused are asked for again.
    pub fn retry(&self, env: &EnvName, host: Option<&HostName>) {
        // First: the actor that is woken may ask at once.
        self.reach.forget_refusals();
        self.with(env, |handles| match host {
            Some(host) => {
                if let Some(notify) = handles.hosts.get(host) {
                    notify.notify_waiters();
                }
            }
            None => handles.jump.notify_waiters(),
        });
    }

    fn with(&self, env: &EnvName, act: impl FnOnce(&Handles)) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handles) = running.environments.get(env) {
            act(handles);
        }
    }
}

//! The console's way to runs: what it asks for is begun at once, what comes of it are [`RunEvent`]s.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::access::{EnvAccess, FleetAccess, MayChange};
use super::control::RunControl;
use super::inputs::{self, Gathered};
use super::resume::{Begun, FleetAtHand, NotAlone, OtherFleet};
use super::start::Planned;
use super::{commands, listing, past, power};
use crate::runbook::definition::Runbook;
use crate::runbook::library::Library;
use crate::runbook::runner::RunHandle;
use jumpdeck_fleet::command::CommandOrder;
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::power::{CONSOLE_LINES, PowerNews, PowerOrder, PowerReport};
use jumpdeck_fleet::run::{
    Arming, InEffect, Mode, PastReport, Prompt, PromptKind, RunCommand, RunEvent, RunView,
};
use jumpdeck_fleet::text::Clean;

mod commanding;
mod leaving;
mod watching;

pub use leaving::LeftInEffect;

/// Runs of this console.
pub struct RunService {
    inner: Arc<Inner>,
    tasks: Handle,
}

struct Inner {
    access: FleetAccess,
    /// The environments that the console starts with.
    start: Arc<Fleet>,
    /// Where news go.
    news: mpsc::Sender<RunEvent>,
    /// Stands behind commands that are told, so that they reach the same inventory.
    tail: String,
    state: Mutex<ServiceState>,
}

#[derive(Default)]
struct ServiceState {
    /// The ways to the fleets: connections of plans and lists, not of probes, and not of runs.
    connected: HashMap<EnvName, EnvAccess>,
    /// Plans asked for so far: only what comes of the last one is told.
    plans: u64,
    /// The plan that was told last.
    plan: Option<(EnvName, Planned)>,
    /// Runs of this console that are under way.
    runs: HashMap<String, mpsc::Sender<RunCommand>>,
    /// Runs that this console began or went on with.
    own: HashSet<String>,
    /// The environment armed for changes.
    armed: Option<Arming>,
    /// What each run of this console began and has not ended, as last told.
    in_effect: HashMap<String, Vec<InEffect>>,
    /// Where runs of others were seen.
    held: HashMap<String, EnvName>,
    /// The fleet of the inventory that was read again; `None`: the one that the console started with.
    fleet: Option<Arc<Fleet>>,
    /// The inventory has changed since the last plan was made.
    outdated: bool,
    /// Commands on hosts, by the id of their order.
    orders: HashMap<u64, commanding::OrderStage>,
}

impl RunService {
    /// The runs of a console on that fleet; `tail` is what commands need so that they reach the same inventory. Within the
    /// tokio runtime.
    #[must_use]
    pub fn new(access: FleetAccess, start: Arc<Fleet>, news: mpsc::Sender<RunEvent>, tail: String) -> Self {
        let inner = Inner { access, start, news, tail, state: Mutex::default() };
        Self { inner: Arc::new(inner), tasks: Handle::current() }
    }

    /// Tells what runs leave in effect, also when the console has ended.
    #[must_use]
    pub fn left(&self) -> LeftInEffect {
        LeftInEffect::of(self.inner.clone())
    }

    /// Begins work that tells what came of it; an error is told as a refusal.
    fn begin<F>(&self, work: impl FnOnce(Arc<Inner>) -> F)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let inner = self.inner.clone();
        let work = work(inner.clone());
        self.tasks.spawn(async move {
            if let Err(why) = work.await {
                inner.tell(RunEvent::Refused(Clean::lines(&why))).await;
            }
        });
    }
}

impl RunControl for RunService {
    fn list(&self, env: &EnvName) {
        let env = env.clone();
        self.begin(|inner| async move { inner.list(&env).await });
    }

    fn find(&self, env: &EnvName, runbook: &str) {
        let (env, runbook) = (env.clone(), runbook.to_owned());
        self.begin(|inner| async move {
            let found = inputs::find(&inner.shared(&env)?, &*inner.runbook(&runbook)?).await;
            inner.tell(RunEvent::Found { env, runbook, inputs: found }).await;
            Ok(())
        });
    }

    fn plan(&self, env: &EnvName, runbook: &str, inputs: Vec<(String, Zeroizing<String>)>) {
        let (env, runbook) = (env.clone(), runbook.to_owned());
        let number = {
            let mut state = self.inner.lock();
            state.plans += 1;
            (state.plan, state.outdated) = (None, false);
            state.plans
        };
        self.begin(|inner| async move {
            let made = inner.plan(&env, &runbook, inputs).await;
            let (made, told) = match made {
                Ok(plan) => {
                    let view = Arc::new(plan.view().clone());
                    (Some((env, plan)), Ok(view))
                }
                Err(why) => (None, Err(Clean::new(&why))),
            };
            {
                let mut state = inner.lock();
                if state.plans != number {
                    return Ok(());
                }
                state.plan = made;
            }
            inner.tell(RunEvent::Plan(told)).await;
            Ok(())
        });
    }

    fn start(&self, env: &EnvName, plan: &str, why: String, mode: Mode) {
        let (shown, outdated) = {
            let mut state = self.inner.lock();
            (state.plan.take_if(|(of, made)| of == env && made.hash() == plan), state.outdated)
        };
        self.begin(|inner| async move {
            let Some((env, plan)) = shown else {
                if outdated {
                    return Err(
                        "the inventory has changed since this plan was made; make it again".to_owned()
                    );
                }
                return Err("this is not the plan that was made last; make it again".to_owned());
            };
            let plan = plan.startable().map_err(|blocked| blocked.to_string())?;
            let (access, armed) = inner.of_a_run(&env)?;
            let handle = plan.start(&access, armed, why, mode).await;
            inner.follow(handle.map_err(|error| error.to_string())?).await;
            Ok(())
        });
    }

    fn resume(&self, run: &str) {
        let run = run.to_owned();
        self.begin(|inner| async move {
            let handle = inner.resume(&run).await?;
            inner.follow(handle).await;
            Ok(())
        });
    }

    fn watch(&self, run: &str) {
        let run = run.to_owned();
        self.begin(|inner| async move { watching::watch(&inner, &run).await });
    }

    fn use_inventory(&self, fleet: &Arc<Fleet>) {
        let before = self.inner.fleet();
        let mut state = self.inner.lock();
        state.fleet = Some(fleet.clone());
        // Connections of the old inventory end with the plans that use them.
        let same = |env: &EnvName| before.environment(env) == fleet.environment(env);
        state.connected.retain(|env, _| same(env));
        if state.plan.as_ref().is_some_and(|(env, _)| !same(env)) {
            (state.plan, state.outdated) = (None, true);
        }
    }

    fn look_before(&self, id: u64, env: &EnvName) {
        let (env, dropped) = (env.clone(), commanding::begin(&self.inner, id));
        self.begin(|inner| async move {
            commanding::look(&inner, id, env, dropped).await;
            Ok(())
        });
    }

    fn run_on_hosts(&self, order: Arc<CommandOrder>) {
        self.begin(|inner| async move {
            commanding::run(&inner, order).await;
            Ok(())
        });
    }

    fn ask_power(&self, order: Arc<PowerOrder>) {
        self.begin(|inner| async move {
            let known = inner.environment(&order.env).and_then(|env| {
                let host = env.host(&order.host).cloned();
                Ok((host.ok_or_else(|| format!("{} is not in the inventory", order.host))?, env))
            });
            let report = match known {
                Ok((host, env)) => power::ask(&inner.access, &env, &host, CONSOLE_LINES).await,
                Err(why) => PowerReport::not_asked(&order.host, &why),
            };
            let report = Arc::new(report);
            let at = inner.access.clock.now();
            inner.tell(RunEvent::Power(Arc::new(PowerNews { order, at, report }))).await;
            Ok(())
        });
    }

    fn drop_order(&self, id: u64) {
        drop(self.inner.lock().orders.remove(&id));
    }

    fn list_past(&self) {
        self.begin(|inner| async move {
            let folder = inner.access.paths.runs();
            let runs = blocking(move || past::list(&folder)).await?;
            inner.tell(RunEvent::PastRuns(Arc::new(runs))).await;
            Ok(())
        });
    }

    fn read_past(&self, run: &str) {
        let run = run.to_owned();
        self.begin(|inner| async move {
            let (folder, of) = (inner.access.paths.runs(), run.clone());
            let told = blocking(move || match past::report(&folder, &of) {
                Ok(report) => Ok(report.sections(&jiff::tz::TimeZone::system())),
                Err(error) => Err(Clean::new(&error.to_string())),
            });
            let told = told.await?;
            inner.tell(RunEvent::PastReport(Arc::new(PastReport { run, told }))).await;
            Ok(())
        });
    }

    fn arm(&self, armed: Option<&Arming>) {
        self.inner.lock().armed = armed.cloned();
    }

    fn command(&self, run: &str, command: RunCommand) {
        let Some(commands) = self.inner.lock().runs.get(run).cloned() else { return };
        // In the order they were given, as long as there is room; nobody types faster than a run reads.
        if let Err(mpsc::error::TrySendError::Full(command)) = commands.try_send(command) {
            self.tasks.spawn(async move { commands.send(command).await });
        }
    }
}

fn no_environment(name: &EnvName) -> String {
    format!("there is no environment {name}")
}

/// Reads files beside everything else: a disk that hangs holds up only who asked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, ServiceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, event: RunEvent) {
        // A console that is gone hears nothing.
        let _ = self.news.send(event).await;
    }

    fn fleet(&self) -> Arc<Fleet> {
        self.lock().fleet.clone().unwrap_or_else(|| self.start.clone())
    }

    fn environment(&self, name: &EnvName) -> Result<Arc<Environment>, String> {
        self.fleet().environment(name).cloned().ok_or_else(|| no_environment(name))
    }

    /// Whether changes may be made in an environment now.
    fn is_armed(&self, env: &EnvName) -> bool {
        let state = self.lock();
        state.armed.as_ref().is_some_and(|armed| armed.env == *env && self.access.clock.now() < armed.until)
    }

    /// The way to an environment that lists and plans share.
    fn shared(&self, env: &EnvName) -> Result<EnvAccess, String> {
        // Under one lock, so that no connection of an older inventory is kept.
        let mut state = self.lock();
        let fleet = state.fleet.as_ref().unwrap_or(&self.start);
        let env = fleet.environment(env).cloned().ok_or_else(|| no_environment(env))?;
        let new = || self.access.connect(env.clone());
        Ok(state.connected.entry(env.name.clone()).or_insert_with(new).clone())
    }

    /// What a run is begun, or gone on with. Its connection is its own: nothing that is looked at meanwhile can hold it up.
    fn of_a_run(self: &Arc<Self>, env: &EnvName) -> Result<(EnvAccess, MayChange), String> {
        let env = self.environment(env)?;
        let (console, name) = (Arc::downgrade(self), env.name.clone());
        let armed = move || console.upgrade().is_some_and(|console| console.is_armed(&name));
        Ok((self.access.connect(env), Arc::new(armed)))
    }

    fn runbook(&self, name: &str) -> Result<Arc<Runbook>, String> {
        let (library, _) = Library::load(&self.access.paths.runbooks());
        library.get(name).ok_or_else(|| format!("there is no runbook {name}"))
    }

    async fn plan(
        &self,
        env: &EnvName,
        runbook: &str,
        inputs: Vec<(String, Zeroizing<String>)>,
    ) -> Result<Planned, String> {
        let (access, runbook) = (self.shared(env)?, self.runbook(runbook)?);
        let inputs = Gathered { values: inputs.into_iter().collect(), because: BTreeMap::new() };
        let made = Planned::make(&access, runbook, inputs).await;
        if self.fleet().environment(env) != Some(&access.env) {
            return Err("the inventory changed while the plan was made; make it again".to_owned());
        }
        made.map_err(|error| error.to_string())
    }

    async fn resume(self: &Arc<Self>, run: &str) -> Result<RunHandle, String> {
        let begun = Begun::read(&self.access.paths.runs(), run).map_err(|error| error.to_string())?;
        let fleet = match self.access.simulated {
            true => FleetAtHand::Simulated { began_in_it: self.lock().own.contains(run) },
            false => FleetAtHand::Real,
        };
        let run_here = begun.of_this_fleet(fleet).map_err(|other| match other {
            OtherFleet::Gone => commands::WORLD_GONE,
            OtherFleet::Simulated => "this run is of a simulated fleet, not of the one on screen",
            OtherFleet::Real => "this run is of a real fleet, not of the one on screen",
        })?;
        let env = run_here.environment().to_owned();
        let resumable = run_here.without_asking().map_err(|why| match why {
            NotAlone::Unreadable(why) => why.to_string(),
            NotAlone::NeedsSecrets => {
                let command = commands::resume(run, &self.tail);
                format!("its secrets are not stored and must be typed again, in a terminal:\n{command}")
            }
        })?;
        let env = EnvName::new(&env).map_err(|error| error.to_string())?;
        let (access, armed) = self.of_a_run(&env)?;
        resumable.resume(&access, armed).await.map_err(|error| error.to_string())
    }

    /// Tells how a run stands, until it is over.
    async fn follow(&self, handle: RunHandle) {
        let RunHandle { id, commands, view } = handle;
        {
            let mut state = self.lock();
            state.own.insert(id.clone());
            state.runs.insert(id.clone(), commands);
        }
        self.tell_changes(view).await;
        self.lock().runs.remove(&id);
    }

    async fn tell_changes(&self, mut view: watch::Receiver<Arc<RunView>>) {
        loop {
            let now = view.borrow_and_update().clone();
            let over = !now.state.is_under_way();
            if !now.watching {
                self.lock().in_effect.insert(now.id.clone(), now.in_effect.clone());
            }
            self.tell(RunEvent::Run(self.complete(now))).await;
            if over || view.changed().await.is_err() {
                return;
            }
        }
    }

    /// A command on screen works as it is typed.
    fn complete(&self, mut view: Arc<RunView>) -> Arc<RunView> {
        let asks =
            |view: &RunView| view.prompt.as_ref().is_some_and(|p| matches!(p.kind, PromptKind::Approve(_)));
        if !self.tail.is_empty()
            && asks(&view)
            && let Some(Prompt { kind: PromptKind::Approve(words), .. }) =
                &mut Arc::make_mut(&mut view).prompt
        {
            *words = Clean::new(&format!("{words}{}", self.tail));
        }
        view
    }

    async fn list(&self, env: &EnvName) -> Result<(), String> {
        let access = self.shared(env)?;
        let mut listing = listing::here(&access, &self.access.paths.runbooks());
        if access.simulated {
            // The fleets of other processes are gone.
            let state = self.lock();
            listing.runs.retain(|run| state.own.contains(&run.id));
        }
        self.tell(RunEvent::List(Arc::new(listing.clone()))).await;
        // The jump box may take its time; what is on this machine is on screen already.
        match listing::held(&access).await {
            Ok(held) if held.is_empty() => return Ok(()),
            Ok(held) => {
                let mut state = self.lock();
                state.held.extend(held.iter().map(|brief| (brief.id.clone(), env.clone())));
                let own = |id: &String| state.runs.contains_key(id);
                listing::merge(&mut listing, held.into_iter().filter(|brief| !own(&brief.id)).collect());
            }
            Err(why) => listing.troubles.push(why),
        }
        self.tell(RunEvent::List(Arc::new(listing))).await;
        Ok(())
    }
}

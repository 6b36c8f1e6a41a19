//! The console's way to runs: what it asks for is begun at once, what comes of it are [`RunEvent`]s.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::runbook::inputs::{self, answered};
use super::runbook::{hint, past, runs, who};
use crate::collect::clock::Clock;
use crate::config::files::Paths;
use crate::config::store::InventoryStore;
use crate::runbook::definition::Runbook;
use crate::runbook::library::Library;
use crate::runbook::over_ssh::OverSsh;
use crate::runbook::plan::Plan;
use crate::runbook::planner;
use crate::runbook::runner::{self, Launch, RunHandle};
use crate::runtime::RunControl;
use crate::transport::ask::Ask;
use crate::transport::ssh::dial::Dial;
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::{
    Arming, InEffect, InputView, Mode, PastReport, Prompt, PromptKind, RunCommand, RunEvent, RunView,
};
use jumpdeck_fleet::text::Clean;

mod listing;
mod watching;

/// Runs of this console.
pub(super) struct Runs {
    inner: Arc<Inner>,
    tasks: Handle,
}

/// What runs are made with.
pub(super) struct Needs {
    /// The environments that the console starts with.
    pub(super) fleet: Arc<Fleet>,
    /// Opens the first hop's bytes.
    pub(super) dial: Arc<dyn Dial>,
    /// Puts questions of logins to the person at the console.
    pub(super) ask: Arc<dyn Ask>,
    /// The console's clock.
    pub(super) clock: Clock,
    /// Where runbooks and journals are.
    pub(super) paths: Paths,
    /// The key that signs what is said in runs, when one is named.
    pub(super) sign_with: Option<PathBuf>,
    /// The inventory, for runbooks that change it.
    pub(super) inventory: Arc<InventoryStore>,
    /// Where news go.
    pub(super) news: mpsc::Sender<RunEvent>,
    /// Stands behind commands that are told, so that they reach the same inventory.
    pub(super) tail: String,
}

struct Inner {
    needs: Needs,
    who: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The ways to the fleets: connections of runs, not of probes.
    reach: HashMap<EnvName, Arc<OverSsh>>,
    /// Plans asked for so far: only what comes of the last one is told.
    plans: u64,
    /// The plan that was told last.
    plan: Option<(EnvName, Plan)>,
    /// Runs of this console that are under way.
    runs: HashMap<String, mpsc::Sender<RunCommand>>,
    /// Runs that this console began or went on with.
    own: HashSet<String>,
    /// The environment armed for changes.
    armed: Option<Arming>,
    /// What each run of this console began and has not ended, in words, as last told.
    in_effect: HashMap<String, Vec<String>>,
    /// Where runs of others were seen.
    held: HashMap<String, EnvName>,
    /// The fleet of the inventory that was read again; `None`: the one that the console started with.
    fleet: Option<Arc<Fleet>>,
    /// The inventory has changed since the last plan was made.
    outdated: bool,
}

impl Runs {
    /// Within the tokio runtime.
    pub(super) fn new(needs: Needs) -> Self {
        let inner = Inner { needs, who: who::who(), state: Mutex::default() };
        Self { inner: Arc::new(inner), tasks: Handle::current() }
    }

    /// Tells what runs leave in effect, also when the console has ended.
    pub(super) fn left(&self) -> Left {
        Left(self.inner.clone())
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

/// What runs of a console leave in effect.
pub(super) struct Left(Arc<Inner>);

impl Left {
    /// A line for each thing, with the command that goes on with its run; empty when nothing is.
    pub(super) fn lines(&self) -> Vec<String> {
        let state = self.0.lock();
        let mut lines = Vec::new();
        for (run, effects) in state.in_effect.iter().filter(|(_, effects)| !effects.is_empty()) {
            lines.extend(effects.iter().map(|effect| format!("STILL IN EFFECT: {effect}")));
            if !self.0.needs.fleet.simulated {
                lines.push(format!("  to roll back or go on: {}", hint::resume(run, &self.0.needs.tail)));
            }
        }
        lines
    }
}

impl RunControl for Runs {
    fn list(&self, env: &EnvName) {
        let env = env.clone();
        self.begin(|inner| async move { inner.list(&env).await });
    }

    fn find(&self, env: &EnvName, runbook: &str) {
        let (env, runbook) = (env.clone(), runbook.to_owned());
        self.begin(|inner| async move {
            let inputs = inner.find(&env, &runbook).await?;
            inner.tell(RunEvent::Found { env, runbook, inputs }).await;
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
                Ok((plan, view)) => (Some((env, plan)), Ok(Arc::new(view))),
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
            (state.plan.take_if(|(of, made)| of == env && made.frozen.hash == plan), state.outdated)
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
            let handle = runner::start(inner.launch(&env)?, plan, why, mode).await;
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
        state.reach.retain(|env, _| same(env));
        if state.plan.as_ref().is_some_and(|(env, _)| !same(env)) {
            (state.plan, state.outdated) = (None, true);
        }
    }

    fn list_past(&self) {
        self.begin(|inner| async move {
            let folder = inner.needs.paths.runs();
            let runs = blocking(move || runs::past(&folder)).await?;
            inner.tell(RunEvent::PastRuns(Arc::new(runs))).await;
            Ok(())
        });
    }

    fn read_past(&self, run: &str) {
        let run = run.to_owned();
        self.begin(|inner| async move {
            let (folder, of) = (inner.needs.paths.runs(), run.clone());
            let told = blocking(move || match past::told(&folder, &of) {
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

/// Reads files beside everything else: a disk that hangs holds up only who asked.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, event: RunEvent) {
        // A console that is gone hears nothing.
        let _ = self.needs.news.send(event).await;
    }

    fn fleet(&self) -> Arc<Fleet> {
        self.lock().fleet.clone().unwrap_or_else(|| self.needs.fleet.clone())
    }

    fn environment(&self, name: &EnvName) -> Result<Arc<Environment>, String> {
        let env = self.fleet().environment(name).cloned();
        env.ok_or_else(|| format!("there is no environment {name}"))
    }

    /// Whether changes may be made in an environment now.
    fn is_armed(&self, env: &EnvName) -> bool {
        let state = self.lock();
        state.armed.as_ref().is_some_and(|armed| armed.env == *env && self.needs.clock.now() < armed.until)
    }

    /// The way to a fleet that runs and plans share.
    fn reach(&self, env: &Arc<Environment>) -> Arc<OverSsh> {
        let new = || OverSsh::new(env.clone(), self.needs.dial.clone(), self.needs.ask.clone());
        self.lock().reach.entry(env.name.clone()).or_insert_with(|| Arc::new(new())).clone()
    }

    fn launch(self: &Arc<Self>, env: &EnvName) -> Result<Launch, String> {
        let env = self.environment(env)?;
        let clock = self.needs.clock;
        let (console, armed) = (Arc::downgrade(self), env.name.clone());
        Ok(Launch {
            simulated: self.needs.fleet.simulated,
            // A run's connection is its own: nothing that is looked at meanwhile can hold it up.
            reach: Arc::new(
                OverSsh::new(env.clone(), self.needs.dial.clone(), self.needs.ask.clone())
                    .signing_with(self.needs.sign_with.clone(), self.needs.paths.allowed_signers())
                    .with_inventory(self.needs.inventory.clone()),
            ),
            env,
            folder: self.needs.paths.runs(),
            who: self.who.clone(),
            clock: Arc::new(move || clock.now()),
            armed: Arc::new(move || console.upgrade().is_some_and(|console| console.is_armed(&armed))),
        })
    }

    /// What facts say of a runbook's inputs: each is asked with what they say of those before it.
    async fn find(&self, env: &EnvName, runbook: &str) -> Result<Vec<InputView>, String> {
        let env = self.environment(env)?;
        let (library, _) = Library::load(&self.needs.paths.runbooks());
        let runbook = library.get(runbook).ok_or_else(|| format!("there is no runbook {runbook}"))?;
        let reach = self.reach(&env);
        let (mut values, mut views) = (BTreeMap::new(), Vec::new());
        for input in runbook.inputs.iter().filter(|input| input.find.is_some()) {
            let found = planner::find(&runbook, &env, input, &values, &*reach).await;
            let view = answered(inputs::view(input, &env), found);
            if let Some(default) = &view.default {
                values.insert(input.name.clone(), Zeroizing::new(default.to_string()));
            }
            views.push(view);
        }
        Ok(views)
    }

    async fn plan(
        &self,
        env: &EnvName,
        runbook: &str,
        inputs: Vec<(String, Zeroizing<String>)>,
    ) -> Result<(Plan, jumpdeck_fleet::run::PlanView), String> {
        let env = self.environment(env)?;
        let (library, _) = Library::load(&self.needs.paths.runbooks());
        let runbook = library.get(runbook).ok_or_else(|| format!("there is no runbook {runbook}"))?;
        let reach = self.reach(&env);
        let simulated = self.needs.fleet.simulated;
        let inputs = inputs.into_iter().collect();
        let made = planner::make(runbook, &env, simulated, inputs, &BTreeMap::new(), &*reach).await;
        if self.fleet().environment(&env.name) != Some(&env) {
            return Err("the inventory changed while the plan was made; make it again".to_owned());
        }
        made.map_err(|error| error.to_string())
    }

    async fn resume(self: &Arc<Self>, run: &str) -> Result<RunHandle, String> {
        let began = past::began_in(&self.needs.paths.runs(), run).map_err(|error| error.to_string())?;
        if began.simulated != self.needs.fleet.simulated {
            let kind = if began.simulated { "a simulated" } else { "a real" };
            return Err(format!("this run is of {kind} fleet, not of the one on screen"));
        }
        if began.simulated && !self.lock().own.contains(run) {
            return Err(hint::WORLD_GONE.to_owned());
        }
        let runbook = Runbook::from_sources(&began.plan.sources)?;
        if runbook.inputs.iter().any(|input| input.sensitive) {
            return Err(format!(
                "it needs secrets that are kept nowhere, typed again:\n{}",
                hint::resume(run, &self.needs.tail)
            ));
        }
        let env = EnvName::new(&began.plan.environment).map_err(|error| error.to_string())?;
        let handle = runner::resume(self.launch(&env)?, run, std::collections::BTreeMap::new()).await;
        handle.map_err(|error| error.to_string())
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
                let effects = now.in_effect.iter().map(InEffect::line).collect();
                self.lock().in_effect.insert(now.id.clone(), effects);
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
        if !self.needs.tail.is_empty()
            && asks(&view)
            && let Some(Prompt { kind: PromptKind::Approve(words), .. }) =
                &mut Arc::make_mut(&mut view).prompt
        {
            *words = Clean::new(&format!("{words}{}", self.needs.tail));
        }
        view
    }

    async fn list(&self, env: &EnvName) -> Result<(), String> {
        let env = self.environment(env)?;
        let (library, errors) = Library::load(&self.needs.paths.runbooks());
        let mut listing = listing::of(&env, &library, &self.needs.paths.runs(), self.needs.fleet.simulated);
        if self.needs.fleet.simulated {
            // The fleets of other processes are gone.
            let state = self.lock();
            listing.runs.retain(|run| state.own.contains(&run.id));
        }
        listing.troubles.extend(errors.iter().map(|error| Clean::new(&error.to_string())));
        self.tell(RunEvent::List(Arc::new(listing.clone()))).await;
        // The jump box may take its time; what is on this machine is on screen already.
        match listing::held(&*self.reach(&env), &env).await {
            Ok(held) if held.is_empty() => return Ok(()),
            Ok(held) => {
                let mut state = self.lock();
                state.held.extend(held.iter().map(|brief| (brief.id.clone(), env.name.clone())));
                let own = |id: &String| state.runs.contains_key(id);
                listing::merge(&mut listing, held.into_iter().filter(|brief| !own(&brief.id)).collect());
            }
            Err(why) => listing.troubles.push(why),
        }
        self.tell(RunEvent::List(Arc::new(listing))).await;
        Ok(())
    }
}

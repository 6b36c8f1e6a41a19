//! The sessions of one lane with an environment's hosts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{Shared, WeakShared};

use super::BoxFuture;
use super::connection::{Connector, HostConnection, JumpConnection, Lane};
use super::error::{ErrorKind, TransportError};
use super::session::Session;
use super::way_in::{of_a_run, way_in};
use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::fleet::{Environment, Host, Jump, JumpBox};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::{HostId, HostName};
use jumpdeck_fleet::snapshot::Retry;
use jumpdeck_fleet::text::Clean;

/// Sessions with the hosts of an environment. A connection that was lost is opened anew by the next call; nothing is repeated
/// automatically.
pub trait HostSessions: Send + Sync + 'static {
    /// A session with a host; the jump box's own name reaches it over the connection there.
    fn host<'a>(&'a self, host: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>>;

    /// The jump box's name.
    fn jump(&self) -> &HostName;
}

/// Sessions over one connection to the jump box, which is opened when it is first needed. Each target is logged in to once,
/// however many wait for it; nobody waits for a login to another.
pub struct SessionPool {
    shared: Arc<PoolParts>,
}

/// What logins work with: they go on for as long as somebody waits for them.
struct PoolParts {
    connector: Arc<dyn Connector>,
    env: Arc<Environment>,
    lane: Lane,
    /// Held for moments only: never during a login or a question.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jump: LoginTarget<dyn JumpConnection>,
    hosts: BTreeMap<HostName, LoginTarget<dyn HostConnection>>,
    /// Why an operator is asked before the next login: it may send a push or count as an attempt.
    ask_first: Option<Clean>,
}

type LoggingIn<T> = BoxFuture<'static, Result<Arc<T>, TransportError>>;

/// Who is logged in to: the connection there, or a login under way, which goes with the last who waits for it.
struct LoginTarget<T: ?Sized> {
    live: Option<Arc<T>>,
    login: Option<WeakShared<LoggingIn<T>>>,
}

impl<T: ?Sized> Default for LoginTarget<T> {
    fn default() -> Self {
        Self { live: None, login: None }
    }
}

impl<T: ?Sized> LoginTarget<T> {
    /// The login under way, or else this one.
    fn join(&mut self, begin: impl FnOnce() -> LoggingIn<T>) -> Shared<LoggingIn<T>> {
        let under_way = self.login.as_ref().and_then(WeakShared::upgrade);
        // One that is over has been told to those who waited.
        if let Some(login) = under_way.filter(|login| login.peek().is_none()) {
            return login;
        }
        let login = begin().shared();
        self.login = login.downgrade();
        login
    }
}

impl SessionPool {
    /// Sessions in a lane. Nothing is connected yet.
    #[must_use]
    pub fn new(connector: Arc<dyn Connector>, env: Arc<Environment>, lane: Lane) -> Self {
        Self { shared: Arc::new(PoolParts { connector, env, lane, state: Mutex::default() }) }
    }

    /// The connection to the jump box in use, or a new one when there is none or it has ended.
    async fn jump_connection(&self) -> Result<Arc<dyn JumpConnection>, TransportError> {
        let login = {
            let mut state = self.shared.state();
            if let Some(jump) = &state.jump.live {
                if !jump.is_closed() {
                    return Ok(jump.clone());
                }
                if jump.was_interactive() {
                    state.ask_first = Some("the connection to the jump box was lost".into());
                }
                state.jump.live = None;
                state.hosts.clear();
            }
            state.jump.join(|| Box::pin(self.shared.clone().log_in()))
        };
        login.await
    }
}

impl PoolParts {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn log_in(self: Arc<Self>) -> Result<Arc<dyn JumpConnection>, TransportError> {
        let ask_first = self.state().ask_first.clone();
        if let Some(why) = ask_first {
            self.ask_to_log_in_again(&why).await?;
        }
        let connected = match self.lane {
            Lane::Run => {
                let connected = self.connector.connect(&self.env, self.lane).await;
                connected.map_err(|error| of_a_run(&self.env, error))
            }
            Lane::Probe | Lane::Person => match way_in(&*self.connector, &self.env, self.lane).await {
                Ok(by) => Ok(by.jump),
                Err(none) => Err(none.into_error()),
            },
        };
        let mut state = self.state();
        match &connected {
            Ok(jump) => (state.ask_first, state.jump.live) = (None, Some(jump.clone())),
            Err(error) if error.retry == Retry::ByOperator => state.ask_first = Some(error.detail.clone()),
            Err(_) => {}
        }
        connected
    }

    async fn log_in_to(
        self: Arc<Self>,
        jump: Arc<dyn JumpConnection>,
        host: Arc<Host>,
    ) -> Result<Arc<dyn HostConnection>, TransportError> {
        let connection = jump.host(&host).await?;
        let mut state = self.state();
        // Behind a jump box that was lost meanwhile it has ended, too: whoever wants it next logs in anew.
        state.hosts.entry(host.id.host.clone()).or_default().live = Some(connection.clone());
        Ok(connection)
    }

    /// No push is sent and no attempt counted that an operator did not want.
    async fn ask_to_log_in_again(&self, why: &Clean) -> Result<(), TransportError> {
        let hop = Hop::Jump(self.env.jump.name().clone());
        let question = QuestionKind::LogInAgain { why: why.clone() };
        match self.connector.ask().ask(&self.env.name, &hop, question).await {
            Answer::Accept => Ok(()),
            Answer::Refuse | Answer::Secret(_) => {
                let detail =
                    format!("not logged in again (declined by you, or nobody is here to ask): {why}");
                Err(TransportError::new(&hop, ErrorKind::AuthFailed, detail).by_operator())
            }
        }
    }
}

/// What is known of a host, or of a jump box that is none of the hosts.
///
/// # Errors
/// When the environment has no such host.
pub fn description(env: &Environment, name: &HostName) -> Result<Arc<Host>, TransportError> {
    if let Some(host) = env.host(name) {
        return Ok(host.clone());
    }
    // A jump box need be none of the hosts.
    let first = match &env.jump {
        Jump::Remote(jump) => Some(jump),
        Jump::Local { .. } => None,
    };
    let mut jumps = first.into_iter().chain(&env.second_jump).flat_map(JumpBox::route);
    if let Some(jump) = jumps.find(|jump| jump.name == *name) {
        return Ok(Arc::new(Host {
            id: HostId { env: env.name.clone(), host: name.clone() },
            peers: [].into(),
            database_files: [].into(),
            address: jump.address.clone(),
            port: jump.port,
            access: jump.access.clone(),
            roles: Vec::new(),
            roles_declared: true,
            hostname: None,
            sudo: false,
            services: Vec::new(),
            backups: Vec::new(),
            checks: Vec::new(),
            unwatched: Vec::new(),
            logs: Vec::new(),
        }));
    }
    let detail = format!("{name} is not a host of environment {}", env.name);
    Err(TransportError::new(&Hop::Here, ErrorKind::Refused, detail))
}

impl HostSessions for SessionPool {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            let jump = self.jump_connection().await?;
            let host = description(&self.shared.env, name)?;
            let login = {
                let mut state = self.shared.state();
                let target = state.hosts.entry(name.clone()).or_default();
                target.live = target.live.take().filter(|host| !host.is_closed());
                if let Some(host) = &target.live {
                    return Ok(host.clone() as Arc<dyn Session>);
                }
                target.join(|| Box::pin(self.shared.clone().log_in_to(jump, host)))
            };
            Ok(login.await? as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        self.shared.env.jump.name()
    }
}

#[cfg(test)]
mod tests;

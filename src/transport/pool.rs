//! The sessions of one lane with an environment's hosts.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::BoxFuture;
use super::connection::{Connector, HostConnection, JumpConnection, Lane};
use super::error::{ErrorKind, TransportError};
use super::session::Session;
use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::fleet::{Environment, Host, Jump};
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

/// Sessions over one connection to the jump box, which is opened when it is first needed.
pub struct SessionPool {
    connector: Arc<dyn Connector>,
    env: Arc<Environment>,
    lane: Lane,
    links: Mutex<Links>,
}

#[derive(Default)]
struct Links {
    jump: Option<Arc<dyn JumpConnection>>,
    hosts: BTreeMap<HostName, Arc<dyn HostConnection>>,
    /// Why an operator is asked before the next login: it may send a push or count as an attempt.
    ask_first: Option<Clean>,
}

impl SessionPool {
    /// Sessions in a lane. Nothing is connected yet.
    #[must_use]
    pub fn new(connector: Arc<dyn Connector>, env: Arc<Environment>, lane: Lane) -> Self {
        Self { connector, env, lane, links: Mutex::default() }
    }

    /// The jump link in use, or a new one when there is none or it has ended.
    async fn jump_link(&self) -> Result<Arc<dyn JumpConnection>, TransportError> {
        let mut links = self.links.lock().await;
        if let Some(jump) = &links.jump
            && !jump.is_closed()
        {
            return Ok(jump.clone());
        }
        links.hosts.clear();
        if links.jump.take().is_some_and(|jump| jump.was_interactive()) {
            links.ask_first = Some("the connection to the jump box was lost".into());
        }
        if let Some(why) = &links.ask_first {
            self.ask_to_log_in_again(why).await?;
        }
        let link = match self.connector.connect(&self.env, self.lane).await {
            Ok(link) => link,
            Err(error) => {
                if error.retry == Retry::ByOperator {
                    links.ask_first = Some(error.detail.clone());
                }
                return Err(error);
            }
        };
        links.ask_first = None;
        links.jump = Some(link.clone());
        Ok(link)
    }

    /// No push is sent and no attempt counted that an operator did not want.
    async fn ask_to_log_in_again(&self, why: &Clean) -> Result<(), TransportError> {
        let hop = Hop::Jump(self.env.jump.name().clone());
        match self
            .connector
            .ask()
            .ask(&self.env.name, &hop, QuestionKind::LogInAgain { why: why.clone() })
            .await
        {
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
    if let Jump::Remote(jump) = &env.jump
        && let Some(jump) = jump.route().into_iter().find(|jump| jump.name == *name)
    {
        return Ok(Arc::new(Host {
            id: HostId { env: env.name.clone(), host: name.clone() },
            address: jump.address.clone(),
            port: jump.port,
            access: jump.access.clone(),
            roles: Vec::new(),
            roles_declared: true,
            hostname: None,
            sudo: false,
        }));
    }
    let detail = format!("{name} is no host of environment {}", env.name);
    Err(TransportError::new(&Hop::Here, ErrorKind::Refused, detail))
}

impl HostSessions for SessionPool {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            let jump = self.jump_link().await?;
            let known = self.links.lock().await.hosts.get(name).cloned();
            if let Some(host) = known
                && !host.is_closed()
            {
                return Ok(host as Arc<dyn Session>);
            }
            let host = jump.host(description(&self.env, name)?.as_ref()).await?;
            self.links.lock().await.hosts.insert(name.clone(), host.clone());
            Ok(host as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        self.env.jump.name()
    }
}

#[cfg(test)]
mod tests;

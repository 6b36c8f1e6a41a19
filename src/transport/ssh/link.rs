//! The links `collect` uses: to the jump box, and through it to each host.

mod host;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use jumpdeck_fleet::fleet::{Environment, Host, Jump, JumpBox};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::text::Clean;

use super::asker::Asker;
use super::client::FarEnd;
use super::connection::{self, SshConnection};
use super::dial::{BoxStream, Dial};
use super::patience::Patience;
use super::ring::KeyRing;
use super::script;
use super::tunnel::Tunnel;
use crate::listening::within;
use crate::transport::ask::AskPerson;
use crate::transport::banner::Banner;
use crate::transport::error::{ErrorKind, TransportError};
pub use host::HostLink;
use host::HostRoute;

/// Logins under way at once behind one jump box, so that a large fleet does not come as one burst. `MaxStartups` (10:30:100)
/// does not set it: every sshd counts the logins it is asked for itself, and sees one of ours.
const LOGINS_AT_ONCE: usize = 64;
/// A session is opened within this, or refused.
const SESSION_LIMIT: Duration = Duration::from_secs(10);

/// The way into an environment: a connection to its jump box, or none when this machine is it. Dropping it ends every
/// link through it.
pub struct JumpLink {
    env: EnvName,
    name: HostName,
    connection: Option<Arc<SshConnection>>,
    /// The jump boxes before it, in the order of the route.
    before: Vec<(HostName, Arc<SshConnection>)>,
    /// Which jump box of the route is being asked for a sign of life.
    asking: AtomicUsize,
    logins: Arc<Semaphore>,
    connect: Duration,
    dial: Arc<dyn Dial>,
    ask: Arc<dyn AskPerson>,
    ring: Arc<KeyRing>,
}

impl fmt::Debug for JumpLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JumpLink").field("env", &self.env).field("name", &self.name).finish_non_exhaustive()
    }
}

impl JumpLink {
    /// Opens the way into `env`.
    ///
    /// # Errors
    /// What went wrong, at which hop. Nothing is tried again by itself.
    pub async fn open(
        env: &Environment,
        dial: Arc<dyn Dial>,
        ask: Arc<dyn AskPerson>,
        ring: Arc<KeyRing>,
    ) -> Result<Self, TransportError> {
        let mut link = Self {
            env: env.name.clone(),
            name: env.jump.name().clone(),
            connection: None,
            before: Vec::new(),
            asking: AtomicUsize::new(0),
            logins: Arc::new(Semaphore::new(LOGINS_AT_ONCE)),
            connect: env.cadence.connect,
            dial,
            ask,
            ring,
        };
        if let Jump::Remote(jump) = &env.jump {
            for next in jump.route() {
                link.go_on_to(next).await?;
                // A session of its own would take the only place of a server with `MaxSessions 1` from the host's probe.
                if let Some(connection) = &link.connection
                    && !env.hosts.iter().any(|host| host.id.host == next.name)
                {
                    tokio::spawn(warm_up(connection.clone()));
                }
            }
        }
        Ok(link)
    }

    /// Logs in to the next jump box of the route: from here, or through the one before it.
    async fn go_on_to(&mut self, next: &JumpBox) -> Result<(), TransportError> {
        let connection = Arc::new(self.connect_to(&FarEnd::of_jump(next)).await?);
        let before = std::mem::replace(&mut self.name, next.name.clone());
        self.before.extend(self.connection.replace(connection).map(|connection| (before, connection)));
        Ok(())
    }

    /// A connection through the last jump box, or from here.
    async fn connect_to(&self, target: &FarEnd) -> Result<SshConnection, TransportError> {
        match &self.connection {
            Some(jump) => match self.log_in(target, self.tunnel_to(jump, target)).await {
                Ok(connection) => Ok(connection),
                Err(error) => Err(jump.ended().blame(error).await),
            },
            None => self.log_in(target, self.dial_to(target)).await,
        }
    }

    /// The connection to the last jump box; `None` when this machine is it.
    pub(super) fn jump(&self) -> Option<&Arc<SshConnection>> {
        self.connection.as_ref()
    }

    /// What opens connections from this machine.
    pub(super) fn dialer(&self) -> &dyn Dial {
        self.dial.as_ref()
    }

    /// The connection to a jump box of that name.
    fn jump_named(&self, name: &HostName) -> Option<&Arc<SshConnection>> {
        let before = self.before.iter().find(|(jump, _)| jump == name).map(|(_, connection)| connection);
        before.or_else(|| self.connection.as_ref().filter(|_| name == &self.name))
    }

    /// Logs in to a host. At most 64 at once; the rest wait their turn, which does not count against their deadline.
    /// A jump box is reached over its own connection, this machine without any.
    ///
    /// # Errors
    /// What went wrong, at which hop. Nothing is tried again by itself.
    pub async fn host(&self, host: &Host) -> Result<HostLink, TransportError> {
        let hop = Hop::Host(host.id.host.clone());
        if let Some(jump) = self.jump_named(&host.id.host) {
            return Ok(HostLink { hop, way: HostRoute::Ssh(jump.clone()), spare: None });
        }
        if self.is_local() && host.id.host == self.name {
            return Ok(HostLink { hop, way: HostRoute::Here, spare: None });
        }
        let target = FarEnd {
            hop: hop.clone(),
            address: host.address.clone(),
            port: host.port,
            access: host.access.clone(),
        };
        let connection = self.connect_to(&target).await?;
        Ok(HostLink { hop, way: HostRoute::Ssh(Arc::new(connection)), spare: None })
    }

    /// One round trip to the jump box, after one to each jump box before it; zero when this machine is it.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn ping(&self) -> Result<Duration, TransportError> {
        let mut last = Duration::ZERO;
        for (at, (_, connection)) in self.route().enumerate() {
            self.asking.store(at, Ordering::Relaxed);
            last = connection.ping().await?;
        }
        Ok(last)
    }

    /// Which jump box is silent, after a sign of life did not come: the one that was asked for it, unless one before it
    /// does not answer within `limit` any more. It may have gone silent after its own answer, and nobody behind it can
    /// answer then.
    pub async fn silent_hop(&self, limit: Duration) -> Option<Hop> {
        let asked = self.asking.load(Ordering::Relaxed);
        for (_, (name, connection)) in self.route().enumerate().take_while(|(at, _)| *at < asked) {
            if !matches!(within(limit, connection.ping()).await, Some(Ok(_))) {
                return Some(Hop::Jump(name.clone()));
            }
        }
        let (name, _) = self.route().nth(asked)?;
        Some(Hop::Jump(name.clone()))
    }

    /// The jump boxes in the order of the route.
    fn route(&self) -> impl Iterator<Item = (&HostName, &Arc<SshConnection>)> {
        let before = self.before.iter().map(|(name, connection)| (name, connection));
        before.chain(self.connection.iter().map(|connection| (&self.name, connection)))
    }

    /// Waits until the connection has ended, and says why. Never ends when this machine is the jump box. Cancel-safe.
    pub async fn closed(&self) -> TransportError {
        match &self.connection {
            Some(connection) => connection.ended().wait().await,
            None => std::future::pending().await,
        }
    }

    /// Whether the connection has ended. Never for this machine.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.ended().has_come())
    }

    /// What the jump box said before authentication.
    #[must_use]
    pub fn banner(&self) -> Vec<Clean> {
        self.connection.as_ref().map(|c| c.banner().to_vec()).unwrap_or_default()
    }

    /// Whether an operator took part in a login: the next one may send a push.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.route().any(|(_, connection)| connection.is_interactive())
    }

    /// Whether this machine is the jump box.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.connection.is_none()
    }

    /// One deadline for everything, from the first packet to the end of the login.
    async fn log_in(
        &self,
        target: &FarEnd,
        stream: impl Future<Output = Result<BoxStream, TransportError>>,
    ) -> Result<SshConnection, TransportError> {
        let place = self.logins.clone().acquire_owned().await.ok();
        let patience = Arc::new(Patience::new(self.connect, place));
        let banner = Arc::new(Banner::default());
        let asker = Arc::new(Asker {
            env: self.env.clone(),
            ask: self.ask.clone(),
            patience: patience.clone(),
            banner: banner.clone(),
        });
        let through = self.connection.as_ref().map(|jump| jump.ended());
        let work =
            async { SshConnection::open(stream.await?, target, asker, self.ring.clone(), through).await };
        let error = match patience.run(work).await {
            Some(Ok(opened)) => return Ok(opened),
            Some(Err(error)) => error,
            None => TransportError::new(&target.hop, ErrorKind::TimedOut, patience.too_slow()),
        };
        let error = if error.hop == target.hop { error.quoting(banner.last_message()) } else { error };
        Err(if patience.is_interactive() { error.by_operator() } else { error })
    }

    async fn dial_to(&self, target: &FarEnd) -> Result<BoxStream, TransportError> {
        let dialled = self.dial.dial(&target.address, target.port).await;
        dialled.map_err(|e| {
            let kind = match e.kind() {
                io::ErrorKind::TimedOut => ErrorKind::TimedOut,
                _ => ErrorKind::Unreachable,
            };
            TransportError::new(
                &target.hop,
                kind,
                format!("no connection to {}:{}: {e}", target.address, target.port),
            )
        })
    }

    async fn tunnel_to(&self, jump: &SshConnection, target: &FarEnd) -> Result<BoxStream, TransportError> {
        match jump.direct_tcpip(&target.address, target.port).await {
            Ok(channel) => Ok(Box::new(Tunnel::new(channel)) as BoxStream),
            Err(e) => Err(connection::tunnel_refused(&Hop::Jump(self.name.clone()), target, &e)),
        }
    }
}

/// A jump connection that only forwards stays slow (306 against 223 ms a handshake, measured at 40 ms round trip):
/// sshd turns TCP_NODELAY on with the first session. A refusal (`MaxSessions 0`) does no harm.
async fn warm_up(connection: Arc<SshConnection>) {
    let ended = connection.ended().clone();
    if let Ok(channel) = connection.session().await
        && let Ok(script) = script::spawn_remote(&Hop::Here, channel, "true", ended).await
    {
        drop(connection);
        // How it ends is of no interest.
        let _ = script.finish(&[], SESSION_LIMIT).await;
    }
}

//! One SSH connection: verified, logged in, watched.

use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::client::{self, Config, GexParams, Handle, Msg};
use russh::{Channel, ChannelOpenFailure};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

use super::algorithms;
use super::asker::Asker;
use super::auth::{self, Login};
use super::client::{Client, FarEnd};
use super::dial::BoxStream;
use super::guarded::Guarded;
use super::ring::KeyRing;
use crate::openssh::known_hosts::HostKeys;
use crate::transport::advice;
use crate::transport::error::{ErrorKind, TransportError};

/// Silence is asked about after this.
const KEEPALIVE: Duration = Duration::from_secs(2);
/// This many questions without an answer are borne: a dead link is known after `KEEPALIVE * (KEEPALIVE_MAX + 1)`.
const KEEPALIVE_MAX: usize = 3;
/// A write may wait this long for the other side to read; as long as keepalives may stay unanswered.
const STALL: Duration = Duration::from_secs(8);
/// A report is some 20 kB; this is for one with much to say.
const WINDOW: u32 = 256 * 1024;

/// A logged-in connection. Dropping it ends it.
pub(super) struct SshConnection {
    handle: Arc<Handle<Client>>,
    ended: Ended,
    banner: Vec<Clean>,
    interactive: bool,
    _end: DropGuard,
}

/// Knows whether a connection has ended, and why, without keeping it alive.
#[derive(Clone)]
pub(super) struct Ended {
    why: watch::Receiver<Option<TransportError>>,
    hop: Hop,
    /// The connection this one goes through.
    through: Option<Box<Ended>>,
}

impl Ended {
    /// Whether the end has come. (Its reason may take a moment more: the connection this one goes through is asked.)
    pub(super) fn has_come(&self) -> bool {
        self.why.borrow().is_some() || self.why.has_changed().is_err()
    }

    /// Waits for the end, and says why: the connection this one goes through, when it was that. Cancel-safe.
    pub(super) async fn wait(&self) -> TransportError {
        let mut why = self.why.clone();
        let ended = why.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        let why = ended
            .unwrap_or_else(|| TransportError::new(&self.hop, ErrorKind::Dropped, "the connection ended"));
        match &self.through {
            Some(through) => through.blame(why).await,
            None => why,
        }
    }

    /// What went wrong with something that went through this connection: the connection's end, when it has ended.
    pub(super) async fn blame(&self, error: TransportError) -> TransportError {
        match error.kind {
            ErrorKind::Dropped | ErrorKind::TimedOut => Box::pin(self.soon()).await.unwrap_or(error),
            _ => error,
        }
    }

    /// The end, when it has come or comes at once.
    async fn soon(&self) -> Option<TransportError> {
        tokio::time::timeout(Duration::from_millis(50), self.wait()).await.ok()
    }
}

impl SshConnection {
    /// Key exchange, verification and login over a stream that is already open. The caller holds the deadline.
    pub(super) async fn open(
        stream: BoxStream,
        target: &FarEnd,
        asker: Arc<Asker>,
        ring: Arc<KeyRing>,
        through: Option<&Ended>,
    ) -> Result<Self, TransportError> {
        let hop = &target.hop;
        let mut known = HostKeys::load(&target.access.known_hosts)
            .await
            .map_err(|e| TransportError::new(&Hop::Here, ErrorKind::KnownHostsFile, e.to_string()))?;
        known.add_text(&ring.accepted(&asker.env), "accepted before");
        let (address, port) = target.known_as();
        known.keep_only(address, port);
        let config = Arc::new(config(&known, target));
        let end = CancellationToken::new();
        let guard = end.clone().drop_guard();
        let (why, ended) = watch::channel(None);
        let client = Client {
            target: target.clone(),
            known: known.clone(),
            asker: asker.clone(),
            ring: ring.clone(),
            end: end.clone(),
            ended: why,
        };
        asker.patience.stage("in the SSH handshake");
        let stream = Guarded::new(stream, &end, STALL);
        let mut handle = client::connect_stream(config, stream, client)
            .await
            .map_err(|fault| fault.during_handshake(target, &known))?;
        let binding = handle.agent_session_binding();
        if !binding.is_some_and(|binding| algorithms::is_signed_safely(binding.signature())) {
            let detail = "it proves its host key with an algorithm that is no longer safe (SHA-1)";
            return Err(TransportError::new(hop, ErrorKind::Algorithms, detail));
        }
        asker.patience.stage("while logging in");
        let ended = Ended { why: ended, hop: hop.clone(), through: through.cloned().map(Box::new) };
        let login = Login { hop, access: &target.access, asker: &asker, ring: &ring };
        if let Err(refused) = auth::log_in(&mut handle, &login).await {
            let hung_up = if handle.is_closed() { ended.soon().await } else { None };
            // When the server hung up, that is what happened; unless keys were refused before.
            return Err(hung_up.filter(|_| refused.kind != ErrorKind::AuthFailed).unwrap_or(refused));
        }
        let (banner, interactive) = (asker.banner.lines(), asker.patience.is_interactive());
        Ok(Self { handle: Arc::new(handle), ended, banner, interactive, _end: guard })
    }

    /// What the server said before authentication.
    pub(super) fn banner(&self) -> &[Clean] {
        &self.banner
    }

    /// Whether an operator had to take part in the login: the next one may send a push.
    pub(super) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// For waiting on its end.
    pub(super) fn ended(&self) -> &Ended {
        &self.ended
    }

    /// One round trip.
    pub(super) async fn ping(&self) -> Result<Duration, TransportError> {
        let begun = Instant::now();
        tokio::select! {
            biased;
            why = self.ended.wait() => Err(why),
            sent = self.handle.send_ping() => match sent {
                // russh takes a connection that ended meanwhile for an answer.
                Ok(()) if !self.handle.is_closed() => Ok(begun.elapsed()),
                _ => Err(self.ended.wait().await),
            },
        }
    }

    /// A session channel.
    pub(super) async fn session(&self) -> Result<Channel<Msg>, russh::Error> {
        open_channel(self.opening()).await
    }

    /// Opens a session channel; whoever drops this forgets a channel that the server may still open.
    pub(super) fn opening(
        &self,
    ) -> impl Future<Output = Result<Channel<Msg>, russh::Error>> + Send + use<> + 'static {
        let handle = self.handle.clone();
        async move { handle.channel_open_session().await }
    }

    /// A channel to a TCP port, as the machine at the other end sees it.
    pub(super) async fn direct_tcpip(&self, address: &str, port: u16) -> Result<Channel<Msg>, russh::Error> {
        let (handle, address) = (self.handle.clone(), address.to_owned());
        open_channel(async move {
            handle.channel_open_direct_tcpip(address, u32::from(port), "127.0.0.1", 0).await
        })
        .await
    }
}

/// Opens a channel in a task of its own: when the caller has gone by the time the server answers (a dead host takes
/// minutes), the channel is closed, not forgotten.
async fn open_channel(
    opening: impl Future<Output = Result<Channel<Msg>, russh::Error>> + Send + 'static,
) -> Result<Channel<Msg>, russh::Error> {
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        if let Err(Ok(unwanted)) = tell.send(opening.await) {
            // An error means that the connection is gone, and the channel with it.
            let _ = unwanted.close().await;
        }
    });
    told.await.unwrap_or(Err(russh::Error::Disconnect))
}

fn config(known: &HostKeys, target: &FarEnd) -> Config {
    let (address, port) = target.known_as();
    let host_keys = known.algorithms(address, port);
    let certificates = known.has_authority(address, port);
    Config {
        preferred: algorithms::preferred(host_keys, certificates),
        window_size: WINDOW,
        channel_buffer_size: 32,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVE_MAX,
        // Big enough to be safe, small enough for old servers to have at hand.
        gex: GexParams::new(2048, 3072, 8192).unwrap_or_default(),
        nodelay: true,
        ..Config::default()
    }
}

/// Why a jump box did not connect us to a host, in words, and whose fault that is.
pub(super) fn tunnel_refused(jump: &Hop, target: &FarEnd, error: &russh::Error) -> TransportError {
    let at = format!("{}:{}", target.address, target.port);
    match error {
        russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed) => TransportError::new(
            &target.hop,
            ErrorKind::Unreachable,
            format!("{jump} cannot connect to {at} (refused, no route, or no such name)"),
        ),
        russh::Error::ChannelOpenFailure(why) => TransportError::new(
            jump,
            ErrorKind::Refused,
            format!("{jump} refuses to connect to {at}: {}", why.description()),
        )
        .advising(&advice::TUNNEL),
        _ => TransportError::new(jump, ErrorKind::Dropped, "the connection ended"),
    }
}

//! What one connection does when the server speaks first: has its key verified, keeps its banner, refuses its
//! channels, notes its end.

mod verify;

use std::io;
use std::sync::Arc;

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{AlgorithmKind, Channel, ChannelOpenFailure, Disconnect, Names};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use jumpdeck_fleet::access::Access;
use jumpdeck_fleet::fleet::JumpBox;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::text::Clean;

use super::algorithms;
use super::asker::Asker;
use super::ring::KeyRing;
use crate::openssh::known_hosts::{HostKeys, KnownKey};
use crate::transport::advice;
use crate::transport::error::{ErrorKind, TransportError};
use verify::list;

/// The machine at the other end.
#[derive(Clone)]
pub(super) struct FarEnd {
    pub(super) hop: Hop,
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) access: Arc<Access>,
}

impl FarEnd {
    /// A jump box as a target.
    pub(super) fn of_jump(jump: &JumpBox) -> Self {
        let (address, port) = (jump.address.clone(), jump.port);
        Self { hop: Hop::Jump(jump.name.clone()), address, port, access: jump.access.clone() }
    }

    /// The address and the port that its host keys are known by: an alias has no port, as `HostKeyAlias` of `ssh`.
    pub(super) fn known_as(&self) -> (&str, u16) {
        match self.access.known_hosts.alias() {
            Some(alias) => (alias, 22),
            None => (&self.address, self.port),
        }
    }
}

/// The handler russh calls.
pub(in crate::transport::ssh) struct Client {
    pub(super) target: FarEnd,
    pub(super) known: HostKeys,
    pub(super) asker: Arc<Asker>,
    pub(super) ring: Arc<KeyRing>,
    pub(super) end: CancellationToken,
    pub(super) ended: watch::Sender<Option<TransportError>>,
}

/// Why the session stopped: our own refusal, or russh's error.
#[derive(Debug)]
pub(in crate::transport::ssh) enum Fault {
    Ours(TransportError),
    Russh(russh::Error),
}

impl From<russh::Error> for Fault {
    fn from(error: russh::Error) -> Self {
        Self::Russh(error)
    }
}

impl Client {
    pub(super) fn error(&self, kind: ErrorKind, detail: impl AsRef<str>) -> TransportError {
        TransportError::new(&self.target.hop, kind, detail)
    }
}

impl Fault {
    /// In words, for a failure before the connection stands.
    pub(super) fn during_handshake(self, target: &FarEnd, known: &HostKeys) -> TransportError {
        let error = match self {
            Fault::Ours(error) => return error,
            Fault::Russh(error) => error,
        };
        let (address, port) = target.known_as();
        let keys = known.known_keys(address, port);
        match &error {
            // It has a key of a known kind, and no way to prove that it holds it which is safe.
            russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, theirs, .. }
                if keys.iter().any(|known| known.is_readable() && theirs.contains(&known.algorithm)) =>
            {
                TransportError::new(&target.hop, ErrorKind::Algorithms, unprovable(&keys, theirs))
                    .advising(&advice::HOST_KEY_PROOF)
            }
            russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, .. }
                if !keys.is_empty() && !keys.iter().any(KnownKey::is_readable) =>
            {
                let detail =
                    format!("its known key cannot be read, so the host cannot be verified: {}", list(&keys));
                TransportError::new(&target.hop, ErrorKind::HostKeyUnreadable, detail)
            }
            // Only the kinds of key that are known were asked for.
            russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, theirs, .. } if !keys.is_empty() => {
                TransportError::new(
                    &target.hop,
                    ErrorKind::HostKeyChanged,
                    format!(
                        "it has no key of the known kind any more: it offers {}; known is {}",
                        theirs.join(" "),
                        list(&keys)
                    ),
                )
            }
            russh::Error::NoCommonAlgo { kind: AlgorithmKind::Kex, theirs, .. }
                if theirs.iter().any(|name| name.starts_with("sntrup761")) =>
            {
                TransportError::new(
                    &target.hop,
                    ErrorKind::Algorithms,
                    format!(
                        "its key exchange is sntrup761x25519-sha512 only, which is not supported here: it offers {}",
                        theirs.join(" ")
                    ),
                )
                .advising(&advice::SNTRUP)
            }
            russh::Error::NoCommonAlgo { kind, theirs, .. } => TransportError::new(
                &target.hop,
                ErrorKind::Algorithms,
                format!("no safe algorithm in common ({kind:?}): it offers {}", theirs.join(" ")),
            ),
            _ => in_words(&target.hop, &error),
        }
    }
}

/// Known host keys of kinds that the server has, and that prove nothing here.
fn unprovable(keys: &[KnownKey], theirs: &[String]) -> String {
    let kept: Vec<KnownKey> = keys
        .iter()
        .filter(|known| known.is_readable() && theirs.contains(&known.algorithm))
        .cloned()
        .collect();
    let why = match kept.iter().any(|known| known.algorithm == "ssh-rsa") {
        true => "with SHA-1 only (ssh-rsa)",
        false => "with algorithms only that are not supported here",
    };
    format!(
        "it proves its host key {why}, so the host cannot be verified: known is {}; it offers {}",
        list(&kept),
        theirs.join(" ")
    )
}

/// A connection's end, in words.
fn in_words(hop: &Hop, error: &russh::Error) -> TransportError {
    use russh::Error as E;
    match error {
        E::KeepaliveTimeout | E::InactivityTimeout | E::ConnectionTimeout => {
            TransportError::new(hop, ErrorKind::TimedOut, "it stopped answering")
        }
        E::IO(e) if e.kind() == io::ErrorKind::TimedOut => {
            TransportError::new(hop, ErrorKind::TimedOut, "it stopped reading")
        }
        E::IO(e) if e.kind() == io::ErrorKind::InvalidData => {
            TransportError::new(hop, ErrorKind::Protocol, format!("it does not speak SSH: {e}"))
        }
        E::IO(e) => TransportError::new(hop, ErrorKind::Dropped, format!("the connection was lost: {e}")),
        E::Disconnect | E::HUP | E::RecvError | E::SendError => {
            TransportError::new(hop, ErrorKind::Dropped, "it closed the connection")
        }
        other => TransportError::new(hop, ErrorKind::Protocol, format!("SSH failed: {other}")),
    }
}

impl Handler for Client {
    type Error = Fault;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, Fault> {
        let gone = || self.error(ErrorKind::Dropped, "given up");
        tokio::select! {
            biased;
            () = self.end.cancelled() => Err(Fault::Ours(gone())),
            verdict = self.verify(offered) => verdict.map(|()| true).map_err(Fault::Ours),
        }
    }

    async fn kex_done(&mut self, _: Option<&[u8]>, names: &Names, _: &mut Session) -> Result<(), Fault> {
        if !algorithms::is_open_to_terrapin(names) {
            return Ok(());
        }
        let detail =
            format!("it agrees on {} without strict key exchange (CVE-2023-48795)", names.cipher.as_ref());
        Err(Fault::Ours(self.error(ErrorKind::Algorithms, detail)))
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), Fault> {
        self.asker.banner.add(banner);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Fault>) -> Result<(), Fault> {
        let why = match reason {
            DisconnectReason::ReceivedDisconnect(said) => {
                let by_login = matches!(said.reason_code, Disconnect::NoMoreAuthMethodsAvailable)
                    || said.message.contains("authentication failures");
                let kind = if by_login { ErrorKind::AuthFailed } else { ErrorKind::Dropped };
                self.error(
                    kind,
                    format!("it closed the connection: {}", Clean::first_line(&said.message, 200)),
                )
            }
            DisconnectReason::Error(Fault::Ours(error)) => error,
            DisconnectReason::Error(Fault::Russh(error)) => in_words(&self.target.hop, &error),
        };
        self.ended.send_replace(Some(why));
        Ok(())
    }

    // A server has no business opening channels to us; russh would accept most kinds.

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Fault> {
        refuse(reply).await
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Fault> {
        refuse(reply).await
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Fault> {
        refuse(reply).await
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Fault> {
        refuse(reply).await
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Fault> {
        refuse(reply).await
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Fault> {
        refuse(reply).await
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Fault> {
        refuse(reply).await
    }
}

async fn refuse(reply: ChannelOpenHandle) -> Result<(), Fault> {
    reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
    Ok(())
}

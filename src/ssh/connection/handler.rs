//! What one connection does when the server speaks first: verifies its key, keeps its banner, refuses its channels,
//! notes its end.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{AlgorithmKind, Channel, ChannelOpenFailure, Disconnect, Names};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::access::KnownHosts;
use crate::domain::event::{Answer, QuestionKind};
use crate::domain::hop::Hop;
use crate::domain::text::Clean;

use super::super::algorithms;
use super::super::ask::Asker;
use super::super::error::{ErrorKind, SshError};
use super::super::known_hosts::{
    HOST_KEY_ALGORITHMS, HostKeys, KnownKey, Verdict, append, line_for, lookup_name,
};
use super::super::ring::KeyRing;
use super::Target;

/// A banner longer than this is cut.
const BANNER_LINES: usize = 60;

/// The handler russh calls.
pub(in crate::ssh) struct Client {
    pub(super) target: Target,
    pub(super) known: HostKeys,
    pub(super) asker: Arc<Asker>,
    pub(super) ring: Arc<KeyRing>,
    pub(super) end: CancellationToken,
    pub(super) ended: watch::Sender<Option<SshError>>,
    pub(super) banner: Arc<Mutex<Vec<Clean>>>,
}

/// Why the session stopped: our own refusal, or russh's error.
#[derive(Debug)]
pub(in crate::ssh) enum Fault {
    Ours(SshError),
    Russh(russh::Error),
}

impl From<russh::Error> for Fault {
    fn from(error: russh::Error) -> Self {
        Self::Russh(error)
    }
}

impl Client {
    fn error(&self, kind: ErrorKind, detail: impl AsRef<str>) -> SshError {
        SshError::new(&self.target.hop, kind, detail)
    }

    /// Judges what the server presented; asks a person about an unknown key.
    async fn verify(&self, offered: &PublicKeyOrCertificate) -> Result<(), SshError> {
        let (address, port) = (self.target.address.as_str(), self.target.port);
        let key = offered.public_key();
        let fingerprint = format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        let verdict = match offered.certificate() {
            Some(certificate) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
                self.known.judge_certificate(address, port, certificate, now)
            }
            None => self.known.judge(address, port, &key),
        };
        match verdict {
            Verdict::Known => Ok(()),
            Verdict::Unknown => self.ask_about(&key, &fingerprint).await,
            Verdict::Changed(known) => Err(self.error(
                ErrorKind::HostKeyChanged,
                format!("it offers {fingerprint}; known is {}", list(&known)),
            )),
            Verdict::OtherAlgorithm(known) => Err(self.error(
                ErrorKind::HostKeyChanged,
                format!("it offers {fingerprint}; known are other kinds only: {}", list(&known)),
            )),
            Verdict::Revoked(place) => {
                Err(self
                    .error(ErrorKind::HostKeyRevoked, format!("its key {fingerprint} is revoked ({place})")))
            }
            Verdict::BadCertificate(flaw) => Err(self.error(
                ErrorKind::HostCertificate,
                format!("its host certificate is not good: {flaw} ({fingerprint})"),
            )),
        }
    }

    async fn ask_about(&self, key: &PublicKey, fingerprint: &str) -> Result<(), SshError> {
        let (address, port) = (self.target.address.as_str(), self.target.port);
        let unknown = || self.error(ErrorKind::HostKeyUnknown, format!("unknown host key {fingerprint}"));
        if !HOST_KEY_ALGORITHMS.iter().any(|a| a.as_str() == key.algorithm().as_str() || same_rsa(a, key)) {
            return Err(unknown());
        }
        let access = &self.target.access;
        let _turn = self.asker.patience.pause(self.ring.host_turn(&lookup_name(address, port))).await;
        // Another connection may have asked about this host meanwhile.
        let mut known =
            HostKeys::load(&access.known_hosts).await.map_err(|e| self.file_error(&e.to_string()))?;
        known.add_text(&self.ring.accepted(&self.asker.env), "accepted before");
        match known.judge(address, port, key) {
            Verdict::Known => return Ok(()),
            Verdict::Unknown => {}
            _ => return Err(unknown()),
        }
        let file = match &access.known_hosts {
            KnownHosts::Files(files) => files.first().cloned(),
            KnownHosts::Text(_) => None,
        };
        let question = QuestionKind::UnknownHostKey {
            address: format!("{address}:{port}"),
            algorithm: key.algorithm().to_string(),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
            file: file
                .as_ref()
                .map_or_else(|| "memory, until the end".to_owned(), |f| f.display().to_string()),
        };
        match self.asker.put(&self.target.hop, question).await {
            Answer::Accept => self.accept(key, file).await,
            Answer::Refuse | Answer::Secret(_) => Err(unknown()),
        }
    }

    async fn accept(&self, key: &PublicKey, file: Option<PathBuf>) -> Result<(), SshError> {
        let (address, port) = (self.target.address.clone(), self.target.port);
        let Some(file) = file else {
            let line = line_for(&address, port, key).map_err(|e| self.file_error(&e))?;
            self.ring.accept(&self.asker.env, line);
            return Ok(());
        };
        let key = key.clone();
        let written = tokio::task::spawn_blocking(move || append(&file, &address, port, &key)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(self.file_error(&e.to_string())),
            Err(e) => Err(self.file_error(&e.to_string())),
        }
    }

    fn file_error(&self, detail: &str) -> SshError {
        SshError::new(&Hop::Here, ErrorKind::KnownHostsFile, detail)
    }
}

/// RSA keys carry no hash, algorithms do.
fn same_rsa(algorithm: &russh::keys::Algorithm, key: &PublicKey) -> bool {
    use russh::keys::Algorithm::Rsa;
    matches!((algorithm, key.algorithm()), (Rsa { .. }, Rsa { .. }))
}

fn list(known: &[KnownKey]) -> String {
    let each = known.iter().map(|k| format!("{} {} ({})", k.algorithm, k.fingerprint, k.place));
    each.collect::<Vec<_>>().join(", ")
}

impl Fault {
    /// In words, for a failure before the connection stands.
    pub(super) fn during_handshake(self, target: &Target, known: &HostKeys) -> SshError {
        let error = match self {
            Fault::Ours(error) => return error,
            Fault::Russh(error) => error,
        };
        let keys = known.known_keys(&target.address, target.port);
        match &error {
            // Only the kinds of key that are known were asked for.
            russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, theirs, .. } if !keys.is_empty() => {
                SshError::new(
                    &target.hop,
                    ErrorKind::HostKeyChanged,
                    format!(
                        "it has no key of the known kind any more: it offers {}; known is {}",
                        theirs.join(" "),
                        list(&keys)
                    ),
                )
            }
            russh::Error::NoCommonAlgo { kind, theirs, .. } => SshError::new(
                &target.hop,
                ErrorKind::Algorithms,
                format!("no safe algorithm in common ({kind:?}): it offers {}", theirs.join(" ")),
            ),
            _ => in_words(&target.hop, &error),
        }
    }
}

/// A connection's end, in words.
fn in_words(hop: &Hop, error: &russh::Error) -> SshError {
    use russh::Error as E;
    match error {
        E::KeepaliveTimeout | E::InactivityTimeout | E::ConnectionTimeout => {
            SshError::new(hop, ErrorKind::TimedOut, "it went silent")
        }
        E::IO(e) if e.kind() == io::ErrorKind::TimedOut => {
            SshError::new(hop, ErrorKind::TimedOut, "it stopped reading")
        }
        E::IO(e) if e.kind() == io::ErrorKind::InvalidData => {
            SshError::new(hop, ErrorKind::Protocol, format!("it does not speak SSH: {e}"))
        }
        E::IO(e) => SshError::new(hop, ErrorKind::Dropped, format!("the connection was lost: {e}")),
        E::Disconnect | E::HUP | E::RecvError | E::SendError => {
            SshError::new(hop, ErrorKind::Dropped, "it closed the connection")
        }
        other => SshError::new(hop, ErrorKind::Protocol, format!("SSH failed: {other}")),
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
        let mut kept = self.banner.lock().unwrap_or_else(PoisonError::into_inner);
        let room = BANNER_LINES.saturating_sub(kept.len());
        kept.extend(Clean::lines(banner).into_iter().take(room));
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

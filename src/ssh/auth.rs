//! Logging in: which keys are offered, in which order, and who signs. Imports `domain`.
//!
//! russh asks the server whether it would take a key before it signs with it; there is no way round that question in
//! 0.65, so a passphrase is asked for only when the server wants the key.

mod offers;
mod prompts;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::{Signature, private};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PublicKey};
use russh::{MethodKind, Signer};
use tokio::net::UnixStream;

use crate::domain::access::Access;
use crate::domain::hop::Hop;

use super::ask::Asker;
use super::connection::Client;
use super::error::{ErrorKind, SshError};
use super::ring::KeyRing;
use super::sshsig::TextSigner;
use offers::{Offer, Secret};

/// A connection to an agent.
type Agent = AgentClient<UnixStream>;

/// What one login works with.
pub(super) struct Login<'a> {
    pub(super) hop: &'a Hop,
    pub(super) access: &'a Access,
    pub(super) asker: &'a Asker,
    pub(super) ring: &'a KeyRing,
}

/// Logs in, or says what was tried. Never tries again by itself: newer servers bar addresses that fail, and everyone
/// behind a jump box shares its address.
pub(super) async fn log_in(handle: &mut Handle<Client>, login: &Login<'_>) -> Result<(), SshError> {
    let (offers, mut agent, mut notes) = offers::gather(login, handle.agent_session_binding()).await;
    let mut refused = Vec::new();
    let mut server_takes = None;
    let mut taken = None;
    for offer in &offers {
        match present(handle, login, offer, agent.as_mut()).await {
            Ok(AuthResult::Success) => {
                note(login, Some(offer)).await;
                return Ok(());
            }
            // russh answers so when the connection ended, too.
            Ok(AuthResult::Failure { .. }) if handle.is_closed() => break,
            Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
                match partial_success {
                    true => taken = Some(offer),
                    false => refused.push(offer.describe()),
                }
                let go_on = remaining_methods.contains(&MethodKind::PublicKey);
                server_takes = Some(remaining_methods);
                if !go_on {
                    break;
                }
            }
            Err(SignError(why)) => notes.push(why),
        }
    }
    let mut asked = false;
    if login.access.password && !handle.is_closed() {
        if prompts::log_in(handle, login, server_takes.as_ref()).await? {
            note(login, taken).await;
            return Ok(());
        }
        asked = true;
    }
    Err(refusal(login, refused, asked, notes))
}

/// Remembers the key of a login to the jump box: what the person says in a run is signed with it.
async fn note(login: &Login<'_>, offer: Option<&Offer>) {
    if !matches!(login.hop, Hop::Jump(_)) {
        return;
    }
    let signer = match offer.map(|offer| (&offer.secret, &offer.public)) {
        None => None,
        Some((Secret::Key(key), _)) => Some(TextSigner::of_key(key.clone())),
        Some((Secret::Agent, key)) => {
            login.access.agent.as_deref().map(|socket| TextSigner::of_agent(socket, key))
        }
        // Unlocked a moment ago: nobody is asked again.
        Some((Secret::Locked { path, pem }, _)) => {
            login.ring.unlock(path, pem, login.asker).await.ok().map(TextSigner::of_key)
        }
    };
    login.ring.logged_in(signer);
}

fn refusal(login: &Login<'_>, refused: Vec<String>, asked: bool, notes: Vec<String>) -> SshError {
    let user = &login.access.user;
    let kind = if refused.is_empty() && !asked { ErrorKind::NoCredentials } else { ErrorKind::AuthFailed };
    let mut detail = match (refused.is_empty(), kind) {
        (true, ErrorKind::NoCredentials) => format!("no key to log in with as {user}"),
        (true, _) => format!("login as {user} refused"),
        (false, _) => format!("login as {user} refused with {}", refused.join(", ")),
    };
    for note in notes {
        detail.push_str("; ");
        detail.push_str(&note);
    }
    SshError::new(login.hop, kind, detail)
}

/// Offers one key or certificate.
async fn present(
    handle: &mut Handle<Client>,
    login: &Login<'_>,
    offer: &Offer,
    agent: Option<&mut Agent>,
) -> Result<AuthResult, SignError> {
    let hash = rsa_hash(handle, &offer.public).await?;
    let mut signer = OfferSigner { login, secret: &offer.secret, agent };
    let user = login.access.user.as_str();
    match &offer.certificate {
        Some(certificate) => {
            handle.authenticate_certificate_with(user, certificate.clone(), hash, &mut signer).await
        }
        None => handle.authenticate_publickey_with(user, offer.public.clone(), hash, &mut signer).await,
    }
}

/// RSA keys sign with SHA-2 or not at all.
async fn rsa_hash(handle: &Handle<Client>, key: &PublicKey) -> Result<Option<HashAlg>, SignError> {
    if !matches!(key.algorithm(), Algorithm::Rsa { .. }) {
        return Ok(None);
    }
    match handle.best_supported_rsa_hash().await {
        Ok(Some(Some(hash))) => Ok(Some(hash)),
        Ok(Some(None)) => Err(SignError("the server takes RSA keys with SHA-1 only".to_owned())),
        // It does not say: the usual one.
        Ok(None) | Err(_) => Ok(Some(HashAlg::Sha512)),
    }
}

/// Why a key could not sign.
struct SignError(String);

impl From<russh::SendError> for SignError {
    fn from(_: russh::SendError) -> Self {
        Self("the connection ended".to_owned())
    }
}

/// Signs for one offer; unlocks an encrypted key only when the server has said that it wants it.
struct OfferSigner<'a> {
    login: &'a Login<'a>,
    secret: &'a Secret,
    agent: Option<&'a mut Agent>,
}

impl Signer for OfferSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        key: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        match self.secret {
            Secret::Key(secret) => sign(secret, hash, data),
            Secret::Locked { path, pem } => {
                let secret = self.login.ring.unlock(path, pem, self.login.asker).await.map_err(SignError)?;
                sign(&secret, hash, data)
            }
            Secret::Agent => match self.agent.as_mut() {
                Some(agent) => agent
                    .sign_request(key, hash, data)
                    .await
                    .map_err(|e| SignError(agent_refusal(&self.login.access.user, &e))),
                None => Err(SignError("the agent is gone".to_owned())),
            },
        }
    }
}

/// Why an agent did not sign. The reason for a refusal stays with the agent: the ones there are, are said.
fn agent_refusal(user: &str, error: &russh::keys::Error) -> String {
    match error {
        russh::keys::Error::AgentFailure => format!(
            "the agent refused to sign for {user}: it is locked, its owner said no, or the key is not for this user and \
             host (ssh-add -h): add this hop to the key's destinations, do not add the key without them"
        ),
        error => format!("the agent does not sign: {error}"),
    }
}

/// Appends the signature of `data` to it, as an SSH string.
fn sign(key: &PrivateKey, hash: Option<HashAlg>, mut data: Vec<u8>) -> Result<Vec<u8>, SignError> {
    let failed = |e: &dyn std::fmt::Display| SignError(format!("the key does not sign: {e}"));
    let signature: Signature = match key.key_data() {
        KeypairData::Rsa(rsa) => {
            let rsa: &private::RsaKeypair = rsa;
            (rsa, hash).try_sign(&data).map_err(|e| failed(&e))?
        }
        _ => key.try_sign(&data).map_err(|e| failed(&e))?,
    };
    signature.encode_prefixed(&mut data).map_err(|e| failed(&e))?;
    Ok(data)
}

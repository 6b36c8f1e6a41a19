//! Logging in: which keys are offered, in which order, and who signs.
//!
//! russh asks the server whether it would take a key before it signs with it; there is no way round that question in
//! 0.65, so a passphrase is asked for only when the server wants the key.

mod offers;
mod prompts;
mod refusal;

use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::{Signature, private};
use russh::keys::{Algorithm, HashAlg, PrivateKey};
use russh::{MethodKind, MethodSet, Signer};

use jumpdeck_fleet::access::Access;
use jumpdeck_fleet::hop::Hop;

use super::asker::Asker;
use super::client::Client;
use super::ring::KeyRing;
use crate::listening::within;
use crate::openssh::agent::Agent;
use crate::openssh::sshsig::TextSigner;
use crate::transport::error::TransportError;
use offers::{Offer, Secret};
use prompts::Prompted;
use refusal::{Tried, Unprompted};

/// So long an operator may take to touch a key or to confirm a signature.
const TOUCH_LIMIT: Duration = Duration::from_secs(120);

/// What one login works with.
pub(super) struct Login<'a> {
    pub(super) hop: &'a Hop,
    pub(super) access: &'a Access,
    pub(super) asker: &'a Asker,
    pub(super) ring: &'a KeyRing,
}

/// Logs in, or says what was tried. Never tries again by itself: newer servers bar addresses that fail, and everyone
/// behind a jump box shares its address.
pub(super) async fn log_in(handle: &mut Handle<Client>, login: &Login<'_>) -> Result<(), TransportError> {
    let mut offers = offers::gather(login, handle.agent_session_binding()).await;
    let mut tried = Tried { notes: std::mem::take(&mut offers.notes), ..Tried::default() };
    let may_ask = login.access.password && login.asker.ask.is_attended();
    let mut rsa = None;
    let mut taken = None;
    let mut refused_ed25519 = false;
    for (at, offer) in offers.list.iter().enumerate() {
        let prompts_follow = may_ask && tried.server_takes.as_ref().is_some_and(asks);
        let most = if prompts_follow { offers::MAX_OFFERS_BEFORE_PROMPTS } else { offers::MAX_OFFERS };
        if at >= most {
            tried.more = offers.list.len().saturating_sub(at);
            break;
        }
        let is_rsa = matches!(offer.public.algorithm(), Algorithm::Rsa { .. });
        let hash = if is_rsa { rsa_hash(handle, &mut rsa).await } else { None };
        if is_rsa && hash.is_none() {
            tried.without_rsa_sha2.push(offer.describe());
            continue;
        }
        match present(handle, login, offer, hash, offers.agent.as_mut()).await {
            Ok(AuthResult::Success) => {
                note(login, Some(offer)).await;
                return Ok(());
            }
            // russh answers so when the connection ended, too.
            Ok(AuthResult::Failure { .. }) if handle.is_closed() => {
                tried.refused.push(offer.describe());
                tried.more = offers.list.len().saturating_sub(at + 1);
                break;
            }
            Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
                match partial_success {
                    true => {
                        tried.accepted = Some(offer.describe());
                        taken = Some(offer);
                    }
                    false if is_rsa && rsa == Some(RsaHashes::NotAnnounced) => {
                        tried.without_rsa_sha2.push(offer.describe());
                    }
                    false => {
                        refused_ed25519 |= is_ed25519(&offer.public.algorithm());
                        tried.refused.push(offer.describe());
                    }
                }
                let go_on = remaining_methods.contains(&MethodKind::PublicKey);
                tried.server_takes = Some(remaining_methods);
                if !go_on {
                    break;
                }
            }
            Err(SignError(why)) => tried.notes.push(why),
        }
    }
    if refused_ed25519 && !handle.is_closed() {
        // Asked for what it says of signatures: servers that announce none may be older than these keys.
        rsa_hash(handle, &mut rsa).await;
        tried.may_not_know_ed25519 = rsa == Some(RsaHashes::NotAnnounced);
    }
    if login.access.password && !handle.is_closed() && tried.server_takes.as_ref().is_none_or(asks) {
        if !login.asker.ask.is_attended() {
            return Err(tried.refusal(login, Some(Unprompted::Unattended)));
        }
        match prompts::log_in(handle, login, tried.server_takes.as_ref()).await? {
            Prompted::LoggedIn => {
                note(login, taken).await;
                return Ok(());
            }
            Prompted::Refused => return Err(tried.refusal(login, Some(Unprompted::Refused))),
            Prompted::Cancelled => return Err(tried.refusal(login, Some(Unprompted::Cancelled))),
            Prompted::NotOffered => {}
        }
    }
    Err(tried.refusal(login, None))
}

fn is_ed25519(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Ed25519 | Algorithm::SkEd25519)
}

/// Whether a server would ask for a password or a code.
fn asks(methods: &MethodSet) -> bool {
    [MethodKind::KeyboardInteractive, MethodKind::Password].iter().any(|method| methods.contains(method))
}

/// Remembers the key of a login to the jump box: what the person says in a run is signed with it.
async fn note(login: &Login<'_>, offer: Option<&Offer>) {
    if !matches!(login.hop, Hop::Jump(_)) {
        return;
    }
    let signer = match offer.map(|offer| (&offer.secret, &offer.public)) {
        None => None,
        Some((Secret::Key(key), _)) => Some(TextSigner::of_key(key.clone())),
        Some((Secret::Agent(_), key)) => {
            login.access.agent.as_deref().map(|socket| TextSigner::of_agent(socket, key))
        }
        // Unlocked a moment ago: nobody is asked again.
        Some((Secret::Locked { path, pem }, _)) => {
            login.ring.unlock(path, pem, login.asker).await.ok().map(TextSigner::of_key)
        }
    };
    login.ring.logged_in(signer);
}

/// Offers one key or certificate.
async fn present(
    handle: &mut Handle<Client>,
    login: &Login<'_>,
    offer: &Offer,
    hash: Option<HashAlg>,
    agent: Option<&mut Agent>,
) -> Result<AuthResult, SignError> {
    let mut signer = OfferSigner { login, secret: &offer.secret, agent };
    let user = login.access.user.as_str();
    match &offer.certificate {
        Some(certificate) => {
            handle.authenticate_certificate_with(user, certificate.clone(), hash, &mut signer).await
        }
        None => handle.authenticate_publickey_with(user, offer.public.clone(), hash, &mut signer).await,
    }
}

/// What a server says of the RSA signatures it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RsaHashes {
    /// SHA-2: this one.
    Sha2(HashAlg),
    /// SHA-1 and no other.
    Sha1Only,
    /// It does not announce SHA-2 (`server-sig-algs`), as servers from before 2016 do not.
    NotAnnounced,
}

/// RSA keys sign with SHA-2 or not at all: `None`. The server is asked once a login.
async fn rsa_hash(handle: &Handle<Client>, known: &mut Option<RsaHashes>) -> Option<HashAlg> {
    let hashes = match *known {
        Some(hashes) => hashes,
        None => match handle.best_supported_rsa_hash().await {
            Ok(Some(Some(hash))) => RsaHashes::Sha2(hash),
            Ok(Some(None)) => RsaHashes::Sha1Only,
            Ok(None) | Err(_) => RsaHashes::NotAnnounced,
        },
    };
    *known = Some(hashes);
    match hashes {
        RsaHashes::Sha2(hash) => Some(hash),
        RsaHashes::Sha1Only => None,
        // The usual one: some servers take it without a word.
        RsaHashes::NotAnnounced => Some(HashAlg::Sha512),
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
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        match self.secret {
            Secret::Key(secret) => sign(secret, hash, data),
            Secret::Locked { path, pem } => {
                let secret = self.login.ring.unlock(path, pem, self.login.asker).await.map_err(SignError)?;
                sign(&secret, hash, data)
            }
            Secret::Agent(identity) => match self.agent.as_mut() {
                Some(agent) => sign_with_agent(agent, identity, self.login, hash, data).await,
                None => Err(SignError("the agent closed its connection".to_owned())),
            },
        }
    }
}

/// An agent may ask for a touch, a finger or a yes: that time does not count against the login.
async fn sign_with_agent(
    agent: &mut Agent,
    identity: &AgentIdentity,
    login: &Login<'_>,
    hash: Option<HashAlg>,
    data: Vec<u8>,
) -> Result<Vec<u8>, SignError> {
    let signing = within(TOUCH_LIMIT, agent.sign_request(identity, hash, data));
    match login.asker.patience.pause(signing).await {
        Some(signed) => signed.map_err(|e| SignError(agent_refusal(&login.access.user, &e))),
        None => {
            let limit = TOUCH_LIMIT.as_secs();
            Err(SignError(format!(
                "the agent did not sign within {limit} s (a touch or a confirmation is missing)"
            )))
        }
    }
}

/// Why an agent did not sign. The reason for a refusal stays with the agent: the ones there are, are said.
fn agent_refusal(user: &str, error: &russh::keys::Error) -> String {
    match error {
        russh::keys::Error::AgentFailure => format!(
            "the agent refused to sign for {user}: it is locked, its owner declined, or the key is not for this user and \
             host (ssh-add -h): add this hop to the key's destinations, do not add the key without them"
        ),
        error => format!("the agent does not sign: {error}"),
    }
}

/// Appends the signature of `data` to it, as an SSH string.
fn sign(key: &PrivateKey, hash: Option<HashAlg>, mut data: Vec<u8>) -> Result<Vec<u8>, SignError> {
    let failed = |e: &dyn std::fmt::Display| SignError(format!("signing with the key failed: {e}"));
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

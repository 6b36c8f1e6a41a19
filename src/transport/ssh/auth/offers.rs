//! What there is to offer: key files with their certificates, keys in memory, the agent's keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::{Certificate, HashAlg, PrivateKey, PublicKey, decode_secret_key};
use zeroize::Zeroizing;

use crate::openssh::agent::{self, Agent, HeldByAgent};
use crate::openssh::key_file::{Public, read_private, read_public};
use jumpdeck_fleet::access::KeySource;

use super::Login;

/// sshd hangs up at the sixth failure (`MaxAuthTries`).
pub(super) const MAX_OFFERS: usize = 6;
/// With prompts to come, some tries are left for them.
pub(super) const MAX_OFFERS_BEFORE_PROMPTS: usize = 3;

/// A key or certificate to offer.
pub(super) struct Offer {
    pub(super) public: PublicKey,
    pub(super) certificate: Option<Certificate>,
    pub(super) secret: Secret,
}

/// Who signs.
pub(super) enum Secret {
    Key(Arc<PrivateKey>),
    /// An encrypted key file, not yet unlocked.
    Locked {
        path: PathBuf,
        pem: Zeroizing<String>,
    },
    /// The agent, with this identity: it may hold the plain key only where a certificate is offered.
    Agent(Box<AgentIdentity>),
}

/// Everything there is to offer, in order.
#[derive(Default)]
pub(super) struct Offers {
    pub(super) list: Vec<Offer>,
    /// The agent, when it answers.
    pub(super) agent: Option<Agent>,
    /// What could not be had, and why.
    pub(super) notes: Vec<String>,
}

impl Offer {
    pub(super) fn describe(&self) -> String {
        let what = if self.certificate.is_some() { "certificate of " } else { "" };
        format!("{what}{} {}", self.public.algorithm(), self.public.fingerprint(HashAlg::Sha256))
    }

    fn covers(&self, identity: &AgentIdentity) -> bool {
        let certificate = matches!(identity, AgentIdentity::Certificate { .. });
        certificate == self.certificate.is_some() && self.is_of(&identity.public_key())
    }

    fn is_of(&self, key: &PublicKey) -> bool {
        self.public.key_data() == key.key_data()
    }
}

/// Collects them. A public key in `keys` chooses that key of the agent, and then none of its other keys is offered
/// (`IdentitiesOnly` of `ssh`).
pub(super) async fn gather(login: &Login<'_>, session: Option<&AgentSessionBinding>) -> Offers {
    let mut offers = Offers::default();
    let mut held = HeldByAgent::default();
    if let Some(socket) = &login.access.agent {
        match agent::connect(socket, session).await {
            Ok((agent, theirs)) => (offers.agent, held) = (Some(agent), theirs),
            Err(why) => offers.notes.push(why),
        }
    }
    let mut chosen = false;
    for source in &login.access.keys {
        match from_source(login, source, &held, &mut chosen).await {
            Ok(found) => offers.list.extend(found),
            Err(why) => offers.notes.push(why),
        }
    }
    add_agent_keys(&mut offers.list, &held, chosen);
    if let Some(socket) = &login.access.agent
        && offers.agent.is_some()
        && held.identities.is_empty()
    {
        let kinds = held.skipped.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let what = if kinds.is_empty() { String::new() } else { format!(" that is used here, only {kinds}") };
        offers.notes.push(format!("agent {} holds no key{what}", socket.display()));
    }
    offers
}

fn add_agent_keys(offers: &mut Vec<Offer>, held: &HeldByAgent, chosen: bool) {
    for identity in &held.identities {
        let public = identity.public_key().into_owned();
        // The agent need not be asked for what is unlocked here, but spares the passphrase of what is not.
        for offer in offers.iter_mut().filter(|o| o.is_of(&public)) {
            if matches!(offer.secret, Secret::Locked { .. }) && offer.certificate.is_none() {
                offer.secret = Secret::Agent(Box::new(identity.clone()));
            }
        }
        if !chosen && !offers.iter().any(|o| o.covers(identity)) {
            let certificate = match identity {
                AgentIdentity::Certificate { certificate, .. } => Some(certificate.clone()),
                AgentIdentity::PublicKey { .. } => None,
            };
            offers.push(Offer { public, certificate, secret: Secret::Agent(Box::new(identity.clone())) });
        }
    }
}

async fn from_source(
    login: &Login<'_>,
    source: &KeySource,
    held: &HeldByAgent,
    chosen: &mut bool,
) -> Result<Vec<Offer>, String> {
    let (path, certificate) = match source {
        KeySource::Memory(pem) => {
            let key = decode_secret_key(pem, None).map_err(|e| format!("key in memory: {e}"))?;
            return Ok(vec![plain(key)]);
        }
        KeySource::File { path, certificate } => (path, certificate.as_deref()),
    };
    let named = |e: String| format!("{}: {e}", path.display());
    let key = match Public::of_file(path).await? {
        Some(Public::Key(public)) => {
            *chosen = true;
            held_by_agent(login, public, None, held).map_err(named)?
        }
        Some(Public::Certificate(of_file)) => {
            *chosen = true;
            let public = PublicKey::new(of_file.public_key().clone(), "");
            return held_by_agent(login, public, Some(*of_file), held)
                .map(|offer| vec![offer])
                .map_err(named);
        }
        None => {
            let pem = read_private(path).await?;
            read_key(login, path, pem).await.map_err(named)?
        }
    };
    let beside = beside(path);
    let certificate = match certificate {
        Some(file) => Some(read_certificate(file).await?),
        None if tokio::fs::try_exists(&beside).await.unwrap_or(false) => {
            Some(read_certificate(&beside).await?)
        }
        None => None,
    };
    let certified = certificate.filter(|c| c.public_key() == key.public.key_data()).map(|certificate| {
        Offer { public: key.public.clone(), certificate: Some(certificate), secret: key.secret.share() }
    });
    Ok(certified.into_iter().chain([key]).collect())
}

/// The offer of a key that the inventory names by its public half: the agent signs.
fn held_by_agent(
    login: &Login<'_>,
    public: PublicKey,
    certificate: Option<Certificate>,
    held: &HeldByAgent,
) -> Result<Offer, String> {
    let fingerprint = public.fingerprint(HashAlg::Sha256);
    match held.find(&public, certificate.as_ref()) {
        Some(identity) => {
            let secret = Secret::Agent(Box::new(identity.clone()));
            Ok(Offer { public, certificate, secret })
        }
        None if login.access.agent.is_none() => Err(format!(
            "it is a public key ({fingerprint}), whose private key an agent must hold, but no agent is used (SSH_AUTH_SOCK is not set, or \
             agent = false)"
        )),
        None => Err(format!("the agent does not hold this key ({fingerprint}); load it with ssh-add")),
    }
}

impl Secret {
    fn share(&self) -> Self {
        match self {
            Self::Key(key) => Self::Key(key.clone()),
            Self::Locked { path, pem } => Self::Locked { path: path.clone(), pem: pem.clone() },
            Self::Agent(identity) => Self::Agent(identity.clone()),
        }
    }
}

fn plain(key: PrivateKey) -> Offer {
    Offer { public: key.public_key().clone(), certificate: None, secret: Secret::Key(Arc::new(key)) }
}

/// Reads a key file. An encrypted one stays locked, when its public half can be had without the passphrase.
async fn read_key(login: &Login<'_>, path: &Path, pem: Zeroizing<String>) -> Result<Offer, String> {
    let public = match PrivateKey::from_openssh(pem.as_bytes()) {
        Ok(key) if key.is_encrypted() => Some(key.public_key().clone()),
        Ok(key) => return Ok(plain(key)),
        Err(_) if pem.contains("ENCRYPTED") => {
            let beside = read_public(&with_suffix(path, ".pub")).await.ok();
            beside.and_then(|text| PublicKey::from_openssh(text.trim()).ok())
        }
        Err(_) => return decode_secret_key(&pem, None).map(plain).map_err(|e| e.to_string()),
    };
    match public {
        Some(public) => {
            Ok(Offer { public, certificate: None, secret: Secret::Locked { path: path.to_owned(), pem } })
        }
        None => {
            let key = login.ring.unlock(path, &pem, login.asker).await?;
            Ok(Offer { public: key.public_key().clone(), certificate: None, secret: Secret::Key(key) })
        }
    }
}

async fn read_certificate(path: &Path) -> Result<Certificate, String> {
    let text = read_public(path).await?;
    Certificate::from_openssh(text.trim()).map_err(|e| format!("{}: {e}", path.display()))
}

/// Where the certificate of a key file is looked for: `FILE-cert.pub`, also when the file named is `FILE.pub`.
fn beside(path: &Path) -> PathBuf {
    let key =
        if path.extension().is_some_and(|e| e == "pub") { path.with_extension("") } else { path.into() };
    with_suffix(&key, "-cert.pub")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

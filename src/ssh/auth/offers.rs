//! What there is to offer: key files with their certificates, keys in memory, the agent's keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::{Certificate, HashAlg, PrivateKey, PublicKey, decode_secret_key};
use zeroize::Zeroizing;

use crate::domain::access::KeySource;
use crate::ssh::key_file::{read_private, read_public};
use crate::ssh::listening::within;

use super::{Agent, Login};

/// sshd hangs up at the sixth failure (`MaxAuthTries`).
const MAX_OFFERS: usize = 5;
/// With prompts to come, some tries are left for them.
const MAX_OFFERS_BEFORE_PROMPTS: usize = 3;
/// An agent that does not answer within this is taken for dead.
const AGENT_LIMIT: Duration = Duration::from_secs(2);

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
    Agent,
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

/// Everything there is to offer, in order; the agent, when it answers; and what could not be had and why.
pub(super) async fn gather(
    login: &Login<'_>,
    session: Option<&AgentSessionBinding>,
) -> (Vec<Offer>, Option<Agent>, Vec<String>) {
    let mut notes = Vec::new();
    let (agent, identities) = match &login.access.agent {
        Some(socket) => match ask_agent(socket, session).await {
            Ok((agent, identities)) => (Some(agent), identities),
            Err(why) => {
                notes.push(why);
                (None, Vec::new())
            }
        },
        None => (None, Vec::new()),
    };
    let mut offers: Vec<Offer> = Vec::new();
    for source in &login.access.keys {
        match from_source(login, source).await {
            Ok(found) => offers.extend(found),
            Err(why) => notes.push(why),
        }
    }
    for identity in &identities {
        let public = identity.public_key().into_owned();
        // The agent need not be asked for what is unlocked here, but spares the passphrase of what is not.
        for offer in offers.iter_mut().filter(|o| o.is_of(&public)) {
            if matches!(offer.secret, Secret::Locked { .. }) && offer.certificate.is_none() {
                offer.secret = Secret::Agent;
            }
        }
        if !offers.iter().any(|o| o.covers(identity)) {
            let certificate = match identity {
                AgentIdentity::Certificate { certificate, .. } => Some(certificate.clone()),
                AgentIdentity::PublicKey { .. } => None,
            };
            offers.push(Offer { public, certificate, secret: Secret::Agent });
        }
    }
    let most = if login.access.password { MAX_OFFERS_BEFORE_PROMPTS } else { MAX_OFFERS };
    if offers.len() > most {
        notes.push(format!("{} more keys were not offered (name one in the inventory)", offers.len() - most));
        offers.truncate(most);
    }
    (offers, agent, notes)
}

/// Tells the agent which server it is for, so that keys that are for some destinations only can be used, and asks for its keys.
async fn ask_agent(
    socket: &Path,
    session: Option<&AgentSessionBinding>,
) -> Result<(Agent, Vec<AgentIdentity>), String> {
    let asking = async {
        let mut agent = Agent::connect_uds(socket).await?;
        if let Some(session) = session {
            // An agent that does not know this has no such keys either; OpenSSH goes on, too.
            match agent.bind_session(session, false).await {
                Ok(()) | Err(russh::keys::Error::AgentFailure) => {}
                Err(error) => return Err(error),
            }
        }
        let identities = agent.request_identities().await?;
        Ok::<_, russh::keys::Error>((agent, identities))
    };
    match within(AGENT_LIMIT, asking).await {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(e)) => Err(format!("agent {}: {e}", socket.display())),
        None => Err(format!("agent {} does not answer", socket.display())),
    }
}

async fn from_source(login: &Login<'_>, source: &KeySource) -> Result<Vec<Offer>, String> {
    let (path, certificate) = match source {
        KeySource::Memory(pem) => {
            let key = decode_secret_key(pem, None).map_err(|e| format!("key in memory: {e}"))?;
            return Ok(vec![plain(key)]);
        }
        KeySource::File { path, certificate } => (path, certificate),
    };
    let named = |e: String| format!("{}: {e}", path.display());
    let pem = read_private(path).await?;
    let key = read_key(login, path, pem).await.map_err(named)?;
    let certificate = match certificate {
        Some(file) => Some(read_certificate(file).await?),
        None => {
            let beside = with_suffix(path, "-cert.pub");
            if tokio::fs::try_exists(&beside).await.unwrap_or(false) {
                Some(read_certificate(&beside).await?)
            } else {
                None
            }
        }
    };
    let certified = certificate.filter(|c| c.public_key() == key.public.key_data()).map(|certificate| {
        Offer { public: key.public.clone(), certificate: Some(certificate), secret: key.secret.share() }
    });
    Ok(certified.into_iter().chain([key]).collect())
}

impl Secret {
    fn share(&self) -> Self {
        match self {
            Self::Key(key) => Self::Key(key.clone()),
            Self::Locked { path, pem } => Self::Locked { path: path.clone(), pem: pem.clone() },
            Self::Agent => Self::Agent,
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

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

//! Who signs: a key in memory, or one that an agent holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use russh::keys::ssh_key::SshSig;
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use tokio::time::timeout;

use super::{TextSignature, is_security_key};
use crate::openssh::agent::{self, Agent};

/// An agent that has not signed by then waits for a person: a touch, or a yes on the screen.
const QUIET: Duration = Duration::from_secs(1);
/// What `ssh-keygen -Y sign` uses.
const HASH: HashAlg = HashAlg::Sha512;

/// Why nothing was signed, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotSigned(pub String);

/// Signs texts with one key.
#[derive(Clone)]
pub struct TextSigner(How);

#[derive(Clone)]
enum How {
    Agent { socket: PathBuf, key: PublicKey },
    Key(Arc<PrivateKey>),
}

impl std::fmt::Debug for TextSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TextSigner").field(&self.fingerprint()).finish()
    }
}

impl TextSigner {
    /// A key that the agent behind `socket` holds.
    pub(crate) fn of_agent(socket: &Path, key: &PublicKey) -> Self {
        Self(How::Agent { socket: socket.to_owned(), key: key.clone() })
    }

    /// A key in memory, unlocked.
    pub(crate) fn of_key(key: Arc<PrivateKey>) -> Self {
        Self(How::Key(key))
    }

    fn public(&self) -> &PublicKey {
        match &self.0 {
            How::Agent { key, .. } => key,
            How::Key(key) => key.public_key(),
        }
    }

    /// The key, as `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.public().fingerprint(HashAlg::Sha256).to_string()
    }

    /// Whether the key is a device that asks for a touch.
    #[must_use]
    pub fn is_security_key(&self) -> bool {
        is_security_key(&self.public().algorithm())
    }

    /// Signs `text` for `namespace`. `waits` is called once when a person is waited for (a touch, a yes to the agent);
    /// they have `patience`, the agent itself two seconds to be reached.
    ///
    /// # Errors
    /// When the agent closed its connection, has the key no more, refuses, or nobody touched the key in time.
    pub async fn sign(
        &self,
        namespace: &str,
        text: &[u8],
        patience: Duration,
        waits: impl FnOnce() + Send,
    ) -> Result<TextSignature, NotSigned> {
        let failed = |e: &dyn std::fmt::Display| NotSigned(format!("signing with the key failed: {e}"));
        match &self.0 {
            How::Key(key) => {
                SshSig::sign(&**key, namespace, HASH, text).map(TextSignature).map_err(|e| failed(&e))
            }
            How::Agent { socket, key } => {
                let mut agent = reach(socket, key).await?;
                let data = SshSig::signed_data(namespace, HASH, text).map_err(|e| failed(&e))?;
                let signing = agent.sign_request_signature(key, Some(HASH), &data);
                let made = patiently(signing, self.is_security_key(), patience, waits).await?;
                let made = made.map_err(|e| NotSigned(format!("signing with the agent failed: {e}")))?;
                let made =
                    SshSig::new(key.key_data().clone(), namespace, HASH, made).map_err(|e| failed(&e))?;
                let signature = TextSignature(made);
                match signature.fits(namespace, text) {
                    true => Ok(signature),
                    false => Err(NotSigned(
                        "the agent's signature does not match the text that it had to sign".to_owned(),
                    )),
                }
            }
        }
    }
}

/// Waits for a signature: as long as a person may take.
async fn patiently<T>(
    signing: impl Future<Output = T>,
    touch: bool,
    patience: Duration,
    waits: impl FnOnce() + Send,
) -> Result<T, NotSigned> {
    let mut signing = std::pin::pin!(signing);
    if !touch && let Ok(made) = timeout(QUIET, &mut signing).await {
        return Ok(made);
    }
    waits();
    let late = || format!("nobody touched the key, or answered the agent, within {} s", patience.as_secs());
    timeout(patience, signing).await.map_err(|_| NotSigned(late()))
}

/// A connection to the agent, which has the key and answers.
async fn reach(socket: &Path, key: &PublicKey) -> Result<Agent, NotSigned> {
    let at = socket.display();
    let (agent, keys) = keys_of(socket).await?;
    match keys.iter().any(|held| held.key_data() == key.key_data()) {
        true => Ok(agent),
        false => {
            Err(NotSigned(format!("the agent {at} no longer holds {}", key.fingerprint(HashAlg::Sha256))))
        }
    }
}

/// A connection to an agent, and the keys it holds.
pub(crate) async fn keys_of(socket: &Path) -> Result<(Agent, Vec<PublicKey>), NotSigned> {
    let (agent, held) = agent::connect(socket, None).await.map_err(NotSigned)?;
    Ok((agent, held.identities.iter().map(|identity| identity.public_key().into_owned()).collect()))
}

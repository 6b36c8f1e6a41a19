//! Which key signs: the one named in the settings, else the one the login to the jump box was made with.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{PrivateKey, PublicKey, decode_secret_key};

use super::ask::{Ask, Asker};
use super::key_file::{read_private, read_public};
use super::patience::Patience;
use super::ring::KeyRing;
use super::sshsig::{NotSigned, TextSigner, keys_of};
use jumpdeck_fleet::names::EnvName;

/// The signer for runs in an environment. `sign_with` is a key file (private, or public when an agent holds the key);
/// without it, the key that logged in to the jump box over a connection of `ring`. `agent` is where an agent listens.
///
/// # Errors
/// Why no key is at hand.
pub async fn signer_for(
    env: &EnvName,
    ring: &KeyRing,
    ask: Arc<dyn Ask>,
    sign_with: Option<&Path>,
    agent: Option<&Path>,
) -> Result<TextSigner, NotSigned> {
    let Some(path) = sign_with else {
        let why =
            "no key logged in to the jump box; name one in config.toml: sign_with = \"~/.ssh/id_ed25519\"";
        return ring.login_key().ok_or_else(|| NotSigned(why.to_owned()));
    };
    let refused = |why: String| NotSigned(format!("sign_with, {why}"));
    let named = |e: &dyn std::fmt::Display| NotSigned(format!("sign_with, {}: {e}", path.display()));
    let text = read_public(path).await.map_err(refused)?;
    if let Ok(public) = PublicKey::from_openssh(text.trim()) {
        let why = "the agent does not hold this key; load it with ssh-add, or name the private key";
        return held(agent, &public).await.map_err(|e| named(&e))?.ok_or_else(|| named(&why));
    }
    let text = read_private(path).await.map_err(refused)?;
    match PrivateKey::from_openssh(text.as_bytes()) {
        Ok(key) if !key.is_encrypted() => return Ok(TextSigner::of_key(Arc::new(key))),
        // The agent spares the passphrase. Without one, the person is asked.
        Ok(key) => {
            if let Ok(Some(signer)) = held(agent, key.public_key()).await {
                return Ok(signer);
            }
        }
        Err(_) if text.contains("ENCRYPTED") => {}
        Err(_) => {
            let key = decode_secret_key(&text, None).map_err(|e| named(&e))?;
            return Ok(TextSigner::of_key(Arc::new(key)));
        }
    }
    // Nothing runs against a deadline here: a person may look for the passphrase.
    let patience = Arc::new(Patience::new(Duration::ZERO, None));
    let asker = Asker { env: env.clone(), ask, patience, banner: Arc::default() };
    ring.unlock(path, &text, &asker).await.map(TextSigner::of_key).map_err(NotSigned)
}

/// The key as the agent has it, when it does.
async fn held(agent: Option<&Path>, key: &PublicKey) -> Result<Option<TextSigner>, NotSigned> {
    let Some(socket) = agent else { return Ok(None) };
    let (_, keys) = keys_of(socket).await?;
    let found = keys.iter().any(|held| held.key_data() == key.key_data());
    Ok(found.then(|| TextSigner::of_agent(socket, key)))
}

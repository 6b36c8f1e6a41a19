//! Which key signs: the one named in the settings, else the one the login to the jump box was made with.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{PrivateKey, PublicKey, decode_secret_key};

use super::asker::Asker;
use super::patience::Patience;
use super::ring::KeyRing;
use crate::openssh::key_file::{read_private, read_public};
use crate::openssh::sshsig::{NotSigned, TextSigner, keys_of};
use crate::transport::ask::AskPerson;
use jumpdeck_fleet::names::EnvName;

/// The signer for runs in an environment. `sign_with` is a key file (private, or public when an agent holds the key);
/// without it, the key that logged in to the jump box over a connection of `ring`. `agent` is where an agent listens.
///
/// # Errors
/// Why no key is at hand.
pub async fn signer_for(
    env: &EnvName,
    ring: &KeyRing,
    ask: Arc<dyn AskPerson>,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::openssh::sshsig::tests::{Agent, KINDS, key, signer};
    use crate::transport::ask::RefuseAll;

    #[tokio::test]
    async fn sign_with_takes_a_private_key_or_a_public_one_that_the_agent_holds() {
        let folder = tempfile::tempdir().unwrap();
        let (agent, path) = (Agent::start(folder.path()), key(folder.path(), "k", KINDS[0]));
        let env = EnvName::new("staging").unwrap();
        let ring = KeyRing::new();
        let ask = || Arc::new(RefuseAll);
        let choose = async |with: Option<&Path>, socket: Option<&Path>| {
            signer_for(&env, &ring, ask(), with, socket).await.map(|s| s.fingerprint())
        };
        let fingerprint = signer(&path).fingerprint();
        assert_eq!(choose(Some(&path), None).await, Ok(fingerprint.clone()));
        let public = path.with_extension("pub");
        assert!(
            choose(Some(&public), Some(&agent.1)).await.unwrap_err().0.contains("does not hold this key")
        );
        agent.add(&[], &path);
        assert_eq!(choose(Some(&public), Some(&agent.1)).await, Ok(fingerprint));
        assert!(choose(None, Some(&agent.1)).await.unwrap_err().0.contains("no key logged in"));
        assert!(choose(Some(Path::new("/no/such")), None).await.unwrap_err().0.contains("/no/such"));

        // Others may read the public key, and not the private one.
        for (mode, file, good) in
            [(0o644, &public, true), (0o640, &path, false), (0o644, &path, false), (0o600, &path, true)]
        {
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
            let chosen = choose(Some(file), Some(&agent.1)).await;
            assert_eq!(chosen.is_ok(), good, "{mode:o} {}: {chosen:?}", file.display());
            assert!(good || chosen.unwrap_err().0.contains("can read this private key"));
        }
        let long = folder.path().join("long");
        fs::File::create(&long).unwrap().set_len(1 << 40).unwrap();
        assert!(choose(Some(&long), None).await.unwrap_err().0.contains("longer than 1 MiB"));
    }
}

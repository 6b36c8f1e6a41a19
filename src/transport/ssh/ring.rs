//! What a person has unlocked or accepted in this process: key files, and host keys that no file can hold.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::keys::{PrivateKey, decode_secret_key};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use zeroize::Zeroizing;

use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::EnvName;

use super::asker::Asker;
use crate::openssh::sshsig::TextSigner;

/// How often a passphrase may be wrong.
const TRIES: usize = 3;

/// Keys unlocked and host keys accepted, shared by all connections of the process. Keys are wiped when it is dropped;
/// it never shows them.
#[derive(Default)]
pub struct KeyRing {
    keys: Mutex<HashMap<PathBuf, Arc<AsyncMutex<Slot>>>>,
    host_turns: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
    accepted: Mutex<Vec<(EnvName, String)>>,
    login: Mutex<Option<TextSigner>>,
}

/// What has become of an encrypted key file.
#[derive(Default)]
enum Slot {
    #[default]
    Locked,
    Unlocked(Arc<PrivateKey>),
    /// The person did not give the passphrase: nobody is asked again, until [`KeyRing::forget_refusals`].
    Refused,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").finish_non_exhaustive()
    }
}

impl KeyRing {
    /// An empty ring.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A person wants another try: passphrases that were refused are asked for again.
    pub fn forget_refusals(&self) {
        for slot in lock(&self.keys).values() {
            // A slot that is held is being asked about right now.
            if let Ok(mut slot) = slot.try_lock()
                && matches!(*slot, Slot::Refused)
            {
                *slot = Slot::Locked;
            }
        }
    }

    /// Unlocks a key file, asking for its passphrase once for all connections that want it.
    pub(super) async fn unlock(
        &self,
        path: &Path,
        pem: &Zeroizing<String>,
        asker: &Asker,
    ) -> Result<Arc<PrivateKey>, String> {
        let slot = lock(&self.keys).entry(path.to_owned()).or_default().clone();
        let key = path.display().to_string();
        asker
            .patience
            .pause(async {
                let mut slot = slot.lock().await;
                match &*slot {
                    Slot::Unlocked(unlocked) => return Ok(unlocked.clone()),
                    Slot::Refused => return Err(format!("{key} is locked: no passphrase was given")),
                    Slot::Locked => {}
                }
                for attempt in 0..TRIES {
                    let question = QuestionKind::Passphrase { key: key.clone(), wrong: attempt > 0 };
                    let Answer::Secret(passphrase) = asker.put(&Hop::Here, question).await else {
                        *slot = Slot::Refused;
                        return Err(format!("{key} is locked: no passphrase was given"));
                    };
                    if let Some(unlocked) = decrypt(pem.clone(), passphrase).await {
                        *slot = Slot::Unlocked(unlocked.clone());
                        return Ok(unlocked);
                    }
                }
                *slot = Slot::Refused;
                Err(format!("{key} is locked: the passphrase was wrong {TRIES} times"))
            })
            .await
    }

    /// Remembers the key that a login to the jump box was made with; `None` for a password.
    pub(super) fn logged_in(&self, key: Option<TextSigner>) {
        *lock(&self.login) = key;
    }

    /// The key that the last login to the jump box was made with.
    pub(super) fn login_key(&self) -> Option<TextSigner> {
        lock(&self.login).clone()
    }

    /// Only one connection at a time asks about the same host's key.
    pub(super) async fn host_turn(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = lock(&self.host_turns).entry(name.to_owned()).or_default().clone();
        turn.lock_owned().await
    }

    /// Remembers a host key's known_hosts line for an environment that has no file for it.
    pub(super) fn accept(&self, env: &EnvName, line: String) {
        lock(&self.accepted).push((env.clone(), line));
    }

    /// The lines remembered for an environment.
    pub(super) fn accepted(&self, env: &EnvName) -> String {
        lock(&self.accepted).iter().filter(|(e, _)| e == env).map(|(_, line)| line.as_str()).collect()
    }
}

/// Key derivation takes a noticeable part of a second: off the event loop.
async fn decrypt(pem: Zeroizing<String>, passphrase: Zeroizing<String>) -> Option<Arc<PrivateKey>> {
    let work = tokio::task::spawn_blocking(move || decode_secret_key(&pem, Some(&passphrase)).ok());
    work.await.ok().flatten().map(Arc::new)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The operator's key, and whose signatures count.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::evidence::Signing;
use crate::openssh::bounded::{LONGEST_LIST, read_if_there};
use crate::openssh::sshsig::AllowedSigners;
use crate::transport::Connector;
use jumpdeck_fleet::fleet::Environment;

/// Where the key that signs what is said in runs comes from.
#[derive(Clone)]
pub struct SigningKeys(Option<Keys>);

#[derive(Clone)]
struct Keys {
    connector: Arc<dyn Connector>,
    env: Arc<Environment>,
    sign_with: Option<PathBuf>,
    allowed_signers: PathBuf,
}

impl SigningKeys {
    /// Signs with a key file, when one is named, else with the key that logged in; signatures of others count by an
    /// allowed_signers file.
    #[must_use]
    pub fn new(
        connector: Arc<dyn Connector>,
        env: Arc<Environment>,
        sign_with: Option<PathBuf>,
        allowed_signers: PathBuf,
    ) -> Self {
        Self(Some(Keys { connector, env, sign_with, allowed_signers }))
    }

    /// There is no key, and nobody's signature counts.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Who signs. It may be the key that logged in to the jump box, so it is asked for after that.
    pub async fn signing(&self) -> Signing {
        let Some(Keys { connector, env, sign_with, allowed_signers }) = &self.0 else {
            return Signing::none("these hosts are reached without a key");
        };
        let signer = connector.signer(env, sign_with.as_deref()).await;
        let allowed = read_allowed(allowed_signers).await;
        Signing { signer: signer.map_err(|why| why.to_string()), named: sign_with.is_some(), allowed }
    }
}

/// Who may sign, by an allowed_signers file. Without the file nobody is known; one that cannot be read is an error.
async fn read_allowed(file: &Path) -> Result<AllowedSigners, String> {
    let bytes = read_if_there(file, LONGEST_LIST).await?.unwrap_or_default();
    Ok(AllowedSigners::read(&String::from_utf8_lossy(&bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn an_allowed_signers_file_that_cannot_be_read_is_not_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read_allowed(&dir.path().join("none")).await.unwrap().is_empty());
        let why = read_allowed(dir.path()).await.unwrap_err();
        assert!(why.contains(dir.path().to_str().unwrap()), "{why}");
    }
}

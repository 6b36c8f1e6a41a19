//! Key files. A private one is for nobody else, as `ssh` wants it; none is longer than a key can be.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use russh::keys::{Certificate, PublicKey};
use zeroize::Zeroizing;

use super::bounded;
use crate::ownership::{self, OpenError};

/// A key file is some kilobytes.
const LONGEST: u64 = 1 << 20;

/// The text of a private key's file.
pub(crate) async fn read_private(path: &Path) -> Result<Zeroizing<String>, String> {
    read(path, ownership::open_private).await
}

/// The text of a file that has a public key or a certificate.
pub(crate) async fn read_public(path: &Path) -> Result<Zeroizing<String>, String> {
    read(path, |path| Ok(bounded::open(path)?)).await
}

async fn read(path: &Path, open: fn(&Path) -> Result<File, OpenError>) -> Result<Zeroizing<String>, String> {
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let named = |e: std::io::Error| format!("{}: {e}", path.display());
        let file = open(&path).map_err(|error| match error {
            OpenError::Exposed(exposed) => exposed.to_string(),
            OpenError::Io(error) => named(error),
        })?;
        // Growing would leave copies of it behind.
        let room = file.metadata().map_err(named)?.len().min(LONGEST + 1);
        let mut text = Zeroizing::new(String::with_capacity(usize::try_from(room).unwrap_or_default() + 1));
        file.take(LONGEST + 1).read_to_string(&mut text).map_err(named)?;
        if text.len() as u64 > LONGEST {
            return Err(format!(
                "{}: it is longer than {} MiB, so it is not a key file",
                path.display(),
                LONGEST >> 20
            ));
        }
        Ok(text)
    });
    reading.await.unwrap_or_else(|e| Err(e.to_string()))
}

/// The public half of a key, or a certificate, in a file of its own. Whoever names one means a key that an agent holds.
pub(crate) enum Public {
    Key(PublicKey),
    Certificate(Box<Certificate>),
}

impl Public {
    /// `None` when the file has something else, a private key for one.
    pub(crate) async fn of_file(path: &Path) -> Result<Option<Self>, String> {
        Ok(Self::of_text(&read_public(path).await?))
    }

    /// The same, at once: for checks of files.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let bytes = Zeroizing::new(bounded::read(path, LONGEST).ok()?);
        Self::of_text(std::str::from_utf8(&bytes).ok()?)
    }

    fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = || PublicKey::from_openssh(text).ok().map(Self::Key);
        let certificate = || Certificate::from_openssh(text).ok().map(|c| Self::Certificate(Box::new(c)));
        certificate().or_else(key)
    }
}

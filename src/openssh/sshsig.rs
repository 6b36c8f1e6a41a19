//! Signatures of texts with SSH keys, as `ssh-keygen -Y sign` makes them and `ssh-keygen -Y verify` checks
//! them (OpenSSH, PROTOCOL.sshsig).

mod allowed;
mod signer;
#[cfg(test)]
pub(crate) mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use russh::keys::ssh_encoding::{Decode, Encode};
use russh::keys::ssh_key::SshSig;
use russh::keys::{Algorithm, HashAlg, PublicKey};

pub use allowed::{AllowedSigners, Standing};
pub(crate) use signer::keys_of;
pub use signer::{NotSigned, TextSigner};

/// The flag of a security key that a person touched it.
const TOUCHED: u8 = 1;
/// A signature of a security key ends with its flags (one byte) and its counter (four).
const FLAGS_FROM_END: usize = 5;

/// A signature of a text, with the public key it was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSignature(SshSig);

impl TextSignature {
    /// Reads the base64 of an `ssh-keygen -Y` signature without its frame: one line, nothing after it.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        let blob = STANDARD.decode(text).ok()?;
        let mut rest = blob.as_slice();
        let signature = SshSig::decode(&mut rest).ok()?;
        // ssh-keygen takes a reserved field for empty, whatever it holds.
        let whole = rest.is_empty() && signature.reserved().is_empty();
        whole.then_some(Self(signature))
    }

    /// The same text that [`TextSignature::from_base64`] reads; `None` when the key cannot be written.
    #[must_use]
    pub fn to_base64(&self) -> Option<String> {
        self.0.encode_vec().ok().map(|blob| STANDARD.encode(blob))
    }

    /// Whether this is a signature of `text` for `namespace` by the key it names. Whose key that is, [`AllowedSigners`]
    /// knows.
    #[must_use]
    pub fn fits(&self, namespace: &str, text: &[u8]) -> bool {
        // RSA with SHA-1 is no signature, to ssh-keygen neither.
        let sha1 = matches!(self.0.algorithm(), Algorithm::Rsa { hash: None });
        let key = PublicKey::from(self.0.public_key().clone());
        !sha1 && key.verify(namespace, text, &self.0).is_ok()
    }

    /// The key, as `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.public_key().fingerprint(HashAlg::Sha256).to_string()
    }

    /// The key's kind, as in an authorized_keys file.
    #[must_use]
    pub fn algorithm(&self) -> String {
        self.0.public_key().algorithm().to_string()
    }

    /// For a security key, whether a person touched it; `None` for other keys.
    #[must_use]
    pub fn touched(&self) -> Option<bool> {
        let bytes = self.0.signature_bytes();
        let flags = bytes.len().checked_sub(FLAGS_FROM_END).and_then(|at| bytes.get(at))?;
        is_security_key(&self.0.public_key().algorithm()).then_some(flags & TOUCHED != 0)
    }
}

/// Whether keys of that kind are held by a device that may ask for a touch.
fn is_security_key(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256)
}

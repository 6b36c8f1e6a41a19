//! Which host keys are known: reads OpenSSH's known_hosts format and judges an offered key against it.
//!
//! The rules are OpenSSH's own (`hostfile.c`, `sshconnect.c`, `sshd(8)` "SSH_KNOWN_HOSTS FILE FORMAT"), never looser;
//! where they differ, they refuse. `tests/fast/known_hosts.rs` holds them against `ssh-keygen -F` and `ssh` itself.

mod line;
mod replace;
mod store;

use std::path::PathBuf;

use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};

use line::{KnownHostsEntry, Marker};
pub use replace::{KeyReplaceError, Replacement};
pub use store::append;
pub(crate) use store::line_for;

/// The lines of every known_hosts file, in order.
#[derive(Debug, Clone, Default)]
pub struct HostKeys {
    entries: Vec<KnownHostsEntry>,
}

/// A known_hosts file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// A key known for a host, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// `ssh-ed25519`, …
    pub algorithm: String,
    /// `SHA256:…`, or `unreadable`.
    pub fingerprint: String,
    /// `file:line`.
    pub place: String,
}

/// Stands for the fingerprint of a key that cannot be read.
const UNREADABLE: &str = "unreadable";

impl KnownKey {
    /// Whether the line holds a key that can be compared.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.fingerprint != UNREADABLE
    }
}

/// What is to be thought of an offered host key. Only [`KeyVerdict::Known`] lets a connection go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyVerdict {
    /// It is the host's.
    Known,
    /// Nothing is known of this host.
    Unknown,
    /// Another key of the same kind is known.
    Changed(Vec<KnownKey>),
    /// Only keys of other kinds (or unreadable ones) are known.
    OtherAlgorithm(Vec<KnownKey>),
    /// It, or the authority that signed it, is withdrawn; at `file:line`.
    Revoked(String),
    /// A known authority signed the certificate, and it is not valid for this host now: why.
    BadCertificate(&'static str),
}

impl HostKeys {
    /// Adds the lines of `text`; `source` is the file's name for messages.
    pub fn add_text(&mut self, text: &str, source: &str) {
        self.entries
            .extend(text.lines().enumerate().filter_map(|(i, l)| KnownHostsEntry::parse(l, source, i + 1)));
    }

    /// Adds the `@revoked` lines of `text` and no others.
    fn add_revocations(&mut self, text: &str, source: &str) {
        let mut all = Self::default();
        all.add_text(text, source);
        self.entries.extend(all.entries.into_iter().filter(|e| e.marker == Marker::Revoked));
    }

    /// Keeps the lines that can say something of this host and lets the others go: a connection holds its lines for as
    /// long as it lives, and a thousand connections with a thousand lines each are half a gigabyte.
    pub fn keep_only(&mut self, address: &str, port: u16) {
        let names = [lookup_name(address, port), lookup_name(address, 22)];
        self.entries.retain(|e| names.iter().any(|name| e.names(name)));
        self.entries.shrink_to_fit();
    }

    /// `file:line` of each line that names the host and has a key, as `ssh-keygen -F` lists them.
    #[must_use]
    pub fn lines_for(&self, address: &str, port: u16) -> Vec<String> {
        let name = lookup_name(address, port);
        let matching = self.entries.iter().filter(|e| e.key.is_some() && e.names(&name));
        matching.map(|e| e.place.clone()).collect()
    }

    /// Judges a plain key.
    #[must_use]
    pub fn judge(&self, address: &str, port: u16, key: &PublicKey) -> KeyVerdict {
        self.with_fallback(address, port, |name| self.judge_as(name, key))
    }

    /// Judges a certificate at `now` (seconds since 1970). One that no known authority signed counts as the plain
    /// key inside it, as in OpenSSH.
    #[must_use]
    pub fn judge_certificate(
        &self,
        address: &str,
        port: u16,
        certificate: &Certificate,
        now: u64,
    ) -> KeyVerdict {
        let key = PublicKey::new(certificate.public_key().clone(), "");
        let authority = PublicKey::new(certificate.signature_key().clone(), "");
        let by_authority = self.with_fallback(address, port, |name| {
            let matching = || self.entries.iter().filter(|e| e.names(name));
            if let Some(revoked) =
                matching().find(|e| e.marker == Marker::Revoked && (e.is(&key) || e.is(&authority)))
            {
                return KeyVerdict::Revoked(revoked.place.clone());
            }
            if !matching().any(|e| e.marker == Marker::Authority && e.is(&authority)) {
                return KeyVerdict::Unknown;
            }
            match certificate_flaw(certificate, &authority, address, now) {
                None => KeyVerdict::Known,
                Some(flaw) => KeyVerdict::BadCertificate(flaw),
            }
        });
        match by_authority {
            KeyVerdict::Unknown => self.judge(address, port, &key),
            // The plain key may be known beside the certificate that failed.
            KeyVerdict::BadCertificate(_) if self.judge(address, port, &key) == KeyVerdict::Known => {
                KeyVerdict::Known
            }
            verdict => verdict,
        }
    }

    /// The host-key algorithms to ask a host for, best first: those of its known keys and no others; for a host
    /// known by its plain name only, those first; else all that are safe. A kind whose known key is revoked is not asked for while there is
    /// another one, as OpenSSH has it.
    #[must_use]
    pub fn algorithms(&self, address: &str, port: u16) -> Vec<Algorithm> {
        let name = lookup_name(address, port);
        if self.plain(&name).next().is_some() {
            return self.known_kinds(&name).into_iter().cloned().collect();
        }
        let first = self.known_kinds(&lookup_name(address, 22));
        let rest = HOST_KEY_ALGORITHMS.iter().filter(|a| !first.contains(a));
        first.iter().copied().chain(rest).cloned().collect()
    }

    /// The algorithms of the keys known under a name; without those whose first key is revoked, unless all are.
    fn known_kinds(&self, name: &str) -> Vec<&'static Algorithm> {
        let first = |algorithm: &Algorithm| {
            self.plain(name).filter_map(|e| e.key.as_ref()).find(|key| signs(&key.algorithm(), algorithm))
        };
        let revoked = |key: &PublicKey| {
            self.entries.iter().any(|e| e.marker == Marker::Revoked && e.is(key) && e.names(name))
        };
        let known: Vec<_> =
            HOST_KEY_ALGORITHMS.iter().filter_map(|algorithm| Some((algorithm, first(algorithm)?))).collect();
        let good: Vec<_> =
            known.iter().filter(|(_, key)| !revoked(key)).map(|(algorithm, _)| *algorithm).collect();
        if good.is_empty() { known.into_iter().map(|(algorithm, _)| algorithm).collect() } else { good }
    }

    /// Whether a certificate authority is known for a host.
    #[must_use]
    pub fn has_authority(&self, address: &str, port: u16) -> bool {
        let with = |name: &str| self.entries.iter().any(|e| e.marker == Marker::Authority && e.names(name));
        with(&lookup_name(address, port)) || with(&lookup_name(address, 22))
    }

    /// The plain keys known for a host under its own name.
    #[must_use]
    pub fn known_keys(&self, address: &str, port: u16) -> Vec<KnownKey> {
        self.plain(&lookup_name(address, port)).map(KnownHostsEntry::describe).collect()
    }

    fn plain(&self, name: &str) -> impl Iterator<Item = &KnownHostsEntry> {
        self.entries.iter().filter(move |e| e.marker == Marker::None && e.names(name))
    }

    fn judge_as(&self, name: &str, key: &PublicKey) -> KeyVerdict {
        let matching: Vec<&KnownHostsEntry> = self.entries.iter().filter(|e| e.names(name)).collect();
        if let Some(revoked) = matching.iter().find(|e| e.marker == Marker::Revoked && e.is(key)) {
            return KeyVerdict::Revoked(revoked.place.clone());
        }
        let plain = || matching.iter().filter(|e| e.marker == Marker::None);
        if plain().any(|e| e.is(key)) {
            return KeyVerdict::Known;
        }
        let same_kind: Vec<KnownKey> =
            plain().filter(|e| e.algorithm == key.algorithm().as_str()).map(|e| e.describe()).collect();
        if !same_kind.is_empty() {
            return KeyVerdict::Changed(same_kind);
        }
        let others: Vec<KnownKey> = plain().map(|e| e.describe()).collect();
        if others.is_empty() { KeyVerdict::Unknown } else { KeyVerdict::OtherAlgorithm(others) }
    }

    /// A host at another port than 22 is `[name]:port`; only when that is unknown, a key known for the plain name
    /// is taken too, as OpenSSH does ("checking without port identifier"). Anything worse than unknown stands.
    fn with_fallback(&self, address: &str, port: u16, judge: impl Fn(&str) -> KeyVerdict) -> KeyVerdict {
        let verdict = judge(&lookup_name(address, port));
        if port == 22 || verdict != KeyVerdict::Unknown {
            return verdict;
        }
        match judge(&lookup_name(address, 22)) {
            KeyVerdict::Changed(_) | KeyVerdict::OtherAlgorithm(_) => KeyVerdict::Unknown,
            plain => plain,
        }
    }
}

/// The host-key algorithms this program accepts, best first. No SHA-1 (`ssh-rsa`), no DSA.
pub(crate) const HOST_KEY_ALGORITHMS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// The algorithms an authority may sign certificates with: those of host keys, and of security keys (OpenSSH's
/// `CASignatureAlgorithms`). The kind of its key does not tell: an RSA key signs with SHA-1, too.
fn may_certify(algorithm: &Algorithm) -> bool {
    let on_a_security_key = matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256);
    on_a_security_key || HOST_KEY_ALGORITHMS.contains(algorithm)
}

/// The least length of an RSA key, in bits (OpenSSH's `RequiredRSASize`).
const LEAST_RSA_BITS: usize = 1024;

/// What is wrong with the keys a server presents whatever is known of them: an RSA key, its own or the one that certified it,
/// that is too short to prove anything.
pub(crate) fn weakness(offered: &PublicKeyOrCertificate) -> Option<String> {
    let authority = offered.certificate().map(|c| ("certificate's authority", c.signature_key()));
    let own = offered.public_key();
    [Some(("key", own.key_data())), authority].into_iter().flatten().find_map(|(whose, key)| {
        let bits = rsa_bits(key).filter(|bits| *bits < LEAST_RSA_BITS)?;
        Some(format!("its {whose} is an RSA key of {bits} bits; {LEAST_RSA_BITS} are the least"))
    })
}

fn rsa_bits(key: &KeyData) -> Option<usize> {
    let modulus = key.rsa()?.n().as_positive_bytes()?;
    let unused = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    Some((modulus.len() * 8).saturating_sub(unused))
}

/// Whether a key of kind `key` signs with `algorithm`.
fn signs(key: &Algorithm, algorithm: &Algorithm) -> bool {
    key == algorithm || matches!((key, algorithm), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

/// The name a host is looked up by: lower case, `[name]:port` for another port than 22.
#[must_use]
pub fn lookup_name(address: &str, port: u16) -> String {
    let address = address.to_ascii_lowercase();
    if port == 22 { address } else { format!("[{address}]:{port}") }
}

/// What is wrong with a host certificate, if anything (`sshkey_cert_check_host`). Stricter than OpenSSH 9.2 in one
/// point: a certificate without names is for no host, not for every one (as OpenSSH since 10).
fn certificate_flaw(c: &Certificate, authority: &PublicKey, address: &str, now: u64) -> Option<&'static str> {
    if !c.cert_type().is_host() {
        return Some("it is a user's certificate, not a host's");
    }
    if now < c.valid_after() {
        return Some("it is not valid yet");
    }
    if now >= c.valid_before() {
        return Some("it has expired");
    }
    if c.validate_at(now, [&authority.fingerprint(HashAlg::Sha256)]).is_err() {
        return Some("its signature is wrong");
    }
    if !c.valid_principals().iter().any(|p| p.eq_ignore_ascii_case(address)) {
        return Some("it is for other host names");
    }
    if !c.critical_options().is_empty() {
        return Some("it has critical options that are not supported");
    }
    match c.signature().algorithm() {
        Algorithm::Rsa { hash: None } => {
            Some("its authority signed it with SHA-1 (ssh-rsa), which can be forged")
        }
        algorithm if may_certify(&algorithm) => None,
        _ => Some("its authority signed it with an algorithm that is not safe"),
    }
}

#[cfg(test)]
mod tests;

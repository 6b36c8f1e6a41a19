//! One line of a known_hosts file (`sshd(8)`, "SSH_KNOWN_HOSTS FILE FORMAT").

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_encoding::base64::{Base64, Encoding};
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};
use sha1::Sha1;

use super::KnownKey;

/// What a line says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    None,
    Authority,
    Revoked,
}

/// A line that is not a comment.
#[derive(Debug, Clone)]
pub(super) struct KnownHostsEntry {
    pub(super) marker: Marker,
    hosts: Hosts,
    /// The key type as written.
    pub(super) algorithm: String,
    /// `None` when it cannot be read, or is of a kind we do not know: it then matches no key, yet still says that
    /// something is known of the host.
    pub(super) key: Option<PublicKey>,
    /// `file:line`.
    pub(super) place: String,
}

#[derive(Debug, Clone)]
enum Hosts {
    Patterns(String),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl KnownHostsEntry {
    /// Reads a line; `None` for comments, and for what OpenSSH ignores too (unknown markers, no key).
    pub(super) fn parse(line: &str, source: &str, number: usize) -> Option<Self> {
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let mut fields = line.split([' ', '\t']).filter(|f| !f.is_empty());
        let mut hosts = fields.next()?;
        let marker = match hosts {
            "@cert-authority" => Marker::Authority,
            "@revoked" => Marker::Revoked,
            _ if hosts.starts_with('@') => return None,
            _ => Marker::None,
        };
        if marker != Marker::None {
            hosts = fields.next()?;
        }
        let algorithm = fields.next().filter(|f| !f.starts_with('#'))?;
        let key = fields.next().and_then(|data| PublicKey::from_openssh(&format!("{algorithm} {data}")).ok());
        let hosts = Hosts::parse(hosts)?;
        Some(Self {
            marker,
            hosts,
            algorithm: algorithm.to_owned(),
            key,
            place: format!("{source}:{number}"),
        })
    }

    /// A public key, or the one in a certificate, that no host may have; `None` when it is none.
    pub(super) fn revoked(line: &str, place: String) -> Option<Self> {
        let key =
            PublicKey::from_openssh(line).ok().filter(|k| !matches!(k.algorithm(), Algorithm::Other(_)));
        let certified =
            || Some(PublicKey::new(Certificate::from_openssh(line).ok()?.public_key().clone(), ""));
        let key = key.or_else(certified)?;
        Some(Self {
            marker: Marker::Revoked,
            hosts: Hosts::Patterns("*".to_owned()),
            algorithm: key.algorithm().to_string(),
            key: Some(key),
            place,
        })
    }

    /// Whether the line is about this look-up name (lower case).
    pub(super) fn names(&self, name: &str) -> bool {
        match &self.hosts {
            Hosts::Patterns(list) => matches_list(list, name),
            Hosts::Hashed { salt, hash } => Hmac::<Sha1>::new_from_slice(salt).is_ok_and(|mut mac| {
                mac.update(name.as_bytes());
                mac.verify_slice(hash).is_ok()
            }),
        }
    }

    /// Whether its names are patterns, which other hosts may fit too.
    pub(super) fn is_pattern(&self) -> bool {
        matches!(&self.hosts, Hosts::Patterns(list) if list.contains(['*', '?', '!']))
    }

    pub(super) fn is(&self, key: &PublicKey) -> bool {
        self.key.as_ref().is_some_and(|k| k.key_data() == key.key_data())
    }

    pub(super) fn describe(&self) -> KnownKey {
        let fingerprint = self.key.as_ref().map(|k| k.fingerprint(HashAlg::Sha256).to_string());
        KnownKey {
            algorithm: self.algorithm.clone(),
            fingerprint: fingerprint.unwrap_or_else(|| super::UNREADABLE.to_owned()),
            place: self.place.clone(),
        }
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if !text.starts_with('|') {
            return Some(Self::Patterns(text.to_ascii_lowercase()));
        }
        let (salt, hash) = text.strip_prefix("|1|")?.split_once('|')?;
        Some(Self::Hashed { salt: Base64::decode_vec(salt).ok()?, hash: Base64::decode_vec(hash).ok()? })
    }
}

/// A comma list of patterns: one must match, and none that starts with `!` (`match_pattern_list`).
fn matches_list(list: &str, name: &str) -> bool {
    let mut positive = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => positive |= matches(pattern.as_bytes(), name.as_bytes()),
        }
    }
    positive
}

/// `*` is any text, `?` any one character; nothing else is special (`match_pattern`). Linear in time: on a mismatch
/// only the last `*` is tried again.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == b'*')
}

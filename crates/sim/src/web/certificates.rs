//! Certificates and keys of the simulated worlds: what one says, its PEM, and whether a chain holds. Nothing
//! is signed: a certificate names the key that signed it.

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// A simulated certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose it is: `O`, `CN` and their values.
    pub subject: Vec<(String, String)>,
    /// Whose key signed it.
    pub issuer: Vec<(String, String)>,
    /// From when on it holds, seconds since 1970.
    pub not_before: i64,
    /// Until when it holds.
    pub not_after: i64,
    /// The host names it is for.
    pub names: Vec<String>,
    /// Its public key.
    pub key: Key,
    /// The public key of who signed it.
    pub signed_by: Key,
    /// Whether it may sign others.
    pub authority: bool,
}

/// A key pair, known by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key(String);

/// Why a chain does not hold: OpenSSL's number, and at which certificate, the server's own being 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// `X509_V_ERR_…`.
    pub code: u8,
    /// How far from the server's own.
    pub depth: usize,
}

/// What begins the content of each kind of file.
const CERTIFICATE: &[u8] = b"simulated certificate\n";
const PRIVATE: &[u8] = b"simulated private key\n";
const PUBLIC: &[u8] = b"simulated public key\n";
/// Certificates of one chain at most.
const LONGEST: usize = 8;

impl Key {
    /// The key drawn from this text.
    #[must_use]
    pub fn drawn(from: &str) -> Self {
        Self(hex(&sha2::Sha256::digest(from)))
    }

    /// The private key's file.
    #[must_use]
    pub fn private_pem(&self) -> String {
        pem("PRIVATE KEY", &[PRIVATE, self.0.as_bytes()].concat())
    }

    /// The public key's file.
    #[must_use]
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &[PUBLIC, self.0.as_bytes()].concat())
    }

    /// The key in a file; `None` when it holds none, or one with a passphrase.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = blocks(text, "PRIVATE KEY").into_iter().next()?;
        Some(Self(String::from_utf8(bytes.strip_prefix(PRIVATE)?.to_vec()).ok()?))
    }
}

impl Certificate {
    fn der(&self) -> Vec<u8> {
        let mut bytes = CERTIFICATE.to_vec();
        bytes.extend(serde_json::to_vec(self).unwrap_or_default());
        bytes
    }

    /// Its file.
    #[must_use]
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der())
    }

    /// SHA-256 of what its file holds, as OpenSSL writes it: `0A:1B:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let pairs = sha2::Sha256::digest(self.der());
        pairs.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// The certificates in a file, in order.
    #[must_use]
    pub fn all(text: &str) -> Vec<Self> {
        let read = |bytes: Vec<u8>| serde_json::from_slice(bytes.strip_prefix(CERTIFICATE)?).ok();
        blocks(text, "CERTIFICATE").into_iter().filter_map(read).collect()
    }

    /// Whether it is for that host name; `*.` stands for one label.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let below = host.split_once('.').map(|(_, domain)| format!("*.{domain}"));
        self.names.iter().any(|name| name.eq_ignore_ascii_case(host) || below.as_ref() == Some(name))
    }

    /// Whether it leads to one that is trusted, by way of others, and all of them hold at that time.
    ///
    /// # Errors
    /// What OpenSSL says first.
    pub fn verify(&self, others: &[Self], trusted: &[Self], now: i64) -> Result<(), Broken> {
        let mut chain = vec![self];
        while let Some(last) = chain.last().copied() {
            let depth = chain.len() - 1;
            let signs = |other: &&Self| other.subject == last.issuer && other.key == last.signed_by;
            if trusted.contains(last) {
                break;
            }
            if let Some(root) = trusted.iter().find(signs) {
                chain.push(root);
                break;
            }
            match others.iter().find(signs) {
                _ if last.subject == last.issuer => {
                    return Err(Broken { code: if depth == 0 { 18 } else { 19 }, depth });
                }
                Some(other) if chain.len() < LONGEST => chain.push(other),
                Some(_) | None => return Err(Broken { code: 20, depth }),
            }
        }
        let ca = chain.iter().enumerate().skip(1).find(|(_, one)| !one.authority);
        if let Some((depth, _)) = ca {
            return Err(Broken { code: 24, depth });
        }
        for (depth, one) in chain.iter().enumerate().rev() {
            if one.not_before > now {
                return Err(Broken { code: 9, depth });
            }
            if one.not_after < now {
                return Err(Broken { code: 10, depth });
            }
        }
        Ok(())
    }
}

/// What a number of OpenSSL means, in the words of 3.0.
#[must_use]
pub fn meaning(code: u8) -> &'static str {
    match code {
        0 => "ok",
        9 => "certificate is not yet valid",
        10 => "certificate has expired",
        18 => "self-signed certificate",
        19 => "self-signed certificate in certificate chain",
        20 => "unable to get local issuer certificate",
        21 => "unable to verify the first certificate",
        _ => "invalid CA certificate",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 7468: lines of 64 letters.
fn pem(label: &str, bytes: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines: String =
        text.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

/// What the blocks of that label hold; text around them is passed over.
fn blocks(text: &str, label: &str) -> Vec<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if line == begin {
            open = Some(String::new());
        } else if line == end {
            let body = open.take().unwrap_or_default();
            found.extend(base64::engine::general_purpose::STANDARD.decode(body).ok());
        } else if let Some(body) = &mut open {
            body.push_str(line);
        }
    }
    found
}

//! Which algorithms are offered: nothing with SHA-1, cheap key exchange first, and no cipher that the Terrapin attack
//! (CVE-2023-48795) touches unless strict key exchange is on.

use std::borrow::Cow;

use russh::keys::Algorithm;
use russh::keys::ssh_key::Signature;
use russh::{Names, Preferred, cipher, compression, kex, mac};

/// mlkem768x25519 and curve25519 cost about 0.01 s of CPU; NIST and finite-field groups are for old servers.
const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::DH_G14_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_GEX_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

/// ChaCha20 last: it is the one that needs strict key exchange, and the choice is made before the client knows whether the
/// server has that. A server without it that also offers AES (dropbear 2022.83) is then connected to safely.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
    cipher::CHACHA20_POLY1305,
];

/// Encrypt-and-MAC first for the same reason: EtM needs strict key exchange too. Only servers without AES-GCM use a MAC.
const MACS: &[mac::Name] = &[mac::HMAC_SHA256, mac::HMAC_SHA512, mac::HMAC_SHA256_ETM, mac::HMAC_SHA512_ETM];

/// What is offered to a server of which `host_keys` may be presented; host certificates too when an authority is known.
pub(super) fn preferred(host_keys: Vec<Algorithm>, certificates: bool) -> Preferred {
    let host_key_certificates =
        if certificates { crate::openssh::known_hosts::HOST_KEY_ALGORITHMS } else { &[] };
    Preferred {
        kex: Cow::Borrowed(KEX),
        key: Cow::Owned(host_keys),
        host_key_certificates: Cow::Borrowed(host_key_certificates),
        cipher: Cow::Borrowed(CIPHERS),
        mac: Cow::Borrowed(MACS),
        compression: Cow::Borrowed(&[compression::NONE]),
    }
}

/// Whether the server's proof that it has its host key is signed with an algorithm that was offered. russh verifies the
/// signature, and takes an RSA one with SHA-1 though SHA-2 was agreed on.
pub(super) fn is_signed_safely(signature: &[u8]) -> bool {
    Signature::try_from(signature).is_ok_and(|signature| {
        crate::openssh::known_hosts::HOST_KEY_ALGORITHMS.contains(&signature.algorithm())
    })
}

/// Whether what was agreed on is open to Terrapin: ChaCha20-Poly1305 or an EtM MAC without strict key exchange.
pub(super) fn is_open_to_terrapin(names: &Names) -> bool {
    let gcm = [cipher::AES_256_GCM, cipher::AES_128_GCM].contains(&names.cipher);
    let etm = [names.client_mac, names.server_mac]
        .iter()
        .any(|m| [mac::HMAC_SHA256_ETM, mac::HMAC_SHA512_ETM].contains(m));
    !names.strict_kex() && (names.cipher == cipher::CHACHA20_POLY1305 || (!gcm && etm))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use russh::keys::HashAlg;
    use russh::keys::ssh_encoding::Encode;

    use super::*;

    #[test]
    fn a_proof_signed_with_sha_1_is_none() {
        let signed = |hash| {
            let signature = Signature::new(Algorithm::Rsa { hash }, vec![7; 256]).unwrap();
            signature.encode_vec().unwrap()
        };
        assert!(
            is_signed_safely(&signed(Some(HashAlg::Sha512)))
                && is_signed_safely(&signed(Some(HashAlg::Sha256)))
        );
        assert!(!is_signed_safely(&signed(None)));
        assert!(!is_signed_safely(b"") && !is_signed_safely(b"\0\0\0\x07ssh-rsa"));
    }
}

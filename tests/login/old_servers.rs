//! Servers that lack what newer ones have.

use std::borrow::Cow;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck::domain::access::Access;
use jumpdeck::ssh::error::ErrorKind;
use russh::{Preferred, cipher, kex, mac};

use super::door::{Door, Plan, Turn};
use super::fleet::{Person, access, environment, open, remote};
use super::sshd::{Sshd, keygen, missing, not_root};

const CHACHA: &[cipher::Name] = &[cipher::CHACHA20_POLY1305];
const BOTH: &[cipher::Name] = &[cipher::CHACHA20_POLY1305, cipher::AES_256_CTR, cipher::AES_128_CTR];
const ETM: &[mac::Name] = &[mac::HMAC_SHA256_ETM];
const PLAIN: &[mac::Name] = &[mac::HMAC_SHA1, mac::HMAC_SHA256];
const OLD_KEX: &[kex::Name] = &[kex::CURVE25519, kex::DH_G14_SHA256];
const STRICT_KEX: &[kex::Name] = &[kex::CURVE25519, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER];

/// Case 14: a server without strict key exchange (dropbear 2022.83) that offers ChaCha20 and AES-CTR is connected to with
/// AES-CTR; one that offers nothing but what Terrapin breaks is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_strict_key_exchange_is_reached_with_aes_ctr() {
    let dir = tempfile::tempdir().unwrap();
    for (kex, ciphers, macs, good) in [
        (OLD_KEX, BOTH, PLAIN, true),
        (OLD_KEX, &[cipher::AES_128_CTR][..], PLAIN, true),
        (OLD_KEX, &[cipher::AES_256_GCM, cipher::CHACHA20_POLY1305][..], ETM, true),
        (STRICT_KEX, CHACHA, PLAIN, true),
        (STRICT_KEX, BOTH, ETM, true),
        (OLD_KEX, CHACHA, PLAIN, false),
        (OLD_KEX, BOTH, ETM, false),
    ] {
        let preferred = Preferred {
            kex: Cow::Borrowed(kex),
            cipher: Cow::Borrowed(ciphers),
            mac: Cow::Borrowed(macs),
            ..Preferred::DEFAULT
        };
        let door = Door::open(Plan { turns: vec![Turn::Opens], preferred }).await;
        let known = dir.path().join("known_hosts");
        fs::write(&known, &door.known).unwrap();
        let login = Access { keys: Vec::new(), password: true, ..access(&known, known.clone()) };
        let env = environment(remote(door.port, login), Duration::from_secs(10));
        let opened = open(&env, &Person::new([]), &Arc::default()).await;
        match (opened, good) {
            (Ok(_), true) => {}
            (Err(error), false) => assert_eq!(error.kind, ErrorKind::Algorithms, "{error}"),
            (Ok(_), false) => panic!("open to Terrapin: {ciphers:?} {macs:?}"),
            (Err(error), true) => panic!("{ciphers:?} {macs:?}: {error}"),
        }
    }
}

/// Case 28: a server that knows sntrup761 only is told so exactly.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_sntrup761_only_is_named_as_that() {
    if missing(&["sshd", "ssh-keygen"]) || not_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    keygen(&dir.path().join("key"), "ed25519", "");
    let sshd = Sshd::start(dir.path(), "server", "KexAlgorithms sntrup761x25519-sha512@openssh.com");
    let known = dir.path().join("known_hosts");
    fs::write(&known, sshd.known()).unwrap();
    let login = access(&dir.path().join("key"), known);
    let env = environment(remote(sshd.port, login), Duration::from_secs(20));
    let refused = open(&env, &Person::new([]), &Arc::default()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Algorithms, "{refused}");
    for word in ["sntrup761x25519-sha512", "not supported here", "curve25519-sha256", "KexAlgorithms"] {
        assert!(refused.to_string().contains(word), "{refused}");
    }
}

//! Servers that lack what newer ones have.

use std::borrow::Cow;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck::transport::error::ErrorKind;
use jumpdeck_fleet::access::{Access, KeySource};
use russh::keys::Algorithm;
use russh::{Preferred, cipher, kex, mac};

use super::door::{Door, Plan, Turn};
use super::fleet::{Person, access, environment, open, remote};
use super::sshd::{Sshd, keygen, missing, not_root, public};

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

/// Case 21: an RSA key at a server that does not announce SHA-2 is not called wrong; one that a newer server refuses is.
#[tokio::test(flavor = "multi_thread")]
async fn an_rsa_key_is_not_called_wrong_where_only_sha_1_is_known() {
    if missing(&["sshd", "ssh-keygen"]) || not_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    keygen(&path("rsa"), "rsa", "");
    keygen(&path("ed25519"), "ed25519", "");
    fs::write(path("authorized_keys"), "").unwrap();
    let known = path("known_hosts");
    let refused = async |port: u16, keys: &[&str]| {
        let file = |name: &&str| KeySource::File { path: path(name), certificate: None };
        let login = Access { keys: keys.iter().map(file).collect(), ..access(&known, known.clone()) };
        let env = environment(remote(port, login), Duration::from_secs(20));
        open(&env, &Person::new([]), &Arc::default()).await.unwrap_err().to_string()
    };
    // What the server announces: SHA-1 for RSA, or nothing for RSA.
    for key in [&[Algorithm::Ed25519, Algorithm::Rsa { hash: None }][..], &[Algorithm::Ed25519]] {
        let preferred = Preferred { key: Cow::Owned(key.to_vec()), ..Preferred::DEFAULT };
        let door = Door::open(Plan { turns: Vec::new(), preferred }).await;
        fs::write(&known, &door.known).unwrap();
        let said = refused(door.port, &["rsa"]).await;
        for word in ["does not announce RSA signatures with SHA-2", "key may be right", "use an ECDSA key"] {
            assert!(said.contains(word), "{said:?} lacks {word}");
        }
        assert!(!said.contains("check user"), "{said}");
        let said = refused(door.port, &["rsa", "ed25519"]).await;
        assert!(said.contains("does not announce") && said.contains("check user"), "{said}");
    }
    let sshd = Sshd::start(dir.path(), "server", "");
    fs::write(&known, sshd.known()).unwrap();
    let said = refused(sshd.port, &["rsa"]).await;
    assert!(said.contains("check user") && !said.contains("announce"), "{said}");
}

/// Case 21, the other way round: a host whose known key is proved with SHA-1 only has not changed its key.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_that_is_proved_with_sha_1_is_not_called_changed() {
    if missing(&["ssh-keygen"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    keygen(&path("host"), "rsa", "");
    keygen(&path("other"), "ecdsa", "");
    let rsa = russh::keys::load_secret_key(path("host"), None).unwrap();
    let known = path("known_hosts");
    let refused = async |port: u16| {
        let login = Access { keys: Vec::new(), ..access(&known, known.clone()) };
        let env = environment(remote(port, login), Duration::from_secs(20));
        open(&env, &Person::new([]), &Arc::default()).await.unwrap_err()
    };
    // What dropbear 2019.78 and OpenSSH 5.3 offer.
    let nist = Algorithm::Ecdsa { curve: russh::keys::EcdsaCurve::NistP256 };
    for kinds in [vec![nist, Algorithm::Rsa { hash: None }], vec![Algorithm::Rsa { hash: None }]] {
        let preferred = Preferred { key: Cow::Owned(kinds), ..Preferred::DEFAULT };
        let door = Door::open_with(Plan { turns: Vec::new(), preferred }, rsa.clone()).await;
        fs::write(&known, &door.known).unwrap();
        let error = refused(door.port).await;
        assert_eq!(error.kind, ErrorKind::Algorithms, "{error}");
        for word in ["SHA-1 only (ssh-rsa)", "out of band", "known_hosts:1"] {
            assert!(error.to_string().contains(word), "{error}");
        }
        // Whoever has no key of the known kind has changed.
        fs::write(&known, format!("[127.0.0.1]:{} {}\n", door.port, public(&path("other")))).unwrap();
        assert_eq!(refused(door.port).await.kind, ErrorKind::HostKeyChanged);
    }
}

/// Case 21: only a server that does not announce what it takes may be older than a refused ed25519 key.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_server_that_refuses_an_ed25519_key_is_not_called_old() {
    if missing(&["sshd", "ssh-keygen"]) || not_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    keygen(&path("ed25519"), "ed25519", "");
    fs::write(path("authorized_keys"), "").unwrap();
    let known = path("known_hosts");
    let sshd = Sshd::start(dir.path(), "server", "");
    fs::write(&known, sshd.known()).unwrap();
    let env = environment(remote(sshd.port, access(&path("ed25519"), known)), Duration::from_secs(20));
    let said = open(&env, &Person::new([]), &Arc::default()).await.unwrap_err().to_string();
    assert!(said.contains("check user") && !said.contains("ECDSA key is needed"), "{said}");
}

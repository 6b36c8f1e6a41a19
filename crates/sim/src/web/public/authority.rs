//! The authority that signs what a world shows to the world outside. Its key follows from the seed: a world is trusted by its own
//! inventory and by nobody else.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::Digest as _;

const DAY: f64 = 86_400.0;
/// An Ed25519 key in PKCS #8 without its 32 bytes (RFC 8410).
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

fn key(from: &str) -> Option<(KeyPair, PrivatePkcs8KeyDer<'static>)> {
    let der = PrivatePkcs8KeyDer::from([PKCS8.as_slice(), sha2::Sha256::digest(from).as_slice()].concat());
    Some((KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).ok()?, der))
}

fn root(seed: u64) -> Option<(CertificateParams, KeyPair)> {
    let mut params = CertificateParams::new(Vec::new()).ok()?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Simulated Authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2100, 1, 1));
    Some((params, key(&format!("{seed} outside, authority"))?.0))
}

/// The authority's certificate.
pub(super) fn pem(seed: u64) -> String {
    let made = root(seed).and_then(|(params, key)| params.self_signed(&key).ok());
    made.map(|certificate| certificate.pem()).unwrap_or_default()
}

/// A TLS server with a certificate for those names; the days that it has left are counted on the real clock, as its clients do.
pub(super) fn server(seed: u64, (names, days): (Vec<String>, f64)) -> Option<Arc<ServerConfig>> {
    let (authority, authority_key) = root(seed)?;
    let (pair, der) = key(&format!("{seed} outside, server"))?;
    let mut params = CertificateParams::new(names).ok()?;
    let now = date_time_ymd(1970, 1, 1) + std::time::SystemTime::UNIX_EPOCH.elapsed().ok()?;
    let left = Duration::from_secs_f64((days.abs() * DAY).min(1e9));
    params.not_after = if days < 0.0 { now - left } else { now + left };
    params.not_before = params.not_after - Duration::from_secs(365 * 86_400);
    let certificate = params.signed_by(&pair, &Issuer::from_params(&authority, authority_key)).ok()?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().ok()?.with_no_client_auth();
    let chain = vec![certificate.der().clone()];
    config.with_single_cert(chain, PrivateKeyDer::Pkcs8(der)).ok().map(Arc::new)
}

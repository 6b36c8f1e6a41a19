//! Certificates: every one is taken, so that it can be read, and then judged.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use jumpdeck_fleet::outside::{ChainTrust, SiteCertificate, TrustedAuthorities};
use jumpdeck_fleet::text::Clean;

use super::look::said;

/// Names of a certificate that are kept.
const NAMES: usize = 20;
/// Largest file of authorities that is read.
const LARGEST: u64 = 4 << 20;

/// Who may sign certificates, and how TLS is spoken.
pub struct Trust {
    /// The authorities, or why none are known.
    roots: Result<RootCertStore, Clean>,
    provider: Arc<CryptoProvider>,
    config: Result<Arc<ClientConfig>, String>,
}

impl Trust {
    /// Reads the authorities.
    pub async fn load(authorities: &TrustedAuthorities) -> Self {
        let authorities = authorities.clone();
        let roots = tokio::task::spawn_blocking(move || roots(&authorities)).await;
        let roots = roots.unwrap_or_else(|_| Err("reading the authorities failed".into()));
        let provider = Arc::new(ring::default_provider());
        let reads = Arc::new(ReadsAll(provider.clone()));
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map(|builder| {
                let builder = builder.dangerous().with_custom_certificate_verifier(reads);
                Arc::new(builder.with_no_client_auth())
            })
            .map_err(|error| error.to_string());
        Self { roots, provider, config }
    }

    /// How TLS is spoken: a certificate that does not verify is read, too, and nothing secret is ever sent.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.clone()
    }

    /// What the certificates that a server sent say about it.
    pub(super) fn judge(&self, host: &str, chain: &[CertificateDer<'_>]) -> Result<SiteCertificate, String> {
        let [own, others @ ..] = chain else { return Err("the server sent no certificate".to_owned()) };
        let unreadable = |_| "its certificate cannot be read".to_owned();
        let (_, read) = X509Certificate::from_der(own).map_err(unreadable)?;
        let parsed =
            ParsedCertificate::try_from(own).map_err(|_| "its certificate cannot be read".to_owned())?;
        let name = ServerName::try_from(host).map_err(|_| format!("{host} is not a name for TLS"))?;
        let now = unix_time();
        let (begins, ends) = (read.validity().not_before.timestamp(), read.validity().not_after.timestamp());
        Ok(SiteCertificate {
            host: host.to_owned(),
            names: names(&read),
            is_for_host: verify_server_name(&parsed, &name).is_ok(),
            issuer: issuer(&read),
            chain_length: chain.len(),
            // A date that is over is a finding of its own: the chain is judged at a time when its first certificate holds.
            trust: self.trust(&parsed, others, now.clamp(begins.min(ends), ends)),
            seconds_left: ends.saturating_sub(now),
            begins_in: (begins > now).then(|| begins.saturating_sub(now)),
        })
    }

    fn trust(&self, own: &ParsedCertificate<'_>, others: &[CertificateDer<'_>], at: i64) -> ChainTrust {
        let roots = match &self.roots {
            Ok(roots) => roots,
            Err(why) => return ChainTrust::Unknown(why.clone()),
        };
        let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at).unwrap_or(0)));
        let algorithms = self.provider.signature_verification_algorithms.all;
        match verify_server_cert_signed_by_trust_anchor(own, roots, others, at, algorithms) {
            Ok(()) => ChainTrust::Trusted,
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                ChainTrust::NotTrusted("no trusted authority signed what the server sent".into())
            }
            Err(Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) => ChainTrust::NotTrusted("a certificate of its chain has expired".into()),
            Err(error) => ChainTrust::NotTrusted(said(&error.to_string())),
        }
    }
}

fn unix_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn roots(authorities: &TrustedAuthorities) -> Result<RootCertStore, Clean> {
    let mut store = RootCertStore::empty();
    match authorities {
        TrustedAuthorities::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        TrustedAuthorities::Files(files) => {
            for file in files {
                add(&mut store, &read(file)?);
            }
        }
        TrustedAuthorities::Text(text) => add(&mut store, text.as_bytes()),
    }
    if store.is_empty() {
        return Err("no authorities are known here; install ca-certificates, or name a file of authorities in the inventory"
            .into());
    }
    Ok(store)
}

fn add(store: &mut RootCertStore, pem: &[u8]) {
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
}

fn read(file: &PathBuf) -> Result<Vec<u8>, Clean> {
    let cannot = |why: String| Clean::new(&format!("authorities {}: {why}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| cannot(error.to_string()))?.len();
    if size > LARGEST {
        return Err(cannot(format!("larger than {} MiB", LARGEST >> 20)));
    }
    std::fs::read(file).map_err(|error| cannot(error.to_string()))
}

fn names(certificate: &X509Certificate<'_>) -> Vec<Clean> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(said(name)),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let ip = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
            ip.ok().map(|ip| said(&ip.to_string()))
        }
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).take(NAMES).collect()
}

fn issuer(certificate: &X509Certificate<'_>) -> Clean {
    let issuer = certificate.issuer();
    let common = issuer.iter_common_name().next().and_then(|name| name.as_str().ok());
    said(&common.map_or_else(|| issuer.to_string(), str::to_owned))
}

/// Takes every certificate, for reading. That the server has its key is checked.
#[derive(Debug)]
struct ReadsAll(Arc<CryptoProvider>);

impl ServerCertVerifier for ReadsAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

//! Verifying a server: its key or certificate is judged, and a person asked about an unknown one.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};

use jumpdeck_fleet::access::KnownHosts;
use jumpdeck_fleet::event::{Answer, QuestionKind};
use jumpdeck_fleet::hop::Hop;

use super::Client;
use crate::openssh::known_hosts::{
    HOST_KEY_ALGORITHMS, HostKeys, KeyVerdict, KnownKey, append, line_for, lookup_name, weakness,
};
use crate::transport::error::{ErrorKind, TransportError};

impl Client {
    /// Judges what the server presented; asks a person about an unknown key.
    pub(super) async fn verify(&self, offered: &PublicKeyOrCertificate) -> Result<(), TransportError> {
        let (address, port) = self.target.known_as();
        let key = offered.public_key();
        let fingerprint = format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        if let Some(weakness) = weakness(offered) {
            return Err(self.error(ErrorKind::Algorithms, weakness));
        }
        let verdict = match offered.certificate() {
            Some(certificate) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
                self.known.judge_certificate(address, port, certificate, now)
            }
            None => self.known.judge(address, port, &key),
        };
        match verdict {
            KeyVerdict::Known => Ok(()),
            KeyVerdict::Unknown => self.ask_about(&key, &fingerprint).await,
            KeyVerdict::Changed(known) => Err(self.error(
                ErrorKind::HostKeyChanged,
                format!("it offers {fingerprint}; known is {}", list(&known)),
            )),
            KeyVerdict::OtherAlgorithm(known) => Err(self.error(
                ErrorKind::HostKeyChanged,
                format!("it offers {fingerprint}; known are only keys of other types: {}", list(&known)),
            )),
            KeyVerdict::Revoked(place) => {
                Err(self
                    .error(ErrorKind::HostKeyRevoked, format!("its key {fingerprint} is revoked ({place})")))
            }
            KeyVerdict::BadCertificate(flaw) => Err(self.error(
                ErrorKind::HostCertificate,
                format!("its host certificate is not valid: {flaw} ({fingerprint})"),
            )),
        }
    }

    async fn ask_about(&self, key: &PublicKey, fingerprint: &str) -> Result<(), TransportError> {
        let (address, port) = self.target.known_as();
        let unknown = || {
            self.error(
                ErrorKind::HostKeyUnknown,
                format!("unknown host key: it offers {fingerprint}, which no known_hosts file has"),
            )
        };
        if !HOST_KEY_ALGORITHMS.iter().any(|a| a.as_str() == key.algorithm().as_str() || same_rsa(a, key)) {
            return Err(unknown());
        }
        let access = &self.target.access;
        let _turn = self.asker.patience.pause(self.ring.host_turn(&lookup_name(address, port))).await;
        // Another connection may have asked about this host meanwhile.
        let mut known =
            HostKeys::load(&access.known_hosts).await.map_err(|e| self.file_error(&e.to_string()))?;
        known.add_text(&self.ring.accepted(&self.asker.env), "accepted before");
        match known.judge(address, port, key) {
            KeyVerdict::Known => return Ok(()),
            KeyVerdict::Unknown => {}
            _ => return Err(unknown()),
        }
        let file = match &access.known_hosts {
            KnownHosts::Files(files) => files.own.first().cloned(),
            KnownHosts::Text(_) => None,
        };
        let question = QuestionKind::UnknownHostKey {
            address: match access.known_hosts.alias() {
                Some(alias) => format!("{}:{} as {alias}", self.target.address, self.target.port),
                None => format!("{address}:{port}"),
            },
            algorithm: key.algorithm().to_string(),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
            file: file
                .as_ref()
                .map_or_else(|| "memory, until the program ends".to_owned(), |f| f.display().to_string()),
        };
        match self.asker.put(&self.target.hop, question).await {
            Answer::Accept => self.accept(key, file).await,
            Answer::Refuse | Answer::Secret(_) => Err(unknown()),
        }
    }

    async fn accept(&self, key: &PublicKey, file: Option<PathBuf>) -> Result<(), TransportError> {
        let (address, port) = self.target.known_as();
        let address = address.to_owned();
        let Some(file) = file else {
            let line = line_for(&address, port, key).map_err(|e| self.file_error(&e))?;
            self.ring.accept(&self.asker.env, line);
            return Ok(());
        };
        let key = key.clone();
        let written = tokio::task::spawn_blocking(move || append(&file, &address, port, &key)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(self.file_error(&e.to_string())),
            Err(e) => Err(self.file_error(&e.to_string())),
        }
    }

    fn file_error(&self, detail: &str) -> TransportError {
        TransportError::new(&Hop::Here, ErrorKind::KnownHostsFile, detail)
    }
}

/// RSA keys carry no hash, algorithms do.
fn same_rsa(algorithm: &Algorithm, key: &PublicKey) -> bool {
    matches!((algorithm, key.algorithm()), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

/// Known keys in words.
pub(super) fn list(known: &[KnownKey]) -> String {
    let each = known.iter().map(|k| format!("{} {} ({})", k.algorithm, k.fingerprint, k.place));
    each.collect::<Vec<_>>().join(", ")
}

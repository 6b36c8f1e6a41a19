//! TLS of the web servers: their certificates' files, and what each serves, which is what it loaded when it
//! was started or reloaded last.

use std::collections::BTreeMap;

use crate::posix::machine::Machine;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::certificates::{Certificate, Key};

/// Where programs look for the authorities that they trust.
pub const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// The web servers' files.
const LEAF: &str = "/etc/ssl/web/cert.pem";
const CHAIN: &str = "/etc/ssl/web/chain.pem";
const WHOLE: &str = "/etc/ssl/web/fullchain.pem";
/// Their private key.
pub(crate) const KEY: &str = "/etc/ssl/web/key.pem";
const APACHE: &str = "/etc/apache2/sites-enabled/default-ssl.conf";
const NGINX: &str = "/etc/nginx/sites-enabled/default-ssl";
/// All of them.
pub(crate) static FILES: &[&str] = &[AUTHORITIES, LEAF, CHAIN, WHOLE, KEY, APACHE, NGINX];
/// Where a person has put the next certificate, on the jump box.
pub const NEXT: &str = "/root/new-certificate";

const DAY: i64 = 86_400;
/// The public names of the fleet (`002`), below its public domain.
static LABELS: &[&str] =
    &["www", "accounts", "blog", "code", "docs", "notes", "project", "source", "specs", "stats"];

/// What goes wrong with a web server's reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// It says that it was done, and the old certificate is served still.
    KeepsOld,
    /// It fails, and the old certificate is served still.
    Refuses,
}

/// Web servers that are not as at the world's start.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    loaded: BTreeMap<HostName, Vec<Certificate>>,
    faults: BTreeMap<HostName, TlsFault>,
}

impl Tls {
    /// Nothing is known of a machine any more.
    pub(crate) fn forget(&mut self, host: &HostName) {
        self.loaded.remove(host);
        self.faults.remove(host);
    }
}

fn named(organization: &str, common: &str) -> Vec<(String, String)> {
    vec![("O".to_owned(), organization.to_owned()), ("CN".to_owned(), common.to_owned())]
}

/// Why a web server cannot load what its configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unloadable {
    /// A file is missing, or holds none: told when the configuration is tested.
    File(String),
    /// Certificate and key are no pair. Apache's test does not see it.
    NoPair(String),
}

impl World {
    fn authority(&self, common: &str, signer: &str) -> Certificate {
        let key = |name: &str| Key::drawn(&format!("{} {name}", self.seed()));
        Certificate {
            subject: named("Simulated Trust", common),
            issuer: named("Simulated Trust", signer),
            not_before: self.clock.started - 900 * DAY,
            not_after: self.clock.started + 2_700 * DAY,
            names: Vec::new(),
            key: key(common),
            signed_by: key(signer),
            authority: true,
        }
    }

    /// Who signed the certificates of this world: the one that signs, and the root that is trusted.
    #[must_use]
    pub fn authorities(&self) -> (Certificate, Certificate) {
        let root = "Simulated Root";
        (self.authority("Simulated Issuer", root), self.authority(root, root))
    }

    /// A certificate for the public names, signed by the world's authority: from and until these days after the world's start.
    #[must_use]
    pub fn issue(&self, key: &Key, days: (i64, i64)) -> Certificate {
        let domain = match self.level() {
            "production" => "webplatform.org".to_owned(),
            level => format!("webplatform{level}.org"),
        };
        let (issuer, _) = self.authorities();
        let mut names = vec![domain.clone()];
        names.extend(LABELS.iter().map(|label| format!("{label}.{domain}")));
        Certificate {
            subject: vec![("CN".to_owned(), domain)],
            issuer: issuer.subject,
            not_before: self.clock.started + days.0 * DAY,
            not_after: self.clock.started + days.1 * DAY,
            names,
            key: key.clone(),
            signed_by: issuer.key,
            authority: false,
        }
    }

    fn first_key(&self) -> Key {
        Key::drawn(&format!("{} {} web", self.seed(), self.level()))
    }

    /// What every web server has at the world's start.
    pub(crate) fn first_certificate(&self) -> Certificate {
        self.issue(&self.first_key(), (-345, 20))
    }

    /// Puts the next certificate where a person would, with its chain and its key.
    pub(crate) fn start_tls(&mut self) {
        let Some(jump) = self.jump().cloned() else { return };
        let key = Key::drawn(&format!("{} {} web, the next", self.seed(), self.level()));
        let certificate = self.issue(&key, (-1, 364));
        let (issuer, _) = self.authorities();
        self.make_dir(&jump, NEXT, 0o700);
        for (name, text) in
            [("cert.pem", certificate.pem()), ("chain.pem", issuer.pem()), ("key.pem", key.private_pem())]
        {
            let path = format!("{NEXT}/{name}");
            self.write_file(&jump, &path, text.into_bytes());
            self.set_attributes(&jump, &path, |attributes| attributes.mode = 0o600);
        }
    }

    /// The pillar of the world's start: what the web servers have.
    pub(crate) fn tls_pillar(&self) -> String {
        let (issuer, _) = self.authorities();
        let parts = [
            ("certificate", self.first_certificate().pem()),
            ("chain", issuer.pem()),
            ("key", self.first_key().private_pem()),
        ];
        let mut text = "certificates:\n  web:\n".to_owned();
        for (name, pem) in parts {
            text.push_str(&format!("    {name}: |\n"));
            pem.lines().for_each(|line| text.push_str(&format!("      {line}\n")));
        }
        text
    }

    /// The web server that a machine has, and the file that says what it loads.
    #[must_use]
    pub(crate) fn tls_server(&self, host: &HostName) -> Option<(&'static str, &'static str)> {
        let services = self.services(host);
        [("apache2", APACHE), ("nginx", NGINX)].into_iter().find(|(name, _)| services.contains(name))
    }

    /// The files of a web server, as they were when its machine was set up.
    pub(crate) fn tls_file(&self, machine: &Machine, path: &str) -> Option<String> {
        let (issuer, root) = self.authorities();
        if path == AUTHORITIES {
            return Some(root.pem());
        }
        let (_, config) = self.tls_server(&machine.name)?;
        let apache = config == APACHE;
        Some(match path {
            APACHE if apache => format!(
                "<VirtualHost _default_:443>\n\tDocumentRoot /srv\n\tSSLEngine on\n\tSSLCertificateFile {LEAF}\n\
                 \tSSLCertificateKeyFile {KEY}\n\tSSLCertificateChainFile {CHAIN}\n</VirtualHost>\n"
            ),
            NGINX if !apache => format!(
                "server {{\n\tlisten 443 ssl;\n\troot /srv;\n\tssl_certificate {WHOLE};\n\tssl_certificate_key {KEY};\n}}\n"
            ),
            LEAF if apache => self.first_certificate().pem(),
            CHAIN if apache => issuer.pem(),
            WHOLE if !apache => self.first_certificate().pem() + &issuer.pem(),
            KEY => self.first_key().private_pem(),
            _ => return None,
        })
    }

    /// What a web server's configuration leads to now: the certificates it would serve. None: it says nothing of TLS.
    pub(crate) fn configured_certificates(&self, host: &HostName) -> Result<Vec<Certificate>, Unloadable> {
        let Some((server, config)) = self.tls_server(host) else { return Ok(Vec::new()) };
        let text = self.read_file(host, config).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let words: &[&str] = match server {
            "apache2" => &["SSLCertificateFile", "SSLCertificateKeyFile", "SSLCertificateChainFile"],
            _ => &["ssl_certificate", "ssl_certificate_key"],
        };
        let file = |word: &str| -> Option<Result<(String, String), Unloadable>> {
            let line = text
                .lines()
                .find(|line| line.split_whitespace().next().is_some_and(|first| first == word))?;
            let path = line.split_whitespace().nth(1)?.trim_end_matches(';').to_owned();
            let read = self.read_file(host, &path).filter(|bytes| !bytes.is_empty());
            let read = read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            Some(read.map(|text| (path.clone(), text)).ok_or(Unloadable::File(path)))
        };
        let (Some(certificate), Some(key)) =
            (words.first().and_then(|word| file(word)), words.get(1).and_then(|word| file(word)))
        else {
            return Ok(Vec::new());
        };
        let ((path, certificate), (key_path, key)) = (certificate?, key?);
        let mut chain = Certificate::all(&certificate);
        let own = chain.first().cloned().ok_or(Unloadable::File(path.clone()))?;
        let key = Key::read(&key).ok_or(Unloadable::File(key_path))?;
        if key != own.key {
            return Err(Unloadable::NoPair(path));
        }
        if let Some(found) = words.get(2).and_then(|word| file(word)) {
            chain.truncate(1);
            chain.extend(Certificate::all(&found?.1));
        }
        Ok(chain)
    }

    /// What a machine serves on port 443: its own certificate first; `None` when nothing listens there.
    #[must_use]
    pub fn served_certificates(&self, host: &HostName) -> Option<Vec<Certificate>> {
        let (server, _) = self.tls_server(host)?;
        if !self.is_up(host) || !self.service_runs(host, server) {
            return None;
        }
        let at_start = || vec![self.first_certificate(), self.authorities().0];
        let served = self.tls.loaded.get(host).cloned().unwrap_or_else(at_start);
        (!served.is_empty()).then_some(served)
    }

    /// A web server reads its certificates, at its start; false when it does not come up with them. What is no web server has none to read.
    pub(crate) fn start_with_certificates(&mut self, host: &HostName, name: &str) -> bool {
        if self.tls_server(host).is_none_or(|(server, _)| server != name) {
            return true;
        }
        match self.configured_certificates(host) {
            Ok(found) => {
                self.tls.loaded.insert(host.clone(), found);
                true
            }
            Err(_) => false,
        }
    }

    /// The same at its reload; `None` when it ended of it.
    pub(crate) fn reload_certificates(&mut self, host: &HostName, name: &str) -> Option<bool> {
        if self.tls_server(host).is_none_or(|(server, _)| server != name) {
            return Some(true);
        }
        match (self.tls.faults.get(host).copied(), self.configured_certificates(host)) {
            (Some(TlsFault::KeepsOld), _) => Some(true),
            (Some(TlsFault::Refuses), _) => Some(false),
            (None, Ok(found)) => {
                self.tls.loaded.insert(host.clone(), found);
                Some(true)
            }
            // Apache 2 reads its configuration anew in the process that serves, and ends when it cannot.
            (None, Err(Unloadable::NoPair(_))) if name == "apache2" => None,
            (None, Err(_)) => Some(false),
        }
    }

    /// Makes something go wrong with a web server's reloads, or right again.
    pub fn set_tls_fault(&mut self, host: &HostName, fault: Option<TlsFault>) {
        match fault {
            Some(fault) => self.tls.faults.insert(host.clone(), fault),
            None => self.tls.faults.remove(host),
        };
    }
}

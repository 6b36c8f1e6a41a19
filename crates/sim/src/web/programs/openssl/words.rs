//! The words of OpenSSL, which differ between its versions.

use crate::posix::programs::files::moment;
use crate::program::Reply;
use crate::web::certificates::{Broken, Certificate, meaning};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// A version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    /// 1.0.1, of Ubuntu 14.04 and before.
    One,
    /// 3.0, of Debian 12.
    Three,
}

/// Seconds since 1970 as certificates show them.
pub(super) fn date(seconds: i64) -> String {
    #[allow(clippy::cast_precision_loss)] // seconds since 1970 fit
    let text = moment(seconds as f64, "%b %e %H:%M:%S %Y GMT");
    text
}

/// The host names of a certificate, as `-text` and `-ext` print them, so far to the right.
pub(super) fn names(certificate: &Certificate, right: usize) -> String {
    let space = " ".repeat(right);
    let listed: Vec<String> = certificate.names.iter().map(|name| format!("DNS:{name}")).collect();
    if listed.is_empty() {
        return String::new();
    }
    let head = if right > 0 { format!("{space}X509v3 extensions:\n{space}    ") } else { String::new() };
    let inner = if right > 0 { right + 8 } else { 4 };
    format!("{head}X509v3 Subject Alternative Name: \n{}{}\n", " ".repeat(inner), listed.join(", "))
}

impl Edition {
    /// That of a host.
    pub(super) fn on(world: &World, host: &HostName) -> Self {
        if world.machine(host).is_some_and(|m| m.os.has_systemd()) { Self::Three } else { Self::One }
    }

    pub(super) fn version(self) -> &'static str {
        match self {
            Self::One => "OpenSSL 1.0.1f 6 Jan 2014\n",
            Self::Three => "OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19 27 Jan 2026)\n",
        }
    }

    /// A name: `/O=Trust/CN=Root`, or `O = Trust, CN = Root`.
    pub(super) fn name(self, parts: &[(String, String)]) -> String {
        match self {
            Self::One => parts.iter().map(|(kind, value)| format!("/{kind}={value}")).collect(),
            Self::Three => {
                let parts: Vec<String> =
                    parts.iter().map(|(kind, value)| format!("{kind} = {value}")).collect();
                parts.join(", ")
            }
        }
    }

    /// What an option of `x509` prints.
    pub(super) fn field(self, option: &str, certificate: &Certificate) -> String {
        let space = if self == Self::One { " " } else { "" };
        match option {
            "-subject" => format!("subject={space}{}\n", self.name(&certificate.subject)),
            "-issuer" => format!("issuer={space}{}\n", self.name(&certificate.issuer)),
            "-startdate" => format!("notBefore={}\n", date(certificate.not_before)),
            "-enddate" => format!("notAfter={}\n", date(certificate.not_after)),
            "-fingerprint" => {
                let label = if self == Self::One { "SHA256" } else { "sha256" };
                format!("{label} Fingerprint={}\n", certificate.fingerprint())
            }
            "-pubkey" => certificate.key.public_pem(),
            _ => names(certificate, 0),
        }
    }

    pub(super) fn cannot_open(self, what: &str, file: Option<&String>, why: &str) -> String {
        let file = file.map_or("<stdin>", |file| file);
        match (self, what) {
            (Self::One, "key") => format!("Error opening Private Key {file}\nunable to load key"),
            (Self::One, _) => format!("Error opening Certificate {file}\n{why}\nunable to load certificate"),
            (Self::Three, "key") => format!("Could not open file or uri for loading key from {file}"),
            (Self::Three, _) => {
                format!(
                    "Could not open file or uri for loading certificate from {file}\nUnable to load certificate"
                )
            }
        }
    }

    pub(super) fn no_certificate(self, file: Option<&String>) -> String {
        match self {
            Self::One => "unable to load certificate".to_owned(),
            Self::Three => {
                let file = file.map_or("<stdin>", |file| file);
                format!("Could not read certificate from {file}\nUnable to load certificate")
            }
        }
    }

    pub(super) fn no_key(self, file: Option<&String>) -> String {
        match self {
            Self::One => "unable to load key".to_owned(),
            Self::Three => format!("Could not read key from {}", file.map_or("<stdin>", |file| file)),
        }
    }

    /// What a number means.
    pub(super) fn meaning(self, code: u8) -> String {
        match self {
            Self::One => meaning(code).replace("self-signed", "self signed"),
            Self::Three => meaning(code).to_owned(),
        }
    }

    /// `verify` of a certificate that does not verify. 1.0 says so on standard output, and ends with 0 (as it does with nearly every error).
    pub(super) fn not_verified(self, file: &str, own: &Certificate, broken: Broken) -> Reply {
        let Broken { code, depth } = broken;
        let means = self.meaning(code);
        match self {
            Self::One => {
                let name = Self::Three.name(&own.subject);
                let text = format!("{file}: {name}\nerror {code} at {depth} depth lookup:{means}\n");
                Reply { stdout: text.into_bytes(), ..Reply::default() }
            }
            Self::Three => {
                let name = self.name(&own.subject);
                let text = format!(
                    "{name}\nerror {code} at {depth} depth lookup: {means}\nerror {file}: verification failed\n"
                );
                Reply { stderr: text.into_bytes(), status: 2, ..Reply::default() }
            }
        }
    }
}

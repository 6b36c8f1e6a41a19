//! The address of a site: HTTP or HTTPS, a host, a port, a path.

use std::fmt;

/// An address of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteUrl {
    /// Whether it is `https`.
    pub tls: bool,
    /// The host, in small letters.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Path and query, from the first `/`.
    pub path: String,
}

/// Longest address that is read.
const LONGEST: usize = 2000;

impl SiteUrl {
    /// Reads an address; `None` when it is none, or holds a password.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)?),
            None => (authority, if tls { 443 } else { 80 }),
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let sound = text.len() <= LONGEST && is_host(host) && path.bytes().all(|b| b.is_ascii_graphic());
        sound.then(|| Self { tls, host: host.to_ascii_lowercase(), port, path })
    }

    /// The front page of a host over HTTPS.
    #[must_use]
    pub fn front_page(host: &str) -> Option<Self> {
        Self::parse(&format!("https://{host}/"))
    }

    /// Where a `Location` of an answer from here leads to.
    #[must_use]
    pub fn join(&self, location: &str) -> Option<Self> {
        let location = location.trim();
        if is_absolute(location) {
            return Self::parse(location);
        }
        let scheme = if self.tls { "https" } else { "http" };
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let own = self.path.split('?').next().unwrap_or("/");
        let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = match location.chars().next() {
            Some('/') => location.to_owned(),
            Some('?') => format!("{own}{location}"),
            Some(_) | None => format!("{folder}/{location}"),
        };
        Self::parse(&format!("{scheme}://{}:{}{path}", self.host, self.port))
    }

    /// The `Host` of a request: with its port where that is not the usual one.
    #[must_use]
    pub fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Display for SiteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority(), self.path)
    }
}

/// Whether a `Location` begins with a scheme: `/login?next=https://a/` does not.
fn is_absolute(location: &str) -> bool {
    location.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}

/// Whether a text can be a host name or an IPv4 address.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

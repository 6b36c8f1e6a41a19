//! Names that must have the right answers in the DNS, and mail hosts whose addresses must lead back to their names.
//!
//! Names and values are in one form, that of zone files (RFC 1035, 5.1): names in small letters without the dot at their end, bytes
//! that are not printable as `\DDD`. So they are compared as texts, and cannot hold anything that a terminal obeys.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::text::Clean;

/// A type of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The name that this one stands for.
    Cname,
    /// Mail hosts, each with its preference: `10 mail.example.org`.
    Mx,
    /// Texts.
    Txt,
    /// Name servers.
    Ns,
    /// Names of an address.
    Ptr,
}

impl DnsType {
    /// All that can be asked for.
    pub const ALL: [Self; 7] = [Self::A, Self::Aaaa, Self::Cname, Self::Mx, Self::Txt, Self::Ns, Self::Ptr];

    /// The word of zone files and inventories.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
        }
    }

    /// An answer as a person writes it, in the form that answers are compared in; `None` when it can be none of this type.
    #[must_use]
    pub fn value(self, text: &str) -> Option<String> {
        match self {
            Self::A => text.parse::<Ipv4Addr>().ok().map(|address| address.to_string()),
            Self::Aaaa => text.parse::<Ipv6Addr>().ok().map(|address| address.to_string()),
            Self::Cname | Self::Ns | Self::Ptr => dns_name(text),
            Self::Mx => {
                let (preference, name) = text.trim().split_once(char::is_whitespace)?;
                let name = name.trim();
                // A domain without mail (RFC 7505).
                let name = if name == "." { name.to_owned() } else { dns_name(name)? };
                Some(format!("{} {name}", preference.parse::<u16>().ok()?))
            }
            Self::Txt => Some(dns_text(text.as_bytes())),
        }
    }
}

/// A name as a person writes it, in the form that names are compared in; `None` when it can be none.
#[must_use]
pub fn dns_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/*".contains(&b))
    };
    (name.len() <= 253 && name.split('.').all(label)).then(|| name.to_ascii_lowercase())
}

/// The labels of a name that came from elsewhere, in that form; the root is a dot.
pub fn dns_labels<'a>(labels: impl Iterator<Item = &'a [u8]>) -> String {
    let shown: Vec<String> = labels
        .map(|label| dns_text(&label.to_ascii_lowercase()).replace('.', "\\.").replace(' ', "\\032"))
        .collect();
    if shown.is_empty() { ".".to_owned() } else { shown.join(".") }
}

/// Bytes as zone files have them in a text.
#[must_use]
pub fn dns_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            // Writing to a text does not fail.
            _ => write!(text, "\\{byte:03}").unwrap_or_default(),
        }
    }
    text
}

/// The name whose PTR records are the names of an address.
#[must_use]
pub fn reverse_dns_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            let name: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
            format!("{name}ip6.arpa")
        }
    }
}

/// A name whose answers are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsName {
    /// The full name.
    pub name: String,
    /// What is asked for.
    pub kind: DnsType,
    /// All the answers that it must have; `None`: any.
    pub expected: Option<BTreeSet<String>>,
    /// The name servers that are asked, each for itself; none: the resolver of the place that is looked from.
    pub servers: Vec<String>,
}

/// What one name server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsReply {
    /// Its name or address.
    pub server: Clean,
    /// What it said.
    pub said: DnsSaid,
}

/// What a name server said of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsSaid {
    /// Records of the type.
    Answers(DnsAnswers),
    /// There is no such name; with the name at the end of its aliases, if it has any.
    NoSuchName(Option<Clean>),
    /// The name is there and has no record of the type; with the same.
    NoRecord(Option<Clean>),
    /// The name is an alias for this one, which the server knows nothing of.
    Elsewhere(Clean),
    /// It gave no answer that can be used: silent, refused, garbage.
    Failed(Clean),
    /// It could not be asked.
    NotAsked(Clean),
}

/// The records of a type that a name has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAnswers {
    /// Their values.
    pub values: BTreeSet<Clean>,
    /// The name at the end of its aliases, if it has any.
    pub alias: Option<Clean>,
    /// Seconds that resolvers keep it.
    pub ttl: u32,
    /// The server has the zone of the name; else it looked the name up, as a resolver does.
    pub authoritative: bool,
}

impl DnsSaid {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Answers(_) => "answers",
            Self::NoSuchName(_) => "no_such_name",
            Self::NoRecord(_) => "no_record",
            Self::Elsewhere(_) => "elsewhere",
            Self::Failed(_) => "failed",
            Self::NotAsked(_) => "not_asked",
        }
    }

    /// Whether it says the same of the name as another, however long that is kept.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        match self {
            Self::Answers(own) => matches!(other, Self::Answers(other) if own.values == other.values),
            Self::NoSuchName(_) => matches!(other, Self::NoSuchName(_)),
            Self::NoRecord(_) => matches!(other, Self::NoRecord(_)),
            Self::Elsewhere(_) | Self::Failed(_) | Self::NotAsked(_) => self == other,
        }
    }
}

/// A mail host whose addresses must lead back to a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailName {
    /// Its name or address.
    pub host: String,
    /// The name that they must lead to; `None`: any that leads to the address.
    pub name: Option<String>,
}

/// An address of a mail host, and the names that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    /// The address.
    pub address: IpAddr,
    /// The names of its PTR records.
    pub names: BTreeSet<Clean>,
    /// Whether receivers believe them.
    pub state: ReverseState,
}

/// Whether an address leads to the right name, and that name to the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReverseState {
    /// Both.
    Confirmed,
    /// It has no PTR record.
    Missing,
    /// It leads to other names.
    OtherName,
    /// It leads to a name that does not lead to the address.
    NotBack,
    /// Not known, and why.
    Unknown(Clean),
}

impl ReverseState {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Missing => "missing",
            Self::OtherName => "other_name",
            Self::NotBack => "not_back",
            Self::Unknown(_) => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn values_and_names_have_one_form() {
        let form = |kind: DnsType, text: &str| kind.value(text);
        assert_eq!(form(DnsType::A, "192.0.2.1").unwrap(), "192.0.2.1");
        assert_eq!(form(DnsType::Aaaa, "2001:DB8:0:0::10").unwrap(), "2001:db8::10");
        assert_eq!(form(DnsType::Mx, " 010  Mail.Example.org. ").unwrap(), "10 mail.example.org");
        assert_eq!(form(DnsType::Mx, "0 .").unwrap(), "0 .");
        assert_eq!(form(DnsType::Txt, "a\\b\t\u{e9}").unwrap(), "a\\\\b\\009\\195\\169");
        let wrong = [
            (DnsType::A, "2001:db8::10"),
            (DnsType::Aaaa, "192.0.2.1"),
            (DnsType::Mx, "mail.example.org"),
            (DnsType::Mx, "70000 mail.example.org"),
            (DnsType::Cname, "a..b"),
            (DnsType::Ptr, "a b"),
        ];
        for (kind, text) in wrong {
            assert_eq!(form(kind, text), None, "{kind:?} {text}");
        }
        assert_eq!(dns_name("_dmarc.Example.org.").unwrap(), "_dmarc.example.org");
        assert_eq!(dns_name(&format!("{}.org", "x".repeat(64))), None);
        assert_eq!(dns_name("."), None);
        let labels: [&[u8]; 2] = [b"A.b c\\\x1b", b"ORG"];
        assert_eq!(dns_labels(labels.into_iter()), "a\\.b\\032c\\\\\\027.org");
        assert_eq!(dns_labels(std::iter::empty()), ".");
    }

    #[test]
    fn an_address_has_a_name_that_its_names_are_asked_for() {
        let name = |address: &str| reverse_dns_name(address.parse().unwrap());
        assert_eq!(name("192.0.2.25"), "25.2.0.192.in-addr.arpa");
        let zeros = "0.".repeat(20);
        assert_eq!(name("2001:db8::25"), format!("5.2.0.0.{zeros}8.b.d.0.1.0.0.2.ip6.arpa"));
    }
}

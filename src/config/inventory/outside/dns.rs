//! `dns`: names that must have the right answers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use toml::de::DeValue;

use super::entry::{add, entry, viewpoints};
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::outside::{
    DnsName, DnsType, OutsideCheck, OutsideTarget, Viewpoint, dns_name, reverse_dns_name,
};

const HINT: &str = "write [environments.production.outside.dns] and lines such as \"www.example.org\" = [\"203.0.113.10\"] below it";
const KEYS: [&str; 5] = ["name", "type", "answers", "servers", "from"];
const NAME_HINT: &str = "write \"www.example.org\" = [\"203.0.113.10\"], or between braces type = \"MX\", \
                         servers = [\"ns1.example.org\"]";
const ANSWERS_HINT: &str =
    "write all answers, as type = \"A\", answers = [\"203.0.113.10\"]; without answers any is well";
const SERVERS_HINT: &str = "write servers = [\"198.51.100.53\", \"ns1.example.org\"]: at most 8 name servers";
/// Name servers of one name.
const SERVERS: usize = 8;

/// Reads the table.
pub(super) fn read(
    reader: &mut Reader,
    table: &Table<'_>,
    from: &[Viewpoint],
    checks: &mut Vec<Arc<OutsideCheck>>,
) {
    let Some(table) = reader.subtable(table, "dns", HINT) else { return };
    for (name, value) in table.entries() {
        let before = reader.error_count();
        let (found, own) = match value.get_ref() {
            DeValue::Array(_) => {
                let expected = answers(reader, &table, name.value, DnsType::A);
                (asked(reader, &name, name.value, DnsType::A, expected), None)
            }
            _ => {
                let Some(own) = entry(reader, &table, (&name, value), NAME_HINT) else { continue };
                match own {
                    None => (asked(reader, &name, name.value, DnsType::A, None), None),
                    Some(own) => (one(reader, &name, &own), viewpoints(reader, &own)),
                }
            }
        };
        let Some(found) = found else { continue };
        let from = places(reader, &name, &found, from, own);
        if reader.error_count() == before {
            let what = format!("{} {}", name.value, found.kind.word());
            add(checks, &what, &from, &OutsideTarget::Dns(found));
        }
    }
}

/// Where a name is looked at from: the jump box's own resolver is not known here.
fn places(
    reader: &mut Reader,
    name: &At<&str>,
    found: &DnsName,
    from: &[Viewpoint],
    own: Option<Vec<Viewpoint>>,
) -> Vec<Viewpoint> {
    let is_own = own.is_some();
    let from = own.unwrap_or_else(|| from.to_vec());
    if !found.servers.is_empty() {
        return from;
    }
    let here = from.contains(&Viewpoint::ThisMachine);
    if !here || is_own && from.contains(&Viewpoint::JumpBox) {
        let message = format!("{:?} is looked at from the jump box, and no name server is named", name.value);
        reader.error(name.span.clone(), message, SERVERS_HINT);
    }
    vec![Viewpoint::ThisMachine]
}

fn one(reader: &mut Reader, name: &At<&str>, table: &Table<'_>) -> Option<DnsName> {
    reader.only(table, &KEYS);
    let kind = match reader.string(table, "type", "write type = \"MX\"") {
        None => DnsType::A,
        Some(word) => {
            let known = DnsType::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(word.value));
            known.or_else(|| {
                let all: Vec<_> = DnsType::ALL.map(DnsType::word).into();
                let message = format!("type cannot be {:?}", word.value);
                reader.error(word.span, message, format!("write one of {}", all.join(", ")));
                None
            })?
        }
    };
    let expected = answers(reader, table, "answers", kind);
    let mut found = match reader.string(table, "name", "write name = \"www.example.org\"") {
        Some(own) => asked(reader, &own, own.value, kind, expected)?,
        None => asked(reader, name, name.value, kind, expected)?,
    };
    found.servers = servers(reader, table);
    Some(found)
}

/// A name with what is expected of it; for PTR an address is as good.
fn asked(
    reader: &mut Reader,
    at: &At<&str>,
    name: &str,
    kind: DnsType,
    expected: Option<BTreeSet<String>>,
) -> Option<DnsName> {
    let address = name.parse::<IpAddr>().ok();
    let full = match (address, kind) {
        (Some(address), DnsType::Ptr) => Some(reverse_dns_name(address)),
        (Some(_), _) => None,
        (None, _) => dns_name(name),
    };
    let Some(name) = full else {
        let message = match address {
            Some(_) => format!("{name:?} is an address, which only PTR records are of"),
            None => format!("{name:?} is not a name of the DNS"),
        };
        reader.error(at.span.clone(), message, NAME_HINT);
        return None;
    };
    Some(DnsName { name, kind, expected, servers: Vec::new() })
}

fn answers(reader: &mut Reader, table: &Table<'_>, key: &str, kind: DnsType) -> Option<BTreeSet<String>> {
    let texts = reader.strings(table, key, ANSWERS_HINT)?;
    if texts.is_empty()
        && let Some(value) = table.get(key)
    {
        reader.error(value.span(), "no answers", ANSWERS_HINT);
    }
    let mut expected = BTreeSet::new();
    for text in texts {
        match kind.value(text.value) {
            Some(value) => {
                expected.insert(value);
            }
            None => {
                let message = format!("{:?} is not the value of {} record", text.value, a(kind));
                reader.error(text.span, message, example(kind));
            }
        }
    }
    Some(expected)
}

fn a(kind: DnsType) -> &'static str {
    match kind {
        DnsType::A => "an A",
        DnsType::Aaaa => "an AAAA",
        DnsType::Cname => "a CNAME",
        DnsType::Mx => "an MX",
        DnsType::Txt => "a TXT",
        DnsType::Ns => "an NS",
        DnsType::Ptr => "a PTR",
    }
}

fn example(kind: DnsType) -> &'static str {
    match kind {
        DnsType::A => {
            "write IPv4 addresses, as \"203.0.113.10\"; for others name the type, as type = \"AAAA\""
        }
        DnsType::Aaaa => "write IPv6 addresses, as \"2001:db8::10\"",
        DnsType::Cname | DnsType::Ns | DnsType::Ptr => "write full names, as \"mail.example.org\"",
        DnsType::Mx => "write preference and name, as \"10 mail.example.org\"",
        DnsType::Txt => "write the text without its quotes, as \"v=spf1 mx -all\"",
    }
}

fn servers(reader: &mut Reader, table: &Table<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let texts = reader.strings(table, "servers", SERVERS_HINT).unwrap_or_default();
    for text in &texts {
        let name = text.value;
        let is_server = name.parse::<IpAddr>().is_ok() || dns_name(name).is_some();
        if !is_server {
            reader.error(
                text.span.clone(),
                format!("{name:?} is not a host name or an address"),
                SERVERS_HINT,
            );
        } else if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    if let Some(value) = table.get("servers").filter(|_| texts.is_empty() || texts.len() > SERVERS) {
        let message = if texts.is_empty() { "no name servers" } else { "too many name servers" };
        reader.error(value.span(), message, SERVERS_HINT);
    }
    found
}

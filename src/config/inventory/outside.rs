//! `outside`: what users see of an environment. Sites, names in the DNS, ports that must be closed, mail hosts; and from where they are
//! looked at.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use toml::de::DeValue;

use super::context::Context;
use super::scope::read_paths;
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::outside::{
    ClosedPort, MailName, OutsideCheck, OutsideSettings, OutsideTarget, PublicSite, RelayHost, SiteUrl,
    TrustedAuthorities, Viewpoint, dns_name,
};

mod dns;
mod entry;

use entry::{add, entry, front_page, is_address, viewpoints};

const KEYS: [&str; 7] = ["every", "authorities", "from", "sites", "dns", "closed", "mail"];
const HINT: &str =
    "write [environments.production.outside.sites] and lines such as \"www.example.org\" = {} below it";
const SITE_KEYS: [&str; 7] = ["url", "status", "redirect", "slow", "warning_days", "critical_days", "from"];
const SITE_HINT: &str = "write \"www.example.org\" = {}, or between the braces url = \"https://www.example.org/wiki/\", status = 200, \
                         slow = \"2s\", from = [\"here\", \"jump\"]";
const CLOSED_HINT: &str =
    "write \"203.0.113.10\" = [3306, 6379, 9200, 11211], or a table with ports = [3306], from = [\"jump\"]";
const MAIL_HINT: &str =
    "write \"mail.example.org\" = {}, or between the braces port = 25, reverse = \"smtp.example.org\"";
/// What is closed where only an address is named: MariaDB, Redis, Elasticsearch, Memcached.
const USUAL_PORTS: [u16; 4] = [3306, 6379, 9200, 11211];

/// What an environment says of it.
pub(super) fn read(reader: &mut Reader, table: &Table<'_>, context: &Context) -> OutsideSettings {
    let mut settings = OutsideSettings::default();
    let Some(table) = reader.subtable(table, "outside", HINT) else { return settings };
    reader.only(&table, &KEYS);
    let range = Duration::from_secs(10)..=Duration::from_secs(86_400);
    settings.every = reader.duration(&table, "every", range).unwrap_or(settings.every);
    let hint = "write authorities = [\"/etc/ssl/private-ca.pem\"]";
    if let Some(files) = read_paths(reader, &table, "authorities", hint, context) {
        settings.authorities = TrustedAuthorities::Files(files);
    }
    let from = viewpoints(reader, &table).unwrap_or_else(|| vec![Viewpoint::ThisMachine]);
    sites(reader, &table, &from, &mut settings.checks);
    dns::read(reader, &table, &from, &mut settings.checks);
    closed(reader, &table, &from, &mut settings.checks);
    mail(reader, &table, &mut settings.checks);
    settings
}

fn sites(reader: &mut Reader, table: &Table<'_>, from: &[Viewpoint], checks: &mut Vec<Arc<OutsideCheck>>) {
    let Some(table) = reader.subtable(table, "sites", HINT) else { return };
    for (name, value) in table.entries() {
        let Some(own) = entry(reader, &table, (&name, value), SITE_HINT) else { continue };
        let before = reader.error_count();
        let site = site(reader, &name, own.as_ref());
        let from = own.and_then(|own| viewpoints(reader, &own)).unwrap_or_else(|| from.to_vec());
        if let Some(site) = site.filter(|_| reader.error_count() == before) {
            add(checks, name.value, &from, &OutsideTarget::Site(site));
        }
    }
}

fn site(reader: &mut Reader, name: &At<&str>, table: Option<&Table<'_>>) -> Option<PublicSite> {
    let is_plain = name.value.len() <= 100 && name.value.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let url = match table.filter(|table| table.get("url").is_some()) {
        Some(table) if is_plain => site_url(reader, table, "url")?,
        _ => front_page(name.value).or_else(|| {
            reader.error(name.span.clone(), format!("{:?} is not a host name", name.value), SITE_HINT);
            None
        })?,
    };
    let mut site = PublicSite {
        url,
        status: 200,
        redirect: None,
        slow: Duration::from_secs(3),
        warning_days: 21,
        critical_days: 7,
    };
    let Some(table) = table else { return Some(site) };
    reader.only(table, &SITE_KEYS);
    if let Some(status) = reader.integer(table, "status", 100..=599) {
        site.status = u16::try_from(status).unwrap_or(site.status);
    }
    if table.get("redirect").is_some() {
        site.redirect = site_url(reader, table, "redirect");
    }
    let range = Duration::from_millis(10)..=Duration::from_secs(10);
    site.slow = reader.duration(table, "slow", range).unwrap_or(site.slow);
    site.warning_days = reader.integer(table, "warning_days", 0..=1000).unwrap_or(site.warning_days);
    site.critical_days = reader.integer(table, "critical_days", 0..=1000).unwrap_or(site.critical_days);
    if site.critical_days > site.warning_days
        && let Some(value) = table.get("critical_days").or_else(|| table.get("warning_days"))
    {
        let message = "a certificate would be critical before it is a warning".to_owned();
        let help = "make critical_days smaller than warning_days, as in warning_days = 21, critical_days = 7";
        reader.error(value.span(), message, help);
    }
    Some(site)
}

fn site_url(reader: &mut Reader, table: &Table<'_>, key: &str) -> Option<SiteUrl> {
    let hint =
        format!("write {key} = \"https://www.example.org/\": http or https, a host, a path, and no password");
    let text = reader.string(table, key, &hint)?;
    let read = SiteUrl::parse(text.value);
    if read.is_none() {
        reader.error(text.span, format!("{:?} is not the address of a site", text.value), hint);
    }
    read
}

fn closed(reader: &mut Reader, table: &Table<'_>, from: &[Viewpoint], checks: &mut Vec<Arc<OutsideCheck>>) {
    let hint =
        "write [environments.production.outside.closed] and lines such as \"203.0.113.10\" = [3306] below it";
    let Some(table) = reader.subtable(table, "closed", hint) else { return };
    for (name, value) in table.entries() {
        let before = reader.error_count();
        let (ports, own) = match value.get_ref() {
            DeValue::Boolean(true) => (USUAL_PORTS.to_vec(), None),
            DeValue::Array(_) => (ports(reader, &table, name.value), None),
            _ => {
                let Some(own) = reader.table(table.name_of(name.value), value, CLOSED_HINT) else { continue };
                reader.only(&own, &["ports", "from"]);
                let named = own.get("ports").is_some();
                let ports = if named { ports(reader, &own, "ports") } else { USUAL_PORTS.to_vec() };
                (ports, viewpoints(reader, &own))
            }
        };
        let from = own.unwrap_or_else(|| from.to_vec());
        if !is_address(reader, &name, CLOSED_HINT) {
            continue;
        }
        // A jump box says "no connection" of a name that does not exist, too: that would look closed.
        if from.contains(&Viewpoint::JumpBox) && name.value.parse::<std::net::Ipv4Addr>().is_err() {
            let help = "write its address, or from = [\"here\"]: seen from the jump box a wrong name looks like a closed port";
            let message = format!("{:?} is looked at from the jump box and is no address", name.value);
            reader.error(name.span.clone(), message, help);
        }
        if reader.error_count() == before {
            for port in ports {
                let target = OutsideTarget::Closed(ClosedPort { address: name.value.to_owned(), port });
                add(checks, &format!("{}:{port}", name.value), &from, &target);
            }
        }
    }
}

fn ports(reader: &mut Reader, table: &Table<'_>, key: &str) -> Vec<u16> {
    let hint = "write a list of ports from 1 to 65535: [3306, 6379, 9200, 11211]";
    let values = reader.list(table, key, hint).unwrap_or_default();
    let mut ports = Vec::new();
    for value in &values {
        let read = match value.get_ref() {
            DeValue::Integer(number) => u16::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match read.filter(|port| *port > 0) {
            Some(port) if !ports.contains(&port) => ports.push(port),
            Some(_) => {}
            None => reader.error(value.span(), "this is not a TCP port", hint),
        }
    }
    if values.is_empty()
        && let Some(value) = table.get(key)
    {
        reader.error(value.span(), "no ports", hint);
    }
    ports
}

/// A jump box may relay: it is one of our own machines. So only this machine can look.
fn mail(reader: &mut Reader, table: &Table<'_>, checks: &mut Vec<Arc<OutsideCheck>>) {
    let hint =
        "write [environments.production.outside.mail] and lines such as \"mail.example.org\" = {} below it";
    let Some(table) = reader.subtable(table, "mail", hint) else { return };
    for (name, value) in table.entries() {
        let Some(own) = entry(reader, &table, (&name, value), MAIL_HINT) else { continue };
        let mut port = 25;
        let mut reverse = Some(host_name(name.value));
        if let Some(own) = &own {
            reader.only(own, &["port", "reverse"]);
            port =
                reader.integer(own, "port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(port);
            reverse = read_reverse(reader, own).unwrap_or(reverse);
        }
        if is_address(reader, &name, MAIL_HINT) {
            let host = name.value.to_owned();
            let target = OutsideTarget::Relay(RelayHost { address: host.clone(), port });
            add(checks, &format!("{host} relay"), &[Viewpoint::ThisMachine], &target);
            if let Some(name) = reverse {
                let mail = MailName { host: dns_name(&host).unwrap_or_else(|| host.clone()), name };
                add(
                    checks,
                    &format!("{host} reverse"),
                    &[Viewpoint::ThisMachine],
                    &OutsideTarget::Reverse(mail),
                );
            }
        }
    }
}

/// The name that a mail host's addresses must lead to, where nothing else is said: its own, if it has one.
fn host_name(host: &str) -> Option<String> {
    dns_name(host).filter(|_| host.parse::<IpAddr>().is_err())
}

/// What `reverse` says: `Some(None)`: its addresses are not looked at.
fn read_reverse(reader: &mut Reader, table: &Table<'_>) -> Option<Option<Option<String>>> {
    let value = table.get("reverse")?;
    let hint =
        "write reverse = \"smtp.example.org\": the name that the PTR records must have; or reverse = false";
    if let DeValue::Boolean(false) = value.get_ref() {
        return Some(None);
    }
    let text = reader.string(table, "reverse", hint)?;
    let name = host_name(text.value);
    if name.is_none() {
        reader.error(text.span, format!("{:?} is not a host name", text.value), hint);
    }
    Some(Some(name))
}

//! What is seen of a world from outside: its public names and addresses, over real TLS with certificates of an authority of its own,
//! which its inventory trusts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::outside::{
    ClosedPort, DnsName, DnsType, MailName, OutsideCheck, OutsideSettings, OutsideTarget, PublicSite,
    RelayHost, SiteUrl, TrustedAuthorities, Viewpoint,
};

use crate::apps::kinds::MASTERDB;
use crate::world::World;

mod authority;
pub(crate) mod names;
mod serve;

pub(crate) use serve::serve;

/// Public names below the public domain, and the role whose machines answer to each (`002`).
static SITES: &[(&str, &str)] = &[
    ("www", "app"),
    ("docs", "app"),
    ("blog", "blog"),
    ("project", "project"),
    ("notes", "notes"),
    ("specs", "specs"),
    ("stats", "piwik"),
    ("accounts", "accounts"),
];
/// The role of mail hosts.
const MAIL: &str = "mail";
/// Ports that must be closed to the world outside (`002`), and what listens there inside.
static INSIDE: &[u16] = &[3306, 6379, 9200, 11_211];

/// Those whose addresses in the DNS are looked at.
static DNS_SITES: &[&str] = &["www", "docs"];

/// What was made to go wrong as seen from outside.
#[derive(Debug, Default)]
pub(crate) struct PublicFaults {
    down: BTreeSet<String>,
    open: BTreeSet<(String, u16)>,
    /// Days that the certificates have left.
    days: Option<i64>,
    relays: bool,
    /// Addresses that the public zone has instead of its own.
    addresses: BTreeMap<String, IpAddr>,
    reverse_missing: bool,
}

/// What takes connections at a public address.
#[derive(Debug, Clone)]
pub(crate) enum PublicPort {
    /// A web server.
    Web { host: HostName, name: String, tls: bool },
    /// A mail server.
    Mail { relays: bool },
    /// Something that must not be reached, and says nothing.
    Silent,
}

fn dns_target(name: String, expected: Option<IpAddr>, server: Option<&str>) -> OutsideTarget {
    OutsideTarget::Dns(DnsName {
        name,
        kind: DnsType::A,
        expected: expected.map(|address| BTreeSet::from([address.to_string()])),
        servers: server.into_iter().map(str::to_owned).collect(),
    })
}

impl World {
    /// The domain of its public names; `None` where it has none.
    fn public_domain(&self) -> Option<&'static str> {
        match self.level() {
            "production" => Some("webplatform.org"),
            "staging" => Some("webplatformstaging.org"),
            _ => None,
        }
    }

    /// A machine that answers to a public name, as the CDN or the DNS choose one that does.
    fn behind_name(&self, name: &str) -> Option<HostName> {
        let label = name.strip_suffix(self.public_domain()?)?.strip_suffix('.')?;
        let (_, role) = SITES.iter().find(|(known, _)| *known == label)?;
        let mut with_role = self.machines().filter(|m| m.roles().iter().any(|own| own.as_str() == *role));
        with_role.find(|m| self.served_certificates(&m.name).is_some()).map(|m| m.name.clone())
    }

    /// What takes connections at a public name or address; `None` where nothing does.
    pub(crate) fn public_port(&self, address: &str, port: u16) -> Option<PublicPort> {
        if self.public.open.contains(&(address.to_owned(), port)) {
            return Some(PublicPort::Silent);
        }
        if port == 25 && Some(address) == self.mail_name().as_deref() {
            return self.mail_host().is_some().then_some(PublicPort::Mail { relays: self.public.relays });
        }
        if !matches!(port, 80 | 443) || self.public.down.contains(address) {
            return None;
        }
        let host = self.behind_name(address)?;
        Some(PublicPort::Web { host, name: address.to_owned(), tls: port == 443 })
    }

    fn mail_name(&self) -> Option<String> {
        Some(format!("mail.{}", self.public_domain()?))
    }

    fn mail_host(&self) -> Option<HostName> {
        let mail = |m: &&crate::posix::machine::Machine| m.roles().iter().any(|role| role.as_str() == MAIL);
        let mut hosts = self.machines().filter(mail);
        hosts.find(|m| self.is_up(&m.name) && self.service_runs(&m.name, "postfix")).map(|m| m.name.clone())
    }

    /// What the inventory of this world looks at from outside. Its certificates are renewed two weeks before their end.
    #[must_use]
    pub fn outside_settings(&self) -> OutsideSettings {
        let Some(domain) = self.public_domain() else { return OutsideSettings::default() };
        let mut checks: Vec<OutsideCheck> = Vec::new();
        let mut add = |name: String, from: Viewpoint, target: &OutsideTarget| {
            checks.push(OutsideCheck { name, from, target: target.clone() });
        };
        for (label, _) in SITES {
            let name = format!("{label}.{domain}");
            let Some(url) = SiteUrl::front_page(&name).filter(|_| self.behind_name(&name).is_some()) else {
                continue;
            };
            let target = OutsideTarget::Site(PublicSite {
                url,
                status: 200,
                redirect: None,
                slow: Duration::from_secs(3),
                warning_days: 14,
                critical_days: 7,
            });
            if *label == "www" {
                add(name.clone(), Viewpoint::ThisMachine, &target);
            }
            add(name.clone(), Viewpoint::JumpBox, &target);
            if let Some(address) = self.public_name_address(&name).filter(|_| DNS_SITES.contains(label)) {
                let target = dns_target(name.clone(), Some(address), None);
                add(format!("{name} A"), Viewpoint::ThisMachine, &target);
            }
        }
        if let Some((inside, server)) =
            self.domain().zip(self.jump_address()).filter(|_| self.zone_path().is_some())
        {
            let name = format!("{MASTERDB}.{inside}");
            let target = dns_target(name.clone(), None, Some(server));
            add(format!("{name} A"), Viewpoint::JumpBox, &target);
        }
        if let Some(address) = self.public_database_address() {
            for port in INSIDE {
                let target = OutsideTarget::Closed(ClosedPort { address: address.clone(), port: *port });
                add(format!("{address}:{port}"), Viewpoint::ThisMachine, &target);
            }
        }
        if let Some(address) = self.mail_name().filter(|_| self.mail_host().is_some()) {
            let target = OutsideTarget::Relay(RelayHost { address: address.clone(), port: 25 });
            add(format!("{address} relay"), Viewpoint::ThisMachine, &target);
        }
        if let Some(name) = self.mail_name().filter(|_| self.mail_address().is_some()) {
            let target = OutsideTarget::Reverse(MailName { host: name.clone(), name: Some(name.clone()) });
            add(format!("{name} reverse"), Viewpoint::ThisMachine, &target);
        }
        let checks = checks.into_iter().map(Arc::new).collect();
        let authorities = TrustedAuthorities::Text(authority::pem(self.seed()));
        OutsideSettings { authorities, checks, ..OutsideSettings::default() }
    }

    /// A public address behind which a wrong rule of the firewall would show what must be closed.
    #[must_use]
    pub fn public_database_address(&self) -> Option<String> {
        let mut addresses = self.cloud().floating_ips().iter().map(|floating| &floating.address);
        addresses.find(|address| self.cloud().behind(address).is_some()).cloned()
    }

    /// Days that the certificate of a machine's web server has left, and the names that it is for.
    pub(crate) fn public_certificate(&self, host: &HostName) -> Option<(Vec<String>, f64)> {
        let served = self.served_certificates(host)?.into_iter().next()?;
        #[allow(clippy::cast_precision_loss)] // dates
        let left = (served.not_after as f64 - self.epoch(host)) / 86_400.0;
        #[allow(clippy::cast_precision_loss)] // days
        let left = self.public.days.map_or(left, |days| days as f64 + 0.5);
        Some((served.names, left))
    }

    /// Fault: nothing answers at a public name, or it does again.
    pub fn set_public_site_down(&mut self, name: &str, down: bool) {
        if down {
            self.public.down.insert(name.to_owned());
        } else {
            self.public.down.remove(name);
        }
    }

    /// Fault: a port that must be closed takes connections at a public address, or does not any more.
    pub fn set_public_port_open(&mut self, address: &str, port: u16, open: bool) {
        if open {
            self.public.open.insert((address.to_owned(), port));
        } else {
            self.public.open.remove(&(address.to_owned(), port));
        }
    }

    /// Fault: sets the days that the certificates seen from outside have left; `None`: what the web servers' files say.
    pub fn set_public_certificate_days(&mut self, days: Option<i64>) {
        self.public.days = days;
    }

    /// Fault: the mail host relays for strangers, or does not any more.
    pub fn set_open_relay(&mut self, relays: bool) {
        self.public.relays = relays;
    }
}

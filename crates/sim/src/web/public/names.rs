//! The names and addresses that the DNS of the world outside has of a world.

use std::net::{IpAddr, Ipv4Addr};

use simple_dns::RCODE;

use super::{MAIL, SITES};
use crate::dns::Record;
use crate::dns::server::ZoneReply;
use crate::world::World;

/// The resolver of who looks from outside.
pub const RESOLVER: &str = "192.0.2.53";
/// Where the public sites are reached, as a delivery network has it.
const EDGE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);
const TTL: u32 = 300;

impl World {
    /// What the resolver says of a name; `None` for a name that this world does not have.
    pub(crate) fn public_reply(&self, name: &str, kind: &str) -> Option<ZoneReply> {
        let (own, data) = if self.public_reverse_name().as_deref() == Some(name) {
            ("PTR", self.mail_name().filter(|_| !self.public.reverse_missing)?)
        } else {
            ("A", self.public_name_address(name)?.to_string())
        };
        let record = Record { name: name.to_owned(), ttl: TTL, kind: own.to_owned(), data };
        let records = if own == kind { vec![record] } else { Vec::new() };
        Some(ZoneReply { rcode: RCODE::NoError, records, recursive: true })
    }

    /// The address that a public name has.
    pub(super) fn public_name_address(&self, name: &str) -> Option<IpAddr> {
        if let Some(address) = self.public.addresses.get(name) {
            return Some(*address);
        }
        if self.mail_name().as_deref() == Some(name) {
            return self.mail_address();
        }
        let label = name.strip_suffix(self.public_domain()?)?.strip_suffix('.')?;
        SITES.iter().any(|(site, _)| *site == label).then_some(EDGE.into())
    }

    /// The address that the mail host has outside.
    pub(super) fn mail_address(&self) -> Option<IpAddr> {
        let mail = |address: &str| {
            let machine = self.cloud().behind(address).and_then(|host| self.machine(host));
            machine.is_some_and(|machine| machine.roles().iter().any(|role| role.as_str() == MAIL))
        };
        let mut addresses = self.cloud().floating_ips().iter().map(|floating| &floating.address);
        addresses.find(|address| mail(address))?.parse().ok()
    }

    fn public_reverse_name(&self) -> Option<String> {
        Some(jumpdeck_fleet::outside::reverse_dns_name(self.mail_address()?))
    }

    /// Fault: the public zone has another address for a name, or its own again.
    pub fn set_public_name_address(&mut self, name: &str, address: Option<IpAddr>) {
        match address {
            Some(address) => self.public.addresses.insert(name.to_owned(), address),
            None => self.public.addresses.remove(name),
        };
    }

    /// Fault: the mail host's address has no PTR record, or it has it again.
    pub fn set_mail_reverse_missing(&mut self, missing: bool) {
        self.public.reverse_missing = missing;
    }
}

//! A question as a DNS message, and what of a message is an answer to it. The library reads the bytes; its pointers lead backwards
//! only and its names are bounded, so that no message holds it up.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use simple_dns::rdata::{RData, TXT};
use simple_dns::{
    CLASS, Name, OPCODE, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, ResourceRecord, TYPE,
    header_buffer,
};

use jumpdeck_fleet::outside::{DnsType, dns_labels, dns_text};
use jumpdeck_fleet::text::Clean;

/// Aliases in a row within one message.
const ALIASES: usize = 16;
/// Values of one name and type.
const VALUES: usize = 100;
/// Bytes of a header, and of the shortest record: the root as its name, and no data.
const HEADER: usize = 12;
const SHORTEST: usize = 11;

/// One question.
#[derive(Debug)]
pub(super) struct DnsQuestion<'a> {
    pub(super) name: &'a str,
    pub(super) kind: DnsType,
    pub(super) id: u16,
}

/// What was sent is no answer to the question, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unusable(pub(super) String);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DnsRead {
    /// All of it.
    Whole(DnsContent),
    /// It did not fit.
    Truncated,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DnsContent {
    Values {
        values: BTreeSet<Clean>,
        /// The name at the end of its aliases.
        alias: Option<String>,
        ttl: u32,
        /// The server has the zone of the name that was asked for.
        authoritative: bool,
    },
    /// The name is an alias, and no record of the type follows.
    Alias {
        name: String,
        ttl: u32,
        authoritative: bool,
    },
    NoSuchName(Option<String>),
    NoRecord,
    /// The server cannot or will not answer.
    Failed(String),
}

fn type_of(kind: DnsType) -> TYPE {
    match kind {
        DnsType::A => TYPE::A,
        DnsType::Aaaa => TYPE::AAAA,
        DnsType::Cname => TYPE::CNAME,
        DnsType::Mx => TYPE::MX,
        DnsType::Txt => TYPE::TXT,
        DnsType::Ns => TYPE::NS,
        DnsType::Ptr => TYPE::PTR,
    }
}

impl DnsQuestion<'_> {
    /// The message.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, String> {
        let name =
            Name::new(self.name).map_err(|error| format!("{} cannot be asked for: {error}", self.name))?;
        let mut packet = Packet::new_query(self.id);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        packet.questions.push(Question::new(
            name,
            QTYPE::TYPE(type_of(self.kind)),
            QCLASS::CLASS(CLASS::IN),
            false,
        ));
        packet.build_bytes_vec().map_err(|error| error.to_string())
    }

    /// Reads what was sent as an answer.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<DnsRead, Unusable> {
        let no_message = |_| Unusable("what came is no DNS message".to_owned());
        if header_buffer::id(bytes).map_err(no_message)? != self.id {
            return Err(Unusable("it has the id of another question".to_owned()));
        }
        if !header_buffer::has_flags(bytes, PacketFlag::RESPONSE).map_err(no_message)? {
            return Err(Unusable("what came is no answer".to_owned()));
        }
        // It may end in the middle of a record.
        if header_buffer::has_flags(bytes, PacketFlag::TRUNCATION).map_err(no_message)? {
            return Ok(DnsRead::Truncated);
        }
        let count = |of: fn(&[u8]) -> simple_dns::Result<u16>| of(bytes).map(usize::from).map_err(no_message);
        let records = count(header_buffer::answers)?
            + count(header_buffer::name_servers)?
            + count(header_buffer::additional_records)?;
        if records > bytes.len().saturating_sub(HEADER) / SHORTEST {
            return Err(Unusable(
                "what came is no DNS message: it has fewer records than it says".to_owned(),
            ));
        }
        let packet = Packet::parse(bytes)
            .map_err(|error| Unusable(format!("what came is no DNS message: {error}")))?;
        if packet.opcode() != OPCODE::StandardQuery || !self.is_asked(&packet) {
            return Err(Unusable("it answers another question".to_owned()));
        }
        Ok(DnsRead::Whole(self.said(&packet)))
    }

    /// Whether a message repeats the question. One that says that it could not read the question need not.
    fn is_asked(&self, packet: &Packet<'_>) -> bool {
        match packet.questions.as_slice() {
            [asked] => {
                dns_labels(asked.qname.as_bytes()) == self.name
                    && asked.qtype == QTYPE::TYPE(type_of(self.kind))
                    && asked.qclass == QCLASS::CLASS(CLASS::IN)
            }
            [] => !matches!(packet.rcode(), RCODE::NoError | RCODE::NameError),
            _ => false,
        }
    }

    fn said(&self, packet: &Packet<'_>) -> DnsContent {
        let failed = |why: &str| DnsContent::Failed(why.to_owned());
        match packet.rcode() {
            RCODE::NoError | RCODE::NameError => {}
            RCODE::ServerFailure => return failed("it has no answer (SERVFAIL)"),
            RCODE::Refused => return failed("it refuses to answer for this name (REFUSED)"),
            RCODE::FormatError => return failed("it cannot read the question (FORMERR)"),
            RCODE::NotImplemented => return failed("it does not answer such questions (NOTIMP)"),
            other => return DnsContent::Failed(format!("it answers with {other:?}")),
        }
        // A name server that has the zone says so, a resolver that it looks names up.
        let authoritative = packet.has_flags(PacketFlag::AUTHORITATIVE_ANSWER);
        if !authoritative && !packet.has_flags(PacketFlag::RECURSION_AVAILABLE) {
            return failed("it is not authoritative for this name, and not a resolver");
        }
        let Ok((alias, alias_ttl)) = self.alias(packet) else {
            return failed("its aliases lead in a circle");
        };
        if packet.rcode() == RCODE::NameError {
            return DnsContent::NoSuchName(alias);
        }
        let owner = alias.as_deref().unwrap_or(self.name);
        let own = packet.answers.iter().filter(|record| is_of(record, owner));
        let found: Vec<(Clean, u32)> = own
            .filter(|record| record.rdata.type_code() == type_of(self.kind))
            .filter_map(|record| Some((value(&record.rdata)?.into(), record.ttl)))
            .collect();
        if found.len() > VALUES {
            return DnsContent::Failed(format!("it has more than {VALUES} records of this type"));
        }
        let ttl = found.iter().map(|(_, ttl)| *ttl).fold(alias_ttl, u32::min);
        match (found.is_empty(), alias) {
            (false, alias) => {
                let values = found.into_iter().map(|(value, _)| value).collect();
                DnsContent::Values { values, alias, ttl, authoritative }
            }
            (true, Some(name)) => DnsContent::Alias { name, ttl, authoritative },
            (true, None) => DnsContent::NoRecord,
        }
    }

    /// The name at the end of the aliases, and how long they are kept; an error when they have no end.
    fn alias(&self, packet: &Packet<'_>) -> Result<(Option<String>, u32), ()> {
        let (mut at, mut ttl) = (None::<String>, u32::MAX);
        if self.kind == DnsType::Cname {
            return Ok((at, ttl));
        }
        for _ in 0..ALIASES {
            let owner = at.as_deref().unwrap_or(self.name);
            let leads = packet.answers.iter().filter(|record| is_of(record, owner)).find_map(|record| {
                let RData::CNAME(to) = &record.rdata else { return None };
                Some((dns_labels(to.as_bytes()), record.ttl))
            });
            let Some((to, kept)) = leads else { return Ok((at, ttl)) };
            (at, ttl) = (Some(to), ttl.min(kept));
        }
        Err(())
    }
}

fn is_of(record: &ResourceRecord<'_>, owner: &str) -> bool {
    record.class == CLASS::IN && dns_labels(record.name.as_bytes()) == owner
}

/// A value in the form that it is compared in; `None` for an empty one and for types that are not asked for.
fn value(data: &RData<'_>) -> Option<String> {
    match data {
        RData::A(a) => Some(Ipv4Addr::from(a.address).to_string()),
        RData::AAAA(aaaa) => Some(Ipv6Addr::from(aaaa.address).to_string()),
        RData::CNAME(name) => Some(dns_labels(name.as_bytes())),
        RData::NS(name) => Some(dns_labels(name.as_bytes())),
        RData::PTR(name) => Some(dns_labels(name.as_bytes())),
        RData::MX(mx) => Some(format!("{} {}", mx.preference, dns_labels(mx.exchange.as_bytes()))),
        RData::TXT(text) => Some(text_of(text)),
        _ => None,
    }
}

/// The parts of a text without anything between them, as SPF and DKIM read them.
fn text_of(text: &TXT<'_>) -> String {
    match String::try_from(text.clone()) {
        Ok(text) => dns_text(text.as_bytes()),
        Err(error) => dns_text(error.as_bytes()),
    }
}

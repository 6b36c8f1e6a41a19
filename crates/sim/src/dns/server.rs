//! Name servers that answer questions over a connection: gdnsd on the jump box, and the resolver of the world outside.

use std::net::Ipv4Addr;
use std::time::Duration;

use simple_dns::rdata::{A, CNAME, PTR, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Record;
use crate::sshd::stream::Stream;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// The port of name servers.
pub(crate) const DNS_PORT: u16 = 53;
/// A client that says nothing is let go.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a name server answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ZoneReply {
    pub(crate) rcode: RCODE,
    pub(crate) records: Vec<Record>,
    /// A resolver answers for names of others, too; else the server has the zone.
    pub(crate) recursive: bool,
}

impl ZoneReply {
    /// A resolver's, of a name that is nowhere.
    pub(crate) fn no_such_name() -> Self {
        Self { rcode: RCODE::NameError, records: Vec::new(), recursive: true }
    }
}

impl World {
    /// What gdnsd says of a name of the internal zone, or of another.
    fn gdnsd_reply(&self, name: &str, kind: &str) -> Option<ZoneReply> {
        let found = self.zone_answer(name)?;
        let domain = self.domain()?;
        let ours = name == domain || name.strip_suffix(domain).is_some_and(|front| front.ends_with('.'));
        let rcode = match (ours, found.is_empty() && name != domain) {
            (false, _) => RCODE::Refused,
            (true, true) => RCODE::NameError,
            (true, false) => RCODE::NoError,
        };
        let records = found.into_iter().filter(|record| record.kind == kind || record.kind == "CNAME");
        Some(ZoneReply { rcode, records: records.collect(), recursive: false })
    }

    /// Whether the name server takes connections from a machine to this address.
    pub(crate) fn name_server_takes(&self, asker: &HostName, address: &str) -> bool {
        let Some(jump) = self.jump() else { return false };
        let at = if matches!(address, "localhost" | "127.0.0.1") {
            (asker == jump).then_some("127.0.0.1")
        } else {
            self.jump_address().filter(|_| self.resolve(address).as_ref() == Some(jump))
        };
        self.name_server_runs() && at.is_some_and(|at| self.name_server_listens(at))
    }

    /// The bytes that gdnsd answers to a question; `None`: nothing.
    pub(crate) fn gdnsd_answers(&self, question: &[u8]) -> Option<Vec<u8>> {
        answer(question, |name, kind| self.gdnsd_reply(name, kind))
    }
}

/// The answer to a question as bytes; `None` for what is none, and where nothing is answered.
pub(crate) fn answer(
    bytes: &[u8],
    says: impl FnOnce(&str, &'static str) -> Option<ZoneReply>,
) -> Option<Vec<u8>> {
    let question = Packet::parse(bytes).ok()?;
    let asked = question.questions.first()?;
    let kind = match asked.qtype {
        QTYPE::TYPE(TYPE::A) => "A",
        QTYPE::TYPE(TYPE::CNAME) => "CNAME",
        QTYPE::TYPE(TYPE::PTR) => "PTR",
        _ => "",
    };
    let said = says(&asked.qname.to_string().to_ascii_lowercase(), kind)?;
    let mut reply = Packet::new_reply(question.id());
    reply.questions.push(asked.clone());
    *reply.rcode_mut() = said.rcode;
    let whose =
        if said.recursive { PacketFlag::RECURSION_AVAILABLE } else { PacketFlag::AUTHORITATIVE_ANSWER };
    if said.rcode != RCODE::Refused {
        reply.set_flags(whose);
    }
    for record in &said.records {
        let data = match record.kind.as_str() {
            "A" => RData::A(A::from(record.data.parse::<Ipv4Addr>().ok()?)),
            "CNAME" => RData::CNAME(CNAME(Name::new(&record.data).ok()?)),
            "PTR" => RData::PTR(PTR(Name::new(&record.data).ok()?)),
            _ => continue,
        };
        reply.answers.push(ResourceRecord::new(Name::new(&record.name).ok()?, CLASS::IN, record.ttl, data));
    }
    reply.build_bytes_vec_compressed().ok()
}

/// Serves a connection to its end (RFC 7766).
pub(crate) async fn serve(mut stream: impl Stream, answers: impl Fn(&[u8]) -> Option<Vec<u8>> + Send) {
    let served = async {
        loop {
            let mut question = vec![0; usize::from(stream.read_u16().await.ok()?)];
            stream.read_exact(&mut question).await.ok()?;
            let answer = answers(&question)?;
            stream.write_u16(u16::try_from(answer.len()).ok()?).await.ok()?;
            stream.write_all(&answer).await.ok()?;
            stream.flush().await.ok()?;
        }
    };
    let _ended: Result<Option<()>, _> = timeout(PATIENCE, served).await;
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use simple_dns::rdata::{A, CNAME, MX, RData, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, ResourceRecord, TYPE};

use super::message::{DnsContent, DnsQuestion, DnsRead, Unusable};
use jumpdeck_fleet::outside::DnsType;

const ID: u16 = 0x1234;
const WWW: DnsQuestion<'static> = DnsQuestion { name: "www.example.org", kind: DnsType::A, id: ID };

/// An authoritative answer to a question.
fn answer(question: &DnsQuestion<'_>, records: &[(&str, u32, RData<'_>)]) -> Vec<u8> {
    let bytes = question.bytes().unwrap();
    let asked = Packet::parse(&bytes).unwrap();
    let mut packet = Packet::new_reply(question.id);
    packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    packet.questions = asked.questions.clone();
    for (name, ttl, data) in records {
        packet.answers.push(ResourceRecord::new(Name::new(name).unwrap(), CLASS::IN, *ttl, data.clone()));
    }
    packet.build_bytes_vec_compressed().unwrap()
}

/// The same, changed before it is written.
fn changed(question: &DnsQuestion<'_>, change: impl FnOnce(&mut Packet<'_>)) -> Result<DnsRead, Unusable> {
    let bytes = answer(question, &[]);
    let mut packet = Packet::parse(&bytes).unwrap();
    change(&mut packet);
    question.read(&packet.build_bytes_vec().unwrap())
}

fn a(last: u8) -> RData<'static> {
    RData::A(A { address: u32::from_be_bytes([192, 0, 2, last]) })
}

fn cname(to: &str) -> RData<'_> {
    RData::CNAME(CNAME(Name::new(to).unwrap()))
}

fn said(question: &DnsQuestion<'_>, records: &[(&str, u32, RData<'_>)]) -> DnsContent {
    match question.read(&answer(question, records)) {
        Ok(DnsRead::Whole(said)) => said,
        other => panic!("{other:?}"),
    }
}

fn values(values: &[&str], alias: Option<&str>, ttl: u32) -> DnsContent {
    let values: BTreeSet<_> = values.iter().map(|value| (*value).into()).collect();
    DnsContent::Values { values, alias: alias.map(str::to_owned), ttl, authoritative: true }
}

fn failed(why: &str) -> Result<DnsRead, Unusable> {
    Ok(DnsRead::Whole(DnsContent::Failed(why.to_owned())))
}

#[test]
fn answers_are_read_whatever_their_case_and_order() {
    let found = said(
        &WWW,
        &[("WWW.Example.ORG.", 60, a(2)), ("www.example.org", 30, a(1)), ("other.example.org", 1, a(9))],
    );
    assert_eq!(found, values(&["192.0.2.1", "192.0.2.2"], None, 30));
    let mx = DnsQuestion { name: "example.org", kind: DnsType::Mx, id: ID };
    let data = RData::MX(MX { preference: 10, exchange: Name::new("Mail.example.org").unwrap() });
    assert_eq!(said(&mx, &[("example.org", 5, data)]), values(&["10 mail.example.org"], None, 5));
    // Parts of a text belong together; what a terminal obeys is shown as zone files have it.
    let txt = DnsQuestion { name: "example.org", kind: DnsType::Txt, id: ID };
    let text = TXT::new().with_string("v=spf1 \u{1b}[2J").unwrap().with_string("mx -all\\").unwrap();
    let found = said(&txt, &[("example.org", 5, RData::TXT(text))]);
    assert_eq!(found, values(&["v=spf1 \\027[2Jmx -all\\\\"], None, 5));
}

#[test]
fn aliases_are_followed_within_an_answer() {
    let edge = ("www.example.org", 300, cname("Edge.example.net"));
    let found = said(&WWW, &[("edge.example.net", 20, a(1)), edge.clone()]);
    assert_eq!(found, values(&["192.0.2.1"], Some("edge.example.net"), 20));
    let alone = DnsContent::Alias { name: "edge.example.net".to_owned(), ttl: 300, authoritative: true };
    assert_eq!(said(&WWW, std::slice::from_ref(&edge)), alone);
    let circle = said(&WWW, &[edge.clone(), ("edge.example.net", 1, cname("www.example.org"))]);
    assert_eq!(circle, DnsContent::Failed("its aliases lead in a circle".to_owned()));
    // Asked for the alias, it is the answer.
    let alias = DnsQuestion { kind: DnsType::Cname, ..WWW };
    assert_eq!(said(&alias, &[edge]), values(&["edge.example.net"], None, 300));
    assert_eq!(said(&WWW, &[]), DnsContent::NoRecord);
}

#[test]
fn what_a_server_cannot_or_will_not_answer_is_told_apart() {
    let with = |rcode: RCODE| changed(&WWW, |packet| *packet.rcode_mut() = rcode);
    assert_eq!(with(RCODE::NameError), Ok(DnsRead::Whole(DnsContent::NoSuchName(None))));
    assert_eq!(with(RCODE::ServerFailure), failed("it has no answer (SERVFAIL)"));
    assert_eq!(with(RCODE::Refused), failed("it refuses to answer for this name (REFUSED)"));
    // A server that does not have the zone, and is no resolver; and a resolver.
    let lame = changed(&WWW, |packet| packet.remove_flags(PacketFlag::AUTHORITATIVE_ANSWER));
    assert_eq!(lame, failed("it is not authoritative for this name, and not a resolver"));
    let resolver = changed(&WWW, |packet| {
        packet.remove_flags(PacketFlag::AUTHORITATIVE_ANSWER);
        packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
    });
    assert_eq!(resolver, Ok(DnsRead::Whole(DnsContent::NoRecord)));
    assert_eq!(changed(&WWW, |packet| packet.set_flags(PacketFlag::TRUNCATION)), Ok(DnsRead::Truncated));
}

#[test]
fn what_answers_another_question_is_no_answer() {
    let other = |why: &str| Err(Unusable(why.to_owned()));
    assert_eq!(changed(&WWW, |packet| packet.set_id(ID + 1)), other("it has the id of another question"));
    assert_eq!(WWW.read(&WWW.bytes().unwrap()), other("what came is no answer"));
    let asks = |name: &'static str, kind: TYPE| {
        changed(&WWW, |packet| {
            packet.questions =
                vec![Question::new(Name::new(name).unwrap(), kind.into(), CLASS::IN.into(), false)];
        })
    };
    let another = || other("it answers another question");
    assert_eq!(asks("evil.example.org", TYPE::A), another());
    assert_eq!(asks("www.example.org", TYPE::AAAA), another());
    assert_eq!(asks("WWW.example.org", TYPE::A), Ok(DnsRead::Whole(DnsContent::NoRecord)));
    assert_eq!(changed(&WWW, |packet| packet.questions.clear()), another());
    // A server that could not read the question has none to repeat.
    let unread = changed(&WWW, |packet| {
        packet.questions.clear();
        *packet.rcode_mut() = RCODE::FormatError;
    });
    assert_eq!(unread, failed("it cannot read the question (FORMERR)"));
}

#[test]
fn hostile_messages_end() {
    let whole = answer(&WWW, &[("www.example.org", 60, a(1))]);
    let no_message = |bytes: &[u8]| {
        let Err(Unusable(why)) = WWW.read(bytes) else { panic!("{:?}", WWW.read(bytes)) };
        assert!(why.starts_with("what came is no DNS message"), "{why}");
    };
    for length in 12..whole.len() {
        no_message(&whole[..length]);
    }
    no_message(b"");
    // Counts that lie.
    for at in [6, 8, 10] {
        let mut lies = whole.clone();
        lies[at..at + 2].copy_from_slice(&[0xff, 0xff]);
        no_message(&lies);
    }
    // The name of the record is a pointer to itself, and one to a label before it that leads to it again.
    let record = WWW.bytes().unwrap().len();
    for pointer in [record, record + 1, 0x3fff] {
        let mut circle = whole.clone();
        circle[record..record + 2].copy_from_slice(&u16::try_from(0xc000 | pointer).unwrap().to_be_bytes());
        no_message(&circle);
    }
    // Records without data, or with that of another length, are none of the type.
    let mut short = whole.clone();
    let length = short.len() - 6;
    short.truncate(length + 2);
    short[length..].copy_from_slice(&[0, 0]);
    assert_eq!(WWW.read(&short), Ok(DnsRead::Whole(DnsContent::NoRecord)));
    let many: Vec<_> = (0..=255).map(|last| ("www.example.org", 1, a(last))).collect();
    assert_eq!(said(&WWW, &many), DnsContent::Failed("it has more than 100 records of this type".to_owned()));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_fail(start in any::<bool>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        // Half of them begin as an answer does.
        let mut message = if start { answer(&WWW, &[("www.example.org", 60, a(1))]) } else { Vec::new() };
        message.truncate(40);
        message.extend(&bytes);
        if let Ok(DnsRead::Whole(DnsContent::Values { values, .. })) = WWW.read(&message) {
            prop_assert!(values.iter().all(|value| value.as_str().parse::<std::net::Ipv4Addr>().is_ok()));
        }
    }
}

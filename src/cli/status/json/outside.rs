//! What is seen from outside, in the status JSON.

use serde::Serialize;

use jumpdeck_fleet::outside::{
    ChainTrust, DnsReply, DnsSaid, MailAddress, OutsideReading, OutsideResult, OutsideTarget, ReverseState,
    SiteCertificate,
};
use jumpdeck_fleet::text::Clean;

use super::{Picture, milliseconds};

#[derive(Debug, Serialize)]
pub(in crate::cli::status) struct OutsideStatus {
    pub(in crate::cli::status) name: String,
    pub(in crate::cli::status) kind: &'static str,
    pub(in crate::cli::status) from: &'static str,
    pub(in crate::cli::status) target: String,
    pub(in crate::cli::status) state: &'static str,
    pub(in crate::cli::status) detail: String,
    pub(in crate::cli::status) age_ms: Option<u64>,
    pub(in crate::cli::status) status: Option<u16>,
    pub(in crate::cli::status) took_ms: Option<u64>,
    pub(in crate::cli::status) ends_at: Option<String>,
    pub(in crate::cli::status) open: Option<bool>,
    pub(in crate::cli::status) relays: Option<bool>,
    pub(in crate::cli::status) certificates: Option<Vec<CertificateStatus>>,
    replies: Option<Vec<ReplyStatus>>,
    addresses: Option<Vec<AddressStatus>>,
    pub(in crate::cli::status) errors: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(in crate::cli::status) struct CertificateStatus {
    pub(in crate::cli::status) host: String,
    names: Vec<String>,
    for_host: bool,
    issuer: String,
    chain: usize,
    trusted: Option<bool>,
    pub(in crate::cli::status) seconds_left: i64,
}

/// What a name server said.
#[derive(Debug, Serialize)]
struct ReplyStatus {
    server: String,
    said: &'static str,
    values: Vec<String>,
    alias: Option<String>,
    ttl_seconds: Option<u32>,
    error: Option<String>,
}

/// An address of a mail host.
#[derive(Debug, Serialize)]
struct AddressStatus {
    address: String,
    names: Vec<String>,
    state: &'static str,
    error: Option<String>,
}

pub(super) fn status(picture: &Picture, result: &OutsideResult) -> OutsideStatus {
    let seen = result.fact.current();
    let answer = seen.and_then(OutsideReading::answer);
    let ends_at = answer.map(|answer| {
        answer.leads_to.as_ref().map_or_else(|| answer.at.to_string(), |to| to.text.to_string())
    });
    OutsideStatus {
        name: result.check.name.clone(),
        kind: result.check.target.word(),
        from: result.check.from.word(),
        target: target(&result.check.target),
        state: result.health().word(),
        detail: result.detail(),
        age_ms: seen.and_then(|_| result.fact.age(picture.now)).map(milliseconds),
        status: answer.map(|answer| answer.status),
        took_ms: answer.map(|answer| milliseconds(answer.took)),
        ends_at,
        open: seen.and_then(OutsideReading::is_open),
        relays: seen.and_then(OutsideReading::relays),
        certificates: seen
            .and_then(OutsideReading::certificates)
            .map(|all| all.iter().map(certificate).collect()),
        replies: seen.and_then(OutsideReading::replies).map(|all| all.iter().map(reply).collect()),
        addresses: seen.and_then(OutsideReading::addresses).map(|all| all.iter().map(address).collect()),
        errors: result.fact.gap.iter().map(jumpdeck_fleet::fact::Gap::describe).collect(),
    }
}

fn target(target: &OutsideTarget) -> String {
    match target {
        OutsideTarget::Site(site) => site.url.to_string(),
        OutsideTarget::Closed(port) => format!("{}:{}", port.address, port.port),
        OutsideTarget::Relay(host) => format!("{}:{}", host.address, host.port),
        OutsideTarget::Dns(name) => format!("{} {}", name.name, name.kind.word()),
        OutsideTarget::Reverse(mail) => mail.host.clone(),
    }
}

fn reply(seen: &DnsReply) -> ReplyStatus {
    let (answers, alias, error) = match &seen.said {
        DnsSaid::Answers(answers) => (Some(answers), answers.alias.as_ref(), None),
        DnsSaid::NoSuchName(alias) | DnsSaid::NoRecord(alias) => (None, alias.as_ref(), None),
        DnsSaid::Elsewhere(alias) => (None, Some(alias), None),
        DnsSaid::Failed(why) | DnsSaid::NotAsked(why) => (None, None, Some(why)),
    };
    ReplyStatus {
        server: seen.server.to_string(),
        said: seen.said.word(),
        values: answers.iter().flat_map(|answers| &answers.values).map(Clean::to_string).collect(),
        alias: alias.map(Clean::to_string),
        ttl_seconds: answers.map(|answers| answers.ttl),
        error: error.map(Clean::to_string),
    }
}

fn address(seen: &MailAddress) -> AddressStatus {
    let error = match &seen.state {
        ReverseState::Unknown(why) => Some(why.to_string()),
        ReverseState::Confirmed | ReverseState::Missing | ReverseState::OtherName | ReverseState::NotBack => {
            None
        }
    };
    let names = seen.names.iter().map(Clean::to_string).collect();
    AddressStatus { address: seen.address.to_string(), names, state: seen.state.word(), error }
}

fn certificate(seen: &SiteCertificate) -> CertificateStatus {
    CertificateStatus {
        host: seen.host.clone(),
        names: seen.names.iter().map(Clean::to_string).collect(),
        for_host: seen.is_for_host,
        issuer: seen.issuer.to_string(),
        chain: seen.chain_length,
        trusted: match seen.trust {
            ChainTrust::Trusted => Some(true),
            ChainTrust::NotTrusted(_) => Some(false),
            ChainTrust::Unknown(_) => None,
        },
        seconds_left: seen.seconds_left,
    }
}

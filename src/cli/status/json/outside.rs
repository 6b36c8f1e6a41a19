//! What is seen from outside, in the status JSON.

use serde::Serialize;

use jumpdeck_fleet::outside::{ChainTrust, OutsideReading, OutsideResult, OutsideTarget, SiteCertificate};
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
        errors: result.fact.gap.iter().map(jumpdeck_fleet::fact::Gap::describe).collect(),
    }
}

fn target(target: &OutsideTarget) -> String {
    match target {
        OutsideTarget::Site(site) => site.url.to_string(),
        OutsideTarget::Closed(port) => format!("{}:{}", port.address, port.port),
        OutsideTarget::Relay(host) => format!("{}:{}", host.address, host.port),
    }
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

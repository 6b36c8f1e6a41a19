//! The services of a host in the status JSON.

use serde::Serialize;

use jumpdeck_fleet::check::{CheckNumber, CheckRange, PerfDatum};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::service::{Figure, ServiceEntry, ServiceHealth, ServiceReading};
use jumpdeck_fleet::snapshot::HostSnapshot;

use super::{Picture, milliseconds};

#[derive(Debug, Serialize)]
pub(in crate::cli::status) struct ServiceStatus {
    pub(in crate::cli::status) name: String,
    pub(in crate::cli::status) state: &'static str,
    pub(in crate::cli::status) detail: String,
    pub(in crate::cli::status) age_ms: Option<u64>,
    pub(in crate::cli::status) readings: Option<Vec<ReadingStatus>>,
    pub(in crate::cli::status) perfdata: Option<Vec<PerfStatus>>,
    pub(in crate::cli::status) errors: Vec<String>,
}

/// A figure of a check.
#[derive(Debug, Serialize)]
pub(in crate::cli::status) struct PerfStatus {
    pub(in crate::cli::status) label: String,
    pub(in crate::cli::status) value: f64,
    pub(in crate::cli::status) unit: String,
    pub(in crate::cli::status) warning: Option<String>,
    pub(in crate::cli::status) critical: Option<String>,
    pub(in crate::cli::status) min: Option<f64>,
    pub(in crate::cli::status) max: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(in crate::cli::status) struct ReadingStatus {
    pub(in crate::cli::status) name: &'static str,
    pub(in crate::cli::status) value: ReadingValue,
    pub(in crate::cli::status) of: Option<u64>,
    pub(in crate::cli::status) unit: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::cli::status) enum ReadingValue {
    Text(String),
    Flag(bool),
    Amount(u64),
}

/// An entry for each service that its roles name; `None` where jumpdeck looks at none.
pub(super) fn services(picture: &Picture, h: &HostSnapshot, judgeable: bool) -> Option<Vec<ServiceStatus>> {
    let services = Some(&h.facts.services).filter(|services| judgeable && !services.is_empty())?;
    Some(services.iter().map(|entry| service(picture, entry)).collect())
}

fn service(picture: &Picture, entry: &ServiceEntry) -> ServiceStatus {
    let name = entry.name().to_owned();
    let Some(service) = entry.fact.current() else {
        let why = entry.fact.gap.as_ref().unwrap_or(&Gap::NotAsked).describe();
        return ServiceStatus {
            name,
            state: ServiceHealth::Unknown.word(),
            detail: why.clone(),
            age_ms: None,
            readings: None,
            perfdata: None,
            errors: vec![why],
        };
    };
    let findings = entry.findings(service, &picture.env.thresholds);
    ServiceStatus {
        name,
        state: ServiceHealth::of(service, &findings).word(),
        detail: service.detail.to_string(),
        age_ms: entry.fact.age(picture.now).map(milliseconds),
        readings: service.running.then(|| service.readings.iter().map(reading).collect()),
        perfdata: entry.check().map(|_| service.perfdata().iter().map(figure).collect()),
        errors: service.gaps.iter().map(|(what, gap)| format!("{what} {}", gap.describe())).collect(),
    }
}

fn figure(datum: &PerfDatum) -> PerfStatus {
    let words = |range: &Option<CheckRange>| range.as_ref().map(ToString::to_string);
    PerfStatus {
        label: datum.label.to_string(),
        value: datum.value.get(),
        unit: datum.unit.to_string(),
        warning: words(&datum.limits.warning),
        critical: words(&datum.limits.critical),
        min: datum.min.map(CheckNumber::get),
        max: datum.max.map(CheckNumber::get),
    }
}

fn reading(reading: &ServiceReading) -> ReadingStatus {
    let (value, of, unit) = match &reading.figure {
        Figure::Text(text) => (ReadingValue::Text(text.to_string()), None, None),
        Figure::Flag(flag) => (ReadingValue::Flag(*flag), None, None),
        Figure::Amount { value, of, unit } => (ReadingValue::Amount(*value), *of, Some(unit.word())),
    };
    ReadingStatus { name: reading.name, value, of, unit }
}

//! A host's services: how each is, and its readings, a line each.

use ratatui::text::Line;

use crate::view::scene::{Scene, ShownFact};
use crate::view::signs::Status;
use crate::view::text::span;
use jumpdeck_fleet::service::{Service, ServiceEntry, ServiceHealth};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::time::Freshness;

use super::{HostPage, LABEL};

/// Columns of a name; a space follows, however long the name is.
const NAME: usize = 13;

pub(super) fn lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &'a HostSnapshot) {
    page.section("SERVICES");
    let services = &host.facts.services;
    if services.is_empty() {
        // Said once, quietly: nothing here was looked at, so nothing here is well.
        page.plain(span("services are not checked on this host", scene.styles.muted));
    }
    for entry in services {
        one(page, scene, host, entry);
    }
}

fn one<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &HostSnapshot, entry: &'a ServiceEntry) {
    let styles = scene.styles;
    match scene.shown(host, &entry.fact) {
        ShownFact::Value(service, freshness) => {
            let findings = entry.findings(service, &scene.env.spec.thresholds);
            let health = ServiceHealth::of(service, &findings);
            let status = match findings.iter().map(|finding| finding.severity).max() {
                // What is no longer fresh is not ok any more.
                _ if freshness != Freshness::Fresh => Status::Unknown,
                None => Status::Ok,
                Some(severity) => Status::from(severity),
            };
            head(page, scene, status, health.word(), entry, service.detail.as_str());
            readings(page, scene, entry, service, freshness);
        }
        ShownFact::Gap(gap) => head(page, scene, Status::Unknown, "unknown", entry, &gap.describe()),
        ShownFact::Expired => {
            head(page, scene, Status::Unknown, "unknown", entry, "last known:");
            let from = page.lines.len();
            if let Some(service) = entry.fact.last() {
                page.wrapped("", service.detail.as_str(), styles.stale);
                readings(page, scene, entry, service, Freshness::Stale);
            }
            page.dim(from, styles.stale);
        }
    }
}

fn head<'a>(
    page: &mut HostPage<'a>,
    scene: &Scene<'a>,
    status: Status,
    word: &str,
    entry: &ServiceEntry,
    detail: &str,
) {
    let styles = scene.styles;
    let label = format!("{} {word}", status.sign());
    page.plain(Line::from(vec![
        span(format!("{label:<LABEL$}"), styles.status(status)),
        span(format!("{:<NAME$} ", entry.name()), styles.strong),
        span(detail.to_owned(), styles.muted),
    ]));
}

fn readings<'a>(
    page: &mut HostPage<'a>,
    scene: &Scene<'a>,
    entry: &ServiceEntry,
    service: &Service,
    freshness: Freshness,
) {
    let styles = scene.styles;
    let findings = entry.findings(service, &scene.env.spec.thresholds);
    for reading in &service.readings {
        let shows = findings.iter().filter(|finding| finding.reading == Some(reading.name));
        let style = styles.figure(shows.map(|finding| finding.severity).max(), freshness);
        let name = reading.name.replace('_', " ");
        let line =
            vec![span(format!("{name:<NAME$} "), styles.muted), span(reading.figure.to_string(), style)];
        page.labelled("", Line::from(line));
    }
    for datum in service.perfdata() {
        let style = styles.figure(datum.limits.severity(datum.value), freshness);
        let limits = datum.limits.to_string();
        let mut line = vec![
            span(format!("{:<NAME$}  ", datum.label.as_str()), styles.muted),
            span(format!("{}{}", datum.value, datum.unit), style),
        ];
        if !limits.is_empty() {
            line.push(span(format!(" ({limits})"), styles.muted));
        }
        page.labelled("", Line::from(line));
    }
    for (what, gap) in &service.gaps {
        page.wrapped("", &format!("? {what} {}", gap.describe()), styles.unknown);
    }
}

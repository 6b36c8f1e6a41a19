//! What is looked at from outside: a row each, with the place that it was looked from and its age.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ServiceColumn;
use crate::view::scene::Scene;
use crate::view::signs::Status;
use crate::view::text::span;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::outside::OutsideResult;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::time::{Freshness, short_age};

/// The one with that id.
pub(super) fn of_id<'a>(scene: &Scene<'a>, id: &str) -> Option<&'a OutsideResult> {
    scene.env.outside.results.iter().find(|result| result.id == id)
}

fn freshness(scene: &Scene<'_>, result: &OutsideResult) -> Freshness {
    let every = result.check.every(scene.env.spec.outside.every);
    let known = result.fact.freshness(scene.model.now, every);
    known.unwrap_or(Freshness::Expired)
}

/// How it is; unknown also where the last answer is too old.
fn severity(scene: &Scene<'_>, result: &OutsideResult) -> Option<Severity> {
    if freshness(scene, result) == Freshness::Expired {
        return Some(Severity::Unknown);
    }
    result.health().severity()
}

pub(super) fn sign(scene: &Scene<'_>, result: &OutsideResult) -> Span<'static> {
    let status = severity(scene, result).map_or(Status::Ok, Status::from);
    span(status.sign(), scene.styles.status(status))
}

pub(super) fn cell<'a>(scene: &Scene<'a>, result: &'a OutsideResult, id: ServiceColumn) -> Line<'a> {
    let styles = scene.styles;
    let severity = severity(scene, result);
    match id {
        ServiceColumn::Name => span(result.check.name.as_str(), styles.strong).into(),
        ServiceColumn::State => match severity {
            None => span("ok", styles.status(Status::Ok)).into(),
            Some(Severity::Unknown) => span("?", styles.unknown).into(),
            Some(severity) => span(severity.word(), styles.status(Status::from(severity))).into(),
        },
        ServiceColumn::Well => span(format!("from {}", result.check.from.word()), styles.muted).into(),
        ServiceColumn::Hosts => {
            let age = result.fact.age(scene.model.now).map(|age| format!("{} ago  ", short_age(age)));
            let style = if severity.is_some() { styles.base } else { styles.muted };
            span(format!("{}{}", age.unwrap_or_default(), said(scene, result)), style).into()
        }
    }
}

fn said(scene: &Scene<'_>, result: &OutsideResult) -> String {
    match &result.fact.gap {
        Some(Gap::NotAsked) => "not looked at yet".to_owned(),
        None if freshness(scene, result) == Freshness::Expired => "its last answer is too old".to_owned(),
        Some(_) | None => result.detail(),
    }
}

/// What is wrong with it, in full; where nothing is, what was seen.
pub(super) fn lines(scene: &Scene<'_>, result: &OutsideResult) -> Vec<(String, Style)> {
    let found = result.findings();
    if found.is_empty() || severity(scene, result) == Some(Severity::Unknown) {
        let from = result.check.from.label();
        return vec![(format!("seen from {from}: {}", said(scene, result)), scene.styles.muted)];
    }
    found.into_iter().map(|finding| (finding.message, scene.styles.base)).collect()
}

pub(super) fn says<'a>(scene: &Scene<'a>, result: &OutsideResult) -> Line<'a> {
    let state = match severity(scene, result) {
        None => "well",
        Some(Severity::Unknown) => "unknown",
        Some(Severity::Warning | Severity::Critical) => "not well",
    };
    let text = format!("{}: {state}, seen from {}", result.check.name, result.check.from.label());
    span(text, scene.styles.muted).into()
}

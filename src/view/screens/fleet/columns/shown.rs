//! What is in the cells that take more than a line to draw.

use std::time::Duration;

use ratatui::text::Line;

use super::FleetRow;
use crate::view::scene::ShownFact;
use crate::view::screens::cells;
use crate::view::text::{self, span};
use crate::view::widgets::{bar, sparkline};
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::judge::roles::reported;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::snapshot::Load;
use jumpdeck_fleet::summary::worst_filesystem;

/// One column of a trend: half a minute.
const TREND: Duration = Duration::from_secs(30);

pub(super) fn memory<'a>(row: &FleetRow<'_, 'a>, width: u16) -> Line<'a> {
    let (scene, styles) = (row.scene, row.scene.styles);
    cells::fact(scene, row.host, &row.host.facts.memory, |memory, freshness| match memory.used_percent() {
        Some(used) if memory.cache_unread => span(format!("≤{}", text::percent(used)), styles.unknown).into(),
        Some(used) => {
            let severity = cells::above(Some(used), scene.env.spec.thresholds.memory);
            let style = styles.figure(severity, freshness);
            Line::from(bar::with_percent(used, width, style, styles))
        }
        None => span("–", styles.muted).into(),
    })
}

pub(super) fn disk<'a>(row: &FleetRow<'_, 'a>, width: u16) -> Line<'a> {
    let (scene, facts) = (row.scene, &row.host.facts);
    match (scene.shown(row.host, &facts.filesystems), worst_filesystem(facts)) {
        (ShownFact::Value(_, freshness), Some(disk)) => cells::disk(scene, disk, freshness, width),
        (ShownFact::Value(..), None) | (ShownFact::Gap(_) | ShownFact::Expired, _) => {
            cells::fact(scene, row.host, &facts.filesystems, |_, _| span("none", scene.styles.unknown).into())
        }
    }
}

pub(super) fn mount<'a>(row: &FleetRow<'_, 'a>, width: u16) -> Line<'a> {
    let facts = &row.host.facts;
    match (row.scene.shown(row.host, &facts.filesystems), worst_filesystem(facts)) {
        (ShownFact::Value(..), Some(disk)) => {
            span(text::tail(disk.mount.as_str(), usize::from(width)), row.scene.styles.muted).into()
        }
        (ShownFact::Value(..), None) | (ShownFact::Gap(_) | ShownFact::Expired, _) => Line::default(),
    }
}

pub(super) fn level<'a>(row: &FleetRow<'_, 'a>, _width: u16) -> Line<'a> {
    let (scene, styles) = (row.scene, row.scene.styles);
    cells::fact(scene, row.host, &row.host.facts.grains, |grains, freshness| match &grains.level {
        Some(level) if level.as_str() == scene.env.spec.level => span(level.as_str(), styles.muted).into(),
        Some(level) => span(level.as_str(), styles.figure(Some(Severity::Critical), freshness)).into(),
        None => span("none", styles.figure(Some(Severity::Warning), freshness)).into(),
    })
}

/// One of the load's figures, and how bad it is.
pub(super) fn figure<'a>(
    &FleetRow { scene, host, .. }: &FleetRow<'_, 'a>,
    of: impl Fn(Load, &Thresholds) -> (Option<f64>, Option<Severity>),
) -> Line<'a> {
    let (load, freshness) = match scene.shown(host, &host.facts.load) {
        ShownFact::Value(load, freshness) => (*load, freshness),
        ShownFact::Gap(_) => return Line::default(),
        ShownFact::Expired => return span("?", scene.styles.unknown).into(),
    };
    let (value, severity) = of(load, &scene.env.spec.thresholds);
    match value {
        Some(value) => span(text::load(value), scene.styles.figure(severity, freshness)).into(),
        None => span("?", scene.styles.unknown).into(),
    }
}

/// The roles it reports, else the inventory's; where they differ they stand out.
pub(super) fn roles<'a>(&FleetRow { scene, host, spec, .. }: &FleetRow<'_, 'a>) -> Line<'a> {
    let Some(spec) = spec else { return Line::default() };
    let join = |roles: &[jumpdeck_fleet::names::RoleName]| {
        roles.iter().map(jumpdeck_fleet::names::RoleName::as_str).collect::<Vec<_>>().join(" ")
    };
    match reported(spec, host) {
        Some(roles) if roles != spec.roles => span(join(&roles), scene.styles.warning).into(),
        Some(_) | None => span(join(&spec.roles), scene.styles.muted).into(),
    }
}

#[allow(clippy::cast_precision_loss)] // no machine has 2²⁴ CPUs
pub(super) fn trend<'a>(&FleetRow { scene, host, .. }: &FleetRow<'_, 'a>, width: u16) -> Line<'a> {
    let Some(history) = scene.env.history.get(&host.id.host) else { return Line::default() };
    let values = sparkline::buckets(&history.load, scene.now, TREND, width);
    let cpus = host.facts.load.last().and_then(|l| l.cpus).unwrap_or(1) as f32;
    let line = sparkline::rows(&values, sparkline::top(&values, cpus), 1).pop().unwrap_or_default();
    span(line, scene.styles.muted).into()
}

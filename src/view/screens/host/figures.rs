//! A host's load, with its course over an hour, its memory and its swap.

use std::time::Duration;

use ratatui::text::{Line, Span};

use crate::view::scene::Scene;
use crate::view::text::{self, span};
use crate::view::widgets::{bar, sparkline};
use jumpdeck_fleet::history::Ring;
use jumpdeck_fleet::snapshot::{HostSnapshot, Load, Memory};
use jumpdeck_fleet::storage::human_kb;
use jumpdeck_fleet::time::Freshness;

use super::{HostPage, LABEL, cells, known};

/// Rows of the chart.
const CHART: u16 = 3;

/// Columns of a bar with its percentage.
const BAR: u16 = 25;

pub(super) fn lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &'a HostSnapshot) {
    page.section("LOAD AND MEMORY");
    let facts = &host.facts;
    page.labelled(
        "load",
        known(scene, host, &facts.load, |load, freshness| averages(scene, *load, freshness)),
    );
    chart(page, scene, host);
    page.labelled("memory", known(scene, host, &facts.memory, |m, freshness| memory(scene, *m, freshness)));
    if let Some(history) = scene.env.history.get(&host.id.host) {
        line_of(page, scene, &history.memory, 100.0);
        if !history.lag.is_empty() {
            page.labelled("lag", span("replication, seconds behind its master", scene.styles.muted));
            line_of(page, scene, &history.lag, 10.0);
        }
    }
    page.labelled("swap", known(scene, host, &facts.memory, |m, freshness| swap(scene, *m, freshness)));
}

fn averages(scene: &Scene<'_>, load: Load, freshness: Freshness) -> Line<'static> {
    let limits = &scene.env.spec.thresholds;
    let styles = scene.styles;
    let one = cells::above(load.one_per_cpu(), limits.load_one_per_cpu);
    let five = cells::above(load.five_per_cpu(), limits.load_five_per_cpu);
    let mut spans = Vec::new();
    for (value, severity) in [(load.one, one), (load.five, five), (load.fifteen, None)] {
        spans.push(span(format!("{}  ", text::load(value)), styles.figure(severity, freshness)));
    }
    let per = match (load.one_per_cpu(), load.cpus) {
        (Some(per), Some(cpus)) => {
            format!(" {} per CPU, {}", text::load(per), text::count(cpus as usize, "CPU"))
        }
        _ => " number of CPUs unknown".to_owned(),
    };
    spans.push(span(per, styles.muted));
    Line::from(spans)
}

/// The course of the one-minute load; the top of the scale is all CPUs busy, or the highest value.
#[allow(clippy::cast_precision_loss)] // no machine has 2²⁴ CPUs
fn chart<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &HostSnapshot) {
    let Some(history) = scene.env.history.get(&host.id.host).filter(|h| !h.load.is_empty()) else { return };
    let (values, span_words) = course(page, scene, &history.load);
    let cpus = host.facts.load.last().and_then(|l| l.cpus).unwrap_or(1) as f32;
    let top = sparkline::top(&values, cpus);
    for (i, row) in sparkline::rows(&values, top, CHART).into_iter().enumerate() {
        let label = match i {
            0 => format!("{:>10}", text::load(f64::from(top))),
            1 => format!("{span_words:>10}"),
            _ => format!("{:>10}", "0"),
        };
        page.labelled(&label, span(row, plain_accent(scene)));
    }
}

/// The course of a figure in one line, below its value.
fn line_of<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, ring: &Ring, top: f32) {
    if ring.is_empty() {
        return;
    }
    let (values, span_words) = course(page, scene, ring);
    let row = sparkline::rows(&values, sparkline::top(&values, top), 1).pop().unwrap_or_default();
    page.labelled(&format!("{span_words:>10}"), span(row, plain_accent(scene)));
}

fn plain_accent(scene: &Scene<'_>) -> ratatui::style::Style {
    scene.styles.accent.remove_modifier(ratatui::style::Modifier::BOLD)
}

/// A figure's values over the shortest of a few spans that holds all of them, and that span in words: so that a console
/// just begun does not show an empty hour.
fn course(page: &HostPage<'_>, scene: &Scene<'_>, ring: &Ring) -> (Vec<Option<f32>>, &'static str) {
    let first = ring.iter().next().map_or(scene.now, |(at, _)| at);
    let age = scene.now.since(first).as_secs();
    let spans = [(300, "5 minutes"), (900, "15 minutes"), (1800, "30 minutes"), (3600, "one hour")];
    let (seconds, words) = spans.into_iter().find(|(s, _)| age <= *s).unwrap_or((3600, "one hour"));
    let columns = page.width.saturating_sub(u16::try_from(LABEL).unwrap_or(0)).min(120);
    let each = Duration::from_millis(seconds * 1000 / u64::from(columns.max(1)));
    // Never finer than reports come: columns between them would be holes.
    let each = each.max(scene.cadence());
    (sparkline::buckets(ring, scene.now, each, columns), words)
}

fn memory(scene: &Scene<'_>, memory: Memory, freshness: Freshness) -> Line<'static> {
    let Some(used) = memory.used_percent() else { return span("?", scene.styles.unknown).into() };
    if memory.cache_unread {
        let (percent, free) = (crate::view::text::percent(used), human_kb(memory.available_kb));
        let line = format!(
            "≤{percent}   at least {free} of {} available: the ZFS cache size cannot be read",
            human_kb(memory.total_kb)
        );
        return span(line, scene.styles.unknown).into();
    }
    let severity = cells::above(Some(used), scene.env.spec.thresholds.memory);
    let mut spans = bar::with_percent(used, BAR, scene.styles.figure(severity, freshness), scene.styles);
    let about = if memory.available_estimated { "about " } else { "" };
    let rest =
        format!("   {about}{} of {} available", human_kb(memory.available_kb), human_kb(memory.total_kb));
    spans.push(span(rest, scene.styles.muted));
    Line::from(spans)
}

fn swap(scene: &Scene<'_>, memory: Memory, freshness: Freshness) -> Line<'static> {
    let Some(used) = memory.swap_used_percent() else { return span("none", scene.styles.muted).into() };
    let severity = cells::above(Some(used), scene.env.spec.thresholds.swap);
    let mut spans: Vec<Span<'_>> =
        bar::with_percent(used, BAR, scene.styles.figure(severity, freshness), scene.styles);
    let rest = format!("   {} of {} free", human_kb(memory.swap_free_kb), human_kb(memory.swap_total_kb));
    spans.push(span(rest, scene.styles.muted));
    Line::from(spans)
}

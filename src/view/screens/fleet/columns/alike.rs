//! What is in the cells of a folded row: what all its hosts have, or the range of their figures.

use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::{FleetColumn, FleetRow};
use crate::view::scene::ShownFact;
use crate::view::text::{self, cut, span};
use jumpdeck_fleet::fact::Fact;
use jumpdeck_fleet::judge::likeness::short_names;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::snapshot::Load;
use jumpdeck_fleet::summary::{ReplicationBrief, replication_brief, worst_filesystem};

/// A cell of a column for hosts that are alike.
pub(crate) fn cell<'a>(column: &FleetColumn, rows: &[FleetRow<'_, 'a>], width: u16) -> Line<'a> {
    if let Some(cell) = column.alike {
        return cell(rows, width);
    }
    let cells = || rows.iter().map(|row| (column.cell)(row, width));
    let Some(first) = cells().next() else { return Line::default() };
    if cells().all(|cell| cell.to_string() == first.to_string()) {
        return first;
    }
    let various =
        || rows.first().map_or_else(Line::default, |row| span("various", row.scene.styles.muted).into());
    let Some(figure) = column.figure else { return various() };
    let figures: Option<Vec<(f64, String)>> = rows.iter().map(figure).collect();
    // One that is not known leaves the range unknown.
    let Some(figures) = figures else {
        return rows.first().map_or_else(Line::default, |row| span("?", row.scene.styles.unknown).into());
    };
    let by_figure = |(_, (one, _)): &(usize, &(f64, String)), (_, (other, _)): &(usize, &(f64, String))| {
        one.total_cmp(other)
    };
    let lowest = figures.iter().enumerate().min_by(by_figure);
    let highest = figures.iter().enumerate().max_by(by_figure);
    let (Some((_, (_, low))), Some((at, (_, high)))) = (lowest, highest) else { return various() };
    let style = rows.get(at).map(|row| (column.cell)(row, width));
    let style = style.and_then(|cell| cell.spans.last().map(|span| span.style)).unwrap_or_default();
    span(joined(low, high), style).into()
}

/// `0.06–0.94`, `26–33%`, `lag 0–3 s`: what both have at their ends is said once.
fn joined(low: &str, high: &str) -> String {
    if low == high {
        return low.to_owned();
    }
    let unit = |text: &str| text.rfind(|c: char| c.is_ascii_digit()).map_or(0, |at| at + 1);
    let number = |text: &str| text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let (low_start, low_unit) = low.split_at(unit(low));
    let (_, high_unit) = high.split_at(unit(high));
    let low = if low_unit == high_unit { low_start } else { low };
    let (before, high_end) = high.split_at(number(high));
    let high = if low.starts_with(before) { high_end } else { high };
    format!("{low}–{high}")
}

pub(super) fn names<'a>(rows: &[FleetRow<'_, 'a>], width: u16) -> Line<'a> {
    let Some(scene) = rows.first().map(|row| row.scene) else { return Line::default() };
    let names: Vec<&HostName> = rows.iter().map(|row| &row.host.id.host).collect();
    let marked = names.iter().filter(|name| scene.model.is_marked(name)).count();
    let some = if marked > 0 && marked < names.len() { format!(" ({marked} marked)") } else { String::new() };
    let head = format!("{} alike: ", names.len());
    let room = usize::from(width).saturating_sub(head.width() + some.width());
    let names = cut(&short_names(&names), room);
    Line::from(vec![
        span(head, scene.styles.accent),
        span(names, scene.styles.strong),
        span(some, scene.styles.accent),
    ])
}

/// The message where all have the same, else how many have a problem of its kind.
pub(super) fn worst_problem<'a>(rows: &[FleetRow<'_, 'a>], _width: u16) -> Line<'a> {
    let problems: Vec<_> =
        rows.iter().filter_map(|row| row.scene.problem_of(&row.host.id.host).map(|(p, _)| p)).collect();
    let (Some(first), Some(row)) = (problems.first(), rows.first()) else { return Line::default() };
    let style = row.scene.styles.status(first.severity.into());
    if problems.len() == rows.len() && problems.iter().all(|problem| problem.message == first.message) {
        return span(first.message.as_str(), style).into();
    }
    let kind = first.service.clone().unwrap_or_else(|| first.kind.word().replace('_', " "));
    span(format!("{kind}, on each of {}", rows.len()), style).into()
}

/// The age of the oldest report.
pub(super) fn oldest<'a>(rows: &[FleetRow<'_, 'a>], _width: u16) -> Line<'a> {
    let oldest = rows.iter().min_by_key(|row| row.host.reported_at);
    oldest.map_or_else(Line::default, |row| {
        let (age, style) = row.scene.age_in_list(row.host);
        span(age, style).into()
    })
}

pub(super) fn load(row: &FleetRow<'_, '_>, of: impl Fn(&Load) -> Option<f64>) -> Option<(f64, String)> {
    let load = of(value(row, &row.host.facts.load)?)?;
    Some((load, text::load(load)))
}

pub(super) fn memory(row: &FleetRow<'_, '_>) -> Option<(f64, String)> {
    let memory = value(row, &row.host.facts.memory).filter(|memory| !memory.cache_unread)?;
    let used = memory.used_percent()?;
    Some((used, text::percent(used)))
}

pub(super) fn disk(row: &FleetRow<'_, '_>) -> Option<(f64, String)> {
    let facts = &row.host.facts;
    value(row, &facts.filesystems)?;
    let used = worst_filesystem(facts)?.usage.as_ref().ok()?.use_percent?;
    Some((f64::from(used), format!("{used}%")))
}

#[allow(clippy::cast_precision_loss)] // a lag is far below 2^52 seconds
pub(super) fn lag(row: &FleetRow<'_, '_>) -> Option<(f64, String)> {
    match replication_brief(value(row, &row.host.facts.databases)?) {
        ReplicationBrief::Following { lag_s: Some(lag), .. } => Some((lag as f64, format!("lag {lag} s"))),
        ReplicationBrief::Following { lag_s: None, .. }
        | ReplicationBrief::None
        | ReplicationBrief::Unknown(_)
        | ReplicationBrief::Standalone { .. }
        | ReplicationBrief::Master { .. }
        | ReplicationBrief::Member { .. }
        | ReplicationBrief::Broken { .. } => None,
    }
}

pub(super) fn uptime(row: &FleetRow<'_, '_>) -> Option<(f64, String)> {
    let up = value(row, &row.host.facts.uptime)?;
    Some((up.as_secs_f64(), jumpdeck_fleet::time::short_age(*up)))
}

/// A fact that may be shown as a value.
fn value<'a, T>(row: &FleetRow<'_, 'a>, fact: &'a Fact<T>) -> Option<&'a T> {
    match row.scene.shown(row.host, fact) {
        ShownFact::Value(value, _) => Some(value),
        ShownFact::Gap(_) | ShownFact::Expired => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_once_what_both_ends_have() {
        for (low, high, range) in [
            ("0.06", "0.94", "0.06–0.94"),
            ("26%", "33%", "26–33%"),
            ("lag 0 s", "lag 3 s", "lag 0–3 s"),
            ("4h", "37d", "4h–37d"),
            ("4d", "37d", "4–37d"),
            ("33%", "33%", "33%"),
        ] {
            assert_eq!(joined(low, high), range);
        }
    }
}

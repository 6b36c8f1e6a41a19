//! `thresholds`: when figures become problems.

use std::ops::RangeInclusive;

use crate::config::reader::{Reader, Table};
use jumpdeck_fleet::fleet::{Threshold, Thresholds};

/// The figures that have thresholds.
pub(super) const NAMES: [&str; 9] = [
    "load_one_per_cpu",
    "load_five_per_cpu",
    "memory",
    "swap",
    "disk",
    "disk_full_days",
    "inodes",
    "lag",
    "clock",
];

const PERCENT: RangeInclusive<f64> = 0.0..=100.0;
const LOAD: RangeInclusive<f64> = 0.01..=1000.0;
/// Days: as far as two weeks of history support an estimate.
const DAYS: RangeInclusive<f64> = 0.0..=140.0;
/// Seconds: up to a week of lag.
const LAG: RangeInclusive<f64> = 0.0..=604_800.0;
/// Seconds: up to a day.
const CLOCK: RangeInclusive<f64> = 0.0..=86_400.0;

pub(super) fn read(reader: &mut Reader, table: &Table<'_>, inherited: Thresholds) -> Thresholds {
    let hint = "write [thresholds] and lines such as disk = { warning = 85, critical = 95 } below it";
    let Some(table) = reader.subtable(table, "thresholds", hint) else { return inherited };
    reader.only(&table, &NAMES);
    let days = reader.number(&table, "disk_full_days", &DAYS);
    let mut one = |name, range, was| threshold(reader, &table, name, &range, was);
    Thresholds {
        load_one_per_cpu: one("load_one_per_cpu", LOAD, inherited.load_one_per_cpu),
        load_five_per_cpu: one("load_five_per_cpu", LOAD, inherited.load_five_per_cpu),
        memory: one("memory", PERCENT, inherited.memory),
        swap: one("swap", PERCENT, inherited.swap),
        disk: one("disk", PERCENT, inherited.disk),
        disk_full_days: days.unwrap_or(inherited.disk_full_days),
        inodes: one("inodes", PERCENT, inherited.inodes),
        lag: one("lag", LAG, inherited.lag),
        clock: one("clock", CLOCK, inherited.clock),
    }
}

fn threshold(
    reader: &mut Reader,
    table: &Table<'_>,
    name: &str,
    range: &RangeInclusive<f64>,
    inherited: Threshold,
) -> Threshold {
    let hint =
        format!("write {name} = {{ warning = {}, critical = {} }}", inherited.warning, inherited.critical);
    let Some(table) = reader.subtable(table, name, &hint) else { return inherited };
    reader.only(&table, &["warning", "critical"]);
    let before = reader.error_count();
    let warning = reader.number(&table, "warning", range).unwrap_or(inherited.warning);
    let critical = reader.number(&table, "critical", range).unwrap_or(inherited.critical);
    if warning >= critical && reader.error_count() == before {
        let value = table.get("critical").or_else(|| table.get("warning"));
        let span = value.map_or(table.span.clone(), toml::Spanned::span);
        let message = format!("{name}: warning ({warning}) is not below critical ({critical})");
        reader.error(span, message, "give both, and the smaller number to warning");
    }
    Threshold { warning, critical }
}

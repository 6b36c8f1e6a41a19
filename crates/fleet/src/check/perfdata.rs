//! The figures behind the `|` of a plugin's answer (performance data).

use super::{CheckLimits, CheckNumber, CheckRange};
use crate::text::Clean;

/// The most figures of a check that are kept: a plugin may list a thousand mounts.
pub const PERFDATA_SHOWN: usize = 64;
/// Columns.
const LONGEST_LABEL: usize = 40;
const LONGEST_UNIT: usize = 8;

/// A figure of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerfDatum {
    /// What it is.
    pub label: Clean,
    /// How much.
    pub value: CheckNumber,
    /// Of what, as the plugin calls it: `s`, `%`, `B`, `c` for a counter, or nothing.
    pub unit: Clean,
    /// When the plugin finds it bad, where it says so.
    pub limits: CheckLimits,
    /// The least that it can be, where the plugin says so.
    pub min: Option<CheckNumber>,
    /// The most.
    pub max: Option<CheckNumber>,
}

/// Reads `'label'=value[unit];[warning];[critical];[min];[max]`, with blanks between figures. Anything else is skipped, as monitoring
/// systems do; so is a value `U`, which the plugin does not know. How many it had over [`PERFDATA_SHOWN`] comes second.
#[must_use]
pub fn perfdata(text: &str) -> (Vec<PerfDatum>, usize) {
    let mut found = Vec::new();
    let mut more = 0;
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (label, behind) = label(rest);
        let (figure, next) = behind.split_once(char::is_whitespace).unwrap_or((behind, ""));
        if let Some(datum) = figure.strip_prefix('=').and_then(|figure| datum(&label, figure)) {
            if found.len() < PERFDATA_SHOWN {
                found.push(datum);
            } else {
                more += 1;
            }
        }
        rest = next.trim_start();
    }
    (found, more)
}

/// A label, in quotes where it has blanks (two quotes mean one), and what follows it.
fn label(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('\'') else {
        let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
        let (label, rest) = text.split_at(end);
        return (label.to_owned(), rest);
    };
    let mut label = String::new();
    let mut rest = quoted;
    loop {
        let (part, behind) = rest.split_once('\'').unwrap_or((rest, ""));
        label.push_str(part);
        match behind.strip_prefix('\'') {
            Some(next) => {
                label.push('\'');
                rest = next;
            }
            None => return (label, behind),
        }
    }
}

fn datum(label: &str, figure: &str) -> Option<PerfDatum> {
    let mut parts = figure.split(';');
    let value = parts.next()?;
    // Its unit begins where the number ends; an `e` belongs to the number only where digits follow.
    let end = value.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(value.len());
    let whole = CheckNumber::parse(value).map(|number| (number, ""));
    let (value, unit) =
        whole.or_else(|| value.split_at_checked(end).and_then(|(n, u)| Some((CheckNumber::parse(n)?, u))))?;
    let mut range = || parts.next().filter(|text| !text.is_empty()).and_then(CheckRange::parse);
    let limits = CheckLimits { warning: range(), critical: range() };
    let mut number = || parts.next().and_then(CheckNumber::parse);
    let datum = PerfDatum {
        label: Clean::first_line(label, LONGEST_LABEL),
        value,
        unit: Clean::first_line(unit, LONGEST_UNIT),
        limits,
        min: number(),
        max: number(),
    };
    (!datum.label.is_empty()).then_some(datum)
}

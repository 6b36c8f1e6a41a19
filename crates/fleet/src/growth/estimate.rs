//! From points to a growth: Theil–Sen's slope (the median of the slopes of all pairs), where the points are many, without great holes,
//! without a drop since, clearly above their noise, and grow all the time. P. K. Sen, "Estimates of the regression coefficient based on
//! Kendall's tau", JASA 63 (1968).
#![allow(clippy::cast_precision_loss)] // figures of disks, to a part in a thousand

use std::time::Duration;

use super::{Growth, UsedAt, UsedSeries};

/// Fewer points tell nothing.
const FEWEST: usize = 8;
/// Minutes that must have been seen.
const LEAST_SPAN: u32 = 6 * 60;
/// A hole may be at most this part of what was seen.
const HOLE: u32 = 4;
/// A fall of this part of the range is a drop: somebody cleaned up, a log was rotated.
const DROP: u32 = 10;
/// The growth must be this many times the noise.
const ABOVE_NOISE: f64 = 8.0;
/// And at least this part of the size.
const LEAST_PART: f64 = 0.001;
/// In each quarter of the time it must grow by this part of a quarter's share: one step of any height does not.
const STEADY: f64 = 1.0 / 3.0;
/// Pairs grow with the square of the points; more make it no better.
const MOST_PAIRED: usize = 48;

pub(super) fn growth(series: &UsedSeries) -> Option<Growth> {
    let points = without_holes(since_the_last_drop(&series.points)?);
    let span = span(points);
    if points.len() < FEWEST || span < LEAST_SPAN {
        return None;
    }
    let first = points.first()?.minute;
    let time = |point: &UsedAt| f64::from(point.minute - first);
    let chosen: Vec<(f64, f64)> = spread(points).map(|point| (time(point), f64::from(point.used))).collect();
    let slope = median(pairs(&chosen).collect())?;
    let grown = slope * f64::from(span);
    let size = f64::from(series.unit(series.size_kb)?);
    let level = median(chosen.iter().map(|(t, used)| used - slope * t).collect())?;
    let noise = median(chosen.iter().map(|(t, used)| (used - slope * t - level).abs()).collect())?;
    if grown < (ABOVE_NOISE * noise).max(LEAST_PART * size) || grown <= 0.0 || !is_steady(points, grown) {
        return None;
    }
    let kb_per_day = slope * f64::from(super::DAY) * (1_u64 << series.shift()) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // above zero, and below a size in kB
    let kb_per_day = kb_per_day.round() as u64;
    Some(Growth { kb_per_day, span: Duration::from_secs(u64::from(span) * 60) })
}

/// The points behind the last drop. `None` while they do not reach farther than the longest rise before a drop: what falls again and
/// again, as logs that are rotated, falls again.
fn since_the_last_drop(points: &[UsedAt]) -> Option<&[UsedAt]> {
    let (mut rest, mut longest) = (points, 0);
    // A large drop hides small ones: after each the range is another.
    loop {
        let used = || rest.iter().map(|point| point.used);
        let least = (used().max()? - used().min()?) / DROP;
        let (mut start, mut top) = (0, rest.first()?.used);
        for (at, point) in rest.iter().enumerate() {
            if top.saturating_sub(point.used) > least {
                longest = longest.max(span(rest.get(start..at)?));
                (start, top) = (at, point.used);
            }
            top = top.max(point.used);
        }
        if start == 0 {
            break;
        }
        rest = rest.get(start..)?;
    }
    (span(rest) >= longest + longest / 4).then_some(rest)
}

/// The points behind the last hole that is too great.
fn without_holes(points: &[UsedAt]) -> &[UsedAt] {
    let mut rest = points;
    loop {
        let span = span(rest);
        let hole =
            rest.windows(2).rposition(|two| matches!(two, [a, b] if b.minute - a.minute > span / HOLE));
        match hole.and_then(|at| rest.get(at + 1..)) {
            Some(behind) => rest = behind,
            None => return rest,
        }
    }
}

/// Whether each quarter of the time has its share of the growth.
fn is_steady(points: &[UsedAt], grown: f64) -> bool {
    let (Some(first), span) = (points.first(), span(points)) else { return false };
    let level = |quarter: u32| {
        let at = points.partition_point(|point| point.minute - first.minute < span * quarter / 4);
        let near = points.get(at.saturating_sub(1)..(at + 2).min(points.len())).unwrap_or_default();
        median(near.iter().map(|point| f64::from(point.used)).collect())
    };
    let levels: Vec<f64> = (0..=4).filter_map(level).collect();
    levels.len() == 5
        && levels
            .windows(2)
            .all(|two| matches!(two, [before, after] if after - before >= grown / 4.0 * STEADY))
}

/// At most [`MOST_PAIRED`] of the points, the first and the last among them.
fn spread(points: &[UsedAt]) -> impl Iterator<Item = &UsedAt> {
    let most = points.len().min(MOST_PAIRED);
    (0..most).filter_map(move |at| points.get(at * (points.len() - 1) / (most - 1).max(1)))
}

fn pairs(points: &[(f64, f64)]) -> impl Iterator<Item = f64> + '_ {
    points.iter().enumerate().flat_map(|(at, (t, used))| {
        let later = points.iter().skip(at + 1);
        later.filter(move |(later, _)| later > t).map(move |(later, after)| (after - used) / (later - t))
    })
}

fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

fn span(points: &[UsedAt]) -> u32 {
    match points {
        [first, .., last] => last.minute - first.minute,
        [] | [_] => 0,
    }
}

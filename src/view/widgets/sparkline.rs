//! The recent course of a figure, a column a span of time. A time without answers is a hole, never a line drawn
//! through it.

use std::time::Duration;

use jumpdeck_fleet::history::Ring;
use jumpdeck_fleet::time::Moment;

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The highest sample of each of the last `columns` spans of time, oldest first; `None` where none was read. Spans are
/// cut at fixed moments, so that columns do not shimmer as time passes.
pub(crate) fn buckets(ring: &Ring, now: Moment, each: Duration, columns: u16) -> Vec<Option<f32>> {
    let each = u64::try_from(each.as_millis()).unwrap_or(u64::MAX).max(1);
    // The newest column is the newest sample's, until a whole span has passed without another.
    let last = ring.iter().next_back().map_or(0, |(at, _)| at.0);
    let newest = if now.0.saturating_sub(last) < each { last / each } else { now.0 / each };
    let mut out = vec![None; usize::from(columns)];
    for (at, value) in ring.iter().rev() {
        let back = usize::try_from(newest.saturating_sub(at.0 / each)).unwrap_or(usize::MAX);
        let Some(slot) = out.len().checked_sub(back.saturating_add(1)).and_then(|i| out.get_mut(i)) else {
            break;
        };
        if let Some(value) = value.filter(|v| v.is_finite()) {
            *slot = Some(slot.map_or(value, |old: f32| old.max(value)));
        }
    }
    out
}

/// The top of the scale: at least `least` (all CPUs busy, say), so that a quiet host looks quiet.
pub(crate) fn top(values: &[Option<f32>], least: f32) -> f32 {
    values.iter().flatten().copied().fold(least, f32::max).max(f32::MIN_POSITIVE)
}

/// The columns as `rows` lines of text, the highest first. A value that is there is never invisible.
pub(crate) fn rows(values: &[Option<f32>], top: f32, rows: u16) -> Vec<String> {
    let levels = usize::from(rows) * 8;
    let heights: Vec<usize> = values.iter().map(|v| v.map_or(0, |v| height(v / top, levels))).collect();
    (0..usize::from(rows))
        .rev()
        .map(|row| {
            let base = row * 8;
            heights.iter().filter_map(|h| EIGHTHS.get(h.saturating_sub(base).min(8))).collect()
        })
        .collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // 1 to `levels`
fn height(share: f32, levels: usize) -> usize {
    ((share.clamp(0.0, 1.0) * levels as f32).round() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Duration = Duration::from_secs(10);

    #[test]
    fn a_silence_is_a_hole() {
        let mut ring = Ring::new(20);
        for (s, v) in [(0, Some(1.0)), (5, Some(0.5)), (10, None), (20, Some(0.0)), (31, Some(9.0))] {
            ring.push(Moment(s * 1000), v);
        }
        let values = buckets(&ring, Moment(35_000), EACH, 5);
        assert_eq!(values, [None, Some(1.0), None, Some(0.0), Some(9.0)]);
        assert_eq!(rows(&values, top(&values, 2.0), 1), [" ▁ ▁█"]);
        assert_eq!(rows(&values, top(&values, 2.0), 2), ["    █", " ▂ ▁█"]);
        assert_eq!(buckets(&ring, Moment(45_000), EACH, 2), [Some(9.0), None], "nothing heard since");
    }

    #[test]
    fn a_quiet_host_looks_quiet() {
        let values = [Some(0.2), Some(0.4), Some(f32::MIN_POSITIVE)];
        assert_eq!(rows(&values, top(&values, 4.0), 1), ["▁▁▁"]);
        assert_eq!(rows(&[Some(4.0), Some(2.0)], 4.0, 1), ["█▄"]);
    }
}

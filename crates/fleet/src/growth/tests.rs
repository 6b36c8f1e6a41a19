//! What a series supports, and what it does not.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing
)]

use super::*;

/// 100 GiB.
const SIZE: u64 = 100 << 20;
const GIB: f64 = 1_048_576.0;
/// A day in 2026.
const START: u32 = 29_500_000;

fn usage(used_kb: u64) -> Usage {
    let available = SIZE as i64 - used_kb as i64;
    Usage {
        size_kb: SIZE,
        used_kb,
        available_kb: available,
        use_percent: Some((used_kb * 100 / SIZE) as u8),
        inodes_use_percent: None,
    }
}

/// What a series has seen after `hours` of reports a minute apart; `used` says how many GiB are in use at an hour.
fn seen(hours: f64, used: impl Fn(f64) -> f64) -> UsedSeries {
    let mut series = UsedSeries::new(SIZE);
    for minute in 0..=(hours * 60.0) as u32 {
        series.record(START + minute, &usage((used(f64::from(minute) / 60.0) * GIB) as u64));
    }
    series
}

/// GiB a day, and days until it is full.
fn told(hours: f64, used: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
    let now = usage((used(hours) * GIB) as u64);
    let growth = seen(hours, used).growth()?;
    Some((growth.kb_per_day as f64 / GIB, growth.full_in(&now)?.as_secs_f64() / 86_400.0))
}

/// Between -1 and 1, the same each time.
fn noise(hour: f64) -> f64 {
    let n = (hour * 60.0) as u64;
    let mixed = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as f64 / f64::from(1 << 23) - 1.0
}

#[test]
fn a_disk_that_fills_steadily_says_when_it_is_full() {
    // 60 GiB and 1.2 GiB a day more: 40 - 1.2 * 10 GiB are left after ten days.
    let (day, full) = told(240.0, |hour| 60.0 + hour * 1.2 / 24.0).unwrap();
    assert!((day - 1.2).abs() < 0.01, "{day}");
    assert!((full - 28.0 / 1.2).abs() < 0.3, "{full}");
    let growth = seen(240.0, |hour| 60.0 + hour * 1.2 / 24.0).growth().unwrap();
    assert_eq!(growth.describe(&usage(72 << 20)).unwrap(), "+1.2 GiB/day, full in about 23 days");
    assert_eq!(growth.describe(&usage(98 << 20)).unwrap(), "+1.2 GiB/day, full in about 40 h");
    assert_eq!(growth.describe(&usage(SIZE - 10)).unwrap(), "+1.2 GiB/day, full in less than an hour");
    assert_eq!(growth.describe(&usage(SIZE)), None, "it is full");
}

#[test]
fn some_noise_changes_little_and_much_noise_silences_it() {
    let (day, _) = told(240.0, |hour| 60.0 + hour * 1.2 / 24.0 + 0.2 * noise(hour)).unwrap();
    assert!((day - 1.2).abs() < 0.1, "{day}");
    assert_eq!(told(240.0, |hour| 60.0 + hour * 1.2 / 24.0 + 6.0 * noise(hour)), None);
    assert_eq!(told(240.0, |hour| 60.0 + 0.5 * noise(hour)), None, "nothing grows");
    assert_eq!(told(240.0, |_| 60.0), None, "nothing changes");
    assert_eq!(told(240.0, |hour| 90.0 - hour / 24.0), None, "it empties");
    assert_eq!(told(240.0, |hour| 99.0 + hour * 1e-4), None, "a tenth of a percent is nothing");
}

#[test]
fn a_step_is_no_growth_and_many_are() {
    for at in [1.0, 30.0, 60.0, 119.0] {
        assert_eq!(told(120.0, |hour| if hour < at { 60.0 } else { 80.0 }), None, "at hour {at}");
    }
    assert_eq!(
        told(120.0, |hour| 60.0
            + if hour < 30.0 { 0.0 } else { 10.0 }
            + if hour < 90.0 { 0.0 } else { 10.0 }),
        None
    );
    // A dump a day that nobody deletes.
    let (day, _) = told(240.0, |hour| 60.0 + (hour / 24.0).floor() * 2.0).unwrap();
    assert!((day - 2.0).abs() < 0.3, "{day}");
    // Growth that has ended is none.
    assert_eq!(told(120.0, |hour| 60.0 + hour.min(60.0) / 4.0), None);
}

#[test]
fn a_saw_is_no_growth_at_any_hour() {
    // Logs grow by 8 GiB a day and are rotated at midnight; each week by 30 GiB.
    for (period, height) in [(24.0, 8.0), (168.0, 30.0)] {
        let used = move |hour: f64| 60.0 + hour % period / period * height;
        for tooth in 1..3 {
            for part in [0.1, 0.3, 0.5, 0.7, 0.9, 0.99] {
                let hours = period * (f64::from(tooth) + part);
                if hours < 330.0 {
                    assert_eq!(told(hours, used), None, "after {hours} h of {period}");
                }
            }
        }
    }
    // Small teeth beside one great drop are seen, too.
    let used = |hour: f64| if hour < 24.0 { 90.0 } else { 20.0 + hour % 24.0 / 8.0 };
    for hours in [60.0, 70.0, 100.0, 119.0] {
        assert_eq!(told(hours, used), None, "after {hours} h");
    }
}

#[test]
fn a_cleaning_ends_an_estimate_at_once_and_a_longer_rise_brings_one_again() {
    let used = |hour: f64| if hour < 48.1 { 60.0 + hour / 2.0 } else { 50.0 + (hour - 48.0) / 4.0 };
    assert!(told(48.05, used).is_some());
    // Within a minute, not with the next point after twenty.
    assert_eq!(told(48.15, used), None);
    assert_eq!(told(58.0, used), None, "48 h rose before");
    let (day, _) = told(48.0 + 62.0, used).unwrap();
    assert!((day - 6.0).abs() < 0.2, "{day}");
}

#[test]
fn too_short_a_time_supports_nothing() {
    let used = |hour: f64| 95.0 + hour / 10.0;
    assert_eq!(told(5.9, used), None);
    assert!(told(6.1, used).is_some());
    // Sixty days off, seen for five.
    assert_eq!(told(120.0, |hour| 60.0 + hour / 24.0 * 0.5), None);
    let limits = Thresholds::default();
    let (early, late) = (seen(8.0, used).growth().unwrap(), seen(26.0, used).growth().unwrap());
    assert!(!early.is_a_problem(&usage(96 << 20), &limits), "a night has not been seen");
    assert!(late.is_a_problem(&usage(97 << 20), &limits));
    assert!(
        !late.is_a_problem(&usage(97 << 20), &Thresholds { disk_full_days: 0.0, ..limits }),
        "turned off"
    );
    assert!(!late.is_a_problem(&Usage { use_percent: Some(50), ..usage(97 << 20) }, &limits), "half is free");
    assert!(!late.is_a_problem(&usage(80 << 20), &limits), "it is far off");
}

#[test]
fn what_was_not_seen_is_no_part_of_the_time() {
    let used = |hour: f64| 90.0 + hour / 20.0;
    let mut series = seen(10.0, used);
    assert!(series.growth().is_some());
    // A weekend without a report: what was in use meanwhile is unknown, and so is when it rose.
    let later = |series: &mut UsedSeries, from: u32, to: u32| {
        for minute in from..=to {
            series.record(START + minute, &usage((used(f64::from(minute) / 60.0) * GIB) as u64));
        }
    };
    later(&mut series, 70 * 60, 71 * 60);
    assert_eq!(series.growth(), None);
    later(&mut series, 71 * 60, 77 * 60);
    assert_eq!(series.growth().unwrap().span, Duration::from_secs(7 * 3600), "since it is seen again");
    // A report a day by cron is no hole in ten days.
    let mut daily = UsedSeries::new(SIZE);
    for day in 0..10 {
        daily.record(START + day * DAY, &usage(u64::from(60 + day * 2) << 20));
    }
    assert_eq!(daily.growth().unwrap().kb_per_day, 2 << 20);
}

#[test]
fn another_size_is_another_filesystem() {
    let mut series = seen(48.0, |hour| 60.0 + hour / 2.0);
    let larger = Usage { size_kb: SIZE * 2, ..usage(84 << 20) };
    assert!(series.record(START + 48 * 60 + 1, &larger));
    assert_eq!((series.growth(), series.points().len(), series.size_kb()), (None, 1, SIZE * 2));
}

#[test]
fn a_clock_that_is_set_back_takes_what_it_said_with_it() {
    let mut series = seen(48.0, |hour| 60.0 + hour / 2.0);
    assert!(series.growth().is_some());
    // A year ahead for an hour: nothing older counts then, and nothing of it afterwards.
    let year = START + 365 * DAY;
    series.record(year, &usage(84 << 20));
    series.record(year + 30, &usage(84 << 20));
    assert_eq!((series.growth(), series.points().len()), (None, 2));
    assert!(series.record(START + 49 * 60, &usage(84 << 20)));
    assert_eq!(series.points().len(), 1);
    // Back by an hour: points of that hour are not ahead of the others.
    let mut series = seen(48.0, |hour| 60.0 + hour / 2.0);
    series.record(START + 47 * 60, &usage(84 << 20));
    assert!(series.points().windows(2).all(|two| two[0].minute < two[1].minute));
    assert_eq!(series.points().last().unwrap().minute, START + 47 * 60);
    series.record(START + 47 * 60 - 1, &usage(84 << 20));
    assert_eq!(series.points().last().unwrap().minute, START + 46 * 60 + 40, "what was ahead is gone");
}

#[test]
fn a_series_is_bounded_and_is_the_same_when_it_is_restored() {
    let series = seen(40.0 * 24.0, |hour| 10.0 + hour / 24.0);
    let points = series.points();
    assert!(points.len() <= MOST_POINTS, "{}", points.len());
    let (first, last) = (points.first().unwrap().minute, points.last().unwrap().minute);
    assert!((KEPT - EVERY_OLDER..=KEPT).contains(&(last - first)), "{}", last - first);
    let again = UsedSeries::restored(SIZE, points.to_vec()).unwrap();
    assert_eq!(again, series);
    assert!(again.growth().is_some());
    // None of these was written by this program.
    let mut bad = points.to_vec();
    bad.swap(3, 4);
    assert_eq!(UsedSeries::restored(SIZE, bad), None);
    let over = UsedAt { minute: last + 1, used: u32::MAX };
    assert_eq!(UsedSeries::restored(SIZE, vec![over]), None);
    let many = (0..=MOST_POINTS as u32).map(|minute| UsedAt { minute, used: 0 }).collect();
    assert_eq!(UsedSeries::restored(SIZE, many), None);
}

#[test]
fn a_disk_of_a_petabyte_has_its_growth_too() {
    let size = 1_u64 << 40;
    let mut series = UsedSeries::new(size);
    for hour in 0..200_u64 {
        let used_kb = (size / 10) * 9 + hour * (size / 24_000);
        let usage = Usage { size_kb: size, used_kb, available_kb: (size - used_kb) as i64, ..usage(0) };
        series.record(START + hour as u32 * 60, &usage);
    }
    let day = series.growth().unwrap().kb_per_day as f64;
    assert!((day / (size as f64 / 1000.0) - 1.0).abs() < 0.001, "{day}");
}

#[test]
fn two_consoles_see_more_than_one() {
    let used = |hour: f64| 60.0 + hour / 2.0;
    let whole = seen(48.0, used);
    let half = |odd: u32| {
        let points = whole.points().iter().filter(|point| (point.minute / EVERY) % 2 == odd);
        UsedSeries::restored(SIZE, points.copied().collect()).unwrap()
    };
    let mut merged = half(0);
    let now = START + 48 * 60;
    merged.merge(&half(1), now);
    assert!(merged.points().len() > half(0).points().len());
    assert!(merged.growth().is_some());
    let mut other = UsedSeries::new(SIZE * 2);
    other.merge(&whole, now);
    assert_eq!(other.points().len(), 0, "of another filesystem");
    // Points that are ahead of this machine's clock are not taken.
    let mut early = UsedSeries::new(SIZE);
    early.merge(&whole, START + 60);
    assert_eq!(early.points().last().unwrap().minute, START + 60);
}

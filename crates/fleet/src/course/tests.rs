#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::float_cmp)]

use super::kept::{code, value};
use super::*;
use proptest::prelude::*;

/// A week's step begins here, and so does a step of every other length.
const START: u32 = 1_796_000_400 / 3600 * 3600;

fn most(columns: Vec<Option<CourseStep>>) -> Vec<Option<f32>> {
    columns.into_iter().map(|column| column.map(|step| step.most)).collect()
}

#[test]
fn a_figure_is_kept_to_a_part_in_two_thousand() {
    for figure in [0.0, 0.01, 0.5, 40.95, 41.0, 99.99, 100.0, 3_600.0, 86_400.0, 600_000.0] {
        let back = value(code(figure));
        assert!((back - figure).abs() <= figure / 2000.0 + 0.005, "{figure} is kept as {back}");
    }
    assert_eq!(value(code(0.3)), 0.3);
    assert!(value(code(f32::MAX)) > 600_000.0 && code(f32::MAX) != HOLE);
}

#[test]
fn a_time_without_reports_is_a_hole() {
    let mut course = Course::default();
    course.record(START, 1.0);
    course.record(START + 10, 3.0);
    course.record(START + 90, 5.0);
    let steps = course.steps(CourseSpan::Hour, START + 90);
    let last: Vec<_> = steps.iter().rev().take(5).rev().map(|step| step.map(|step| step.mean)).collect();
    assert_eq!(last, [None, Some(2.0), None, None, Some(5.0)]);
    let summary = CourseSummary::of(&course, CourseSpan::Hour, START + 90).unwrap();
    assert_eq!((summary.least, summary.median, summary.most, summary.unknown), (1.0, 5.0, 5.0, 60));
    assert_eq!(CourseSummary::of(&course, CourseSpan::Hour, START + 7200), None, "an hour without any");
}

#[test]
fn what_is_older_is_coarser_and_a_peak_stays_seen() {
    let mut course = Course::default();
    for minute in 0..8 * 24 * 60 {
        let figure = if minute == 3 * 24 * 60 { 50.0 } else { 1.0 };
        course.record(START + minute * 60, figure);
    }
    let now = START + 8 * 86_400 - 60;
    for (span, peak) in [
        (CourseSpan::Hour, 1.0),
        (CourseSpan::SixHours, 1.0),
        (CourseSpan::Day, 1.0),
        (CourseSpan::Week, 50.0),
    ] {
        let columns = course.columns(span, now, 70);
        assert_eq!(columns.len(), 70);
        assert!(columns.iter().all(Option::is_some), "{span:?}");
        assert_eq!(CourseSummary::of(&course, span, now).unwrap().most, peak, "{span:?}");
        assert_eq!(most(columns).iter().flatten().copied().fold(0.0, f32::max), peak, "{span:?}");
    }
    let steps: usize = course.tiers.iter().map(|tier| tier.steps.len()).sum();
    assert_eq!((steps, steps * size_of::<KeptStep>()), (528, 3168), "a thousand hosts with two each: 6.3 MB");
}

#[test]
fn a_long_sleep_leaves_no_month_of_holes_and_a_clock_turned_back_changes_nothing() {
    let mut course = Course::default();
    course.record(START, 1.0);
    course.record(START + 40 * 86_400, 2.0);
    assert!(course.tiers.iter().all(|tier| tier.steps.len() == 1));
    let before = course.clone();
    assert!(!course.record(START, 9.0));
    assert_eq!(course, before);
    assert!(!course.record(START + 41 * 86_400, f32::NAN) && !course.record(START + 41 * 86_400, -1.0));
    assert!(!course.is_forgotten(START + 46 * 86_400) && course.is_forgotten(START + 48 * 86_400));
}

#[test]
fn two_consoles_fill_each_others_holes() {
    let (mut ours, mut theirs) = (Course::default(), Course::default());
    for step in 0..10 {
        let course = if step % 2 == 0 { &mut ours } else { &mut theirs };
        course.record(START + step * 30, step as f32);
    }
    let now = START + 300;
    ours.merge(&theirs, now);
    let steps = ours.steps(CourseSpan::Hour, now);
    let known: Vec<f32> = steps.iter().flatten().map(|step| step.mean).collect();
    assert_eq!(known, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    let same = ours.clone();
    ours.merge(&theirs, now);
    assert_eq!(ours, same, "what is known stays");
    // A file of a clock that was ahead.
    let mut ahead = Course::default();
    ahead.record(now + 86_400, 1.0);
    ours.merge(&ahead, now);
    assert!(ours.record(now, 5.0), "it goes on");
}

#[test]
fn a_disk_is_known_as_long_as_a_point_holds() {
    let disk = DiskCourse {
        mount: "/".into(),
        size_kb: 1,
        points: vec![(START, 5_000), (START + 1200, 5_100), (START + 9600, 6_000)],
    };
    let columns = disk.columns(CourseSpan::SixHours, START + 9600, 6);
    assert_eq!(columns[5], Some(60.0));
    assert_eq!(columns[4], None, "nobody looked for over an hour");
    assert_eq!(columns[0], None);
}

proptest! {
    #[test]
    fn a_course_is_read_as_it_was_written(figures in prop::collection::vec((0u32..20_000, 0f32..100_000.0), 0..200)) {
        let mut course = Course::default();
        let mut second = START;
        for (later, figure) in figures {
            second += later;
            course.record(second, figure);
        }
        let mut read = Course::default();
        for line in course.lines() {
            prop_assert!(read.read_line(&line), "{}", line);
        }
        for span in CourseSpan::ALL {
            prop_assert_eq!(read.steps(span, second), course.steps(span, second));
        }
    }

    #[test]
    fn no_line_is_too_odd(line in "(30|180|3600)\t[0-9]{1,10}\t([0-9]{0,6}[,;]?){0,9}(\t.)?|.{0,30}") {
        let mut course = Course::default();
        let _ = course.read_line(&line);
        for span in CourseSpan::ALL {
            prop_assert_eq!(course.columns(span, START, 70).len(), 70);
        }
        course.record(START, 1.0);
    }
}

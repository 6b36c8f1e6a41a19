//! Charts of a host: at every size, with holes, for every span, without colour.

use super::*;
use crate::app::message::Msg;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::course::{Course, CourseFigure, DiskCourse, HostCourses};

/// Now, by the clock of what is kept: 2026-11-30T15:02:00Z.
const KEPT_NOW: u32 = 1_796_050_920;

fn press(model: &mut Model, c: char) {
    update(model, Msg::Key(KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false }));
}

/// A week of figures, with a night without a console, and a peak four hours ago.
fn courses() -> HostCourses {
    let (mut load, mut memory, mut lag) = (Course::default(), Course::default(), Course::default());
    let week = 7 * 86_400;
    for second in (KEPT_NOW - week..=KEPT_NOW).step_by(30) {
        let ago = KEPT_NOW - second;
        if (10 * 3600..18 * 3600).contains(&ago) {
            continue;
        }
        let wave = f64::from(second % 7200) / 7200.0;
        #[allow(clippy::cast_possible_truncation)]
        let wave = (wave * std::f64::consts::TAU).sin() as f32;
        load.record(second, if (4 * 3600..4 * 3600 + 600).contains(&ago) { 9.5 } else { 0.8 + wave * 0.6 });
        memory.record(second, 62.0 + wave * 5.0);
        if ago < 3 * 3600 && !(600..1500).contains(&ago) {
            lag.record(second, if ago < 600 { 0.0 } else { 42.0 });
        }
    }
    let points =
        (0..336_u32).map(|at| (KEPT_NOW - 7 * 86_400 + at * 1800, 7_000 + u16::try_from(at * 6).unwrap()));
    let disk =
        |mount: &str, size_kb| DiskCourse { mount: mount.into(), size_kb, points: points.clone().collect() };
    HostCourses {
        now: KEPT_NOW,
        figures: [(CourseFigure::Load, load), (CourseFigure::Memory, memory), (CourseFigure::Lag, lag)]
            .into(),
        disks: vec![disk("/", 80 << 20), disk("/mnt/data \x1b[2J", 2 << 30)],
    }
}

fn charted(courses: HostCourses) -> Model {
    let mut model = healthy();
    press(&mut model, 'd');
    with(model, courses)
}

fn with(mut model: Model, courses: HostCourses) -> Model {
    let host = model.charted().unwrap();
    update(&mut model, Msg::Courses(host, courses));
    model
}

/// What is kept of the host on screen is read.
pub(super) fn read(model: Model) -> Model {
    with(model, courses())
}

#[test]
fn charts_at_every_size_and_over_every_span() {
    let mut model = charted(courses());
    for size in SIZES {
        snapshot("charts-1h", &model, size);
    }
    for name in ["charts-6h", "charts-24h", "charts-7d"] {
        press(&mut model, ']');
        snapshot(name, &model, SIZES[0]);
    }
    snapshot("charts-7d", &model, SIZES[1]);
}

#[test]
fn before_anything_is_kept_it_says_so() {
    let mut model = healthy();
    press(&mut model, 'd');
    assert!(text(&model, SIZES[0]).contains("reading what is kept"));
    assert!(text(&charted(HostCourses::default()), SIZES[0]).contains("nothing is kept of this host yet"));
}

#[test]
fn a_night_without_a_console_is_a_hole_and_is_said() {
    let mut model = charted(courses());
    for _ in 0..2 {
        press(&mut model, ']');
    }
    let shown = rows(&drawn(&model, &Styles::default(), SIZES[1]));
    let title = shown.iter().find(|row| row.contains("memory in use")).unwrap();
    assert!(title.contains("unknown for 7h 48m"), "{title}");
    // Its lowest row: bars, a hole of eight hours of 24, bars.
    let at = shown.iter().position(|row| row.contains("memory in use")).unwrap();
    let lowest = shown[at..].iter().find(|row| row.contains("  0 %│")).unwrap();
    let bars: Vec<char> = lowest.split('│').nth(1).unwrap().chars().collect();
    let hole = bars.iter().filter(|bar| **bar == ' ').count();
    assert!((35..=39).contains(&hole), "{hole} columns of {}: {lowest}", bars.len());
    assert_ne!(bars[0], ' ');
    assert_ne!(bars[bars.len() - 1], ' ');
}

#[test]
fn a_host_that_does_not_answer_has_no_figure_now() {
    let mut model = charted(courses());
    let before = text(&model, SIZES[1]);
    assert!(before.contains("now 0.") || before.contains("now 1") || before.contains("now 2"), "{before}");
    model.now = model.now.plus(std::time::Duration::from_secs(600));
    let after = text(&model, SIZES[1]);
    assert!(after.contains("load, 1 min average  now ?"), "{after}");
}

#[test]
fn text_of_a_host_is_shown_harmless_and_ascii_has_bars() {
    let model = charted(courses());
    assert!(text(&model, SIZES[2]).contains("disk /mnt/data ^[[2J"));
    let ascii = Styles::default().in_ascii(true);
    let shown = rows(&drawn(&model, &ascii, SIZES[0])).join("\n");
    assert!(shown.is_ascii(), "{shown}");
    let bars = shown.lines().find(|row| row.contains("  0 %|")).unwrap();
    assert!(bars.contains('@') && !bars.contains('?'), "{shown}");
}

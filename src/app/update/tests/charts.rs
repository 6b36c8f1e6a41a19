//! Charts by their keys.

use super::*;
use crate::app::screens::Screen;
use jumpdeck_fleet::course::{CourseSpan, HostCourses};
use jumpdeck_fleet::names::HostId;

fn with_keys() -> Model {
    let mut model = model();
    model.keymap = std::sync::Arc::new(crate::config::keymap::Keymap::builtin_default());
    model
}

fn keys(model: &mut Model, codes: &str) {
    codes.chars().for_each(|c| drop(press(model, if c == '<' { KeyCode::Esc } else { KeyCode::Char(c) })));
    frame(model);
}

fn app2() -> HostId {
    HostId { env: env_name("production"), host: host_name("app2") }
}

#[test]
fn what_is_kept_is_read_for_the_host_on_screen_and_now_and_then_again() {
    let mut model = with_keys();
    assert_eq!(model.courses_due(), None);
    keys(&mut model, "jd");
    assert_eq!((model.screen(), model.courses_due()), (&Screen::Charts(host_name("app2")), Some(app2())));
    update(&mut model, Msg::Courses(app2(), HostCourses { now: 7, ..HostCourses::default() }));
    assert_eq!((model.courses().map(|courses| courses.now), model.courses_due()), (Some(7), None));
    pass(&mut model, Duration::from_secs(5));
    assert_eq!(model.courses_due(), Some(app2()));
    keys(&mut model, "p");
    assert_eq!(model.courses_due(), None, "paused");
    keys(&mut model, "p");
    // Another host's are not shown for it.
    keys(&mut model, "<gd");
    assert!(model.courses().is_none() && model.courses_due().is_some());
}

#[test]
fn the_span_goes_from_an_hour_to_a_week_and_no_further() {
    let mut model = with_keys();
    keys(&mut model, "]");
    assert_eq!(model.notice.take().unwrap().0, "no charts are on screen");
    keys(&mut model, "d[");
    assert_eq!(model.notice.take().unwrap().0, "an hour is the shortest");
    keys(&mut model, "]]]");
    assert_eq!((model.charts.span, model.notice.take()), (CourseSpan::Week, None));
    keys(&mut model, "]");
    assert_eq!(model.notice.take().unwrap().0, "a week is the longest that is kept");
    // It stays for the next host.
    keys(&mut model, "<jd");
    assert_eq!(model.charts.span, CourseSpan::Week);
}

#[test]
fn charts_of_a_host_lead_to_its_page_and_back() {
    let mut model = with_keys();
    keys(&mut model, "jdl");
    assert_eq!(model.screen(), &Screen::Host(host_name("app2")));
    keys(&mut model, "d");
    assert_eq!(model.screens.len(), 3, "charts are there once: {:?}", model.screens);
    assert_eq!(model.command_hosts(), [host_name("app2")]);
}

//! Time, news, and when a frame is drawn.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

#[test]
fn a_held_screen_stands_still_while_news_arrives_underneath() {
    let mut model = model();
    jump_up(&mut model, "production");
    report(&mut model, "production", "app1", 1.0);
    acts(&mut model, &[Action::Pause]);
    frame(&mut model);
    pass(&mut model, Duration::from_millis(100));
    report(&mut model, "production", "app1", 7.0);
    assert!(!model.changed, "nothing that shows has changed");
    let load = |model: &Model| model.shown().unwrap().hosts[0].facts.load.last().unwrap().one;
    assert!((load(&model) - 1.0).abs() < f64::EPSILON);
    acts(&mut model, &[Action::Last]);
    ask(&mut model, 1, unknown_key());
    assert!(model.changed && model.questions.len() == 1, "questions still show");
    model.questions.clear();
    acts(&mut model, &[Action::Pause]);
    assert!((load(&model) - 7.0).abs() < f64::EPSILON);
    assert_eq!(selected_host(&model), "db2", "what was selected meanwhile stays so");
}

#[test]
fn histories_grow_with_reports_and_failures_leave_holes() {
    let mut model = model();
    fail(&mut model, "production", "app1", LinkState::TimedOut);
    report(&mut model, "production", "app1", 1.0);
    // The same report again, as when another fact of the host changes.
    let again = answering(&model, "production", "app1", 1.0, model.now);
    update(&mut model, Msg::Fleet(FleetEvent::Host(again)));
    pass(&mut model, Duration::from_secs(5));
    fail(&mut model, "production", "app1", LinkState::TimedOut);
    pass(&mut model, Duration::from_secs(5));
    report(&mut model, "production", "app1", 2.0);
    let history = &model.environments[0].history[&host_name("app1")];
    assert_eq!(history.load.last(9).collect::<Vec<_>>(), [Some(1.0), None, Some(2.0)]);
    assert!(history.lag.is_empty(), "no replica, no lag");
}

#[test]
fn news_of_unknown_hosts_is_dropped() {
    let mut model = model();
    let mut stranger = (*answering(&model, "production", "app1", 1.0, model.now)).clone();
    stranger.id.host = host_name("stranger");
    update(&mut model, Msg::Fleet(FleetEvent::Host(std::sync::Arc::new(stranger))));
    assert_eq!(names(&model).len(), 4);
}

#[test]
fn time_alone_makes_problems_and_much_news_is_judged_together() {
    let mut model = model();
    jump_up(&mut model, "production");
    report(&mut model, "production", "app1", 0.1);
    pass(&mut model, LONG);
    model.settle();
    let too_old = |model: &Model| {
        let of_app1 = |p: &&Problem| p.host == Some(host_name("app1")) && p.kind == ProblemKind::Stale;
        model.shown().unwrap().problems.iter().filter(of_app1).count()
    };
    assert_eq!(too_old(&model), 0);
    let judged = model.environments[0].judged_at;
    report(&mut model, "production", "app2", 0.1);
    pass(&mut model, Duration::from_millis(50));
    model.settle();
    assert_eq!(model.environments[0].judged_at, judged, "too soon after the last");
    assert_eq!(model.settle_due().unwrap(), judged.unwrap().plus(Duration::from_millis(200)));
    pass(&mut model, Duration::from_secs(21));
    model.settle();
    assert_eq!(too_old(&model), 1);
}

#[test]
fn only_what_shows_calls_for_a_frame() {
    let mut model = model();
    frame(&mut model);
    pass(&mut model, Duration::from_secs(5));
    assert!(!model.changed, "while nothing is known, nothing grows old");
    report(&mut model, "staging", "app1", 0.1);
    assert!(!model.changed, "another environment's news shows by its problems only");
    report(&mut model, "production", "app1", 0.1);
    assert!(model.changed);
    pass(&mut model, LONG);
    frame(&mut model);
    pass(&mut model, Duration::from_millis(10));
    assert!(!model.changed);
    pass(&mut model, Duration::from_secs(1));
    assert!(model.changed, "an age on screen has grown");
}

#[test]
fn ages_run_on_while_the_screen_is_paused() {
    let mut model = model();
    jump_up(&mut model, "production");
    report(&mut model, "production", "app1", 1.0);
    acts(&mut model, &[Action::Pause]);
    frame(&mut model);
    pass(&mut model, Duration::from_secs(26));
    assert!(model.changed, "an age has grown");
    let held = &model.shown().unwrap().hosts[0];
    assert_eq!(held.age(model.now), Some(Duration::from_secs(26)));
}

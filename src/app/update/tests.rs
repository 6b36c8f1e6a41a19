#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use super::act::act;
use super::*;
use crate::app::fixture::*;
use crate::app::model::Screen;
use crate::app::rows::fleet_rows;
use crate::app::rows::selection::selected;
use crate::config::action::Action;
use crate::config::keymap::KeyCode;
use crate::domain::event::{Answer, FleetEvent, QuestionId};
use crate::domain::problem::{Problem, ProblemKind};
use crate::domain::snapshot::LinkState;

mod questions;

const LONG: Duration = Duration::from_millis(500);

fn selected_host(model: &Model) -> String {
    model.shown().unwrap().selection.host.as_ref().unwrap().to_string()
}

fn names(model: &Model) -> Vec<&str> {
    fleet_rows(model).iter().map(|h| h.id.host.as_str()).collect()
}

/// Actions, each followed by what the loop does before the next key.
fn acts(model: &mut Model, actions: &[Action]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for action in actions {
        effects.extend(act(model, *action));
        model.settle();
    }
    effects
}

#[test]
fn ctrl_c_quits_whatever_lies_on_top() {
    let mut model = model();
    assert_eq!(ctrl(&mut model, 'c'), [Effect::Quit]);
    model.filter_mut().unwrap().editing = true;
    assert_eq!(ctrl(&mut model, 'c'), [Effect::Quit]);
    ask(&mut model, 1, unknown_key());
    assert_eq!(ctrl(&mut model, 'c'), [Effect::Quit]);
}

#[test]
fn starting_connects_the_first_environment() {
    assert_eq!(model().start(), [Effect::Activate(env_name("production"))]);
}

#[test]
fn rows_are_moved_over_and_the_ends_hold() {
    let mut model = model();
    assert_eq!(selected_host(&model), "app1", "the first row to begin with");
    for (actions, expected) in [
        (&[Action::Up][..], "app1"),
        (&[Action::Down, Action::Down], "db1-masterdb"),
        (&[Action::Last], "db2"),
        (&[Action::Down], "db2"),
        (&[Action::PageUp], "app1"),
        (&[Action::PageDown], "db2"),
        (&[Action::First], "app1"),
    ] {
        acts(&mut model, actions);
        assert_eq!(selected_host(&model), expected, "{actions:?}");
    }
}

#[test]
fn the_selection_stays_on_its_host_when_rows_move() {
    let mut model = model();
    acts(&mut model, &[Action::Down]);
    assert_eq!((selected_host(&model).as_str(), selected(&model)), ("app2", Some(1)));
    jump_up(&mut model, "production");
    fail(&mut model, "production", "db2", LinkState::TimedOut);
    pass(&mut model, LONG);
    frame(&mut model);
    assert_eq!(names(&model)[0], "db2", "the worst is on top");
    assert_eq!((selected_host(&model).as_str(), selected(&model)), ("app2", Some(2)));
}

#[test]
fn until_somebody_chooses_the_worst_host_is_selected() {
    let mut model = model();
    assert_eq!(selected_host(&model), "app1");
    jump_up(&mut model, "production");
    fail(&mut model, "production", "db2", LinkState::TimedOut);
    pass(&mut model, LONG);
    frame(&mut model);
    assert_eq!(selected_host(&model), "db2");
}

#[test]
fn when_the_selected_row_goes_its_neighbour_is_taken() {
    let mut model = model();
    acts(&mut model, &[Action::Down, Action::Down]);
    assert_eq!(selected_host(&model), "db1-masterdb");
    act(&mut model, Action::Filter);
    type_text(&mut model, "app");
    model.settle();
    assert_eq!(selected_host(&model), "app2", "the last there is");
    press(&mut model, KeyCode::Esc);
    model.settle();
    assert_eq!((selected_host(&model).as_str(), model.filter().text.as_str()), ("app2", ""));
}

#[test]
fn a_filter_that_lets_nothing_through_keeps_the_selection_for_later() {
    let mut model = model();
    acts(&mut model, &[Action::Last, Action::Filter]);
    type_text(&mut model, "nothing has this");
    model.settle();
    assert_eq!(selected(&model), None);
    assert_eq!(act(&mut model, Action::Open), []);
    assert_eq!(model.screen(), &Screen::Fleet, "nothing is opened that is not on screen");
    press(&mut model, KeyCode::Esc);
    model.settle();
    assert_eq!(selected_host(&model), "db2");
}

#[test]
fn the_filter_takes_every_character_while_it_is_typed() {
    let mut model = model();
    act(&mut model, Action::Filter);
    type_text(&mut model, "q r?/ë");
    assert_eq!(model.filter().text, "q r?/ë");
    for (step, expected) in
        [(KeyCode::Backspace, "q r?/"), (KeyCode::Char('x'), "q r?/x"), (KeyCode::Enter, "q r?/x")]
    {
        press(&mut model, step);
        assert_eq!(model.filter().text, expected);
    }
    assert!(!model.filter().editing);
}

#[test]
fn the_filter_is_edited_by_letters_words_and_wholly() {
    let mut model = model();
    act(&mut model, Action::Filter);
    // e and a combining accent, a flag of two characters: one letter each for whoever deletes them.
    type_text(&mut model, "e\u{301}\u{1f1e9}\u{1f1ea}");
    press(&mut model, KeyCode::Backspace);
    assert_eq!(model.filter().text, "e\u{301}");
    press(&mut model, KeyCode::Backspace);
    assert_eq!(model.filter().text, "");
    press(&mut model, KeyCode::Backspace);
    assert_eq!(model.filter().text, "");
    type_text(&mut model, "one two  ");
    ctrl(&mut model, 'w');
    assert_eq!(model.filter().text, "one ");
    ctrl(&mut model, 'w');
    assert_eq!(model.filter().text, "");
    type_text(&mut model, "one two");
    ctrl(&mut model, 'u');
    assert_eq!(model.filter().text, "");
    update(&mut model, Msg::Paste("db\u{7}1\nrm -rf /\n".into()));
    assert_eq!(model.filter().text, "db1", "the first line, what is printable of it");
    update(&mut model, Msg::Paste("x".repeat(5000)));
    assert_eq!(model.filter().text.chars().count(), 200);
}

#[test]
fn a_paste_does_nothing_where_nothing_is_typed() {
    let mut model = model();
    assert_eq!(update(&mut model, Msg::Paste("q\ny\n".into())), []);
    assert_eq!(model.filter().text, "");
}

#[test]
fn drilling_down_and_coming_back() {
    let mut model = model();
    acts(&mut model, &[Action::Down, Action::Open]);
    assert_eq!(model.screen(), &Screen::Host(host_name("app2")));
    acts(&mut model, &[Action::Down, Action::Down]);
    assert_eq!(model.shown().unwrap().selection.detail_scroll, 2);
    model.drawn(crate::app::model::Room { detail_limit: Some(1), ..Default::default() });
    assert_eq!(model.shown().unwrap().selection.detail_scroll, 1, "not beyond the last line");
    acts(&mut model, &[Action::Back]);
    assert_eq!((model.screen(), selected_host(&model).as_str()), (&Screen::Fleet, "app2"));
    acts(&mut model, &[Action::Back]);
    assert_eq!(model.screen(), &Screen::Fleet, "there is nothing behind the first screen");
}

#[test]
fn back_clears_the_filter_before_it_leaves() {
    let mut model = model();
    acts(&mut model, &[Action::ScreenRoles, Action::Filter]);
    type_text(&mut model, "db");
    press(&mut model, KeyCode::Enter);
    acts(&mut model, &[Action::Back]);
    assert_eq!((model.screen(), model.filter().text.as_str()), (&Screen::Roles, ""));
    acts(&mut model, &[Action::Back]);
    assert_eq!(model.screen(), &Screen::Fleet);
}

#[test]
fn a_role_leads_to_its_host_or_to_its_hosts() {
    let mut model = model();
    acts(&mut model, &[Action::ScreenRoles, Action::Open]);
    assert_eq!(
        model.screen(),
        &Screen::Host(host_name("db1-masterdb")),
        "masterdb is required, so it comes first"
    );
    acts(&mut model, &[Action::Back]);
    let roles: Vec<String> = model.shown().unwrap().roles.iter().map(|r| r.role.to_string()).collect();
    assert_eq!(roles, ["masterdb", "app", "db"]);
    acts(&mut model, &[Action::Down, Action::Open]);
    assert_eq!((model.screen(), names(&model)), (&Screen::Fleet, vec!["app1", "app2"]));
    assert_eq!(model.filter().text, "role:app", "the role, not any text with these letters");
    acts(&mut model, &[Action::Back]);
    assert_eq!(model.screen(), &Screen::Roles);
    acts(&mut model, &[Action::ScreenFleet]);
    assert_eq!(names(&model).len(), 4, "the filter went with the screen it belonged to");
}

#[test]
fn a_problem_leads_to_its_host_or_to_the_screen_that_shows_it() {
    let mut model = model();
    jump_up(&mut model, "production");
    fail(&mut model, "production", "app2", LinkState::Unreachable);
    report(&mut model, "production", "db1-masterdb", 0.1);
    pass(&mut model, LONG);
    acts(&mut model, &[Action::ScreenProblems, Action::First]);
    let problems = model.shown().unwrap().problems.clone();
    let about_app2 = problems.iter().position(|p| p.host == Some(host_name("app2"))).unwrap();
    for _ in 0..about_app2 {
        acts(&mut model, &[Action::Down]);
    }
    acts(&mut model, &[Action::Open]);
    assert_eq!(model.screen(), &Screen::Host(host_name("app2")));
    acts(&mut model, &[Action::Back]);
    assert_eq!(selected(&model), Some(about_app2));
}

#[test]
fn twins_among_problems_can_each_be_selected() {
    use crate::domain::problem::{Problem, ProblemKind, Severity};
    let mut model = model();
    let disk = |n: u32| Problem {
        severity: Severity::Critical,
        env: env_name("production"),
        host: Some(host_name("app1")),
        named: vec![],
        kind: ProblemKind::Disk,
        message: format!("/data{n} is full"),
    };
    model.environments[0].problems = vec![disk(1), disk(2), disk(3)];
    act(&mut model, Action::ScreenProblems);
    crate::app::rows::selection::reconcile(&mut model);
    for expected in [1, 2, 2] {
        act(&mut model, Action::Down);
        assert_eq!(selected(&model), Some(expected));
    }
}

#[test]
fn environments_keep_their_selections_and_are_connected_when_shown() {
    let mut model = model();
    acts(&mut model, &[Action::Last, Action::Open]);
    assert_eq!(acts(&mut model, &[Action::NextEnvironment]), [Effect::Activate(env_name("staging"))]);
    assert_eq!(model.screen(), &Screen::Fleet, "a host of one environment is none of another");
    assert_eq!(selected_host(&model), "app1");
    assert_eq!(acts(&mut model, &[Action::NextEnvironment]), [Effect::Activate(env_name("production"))]);
    assert_eq!(selected_host(&model), "db2");
    acts(&mut model, &[Action::PreviousEnvironment]);
    assert_eq!(model.active, 1);
}

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
fn a_notice_about_one_environment_is_not_shown_on_another() {
    let mut model = model();
    acts(&mut model, &[Action::Refresh, Action::NextEnvironment]);
    assert_eq!(model.notice, None);
}

#[test]
fn refreshing_and_trying_again() {
    let mut model = model();
    let env = env_name("production");
    assert_eq!(acts(&mut model, &[Action::Refresh]), [Effect::Redraw, Effect::Refresh(env.clone())]);
    assert_eq!(model.notice.as_ref().unwrap().0, "asking 4 hosts");
    assert_eq!(acts(&mut model, &[Action::Retry]), [Effect::Retry(env.clone(), None)], "first the jump box");
    jump_up(&mut model, "production");
    let effects = acts(&mut model, &[Action::Down, Action::Retry]);
    assert_eq!(effects, [Effect::Retry(env, Some(host_name("app2")))]);
    pass(&mut model, Duration::from_secs(4));
    assert_eq!(model.notice, None, "a notice goes by itself");
}

#[test]
fn themes_go_round() {
    let mut model = model();
    assert_eq!(act(&mut model, Action::NextTheme), [Effect::UseTheme("light".into())]);
    assert_eq!(act(&mut model, Action::NextTheme), [Effect::UseTheme("dark".into())]);
}

#[test]
fn what_lies_under_help_is_not_acted_on() {
    let mut model = model();
    acts(&mut model, &[Action::Help, Action::Down]);
    assert_eq!(model.help, Some(1));
    assert_eq!(acts(&mut model, &[Action::Refresh, Action::NextEnvironment, Action::Open]), []);
    assert_eq!((model.active, selected_host(&model).as_str()), (0, "app1"));
    assert_eq!(acts(&mut model, &[Action::Quit]), [], "quit leaves help first");
    assert_eq!(model.help, None);
    assert_eq!(acts(&mut model, &[Action::Quit]), [Effect::Quit]);
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
fn a_filter_belongs_to_its_screen_and_its_environment() {
    let mut model = model();
    act(&mut model, Action::Filter);
    type_text(&mut model, "app1");
    press(&mut model, KeyCode::Enter);
    assert_eq!(names(&model), ["app1"]);
    for screen in [Action::ScreenProblems, Action::ScreenRoles, Action::Runbooks, Action::ScreenReplication] {
        act(&mut model, screen);
        assert_eq!(model.filter().text, "", "{screen:?}");
    }
    acts(&mut model, &[Action::ScreenFleet, Action::NextEnvironment]);
    assert_eq!(model.filter().text, "", "another environment");
    acts(&mut model, &[Action::PreviousEnvironment]);
    assert_eq!(model.filter().text, "app1", "it is where it was set");
}

#[test]
fn quit_leads_out_of_a_page_before_it_ends_the_program() {
    let mut model = model();
    acts(&mut model, &[Action::Down, Action::Open]);
    assert_eq!(acts(&mut model, &[Action::Quit]), []);
    assert_eq!(model.screen(), &Screen::Fleet);
    assert_eq!(acts(&mut model, &[Action::Quit]), [Effect::Quit]);
}

#[test]
fn the_screen_is_drawn_again_whatever_lies_on_top() {
    let mut model = model();
    model.keymap = std::sync::Arc::new(crate::config::keymap::Keymap::builtin_default());
    assert_eq!(ctrl(&mut model, 'l'), [Effect::Redraw]);
    act(&mut model, Action::Filter);
    assert_eq!(ctrl(&mut model, 'l'), [Effect::Redraw]);
    ask(&mut model, 1, unknown_key());
    assert_eq!(ctrl(&mut model, 'l'), [Effect::Redraw]);
    assert_eq!(model.questions.len(), 1);
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

#[test]
fn keys_that_were_meant_for_a_login_that_ended_do_nothing() {
    let mut model = model();
    ask(&mut model, 1, passphrase());
    frame(&mut model);
    pass(&mut model, LONG);
    type_text(&mut model, "ap");
    update(&mut model, Msg::Fleet(FleetEvent::QuestionGone(QuestionId(1))));
    frame(&mut model);
    assert_eq!(type_text(&mut model, "p1q"), []);
    assert_eq!(press(&mut model, KeyCode::Enter), []);
    update(&mut model, Msg::Paste("secret".into()));
    assert_eq!((model.screen(), model.filter().text.as_str()), (&Screen::Fleet, ""));
    pass(&mut model, LONG);
    act(&mut model, Action::Quit);
    assert_eq!(act(&mut model, Action::Quit), [Effect::Quit]);

    // The next question does not get the rest of an answer to the one before.
    ask(&mut model, 2, passphrase());
    ask(&mut model, 3, passphrase());
    frame(&mut model);
    pass(&mut model, LONG);
    type_text(&mut model, "ab");
    update(&mut model, Msg::Fleet(FleetEvent::QuestionGone(QuestionId(2))));
    frame(&mut model);
    for _ in 0..6 {
        type_text(&mut model, "c");
        pass(&mut model, Duration::from_millis(150));
    }
    assert_eq!(&**model.answer, "", "still the same typing");
    pass(&mut model, LONG);
    type_text(&mut model, "d");
    assert_eq!(&**model.answer, "d");
}

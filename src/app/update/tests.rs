#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use super::act::act;
use super::*;
use crate::app::fixture::*;
use crate::app::model::Screen;
use crate::app::rows::selection::selected;
use crate::app::screens::fleet::fleet_rows;
use crate::config::action::{Action, Destination};
use crate::config::keymap::KeyCode;
use jumpdeck_fleet::event::{Answer, FleetEvent, QuestionId};
use jumpdeck_fleet::problem::{Problem, ProblemKind};
use jumpdeck_fleet::snapshot::LinkState;

mod acknowledge;
mod charts;
mod columns;
mod commands;
mod compare;
mod compare_environments;
mod export;
mod fold;
mod inventory;
mod logs;
mod look;
mod marks;
mod palette;
mod power;
mod questions;
mod rows;
mod sessions;
mod shell;
mod time;
mod views;

const LONG: Duration = Duration::from_millis(500);

fn selected_host(model: &Model) -> String {
    model.shown().unwrap().selection.host.as_ref().unwrap().to_string()
}

fn names(model: &Model) -> Vec<&str> {
    fleet_rows(model).iter().map(|h| h.id.host.as_str()).collect()
}

/// Actions, each followed by what the loop does before the next key.
fn acts(model: &mut Model, actions: &[Action]) -> Vec<AppEffect> {
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
    assert_eq!(ctrl(&mut model, 'c'), [AppEffect::Quit]);
    model.filter_mut().unwrap().editing = true;
    assert_eq!(ctrl(&mut model, 'c'), [AppEffect::Quit]);
    ask(&mut model, 1, unknown_key());
    assert_eq!(ctrl(&mut model, 'c'), [AppEffect::Quit]);
}

#[test]
fn starting_connects_the_first_environment() {
    assert_eq!(model().start(), [AppEffect::Activate(env_name("production"))]);
}

#[test]
fn a_paste_does_nothing_where_nothing_is_typed() {
    let mut model = model();
    assert_eq!(update(&mut model, Msg::Paste("q\ny\n".into())), []);
    assert_eq!(model.filter().text.as_str(), "");
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
    acts(&mut model, &[Action::Screen(Destination::Roles), Action::Filter]);
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
    acts(&mut model, &[Action::Screen(Destination::Roles), Action::Open]);
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
    assert_eq!(model.filter().text.as_str(), "role:app", "the role, not any text with these letters");
    acts(&mut model, &[Action::Back]);
    assert_eq!(model.screen(), &Screen::Roles);
    acts(&mut model, &[Action::Screen(Destination::Fleet)]);
    assert_eq!(names(&model).len(), 4, "the filter went with the screen it belonged to");
}

#[test]
fn a_problem_leads_to_its_host_or_to_the_screen_that_shows_it() {
    let mut model = model();
    jump_up(&mut model, "production");
    fail(&mut model, "production", "app2", LinkState::Unreachable);
    report(&mut model, "production", "db1-masterdb", 0.1);
    pass(&mut model, LONG);
    acts(&mut model, &[Action::Screen(Destination::Problems), Action::First]);
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
fn environments_keep_their_selections_and_are_connected_when_shown() {
    let mut model = model();
    acts(&mut model, &[Action::Last, Action::Open]);
    assert_eq!(acts(&mut model, &[Action::NextEnvironment]), [AppEffect::Activate(env_name("staging"))]);
    assert_eq!(model.screen(), &Screen::Fleet, "a host of one environment is none of another");
    assert_eq!(selected_host(&model), "app1");
    assert_eq!(acts(&mut model, &[Action::NextEnvironment]), [AppEffect::Activate(env_name("production"))]);
    assert_eq!(selected_host(&model), "db2");
    acts(&mut model, &[Action::PreviousEnvironment]);
    assert_eq!(model.active, 1);
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
    assert_eq!(acts(&mut model, &[Action::Refresh]), [AppEffect::Redraw, AppEffect::Refresh(env.clone())]);
    assert_eq!(model.notice.as_ref().unwrap().0, "asking 4 hosts");
    assert_eq!(
        acts(&mut model, &[Action::Retry]),
        [AppEffect::Retry(env.clone(), None)],
        "first the jump box"
    );
    jump_up(&mut model, "production");
    let effects = acts(&mut model, &[Action::Down, Action::Retry]);
    assert_eq!(effects, [AppEffect::Retry(env, Some(host_name("app2")))]);
    pass(&mut model, Duration::from_secs(4));
    assert_eq!(model.notice, None, "a notice goes by itself");
}

#[test]
fn themes_go_round() {
    let mut model = model();
    assert_eq!(act(&mut model, Action::NextTheme), [AppEffect::UseTheme("light".into())]);
    assert_eq!(act(&mut model, Action::NextTheme), [AppEffect::UseTheme("dark".into())]);
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
    assert_eq!(acts(&mut model, &[Action::Quit]), [AppEffect::Quit]);
}

#[test]
fn quit_leads_out_of_a_page_before_it_ends_the_program() {
    let mut model = model();
    acts(&mut model, &[Action::Down, Action::Open]);
    assert_eq!(acts(&mut model, &[Action::Quit]), []);
    assert_eq!(model.screen(), &Screen::Fleet);
    assert_eq!(acts(&mut model, &[Action::Quit]), [AppEffect::Quit]);
}

#[test]
fn the_screen_is_drawn_again_whatever_lies_on_top() {
    let mut model = model();
    model.keymap = std::sync::Arc::new(crate::config::keymap::Keymap::builtin_default());
    assert_eq!(ctrl(&mut model, 'l'), [AppEffect::Redraw]);
    act(&mut model, Action::Filter);
    assert_eq!(ctrl(&mut model, 'l'), [AppEffect::Redraw]);
    ask(&mut model, 1, unknown_key());
    assert_eq!(ctrl(&mut model, 'l'), [AppEffect::Redraw]);
    assert_eq!(model.questions.len(), 1);
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
    assert_eq!(act(&mut model, Action::Quit), [AppEffect::Quit]);

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
    assert_eq!(model.answer.as_str(), "", "still the same typing");
    pass(&mut model, LONG);
    type_text(&mut model, "d");
    assert_eq!(model.answer.as_str(), "d");
}

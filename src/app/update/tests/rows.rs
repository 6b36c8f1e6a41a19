//! Rows, the selection and the filter.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

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
    assert_eq!(model.filter().text.as_str(), "q r?/ë");
    for (step, expected) in
        [(KeyCode::Backspace, "q r?/"), (KeyCode::Char('x'), "q r?/x"), (KeyCode::Enter, "q r?/x")]
    {
        press(&mut model, step);
        assert_eq!(model.filter().text.as_str(), expected);
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
    assert_eq!(model.filter().text.as_str(), "e\u{301}");
    press(&mut model, KeyCode::Backspace);
    assert_eq!(model.filter().text.as_str(), "");
    press(&mut model, KeyCode::Backspace);
    assert_eq!(model.filter().text.as_str(), "");
    type_text(&mut model, "one two  ");
    ctrl(&mut model, 'w');
    assert_eq!(model.filter().text.as_str(), "one ");
    ctrl(&mut model, 'w');
    assert_eq!(model.filter().text.as_str(), "");
    type_text(&mut model, "one two");
    ctrl(&mut model, 'u');
    assert_eq!(model.filter().text.as_str(), "");
    update(&mut model, Msg::Paste("db\u{7}1\nrm -rf /\n".into()));
    assert_eq!(model.filter().text.as_str(), "db1", "the first line, what is printable of it");
    update(&mut model, Msg::Paste("x".repeat(5000)));
    assert_eq!(model.filter().text.as_str().len(), 1024);
}

#[test]
fn twins_among_problems_can_each_be_selected() {
    use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
    let mut model = model();
    let disk = |n: u32| Problem {
        severity: Severity::Critical,
        env: env_name("production"),
        host: Some(host_name("app1")),
        named: vec![],
        kind: ProblemKind::Disk,
        service: None,
        subject: None,
        message: format!("/data{n} is full"),
    };
    model.environments[0].problems = vec![disk(1), disk(2), disk(3)];
    act(&mut model, Action::Screen(Destination::Problems));
    crate::app::rows::selection::reconcile(&mut model);
    for expected in [1, 2, 2] {
        act(&mut model, Action::Down);
        assert_eq!(selected(&model), Some(expected));
    }
}

#[test]
fn a_filter_belongs_to_its_screen_and_its_environment() {
    let mut model = model();
    act(&mut model, Action::Filter);
    type_text(&mut model, "app1");
    press(&mut model, KeyCode::Enter);
    assert_eq!(names(&model), ["app1"]);
    for screen in [
        Action::Screen(Destination::Problems),
        Action::Screen(Destination::Roles),
        Action::Screen(Destination::Runbooks),
        Action::Screen(Destination::Replication),
    ] {
        act(&mut model, screen);
        assert_eq!(model.filter().text.as_str(), "", "{screen:?}");
    }
    acts(&mut model, &[Action::Screen(Destination::Fleet), Action::NextEnvironment]);
    assert_eq!(model.filter().text.as_str(), "", "another environment");
    acts(&mut model, &[Action::PreviousEnvironment]);
    assert_eq!(model.filter().text.as_str(), "app1", "it is where it was set");
}

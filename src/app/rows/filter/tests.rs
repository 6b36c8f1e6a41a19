#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::app::fixture::*;
use crate::app::model::Screen;
use crate::app::screens::{fleet::fleet_rows, problems::problem_rows, roles::role_rows};

fn filtered(model: &mut Model, text: &str) -> Vec<String> {
    model.filter_mut().unwrap().text = text.into();
    fleet_rows(model).iter().map(|h| h.id.host.to_string()).collect()
}

fn fleet() -> Model {
    let mut model = model();
    jump_up(&mut model, "production");
    report(&mut model, "production", "app1", 0.5);
    report(&mut model, "production", "app2", 9.0);
    fail(&mut model, "production", "db2", LinkState::Unreachable);
    pass(&mut model, std::time::Duration::from_millis(500));
    frame(&mut model);
    model
}

#[test]
fn terms_are_fields_figures_and_text_and_may_be_turned_round() {
    let mut model = fleet();
    for (text, expected) in [
        ("role:db", vec!["db2", "db1-masterdb"]),
        ("role:masterdb,app !app2", vec!["db1-masterdb", "app1"]),
        ("!role:db !role:masterdb", vec!["app2", "app1"]),
        ("!app", vec!["db2", "db1-masterdb"]),
        ("load>1", vec!["app2"]),
        ("load<=0.5", vec!["app1"]),
        ("!load>1 app", vec!["app1"]),
        ("LOAD>1 Role:APP", vec!["app2"]),
        ("state:unreachable", vec!["db2"]),
        // Nobody has asked app1 for its disks: it is not ok.
        ("state:ok", vec![]),
        ("state:critical", vec!["db2", "app2"]),
        ("critical", vec!["db2", "app2"]),
        ("env:production app", vec!["app2", "app1"]),
        ("10.0.0.1:22", vec!["app1"]),
        ("disk>1", vec![]),
        ("role:d", vec![]),
    ] {
        let mut rows = filtered(&mut model, text);
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected, "{text:?}");
        assert_eq!(wrong(&model), None, "{text:?}");
    }
}

#[test]
fn a_term_that_is_only_begun_or_wrong_hides_nothing() {
    let mut model = fleet();
    for text in ["role:", "load>", "!", "load>=", "colour:red", "load>much", "weight>3"] {
        assert_eq!(filtered(&mut model, text).len(), 4, "{text:?}");
    }
    filtered(&mut model, "colour:red");
    let why = wrong(&model).unwrap();
    assert!(why.contains("\"colour\"") && why.contains("role:") && why.contains("load>"), "{why}");
    filtered(&mut model, "load>much");
    assert_eq!(wrong(&model).unwrap(), "load is compared with a number, as in load>1");
}

#[test]
fn a_host_of_which_nothing_is_known_is_not_ok() {
    let mut model = model();
    assert!(filtered(&mut model, "state:ok").is_empty());
    assert_eq!(filtered(&mut model, "state:unknown").len(), 4);
    assert!(filtered(&mut model, "load<100").is_empty());
}

#[test]
fn problems_and_roles_have_fields_of_their_own() {
    let mut model = fleet();
    model.screens.push(Screen::Problems);
    model.filter_mut().unwrap().text = "kind:host_down".into();
    assert_eq!(problem_rows(&model).len(), 1);
    model.filter_mut().unwrap().text = "!severity:critical".into();
    assert!(problem_rows(&model).iter().all(|p| p.severity.word() != "critical"));
    model.filter_mut().unwrap().text = "load>1".into();
    assert!(wrong(&model).unwrap().contains("kind:"));
    model.screens.push(Screen::Roles);
    model.filter_mut().unwrap().text = "role:db".into();
    assert_eq!(role_rows(&model).iter().map(|r| r.role.as_str()).collect::<Vec<_>>(), ["db"]);
}

//! Marks of hosts.
#![allow(clippy::panic)]

use std::sync::Arc;

use super::*;
use jumpdeck_fleet::event::InventoryNews;
use jumpdeck_fleet::fleet::{Environment, Fleet};

fn marked(model: &Model) -> Vec<&str> {
    model.marked().into_iter().map(|host| host.as_str()).collect()
}

fn notice(model: &Model) -> &str {
    model.notice.as_ref().map_or("", |(text, _)| text.as_str())
}

#[test]
fn a_mark_moves_on_and_a_second_one_removes_it() {
    let mut model = model();
    acts(&mut model, &[Action::Mark, Action::Mark]);
    assert_eq!((marked(&model), selected_host(&model).as_str()), (vec!["app1", "app2"], "db1-masterdb"));
    acts(&mut model, &[Action::First, Action::Mark]);
    assert_eq!(marked(&model), ["app2"]);
    acts(&mut model, &[Action::Last, Action::Mark]);
    assert_eq!((marked(&model), selected_host(&model).as_str()), (vec!["app2", "db2"], "db2"));
    acts(&mut model, &[Action::ClearMarks]);
    assert_eq!((marked(&model), notice(&model)), (vec![], "marks of 2 hosts cleared"));
    acts(&mut model, &[Action::ClearMarks]);
    assert_eq!(notice(&model), "no host is marked");
}

#[test]
fn marks_stay_when_rows_move_are_filtered_or_another_screen_is_shown() {
    let mut model = model();
    acts(&mut model, &[Action::Down, Action::Mark]);
    jump_up(&mut model, "production");
    fail(&mut model, "production", "db2", LinkState::TimedOut);
    pass(&mut model, LONG);
    frame(&mut model);
    assert_eq!((names(&model)[0], marked(&model)), ("db2", vec!["app2"]));
    acts(&mut model, &[Action::SortNext, Action::SortReverse, Action::Refresh]);
    act(&mut model, Action::Filter);
    type_text(&mut model, "db");
    press(&mut model, KeyCode::Enter);
    model.settle();
    assert_eq!((marked(&model), model.unlisted_marks()), (vec!["app2"], 1));
    acts(&mut model, &[Action::MarkAll]);
    assert_eq!((marked(&model), notice(&model)), (vec!["app2", "db1-masterdb", "db2"], "2 hosts marked"));
    acts(&mut model, &[Action::MarkAll]);
    assert_eq!(notice(&model), "0 hosts marked; 2 of the hosts listed were marked before");
    acts(&mut model, &[Action::Open, Action::Mark]);
    assert_eq!(marked(&model), ["app2", "db2"], "the host shown in full");
    acts(&mut model, &[Action::Pause]);
    assert_eq!(marked(&model).len(), 2);
    acts(&mut model, &[Action::Pause, Action::Screen(Destination::Problems), Action::Mark]);
    assert_eq!((marked(&model).len(), notice(&model)), (2, "select a host first"));
}

#[test]
fn each_environment_has_marks_of_its_own() {
    let mut model = model();
    acts(&mut model, &[Action::Mark, Action::NextEnvironment]);
    assert_eq!(marked(&model), Vec::<&str>::new(), "app1 of staging is another host");
    acts(&mut model, &[Action::ClearMarks, Action::NextEnvironment]);
    assert_eq!(marked(&model), ["app1"]);
}

#[test]
fn a_host_that_leaves_the_inventory_loses_its_mark_and_that_is_said() {
    let mut model = model();
    acts(&mut model, &[Action::MarkAll]);
    let mut environments: Vec<Environment> =
        model.fleet.environments.iter().map(|env| Environment::clone(env)).collect();
    environments[0].hosts.retain(|host| host.id.host.as_str() != "app2");
    let fleet = Fleet { environments: environments.into_iter().map(Arc::new).collect(), simulated: false };
    let news = InventoryNews::Read(Arc::new(fleet));
    update(&mut model, Msg::Fleet(FleetEvent::Inventory(news)));
    frame(&mut model);
    assert_eq!(marked(&model), ["app1", "db1-masterdb", "db2"]);
    let said = notice(&model);
    assert!(said.ends_with("; no longer marked, as not in the inventory: app2 (production)"), "{said}");
    let staging = Fleet { environments: vec![model.fleet.environments[1].clone()], simulated: false };
    update(&mut model, Msg::Fleet(FleetEvent::Inventory(InventoryNews::Read(Arc::new(staging)))));
    assert!(notice(&model).contains("app1 (production), db1-masterdb (production)"), "{}", notice(&model));
    assert_eq!(marked(&model), Vec::<&str>::new());
}

#![allow(clippy::unwrap_used)]

use super::*;
use crate::app::fixture::*;
use crate::app::screens::fleet::fleet_rows;

#[test]
fn every_screen_has_a_word_that_leads_to_it() {
    for screen in Destination::ALL {
        let name = screen_name(*screen);
        assert_eq!(screen_named(&name), Some(*screen), "{name}");
        assert!(!name.contains(' '), "{name}");
        let mut model = model();
        OpeningView { screen: *screen, ..OpeningView::default() }.enter(&mut model);
        assert_eq!(OpeningView::of(&model).screen, *screen, "{name}");
    }
    assert_eq!(screen_named("fleets"), None);
}

#[test]
fn a_view_is_shown_as_it_was_asked_for() {
    let mut model = model();
    let asked = OpeningView {
        filter: "host:db !db2".to_owned(),
        sort: Sort { by: &order::INVENTORY, reversed: true },
        ..OpeningView::default()
    };
    asked.enter(&mut model);
    model.settle();
    let hosts: Vec<&str> = fleet_rows(&model).iter().map(|host| host.id.host.as_str()).collect();
    assert_eq!(hosts, ["db1-masterdb"]);
    assert_eq!(OpeningView::of(&model), asked);
    assert_eq!(asked.arguments(), ["--filter", "host:db !db2", "--sort", "inventory-order", "--reverse"]);
}

#[test]
fn a_host_is_shown_in_full_and_the_way_back_leads_to_the_fleet() {
    let mut model = model();
    let asked = OpeningView { host: Some(host_name("db2")), ..OpeningView::default() };
    asked.enter(&mut model);
    model.settle();
    assert_eq!(model.screen(), &Screen::Host(host_name("db2")));
    assert_eq!(OpeningView::of(&model), asked);
    assert_eq!(asked.arguments(), ["--host", "db2"]);
    model.screens.pop();
    assert_eq!(OpeningView::of(&model), OpeningView::default());
    assert!(OpeningView::default().arguments().is_empty());
}

#[test]
fn words_that_hide_nothing_are_not_part_of_the_view() {
    let mut model = model();
    model.filter_mut().unwrap().text.set(" db  role: colour:red !  load>x");
    assert_eq!(OpeningView::of(&model).filter, "db");
}

#[test]
fn a_filter_that_cannot_be_read_is_refused_with_its_place() {
    let wrong = |screen, text| check_filter(screen, text).unwrap_err().render(false);
    let text = wrong(Destination::Fleet, "db colour:red");
    assert!(text.contains("--filter:1:4") && text.contains("^^^^^^^^^^") && text.contains("role:"), "{text}");
    let text = wrong(Destination::Fleet, "db role:");
    assert!(text.contains("--filter:1:4") && text.contains("no value after \"role:\""), "{text}");
    let text = wrong(Destination::Fleet, "a a load>fast");
    assert!(text.contains("--filter:1:5") && text.contains("load>1"), "{text}");
    let text = wrong(Destination::Problems, "load>1");
    assert!(text.contains("no field \"load\""), "{text}");
    let text = wrong(Destination::Replication, "db");
    assert!(text.contains("the screen replication has no filter"), "{text}");
    let text = wrong(Destination::Fleet, "db\u{1b}[2J");
    assert!(text.contains("not visible") && !text.contains('\u{1b}'), "{text:?}");
    for fits in ["", "db", "role:db,app load>1 !app", "10.0.0.3:22"] {
        assert_eq!(
            check_filter(Destination::Fleet, fits).map_err(|wrong| wrong.render(false)),
            Ok(()),
            "{fits}"
        );
    }
}

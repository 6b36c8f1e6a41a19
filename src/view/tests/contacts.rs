//! Whom a problem is for, on the problems screen and on the host's page.

use std::sync::Arc;

use super::*;
use crate::view::run_fixtures::listing;
use jumpdeck_fleet::contact::{Contact, Contacts};
use jumpdeck_fleet::names::RoleName;

/// As long as an address may be: two lines and a half on a narrow terminal.
fn link() -> String {
    format!(
        "https://docs.example.org/{}/end",
        "runbooks-of-the-database-team/".repeat(6).trim_end_matches('/')
    )
    .chars()
    .take(200)
    .collect()
}

/// The 2015 fleet in trouble; its databases have a contact of their own.
fn called() -> Model {
    let mut model = trouble();
    let spec = Arc::make_mut(&mut model.environments[0].spec);
    let db = Contact {
        owner: Some("Database team, +1 555 0101".to_owned()),
        docs: Some(link()),
        runbook: Some("promote-masterdb".to_owned()),
    };
    let environment = Contact { owner: Some("Operations, +1 555 0100".to_owned()), ..Contact::default() };
    spec.contacts =
        Contacts { environment, roles: vec![(RoleName::new("db").unwrap(), db)], ..Contacts::default() };
    let env = spec.name.clone();
    model.runs.listings.insert(env, listing());
    model
}

/// All text without blanks: an address that goes over lines is there whole.
fn run_together(screen: &str) -> String {
    screen.chars().filter(|c| !c.is_whitespace()).collect()
}

fn select_first_of(model: &mut Model, host: &str) {
    let env = &mut model.environments[0];
    let problem = env.problems.iter().find(|p| p.host.as_ref().is_some_and(|h| h.as_str() == host)).unwrap();
    env.selection.problem = Some((problem.kind, problem.host.clone()));
    env.selection.problem_nth = 0;
}

#[test]
fn the_selected_problem_says_whom_it_is_for_with_its_link_whole() {
    let mut model = on(called(), Screen::Problems);
    select_first_of(&mut model, "db2");
    for size in [(80, 24), (120, 40)] {
        let screen = text(&model, size);
        assert!(screen.contains("owner    Database team, +1 555 0101"), "{screen}");
        assert!(run_together(&screen).contains(&link()), "{screen}");
        assert!(screen.contains(": promote-masterdb"), "{screen}");
    }
    // Where it has no room, no part of it is shown.
    let small = text(&model, (60, 16));
    assert!(!small.contains("docs.example.org") || run_together(&small).contains(&link()), "{small}");
    // A runbook that is not here is named as such.
    let spec = Arc::make_mut(&mut model.environments[0].spec);
    spec.contacts.roles[0].1.runbook = Some("not-here".to_owned());
    let screen = text(&model, (120, 40));
    assert!(
        screen.contains("runbook  not-here (named by the inventory, and not installed here)"),
        "{screen}"
    );
}

#[test]
fn a_hosts_page_says_whom_its_problems_are_for() {
    let screen = text(&on(called(), Screen::Host(name("db2"))), (80, 24));
    assert!(screen.contains("owner     Database team, +1 555 0101"), "{screen}");
    assert!(run_together(&screen).contains(&link()), "{screen}");
    assert_eq!(screen.matches("Database team").count(), 1, "problems in a row have it once: {screen}");
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use super::*;
use crate::app::fixture::*;
use crate::app::screens::Screen;
use crate::app::screens::fleet::fleet_rows;
use crate::app::screens::runbooks::{RunbookRow, runbook_rows};
use jumpdeck_fleet::fact::Fact;
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::snapshot::{Grains, LinkState, Os};
use jumpdeck_fleet::text::Clean;

fn names(model: &Model) -> Vec<&str> {
    fleet_rows(model).iter().map(|h| h.id.host.as_str()).collect()
}

fn change(model: &mut Model, host: &str, change: impl FnOnce(&mut HostSnapshot)) {
    let env = &mut model.environments[0];
    let slot = env.hosts.iter_mut().find(|h| h.id.host.as_str() == host).unwrap();
    change(Arc::make_mut(slot));
}

#[test]
fn every_term_must_be_found_somewhere() {
    let mut model = model();
    let now = model.now;
    change(&mut model, "app2", |h| {
        h.facts.os = Fact::new(
            Os {
                pretty: Clean::new("Ubuntu 12.04.2 LTS"),
                release: Clean::new("ubuntu 12.04"),
                kernel: None,
            },
            now,
        );
        let grains = Grains {
            level: Some(Clean::new("production")),
            roles: Some(roles_from("app,jobrunner")),
            odd_roles: Vec::new(),
        };
        h.facts.grains = Fact::new(grains, now);
    });
    change(&mut model, "db2", |h| h.link.state = LinkState::TimedOut);
    for (filter, expected) in [
        ("", vec!["app1", "app2", "db1-masterdb", "db2"]),
        ("   ", vec!["app1", "app2", "db1-masterdb", "db2"]),
        ("APP", vec!["app1", "app2"]),
        ("db master", vec!["db1-masterdb"]),
        ("ubuntu", vec!["app2"]),
        ("app ubuntu 12.04", vec!["app2"]),
        ("jobrunner", vec!["app2"]),
        ("production", vec!["app2"]),
        ("timed", vec!["db2"]),
        ("timed_out", vec!["db2"]),
        ("10.0.0.3", vec!["db1-masterdb"]),
        ("app db", vec![]),
        ("é", vec![]),
    ] {
        model.filter_mut().unwrap().text = filter.into();
        assert_eq!(names(&model), expected, "{filter:?}");
    }
}

fn roles_from(list: &str) -> Vec<jumpdeck_fleet::names::RoleName> {
    list.split(',').map(|r| jumpdeck_fleet::names::RoleName::new(r).unwrap()).collect()
}

#[test]
fn a_runbook_is_found_by_its_name_before_others_that_mention_it() {
    use jumpdeck_fleet::run::{Danger, Listing, RunbookEntry};
    let mut model = model();
    let entry = |name: &str, title: &str, summary: &str| RunbookEntry {
        name: name.into(),
        title: title.into(),
        summary: summary.into(),
        danger: Danger::Data,
        own: false,
        steps: 2,
        inputs: vec![],
        remedies: Vec::new(),
        last_run: None,
    };
    let listing = Listing {
        env: env_name("production"),
        runs: vec![],
        runbooks: vec![
            entry("failover-masterdb", "Fail over", "The master is dead; else promote one."),
            entry("replace-vm", "Replace a VM", "Not for a master: promote another first."),
            entry("promote-masterdb", "Planned switchover", "Both are up."),
        ],
        troubles: vec![],
    };
    model.runs.listings.insert(env_name("production"), Arc::new(listing));
    model.screens.push(Screen::Runbooks);
    // From the top of the list and from its end.
    for from in [crate::config::keymap::KeyCode::Home, crate::config::keymap::KeyCode::End] {
        model.keymap = Arc::new(crate::config::keymap::Keymap::builtin_default());
        frame(&mut model);
        press(&mut model, from);
        type_text(&mut model, "/promote");
        frame(&mut model);
        let rows = runbook_rows(&model);
        let chosen = selection::selected(&model).unwrap();
        let RunbookRow::Runbook(runbook) = rows[chosen] else { panic!("no runbook") };
        assert_eq!((runbook.name.as_str(), rows.len()), ("promote-masterdb", 3));
        press(&mut model, crate::config::keymap::KeyCode::Esc);
    }
}

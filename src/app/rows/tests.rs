#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::app::fixture::*;
use crate::app::model::Sort;
use jumpdeck_fleet::fact::{Fact, Gap};
use jumpdeck_fleet::replication::{Database, Engine, ServerStatus};
use jumpdeck_fleet::snapshot::{Grains, LinkState, Os};
use jumpdeck_fleet::storage::{Filesystem, Usage};
use jumpdeck_fleet::text::Clean;

fn names(model: &Model) -> Vec<&str> {
    fleet_rows(model).iter().map(|h| h.id.host.as_str()).collect()
}

fn change(model: &mut Model, host: &str, change: impl FnOnce(&mut HostSnapshot)) {
    let env = &mut model.environments[0];
    let slot = env.hosts.iter_mut().find(|h| h.id.host.as_str() == host).unwrap();
    change(Arc::make_mut(slot));
}

fn sorted(model: &mut Model, by: SortColumn, reversed: bool) -> Vec<&str> {
    model.sort = Sort { by, reversed };
    names(model)
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
fn unknown_figures_are_never_the_best_and_ties_keep_their_order() {
    let mut model = model();
    report(&mut model, "production", "app2", 9.0);
    report(&mut model, "production", "db2", 1.0);
    assert_eq!(sorted(&mut model, SortColumn::Inventory, false), ["app1", "app2", "db1-masterdb", "db2"]);
    assert_eq!(sorted(&mut model, SortColumn::Inventory, true), ["db2", "db1-masterdb", "app2", "app1"]);
    assert_eq!(sorted(&mut model, SortColumn::Host, true), ["db2", "db1-masterdb", "app2", "app1"]);
    assert_eq!(sorted(&mut model, SortColumn::Load, false), ["app2", "db2", "app1", "db1-masterdb"]);
    assert_eq!(sorted(&mut model, SortColumn::Load, true), ["db2", "app2", "app1", "db1-masterdb"]);
    assert_eq!(sorted(&mut model, SortColumn::Age, false), ["app1", "db1-masterdb", "app2", "db2"]);
    // Four cadences later the figures are no longer known.
    pass(&mut model, Duration::from_secs(21));
    assert_eq!(sorted(&mut model, SortColumn::Load, false), ["app1", "app2", "db1-masterdb", "db2"]);
}

#[test]
fn disks_that_do_not_answer_come_first_then_the_fullest() {
    let mut model = model();
    let now = model.now;
    let filesystem = |usage| Filesystem {
        device: Clean::new("/dev/sda1"),
        mount: Clean::new("/"),
        fstype: None,
        remote: false,
        usage,
        inodes_gap: None,
    };
    let full = |percent| {
        Ok(Usage {
            size_kb: 100,
            used_kb: 50,
            available_kb: 50,
            use_percent: Some(percent),
            inodes_use_percent: None,
        })
    };
    for (host, usage) in [("app1", full(40)), ("app2", full(97)), ("db2", Err(Gap::TimedOut))] {
        change(&mut model, host, |h| h.facts.filesystems = Fact::new(vec![filesystem(usage)], now));
    }
    assert_eq!(sorted(&mut model, SortColumn::Disk, false), ["db2", "app2", "app1", "db1-masterdb"]);
}

fn database(server: Result<ServerStatus, Gap>) -> Database {
    Database { engine: Engine::MariaDb, version: None, server }
}

#[test]
fn lag_puts_the_unknown_before_the_known_and_hosts_without_a_database_last() {
    let mut model = model();
    let now = model.now;
    let master = ServerStatus {
        log_bin: Some(true),
        read_only: Some(false),
        connections: Ok(Vec::new()),
        replicas: Ok(Vec::new()),
        ..ServerStatus::default()
    };
    change(&mut model, "app1", |h| h.facts.databases = Fact::new(Vec::new(), now));
    change(&mut model, "app2", |h| h.facts.databases = Fact::new(Vec::new(), now));
    change(&mut model, "db1-masterdb", |h| h.facts.databases = Fact::new(vec![database(Ok(master))], now));
    assert_eq!(sorted(&mut model, SortColumn::Lag, false), ["db2", "db1-masterdb", "app1", "app2"]);
    let rows: Vec<&str> = replication_rows(&model).iter().map(|h| h.id.host.as_str()).collect();
    assert_eq!(
        rows,
        ["db1-masterdb", "db2"],
        "hosts that have no database and should have none are left out"
    );
}

#[test]
fn hosts_without_a_figure_come_last_either_way_and_steady_ages_do_not_shuffle() {
    let mut model = model();
    let now = model.now;
    report(&mut model, "production", "app1", 0.1);
    pass(&mut model, Duration::from_secs(1));
    for host in ["app2", "db1-masterdb", "db2"] {
        report(&mut model, "production", host, 0.1);
    }
    let steady = ["app1", "app2", "db1-masterdb", "db2"];
    for _ in 0..3 {
        pass(&mut model, Duration::from_secs(1));
        report(&mut model, "production", "app1", 0.1);
        assert_eq!(
            sorted(&mut model, SortColumn::Age, false),
            steady,
            "all of them are as old as they should be"
        );
    }
    let slave = ServerStatus { read_only: Some(true), ..ServerStatus::default() };
    change(&mut model, "app1", |h| h.facts.databases = Fact::new(Vec::new(), now));
    change(&mut model, "app2", |h| h.facts.databases = Fact::new(Vec::new(), now));
    change(&mut model, "db2", |h| h.facts.databases = Fact::new(vec![database(Ok(slave))], now));
    for reversed in [false, true] {
        let rows = sorted(&mut model, SortColumn::Lag, reversed);
        assert_eq!(rows[2..], ["app1", "app2"], "reversed: {reversed}");
    }
}

#[test]
fn every_column_is_stepped_to_once() {
    let mut by = SortColumn::Severity;
    let mut words = Vec::new();
    loop {
        words.push(by.words());
        by = by.next();
        if by == SortColumn::Severity {
            break;
        }
    }
    assert_eq!(words.len(), 12);
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), 12);
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

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;

use super::*;
use crate::app::fixture::{jump_up, model, pass, press, report};
use crate::app::model::Model;
use crate::app::model::columns::NamedColumn;
use crate::app::rows::order::{Key, Order};
use crate::app::screens::{fleet::fleet_rows, replication::replication_rows};
use crate::config::keymap::KeyCode;
use crate::view::fixtures;
use crate::view::text::Align;
use jumpdeck_fleet::fact::{Fact, Gap};
use jumpdeck_fleet::replication::{Database, Engine, ServerStatus};
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

/// The order of a column.
fn by(words: &str) -> &'static Order {
    COLUMNS.iter().filter_map(|column| column.order.as_ref()).find(|order| order.words == words).unwrap()
}

fn sorted<'a>(model: &'a mut Model, by: &'static Order, reversed: bool) -> Vec<&'a str> {
    model.sort = Sort { by, reversed };
    names(model)
}

#[test]
fn unknown_figures_are_never_the_best_and_ties_keep_their_order() {
    let mut model = model();
    report(&mut model, "production", "app2", 9.0);
    report(&mut model, "production", "db2", 1.0);
    assert_eq!(sorted(&mut model, &order::INVENTORY, false), ["app1", "app2", "db1-masterdb", "db2"]);
    assert_eq!(sorted(&mut model, &order::INVENTORY, true), ["db2", "db1-masterdb", "app2", "app1"]);
    assert_eq!(sorted(&mut model, by("by host"), true), ["db2", "db1-masterdb", "app2", "app1"]);
    assert_eq!(sorted(&mut model, by("by load"), false), ["app2", "db2", "app1", "db1-masterdb"]);
    assert_eq!(sorted(&mut model, by("by load"), true), ["db2", "app2", "app1", "db1-masterdb"]);
    assert_eq!(sorted(&mut model, by("by age"), false), ["app1", "db1-masterdb", "app2", "db2"]);
    // Four cadences later the figures are no longer known.
    pass(&mut model, Duration::from_secs(21));
    assert_eq!(sorted(&mut model, by("by load"), false), ["app1", "app2", "db1-masterdb", "db2"]);
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
    assert_eq!(sorted(&mut model, by("by disk"), false), ["db2", "app2", "app1", "db1-masterdb"]);
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
    assert_eq!(sorted(&mut model, by("by replication"), false), ["db2", "db1-masterdb", "app1", "app2"]);
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
            sorted(&mut model, by("by age"), false),
            steady,
            "all of them are as old as they should be"
        );
    }
    let slave = ServerStatus { read_only: Some(true), ..ServerStatus::default() };
    change(&mut model, "app1", |h| h.facts.databases = Fact::new(Vec::new(), now));
    change(&mut model, "app2", |h| h.facts.databases = Fact::new(Vec::new(), now));
    change(&mut model, "db2", |h| h.facts.databases = Fact::new(vec![database(Ok(slave))], now));
    for reversed in [false, true] {
        let rows = sorted(&mut model, by("by replication"), reversed);
        assert_eq!(rows[2..], ["app1", "app2"], "reversed: {reversed}");
    }
}

/// The fleet table of a model, line by line.
fn drawn(model: &Model, columns: &'static [FleetColumn]) -> Vec<String> {
    let area = Rect::new(0, 0, 60, 6);
    let mut buf = Buffer::empty(area);
    let styles = fixtures::styles("dark");
    let scene = Scene::of(model, &styles).unwrap();
    draw_columns(&mut buf, area, &scene, &mut ViewState::default(), columns);
    let row = |y| (0..area.width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..area.height).map(|y| row(y).trim_end().to_owned()).collect()
}

/// Nothing else knows a column: one that is added here, as one descriptor, is drawn, stepped to and
/// sorted by.
#[test]
fn a_column_is_one_descriptor() {
    static ADDED: [FleetColumn; 2] = [
        FleetColumn {
            title: "LETTERS",
            align: Align::Right,
            widths: |_, _| (7, 7),
            rank: 3,
            of: Of::Host,
            cell: |row, _| Line::raw(row.host.id.host.as_str().len().to_string()),
            order: Some(Order {
                words: "by letters",
                down: true,
                key: |row| {
                    Key::highest(f64::from(u8::try_from(row.spec.id.host.as_str().len()).unwrap_or(0)))
                },
            }),
            ..columns::PLAIN
        },
        FleetColumn {
            title: "HOST",
            widths: |_, _| (15, 15),
            rank: 0,
            of: Of::Host,
            cell: |row, _| Line::raw(row.host.id.host.as_str()),
            ..columns::PLAIN
        },
    ];
    let mut model = model();
    let named =
        |column: &'static FleetColumn| NamedColumn { title: column.title, order: column.order.as_ref() };
    model.all_columns = ADDED.iter().map(named).collect();
    jump_up(&mut model, "production");
    model.keymap = Arc::new(crate::config::keymap::Keymap::builtin_default());
    press(&mut model, KeyCode::Char('s'));
    assert_eq!(model.sort.by.words, "by letters");
    assert_eq!(names(&model), ["db1-masterdb", "app1", "app2", "db2"]);
    let lines = drawn(&model, &ADDED);
    assert_eq!(lines[0].trim(), "LETTERS↓ HOST");
    assert!(lines[1].ends_with("12 db1-masterdb"), "{lines:?}");
    press(&mut model, KeyCode::Char('S'));
    assert_eq!(names(&model), ["db2", "app1", "app2", "db1-masterdb"]);
    assert_eq!(drawn(&model, &ADDED)[0].trim(), "LETTERS↑ HOST");
    press(&mut model, KeyCode::Char('s'));
    assert_eq!(model.sort.by.words, order::INVENTORY.words);
}

#[test]
fn every_order_is_stepped_to_once_and_no_two_columns_have_the_same_title() {
    let mut model = fixtures::healthy();
    let mut words = Vec::new();
    for _ in 0..18 {
        words.push(model.sort.by.words);
        press(&mut model, KeyCode::Char('s'));
    }
    assert_eq!(model.sort.by.words, words[0]);
    let mut titles: Vec<&str> = COLUMNS.iter().map(|column| column.title).collect();
    for (names, count) in [(&mut words, 18), (&mut titles, COLUMNS.len())] {
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

/// The name of a column is in its descriptor, and no other code has it: a column that goes leaves nothing behind.
#[test]
fn no_other_file_names_a_column_or_its_order() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["src/app/model.rs", "src/app/rows.rs", "src/app/rows/order.rs", "src/view/screens/fleet.rs"]
    {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for column in &COLUMNS {
            let order = column.order.as_ref().map(|order| order.words);
            for name in [Some(column.title), order].into_iter().flatten() {
                assert!(!text.contains(&format!("\"{name}\"")), "{file} names {name}");
            }
        }
    }
}

#[test]
fn chosen_columns_are_shown_in_their_order_and_the_first_stay_longest() {
    let mut model = fixtures::healthy();
    model.columns = Some(vec!["AGE", "HOST", "WORST PROBLEM", "DISK", "OS"]);
    let styles = fixtures::styles("dark");
    let scene = Scene::of(&model, &styles).unwrap();
    let titles = |width| {
        let area = Rect::new(0, 0, width, 6);
        let mut buf = Buffer::empty(area);
        draw(&mut buf, area, &scene, &mut ViewState::default());
        (4..width)
            .map(|x| buf[(x, 0)].symbol())
            .collect::<String>()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(titles(100), "AGE HOST WORST PROBLEM DISK OS");
    assert_eq!(titles(60), "AGE HOST WORST PROBLEM DISK");
    assert_eq!(titles(30), "AGE HOST");
    let words: Vec<_> = model.orders().iter().map(|order| order.words).collect();
    assert_eq!(words, ["by age", "by host", "by disk", "by OS"]);
}

#[test]
fn every_column_is_sorted_by_and_each_is_reached_by_the_key() {
    let without: Vec<&str> =
        COLUMNS.iter().filter(|column| column.order.is_none()).map(|column| column.title).collect();
    assert_eq!(without, ["DIFFERS", "WORST PROBLEM"], "whose order is that of the signs");
    let mut model = fixtures::trouble();
    let mut reached = vec![model.sort.by.words];
    loop {
        press(&mut model, KeyCode::Char('s'));
        if model.sort.by == &order::SEVERITY {
            break;
        }
        reached.push(model.sort.by.words);
        assert_eq!(names(&model).len(), 26);
    }
    assert_eq!(reached.len(), COLUMNS.len() - without.len() + 2, "{reached:?}");
    assert!(COLUMNS.iter().filter_map(|c| c.order.as_ref()).all(|order| reached.contains(&order.words)));
}

#[test]
fn texts_are_sorted_from_a_and_what_is_unknown_is_not_among_them() {
    let mut model = model();
    let now = model.now;
    for host in ["app1", "app2", "db1-masterdb", "db2"] {
        report(&mut model, "production", host, 0.1);
    }
    let os = |release: &str| {
        let release = Clean::new(release);
        Fact::new(jumpdeck_fleet::snapshot::Os { pretty: release.clone(), release, kernel: None }, now)
    };
    let level = |level: Option<&str>| {
        let level = level.map(Clean::new);
        Fact::new(jumpdeck_fleet::snapshot::Grains { level, ..Default::default() }, now)
    };
    change(&mut model, "app1", |h| {
        (h.facts.os, h.facts.grains) = (os("ubuntu 12.04"), level(Some("production")))
    });
    change(&mut model, "app2", |h| h.facts.grains = level(None));
    change(&mut model, "db2", |h| (h.facts.os, h.facts.grains) = (os("debian 12"), level(Some("dev"))));
    assert_eq!(sorted(&mut model, by("by OS"), false), ["db2", "app1", "app2", "db1-masterdb"]);
    assert_eq!(sorted(&mut model, by("by OS"), true), ["app1", "db2", "app2", "db1-masterdb"]);
    assert_eq!(sorted(&mut model, by("by environment"), false), ["db1-masterdb", "app2", "db2", "app1"]);
}

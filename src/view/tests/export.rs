//! The table on screen as data.

use super::*;
use crate::view::table;
use jumpdeck_fleet::table::PlainTable;

fn exported(model: &Model) -> PlainTable {
    table(model, &styles("dark")).unwrap_or_else(|why| panic!("{why}"))
}

fn cell<'t>(table: &'t PlainTable, host: &str, title: &str) -> &'t str {
    let at =
        |title: &str| table.titles.iter().position(|one| one == title).unwrap_or_else(|| panic!("{title}"));
    let row = table.rows.iter().find(|row| row[at("HOST")] == host).unwrap_or_else(|| panic!("{host}"));
    &row[at(title)]
}

#[test]
fn the_rows_and_columns_that_are_shown_are_exported_to_their_ends() {
    let mut model = trouble();
    model.size = (120, 40);
    let table = exported(&model);
    assert_eq!((table.rows.len(), table.simulated, table.screen.as_str()), (26, true, "fleet"));
    assert_eq!(cell(&table, "db2", "STATE"), "critical");
    assert_eq!(cell(&table, "app1", "STATE"), "ok");
    assert!(cell(&table, "app1", "MEMORY").ends_with('%') && !cell(&table, "app1", "MEMORY").contains('━'));
    assert_eq!(
        (cell(&table, "piwik", "1m"), cell(&table, "piwik", "DISK")),
        ("?", "?"),
        "no figure of a silent host"
    );
    assert!(cell(&table, "piwik", "NOTE").starts_with("unreachable"), "{:?}", table.titles);
    let mut small = trouble();
    small.size = (80, 24);
    assert!(exported(&small).titles.len() < table.titles.len(), "columns as shown");
    let mut filtered = trouble();
    filtered.filter_mut().unwrap().text.set("role:db");
    let table = exported(&settled(filtered));
    assert_eq!((table.rows.len(), table.filter.as_str()), (3, "role:db"));
}

#[test]
fn every_screen_with_a_table_exports_all_its_rows() {
    let every = crate::config::action::Destination::ALL.iter().map(|to| Screen::at(*to).unwrap());
    for screen in every.chain([Screen::Host(name("db2"))]) {
        let mut model = on(trouble(), screen);
        let name = model.screen_words();
        model.size = (120, 40);
        let kind = model.screen().kind();
        match table(&model, &styles("dark")) {
            Ok(table) => {
                assert!(kind.is_table(), "{name}");
                let titles: std::collections::BTreeSet<&String> = table.titles.iter().collect();
                assert_eq!(titles.len(), table.titles.len(), "{name}: {:?}", table.titles);
                assert!(table.rows.len() >= crate::app::rows::count(&model), "{name}");
                assert!(table.rows.iter().all(|row| row.len() == table.titles.len()), "{name}");
            }
            Err(why) => {
                assert!(!kind.is_table() || crate::app::rows::count(&model) == 0, "{name}: {why}");
            }
        }
    }
}

#[test]
fn a_thousand_rows_are_exported_and_more_than_can_be_held_are_refused() {
    let mut model = large(1000);
    model.size = (200, 50);
    assert_eq!(exported(&model).rows.len(), 1000);
    let mut model = large(6000);
    model.size = (200, 50);
    let why = table(&model, &styles("dark")).unwrap_err();
    assert!(why.starts_with("6000 rows are too many"), "{why}");
}

#[test]
fn a_paused_screen_is_exported_with_its_own_time() {
    let mut model = trouble();
    model.paused = Some(Paused { since: NOW, environments: model.environments.clone() });
    let live = exported(&trouble()).taken_at;
    model.now = Moment(NOW.0 + 40_000);
    let table = exported(&model);
    assert_eq!((table.paused.as_deref(), table.taken_at), (Some("40s"), live));
}

#[test]
fn the_dialog() {
    for size in [(80, 24), (120, 40)] {
        let mut model = trouble();
        model.size = size;
        crate::app::update::update(
            &mut model,
            crate::app::message::Msg::Key(crate::config::keymap::KeyPress {
                code: crate::config::keymap::KeyCode::Char('e'),
                ctrl: false,
                alt: false,
            }),
        );
        snapshot("export", &model, size);
    }
}

//! The command palette.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use ratatui::style::Modifier;

use super::*;
use crate::app::message::Msg;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};

fn press(model: &mut Model, code: KeyCode) {
    update(model, Msg::Key(KeyPress { code, ctrl: false, alt: false }));
    model.settle();
}

/// The palette over a screen, with this typed.
pub(super) fn typed(mut model: Model, text: &str) -> Model {
    for c in [':'].into_iter().chain(text.chars()) {
        press(&mut model, KeyCode::Char(c));
    }
    assert!(model.palette.is_open());
    model
}

fn with_runbooks(mut model: Model) -> Model {
    let listing = super::run_fixtures::listing();
    model.runs.listings.insert(listing.env.clone(), listing);
    model
}

#[test]
fn the_palette() {
    for size in [(80, 24), (120, 40), (60, 15)] {
        let mut model = with_runbooks(trouble());
        model.size = size;
        snapshot("palette", &typed(model, ""), size);
    }
    for size in [(80, 24), (120, 40)] {
        snapshot("palette-typed", &typed(with_runbooks(trouble()), "masterdb"), size);
    }
    snapshot("palette-runbooks-unknown", &typed(on(trouble(), Screen::Host(name("db2"))), "ba"), (80, 24));
    snapshot("palette-empty", &typed(trouble(), "no such thing"), (80, 24));
}

#[test]
fn typed_letters_can_be_told_apart_without_colour() {
    let buf = drawn(&typed(trouble(), "mdb"), &Styles::default(), (80, 24));
    let underlined = |row: &[ratatui::buffer::Cell]| {
        let marked = row.iter().filter(|cell| cell.modifier.contains(Modifier::UNDERLINED | Modifier::BOLD));
        marked.map(ratatui::buffer::Cell::symbol).collect::<String>()
    };
    let row = buf.content.chunks(80).find(|row| {
        let text: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.contains("▸ db1-masterdb ")
    });
    assert_eq!(underlined(row.unwrap()), "mdb");
}

#[test]
fn ascii_terminals_get_it_in_ascii() {
    let buf = drawn(&typed(trouble(), "db"), &styles("dark").in_ascii(true), (80, 24));
    assert!(buf.content.iter().all(|cell| cell.symbol().is_ascii()));
    assert!(rows(&buf).iter().any(|row| row.contains("> db1-masterdb ")), "{}", rows(&buf).join("\n"));
}

#[test]
fn a_gone_selection_is_said_and_the_rest_of_a_long_list_is_reached() {
    let mut model = typed(large(1000), "host");
    for _ in 0..700 {
        press(&mut model, KeyCode::Down);
    }
    let screen = text(&model, (80, 24));
    let row = screen.lines().find(|row| row.contains('▸') && row.contains("host of")).unwrap();
    let selected = row.split_whitespace().find(|word| word.starts_with("app")).unwrap().to_owned();
    assert!(selected.len() > 5, "far down: {row}");
    let fleet = jumpdeck_fleet::fleet::Fleet {
        environments: model
            .fleet
            .environments
            .iter()
            .map(|env| {
                let mut env = jumpdeck_fleet::fleet::Environment::clone(env);
                env.hosts.retain(|host| host.id.host.as_str() != selected);
                std::sync::Arc::new(env)
            })
            .collect(),
        simulated: true,
    };
    let news = jumpdeck_fleet::event::InventoryNews::Read(std::sync::Arc::new(fleet));
    update(&mut model, Msg::Fleet(jumpdeck_fleet::event::FleetEvent::Inventory(news)));
    model.settle();
    let screen = text(&model, (80, 24));
    assert!(screen.contains("What was selected is gone: ↑ ↓ select another entry."), "{screen}");
}

#[test]
fn no_size_is_too_odd_for_it() {
    for size in [(1, 1), (59, 40), (60, 14), (60, 15), (61, 16), (133, 15), (300, 80)] {
        for text in ["", "db", "no such thing"] {
            drawn(&typed(odd(), text), &styles("dark"), size);
        }
    }
}

//! A sequence of keys that is under way.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use super::*;
use crate::app::message::Msg;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress, Keymap, parse_onto};

fn with(mut model: Model, own: &str, typed: &str) -> Model {
    let base = Keymap::builtin("vim").unwrap();
    model.keymap = Arc::new(parse_onto(&base, "own.toml", own).unwrap());
    for c in typed.chars() {
        update(&mut model, Msg::Key(KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false }));
        model.settle();
    }
    model
}

/// Every action behind the space bar.
fn all_behind_space() -> String {
    use crate::config::action::Action;
    let line = |(at, action): (usize, &Action)| {
        let [first, second] = [at / 26, at % 26].map(|n| char::from(b'a' + u8::try_from(n).unwrap()));
        format!("{} = [\"space {first} {second}\", \"f{}\"]\n", action.name(), at + 1)
    };
    let lines = Action::ALL.iter().take(12).enumerate().map(line).collect::<String>();
    let rest = Action::ALL.iter().skip(12).enumerate().map(|(at, action)| {
        let [first, second] = [at / 26, at % 26].map(|n| char::from(b'A' + u8::try_from(n).unwrap()));
        format!("{} = [\"space {first} {second}\"]\n", action.name())
    });
    format!("[keys]\n{lines}{}", rest.collect::<String>())
}

#[test]
fn what_was_typed_and_what_can_follow() {
    for size in [(80, 24), (120, 40)] {
        let mut model = with(trouble(), "[keys]\n", "g");
        model.size = size;
        snapshot("sequence", &model, size);
        snapshot("sequence-many", &with(trouble(), &all_behind_space(), " "), size);
        snapshot("sequence-not-bound", &with(trouble(), "[keys]\n", "gx"), size);
    }
    snapshot("sequence-narrow", &with(trouble(), &all_behind_space(), " "), (60, 15));
}

#[test]
fn hints_help_and_palette_show_sequences_and_the_keys_of_the_screen() {
    let own = "[keys]\nhelp = [\"space h\"]\npause = [\"p\"]\n[keys.problems]\nhelp = [\"f12\"]\nfirst = [\"space f\", \"g g\"]";
    let fleet = with(trouble(), own, "");
    let keys = |model: &Model| text(model, (120, 40)).lines().last().unwrap().to_owned();
    assert!(keys(&fleet).contains("Space h help"), "{}", keys(&fleet));
    let problems = on(with(trouble(), own, ""), Screen::Problems);
    assert!(keys(&problems).contains("F12 help"), "{}", keys(&problems));
    let mut help = problems;
    help.help = Some(0);
    let shown = text(&help, (120, 90));
    assert!(shown.contains("Space f    first row") && shown.contains("g t"), "{shown}");
    let palette = super::palette::typed(on(with(trouble(), own, ""), Screen::Fleet), "first row");
    let shown = text(&palette, (80, 24));
    assert!(shown.lines().any(|row| row.contains("first row") && row.contains("g g")), "{shown}");
}

//! A walk through every screen: by its keys, by the command palette alone, and with the keymap of vim. On each, the header names the
//! environment that keys act on, and no size of a terminal is too small or too large.

use super::*;
use crate::app::message::{AppEffect, Msg};
use crate::app::model::shell::{ShellBox, ShellStage};
use crate::app::update::update;
use crate::config::action::{Action, Destination};
use crate::config::keymap::{KeyCode, KeyPress, Keymap};
use std::sync::Arc;

/// One key, and what the loop does before the next.
fn press(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let effects = update(model, Msg::Key(key));
    model.settle();
    model.drawn(crate::app::model::Room::default());
    effects
}

fn plain_key(code: KeyCode) -> KeyPress {
    KeyPress { code, ctrl: false, alt: false }
}

/// The keys of an action on the screen that is on top.
fn act(model: &mut Model, action: Action) -> Vec<AppEffect> {
    let keys = model.keys_of(action).next().cloned();
    let keys = keys.unwrap_or_else(|| panic!("{} has no key", action.name()));
    keys.keys().iter().flat_map(|key| press(model, *key)).collect()
}

/// By the palette alone: a colon, the words, Enter.
fn by_palette(model: &mut Model, words: &str) -> Vec<AppEffect> {
    for c in [':'].into_iter().chain(words.chars()) {
        press(model, plain_key(KeyCode::Char(c)));
    }
    assert!(model.palette.is_open(), "{words}");
    press(model, plain_key(KeyCode::Enter))
}

fn keymaps() -> Vec<(&'static str, Arc<Keymap>)> {
    ["default", "vim"].map(|name| (name, Arc::new(Keymap::builtin(name).unwrap()))).to_vec()
}

fn with_keys(keymap: &Arc<Keymap>) -> Model {
    let mut model = trouble();
    model.keymap = keymap.clone();
    model
}

#[test]
fn every_screen_is_reached_by_its_key_and_by_the_palette_from_every_other() {
    for (name, keymap) in keymaps() {
        for from in Destination::ALL {
            for to in Destination::ALL {
                let mut by_key = with_keys(&keymap);
                act(&mut by_key, Action::Screen(*from));
                act(&mut by_key, Action::Screen(*to));
                assert_eq!(by_key.screen(), &Screen::at(*to).unwrap(), "{name}: {from:?} to {to:?}");
                let mut palette = with_keys(&keymap);
                for screen in [from, to] {
                    by_palette(&mut palette, Action::Screen(*screen).help());
                }
                assert_eq!(palette.screen(), by_key.screen(), "{name}: {from:?} to {to:?} by the palette");
            }
        }
    }
}

/// What is refreshed is what is named: after every way to another environment, on every screen.
#[test]
fn the_header_names_the_environment_that_keys_act_on() {
    let named = |model: &Model| {
        let shown = text(model, (120, 40));
        shown.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_lowercase()
    };
    let acted_on = |effects: &[AppEffect]| {
        let asked = effects.iter().find_map(|effect| match effect {
            AppEffect::Refresh(env) => Some(env.to_string()),
            _ => None,
        });
        asked.unwrap_or_else(|| panic!("no host of an environment is asked: {effects:?}"))
    };
    for (name, keymap) in keymaps() {
        for to in Destination::ALL {
            let mut model = with_keys(&keymap);
            assert!(model.environments.len() > 1);
            act(&mut model, Action::Screen(*to));
            for step in 0..2 * model.environments.len() {
                let wanted = model.environments[model.active].spec.name.to_string();
                let effects = act(&mut model, Action::Refresh);
                assert_eq!(
                    (named(&model), acted_on(&effects)),
                    (wanted.clone(), wanted),
                    "{name}: {to:?}, step {step}"
                );
                if model.screen() != &Screen::at(*to).unwrap() {
                    break;
                }
                act(&mut model, Action::NextEnvironment);
            }
        }
    }
}

#[test]
fn no_terminal_is_too_small_or_too_large() {
    let mut models: Vec<Model> = Vec::new();
    for to in Destination::ALL {
        models.push(on(trouble(), Screen::at(*to).unwrap()));
    }
    models.push(on(trouble(), Screen::Host(name("db2"))));
    models.push(on(odd(), Screen::Host(name("app1"))));
    let mut help = trouble();
    help.help = Some(0);
    models.push(help);
    models.push(palette::typed(trouble(), "d"));
    models.push(asked(QuestionKind::Passphrase { key: "k".to_owned(), wrong: true }));
    let mut shell = trouble();
    let env = shell.environments[0].spec.name.clone();
    shell.shell = Some(ShellBox { number: 1, host: name("app1"), env, stage: ShellStage::Opening });
    models.push(shell);
    let small = (0..90).step_by(7).flat_map(|width| (0..30).step_by(3).map(move |height| (width, height)));
    let edges = [(59, 15), (60, 14), (60, 15), (61, 16), (500, 15), (60, 300), (400, 200)];
    for size in small.chain(edges) {
        for model in &mut models {
            model.size = size;
            let buf = drawn(model, &styles("dark"), size);
            assert_eq!((buf.area.width, buf.area.height), size);
        }
    }
}

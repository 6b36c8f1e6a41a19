//! A walk to everything that can be on screen: by its keys, by the command palette alone, and with the keymap of vim. On each main screen,
//! the header names the environment that keys act on.

use super::pictures::walker::{By, Walker};
use super::pictures::{self, PICTURE_SIZES};
use super::*;
use crate::app::message::AppEffect;
use crate::config::action::{Action, Destination};

fn walker(by: By) -> Walker {
    Walker::new(trouble(), by)
}

/// Every screen, every dialog, and what else lies over a screen. Where the keys are the same, so is what is seen.
#[test]
fn every_picture_is_reached_by_keys_by_the_palette_alone_and_with_the_keymap_of_vim() {
    for picture in pictures::all() {
        let [by_keys, by_vim, by_palette] = By::ALL.map(|by| picture.by(by));
        for size in PICTURE_SIZES {
            assert_eq!(
                text(&by_keys, size),
                text(&by_palette, size),
                "{}: by keys, and by the palette",
                picture.name
            );
            assert_eq!(
                rows_of(&by_keys, size),
                rows_of(&by_vim, size),
                "{}: with the keymap of vim",
                picture.name
            );
        }
    }
}

/// How many lines there are: what they say of keys is another thing in each keymap.
fn rows_of(model: &Model, size: (u16, u16)) -> usize {
    text(model, size).lines().filter(|line| !line.is_empty()).count()
}

/// Wherever one is, the way back leads to the first screen, and nothing is left open.
#[test]
fn the_way_back_leads_from_every_screen_to_the_first() {
    for by in By::ALL {
        for picture in pictures::screens_alone() {
            let mut walker = Walker::new(picture.by(by), by);
            for _ in 0..4 {
                if walker.model.screens.len() > 1 {
                    walker = walker.act(Action::Back);
                }
            }
            let screens = &walker.model.screens;
            let first = screens.len() == 1 && !screens[0].kind().is_page();
            assert!(first, "{by:?}: {} leads back to {screens:?}", picture.name);
        }
    }
}

#[test]
fn every_screen_is_reached_from_every_other() {
    for by in By::ALL {
        for from in Destination::ALL {
            for to in Destination::ALL {
                let model = walker(by).at(*from).at(*to).model;
                assert_eq!(model.screen(), &Screen::at(*to).unwrap(), "{by:?}: {from:?} to {to:?}");
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
    for by in By::ALL {
        for to in Destination::ALL {
            let mut walker = walker(by).at(*to);
            let environments = walker.model.environments.len();
            assert!(environments > 1);
            for step in 0..2 * environments {
                let wanted = walker.model.environments[walker.model.active].spec.name.to_string();
                walker = walker.act(Action::Refresh);
                assert_eq!(
                    (named(&walker.model), acted_on(&walker.effects)),
                    (wanted.clone(), wanted),
                    "{by:?}: {to:?}, step {step}"
                );
                if walker.model.screen() != &Screen::at(*to).unwrap() {
                    break;
                }
                walker = walker.act(Action::NextEnvironment);
            }
        }
    }
}

//! Somebody who goes through the console: by the keys of a keymap, or by the command palette alone. What is typed into a field is the same.

use std::sync::Arc;
use std::time::Duration;

use crate::app::message::{AppEffect, Msg};
use crate::app::model::palette::PaletteTarget;
use crate::app::model::{LibraryRow, Model, Room};
use crate::app::update::update;
use crate::config::action::{Action, Destination};
use crate::config::keymap::{KeyCode, KeyPress, Keymap};
use jumpdeck_fleet::names::HostName;

/// How somebody goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::view::tests) enum By {
    /// By the keys of the keymap of that name.
    Keys(&'static str),
    /// By the palette alone: no key but the one that opens it, what is typed there, and Enter.
    Palette,
}

impl By {
    /// Every way.
    pub(in crate::view::tests) const ALL: [Self; 3] =
        [Self::Keys("default"), Self::Keys("vim"), Self::Palette];
}

/// No list of a test is longer.
const LONGEST_LIST: usize = 60;

/// A console, and how one goes through it.
pub(in crate::view::tests) struct Walker {
    pub(in crate::view::tests) model: Model,
    pub(in crate::view::tests) by: By,
    /// What the last key led to.
    pub(in crate::view::tests) effects: Vec<AppEffect>,
}

impl Walker {
    pub(in crate::view::tests) fn new(mut model: Model, by: By) -> Self {
        let keymap = match by {
            By::Keys(keymap) => keymap,
            By::Palette => "default",
        };
        model.keymap = Arc::new(Keymap::builtin(keymap).unwrap());
        let mut walker = Self { model, by, effects: Vec::new() };
        walker.frame();
        walker
    }

    /// What the loop does before the next key.
    fn frame(&mut self) {
        self.model.settle();
        self.model.drawn(Room::default());
    }

    fn press(&mut self, key: KeyPress) {
        self.effects.extend(update(&mut self.model, Msg::Key(key)));
        self.frame();
    }

    /// A key that no keymap has: of a field or a dialog.
    pub(in crate::view::tests) fn key(mut self, code: KeyCode) -> Self {
        self.effects.clear();
        self.press(KeyPress { code, ctrl: false, alt: false });
        self
    }

    pub(in crate::view::tests) fn text(self, text: &str) -> Self {
        text.chars().fold(self, |walker, c| walker.key(KeyCode::Char(c)))
    }

    /// Does what an action does.
    pub(in crate::view::tests) fn act(self, action: Action) -> Self {
        match self.by {
            By::Palette if action != Action::Palette => {
                let words = self.model.words_of(action);
                self.entry(words, |target| matches!(target, PaletteTarget::Action(one, _) if *one == action))
            }
            By::Palette | By::Keys(_) => self.keys_of(action),
        }
    }

    fn keys_of(mut self, action: Action) -> Self {
        let keys = self.model.keys_of(action).next().cloned();
        let keys = keys.unwrap_or_else(|| panic!("{:?}: {} has no key", self.by, action.name()));
        self.effects.clear();
        for key in keys.keys() {
            self.press(*key);
        }
        self
    }

    /// Takes the first entry for these words; it must be what is wanted.
    fn entry(self, words: &str, wanted: impl Fn(&PaletteTarget) -> bool) -> Self {
        let walker = self.keys_of(Action::Palette).text(words);
        let list = walker.model.palette.list().unwrap_or_else(|| panic!("no palette for {words}"));
        let target = list.target();
        assert!(target.is_some_and(&wanted), "{words:?} leads to {target:?}");
        walker.key(KeyCode::Enter)
    }

    /// Takes the first entry for these words.
    pub(in crate::view::tests) fn type_into_palette(self, words: &str) -> Self {
        self.entry(words, |_| true)
    }

    pub(in crate::view::tests) fn at(self, to: Destination) -> Self {
        self.act(Action::Screen(to))
    }

    /// Goes down from the first row until something holds.
    fn row(self, is_it: impl Fn(&Model) -> bool) -> Self {
        let mut walker = self.act(Action::First);
        for _ in 0..LONGEST_LIST {
            if is_it(&walker.model) {
                return walker;
            }
            walker = walker.act(Action::Down);
        }
        panic!("no such row")
    }

    /// Selects a host of the fleet.
    pub(in crate::view::tests) fn select(self, host: &str) -> Self {
        let selected = |model: &Model| {
            model.shown().and_then(|env| env.selection.host.as_ref()).is_some_and(|one| one.as_str() == host)
        };
        self.at(Destination::Fleet).row(selected)
    }

    pub(in crate::view::tests) fn mark(self, host: &str) -> Self {
        self.select(host).act(Action::Mark)
    }

    /// Opens the page of a host of the fleet.
    pub(in crate::view::tests) fn open_host(self, host: &str) -> Self {
        match self.by {
            By::Keys(_) => self.select(host).act(Action::Open),
            By::Palette => {
                let wanted = HostName::new(host).unwrap();
                // A saved view may have the name of a host.
                self.entry(
                    &format!("{host} host"),
                    |target| matches!(target, PaletteTarget::Host(id) if id.host == wanted),
                )
            }
        }
    }

    /// Selects a row of the list of runbooks.
    pub(in crate::view::tests) fn row_of_library(self, is_it: impl Fn(&LibraryRow) -> bool) -> Self {
        self.row(|model| model.shown().and_then(|env| env.selection.runbook.as_ref()).is_some_and(&is_it))
    }

    /// Something happens in the world.
    pub(in crate::view::tests) fn hear(mut self, news: Msg) -> Self {
        update(&mut self.model, news);
        self.frame();
        self
    }

    pub(in crate::view::tests) fn wait(self, time: Duration) -> Self {
        let later = self.model.now.plus(time);
        self.hear(Msg::Tick(later))
    }

    pub(in crate::view::tests) fn change(mut self, change: impl FnOnce(Model) -> Model) -> Self {
        self.model = change(self.model);
        self.frame();
        self
    }
}

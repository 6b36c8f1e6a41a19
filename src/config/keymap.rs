//! Keys and what they are bound to. The default is `keymaps/default.toml`, embedded; the user's own file
//! overrides it binding by binding.

use std::collections::BTreeMap;

use super::action::Action;
use super::diagnostic::Diagnostic;
use super::reader::Reader;

mod key;
mod layer;
mod read;
mod sequence;

pub use key::{KeyCode, KeyError, KeyPress};
pub use layer::Layer;
pub use sequence::{KeySequence, LONGEST_SEQUENCE, shown};

/// Keys and their actions, in the order in which hints prefer them. None is the beginning of another.
type Bindings = Vec<(KeySequence, Action)>;

/// What a layer says of each action that it names: all of its keys there.
type LayerKeys = BTreeMap<Action, Vec<KeySequence>>;

/// Which keys do what. Built once, validated, never changed.
///
/// No sequence that works on a screen is the beginning of another one that works there, so a key is never ambiguous and
/// nothing waits for a time to pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keymap {
    /// `[keys]`.
    everywhere: Bindings,
    /// `[keys.SCREEN]`, as it is written.
    layers: BTreeMap<Layer, LayerKeys>,
    /// What works on the screens that have a layer.
    in_force: BTreeMap<Layer, Bindings>,
}

/// What keys lead to that were pressed one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMatch {
    /// To an action.
    Action(Action),
    /// To nothing yet: a sequence begins with them.
    Begins,
    /// To nothing.
    Nothing,
}

impl Keymap {
    fn new(everywhere: Bindings, layers: BTreeMap<Layer, LayerKeys>) -> Self {
        let in_force =
            layers.iter().map(|(layer, named)| (*layer, read::in_force(&everywhere, named))).collect();
        Self { everywhere, layers, in_force }
    }

    /// What works on the screen of a layer; without one, what works everywhere.
    fn bindings(&self, layer: Option<Layer>) -> &[(KeySequence, Action)] {
        layer.and_then(|layer| self.in_force.get(&layer)).unwrap_or(&self.everywhere)
    }

    /// What keys that were pressed one after another lead to.
    #[must_use]
    pub fn find(&self, layer: Option<Layer>, typed: &[KeyPress]) -> KeyMatch {
        let begun = self.bindings(layer).iter().find(|(keys, _)| keys.keys().starts_with(typed));
        match begun {
            Some((keys, action)) if keys.keys().len() == typed.len() => KeyMatch::Action(*action),
            Some(_) => KeyMatch::Begins,
            None => KeyMatch::Nothing,
        }
    }

    /// What one key does at once.
    #[must_use]
    pub fn action(&self, layer: Option<Layer>, key: KeyPress) -> Option<Action> {
        match self.find(layer, &[key]) {
            KeyMatch::Action(action) => Some(action),
            KeyMatch::Begins | KeyMatch::Nothing => None,
        }
    }

    /// The keys of an action, the first being the one hints show.
    pub fn keys(&self, layer: Option<Layer>, action: Action) -> impl Iterator<Item = &KeySequence> + '_ {
        self.bindings(layer).iter().filter(move |(_, a)| *a == action).map(|(keys, _)| keys)
    }

    /// What can follow keys that were pressed, each with what it leads to, in the order of help.
    #[must_use]
    pub fn following(&self, layer: Option<Layer>, typed: &[KeyPress]) -> Vec<(String, Action)> {
        let mut all: Vec<(String, Action)> = self
            .bindings(layer)
            .iter()
            .filter_map(|(keys, action)| Some((read::rest(keys, typed)?, *action)))
            .collect();
        all.sort_by_key(|(_, action)| *action);
        all
    }

    /// The keymap that comes with the program.
    #[must_use]
    pub fn builtin_default() -> Self {
        let (file, text) = DEFAULT;
        // A test reads it: it never falls back to the empty one.
        parse_onto(&Self::default(), file, text).unwrap_or_default()
    }

    /// A keymap that comes with the program, by name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        let default = Self::builtin_default();
        let (file, text) = BUILTIN.iter().find(|(n, _)| *n == name)?.1;
        parse_onto(&default, file, text).ok()
    }
}

const DEFAULT: (&str, &str) = ("keymaps/default.toml", include_str!("../../keymaps/default.toml"));

/// The keymaps that come with the program: name, then file name and text.
pub(crate) const BUILTIN: [(&str, (&str, &str)); 2] =
    [("default", DEFAULT), ("vim", ("keymaps/vim.toml", include_str!("../../keymaps/vim.toml")))];

/// The key that quits whatever a keymap says.
const ALWAYS_QUITS: KeyPress = KeyPress { code: KeyCode::Char('c'), ctrl: true, alt: false };

/// Reads a keymap file over `base`, action by action: an action that a table of the file names has the keys given there
/// and no others (`[]`: none); the rest stays as in `base`. Keys given to another action are taken from the one that had
/// them, and so are those that they would hide. A layer (`[keys.run]`) says the same of its screen alone, over `[keys]`.
///
/// # Errors
/// Every mistake of the file: syntax, unknown actions and layers, keys that cannot be read or told apart, keys bound
/// twice or beginning others that work on the same screen (both places are named), and an action that lost its last key
/// to another one.
pub fn parse_onto(base: &Keymap, file: &str, text: &str) -> Result<Keymap, Vec<Diagnostic>> {
    let mut reader = Reader::new(file, text);
    let root = reader.parse(text);
    let keymap = root.as_ref().and_then(|root| {
        let root = reader.root(root);
        reader.only(&root, &["keys"]);
        if root.get("keys").is_none() {
            reader.error(0..0, "\"keys\" is missing", "add [keys] and lines such as quit = [\"q\"] below it");
        }
        let table =
            reader.subtable(&root, "keys", "write [keys] and lines such as quit = [\"q\"] below it")?;
        Some(read::merge(&mut reader, base, &table))
    });
    reader.finish(keymap)
}

#[cfg(test)]
mod tests;

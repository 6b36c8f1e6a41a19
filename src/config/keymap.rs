//! Keys and what they are bound to. The default is `keymaps/default.toml`, embedded; the user's own file
//! overrides it binding by binding.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::action::Action;
use super::diagnostic::{Diagnostic, nearest};
use super::reader::{At, Reader, Table};

mod key;

pub use key::{KeyCode, KeyError, KeyPress};

/// Which keys do what. Built once, validated, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keymap {
    bindings: Vec<(KeyPress, Action)>,
}

impl Keymap {
    /// What a key does.
    #[must_use]
    pub fn action(&self, key: KeyPress) -> Option<Action> {
        self.bindings.iter().find(|(k, _)| *k == key).map(|(_, a)| *a)
    }

    /// The keys of an action, the first being the one hints show.
    pub fn keys(&self, action: Action) -> impl Iterator<Item = KeyPress> + '_ {
        self.bindings.iter().filter(move |(_, a)| *a == action).map(|(k, _)| *k)
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

/// Reads a keymap file over `base`, action by action: an action that the file names has the keys given there and no
/// others (`[]`: none); the rest stays as in `base`. A key given to another action is taken from the one it had.
///
/// # Errors
/// Every mistake of the file: syntax, unknown keys and actions, keys that cannot be read or told apart, a key bound
/// twice (both places are named), and an action that lost its last key to another one.
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
        Some(merge(&mut reader, base, &table))
    });
    reader.finish(keymap)
}

fn merge(reader: &mut Reader, base: &Keymap, table: &Table<'_>) -> Keymap {
    let mut own: BTreeMap<Action, Vec<KeyPress>> = BTreeMap::new();
    let mut taken: HashMap<KeyPress, (Action, Range<usize>)> = HashMap::new();
    for (name, _) in table.entries() {
        let Ok(action) = name.value.parse::<Action>() else {
            unknown_action(reader, &name);
            continue;
        };
        let hint = format!("write {} = [\"x\", \"ctrl-x\"], or [] for no key", name.value);
        let written = reader.strings(table, name.value, &hint).unwrap_or_default();
        let keys = own.entry(action).or_default();
        for at in written {
            if let Some(key) = read_key(reader, action, &at, &mut taken) {
                keys.push(key);
            }
        }
    }
    let mut bindings = Vec::new();
    for action in Action::ALL.iter().copied() {
        let keys = match own.get(&action) {
            Some(keys) => keys.clone(),
            None => {
                let had: Vec<_> = base.keys(action).collect();
                let left: Vec<_> = had.iter().copied().filter(|k| !taken.contains_key(k)).collect();
                if left.is_empty()
                    && let Some((key, (by, span))) = had.first().and_then(|k| Some((k, taken.get(k)?)))
                {
                    let message = format!("{key} was the only key of {:?}", action.name());
                    let help = format!(
                        "give {0} another key: {0} = [\"…\"]; or write {0} = [], if only {1} shall have this key",
                        action.name(),
                        by.name()
                    );
                    reader.error(span.clone(), message, help);
                }
                left
            }
        };
        bindings.extend(keys.into_iter().map(|key| (key, action)));
    }
    if !bindings.iter().any(|(key, _)| *key == ALWAYS_QUITS) {
        bindings.push((ALWAYS_QUITS, Action::Quit));
    }
    Keymap { bindings }
}

fn unknown_action(reader: &mut Reader, name: &At<&str>) {
    let names = Action::ALL.iter().map(|a| a.name());
    let help = match nearest(name.value, names.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("actions are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    reader.error(name.span.clone(), format!("unknown action {:?}", name.value), help);
}

fn read_key(
    reader: &mut Reader,
    action: Action,
    at: &At<&str>,
    taken: &mut HashMap<KeyPress, (Action, Range<usize>)>,
) -> Option<KeyPress> {
    let key: KeyPress = match at.value.parse() {
        Ok(key) => key,
        Err(KeyError { why, help }) => {
            reader.error(at.span.clone(), format!("{:?} {why}", at.value), help);
            return None;
        }
    };
    if key == ALWAYS_QUITS && action != Action::Quit {
        let message = format!("ctrl-c always quits, it cannot be bound to {:?}", action.name());
        reader.error(at.span.clone(), message, "choose another key");
        return None;
    }
    if let Some((other, first)) = taken.get(&key) {
        let message = if *other == action {
            format!("{:?} is bound twice to {:?}", at.value, action.name())
        } else {
            format!("{:?} is bound to both {:?} and {:?}", at.value, other.name(), action.name())
        };
        reader.conflict(
            at.span.clone(),
            message,
            (first.clone(), "first bound here"),
            "remove one of the two",
        );
        return None;
    }
    taken.insert(key, (action, at.span.clone()));
    Some(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(text: &str) -> KeyPress {
        text.parse().unwrap()
    }

    #[test]
    fn every_action_has_a_key_in_every_builtin_keymap() {
        for (name, _) in BUILTIN {
            let map = Keymap::builtin(name).unwrap();
            for action in Action::ALL {
                assert!(map.keys(*action).next().is_some(), "{name}: {}", action.name());
            }
            assert_eq!(map.action(ALWAYS_QUITS), Some(Action::Quit));
        }
        assert_eq!(Keymap::builtin("default").unwrap(), Keymap::builtin_default());
        assert_eq!(Keymap::builtin("vim").unwrap().action(key("n")), Some(Action::NextEnvironment));
    }

    #[test]
    fn a_file_overrides_action_by_action() {
        let base = Keymap::builtin_default();
        let map =
            parse_onto(&base, "f", "[keys]\nhelp = [\"f10\"]\nrefresh = [\"t\"]\nretry = [\"R\"]\nquit = []")
                .unwrap();
        assert_eq!(map.keys(Action::Help).collect::<Vec<_>>(), [key("f10")]);
        assert_eq!(map.action(key("?")), None);
        assert_eq!(map.action(key("t")), Some(Action::Refresh));
        assert_eq!(map.action(key("R")), Some(Action::Retry));
        assert_eq!(map.keys(Action::Quit).collect::<Vec<_>>(), [ALWAYS_QUITS]);
        assert_eq!(map.action(key("j")), Some(Action::Down));
    }

    #[test]
    fn a_key_taken_from_an_action_with_others_is_taken_quietly() {
        let map = parse_onto(&Keymap::builtin_default(), "f", "[keys]\nhelp = [\"k\"]").unwrap();
        assert_eq!(map.action(key("k")), Some(Action::Help));
        assert_eq!(map.keys(Action::Up).collect::<Vec<_>>(), [key("up")]);
    }
}

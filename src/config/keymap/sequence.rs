//! Keys that are pressed one after another: `"g g"`. Most bindings are of one key.

use std::fmt;
use std::str::FromStr;

use super::ALWAYS_QUITS;
use super::key::{KeyCode, KeyError, KeyPress};

/// Keys that a sequence has at most: more are not learned, and help has no room for them.
pub const LONGEST_SEQUENCE: usize = 3;

/// One key, or up to [`LONGEST_SEQUENCE`] one after another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeySequence(Vec<KeyPress>);

impl KeySequence {
    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> &[KeyPress] {
        &self.0
    }

    /// The key that it begins with.
    #[must_use]
    pub fn first(&self) -> Option<KeyPress> {
        self.0.first().copied()
    }

    /// The only key of a sequence of one.
    #[must_use]
    pub fn single(&self) -> Option<KeyPress> {
        match self.0.as_slice() {
            [key] => Some(*key),
            _ => None,
        }
    }
}

impl From<KeyPress> for KeySequence {
    fn from(key: KeyPress) -> Self {
        Self(vec![key])
    }
}

impl FromStr for KeySequence {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let single = match text.parse::<KeyPress>() {
            Ok(key) => return Ok(key.into()),
            Err(error) => error,
        };
        if !text.contains(' ') {
            return Err(single);
        }
        if text.split(' ').any(str::is_empty) {
            let help = "write one space between two keys (\"g g\"); the space bar is \"space\"".to_owned();
            return Err(KeyError { why: "has a space too many", help });
        }
        let mut keys = Vec::new();
        for word in text.split(' ') {
            let key: KeyPress = word.parse().map_err(|KeyError { why, help }| KeyError {
                why: "is not a sequence of keys",
                help: format!("{word:?} {why}: {help}"),
            })?;
            if key == ALWAYS_QUITS {
                let help = "choose another key: ctrl-c always quits".to_owned();
                return Err(KeyError { why: "cannot have ctrl-c in it", help });
            }
            if key.code == KeyCode::Esc && !key.ctrl && !key.alt {
                let help = "choose another key: esc ends a sequence that is under way".to_owned();
                return Err(KeyError { why: "cannot have esc in it", help });
            }
            keys.push(key);
        }
        if keys.len() > LONGEST_SEQUENCE {
            let help = format!("a sequence has at most {LONGEST_SEQUENCE} keys");
            return Err(KeyError { why: "is too long", help });
        }
        Ok(Self(keys))
    }
}

/// As hints and help show it: `g g`, `Space l`, `^K ^S`.
impl fmt::Display for KeySequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&shown(&self.0))
    }
}

/// Keys one after another, as screens show them.
#[must_use]
pub fn shown(keys: &[KeyPress]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sequences_read_and_show() {
        for (text, keys, shown) in [
            ("g", 1, "g"),
            (" ", 1, "Space"),
            ("ctrl- ", 1, "Ctrl-Space"),
            ("g g", 2, "g g"),
            ("space l", 2, "Space l"),
            ("ctrl-k ctrl-s", 2, "^K ^S"),
            ("space w enter", 3, "Space w Enter"),
        ] {
            let read: KeySequence = text.parse().unwrap();
            assert_eq!((read.keys().len(), read.to_string()), (keys, shown.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_sequence_says_what_to_write() {
        for (text, why, help) in [
            ("gg", "is not a key", "character"),
            ("g  g", "a space too many", "\"space\""),
            ("g ", "a space too many", "one space"),
            ("  ", "a space too many", "one space"),
            ("g entr", "is not a sequence", "\"entr\" is not a key: did you mean \"enter\"?"),
            ("g ctrl-m", "is not a sequence", "\"enter\""),
            ("g ctrl-c", "ctrl-c", "always quits"),
            ("ctrl-c g", "ctrl-c", "always quits"),
            ("g esc", "esc", "ends a sequence"),
            ("a b c d", "too long", "at most 3 keys"),
        ] {
            let error = text.parse::<KeySequence>().unwrap_err();
            assert!(error.why.contains(why) && error.help.contains(help), "{text:?}: {error}");
        }
    }
}

//! Keys and what they are bound to. The default is `keymaps/default.toml`, embedded; the user's own file overrides it
//! binding by binding.

use super::action::Action;

/// A key, told apart from the terminal library's own type so that `app` needs no terminal library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    /// A character, as typed (upper case where shift made it so).
    Char(char),
    /// Function key 1–12.
    F(u8),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// A key with its modifiers. Shift is part of the character for [`KeyCode::Char`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyPress {
    /// The key.
    pub code: KeyCode,
    /// Control was held.
    pub ctrl: bool,
    /// Alt was held.
    pub alt: bool,
}

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
}

//! A key: how a keymap writes it and how screens show it.

use std::fmt;
use std::str::FromStr;

use crate::config::diagnostic::nearest;

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

/// Named keys: the word a keymap uses, the key, and what screens show.
const NAMED: [(&str, KeyCode, &str); 16] = [
    ("enter", KeyCode::Enter, "Enter"),
    ("esc", KeyCode::Esc, "Esc"),
    ("tab", KeyCode::Tab, "Tab"),
    ("shift-tab", KeyCode::BackTab, "Shift-Tab"),
    ("backtab", KeyCode::BackTab, "Shift-Tab"),
    ("space", KeyCode::Char(' '), "Space"),
    ("backspace", KeyCode::Backspace, "Backspace"),
    ("delete", KeyCode::Delete, "Del"),
    ("up", KeyCode::Up, "↑"),
    ("down", KeyCode::Down, "↓"),
    ("left", KeyCode::Left, "←"),
    ("right", KeyCode::Right, "→"),
    ("home", KeyCode::Home, "Home"),
    ("end", KeyCode::End, "End"),
    ("pageup", KeyCode::PageUp, "PgUp"),
    ("pagedown", KeyCode::PageDown, "PgDn"),
];

/// Why a key cannot be read, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}: {help}")]
pub struct KeyError {
    /// What is wrong, to be read after the key as written.
    pub why: &'static str,
    /// What to do.
    pub help: String,
}

impl KeyError {
    fn unknown(word: &str) -> Self {
        let help = match nearest(word, NAMED.iter().map(|(name, ..)| *name)) {
            Some(near) if word.len() > 1 => format!("did you mean {near:?}?"),
            _ => "write a character (\"g\"), a name (\"enter\", \"pageup\", \"f5\"), or one after ctrl- or alt-; \
                  a sequence has spaces between its keys (\"g g\")"
                .to_owned(),
        };
        Self { why: "is not a key", help }
    }
}

impl FromStr for KeyPress {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (mut rest, mut ctrl, mut alt) = (text, false, false);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|a| !a.is_empty() && !ctrl) {
                (rest, ctrl) = (after, true);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|a| !a.is_empty() && !alt) {
                (rest, alt) = (after, true);
            } else {
                break;
            }
        }
        let code = code(rest)?;
        if ctrl {
            check_ctrl(code)?;
        }
        Ok(Self { code, ctrl, alt })
    }
}

fn code(word: &str) -> Result<KeyCode, KeyError> {
    let mut chars = word.chars();
    if let (Some(c), None) = (chars.next(), chars.next())
        && !c.is_control()
        && unicode_width::UnicodeWidthChar::width(c).is_some_and(|w| w > 0)
    {
        return Ok(KeyCode::Char(c));
    }
    if let Some((_, code, _)) = NAMED.iter().find(|(name, ..)| *name == word) {
        return Ok(*code);
    }
    if let Some(number) = word.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()) {
        return match number {
            1..=12 if !word.starts_with("f0") => Ok(KeyCode::F(number)),
            _ => Err(KeyError { why: "is not a key", help: "function keys are f1 to f12".to_owned() }),
        };
    }
    if word.starts_with("shift-") {
        let help = "write the character that shift makes: \"G\", not \"shift-g\"".to_owned();
        return Err(KeyError { why: "is the same as a plain key to a terminal", help });
    }
    Err(KeyError::unknown(word))
}

/// What ECMA-48 terminals send for control and a character is one byte: some keys are the same.
fn check_ctrl(code: KeyCode) -> Result<(), KeyError> {
    let same = match code {
        KeyCode::Char('i') => "tab",
        KeyCode::Char('m') => "enter",
        KeyCode::Char('[') => "esc",
        KeyCode::Char('h') => "backspace",
        KeyCode::Char(c) if c.is_ascii_uppercase() => {
            let help = format!("write \"ctrl-{}\"", c.to_ascii_lowercase());
            return Err(KeyError { why: "is the same as the small letter to a terminal", help });
        }
        _ => return Ok(()),
    };
    Err(KeyError {
        why: "is another key to a terminal",
        help: format!("write {same:?}, or choose another key"),
    })
}

/// As hints and help show it: `^C`, `Enter`, `g`, `↑`.
impl fmt::Display for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::new();
        if self.alt {
            shown.push_str("Alt-");
        }
        let named = NAMED.iter().find(|(_, code, _)| *code == self.code).map(|(.., shown)| *shown);
        match (self.code, named) {
            (_, Some(name)) => {
                if self.ctrl {
                    shown.push_str("Ctrl-");
                }
                shown.push_str(name);
            }
            (KeyCode::F(n), _) => {
                if self.ctrl {
                    shown.push_str("Ctrl-");
                }
                shown.push_str(&format!("F{n}"));
            }
            (KeyCode::Char(c), _) if self.ctrl => {
                shown.push('^');
                shown.extend(c.to_uppercase());
            }
            (KeyCode::Char(c), _) => shown.push(c),
            _ => {}
        }
        f.pad(&shown)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_read_and_show() {
        let cases = [
            ("g", "g"),
            ("G", "G"),
            ("/", "/"),
            ("-", "-"),
            ("é", "é"),
            ("space", "Space"),
            ("enter", "Enter"),
            ("up", "↑"),
            ("pageup", "PgUp"),
            ("shift-tab", "Shift-Tab"),
            ("f12", "F12"),
            ("f", "f"),
            ("ctrl-c", "^C"),
            ("ctrl-space", "Ctrl-Space"),
            ("alt-x", "Alt-x"),
            ("alt-ctrl-x", "Alt-^X"),
            ("ctrl-f5", "Ctrl-F5"),
            ("ctrl--", "^-"),
        ];
        for (text, shown) in cases {
            assert_eq!(text.parse::<KeyPress>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_key_says_what_to_write() {
        let help = |text: &str| text.parse::<KeyPress>().unwrap_err().help;
        assert!(help("entr").contains("\"enter\""));
        assert!(help("ctrl-pgup").contains("write a character") || help("ctrl-pgup").contains("pageup"));
        assert!(help("shift-g").contains("\"G\""));
        assert!(help("ctrl-m").contains("\"enter\""));
        assert!(help("ctrl-A").contains("ctrl-a"));
        assert!(help("f13").contains("f12"));
        for bad in ["", "ctrl-", "gg", "\u{1b}", "\u{200b}", "f0", "f01", "ctrl-ctrl-a"] {
            assert!(bad.parse::<KeyPress>().is_err(), "{bad:?}");
        }
    }
}

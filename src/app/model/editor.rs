//! A line being typed, with a cursor: every field of the console is one of these, except a note ([`super::note`]). Plain data;
//! drawing shows the cursor.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation;
use zeroize::{Zeroize, Zeroizing};

use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::text::is_drawn;

/// Bytes a line may hold.
const LINE: usize = 1024;

/// What a text takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// What can be seen: an invisible character would make a filter match nothing, for no reason on screen.
    Line,
    /// Everything except controls: a password is not drawn, and may hold anything.
    Secret,
}

/// A text being typed. It may be a secret: its room is taken at once, so that growing never leaves a copy behind, it
/// cannot be cloned, and it is wiped when it goes. The cursor is always between two characters as a person counts them.
pub struct Editor {
    text: Zeroizing<String>,
    cursor: usize,
    takes: Takes,
}

/// What a key does to a text.
#[derive(Clone, Copy)]
pub(super) enum KeyEdit {
    Type(char),
    Backspace,
    Delete,
    DeleteWord,
    DeleteToStart,
    DeleteToEnd,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
}

impl KeyEdit {
    pub(super) fn of(KeyPress { code, ctrl, alt }: KeyPress) -> Option<Self> {
        use KeyCode as K;
        Some(match (code, ctrl, alt) {
            (K::Char(c), false, false) => Self::Type(c),
            (K::Backspace, false, false) | (K::Char('h'), true, false) => Self::Backspace,
            (K::Delete, ..) => Self::Delete,
            (K::Char('w'), true, false) | (K::Backspace, ..) => Self::DeleteWord,
            (K::Char('u'), true, false) => Self::DeleteToStart,
            (K::Char('k'), true, false) => Self::DeleteToEnd,
            (K::Left, false, false) => Self::Left,
            (K::Right, false, false) => Self::Right,
            // What terminals send for Alt and an arrow differs.
            (K::Left, ..) | (K::Char('b'), false, true) => Self::WordLeft,
            (K::Right, ..) | (K::Char('f'), false, true) => Self::WordRight,
            (K::Home, ..) | (K::Char('a'), true, false) => Self::Home,
            (K::End, ..) | (K::Char('e'), true, false) => Self::End,
            _ => return None,
        })
    }
}

impl Default for Editor {
    fn default() -> Self {
        Self::line()
    }
}

impl From<&str> for Editor {
    /// A line with that text, the cursor behind it.
    fn from(text: &str) -> Self {
        let mut line = Self::line();
        line.set(text);
        line
    }
}

impl fmt::Debug for Editor {
    /// Without the text: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Editor").finish_non_exhaustive()
    }
}

impl Editor {
    /// A line of what can be seen.
    #[must_use]
    pub fn line() -> Self {
        Self { text: room(LINE), cursor: 0, takes: Takes::Line }
    }

    /// A line that may hold any character except controls.
    #[must_use]
    pub fn secret() -> Self {
        Self { takes: Takes::Secret, ..Self::line() }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// Whether nothing is typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// The text from the cursor on.
    #[must_use]
    pub fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// Whether a field takes that key.
    #[must_use]
    pub fn takes(key: KeyPress) -> bool {
        KeyEdit::of(key).is_some()
    }

    /// Takes a key; says whether it is one that changes text, not only where the cursor is.
    pub fn key(&mut self, key: KeyPress) -> bool {
        let Some(edit) = KeyEdit::of(key) else { return false };
        match edit {
            KeyEdit::Type(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyEdit::Backspace => self.remove(self.left(), self.cursor),
            KeyEdit::Delete => self.remove(self.cursor, self.right()),
            KeyEdit::DeleteWord => self.remove(self.word_left(), self.cursor),
            KeyEdit::DeleteToStart => self.remove(0, self.cursor),
            KeyEdit::DeleteToEnd => self.remove(self.cursor, self.text.len()),
            KeyEdit::Left => self.cursor = self.left(),
            KeyEdit::Right => self.cursor = self.right(),
            KeyEdit::WordLeft => self.cursor = self.word_left(),
            KeyEdit::WordRight => self.cursor = self.word_right(),
            KeyEdit::Home => self.cursor = 0,
            KeyEdit::End => self.cursor = self.text.len(),
        }
        match edit {
            KeyEdit::Type(_)
            | KeyEdit::Backspace
            | KeyEdit::Delete
            | KeyEdit::DeleteWord
            | KeyEdit::DeleteToStart
            | KeyEdit::DeleteToEnd => true,
            KeyEdit::Left
            | KeyEdit::Right
            | KeyEdit::WordLeft
            | KeyEdit::WordRight
            | KeyEdit::Home
            | KeyEdit::End => false,
        }
    }

    /// Adds text at the cursor: what the field takes of it, as long as there is room.
    pub fn insert(&mut self, added: &str) {
        for c in added.chars() {
            if self.accepts(c) && self.text.len() + c.len_utf8() <= LINE {
                self.text.insert(self.cursor, c);
                self.cursor += c.len_utf8();
            }
        }
        self.settle();
    }

    fn accepts(&self, c: char) -> bool {
        match self.takes {
            Takes::Line => is_drawn(c),
            Takes::Secret => !c.is_control(),
        }
    }

    /// Replaces the whole text, as it is; the cursor goes behind it.
    pub fn set(&mut self, text: &str) {
        // In a room of its own when it is longer than what may be typed.
        let mut whole = room(text.len().max(self.text.capacity()));
        whole.push_str(text);
        (self.text, self.cursor) = (whole, text.len());
    }

    /// Wipes the text.
    pub fn clear(&mut self) {
        self.text.zeroize();
        self.cursor = 0;
    }

    /// Gives the text away, and begins anew.
    #[must_use]
    pub fn take(&mut self) -> Zeroizing<String> {
        self.cursor = 0;
        let empty = room(self.text.capacity());
        std::mem::replace(&mut self.text, empty)
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
        self.settle();
    }

    /// What stands together makes other characters than what was typed one by one: the cursor is never within one.
    fn settle(&mut self) {
        let next = self.text.grapheme_indices(true).map(|(at, _)| at).find(|at| *at >= self.cursor);
        self.cursor = next.unwrap_or(self.text.len());
    }

    fn left(&self) -> usize {
        self.cursor - last_character(self.before())
    }

    fn right(&self) -> usize {
        self.cursor + first_character(self.after())
    }

    fn word_left(&self) -> usize {
        self.cursor - last_word(self.before())
    }

    fn word_right(&self) -> usize {
        self.cursor + first_word(self.after())
    }
}

/// Bytes of the last character of a text, as a person counts characters.
pub(super) fn last_character(text: &str) -> usize {
    text.graphemes(true).next_back().map_or(0, str::len)
}

/// Bytes of the first character of a text.
pub(super) fn first_character(text: &str) -> usize {
    text.graphemes(true).next().map_or(0, str::len)
}

/// Bytes from the beginning of the last word to the end of a text.
pub(super) fn last_word(text: &str) -> usize {
    let back = text.grapheme_indices(true).rev();
    let word = back.skip_while(|(_, c)| is_blank(c)).take_while(|(_, c)| !is_blank(c));
    text.len() - word.last().map_or(0, |(at, _)| at)
}

/// Bytes from the beginning of a text to the end of its first word.
pub(super) fn first_word(text: &str) -> usize {
    let blanks = text.graphemes(true).take_while(|c| is_blank(c)).map(str::len).sum::<usize>();
    let on = text.graphemes(true).skip_while(|c| is_blank(c));
    blanks + on.take_while(|c| !is_blank(c)).map(str::len).sum::<usize>()
}

fn is_blank(character: &str) -> bool {
    character.chars().all(char::is_whitespace)
}

fn room(bytes: usize) -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(bytes))
}

#[cfg(test)]
mod tests;

//! Text being typed, with a cursor: every field of the console is one of these. Plain data; drawing shows the cursor.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation;
use zeroize::{Zeroize, Zeroizing};

use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::text::is_drawn;

/// Bytes a line may hold.
const LINE: usize = 1024;
/// Bytes a note may hold.
const NOTE: usize = 8192;

/// What a text takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// What can be seen: an invisible character would make a filter match nothing, for no reason on screen.
    Line,
    /// Everything except controls: a password is not drawn, and may hold anything.
    Secret,
    /// What can be seen, and line ends.
    Note,
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
enum Edit {
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

impl Edit {
    fn of(KeyPress { code, ctrl, alt }: KeyPress) -> Option<Self> {
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

    /// A text of several lines.
    #[must_use]
    pub fn note() -> Self {
        Self { text: room(NOTE), cursor: 0, takes: Takes::Note }
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
        Edit::of(key).is_some()
    }

    /// Takes a key; says whether it is one that changes text, not only where the cursor is.
    pub fn key(&mut self, key: KeyPress) -> bool {
        let Some(edit) = Edit::of(key) else { return false };
        match edit {
            Edit::Type(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Edit::Backspace => self.remove(self.left(), self.cursor),
            Edit::Delete => self.remove(self.cursor, self.right()),
            Edit::DeleteWord => self.remove(self.word_left(), self.cursor),
            Edit::DeleteToStart => self.remove(self.home(), self.cursor),
            Edit::DeleteToEnd => self.remove(self.cursor, self.end()),
            Edit::Left => self.cursor = self.left(),
            Edit::Right => self.cursor = self.right(),
            Edit::WordLeft => self.cursor = self.word_left(),
            Edit::WordRight => self.cursor = self.word_right(),
            Edit::Home => self.cursor = self.home(),
            Edit::End => self.cursor = self.end(),
        }
        match edit {
            Edit::Type(_)
            | Edit::Backspace
            | Edit::Delete
            | Edit::DeleteWord
            | Edit::DeleteToStart
            | Edit::DeleteToEnd => true,
            Edit::Left | Edit::Right | Edit::WordLeft | Edit::WordRight | Edit::Home | Edit::End => false,
        }
    }

    /// Adds text at the cursor: what the field takes of it, as long as there is room.
    pub fn insert(&mut self, added: &str) {
        let most = match self.takes {
            Takes::Line | Takes::Secret => LINE,
            Takes::Note => NOTE,
        };
        let mut chars = added.chars().peekable();
        while let Some(c) = chars.next() {
            let c = match c {
                '\r' if chars.peek() == Some(&'\n') => continue,
                '\r' => '\n',
                c => c,
            };
            if self.accepts(c) && self.text.len() + c.len_utf8() <= most {
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
            Takes::Note => c == '\n' || is_drawn(c),
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

    /// A line up, in the same column where it is long enough.
    pub fn up(&mut self) {
        let column = self.column();
        self.cursor = self.home();
        if self.cursor > 0 {
            self.cursor -= 1;
            self.cursor = self.home();
        }
        self.forward(column);
    }

    /// A line down.
    pub fn down(&mut self) {
        let column = self.column();
        self.cursor = self.end();
        if self.cursor < self.text.len() {
            self.cursor += 1;
            self.forward(column);
        }
    }

    fn column(&self) -> usize {
        self.text.get(self.home()..self.cursor).map_or(0, |line| line.graphemes(true).count())
    }

    fn forward(&mut self, columns: usize) {
        let line = self.after().graphemes(true).take(columns).take_while(|c| *c != "\n");
        self.cursor += line.map(str::len).sum::<usize>();
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
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        self.cursor + self.after().graphemes(true).next().map_or(0, str::len)
    }

    /// The beginning of the word before the cursor.
    fn word_left(&self) -> usize {
        let back = self.before().grapheme_indices(true).rev();
        let word = back.skip_while(|(_, c)| is_blank(c)).take_while(|(_, c)| !is_blank(c));
        word.last().map_or(0, |(at, _)| at)
    }

    /// The end of the word after the cursor.
    fn word_right(&self) -> usize {
        let blanks = self.after().graphemes(true).take_while(|c| is_blank(c)).map(str::len).sum::<usize>();
        let on = self.after().graphemes(true).skip_while(|c| is_blank(c));
        self.cursor + blanks + on.take_while(|c| !is_blank(c)).map(str::len).sum::<usize>()
    }

    /// The beginning of the line.
    fn home(&self) -> usize {
        self.before().rfind('\n').map_or(0, |at| at + 1)
    }

    /// The end of the line.
    fn end(&self) -> usize {
        self.cursor + self.after().find('\n').unwrap_or(self.after().len())
    }
}

fn is_blank(character: &str) -> bool {
    character.chars().all(char::is_whitespace)
}

fn room(bytes: usize) -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(bytes))
}

#[cfg(test)]
mod tests;

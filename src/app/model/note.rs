//! A note being typed: several lines, in a text area. Its keys are those of every other field, and Ctrl-Z and Ctrl-Y.

use tui_textarea::{CursorMove, TextArea, WrapMode};

use super::editor::{KeyEdit, first_character, first_word, last_character, last_word};
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::text::is_drawn;

/// Bytes a note may hold.
const MOST: usize = 8192;

/// The text of a note. It is no secret: what was deleted is kept, to be brought back.
#[derive(Debug)]
pub struct Note {
    area: Box<TextArea<'static>>,
}

impl Default for Note {
    fn default() -> Self {
        let mut area = TextArea::default();
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        Self { area: Box::new(area) }
    }
}

impl Note {
    /// The lines that are typed; at least one.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// The text area, for drawing: it knows where the cursor is and how the lines wrap.
    #[must_use]
    pub fn area(&self) -> &TextArea<'static> {
        &self.area
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyPress) {
        match (key.code, key.ctrl, key.alt) {
            (KeyCode::Up, ..) => self.area.move_cursor(CursorMove::Up),
            (KeyCode::Down, ..) => self.area.move_cursor(CursorMove::Down),
            (KeyCode::Char('z'), true, false) => drop(self.area.undo()),
            (KeyCode::Char('y'), true, false) => drop(self.area.redo()),
            _ => self.edit(key),
        }
    }

    fn edit(&mut self, key: KeyPress) {
        let Some(edit) = KeyEdit::of(key) else { return };
        let (before, after) = self.line();
        match edit {
            KeyEdit::Type(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyEdit::Left => self.back(&before, last_character(&before)),
            KeyEdit::Right => self.forward(&after, first_character(&after)),
            KeyEdit::WordLeft => self.back(&before, last_word(&before)),
            KeyEdit::WordRight => self.forward(&after, first_word(&after)),
            KeyEdit::Home => self.area.move_cursor(CursorMove::Head),
            KeyEdit::End => self.area.move_cursor(CursorMove::End),
            KeyEdit::Backspace => self.delete_before(&before, last_character(&before)),
            KeyEdit::DeleteWord => self.delete_before(&before, last_word(&before)),
            KeyEdit::DeleteToStart => self.delete_before(&before, before.len()),
            KeyEdit::Delete => self.delete_after(&after, first_character(&after)),
            KeyEdit::DeleteToEnd => self.delete_after(&after, after.len()),
        }
    }

    /// The line with the cursor: before it, and from it on.
    fn line(&self) -> (String, String) {
        let at = self.area.cursor();
        let line = self.lines().get(at.0).map(String::as_str).unwrap_or_default();
        let bytes = line.char_indices().nth(at.1).map_or(line.len(), |(bytes, _)| bytes);
        let (before, after) = line.split_at(bytes);
        (before.to_owned(), after.to_owned())
    }

    /// Moves back over the last bytes of what is before the cursor; at the beginning of a line to the one before.
    fn back(&mut self, before: &str, bytes: usize) {
        for _ in 0..chars(before.get(before.len() - bytes..)) {
            self.area.move_cursor(CursorMove::Back);
        }
    }

    fn forward(&mut self, after: &str, bytes: usize) {
        for _ in 0..chars(after.get(..bytes)) {
            self.area.move_cursor(CursorMove::Forward);
        }
    }

    fn delete_before(&mut self, before: &str, bytes: usize) {
        if bytes == 0 {
            self.area.delete_newline();
        } else {
            self.back(before, bytes);
            self.area.delete_str(chars(before.get(before.len() - bytes..)));
        }
    }

    fn delete_after(&mut self, after: &str, bytes: usize) {
        // At the end of a line its end is one character.
        self.area.delete_str(chars(after.get(..bytes)));
    }

    /// Adds text at the cursor: what can be seen of it, and line ends, as long as there is room.
    pub fn insert(&mut self, added: &str) {
        let held: usize = self.lines().iter().map(|line| line.len() + 1).sum();
        let mut room = (MOST + 1).saturating_sub(held);
        let taken: String = added
            .replace("\r\n", "\n")
            .replace('\r', "\n")
            .chars()
            .filter(|c| *c == '\n' || is_drawn(*c))
            .take_while(|c| {
                let fits = c.len_utf8() <= room;
                room = room.saturating_sub(c.len_utf8());
                fits
            })
            .collect();
        self.area.insert_str(taken);
    }
}

/// How many characters the text area counts: at least one, the end of a line.
fn chars(text: Option<&str>) -> usize {
    text.map_or(0, |text| text.chars().count()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines, and where the cursor is.
    fn shown(note: &Note) -> (String, (usize, usize)) {
        let at = note.area.cursor();
        (note.lines().join("\n"), (at.0, at.1))
    }

    fn press(note: &mut Note, code: KeyCode, ctrl: bool) -> (String, (usize, usize)) {
        note.key(KeyPress { code, ctrl, alt: false });
        shown(note)
    }

    fn is(text: &str, line: usize, column: usize) -> (String, (usize, usize)) {
        (text.to_owned(), (line, column))
    }

    #[test]
    fn a_note_is_typed_moved_in_deleted_and_brought_back() {
        let mut note = Note::default();
        note.insert("disk of döb2\r\nis slow\x1b");
        assert_eq!(shown(&note), is("disk of döb2\nis slow", 1, 7));
        assert_eq!(press(&mut note, KeyCode::Up, false), is("disk of döb2\nis slow", 0, 7));
        assert_eq!(press(&mut note, KeyCode::Backspace, false), is("disk o döb2\nis slow", 0, 6));
        assert_eq!(press(&mut note, KeyCode::End, false), is("disk o döb2\nis slow", 0, 11));
        assert_eq!(press(&mut note, KeyCode::Delete, false), is("disk o döb2is slow", 0, 11));
        note.insert("\n");
        assert_eq!(press(&mut note, KeyCode::Right, false), is("disk o döb2\nis slow", 1, 1));
        assert_eq!(press(&mut note, KeyCode::Char('u'), true), is("disk o döb2\ns slow", 1, 0));
        assert_eq!(press(&mut note, KeyCode::Char('z'), true), is("disk o döb2\nis slow", 1, 1));
        assert_eq!(press(&mut note, KeyCode::Char('y'), true), is("disk o döb2\ns slow", 1, 0));
        assert_eq!(press(&mut note, KeyCode::Char('w'), true).0, "disk o döb2s slow");
    }

    #[test]
    fn a_note_has_an_end() {
        let bytes = |note: &Note| note.lines().join("\n").len();
        let mut note = Note::default();
        note.insert(&"x\n".repeat(10_000));
        assert_eq!(bytes(&note), MOST);
        press(&mut note, KeyCode::Char('x'), false);
        assert_eq!(bytes(&note), MOST);
        press(&mut note, KeyCode::Backspace, false);
        note.insert("üü");
        assert_eq!(bytes(&note), MOST - 1, "a character that does not fit is not cut");
    }
}

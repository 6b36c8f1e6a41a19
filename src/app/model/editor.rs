//! A text of several lines with a cursor, as a note is typed. Plain data; drawing makes a text area of it.

use unicode_segmentation::UnicodeSegmentation;

use jumpdeck_fleet::text::is_drawn;

/// Bytes a text may hold.
const MAX: usize = 8192;

/// A text being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    cursor: usize,
}

impl Editor {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor stands: line, and characters before it on that line.
    #[must_use]
    pub fn cursor(&self) -> (usize, usize) {
        let before = self.before();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count());
        (line, column)
    }

    /// Adds text at the cursor: line ends and what can be seen.
    pub fn insert(&mut self, added: &str) {
        for c in added.replace("\r\n", "\n").chars() {
            let c = if c == '\r' { '\n' } else { c };
            if (c == '\n' || is_drawn(c)) && self.text.len() + c.len_utf8() <= MAX {
                self.text.insert(self.cursor, c);
                self.cursor += c.len_utf8();
            }
        }
    }

    /// Takes the character before the cursor, as a person counts it.
    pub fn backspace(&mut self) {
        let to = self.left_of();
        self.text.replace_range(to..self.cursor, "");
        self.cursor = to;
    }

    /// Takes the character at the cursor.
    pub fn delete(&mut self) {
        let to = self.right_of();
        self.text.replace_range(self.cursor..to, "");
    }

    /// A character to the left.
    pub fn left(&mut self) {
        self.cursor = self.left_of();
    }

    /// A character to the right.
    pub fn right(&mut self) {
        self.cursor = self.right_of();
    }

    /// To the start of the line.
    pub fn home(&mut self) {
        self.cursor = self.before().rfind('\n').map_or(0, |at| at + 1);
    }

    /// To the end of the line.
    pub fn end(&mut self) {
        self.cursor += self.after().find('\n').unwrap_or(self.after().len());
    }

    /// A line up, in the same column where it is long enough.
    pub fn up(&mut self) {
        let (_, column) = self.cursor();
        self.home();
        if self.cursor > 0 {
            self.cursor -= 1;
            self.home();
        }
        self.forward(column);
    }

    /// A line down.
    pub fn down(&mut self) {
        let (_, column) = self.cursor();
        self.end();
        if self.cursor < self.text.len() {
            self.cursor += 1;
            self.forward(column);
        }
    }

    fn forward(&mut self, columns: usize) {
        let by: usize =
            self.after().chars().take(columns).take_while(|c| *c != '\n').map(char::len_utf8).sum();
        self.cursor += by;
    }

    fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    fn left_of(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn right_of(&self) -> usize {
        self.cursor + self.after().graphemes(true).next().map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_typed_moved_in_and_taken_back() {
        let mut e = Editor::default();
        e.insert("disk of döb2\r\nis slow\x1b");
        assert_eq!((e.text(), e.cursor()), ("disk of döb2\nis slow", (1, 7)));
        e.up();
        e.backspace();
        assert_eq!((e.text(), e.cursor()), ("disk o döb2\nis slow", (0, 6)));
        e.end();
        e.delete();
        assert_eq!(e.text(), "disk o döb2is slow");
        e.left();
        e.left();
        e.left();
        e.delete();
        assert_eq!(e.text(), "disk o db2is slow");
        e.insert("\n");
        assert_eq!(e.text(), "disk o d\nb2is slow");
        e.home();
        e.right();
        e.up();
        assert_eq!(e.cursor(), (0, 1));
        e.down();
        assert_eq!(e.cursor(), (1, 1));
        e.down();
        assert_eq!(e.cursor(), (1, 9), "on the last line, to its end");
        for _ in 0..40 {
            e.backspace();
        }
        assert_eq!(e.text(), "");
    }

    #[test]
    fn a_text_has_an_end() {
        let mut e = Editor::default();
        e.insert(&"x".repeat(10_000));
        assert_eq!(e.text().len(), MAX);
    }
}

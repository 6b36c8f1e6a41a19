//! Text that came from elsewhere, made printable once, at ingest.
//!
//! A host, a database, a server's banner may send anything: escape sequences, direction overrides, invisible
//! characters. [`Clean`] is the only way such bytes reach a screen, a log, an export or an error message; it shows
//! what it changes (`^[`), and deletes nothing.

use std::fmt;

/// At most this many combining marks stay on one cell; the rest are shown as escapes.
const MAX_COMBINING: usize = 4;

/// Printable text on one line: no control, direction, zero-width or tag characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Clean(Box<str>);

impl Clean {
    /// Makes text from elsewhere printable. Line ends become `^J`; see [`Clean::lines`] for several lines.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(escape(text).into_boxed_str())
    }

    /// The same for bytes; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::new(&String::from_utf8_lossy(bytes))
    }

    /// Splits at line ends first, then cleans each line. A tab becomes spaces to the next multiple of eight.
    #[must_use]
    pub fn lines(text: &str) -> Vec<Clean> {
        text.lines().map(|line| Clean::new(&expand_tabs(line))).collect()
    }

    /// The first line that holds something, cleaned and cut to `max` characters: for error messages.
    #[must_use]
    pub fn first_line(text: &str, max: usize) -> Self {
        let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
        let cleaned = escape(line);
        if cleaned.chars().count() <= max {
            return Self(cleaned.into_boxed_str());
        }
        let mut cut: String = cleaned.chars().take(max.saturating_sub(1)).collect();
        cut.push('…');
        Self(cut.into_boxed_str())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

impl From<&str> for Clean {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Clean {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

fn expand_tabs(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut column = 0;
    for c in line.chars() {
        if c == '\t' {
            let width = 8 - column % 8;
            out.extend(std::iter::repeat_n(' ', width));
            column += width;
        } else {
            out.push(c);
            column += 1;
        }
    }
    out
}

/// Shows what must not reach a terminal as itself: `^X` for C0 and DEL, `<U+XXXX>` for the rest.
fn escape(text: &str) -> String {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut combining = 0;
    for c in text.chars() {
        if is_combining(c) {
            combining += 1;
            if combining > MAX_COMBINING || out.is_empty() {
                push_code(&mut out, c);
            } else {
                out.push(c);
            }
            continue;
        }
        combining = 0;
        match c {
            '\0'..='\u{1f}' => {
                out.push('^');
                out.push(char::from((c as u8) ^ 0x40));
            }
            '\u{7f}' => out.push_str("^?"),
            _ if is_hidden(c) => push_code(&mut out, c),
            _ => out.push(c),
        }
    }
    out
}

fn push_code(out: &mut String, c: char) {
    out.push_str(&format!("<U+{:04X}>", c as u32));
}

/// Whether a character may be drawn as it is: no control, and nothing that a reader would not see.
#[must_use]
pub fn is_drawn(c: char) -> bool {
    !c.is_control() && !is_hidden(c)
}

/// C1 controls, direction controls, zero-width and tag characters, line and paragraph separators, and the other
/// characters that draw nothing.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}'
        | '\u{605}' | '\u{61c}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{f0000}'..='\u{10ffff}')
        || (c as u32) & 0xfffe == 0xfffe
}

/// Characters of a cell's width that Unicode counts as visible, and whose shape is empty: Braille without a dot, a note
/// without a head.
#[cfg(test)]
const BLANK: [char; 2] = ['\u{2800}', '\u{1d159}'];

/// A mark that takes no cell of its own: zero columns wide and not one of the hidden characters.
fn is_combining(c: char) -> bool {
    !c.is_ascii() && !is_hidden(c) && unicode_width::UnicodeWidthChar::width(c) == Some(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn escapes_are_shown_and_nothing_is_lost() {
        assert_eq!(Clean::new("\x1b[2J\x07").as_str(), "^[[2J^G");
        assert_eq!(Clean::new("a\u{7f}b\u{9b}c").as_str(), "a^?b<U+009B>c");
        assert_eq!(Clean::new("x\u{202e}y\u{200b}z\u{feff}").as_str(), "x<U+202E>y<U+200B>z<U+FEFF>");
        assert_eq!(Clean::new("l1\nl2").as_str(), "l1^Jl2");
        assert_eq!(Clean::new("\u{e0041}").as_str(), "<U+E0041>");
        assert_eq!(Clean::from_bytes(b"ok \xff").as_str(), "ok \u{fffd}");
        assert_eq!(Clean::new("naïve – 東京 ✓").as_str(), "naïve – 東京 ✓");
    }

    #[test]
    fn a_name_with_an_invisible_character_in_it_looks_different() {
        for c in ['\u{34f}', '\u{180b}', '\u{fff0}', '\u{1bca0}', '\u{1d173}', '\u{2800}', '\u{1d159}'] {
            assert_eq!(Clean::new(&format!("db{c}1")).as_str(), format!("db<U+{:04X}>1", c as u32));
        }
    }

    #[test]
    fn at_most_four_marks_stay_on_a_cell() {
        let zalgo = format!("e{}", "\u{301}".repeat(6));
        assert_eq!(Clean::new(&zalgo).as_str(), format!("e{}<U+0301><U+0301>", "\u{301}".repeat(4)));
        assert_eq!(Clean::new("\u{301}x").as_str(), "<U+0301>x");
    }

    #[test]
    fn lines_and_first_line() {
        let lines = Clean::lines("a\tb\r\n\x1bc\n");
        assert_eq!(lines.iter().map(Clean::as_str).collect::<Vec<_>>(), ["a       b", "^[c"]);
        assert_eq!(Clean::first_line("\n  ERROR 1045 denied \nmore", 40).as_str(), "ERROR 1045 denied");
        assert_eq!(Clean::first_line("abcdef", 4).as_str(), "abc…");
    }

    /// The code points that Unicode says draw nothing, or obey nothing but a terminal: asked for each of them, so that a
    /// newer table of Unicode shows here what it adds.
    #[test]
    fn every_character_that_draws_nothing_is_shown_as_an_escape() {
        let hidden = regex::Regex::new(
            r"^[\p{Cc}\p{Zl}\p{Zp}\p{Co}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]$",
        )
        .unwrap();
        let format = regex::Regex::new(r"^\p{Cf}$").unwrap();
        let mut through = Vec::new();
        for c in '\u{80}'..=char::MAX {
            let text = c.encode_utf8(&mut [0; 4]).to_owned();
            let no_width = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) == 0;
            let invisible = hidden.is_match(&text) || (no_width && format.is_match(&text));
            // After a letter, where a mark may stay.
            let shown = Clean::new(&format!("e{c}"));
            if (invisible || BLANK.contains(&c)) && shown.as_str().contains(c) {
                through.push(format!("{:04X}", c as u32));
            }
        }
        assert!(through.is_empty(), "{through:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_leaves_a_character_a_terminal_obeys(text in ".*") {
            let clean = Clean::new(&text);
            proptest::prop_assert!(!clean.as_str().chars().any(|c| c.is_control() || is_hidden(c)));
        }

        #[test]
        fn cleaning_twice_changes_nothing_more(text in ".*") {
            let once = Clean::new(&text);
            let twice = Clean::new(once.as_str());
            proptest::prop_assert_eq!(once, twice);
        }
    }
}

//! Editing one line of text at its end, as the filter and answers do.

use unicode_segmentation::UnicodeSegmentation;

use crate::app::model::ANSWER_MAX;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::text::is_drawn;

/// Characters a filter may hold: more does not help anybody.
const MAX: usize = 200;

/// Adds what can be seen: an invisible character would make a filter match nothing, for no reason on screen.
pub(super) fn insert(text: &mut String, added: &str) {
    for c in added.chars().filter(|c| is_drawn(*c)) {
        if text.chars().count() < MAX {
            text.push(c);
        }
    }
}

/// Takes the last character as a person counts it: an accent goes with its letter.
pub(super) fn backspace(text: &mut String) {
    let keep = text.grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
    text.truncate(keep);
}

/// Takes the last word and the spaces after it.
pub(super) fn delete_word(text: &mut String) {
    let trimmed = text.trim_end();
    let keep = trimmed
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + trimmed.get(at..).and_then(|s| s.chars().next()).map_or(0, char::len_utf8));
    text.truncate(keep);
}

/// Adds to something that may be secret: never more than its room, which was taken at once. What is drawn takes what can
/// be seen; a secret is not drawn and takes every character but controls.
pub(super) fn insert_bounded(text: &mut String, added: &str, secret: bool) {
    for c in added.chars().filter(|c| if secret { !c.is_control() } else { is_drawn(*c) }) {
        if text.len() + c.len_utf8() <= ANSWER_MAX {
            text.push(c);
        }
    }
}

/// A key in a line of at most [`MAX`] characters.
pub(super) fn short_line(text: &mut String, key: KeyPress) {
    match key.code {
        KeyCode::Char(c) if !key.ctrl && !key.alt => insert(text, c.encode_utf8(&mut [0; 4])),
        _ => line(text, key),
    }
}

/// A key in a line of text that is drawn.
pub(super) fn line(text: &mut String, key: KeyPress) {
    line_of(text, key, false);
}

/// A key in a line of text, which may be a secret's.
pub(super) fn line_of(text: &mut String, key: KeyPress, secret: bool) {
    match key.code {
        KeyCode::Backspace => backspace(text),
        KeyCode::Char('h') if key.ctrl => backspace(text),
        KeyCode::Char('u') if key.ctrl => text.clear(),
        KeyCode::Char('w') if key.ctrl => delete_word(text),
        KeyCode::Char(c) if !key.ctrl && !key.alt => insert_bounded(text, c.encode_utf8(&mut [0; 4]), secret),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_takes_no_invisible_character_and_a_secret_takes_all_but_controls() {
        let pasted = "db\u{200d}1\u{202e}\u{34f}\u{feff}ü\x1b";
        let (mut filter, mut value, mut secret) = (String::new(), String::new(), String::new());
        insert(&mut filter, pasted);
        insert_bounded(&mut value, pasted, false);
        insert_bounded(&mut secret, pasted, true);
        assert_eq!((filter.as_str(), value.as_str()), ("db1ü", "db1ü"));
        assert_eq!(secret, "db\u{200d}1\u{202e}\u{34f}\u{feff}ü");
        line(&mut value, KeyPress { code: KeyCode::Char('\u{200d}'), ctrl: false, alt: false });
        assert_eq!(value, "db1ü");
    }
}

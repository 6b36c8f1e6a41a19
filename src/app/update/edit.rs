//! Editing one line of text at its end, as the filter and answers do.

use unicode_segmentation::UnicodeSegmentation;

use crate::app::model::ANSWER_MAX;
use crate::config::keymap::{KeyCode, KeyPress};

/// Characters a filter may hold: more does not help anybody.
const MAX: usize = 200;

/// Adds what is printable.
pub(super) fn insert(text: &mut String, added: &str) {
    for c in added.chars().filter(|c| !c.is_control()) {
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

/// Adds what is printable to something that may be secret: never more than its room, which was taken at once.
pub(super) fn insert_bounded(text: &mut String, added: &str) {
    for c in added.chars().filter(|c| !c.is_control()) {
        if text.len() + c.len_utf8() <= ANSWER_MAX {
            text.push(c);
        }
    }
}

/// A key in a line of text.
pub(super) fn line(text: &mut String, key: KeyPress) {
    match key.code {
        KeyCode::Backspace => backspace(text),
        KeyCode::Char('h') if key.ctrl => backspace(text),
        KeyCode::Char('u') if key.ctrl => text.clear(),
        KeyCode::Char('w') if key.ctrl => delete_word(text),
        KeyCode::Char(c) if !key.ctrl && !key.alt => insert_bounded(text, c.encode_utf8(&mut [0; 4])),
        _ => {}
    }
}

//! Editing one line of text at its end, as the filter and answers do.

use unicode_segmentation::UnicodeSegmentation;

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

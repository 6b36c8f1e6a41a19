//! A field with text being typed: the cursor on it, and as much of the text around it as there is room for.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::model::editor::Editor;
use crate::view::scene::Scene;
use crate::view::text::span;

/// A field of a dialog, as wide as the dialog is; dots for a secret.
pub(crate) fn typed(scene: &Scene<'_>, text: &Editor, echo: bool, width: usize) -> Line<'static> {
    let mut spans = vec![span("> ", scene.styles.accent)];
    let styles = (Style::default(), scene.styles.paused);
    spans.extend(around((text.before(), text.after()), echo, width.saturating_sub(3), styles));
    Line::from(spans)
}

/// A text before and from its cursor on, in that many columns. What does not fit is left off at the ends, the cursor is
/// always seen. `styles` are those of the text and of the cursor.
pub(crate) fn around(
    (before, after): (&str, &str),
    echo: bool,
    columns: usize,
    styles: (Style, Style),
) -> Vec<Span<'static>> {
    let at = before.graphemes(true).count();
    let behind = if after.is_empty() { " " } else { "" };
    let characters = before.graphemes(true).chain(after.graphemes(true)).chain(behind.graphemes(true));
    let shown = |(i, c): (usize, &'_ str)| match (echo, c.width()) {
        (false, _) if i != at || !after.is_empty() => ("•".to_owned(), 1),
        // Without a width of its own it would hide the cursor.
        (false, _) | (true, 0) => (" ".to_owned(), 1),
        (true, wide) => (c.to_owned(), wide),
    };
    let cells: Vec<(String, usize)> = characters.enumerate().map(shown).collect();
    let widths: Vec<usize> = cells.iter().map(|(_, wide)| *wide).collect();
    let window = window(&widths, at, columns);
    let text = |of: Range<usize>| cells.get(of).unwrap_or_default().iter().map(|(c, _)| c.as_str()).collect();
    let [left, on, right]: [String; 3] =
        [window.start..at, at..(at + 1).min(window.end), (at + 1).min(window.end)..window.end].map(text);
    vec![span(left, styles.0), span(on, styles.1), span(right, styles.0)]
}

/// Which of the characters of these widths are seen in that many columns, when the cursor is on one of them.
fn window(widths: &[usize], at: usize, columns: usize) -> Range<usize> {
    let Some(room) = columns.checked_sub(widths.get(at).copied().unwrap_or(1)) else { return at..at };
    // What comes next is seen before one gets there.
    let (next, used) = fitting(widths.iter().skip(at + 1), room / 3);
    let (before, used_before) = fitting(widths.iter().take(at).rev(), room - used);
    let (more, _) = fitting(widths.iter().skip(at + 1 + next), room - used - used_before);
    at - before..at + 1 + next + more
}

/// How many fit, and how many columns these take.
fn fitting<'a>(widths: impl Iterator<Item = &'a usize>, columns: usize) -> (usize, usize) {
    let mut used = 0;
    let count = widths.map_while(|wide| (used + wide <= columns).then(|| used += wide)).count();
    (count, used)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(before: &str, after: &str, echo: bool, columns: usize) -> String {
        let styles = (Style::default(), Style::default());
        let spans = around((before, after), echo, columns, styles);
        spans.iter().map(|s| s.content.as_ref()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn the_cursor_is_seen_with_what_is_around_it() {
        for (before, after, columns, expected) in [
            ("", "", 5, "| |"),
            ("db1", "", 5, "db1| |"),
            ("d", "b1", 5, "d|b|1"),
            ("app1 app2 app3", "", 8, "p2 app3| |"),
            ("app1 app2 app", "3", 8, "pp2 app|3|"),
            ("app1 app2", " app3", 8, " app2| |ap"),
            ("", "app1 app2 app3", 8, "|a|pp1 app"),
            ("日", "本語", 5, "日|本|"),
            ("日本", "", 5, "日本| |"),
            ("日本", "", 4, "本| |"),
            ("e\u{301}", "e\u{301}x", 5, "e\u{301}|e\u{301}|x"),
            ("", "\u{301}a", 5, "| |a"),
            ("ab", "c", 1, "|c|"),
            ("ab", "日", 1, "||"),
            ("ab", "", 0, "||"),
        ] {
            assert_eq!(drawn(before, after, true, columns), expected, "{before}|{after}");
        }
        assert_eq!(drawn("gé", "日", false, 5), "••|•|");
        assert_eq!(drawn("geheim", "", false, 5), "••••| |");
    }

    proptest! {
        #[test]
        fn what_is_seen_fits_and_has_the_cursor_and_is_not_shorter_than_need_be(
            widths in prop::collection::vec(1usize..=2, 1..40),
            at in any::<prop::sample::Index>(),
            columns in 2usize..30,
        ) {
            let at = at.index(widths.len());
            let seen = window(&widths, at, columns);
            prop_assert!(seen.contains(&at));
            let used: usize = widths[seen.clone()].iter().sum();
            prop_assert!(used <= columns);
            // At most a wide character at each end found no room.
            prop_assert!(seen == (0..widths.len()) || used + 2 >= columns, "{seen:?} {used}");
        }
    }
}

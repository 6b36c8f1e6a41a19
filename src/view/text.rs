//! Putting text into cells: alignment, cutting with `…`, wrapping, and the forms of figures.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use jumpdeck_fleet::fact::Gap;

/// To which side a cell's text leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Puts a line into `width` columns at `x`, `y`; what does not fit ends in `…`.
pub(crate) fn put(buf: &mut Buffer, x: u16, y: u16, width: u16, line: &Line<'_>, align: Align) {
    if width == 0 || y >= buf.area.bottom() || x >= buf.area.right() {
        return;
    }
    let width = width.min(buf.area.right() - x);
    let needed = line.width();
    if needed <= usize::from(width) {
        let pad = if align == Align::Right { width - u16::try_from(needed).unwrap_or(width) } else { 0 };
        buf.set_line(x + pad, y, line, width - pad);
        return;
    }
    let (end, _) = buf.set_line(x, y, line, width - 1);
    let style = buf.cell((end.saturating_sub(1).max(x), y)).map_or_else(Style::default, |c| c.style());
    buf.set_string(end.min(x + width - 1), y, "…", style);
}

/// Puts a line at the left of a row.
pub(crate) fn left(buf: &mut Buffer, area: Rect, line: &Line<'_>) {
    put(buf, area.x, area.y, area.width, line, Align::Left);
}

/// Puts a line at the right of a row and returns the columns that are left of it, a space kept.
pub(crate) fn right(buf: &mut Buffer, area: Rect, line: &Line<'_>) -> u16 {
    let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(area.width);
    put(buf, area.right() - width, area.y, width, line, Align::Left);
    area.width.saturating_sub(if width > 0 { width + 1 } else { 0 })
}

/// Puts lines in the middle of an area, each centred.
pub(crate) fn centred(buf: &mut Buffer, area: Rect, lines: &[Line<'_>]) {
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = area.y + area.height.saturating_sub(height) / 2;
    for (line, y) in lines.iter().zip(top..area.bottom()) {
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(area.width);
        put(buf, area.x + (area.width - width) / 2, y, width, line, Align::Left);
    }
}

/// One row of an area.
pub(crate) fn row(area: Rect, at: u16) -> Rect {
    Rect { y: area.y.saturating_add(at), height: u16::from(at < area.height), ..area }
}

/// Breaks text into lines of at most `width` columns, at spaces where there are any. An indented text stays so.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let rest = text.trim_start_matches(' ');
    let indent = (text.len() - rest.len()).min(width / 2);
    if indent == 0 || rest.is_empty() {
        return wrap_flat(rest, width);
    }
    let indented = |line| format!("{}{line}", " ".repeat(indent));
    wrap_flat(rest, width - indent).into_iter().map(indented).collect()
}

fn wrap_flat(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let wide = word.width();
        if used > 0 && used + 1 + wide > width {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut().filter(|_| used > 0) {
            line.push(' ');
            used += 1;
        }
        if wide <= width {
            if let Some(line) = lines.last_mut() {
                line.push_str(word);
            }
            used += wide;
            continue;
        }
        for grapheme in unicode_segmentation::UnicodeSegmentation::graphemes(word, true) {
            if used > 0 && used + grapheme.width() > width {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(grapheme);
            }
            used += grapheme.width();
        }
    }
    lines
}

/// Text in exactly that many columns; what is cut off at the left shows as `…`, since paths differ at their ends.
pub(crate) fn tail(text: &str, width: usize) -> String {
    let have = text.width();
    if have <= width {
        return format!("{text}{}", " ".repeat(width - have));
    }
    let mut used = 1;
    let mut tail: Vec<&str> = unicode_segmentation::UnicodeSegmentation::graphemes(text, true)
        .rev()
        .take_while(|g| {
            used += g.width();
            used <= width
        })
        .collect();
    tail.reverse();
    let tail = tail.concat();
    let pad = width.saturating_sub(1 + tail.width());
    format!("…{tail}{}", " ".repeat(pad))
}

/// Text in at most that many columns; what is cut off at the right shows as `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let mut head: String = unicode_segmentation::UnicodeSegmentation::graphemes(text, true)
        .take_while(|g| {
            used += g.width();
            used <= width
        })
        .collect();
    head.push('…');
    head
}

/// A load average in at most five columns, decimals in line up to 99.99.
pub(crate) fn load(value: f64) -> String {
    if value < 99.995 {
        format!("{value:.2}")
    } else if value < 999.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// A percentage in four columns.
pub(crate) fn percent(value: f64) -> String {
    format!("{value:.0}%")
}

/// A round trip: `0.4 ms`, `12 ms`, `1.2 s`.
pub(crate) fn round_trip(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1000.0)
    }
}

/// A span of time in two units: `12d 4h`, `3h 07m`, `4m 09s`, `7s`.
pub(crate) fn two_units(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        0..=59 => format!("{s}s"),
        60..=3599 => format!("{}m {:02}s", s / 60, s % 60),
        3600..=86_399 => format!("{}h {:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d {}h", s / 86_400, s / 3600 % 24),
    }
}

/// How long something took, in at most seven columns: `0.4s`, `12s`, `4m 09s`.
pub(crate) fn took(time: Duration) -> String {
    if time < Duration::from_millis(9950) { format!("{:.1}s", time.as_secs_f64()) } else { two_units(time) }
}

/// A gap in at most nine columns.
pub(crate) fn gap(gap: &Gap) -> &'static str {
    match gap {
        Gap::NotAsked => "not asked",
        Gap::TimedOut => "timed out",
        Gap::Stuck => "stuck",
        Gap::NotPermitted(_) => "denied",
        Gap::NotInstalled => "none",
        Gap::NoTool(_) => "no tool",
        Gap::Cut(_) => "cut",
        Gap::Unreadable(_) => "garbled",
        Gap::Failed(_) => "failed",
    }
}

/// A figure with its noun: `1 host`, `3 hosts`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A span that owns or borrows its text.
pub(crate) fn span<'a>(text: impl Into<std::borrow::Cow<'a, str>>, style: Style) -> Span<'a> {
    Span::styled(text, style)
}

/// A line of output as it is, its spaces included, in parts that fit.
pub(crate) fn exact(text: &str, width: usize) -> Vec<String> {
    let (mut parts, mut used) = (vec![String::new()], 0);
    for grapheme in text.graphemes(true) {
        if used > 0 && used + grapheme.width() > width {
            parts.push(String::new());
            used = 0;
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(grapheme);
        }
        used += grapheme.width();
    }
    parts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    fn cells(width: u16, text: &str, align: Align) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        put(&mut buf, 0, 0, width, &text.into(), align);
        buf.content.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn text_that_does_not_fit_says_so() {
        assert_eq!(cells(6, "db1", Align::Left), "db1   ");
        assert_eq!(cells(6, "db1", Align::Right), "   db1");
        assert_eq!(cells(6, "abcdef", Align::Left), "abcdef");
        assert_eq!(cells(6, "abcdefg", Align::Right), "abcde…");
        assert_eq!(cells(6, "東京東京", Align::Left), "東 京 … ");
        assert_eq!(cells(1, "ab", Align::Left), "…");
    }

    #[test]
    fn wrapping_keeps_every_word() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
        assert_eq!(wrap("  one two", 6), ["  one", "  two"]);
        assert_eq!(wrap("   ", 6), [""]);
        assert_eq!(wrap("東京東京", 5), ["東京", "東京"]);
    }

    #[test]
    fn figures_keep_their_columns() {
        assert_eq!(
            [0.0, 4.5, 99.99, 99.999, 123.45, 4321.0].map(load),
            ["0.00", "4.50", "99.99", "100.0", "123.5", "4321"]
        );
        assert_eq!(
            [0.4, 12.3, 1234.0].map(|ms| round_trip(Duration::from_secs_f64(ms / 1000.0))),
            ["0.4 ms", "12 ms", "1.2 s"]
        );
        assert_eq!(
            [7, 249, 11_220, 1_051_200].map(|s| two_units(Duration::from_secs(s))),
            ["7s", "4m 09s", "3h 07m", "12d 4h"]
        );
    }

    #[test]
    fn paths_keep_their_ends() {
        assert_eq!(tail("/mnt", 6), "/mnt  ");
        assert_eq!(tail("/srv/webplatform/wiki", 10), "…form/wiki");
        assert_eq!(tail("/東京東京", 6), "…東京 ");
    }
}

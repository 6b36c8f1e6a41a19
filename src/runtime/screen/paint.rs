//! Cells to bytes, with no more said of colours and attributes than changes from cell to cell.

use std::io;

use crossterm::cursor::MoveTo;
use crossterm::queue;
use crossterm::style::{
    Attribute, Print, SetAttribute, SetBackgroundColor, SetForegroundColor, SetUnderlineColor,
};
use ratatui::backend::IntoCrossterm;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// Each attribute, what begins it and what ends it. Some share an end.
const ATTRIBUTES: [(Modifier, Attribute, Attribute); 9] = [
    (Modifier::BOLD, Attribute::Bold, Attribute::NormalIntensity),
    (Modifier::DIM, Attribute::Dim, Attribute::NormalIntensity),
    (Modifier::ITALIC, Attribute::Italic, Attribute::NoItalic),
    (Modifier::UNDERLINED, Attribute::Underlined, Attribute::NoUnderline),
    (Modifier::SLOW_BLINK, Attribute::SlowBlink, Attribute::NoBlink),
    (Modifier::RAPID_BLINK, Attribute::RapidBlink, Attribute::NoBlink),
    (Modifier::REVERSED, Attribute::Reverse, Attribute::NoReverse),
    (Modifier::HIDDEN, Attribute::Hidden, Attribute::NoHidden),
    (Modifier::CROSSED_OUT, Attribute::CrossedOut, Attribute::NotCrossedOut),
];

/// Writes the cells of one frame. Before and after it the terminal's style is the default one.
pub(super) fn cells<'a>(
    out: &mut Vec<u8>,
    content: impl Iterator<Item = (u16, u16, &'a Cell)>,
) -> io::Result<()> {
    let (mut fg, mut bg, mut underline) = (Color::Reset, Color::Reset, Color::Reset);
    let mut modifier = Modifier::empty();
    let mut before: Option<(u16, u16)> = None;
    for (x, y, cell) in content {
        if before.is_none_or(|(px, py)| py != y || px.checked_add(1) != Some(x)) {
            queue!(out, MoveTo(x, y))?;
        }
        before = Some((x, y));
        if cell.modifier != modifier {
            attributes(out, modifier, cell.modifier)?;
            modifier = cell.modifier;
        }
        if cell.fg != fg {
            queue!(out, SetForegroundColor(cell.fg.into_crossterm()))?;
            fg = cell.fg;
        }
        if cell.bg != bg {
            queue!(out, SetBackgroundColor(cell.bg.into_crossterm()))?;
            bg = cell.bg;
        }
        if cell.underline_color != underline {
            queue!(out, SetUnderlineColor(cell.underline_color.into_crossterm()))?;
            underline = cell.underline_color;
        }
        queue!(out, Print(cell.symbol()))?;
    }
    queue!(out, SetAttribute(Attribute::Reset))
}

fn attributes(out: &mut Vec<u8>, from: Modifier, to: Modifier) -> io::Result<()> {
    let mut have = from;
    for (modifier, _, end) in ATTRIBUTES {
        if have.contains(modifier) && !to.contains(modifier) {
            queue!(out, SetAttribute(end))?;
            for (other, _, other_end) in ATTRIBUTES {
                if other_end == end {
                    have.remove(other);
                }
            }
        }
    }
    for (modifier, begin, _) in ATTRIBUTES {
        if to.contains(modifier) && !have.contains(modifier) {
            queue!(out, SetAttribute(begin))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ratatui::style::Style;

    use super::*;

    fn painted(cells: &[(u16, Style)]) -> String {
        let cells: Vec<_> = cells
            .iter()
            .map(|(x, style)| {
                let mut cell = Cell::new("x");
                cell.set_style(*style);
                (*x, cell)
            })
            .collect();
        let mut out = Vec::new();
        super::cells(&mut out, cells.iter().map(|(x, cell)| (*x, 0, cell))).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_changes_is_said() {
        let base = Style::new().fg(Color::Indexed(1)).bg(Color::Indexed(2));
        let said = painted(&[(0, base), (1, base), (2, base.fg(Color::Indexed(3))), (9, base)]);
        assert_eq!(said, "\x1b[1;1H\x1b[38;5;1m\x1b[48;5;2mxx\x1b[38;5;3mx\x1b[1;10H\x1b[38;5;1mx\x1b[0m");
    }

    #[test]
    fn attributes_that_share_an_end_are_begun_again() {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let both = bold.add_modifier(Modifier::DIM);
        assert_eq!(painted(&[(0, both), (1, bold)]), "\x1b[1;1H\x1b[1m\x1b[2mx\x1b[22m\x1b[1mx\x1b[0m");
        assert_eq!(painted(&[(0, bold), (1, Style::new())]), "\x1b[1;1H\x1b[1mx\x1b[22mx\x1b[0m");
    }
}

//! A theme's colours as the terminal can show them.

use ratatui::style::Color as Cell;

use crate::config::theme::{Color, Colors};

/// As it is.
pub(super) fn exact(color: Color) -> Cell {
    match color {
        Color::Default => Cell::Reset,
        Color::Indexed(i) => Cell::Indexed(i),
        Color::Rgb(r, g, b) => Cell::Rgb(r, g, b),
    }
}

/// The nearest of xterm's 256: its 6×6×6 cube and its 24 greys (the first 16 are the terminal's own, and may be anything).
pub(super) fn nearest(color: Color) -> Cell {
    let Color::Rgb(r, g, b) = color else { return exact(color) };
    let distance = |x: (u8, u8, u8)| {
        let d = |a: u8, b: u8| i32::from(a.abs_diff(b)).pow(2);
        d(r, x.0) + d(g, x.1) + d(b, x.2)
    };
    let index = (16..=255_u8).min_by_key(|i| distance(rgb(*i))).unwrap_or(16);
    Cell::Indexed(index)
}

/// What xterm shows for an index from 16 on.
fn rgb(index: u8) -> (u8, u8, u8) {
    if index >= 232 {
        let grey = 8 + 10 * (index - 232);
        return (grey, grey, grey);
    }
    let at = index.saturating_sub(16);
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    (level(at / 36), level(at / 6 % 6), level(at % 6))
}

/// The terminal's own 16 colours, by meaning.
pub(super) fn by_meaning(dark: bool) -> Colors {
    let bright = |i: u8| Color::Indexed(if dark { i + 8 } else { i });
    let (black, white) = (Color::Indexed(0), Color::Indexed(15));
    Colors {
        background: Color::Default,
        surface: Color::Default,
        text: Color::Default,
        muted: Color::Indexed(if dark { 7 } else { 8 }),
        accent: bright(4),
        border: Color::Indexed(if dark { 8 } else { 7 }),
        selection: Color::Indexed(if dark { 4 } else { 6 }),
        selection_text: if dark { white } else { black },
        ok: bright(2),
        warning: if dark { Color::Indexed(11) } else { Color::Indexed(3) },
        critical: bright(1),
        unknown: bright(5),
        stale: Color::Indexed(8),
        production: Color::Indexed(1),
        staging: bright(6),
        simulated: Color::Indexed(3),
        band_text: if dark { white } else { black },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_256_is_near() {
        assert_eq!(nearest(Color::Rgb(0, 0, 0)), Cell::Indexed(16));
        assert_eq!(nearest(Color::Rgb(255, 255, 255)), Cell::Indexed(231));
        assert_eq!(nearest(Color::Rgb(0xff, 0x83, 0x79)), Cell::Indexed(210));
        assert_eq!(nearest(Color::Rgb(0x12, 0x16, 0x1d)), Cell::Indexed(233));
        assert_eq!(nearest(Color::Indexed(7)), Cell::Indexed(7));
        assert_eq!(nearest(Color::Default), Cell::Reset);
    }
}

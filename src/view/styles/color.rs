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

/// How far two colours are apart (WCAG 2.1, "contrast ratio"); `None` where the terminal decides what they look like.
pub(crate) fn contrast(a: Cell, b: Cell) -> Option<f64> {
    let (a, b) = (luminance(a)?, luminance(b)?);
    Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
}

fn luminance(color: Cell) -> Option<f64> {
    let (r, g, b) = match color {
        Cell::Rgb(r, g, b) => (r, g, b),
        Cell::Indexed(index @ 16..) => rgb(index),
        _ => return None,
    };
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
}

/// The terminal's own 16 colours on a ground that may be light or dark: only those that can be read on both.
pub(super) fn on_any_ground() -> Colors {
    let (default, red, magenta, grey) =
        (Color::Default, Color::Indexed(1), Color::Indexed(5), Color::Indexed(8));
    Colors {
        background: default,
        surface: default,
        text: default,
        muted: default,
        accent: magenta,
        border: grey,
        selection: Color::Indexed(4),
        selection_text: Color::Indexed(15),
        ok: default,
        warning: magenta,
        critical: red,
        unknown: magenta,
        stale: grey,
        production: magenta,
        staging: default,
        simulated: Color::Indexed(7),
        band_text: Color::Indexed(0),
    }
}

/// The terminal's own 16 colours, by meaning, on a ground that is known.
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
        selection: Color::Indexed(4),
        selection_text: white,
        // Green, yellow and cyan cannot be read on white.
        ok: if dark { Color::Indexed(10) } else { Color::Default },
        warning: if dark { Color::Indexed(11) } else { Color::Indexed(5) },
        critical: bright(1),
        unknown: if dark { Color::Indexed(13) } else { Color::Indexed(4) },
        stale: Color::Indexed(8),
        production: if dark { Color::Indexed(13) } else { Color::Indexed(5) },
        staging: if dark { Color::Indexed(14) } else { Color::Indexed(4) },
        simulated: Color::Indexed(7),
        band_text: black,
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

//! The pictures as snapshots: the text at three sizes, and the colours of every theme. The text is the same in every theme; a letter for
//! each cell stands for how it looks, and a line for each letter says how that is in each theme.

use std::collections::HashMap;
use std::fmt::Write as _;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use super::walker::By;
use super::*;

/// The size at which colours are shown.
const COLOURED: (u16, u16) = (80, 24);
/// What stands for how cells look, those that are seen most first. The first is ordinary text.
const LETTERS: &str = ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Every theme, and no colour at all.
pub(super) fn looks(support: ColorSupport) -> Vec<(String, Styles)> {
    let of = |theme: &crate::config::theme::Theme| (theme.name.clone(), Styles::new(theme, support));
    builtin().iter().map(of).collect()
}

pub(super) fn sized(mut model: Model, size: (u16, u16)) -> Model {
    crate::app::update::update(&mut model, Msg::Resize(size.0, size.1));
    model.settle();
    model
}

/// How a cell looks in one theme, of `ground`.
fn look(cell: &Cell, ground: Color) -> String {
    let hex = |color: Color| match color {
        Color::Rgb(r, g, b) => format!("{r:02x}{g:02x}{b:02x}"),
        Color::Reset => String::new(),
        named => format!("{named:?}"),
    };
    // Of a blank cell only its ground is seen, unless it is reversed or underlined.
    let inked = cell.symbol() != " " || cell.modifier.intersects(Modifier::REVERSED | Modifier::UNDERLINED);
    let mut said = vec![if inked { hex(cell.fg) } else { String::new() }];
    if cell.bg != ground {
        said.push(format!("on {}", hex(cell.bg)));
    }
    for (modifier, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ] {
        if inked && cell.modifier.contains(modifier) {
            said.push(word.to_owned());
        }
    }
    let said = said.join(" ").trim().to_owned();
    if said.is_empty() { "plain".to_owned() } else { said }
}

/// A letter for each cell, and the legend.
fn colours(model: &Model) -> String {
    let mut looks = looks(ColorSupport::TrueColor);
    looks.push(("no colour".to_owned(), Styles::default()));
    let drawings: Vec<(Buffer, Color)> = looks
        .iter()
        .map(|(_, styles)| (drawn(model, styles, COLOURED), styles.base.bg.unwrap_or_default()))
        .collect();
    let cells: Vec<Vec<String>> = (0..drawings[0].0.content.len())
        .map(|at| drawings.iter().map(|(buf, ground)| look(&buf.content[at], *ground)).collect())
        .collect();
    let is_blank =
        |at: usize| drawings[0].0.content[at].symbol() == " " && cells[at].iter().all(|one| one == "plain");
    let mut seen: HashMap<&Vec<String>, usize> = HashMap::new();
    for (at, cell) in cells.iter().enumerate() {
        if !is_blank(at) {
            *seen.entry(cell).or_default() += 1;
        }
    }
    let mut order: Vec<(&Vec<String>, usize)> = seen.into_iter().collect();
    order.sort_by(|(one, n), (other, m)| m.cmp(n).then_with(|| one.cmp(other)));
    let letters: HashMap<&Vec<String>, char> =
        order.iter().map(|(cell, _)| *cell).zip(LETTERS.chars()).collect();
    assert_eq!(letters.len(), order.len(), "more looks than letters");
    let mut out = String::new();
    for row in 0..usize::from(COLOURED.1) {
        let width = usize::from(COLOURED.0);
        let line: String = (row * width..(row + 1) * width)
            .map(|at| if is_blank(at) { ' ' } else { letters[&cells[at]] })
            .collect();
        writeln!(out, "{}", line.trim_end()).unwrap();
    }
    let line = |letter: char, said: Vec<&str>| {
        let said: String = said.iter().map(|one| format!(" {one:<21}")).collect();
        format!("{letter} {}\n", said.trim_end())
    };
    out.push_str(&line(' ', looks.iter().map(|(name, _)| name.as_str()).collect()));
    for (cell, _) in order {
        out.push_str(&line(letters[cell], cell.iter().map(String::as_str).collect()));
    }
    out
}

#[test]
fn every_picture_at_three_sizes_and_in_every_theme() {
    let mut names: Vec<&str> = Vec::new();
    for picture in all() {
        assert!(!names.contains(&picture.name), "two pictures are called {}", picture.name);
        names.push(picture.name);
        let mut model = picture.by(By::Keys("default"));
        let mut whole = String::new();
        for size in PICTURE_SIZES {
            model = sized(model, size);
            writeln!(whole, "== {}x{}\n{}", size.0, size.1, text(&model, size)).unwrap();
        }
        model = sized(model, COLOURED);
        writeln!(whole, "== colours at {}x{}\n{}", COLOURED.0, COLOURED.1, colours(&model)).unwrap();
        insta::with_settings!({
            omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "../../snapshots/pictures",
        }, {
            insta::assert_snapshot!(picture.name, whole);
        });
    }
}

//! The screen as plain text, for a copy of it: drawn as it is drawn on the terminal, beside it and with room of its own, so that text
//! and screen never tell two stories.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::scene::Scene;
use super::screens::drawing;
use super::state::ViewState;
use super::styles::Styles;
use super::widgets::{banner, header, strip};
use super::{ascii, below};
use crate::app::handoff::PlainScreen;
use crate::app::model::Model;

/// Columns of a list: a problem's message is shown to its end, or nearly so.
const LIST: u16 = 200;
/// Columns of a text, which is wrapped.
const TEXT: u16 = 120;
/// Lines of a screen's body.
const LINES: u16 = 40;
/// Lines for what concerns the whole environment, above the body.
const ABOVE: u16 = 16;

/// The screen on top, without what lies over it: dialogs, questions and help are not part of it.
#[must_use]
pub fn plain(model: &Model, styles: &Styles) -> PlainScreen {
    let width = if model.screen().kind().is_text() { TEXT } else { LIST };
    let mut state = ViewState::of_copy();
    state.begin();
    let Some(scene) = Scene::of(model, styles) else { return PlainScreen::default() };
    let mut top = Buffer::empty(Rect::new(0, 0, width, ABOVE));
    let area = top.area;
    let mut used = header::draw(&mut top, area, &scene);
    used += banner::draw(&mut top, below(area, used), &scene);
    used += strip::draw(&mut top, below(area, used), &scene);
    let mut body = Buffer::empty(Rect::new(0, 0, width, LINES));
    let area = body.area;
    let place = (drawing(model.screen()).draw)(&mut body, area, &scene, &mut state).place;
    if styles.ascii {
        ascii::simplify(&mut top);
        ascii::simplify(&mut body);
    }
    let (before, after) = state.rest();
    PlainScreen {
        // The first row has the names of other environments.
        head: lines(&top, 1..used.min(ABOVE)).into_iter().map(|line| joined(&line)).collect(),
        body: squeezed(lines(&body, 0..LINES)),
        before,
        after,
        hidden: place.map_or(0, |(_, shown, all)| all.saturating_sub(shown)),
    }
}

fn lines(buf: &Buffer, rows: std::ops::Range<u16>) -> Vec<String> {
    rows.map(|y| {
        let (mut line, mut covered) = (String::new(), 0);
        for x in 0..buf.area.width {
            let symbol = buf.cell((x, y)).map_or(" ", ratatui::buffer::Cell::symbol);
            if covered == 0 {
                line.push_str(symbol);
                // A wide character covers the cell after it.
                covered = symbol.width().max(1);
            }
            covered -= 1;
        }
        line.trim_end().to_owned()
    })
    .collect()
}

/// The left and right parts of a row, with three spaces between them.
fn joined(line: &str) -> String {
    line.split("   ").map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("   ")
}

/// Without empty lines at either end, and without two in a row.
fn squeezed(lines: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(lines.len());
    for line in lines {
        if !line.is_empty() || kept.last().is_some_and(|last| !last.is_empty()) {
            kept.push(line);
        }
    }
    while kept.last().is_some_and(String::is_empty) {
        kept.pop();
    }
    kept
}

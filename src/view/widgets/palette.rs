//! The command palette: what is typed, the entries that match with their typed letters underlined, and the key of each
//! action.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::model::palette::{LetterMarks, PaletteEntry, PaletteList, PaletteTarget};
use crate::view::scene::Scene;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, left, put, right, row, span};

use super::dialog;
use super::field::typed;
use super::forms::answers;

/// Columns and rows that it needs at most.
const MOST: (u16, u16) = (100, 26);
/// Columns left of a name: the mark of the selected row, and a space.
const LEAD: u16 = 2;
/// Columns between a name and what it is.
const GAP: u16 = 2;
/// Names have at least this many columns, so that they do not jump from list to list.
const NAME: usize = 20;

pub(crate) fn draw(
    buf: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    state: &mut ViewState,
    list: &PaletteList,
) {
    let styles = scene.styles;
    let size = (area.width.saturating_sub(4).min(MOST.0), area.height.saturating_sub(4).min(MOST.1));
    let title = Line::from(span(" Command palette ", styles.accent));
    let inner = dialog::open(buf, area, size, title, (styles.dialog, styles.line));

    let count = format!("{} of {}", list.rows.len(), list.all);
    let room = right(buf, row(inner, 0), &span(count, styles.muted).into());
    let field = Rect { width: room, ..row(inner, 0) };
    left(buf, field, &typed(scene, &list.typed, true, usize::from(room)));

    let body = Rect { y: inner.y + 2, height: inner.height.saturating_sub(4), ..inner };
    let top = state.scroll(scene.model.active, List("palette"), list.selected, list.rows.len(), body.height);
    if list.rows.is_empty() {
        left(buf, body, &"Nothing matches: delete a letter, or press Esc to close.".into());
    }
    let seen = list.rows.get(top..).unwrap_or_default();
    let seen = seen.get(..usize::from(body.height)).unwrap_or(seen);
    draw_rows(buf, body, scene, list, (top, seen));

    left(buf, row(inner, inner.height.saturating_sub(2)), &note(scene, list));
    let keys = [("Enter", "do it"), ("↑ ↓ PgUp PgDn", "choose"), ("Esc", "close")];
    left(buf, row(inner, inner.height.saturating_sub(1)), &answers(scene, &keys));
}

fn draw_rows(
    buf: &mut Buffer,
    body: Rect,
    scene: &Scene<'_>,
    list: &PaletteList,
    (top, seen): (usize, &[PaletteEntry]),
) {
    let styles = scene.styles;
    let most = usize::from(body.width.saturating_sub(LEAD) / 2);
    let widest = seen.iter().map(|entry| entry.name.width()).max().unwrap_or(0);
    let name_width = u16::try_from(widest.max(NAME).min(most)).unwrap_or(0);
    let mut letters = LetterMarks::of(list.typed.as_str());
    let found = styles.accent.add_modifier(Modifier::UNDERLINED);
    for (at, entry) in seen.iter().enumerate() {
        let area = row(body, u16::try_from(at).unwrap_or(u16::MAX));
        let [in_name, in_what] = letters.find(entry);
        let name = marked(&entry.name, &in_name, (styles.dialog, found));
        put(buf, area.x + LEAD, area.y, name_width, &Line::from(name), Align::Left);
        let key = span(key(scene, entry), styles.strong);
        let used = LEAD + name_width + GAP;
        let rest = Rect { x: area.x + used, width: area.width.saturating_sub(used), ..area };
        let room = right(buf, rest, &key.into());
        let what = marked(&entry.what, &in_what, (styles.muted, found));
        left(buf, Rect { width: room, ..rest }, &Line::from(what));
        if list.selected == Some(top + at) {
            put(buf, area.x, area.y, 1, &span("▸", styles.accent).into(), Align::Left);
            styles.select(buf, area);
        }
    }
}

/// The key of an action as it is bound.
fn key(scene: &Scene<'_>, entry: &PaletteEntry) -> String {
    let PaletteTarget::Action(action, _) = &entry.target else { return String::new() };
    scene.model.keys_of(*action).next().map_or_else(String::new, |key| key.to_string())
}

/// A text with the letters at these bytes in the second style.
fn marked<'a>(text: &'a str, marks: &[usize], (plain, found): (Style, Style)) -> Vec<Span<'a>> {
    if marks.is_empty() {
        return vec![span(text, plain)];
    }
    let is_marked = |(at, character): (usize, &str)| (at..at + character.len()).any(|at| marks.contains(&at));
    let style = |letter| if is_marked(letter) { found } else { plain };
    text.grapheme_indices(true).map(|letter| span(letter.1, style(letter))).collect()
}

/// What the list does not say itself.
fn note(scene: &Scene<'_>, list: &PaletteList) -> Line<'static> {
    let styles = scene.styles;
    let env = &scene.env.spec.name;
    if list.selected.is_none() && !list.rows.is_empty() {
        return span("▲ What was selected is gone: ↑ ↓ select another entry.", styles.warning).into();
    }
    let text = match (list.has_runbooks, scene.model.listing().is_some()) {
        (true, _) => String::new(),
        (false, false) => format!("The runbooks of {env} are not known yet."),
        (false, true) => format!("The runbooks of {env} are known now: typing lists them, too."),
    };
    span(text, styles.muted).into()
}

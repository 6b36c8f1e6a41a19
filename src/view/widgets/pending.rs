//! A sequence of keys that is under way: what was typed, and what each key does that can follow. In the footer's first
//! row where that has room, else in the rows above it as well.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthStr;

use crate::app::model::pending::PendingKeys;
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::text::{Align, left, put, row, span};

use super::footer;

/// Columns between two keys that can follow.
const GAP: usize = 3;

/// Draws it at the bottom of `area`, over the rows that it needs.
pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, pending: &PendingKeys) {
    let styles = scene.styles;
    let typed = vec![span(format!(" {} ", pending.typed()), styles.paused), Span::raw("  ")];
    let begins = Line::from(typed).width();
    let following: Vec<Vec<Span<'static>>> =
        scene.model.following().into_iter().map(|(keys, action)| entry(scene, &keys, action)).collect();
    let widths: Vec<usize> = following.iter().map(|entry| entry.iter().map(Span::width).sum()).collect();
    let width = usize::from(area.width).saturating_sub(begins + 1);
    let in_one_row = widths.iter().map(|width| width + GAP).sum::<usize>() <= width + GAP;
    let cell = if in_one_row { 0 } else { widths.iter().max().map_or(1, |widest| widest + GAP) };
    let across = if in_one_row { following.len().max(1) } else { (width / cell).max(1) };
    let most = usize::from(area.height.saturating_sub(footer::HEIGHT) / 2).max(1);
    let rows = following.len().div_ceil(across).clamp(1, most);
    let height = u16::try_from(rows).unwrap_or(1);
    let bottom = area.bottom().saturating_sub(footer::HEIGHT - 1);
    let place = Rect { y: bottom.saturating_sub(height), height, ..area };
    Clear.render(place, buf);
    buf.set_style(place, styles.surface);
    left(buf, row(place, 0), &Line::from(span(format!(" {} ", pending.typed()), styles.paused)));
    let start = place.x.saturating_add(u16::try_from(begins).unwrap_or(0));
    let room = rows * across;
    let cut = following.len() > room;
    let shown = if cut { room.saturating_sub(1) } else { following.len() };
    let mut x = start;
    for (at, (entry, width)) in following.iter().zip(&widths).enumerate().take(shown) {
        if !in_one_row {
            x = start.saturating_add(u16::try_from((at / rows) * cell).unwrap_or(u16::MAX));
        }
        let y = place.y + u16::try_from(if in_one_row { 0 } else { at % rows }).unwrap_or(0);
        let columns = u16::try_from(*width).unwrap_or(u16::MAX).min(place.right().saturating_sub(x));
        put(buf, x, y, columns, &Line::from(entry.clone()), Align::Left);
        x = x.saturating_add(u16::try_from(width + GAP).unwrap_or(u16::MAX));
    }
    if cut {
        let more = format!("and {} more", following.len() - shown);
        let x = start.saturating_add(u16::try_from((across - 1) * cell).unwrap_or(u16::MAX));
        let columns = u16::try_from(more.width()).unwrap_or(u16::MAX);
        put(buf, x, place.bottom().saturating_sub(1), columns, &span(more, styles.muted).into(), Align::Left);
    }
}

/// A key that can follow, and what it does; dim where that is nothing now.
fn entry(scene: &Scene<'_>, keys: &str, action: Action) -> Vec<Span<'static>> {
    let styles = scene.styles;
    let words = format!(" {}", scene.model.words_of(action));
    if scene.model.obstacle(action.need()).is_some() {
        return vec![span(keys.to_owned(), styles.muted), span(words, styles.muted)];
    }
    vec![span(keys.to_owned(), styles.strong), span(words, styles.surface)]
}

//! The dialog that chooses the columns of the fleet table.

use ratatui::text::{Line, Span};

use super::forms::{answers, wrong};
use crate::app::model::columns::ColumnForm;
use crate::view::scene::Scene;
use crate::view::text::span;

/// Lines below the columns.
const BELOW: usize = 4;

/// Its lines, `room` at most: some of many columns around the selected one.
pub(super) fn lines(scene: &Scene<'_>, form: &ColumnForm, room: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let all = form.rows.len();
    let seen = room.saturating_sub(BELOW + 1).clamp(1, all.max(1));
    let first = (form.at + 1).saturating_sub(seen.div_ceil(2)).min(all.saturating_sub(seen));
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (at, (title, shown)) in form.rows.iter().enumerate().skip(first).take(seen) {
        let mark = if at == form.at { "▸ " } else { "  " };
        let (sign, style) = if *shown { ("[x] ", styles.strong) } else { ("[ ] ", styles.muted) };
        lines.push(Line::from(vec![span(mark, styles.accent), span(sign, style), span(*title, style)]));
    }
    if seen < all {
        let text = format!("  {} to {} of {all} columns", first + 1, first + seen);
        lines.push(span(text, styles.muted).into());
    }
    lines.extend(wrong(scene, form.wrong));
    lines.push(Line::from(Span::raw("")));
    lines.push(answers(scene, &[("↑ ↓", "select"), ("Space", "show or hide"), ("← →", "move")]));
    lines.push(answers(scene, &[("Enter", "keep"), ("d", "all that fit"), ("Esc", "cancel")]));
    lines
}

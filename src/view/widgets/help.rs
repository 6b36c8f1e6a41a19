//! Help, made of the live keymap: what is bound is listed as it is bound, and the signs with their words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::signs::Status;
use crate::view::state::ViewState;
use crate::view::text::{left, row, span};

use super::dialog;

/// Columns for the keys of an action.
const KEYS: usize = 10;

pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut ViewState, scroll: usize) {
    let lines = lines(scene);
    let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let styles = scene.styles;
    let title = Line::from(span(" Keys and signs ", styles.accent));
    let inner = dialog::open(buf, area, (80, wanted), title, (styles.dialog, styles.line));
    let top = state.scroll_text(scroll, lines.len(), inner.height);
    let limit = lines.len().saturating_sub(usize::from(inner.height));
    for (y, line) in (0..inner.height).zip(lines.iter().skip(top)) {
        left(buf, row(inner, y), line);
    }
    if limit > 0 {
        let more = if top < limit { " more below ↓ " } else { " more above ↑ " };
        let at = Rect { x: inner.x, y: inner.bottom(), width: inner.width, height: 1 };
        left(buf, at, &span(more, styles.muted.patch(styles.dialog)).into());
    }
}

/// Two actions a line, down the left column first; then the signs.
fn lines<'a>(scene: &Scene<'_>) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let bound: Vec<Line<'_>> = Action::ALL.iter().filter_map(|a| action(scene, *a)).collect();
    let half = bound.len().div_ceil(2);
    let (first, second) = bound.split_at(half);
    let mut lines = Vec::new();
    for (i, one) in first.iter().enumerate() {
        let mut spans = one.spans.clone();
        if let Some(other) = second.get(i) {
            let used: usize = spans.iter().map(Span::width).sum();
            spans.push(Span::raw(" ".repeat(38_usize.saturating_sub(used))));
            spans.extend(other.spans.iter().cloned());
        }
        lines.push(own(Line::from(spans)));
    }
    lines.push(Line::default());
    let mut signs = Vec::new();
    for status in Status::ALL {
        signs.push(span(status.sign(), styles.status(status)));
        signs.push(span(format!(" {}   ", status.word()), styles.muted));
    }
    lines.push(Line::from(signs));
    let old = format!(
        "Figures over {} old are dim; over {} they are ?.",
        crate::domain::time::short_age(scene.cadence() * 2),
        crate::domain::time::short_age(scene.cadence() * 4),
    );
    lines.push(Line::from(span(old, styles.muted)));
    lines
}

fn own<'a>(line: Line<'_>) -> Line<'a> {
    Line::from(
        line.spans.into_iter().map(|s| Span::styled(s.content.into_owned(), s.style)).collect::<Vec<_>>(),
    )
}

fn action(scene: &Scene<'_>, action: Action) -> Option<Line<'static>> {
    let keys: Vec<String> = scene.model.keymap.keys(action).map(|k| k.to_string()).collect();
    if keys.is_empty() {
        return None;
    }
    let mut shown = String::new();
    for key in &keys {
        if !shown.is_empty() && shown.chars().count() + key.chars().count() + 1 > KEYS {
            break;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(key);
    }
    Some(Line::from(vec![
        span(format!("{shown:<KEYS$} "), scene.styles.strong),
        span(action.help(), scene.styles.muted),
    ]))
}

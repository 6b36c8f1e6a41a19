//! The dialogs of a maintenance session: what it is, to whom it is handed over, its end, a note.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::model::session::{SessionForm, SessionNote, SessionQuestion};
use crate::view::scene::Scene;
use crate::view::text::{span, wrap};

use super::forms::{answers, wrong};
use super::{field, forms};

/// The title, and what is asked.
pub(super) fn form(scene: &Scene<'_>, form: &SessionForm, width: usize) -> (String, Vec<Line<'static>>) {
    let styles = scene.styles;
    let env = &form.env;
    let (title, text, done) = match &form.what {
        SessionQuestion::Start => (
            format!("Start a session of {env}"),
            "It is kept on disk and on the jump box, where others see it and can join.".to_owned(),
            "start",
        ),
        SessionQuestion::HandOver => (
            "Hand the session over".to_owned(),
            "Whoever is named confirms it by joining, and leads it from then on.".to_owned(),
            "hand over",
        ),
        SessionQuestion::End(word) => (
            format!("End the session of {env}?"),
            format!("For everybody who takes part. Type  {word}  to end it."),
            "end it",
        ),
    };
    let mut lines: Vec<Line<'static>> =
        wrap(&text, width).into_iter().map(|line| span(line, styles.muted).into()).collect();
    lines.push(Line::default());
    for (at, (label, text)) in form.fields.iter().enumerate() {
        let active = at == form.at;
        let (mark, style) = if active { ("▸ ", styles.strong) } else { ("  ", styles.muted) };
        let mut spans = vec![span(mark, styles.accent), span(format!("{label:<10}"), style)];
        let room = width.saturating_sub(13);
        if active {
            let text = (text.before(), text.after());
            spans.extend(field::around(text, true, room, (Style::default(), styles.paused)));
        } else {
            spans.push(Span::raw(crate::view::text::tail(text.as_str(), room)));
        }
        lines.push(Line::from(spans));
        if active && let Some(hint) = hint(&form.what, at) {
            lines.push(span(format!("            {hint}"), styles.muted).into());
        }
    }
    lines.extend(wrong(scene, form.wrong));
    lines.push(Line::default());
    let last = form.at + 1 == form.fields.len();
    let enter = if last { done } else { "next" };
    let next = if form.fields.len() > 1 { &[("Tab", "the next field")][..] } else { &[] };
    lines.push(answers(scene, &[&[("Enter", enter)], next, &[("Esc", "cancel")]].concat()));
    (title, lines)
}

fn hint(what: &SessionQuestion, at: usize) -> Option<&'static str> {
    match (what, at) {
        (SessionQuestion::Start, 0) => Some("why: everybody who joins sees it"),
        (SessionQuestion::Start, 1) => Some("may be empty"),
        (SessionQuestion::Start, 2) => Some("names with commas; may be empty"),
        (SessionQuestion::Start, 3) => Some("until its planned end: 90m, 3h"),
        (SessionQuestion::HandOver, _) => Some("anna, or anna@desk"),
        (SessionQuestion::End(_), 0) => Some("what remains to be said; may be empty"),
        (SessionQuestion::Start | SessionQuestion::End(_), _) => None,
    }
}

/// A note.
pub(super) fn note(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, note: &SessionNote, width: u16) {
    forms::note(buf, area, scene, (" A note for the session (Markdown) ", &note.text), width);
}

//! The dialogs of a login: an unknown host key, a passphrase, a prompt. What is asked, by which hop, and what each
//! answer does; nothing typed ahead is shown as if it had been an answer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::event::{Question, QuestionKind};
use crate::view::scene::Scene;
use crate::view::text::{left, row, span, wrap};

use super::dialog;

const WIDTH: u16 = 72;

pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, asked: &Question) {
    let styles = scene.styles;
    let width = WIDTH.min(area.width.saturating_sub(4));
    let inner_width = usize::from(width.saturating_sub(4));
    let (title, lines) = match &asked.kind {
        QuestionKind::UnknownHostKey { .. } => ("UNKNOWN HOST KEY", host_key(scene, asked, inner_width)),
        QuestionKind::Passphrase { .. } => ("Passphrase", secret(scene, asked, inner_width)),
        QuestionKind::Prompt { .. } => ("Login", secret(scene, asked, inner_width)),
    };
    let waiting = scene.model.questions.len();
    let more = if waiting > 1 { format!("1 of {waiting} ") } else { String::new() };
    let title = Line::from(span(format!(" {title} {more}"), styles.warning));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let inner = dialog::open(buf, area, (width, height), title, (styles.dialog, styles.warning));
    for (y, line) in (0..inner.height).zip(&lines) {
        left(buf, row(inner, y), line);
    }
}

fn host_key<'a>(scene: &Scene<'_>, asked: &'a Question, width: usize) -> Vec<Line<'a>> {
    let QuestionKind::UnknownHostKey { address, algorithm, fingerprint, file } = &asked.kind else {
        return Vec::new();
    };
    let styles = scene.styles;
    let mut lines = Vec::new();
    let what = format!("unknown host key of {} ({address}, {}):", asked.hop, asked.env);
    lines.extend(wrap(&what, width).into_iter().map(Line::from));
    lines.push(Line::default());
    lines.push(Line::from(span(format!("  {algorithm}"), styles.muted)));
    for part in wrap(fingerprint, width.saturating_sub(2)) {
        lines.push(Line::from(span(format!("  {part}"), styles.strong)));
    }
    lines.push(Line::default());
    let then = format!("Verify it out of band. Accepted, it is written to {file} and trusted from now on.");
    lines.extend(wrap(&then, width).into_iter().map(Line::from));
    lines.push(Line::default());
    lines.push(answers(scene, &[("y", "accept and remember"), ("Esc", "refuse")]));
    lines
}

fn secret<'a>(scene: &Scene<'_>, asked: &'a Question, width: usize) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let (what, wrong, echo) = match &asked.kind {
        QuestionKind::Passphrase { key, wrong } => {
            (format!("{key} is encrypted. Its passphrase:"), *wrong, false)
        }
        QuestionKind::Prompt { prompt, echo } => (format!("{} asks: {prompt}", asked.hop), false, *echo),
        QuestionKind::UnknownHostKey { .. } => return Vec::new(),
    };
    let mut lines: Vec<Line<'_>> = wrap(&what, width).into_iter().map(Line::from).collect();
    if let QuestionKind::Passphrase { .. } = &asked.kind {
        let by = format!("needed to log in to {} of {}", asked.hop, asked.env);
        lines.push(Line::from(span(by, styles.muted)));
    }
    if wrong {
        lines.push(Line::from(span("✖ The last one was wrong.", styles.critical)));
    }
    lines.push(Line::default());
    lines.push(input(scene, echo, width));
    lines.push(Line::default());
    lines.push(answers(scene, &[("Enter", "answer"), ("Esc", "cancel the login")]));
    lines
}

/// What is typed: its end when it is long; dots for a secret.
fn input<'a>(scene: &Scene<'_>, echo: bool, width: usize) -> Line<'a> {
    let typed: Vec<&str> = scene.model.answer.graphemes(true).collect();
    let room = width.saturating_sub(4);
    let shown = if echo {
        let mut used = 0;
        let mut tail: Vec<&str> = typed
            .iter()
            .rev()
            .take_while(|g| {
                used += unicode_width::UnicodeWidthStr::width(**g);
                used <= room
            })
            .copied()
            .collect();
        tail.reverse();
        tail.concat()
    } else {
        "•".repeat(typed.len().min(room))
    };
    Line::from(vec![span("> ", scene.styles.accent), Span::raw(shown), span(" ", scene.styles.paused)])
}

fn answers<'a>(scene: &Scene<'_>, answers: &[(&'a str, &'a str)]) -> Line<'a> {
    let mut spans = Vec::new();
    for (key, what) in answers {
        spans.push(span(*key, scene.styles.strong));
        spans.push(span(format!(" {what}   "), scene.styles.muted));
    }
    Line::from(spans)
}

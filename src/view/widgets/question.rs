//! The dialogs of a login: an unknown host key, a passphrase, a prompt. What is asked, by which hop, and what each
//! answer does; nothing typed ahead is shown as if it had been an answer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::view::scene::Scene;
use crate::view::text::{left, row, span, wrap};
use jumpdeck_fleet::event::{LoginInstructions, Question, QuestionKind};
use jumpdeck_fleet::text::Clean;

use super::dialog;
use super::field::typed;
use super::forms::answers;

const WIDTH: u16 = 72;

pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, asked: &Question) {
    let styles = scene.styles;
    let width = WIDTH.min(area.width.saturating_sub(4));
    let inner_width = usize::from(width.saturating_sub(4));
    let (title, lines) = match &asked.kind {
        QuestionKind::UnknownHostKey { .. } => ("UNKNOWN HOST KEY", host_key(scene, asked, inner_width)),
        QuestionKind::Passphrase { key, wrong } => {
            ("Passphrase", passphrase(scene, asked, key, *wrong, inner_width))
        }
        QuestionKind::Prompt { told, prompt: text, echo } => {
            ("Login", prompt(scene, asked, (told, text, *echo), inner_width))
        }
        QuestionKind::Waiting { told } => ("Login", waiting(scene, asked, told, inner_width)),
        QuestionKind::LogInAgain { why } => ("Login", log_in_again(scene, asked, why, inner_width)),
    };
    let lines = fitting(scene, lines, usize::from(area.height.saturating_sub(4)));
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

fn passphrase<'a>(
    scene: &Scene<'_>,
    asked: &'a Question,
    key: &str,
    wrong: bool,
    width: usize,
) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let what = format!("{key} is encrypted. Its passphrase:");
    let mut lines: Vec<Line<'_>> = wrap(&what, width).into_iter().map(Line::from).collect();
    lines.push(Line::from(span(format!("needed to log in to {}", asked.env), styles.muted)));
    if wrong {
        lines.push(Line::from(span("✖ The last passphrase was wrong.", styles.critical)));
    }
    lines.push(Line::default());
    lines.push(typed(scene, &scene.model.answer, false, width));
    lines.push(Line::default());
    lines.push(answers(scene, &[("Enter", "answer"), ("Esc", "cancel the login")]));
    lines
}

/// A prompt as the server puts it: its name and instructions, then the prompt, line by line.
fn prompt<'a>(
    scene: &Scene<'_>,
    asked: &'a Question,
    (told, prompt, echo): (&'a LoginInstructions, &'a [Clean], bool),
    width: usize,
) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let mut lines = vec![Line::from(span(format!("{} asks:", asked.hop), styles.muted))];
    for line in told.lines() {
        lines.extend(wrapped(line, width, styles.dialog));
    }
    for line in prompt {
        lines.extend(wrapped(line, width, styles.strong));
    }
    lines.push(typed(scene, &scene.model.answer, echo, width));
    lines.push(Line::default());
    lines.push(answers(scene, &[("Enter", "answer"), ("Esc", "cancel the login")]));
    lines
}

fn waiting<'a>(
    scene: &Scene<'_>,
    asked: &'a Question,
    told: &'a LoginInstructions,
    width: usize,
) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let mut lines = Vec::new();
    for line in told.lines() {
        lines.extend(wrapped(line, width, styles.dialog));
    }
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    let what = format!("Waiting for {}. It may wait for a confirmation on your phone.", asked.hop);
    lines.extend(wrap(&what, width).into_iter().map(|l| Line::from(span(l, styles.muted))));
    lines.push(Line::default());
    lines.push(answers(scene, &[("Esc", "cancel the login")]));
    lines
}

fn log_in_again<'a>(scene: &Scene<'_>, asked: &'a Question, why: &Clean, width: usize) -> Vec<Line<'a>> {
    let what = format!(
        "Log in to {} of {} again? That may send a push or count as an attempt.",
        asked.hop, asked.env
    );
    let mut lines: Vec<Line<'_>> = wrap(&what, width).into_iter().map(Line::from).collect();
    lines.extend(wrap(why.as_str(), width).into_iter().map(|l| Line::from(span(l, scene.styles.muted))));
    lines.push(Line::default());
    lines.push(answers(scene, &[("y", "log in"), ("Esc", "do not log in")]));
    lines
}

/// A line of a server; a blank one stays blank.
fn wrapped<'a>(line: &Clean, width: usize, style: Style) -> Vec<Line<'a>> {
    if line.as_str().trim().is_empty() {
        return vec![Line::default()];
    }
    wrap(line.as_str(), width).into_iter().map(|l| Line::from(span(l, style))).collect()
}

/// What does not fit is left off at its beginning, and that is said: the prompt and the answer stay in sight.
fn fitting<'a>(scene: &Scene<'_>, mut lines: Vec<Line<'a>>, room: usize) -> Vec<Line<'a>> {
    let over = lines.len().saturating_sub(room);
    if over > 0 {
        let left_off = Line::from(span(format!("▲ {} lines do not fit", over + 1), scene.styles.warning));
        lines.splice(..(over + 1).min(lines.len()), [left_off]);
    }
    lines
}

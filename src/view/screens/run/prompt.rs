//! What a run asks, in a box below what it rests on, so that the command and the facts stay in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Padding, Widget};
use unicode_width::UnicodeWidthStr;

use crate::app::model::runs::{PromptId, ReplyDraft};
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::text::{left, row, span, wrap};
use crate::view::widgets::field::typed;
use crate::view::widgets::footer::key;
use crate::view::widgets::forms::{answers, choices};
use jumpdeck_fleet::run::{Asks, Choice, InputView, Mode, Prompt, PromptKind, RunView};

/// Lines that are left to what is above it, at least.
const KEPT: u16 = 8;

/// Draws it at the bottom of the area, `below` lines from its end; returns its height, and whether its text is too long
/// for it and stands with what the step does, where it can be read to its end.
pub(super) fn draw(
    buf: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    run: &RunView,
    below: usize,
) -> (u16, bool) {
    let Some(prompt) = &run.prompt else { return (0, false) };
    let styles = scene.styles;
    let width = usize::from(area.width.saturating_sub(4));
    let below = u16::try_from(below).unwrap_or(0);
    let mut text: Vec<Line<'_>> = Vec::new();
    if prompt.title.as_str().width() + 4 > width {
        text.extend(wrap(prompt.title.as_str(), width).into_iter().map(|l| span(l, styles.strong).into()));
    }
    for line in &prompt.text {
        text.extend(wrap(line.as_str(), width).into_iter().map(Line::from));
    }
    let ask = if run.watching {
        watched(scene, run)
    } else if scene.model.runs.step.is_some() {
        elsewhere(scene, run, width)
    } else {
        ask(scene, run, prompt, width)
    };
    let room = usize::from(area.height.saturating_sub(below + KEPT + 2));
    let long = text.len() + ask.len() > room;
    if long {
        let (up, down) = (key(scene, Action::PageUp), key(scene, Action::PageDown));
        text = vec![span(format!("Full text above ({up} {down})."), styles.muted).into()];
    }
    let lines: Vec<Line<'_>> = text.into_iter().chain(ask).collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let height = height.min(area.height.saturating_sub(below));
    let outer = Rect { y: area.bottom().saturating_sub(below + height), height, ..area };
    let title = Line::from(span(format!(" ◆ {} ", prompt.title), styles.warning));
    let block = Block::bordered()
        .style(styles.dialog)
        .border_style(styles.warning)
        .title(title)
        .padding(Padding::horizontal(1));
    let inner = block.inner(outer);
    block.render(outer, buf);
    for (y, line) in (0..inner.height).zip(&lines) {
        left(buf, row(inner, y), line);
    }
    (height, long)
}

/// Says on the box's lower edge that what is asked rests on lines that were never on screen.
pub(super) fn unread(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, lines: usize) {
    let down = key(scene, Action::PageDown);
    let text = format!(" ▲ {} above not read yet: {down} ", crate::view::text::count(lines, "line"));
    let edge = Rect {
        x: area.x + 2,
        y: area.bottom().saturating_sub(1),
        width: area.width.saturating_sub(4),
        height: 1,
    };
    left(
        buf,
        edge,
        &span(
            text,
            scene
                .styles
                .warning
                .patch(scene.styles.dialog.bg.map_or_else(Style::new, |bg| Style::new().bg(bg))),
        )
        .into(),
    );
}

/// Another step is looked at than the one that asks.
fn elsewhere(scene: &Scene<'_>, run: &RunView, width: usize) -> Vec<Line<'static>> {
    let at = run.current.map_or_else(|| "another step".to_owned(), |at| format!("step {}", at + 1));
    let text = format!(
        "▲ This question is from {at}, whose command and facts are not on screen. Enter shows them; answer then."
    );
    wrap(&text, width).into_iter().map(|l| span(l, scene.styles.warning).into()).collect()
}

fn watched(scene: &Scene<'_>, run: &RunView) -> Vec<Line<'static>> {
    vec![span(format!("{} is asked; you are watching", run.who), scene.styles.muted).into()]
}

fn ask<'a>(scene: &Scene<'_>, run: &RunView, prompt: &'a Prompt, width: usize) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let own = PromptId::Run(run.id.clone(), prompt.number);
    let blank = ReplyDraft::default();
    let reply = Some(&scene.model.runs.reply).filter(|r| r.to.as_ref() == Some(&own)).unwrap_or(&blank);
    if reply.given {
        return vec![span("answered", styles.muted).into()];
    }
    let mut lines = Vec::new();
    let arm = run.mode == Mode::Live && !scene.model.is_armed(&run.env);
    let asks_to_arm = match &prompt.kind {
        PromptKind::Confirm | PromptKind::Challenge(_) => "confirming asks".to_owned(),
        PromptKind::Choose(ways) => {
            let keys: Vec<String> = ways.iter().filter(|w| w.changes).map(|w| w.key.to_string()).collect();
            match keys.as_slice() {
                [] => String::new(),
                [one] => format!("{one} asks"),
                [_, _, ..] => format!("{} ask", keys.join(" and ")),
            }
        }
        PromptKind::Input(_) | PromptKind::Approve(_) => String::new(),
    };
    if arm && !asks_to_arm.is_empty() {
        let text = &format!("▲ {} is read-only: {asks_to_arm} you to arm it first.", run.env);
        lines.extend(wrap(text, width).into_iter().map(|l| span(l, styles.warning).into()));
    }
    match &prompt.kind {
        PromptKind::Confirm => {
            let step = run.current.and_then(|at| run.steps.get(at));
            // What a person does by hand is done when they say so.
            let ways = match step.is_some_and(|step| step.asks == Asks::Work) {
                true => [("y", "yes, it is done"), ("n or Enter", "no, it is not"), ("Esc", "answer later")],
                false => [("y", "yes, do it"), ("n or Enter", "no, change nothing"), ("Esc", "answer later")],
            };
            lines.push(answers(scene, &ways));
        }
        PromptKind::Challenge(value) => {
            lines.push(Line::from(vec![Span::raw("To go on, type  "), span(value.as_str(), styles.strong)]));
            lines.push(typed(scene, &reply.typed, true, width));
            lines.extend(wrong(scene, reply));
            let esc = if reply.typed.is_empty() { "answer later" } else { "clear" };
            lines.push(answers(scene, &[("Enter", "do it"), ("^D", "no, change nothing"), ("Esc", esc)]));
        }
        PromptKind::Input(input) => lines.extend(value(scene, input, reply, width)),
        PromptKind::Choose(ways) => lines.extend(choose(scene, ways, reply, width)),
        PromptKind::Approve(words) => {
            lines.push(Line::from("A second operator approves with:"));
            lines.extend(
                wrap(words.as_str(), width.saturating_sub(2))
                    .into_iter()
                    .map(|l| Line::from(vec![Span::raw("  "), span(l, styles.strong)])),
            );
            lines.push(answers(scene, &[("n", "stop waiting")]));
        }
    }
    lines
}

fn wrong(scene: &Scene<'_>, reply: &ReplyDraft) -> Option<Line<'static>> {
    reply.wrong.map(|why| span(format!("✖ {why}"), scene.styles.critical).into())
}

fn value<'a>(scene: &Scene<'_>, input: &'a InputView, reply: &ReplyDraft, width: usize) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let mut lines = vec![Line::from(input.label.as_str())];
    lines.extend(wrap(input.wanted.as_str(), width).into_iter().map(|l| span(l, styles.muted).into()));
    if let Some(help) = &input.help {
        lines.extend(wrap(help.as_str(), width).into_iter().map(|l| span(l, styles.muted).into()));
    }
    if input.choices.is_empty() {
        lines.push(typed(scene, &reply.typed, !input.sensitive, width));
    } else {
        lines.extend(choices(scene, &input.choices, &reply.picker));
    }
    lines.extend(wrong(scene, reply));
    lines.push(answers(scene, &[("Enter", "answer"), ("^D", "no answer"), ("Esc", "answer later")]));
    lines
}

fn choose<'a>(scene: &Scene<'_>, ways: &'a [Choice], reply: &ReplyDraft, width: usize) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let chosen = reply.chosen.and_then(|key| ways.iter().find(|w| w.key == key));
    if let Some(way) = chosen {
        let asked = format!("{}: why?", way.label);
        let mut lines: Vec<Line<'a>> = wrap(&asked, width).into_iter().map(Line::from).collect();
        lines.push(typed(scene, &reply.typed, true, width));
        lines.extend(wrong(scene, reply));
        lines.push(answers(scene, &[("Enter", "do that"), ("Esc", "choose another")]));
        return lines;
    }
    let mut lines = Vec::new();
    for way in ways {
        let why = if way.reason { " (with a reason)" } else { "" };
        let label = wrap(&format!("{}{why}", way.label), width.saturating_sub(3));
        for (i, part) in label.into_iter().enumerate() {
            let key = if i == 0 { format!("{}  ", way.key) } else { "   ".to_owned() };
            lines.push(Line::from(vec![span(key, styles.strong), Span::raw(part)]));
        }
    }
    lines
}

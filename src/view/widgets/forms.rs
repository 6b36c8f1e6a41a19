//! The console's own dialogs over runs: inputs, start, arming, notes, a refusal, leaving.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::model::editor::Editor;
use crate::app::model::note::Note;
use crate::app::model::picker::{Picker, SHOWN};
use crate::app::model::runs::{AcknowledgeForm, Dialog, Form, LEAVE_WORD, Leave, LeaveQuestion};
use crate::view::scene::Scene;
use crate::view::text::{left, row, span, wrap};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{EndedBy, InEffect, Mode, RunView};
use jumpdeck_fleet::text::Clean;

use super::field::typed;
use super::{dialog, field, session, views};

const WIDTH: u16 = 72;
/// Lines of a note.
const NOTE: u16 = 8;

pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, what: &Dialog) {
    let outer = WIDTH.min(area.width.saturating_sub(4));
    let width = usize::from(outer.saturating_sub(4));
    let env = scene.env.spec.level.to_uppercase();
    let (title, lines) = match what {
        Dialog::Inputs(form) => (form.title.to_string(), inputs(scene, form, width)),
        Dialog::Start { mode, why, wrong } => {
            (format!("Start in {env}"), start(scene, *mode, why, *wrong, width))
        }
        Dialog::Arm { reason, time, at_time, wrong } => {
            (format!("Arm {env} for changes"), arm(scene, (reason, time, *at_time), *wrong, width))
        }
        Dialog::Acknowledge(form) => ("Acknowledge the problem".to_owned(), acknowledge(scene, form, width)),
        Dialog::Note { text, .. } => {
            return note(buf, area, scene, (" A note for the journal ", text), outer);
        }
        Dialog::SessionNote(text) => return session::note(buf, area, scene, text, outer),
        Dialog::Session(form) => session::form(scene, form, width),
        Dialog::Command(form) => {
            let height = usize::from(area.height.saturating_sub(2));
            super::command::lines(scene, form, (width, height))
        }
        Dialog::Refused(why) => ("Refused".to_owned(), refused(scene, why, width)),
        Dialog::SaveView { view, name, wrong } => {
            ("Save this view".to_owned(), views::save(scene, (view, name), *wrong, width))
        }
        Dialog::Export(form) => ("Export the table".to_owned(), super::export::lines(scene, form, width)),
        Dialog::Columns(form) => {
            let room = usize::from(area.height.saturating_sub(2));
            ("Columns".to_owned(), super::columns::lines(scene, form, room))
        }
        Dialog::ViewQuestion(question) => views::question(scene, question, width),
        Dialog::Leave(leave) => {
            let title = match &leave.what {
                LeaveQuestion::Quit => "Quit?",
                LeaveQuestion::Stop(_) => "Stop the run?",
            };
            (title.to_owned(), leaving(scene, leave, width))
        }
    };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let title = Line::from(span(format!(" {title} "), scene.styles.warning));
    let inner = dialog::open(buf, area, (outer, height), title, (scene.styles.dialog, scene.styles.warning));
    for (y, line) in (0..inner.height).zip(&lines) {
        left(buf, row(inner, y), line);
    }
}

/// Keys and what each does.
pub(crate) fn answers<'a>(scene: &Scene<'_>, answers: &[(&'a str, &'a str)]) -> Line<'a> {
    let mut spans = Vec::new();
    for (key, what) in answers {
        spans.push(span(*key, scene.styles.strong));
        spans.push(span(format!(" {what}   "), scene.styles.muted));
    }
    Line::from(spans)
}

/// What was typed: its end when it is long; dots for a secret.
fn end_of(text: &str, echo: bool, room: usize) -> String {
    let graphemes: Vec<&str> = text.graphemes(true).collect();
    if !echo {
        return "•".repeat(graphemes.len().min(room));
    }
    let mut used = 0;
    let mut tail: Vec<&str> = graphemes
        .into_iter()
        .rev()
        .take_while(|g| {
            used += g.width();
            used <= room
        })
        .collect();
    tail.reverse();
    tail.concat()
}

/// Values to choose from, some of many around the one chosen, with what is typed to narrow them.
pub(crate) fn choices(scene: &Scene<'_>, all: &[Clean], picker: &Picker) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let rows = picker.rows(all);
    let at = picker.at(&rows);
    let first = at.unwrap_or(0).saturating_sub(SHOWN - 1).min(rows.len().saturating_sub(SHOWN));
    let mut lines: Vec<Line<'_>> = Vec::new();
    if all.len() > SHOWN || !picker.filter.is_empty() {
        lines.push(typed(scene, &picker.filter, true, usize::from(WIDTH)));
    }
    for (i, choice) in rows.iter().enumerate().skip(first).take(SHOWN) {
        let (mark, style) = if at == Some(i) { ("▸ ", styles.strong) } else { ("  ", styles.dialog) };
        let style = style.patch(styles.dialog);
        lines.push(Line::from(vec![span(mark, styles.accent), span(choice.to_string(), style)]));
    }
    if rows.is_empty() {
        lines.push(span("  no value matches", styles.warning).into());
    }
    if all.len() > SHOWN || rows.len() < all.len() {
        let text = match rows.len() {
            shown if shown == all.len() => format!("  {shown} values: type a part of one, ↑ ↓ PgUp PgDn"),
            shown => format!("  {shown} of {} values", all.len()),
        };
        lines.push(span(text, styles.muted).into());
    }
    lines
}

pub(super) fn wrong(scene: &Scene<'_>, why: Option<&'static str>) -> Option<Line<'static>> {
    why.map(|why| span(format!("✖ {why}"), scene.styles.critical).into())
}

fn inputs<'a>(scene: &Scene<'_>, form: &'a Form, width: usize) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let mut lines = Vec::new();
    for (i, (input, value)) in form.fields.iter().enumerate() {
        if i != form.at {
            let shown = if value.is_empty() {
                "–".to_owned()
            } else {
                end_of(value.as_str(), !input.sensitive, width / 2)
            };
            let colon = if input.label.as_str().ends_with('?') { "" } else { ":" };
            let label = span(format!("  {}{colon} ", input.label), styles.muted);
            lines.push(Line::from(vec![label, Span::raw(shown)]));
            continue;
        }
        lines.push(Line::from(vec![span("▸ ", styles.accent), span(input.label.as_str(), styles.strong)]));
        let wanted = wrap(input.wanted.as_str(), width.saturating_sub(2));
        lines.extend(wanted.into_iter().map(|l| span(format!("  {l}"), styles.muted).into()));
        if let Some(because) = &input.because {
            let because = wrap(because.as_str(), width.saturating_sub(2));
            lines.extend(because.into_iter().map(|l| span(format!("  {l}"), styles.dialog).into()));
        }
        if let Some(help) = &input.help {
            let help = wrap(help.as_str(), width.saturating_sub(2));
            lines.extend(help.into_iter().map(|l| span(format!("  {l}"), styles.muted).into()));
        }
        if input.choices.is_empty() {
            lines.push(typed(scene, value, !input.sensitive, width));
        } else {
            lines.extend(choices(scene, &form.choices(), &form.picker));
        }
        lines.extend(wrong(scene, form.wrong));
    }
    lines.push(Line::default());
    let last = form.at + 1 == form.fields.len();
    let then = if last { "make the plan" } else { "next" };
    let choice = form.fields.get(form.at).is_some_and(|(input, _)| !input.choices.is_empty());
    let choose = if choice { &[("↑ ↓ text", "choose")][..] } else { &[] };
    lines.push(answers(
        scene,
        &[choose, &[("Enter", then), ("Tab", "next field"), ("Esc", "cancel")]].concat(),
    ));
    lines
}

fn start(
    scene: &Scene<'_>,
    mode: Mode,
    why: &Editor,
    problem: Option<&'static str>,
    width: usize,
) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let way = |of: Mode, text: &'static str| {
        let (mark, style) = if of == mode { ("▸ ", styles.strong) } else { ("  ", styles.muted) };
        Line::from(vec![span(mark, styles.accent), span(text, style)])
    };
    let mut lines = vec![
        way(Mode::DryRun, "dry run: hosts are read, changes are only printed"),
        way(Mode::Live, "LIVE: changes are made, each after a confirmation"),
        Line::default(),
        Line::from("Reason (kept in the journal)"),
        typed(scene, why, true, width),
    ];
    lines.extend(wrong(scene, problem));
    lines.push(Line::default());
    lines.push(answers(scene, &[("Enter", "start"), ("Tab", "the other mode"), ("Esc", "cancel")]));
    lines
}

fn arm(
    scene: &Scene<'_>,
    (reason, time, at_time): (&Editor, &Editor, bool),
    problem: Option<&'static str>,
    width: usize,
) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let text = "It becomes read-only again when the time is up, when no key is pressed for 15 minutes, when the \
                jump box reconnects, or when another environment is shown.";
    let mut lines: Vec<Line<'static>> =
        wrap(text, width).into_iter().map(|l| span(l, styles.muted).into()).collect();
    lines.push(Line::default());
    lines.push(two_fields(scene, "reason", reason, !at_time, width));
    lines.push(two_fields(scene, "time", time, at_time, width));
    lines.extend(wrong(scene, problem));
    lines.push(Line::default());
    lines.push(answers(scene, &[("Enter", "arm"), ("Tab", "other field"), ("Esc", "cancel")]));
    lines
}

fn acknowledge(scene: &Scene<'_>, form: &AcknowledgeForm, width: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut lines: Vec<Line<'static>> =
        wrap(form.message.as_str(), width).into_iter().map(Line::from).collect();
    lines.truncate(4);
    lines.push(Line::default());
    lines.push(two_fields(scene, "reason", &form.reason, !form.at_until, width));
    lines.push(two_fields(scene, "until", &form.until, form.at_until, width));
    let text = "1h, 4h, a time of day in UTC (18:30), or resolved: until it has ended. A problem that becomes worse is open again.";
    lines.extend(wrap(text, width).into_iter().map(|line| span(line, styles.muted).into()));
    if let Some(why) = form.wrong {
        let wrapped = wrap(&format!("✖ {why}"), width);
        lines.extend(wrapped.into_iter().map(|line| span(line, styles.critical).into()));
    }
    lines.push(Line::default());
    lines.push(answers(scene, &[("Enter", "acknowledge"), ("Tab", "other field"), ("Esc", "cancel")]));
    lines
}

/// A field of a dialog with two of them.
fn two_fields(
    scene: &Scene<'_>,
    label: &'static str,
    text: &Editor,
    active: bool,
    width: usize,
) -> Line<'static> {
    let styles = scene.styles;
    let (mark, style) = if active { ("▸ ", styles.strong) } else { ("  ", styles.muted) };
    let mut spans = vec![span(mark, styles.accent), span(format!("{label:<10}"), style)];
    if active {
        let text = (text.before(), text.after());
        spans.extend(field::around(text, true, width.saturating_sub(13), (Style::default(), styles.paused)));
    } else {
        spans.push(Span::raw(end_of(text.as_str(), true, width.saturating_sub(14))));
    }
    Line::from(spans)
}

fn refused(scene: &Scene<'_>, why: &[Clean], width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for why in why {
        lines.extend(wrap(why.as_str(), width).into_iter().map(Line::from));
    }
    lines.push(Line::default());
    lines.push(answers(scene, &[("Enter", "close")]));
    lines
}

fn leaving(scene: &Scene<'_>, leave: &Leave, width: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut say =
        |text: &str, style| lines.extend(wrap(text, width).into_iter().map(|l| span(l, style).into()));
    let runs: Vec<&RunView> = scene.model.left_by(&leave.what).map(|run| &**run).collect();
    let under_way: Vec<&&RunView> = runs.iter().filter(|run| run.state.is_under_way()).collect();
    for run in &under_way {
        let step = run.current.and_then(|at| run.steps.get(at)).map_or("", |s| s.title.as_str());
        say(&format!("► {} of {}: {step}", run.runbook, run.env), styles.strong);
    }
    let commands: Vec<_> = match leave.what {
        LeaveQuestion::Quit => scene.model.commands_under_way().collect(),
        LeaveQuestion::Stop(_) => Vec::new(),
    };
    for view in &commands {
        let hosts = crate::view::text::count(view.order.hosts.len(), "host");
        say(&format!("► a command on {hosts} of {}: {}", view.order.env, view.counts()), styles.strong);
    }
    if !commands.is_empty() {
        let text = "No more hosts are asked then. Where the command was sent, it may still be running, and nobody sees its answer.";
        say(text, styles.dialog);
    }
    let in_effect: Vec<_> = runs.iter().flat_map(|run| &run.in_effect).collect();
    for effect in &in_effect {
        let (sign, style) =
            if effect.stops_writes { ("✖", styles.critical) } else { ("▲", styles.warning) };
        say(&format!("{sign} STILL IN EFFECT: {}", effect.line()), style);
    }
    let simulated = under_way.iter().any(|run| run.simulated);
    if leave.stopping {
        say(
            "Waiting for the current step to end. ^C quits at once; the outcome of that step is then unknown.",
            styles.dialog,
        );
    } else if !under_way.is_empty() {
        // What the demo runs on ends with it.
        let then = match (&leave.what, simulated) {
            (LeaveQuestion::Quit, true) => {
                "It cannot be resumed: its simulated fleet ends with this program."
            }
            (LeaveQuestion::Quit, false) | (LeaveQuestion::Stop(_), _) => {
                "It stays in the journal and can be resumed."
            }
        };
        say(&format!("The run stops before its next step. {then}"), styles.dialog);
    }
    let only_on = in_effect.iter().any(|effect| effect.ended_by == EndedBy::GoingOn);
    if only_on && !leave.stopping {
        say("A rollback does not end all of this: only resuming the run does.", styles.warning);
    }
    for (host, commands) in in_effect.iter().flat_map(|effect| by_hand(effect)) {
        let host = host.as_ref().map_or_else(String::new, |host| format!(" on {host}"));
        say(&format!("This run will not end it. End it by hand{host}:"), styles.warning);
        for command in commands {
            say(&format!("  {command}"), styles.strong);
        }
    }
    lines.push(Line::default());
    let verb = match leave.what {
        LeaveQuestion::Quit => "quit",
        LeaveQuestion::Stop(_) => "stop",
    };
    match (&leave.typed, leave.stopping, in_effect.is_empty()) {
        (Some(text), ..) => {
            let asked = format!("To {verb} and leave this in effect, type  ");
            lines.push(Line::from(vec![Span::raw(asked), span(LEAVE_WORD, styles.strong)]));
            lines.push(typed(scene, text, true, width));
            lines.extend(wrong(scene, leave.wrong));
            lines.push(answers(scene, &[("Enter", verb), ("Esc", "back")]));
        }
        (None, true, _) => lines.push(answers(scene, &[("Esc", "stay"), ("^C", "quit at once")])),
        (None, false, true) => {
            let yes = match verb {
                "quit" if under_way.is_empty() => "quit",
                "quit" => "stop it and quit",
                _ => "stop it",
            };
            lines.push(answers(scene, &[("y", yes), ("Enter Esc n", "stay")]));
        }
        (None, false, false) => {
            lines.push(answers(
                scene,
                &[("u", "roll back first"), ("Enter Esc n", "stay"), ("l", "leave it so …")],
            ));
        }
    }
    lines
}

/// The commands that end something when its run does not any more.
fn by_hand(effect: &InEffect) -> &[(Option<HostName>, Vec<Clean>)] {
    match &effect.ended_by {
        EndedBy::Hand(commands) => commands,
        EndedBy::Rollback | EndedBy::GoingOn | EndedBy::NotThisRun => &[],
    }
}

pub(super) fn note(
    buf: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    (title, text): (&str, &Note),
    width: u16,
) {
    let styles = scene.styles;
    let title = Line::from(span(title, styles.warning));
    let size = (width, NOTE + 4);
    let inner = dialog::open(buf, area, size, title, (styles.dialog, styles.warning));
    let field = Rect { height: inner.height.saturating_sub(2), ..inner };
    let mut drawn = text.area().clone();
    drawn.set_style(styles.dialog);
    drawn.set_cursor_line_style(styles.dialog);
    drawn.set_cursor_style(styles.paused);
    drawn.render(field, buf);
    let keys = Rect { y: inner.bottom().saturating_sub(1), height: 1.min(inner.height), ..inner };
    left(buf, keys, &answers(scene, &[("Enter", "keep it"), ("^J", "new line"), ("Esc", "cancel")]));
}

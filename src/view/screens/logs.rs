//! Followed logs: how it is with the hosts, the course of lines and errors, and the lines themselves, the newest at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::model::logs::{LogEntry, LogTimeline, LogView};
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::state::ViewState;
use crate::view::text::{centred, count, left, right, row, span, wrap};
use crate::view::widgets::footer::FooterStatus;
use crate::view::widgets::sparkline;
use jumpdeck_fleet::log::{HostLog, LogLevel, LogLine, grouped, hosts_alike, short_name};

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing {
    columns: || {
        vec![
            (
                "TIME",
                "of the line, by the host's clock; ~ when it arrived, where the line has none that can be read",
            ),
            ("E W", "an error or a warning, by the words of the line"),
        ]
    },
    ..Drawing::of(draw)
};

/// Rows of the screen below which the course is not drawn.
const COURSE: u16 = 14;
/// Columns of the names before the course, and of the figures behind it.
const COURSE_NAME: u16 = 8;
const COURSE_FIGURES: u16 = 24;
/// The widest column of host and log, and its share of the screen.
const WIDEST: usize = 28;
/// Columns of the time, with its mark and a space.
const TIME: usize = 10;

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let Some(logs) = &scene.model.logs else {
        centred(
            buf,
            area,
            &[span("no logs are followed: select a host on another screen first", scene.styles.muted).into()],
        );
        return FooterStatus::default();
    };
    head(buf, row(area, 0), scene, logs);
    let course = if area.height >= COURSE { course(buf, area, scene, logs) } else { 0 };
    let used = 1 + course;
    let list = Rect { y: area.y + used.min(area.height), height: area.height.saturating_sub(used), ..area };
    let (seen, kept) = logs.counts();
    state.fills(list.height);
    if seen == 0 {
        centred(buf, list, &[span(nothing(logs, kept), scene.styles.muted).into()]);
    } else {
        lines(buf, list, scene, logs);
    }
    FooterStatus { says: says(scene, logs), place: logs.bottom().map(|at| (at + 1, seen, kept)) }
}

fn nothing(logs: &LogView, kept: usize) -> String {
    if kept > 0 {
        return "no line matches the filter, or its host is hidden".to_owned();
    }
    let waiting =
        logs.states.values().filter(|state| matches!(state, None | Some(HostLog::Connecting))).count();
    if waiting > 0 { format!("waiting for {}", count(waiting, "host")) } else { "no lines yet".to_owned() }
}

/// Who is followed, and whether the list is.
fn head(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, logs: &LogView) {
    let styles = scene.styles;
    let followed = logs.states.values().filter(|state| matches!(state, Some(HostLog::Following))).count();
    let place = if logs.follows() {
        Line::from(following(scene, logs))
    } else {
        Line::from(span(format!("‖ PAUSED  +{} new", grouped(logs.new_below() as u64)), styles.paused))
    };
    let room = right(buf, Rect { width: area.width.saturating_sub(1), ..area }, &place);
    let names: Vec<&str> = logs.states.keys().map(|host| host.as_str()).collect();
    let mut spans: Vec<Span<'_>> =
        vec![span(format!(" logs of {followed} of {}", count(names.len(), "host")), styles.strong)];
    for (host, state) in &logs.states {
        let (why, style) = match state {
            Some(HostLog::Following) => continue,
            None | Some(HostLog::Connecting) => ("connecting".to_owned(), styles.muted),
            Some(HostLog::Lost { hop, why }) => (format!("lost, tried again: {hop}: {why}"), styles.warning),
            Some(HostLog::Ended { failed: Some((hop, why)) }) => {
                (format!("not read: {hop}: {why}"), styles.critical)
            }
            Some(HostLog::Ended { failed: None }) => ("read to its end".to_owned(), styles.muted),
        };
        spans.push(span(format!("  {host} {why}"), style));
    }
    if let Some(pattern) = &logs.request.pattern {
        spans.push(span(format!("  on the hosts only lines with {:?}", pattern.text), styles.accent));
    }
    if !logs.hidden.is_empty() {
        spans.push(span(format!("  {} hidden", count(logs.hidden.len(), "host")), styles.warning));
    }
    if spans.len() == 1 {
        spans.push(span(format!("  {}", names.join(" ")), styles.muted));
    }
    left(buf, Rect { width: room, ..area }, &Line::from(spans));
}

/// Whether lines come: of all hosts, of some, of none.
fn following(scene: &Scene<'_>, logs: &LogView) -> Span<'static> {
    let styles = scene.styles;
    let states = || logs.states.values();
    let all = states().count();
    let now = states().filter(|state| matches!(state, Some(HostLog::Following))).count();
    let waits = states().any(|state| matches!(state, None | Some(HostLog::Connecting)));
    let lost = states()
        .any(|state| matches!(state, Some(HostLog::Lost { .. } | HostLog::Ended { failed: Some(_) })));
    match (now, lost, waits) {
        (0, true, _) => span("✖ NOT FOLLOWING", styles.critical),
        (0, false, true) => span("◌ CONNECTING", styles.muted),
        (0, false, false) => span("○ ENDED", styles.muted),
        (now, false, _) if now == all => span("● FOLLOWING", styles.ok),
        (now, true, _) => span(format!("▲ FOLLOWING {now} OF {all}"), styles.warning),
        (now, false, _) => span(format!("◌ FOLLOWING {now} OF {all}"), styles.muted),
    }
}

/// What a line says, without the time and the host that stand beside it. Of another day it is shown with its date.
fn said<'a>(scene: &Scene<'_>, line: &'a LogLine) -> &'a str {
    let text = line.text.as_str();
    let day = |second: i64| (second + i64::from(scene.model.zone)).div_euclid(86_400);
    if day(line.at.div_euclid(1000)) != day(scene.model.wall().0) {
        return text;
    }
    text.get(line.lead..).unwrap_or(text)
}

/// Two rows: all lines and the errors, each with its own scale. Returns how many rows it has.
fn course(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, logs: &LogView) -> u16 {
    let width = area.width.saturating_sub(COURSE_NAME + COURSE_FIGURES);
    let Some(LogTimeline { from, each, spans }) = logs.timeline(usize::from(width)) else { return 0 };
    let figures = [
        ("lines", spans.iter().map(|span| span.lines).collect::<Vec<u32>>(), scene.styles.muted),
        ("errors", spans.iter().map(|span| span.errors).collect(), scene.styles.critical),
    ];
    for ((name, values, style), y) in figures.iter().zip(1..) {
        let area = row(area, y);
        let most = values.iter().copied().max().unwrap_or(0);
        left(buf, area, &span(format!(" {name}"), scene.styles.muted).into());
        #[allow(clippy::cast_precision_loss)] // a bar of eight steps
        let bars: Vec<Option<f32>> =
            values.iter().map(|value| (*value > 0).then_some(*value as f32)).collect();
        let bars = sparkline::rows(&bars, sparkline::top(&bars, 1.0), 1).pop().unwrap_or_default();
        left(buf, Rect { x: area.x + COURSE_NAME, width, ..area }, &span(bars, *style).into());
        let figure = match *name {
            "lines" => format!("most {} in {}", grouped(most.into()), spell(each)),
            _ => format!("most {}, since {}", grouped(most.into()), time_of_day(from, scene.model.zone)),
        };
        right(
            buf,
            Rect { width: area.width.saturating_sub(1), ..area },
            &span(figure, scene.styles.muted).into(),
        );
    }
    2
}

/// `10 s`, `5 min`, `1 h`.
fn spell(seconds: i64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// The lines, from the bottom up.
fn lines(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, logs: &LogView) {
    let looked_for: Vec<String> = logs.looked_for().map(str::to_lowercase).collect();
    let most = WIDEST.min(usize::from(area.width) / 4);
    let names = |entry: &LogEntry| match entry {
        LogEntry::Line(line) => name_of(line).width(),
        LogEntry::Note { .. } | LogEntry::NotShown(_) => 0,
    };
    let name = logs.upwards().take(usize::from(area.height)).map(names).max().unwrap_or(0).min(most);
    let width = usize::from(area.width);
    // The last row is the bottom one; a list that is not full begins at the top.
    let mut drawn: Vec<(Line<'_>, bool)> = Vec::new();
    for (at, entry) in logs.upwards().enumerate() {
        let rest = usize::from(area.height).saturating_sub(drawn.len());
        if rest == 0 {
            break;
        }
        let selected = at == 0 && !logs.follows();
        let mut rows = entry_rows(scene, logs, entry, name, width, &looked_for);
        let first = rows.len().saturating_sub(rest);
        drawn.extend(rows.drain(first..).rev().map(|line| (line, selected)));
    }
    for (y, (line, selected)) in (0..).zip(drawn.iter().rev()) {
        let place = row(area, y);
        left(buf, place, line);
        if *selected {
            scene.styles.select(buf, place);
        }
    }
}

fn name_of(line: &LogLine) -> String {
    format!("{}:{}", line.host, short_name(&line.source))
}

fn entry_rows<'a>(
    scene: &Scene<'_>,
    logs: &LogView,
    entry: &'a LogEntry,
    name: usize,
    width: usize,
    looked_for: &[String],
) -> Vec<Line<'a>> {
    let styles = scene.styles;
    let ours = |text: String| vec![Line::from(span(format!(" ── {text}"), styles.accent))];
    let line = match entry {
        LogEntry::Line(line) => line,
        LogEntry::Note { note, others } => {
            let log = note.source.as_deref().map(|source| format!(" {source}")).unwrap_or_default();
            let text =
                format!("{}{log}: {}", hosts_alike(std::iter::once(&note.host).chain(others)), note.text);
            let style = if note.gap { styles.warning } else { styles.accent };
            let mark = if note.gap { "▲" } else { "──" };
            return wrap(&text, width.saturating_sub(4))
                .into_iter()
                .enumerate()
                .map(|(at, part)| {
                    // Rows of one note have one mark.
                    let mark = if at == 0 { mark.to_owned() } else { " ".repeat(mark.width()) };
                    Line::from(span(format!(" {mark} {part}"), style))
                })
                .collect();
        }
        LogEntry::NotShown(missed) => {
            return ours(format!("{} {}: {}", missed.host, missed.source, missed.text()));
        }
    };
    let style = match line.level {
        LogLevel::Error => styles.critical,
        LogLevel::Warning => styles.warning,
        LogLevel::Plain => styles.base,
    };
    let mark = if LogView::is_arrival(line) { "~" } else { " " };
    let host = crate::view::text::tail(&name_of(line), name);
    let cut = if line.cut > 0 { format!(" … {} bytes more", grouped(line.cut)) } else { String::new() };
    let room = width.saturating_sub(TIME + name + 3).max(8);
    let text = said(scene, line);
    let parts = if logs.wrap { wrap(text, room) } else { vec![text.to_owned()] };
    let last = parts.len().saturating_sub(1);
    parts
        .into_iter()
        .enumerate()
        .map(|(at, part)| {
            let mut spans = if at == 0 {
                vec![
                    span(format!("{mark}{} ", time_of_day(line.at, scene.model.zone)), styles.muted),
                    span(format!("{host} "), host_style(scene, logs, line)),
                    span(format!("{} ", line.level.mark()), style),
                ]
            } else {
                vec![span(" ".repeat(TIME + name + 3), styles.base)]
            };
            spans.extend(highlighted(part, style, looked_for));
            if at == last && !cut.is_empty() {
                spans.push(span(cut.clone(), styles.warning));
            }
            Line::from(spans)
        })
        .collect()
}

/// A host has the same style for as long as it is followed; its name says which it is. None of them is that of a state.
fn host_style(scene: &Scene<'_>, logs: &LogView, line: &LogLine) -> Style {
    let styles = scene.styles;
    let all = [styles.accent, styles.strong, styles.muted, styles.base];
    let at = logs.states.keys().position(|host| *host == line.host).unwrap_or(0);
    all.get(at % all.len()).copied().unwrap_or(styles.base)
}

/// The text with what is looked for in reverse.
fn highlighted<'a>(text: String, style: Style, looked_for: &[String]) -> Vec<Span<'a>> {
    let lower = text.to_ascii_lowercase();
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some((at, len)) = looked_for
        .iter()
        .filter(|word| !word.is_empty())
        .filter_map(|word| Some((from + lower.get(from..)?.find(word.as_str())?, word.len())))
        .min()
    {
        let (Some(before), Some(found)) = (text.get(from..at), text.get(at..at + len)) else { break };
        if !before.is_empty() {
            spans.push(span(before.to_owned(), style));
        }
        spans.push(span(found.to_owned(), style.add_modifier(ratatui::style::Modifier::REVERSED)));
        from = at + len;
    }
    if let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
        spans.push(span(rest.to_owned(), style));
    }
    spans
}

/// What is missing of what there was.
fn says<'a>(scene: &Scene<'_>, logs: &LogView) -> Line<'a> {
    let mut parts = Vec::new();
    if logs.not_sent > 0 {
        parts.push(format!("{} lines not sent by the hosts", grouped(logs.not_sent)));
    }
    if logs.bytes_not_sent > 0 {
        parts.push(format!("{} bytes not sent and not counted", grouped(logs.bytes_not_sent)));
    }
    if logs.dropped > 0 {
        parts.push(format!("{} older lines no longer kept", grouped(logs.dropped)));
    }
    span(parts.join("   "), scene.styles.warning).into()
}

/// `17:02:11`, in a zone that is this number of seconds east of UTC.
fn time_of_day(at: i64, zone: i32) -> String {
    let second = (at.div_euclid(1000) + i64::from(zone)).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

//! The answers to a command: what was run where, the groups of hosts that answered the same, and what the chosen group printed.
//! Output stands behind `|` and `!`: none of it can look like a line of jumpdeck's own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::model::commands::LastCommand;
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::signs::{Progress, Status};
use crate::view::state::{List, ViewState};
use crate::view::text::{centred, count, exact, left, right, row, span, took, two_units, wrap};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::page::Page;
use jumpdeck_fleet::command::{CommandOutcome, CommandState, PrintedLine, SameAnswers};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing::of(draw);

/// Lines of the command that are shown at most.
const COMMAND: usize = 3;

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let styles = scene.styles;
    let Some(last) = scene.model.last_command() else {
        centred(buf, area, &[span("no command was run in this environment", styles.muted).into()]);
        return FooterStatus::default();
    };
    let head = head(buf, area, scene, last, state.is_copy());
    let area = Rect { y: area.y + head, height: area.height.saturating_sub(head), ..area };
    if let CommandState::NotBegun(why) = &last.view.state {
        let mut page = Page::new(area.width, styles);
        page.signed(1, Status::Critical.sign(), &format!("nothing was run: {why}"), styles.critical);
        for (y, line) in (0..area.height).zip(&page.lines) {
            left(buf, row(area, y), line);
        }
        return FooterStatus::default();
    }
    let rows = last.rows();
    let most = (area.height * 2 / 5).max(2);
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(most).min(area.height);
    let list = Rect { height, ..area };
    let at = last.place();
    let offset = state.scroll(scene.model.active, List("answers"), Some(at), rows, height);
    for (y, i) in (0..height).zip(offset..rows) {
        draw_group(buf, row(list, y), scene, last, i, i == at);
    }
    let rule = Rect { y: list.bottom(), height: 1.min(area.bottom() - list.bottom()), ..area };
    left(buf, rule, &span("─".repeat(usize::from(rule.width)), styles.line).into());
    let detail = Rect { y: rule.bottom(), height: area.bottom() - rule.bottom(), ..area };
    let lines = in_full(scene, last, detail.width);
    let top = state.scroll_text(last.scroll, lines.len(), detail.height);
    for (y, line) in (0..detail.height).zip(lines.iter().skip(top)) {
        left(buf, row(detail, y), line);
    }
    let below = lines.len().saturating_sub(top + usize::from(detail.height));
    let down = key(scene, Action::PageDown);
    let more = if below > 0 { format!("{} below: {down}", count(below, "line")) } else { String::new() };
    FooterStatus { says: span(more, styles.muted).into(), place: Some((at + 1, rows, rows)) }
}

/// What was run where, how far it is, and how many hosts ended how. Returns its height.
fn head(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, last: &LastCommand, is_copy: bool) -> u16 {
    let (styles, view) = (scene.styles, &last.view);
    let hosts = view.order.hosts.len();
    let (sign, style, says) = match &view.state {
        CommandState::UnderWay => {
            let age = two_units(scene.model.now.since(view.began));
            let answered = hosts - view.waiting.len();
            (
                Progress::Runs.sign(),
                styles.progress(Progress::Runs),
                format!("{answered} of {hosts} answered  {age}"),
            )
        }
        CommandState::Over(at) => {
            let ago = scene.ago(*at);
            let time = took(at.since(view.began));
            (Progress::Done.sign(), styles.muted, format!("over after {time}, {ago} ago"))
        }
        CommandState::NotBegun(_) => (Status::Critical.sign(), styles.critical, "not begun".to_owned()),
    };
    let stands = Line::from(span(format!("{sign} {says} "), style));
    let room = right(buf, row(area, 0), &stands);
    let counts = format!(" {}: {}", count(hosts, "host"), view.counts());
    left(buf, Rect { width: room, ..row(area, 0) }, &span(counts, styles.strong).into());
    // A copy is kept in a file, and no file has a command.
    let text = if is_copy { "(the command is not copied)" } else { view.order.text.as_str() };
    let mut lines = Vec::new();
    for line in Clean::lines(text) {
        lines.extend(wrap(line.as_str(), usize::from(area.width).saturating_sub(4)));
    }
    let cut = lines.len() > COMMAND;
    let shown = u16::try_from(lines.len().min(COMMAND)).unwrap_or(0);
    for (y, line) in (0..shown).zip(lines) {
        let mark = if y == 0 { " $ " } else { "   " };
        let end = if cut && y + 1 == shown { "…" } else { "" };
        let spans = vec![span(mark, styles.accent), span(line, styles.base), span(end, styles.muted)];
        left(buf, row(area, y + 1), &Line::from(spans));
    }
    shown + 1
}

fn sign_of(outcome: &CommandOutcome) -> Status {
    match outcome {
        CommandOutcome::Exit(0) => Status::Ok,
        CommandOutcome::Exit(_) | CommandOutcome::Signal(_) => Status::Warning,
        CommandOutcome::Unknown => Status::Unknown,
        CommandOutcome::NotAsked | CommandOutcome::Stopped => Status::Critical,
    }
}

fn draw_group(
    buf: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    last: &LastCommand,
    at: usize,
    is_chosen: bool,
) {
    let styles = scene.styles;
    let (status, words, hosts) = match last.view.groups.get(at) {
        Some(group) => (sign_of(&group.outcome), group.outcome.words(), &group.hosts),
        None => (Status::Pending, "no answer so far".to_owned(), &last.view.waiting),
    };
    let style = styles.status(status);
    let spans = vec![
        span(if is_chosen { "▸ " } else { "  " }, styles.accent),
        span(format!("{} ", status.sign()), style),
        span(format!("{:<9} {words:<18}  ", count(hosts.len(), "host")), style),
        span(names(hosts), styles.base),
    ];
    left(buf, area, &Line::from(spans));
    if is_chosen {
        styles.select(buf, area);
    }
}

fn names(hosts: &[HostName]) -> String {
    hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ")
}

/// The chosen group: its hosts, what is to be said of its end, and what it printed.
fn in_full(scene: &Scene<'_>, last: &LastCommand, width: u16) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut page = Page::new(width, styles);
    let Some(group) = last.group() else {
        page.text(1, &format!("no answer so far: {}", names(&last.view.waiting)), styles.muted);
        return page.lines;
    };
    let said = format!("{}, {}: ", count(group.hosts.len(), "host"), group.outcome.words());
    page.text(1, &format!("{said}{}", names(&group.hosts)), styles.status(sign_of(&group.outcome)));
    if let Some(why) = &group.why {
        page.text(1, why.as_str(), styles.base);
    }
    let width = usize::from(width);
    output(&mut page, scene, group, width);
    page.lines
}

fn output(page: &mut Page<'_>, scene: &Scene<'_>, group: &SameAnswers, width: usize) {
    let styles = scene.styles;
    let Some(lines) = &group.printed else { return };
    if lines.is_empty() {
        page.text(1, "no output", styles.muted);
    }
    for line in lines.iter() {
        let (mark, mark_style, text, style): (_, _, _, Style) = match line {
            PrintedLine::Out(text) => (" | ", styles.muted, text, styles.base),
            PrintedLine::Err(text) => (" ! ", styles.warning, text, styles.base),
            PrintedLine::Remark(text) => {
                page.signed(1, Status::Warning.sign(), text.as_str(), styles.warning);
                continue;
            }
        };
        for part in exact(text.as_str(), width.saturating_sub(4)) {
            page.line(vec![span(mark, mark_style), Span::styled(part, style)]);
        }
    }
}

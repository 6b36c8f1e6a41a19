//! The maintenance session: why, until when, who, what the jump box does not have; then what happened, and the selected row in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::model::session::{SessionStage, stage};
use crate::app::rows::selection::selected;
use crate::app::screens::session::session_rows;
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, count, left, row, span, two_units, wrap};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::table::{Column, ColumnTable};
use jumpdeck_fleet::maintenance::{SeenSession, SessionMark, SessionRow, SessionSync};
use jumpdeck_fleet::timeline::WallTime;

use super::cells;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionColumn {
    When,
    Who,
    Kind,
    What,
}

/// Lines kept for the selected row in full.
const DETAIL: u16 = 7;

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] =
    &[("WHEN", "by the clock of who wrote it, in UTC"), ("WHO", "who wrote it")];

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let Some(seen) = scene.model.session() else {
        centred(buf, area, &none(scene));
        return FooterStatus { says: Line::default(), place: None };
    };
    let facts = facts(scene, seen, usize::from(area.width.saturating_sub(2)));
    let head = u16::try_from(facts.len()).unwrap_or(u16::MAX).min(area.height / 2);
    for (y, line) in (0..head).zip(&facts) {
        left(buf, row(area, y), line);
    }
    let body = Rect { y: area.y + head, height: area.height - head, ..area };
    let (list, detail) = cells::split(body, DETAIL);
    let rows = session_rows(scene.model);
    let table = ColumnTable::new(list, &columns(rows));
    table.titles(buf, scene.styles, None);
    let at = selected(scene.model);
    let offset = state.scroll(scene.model.active, List("session"), at, rows.len(), table.height());
    for (y, (i, one)) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        table.row(buf, y, Span::raw(" "), None, |id, _| cell(scene, one, id));
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    if let Some(one) = at.and_then(|at| rows.get(at)) {
        in_full(buf, detail, scene, one);
    }
    let place = Some((at.map_or(0, |at| at + 1), rows.len(), rows.len()));
    FooterStatus { says: synced(scene, &seen.sync), place }
}

/// Why, until when, who; what is not certain.
fn facts(scene: &Scene<'_>, seen: &SeenSession, width: usize) -> Vec<Line<'static>> {
    let (styles, session) = (scene.styles, &seen.session);
    let head = &session.head;
    let ticket = if head.ticket.is_empty() { String::new() } else { format!("  {}", head.ticket) };
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut say = |text: String, style: Style| {
        lines.extend(wrap(&text, width).into_iter().map(|line| span(format!(" {line}"), style).into()));
    };
    say(format!("{}{ticket}", head.reason), styles.strong);
    let until = head.until.written("%H:%MZ");
    match stage(session, scene.model.wall()) {
        SessionStage::Left(left) => say(
            format!("until {until}, {} left  since {}", two_units(left), head.began.written("%H:%MZ")),
            styles.base,
        ),
        SessionStage::Past(late) => say(
            format!(
                "▲ {} past its planned end {until}: end it ({})",
                two_units(late),
                key(scene, Action::SessionEnd)
            ),
            styles.warning,
        ),
    }
    let mut people: Vec<String> = vec![format!("led by {}", session.lead)];
    let others = session.people.iter().filter(|one| one.who != session.lead);
    people.extend(others.map(|one| one.who.to_string()));
    say(people.join(", "), styles.muted);
    if let Some(pending) = &session.handed_to {
        let text = format!("handed over to {}, who has not confirmed it yet", pending.to);
        say(text, styles.warning);
    }
    if seen.leads_when_joined {
        say(format!("▸ it was handed over to you: {} confirms", key(scene, Action::Open)), styles.accent);
    } else if !seen.takes_part {
        say(format!("▸ you do not take part: {} joins", key(scene, Action::Open)), styles.accent);
    }
    for trouble in session.troubles.iter().map(ToString::to_string).chain(session.clocks()) {
        say(format!("▲ {trouble}"), styles.warning);
    }
    lines
}

fn columns(rows: &[SessionRow]) -> Vec<Column<SessionColumn>> {
    let who = rows.iter().map(|one| one.who.as_str().len()).max().unwrap_or(0);
    let who = u16::try_from(who).unwrap_or(u16::MAX).clamp(4, 20);
    vec![
        Column::fixed(SessionColumn::When, "WHEN (UTC)", Align::Left, 11, 0),
        Column {
            id: SessionColumn::Who,
            title: "WHO",
            align: Align::Left,
            least: who.min(8),
            most: who,
            rank: 0,
        },
        Column::fixed(SessionColumn::Kind, "KIND", Align::Left, 8, 2),
        Column { id: SessionColumn::What, title: "WHAT", align: Align::Left, least: 24, most: 400, rank: 1 },
    ]
}

fn cell<'a>(scene: &Scene<'a>, one: &'a SessionRow, id: SessionColumn) -> Line<'a> {
    let styles = scene.styles;
    match id {
        SessionColumn::When => span(when(scene.model.wall(), one.at), styles.muted).into(),
        SessionColumn::Who => span(one.who.as_str(), styles.base).into(),
        SessionColumn::Kind => span(one.mark.word(), styles.muted).into(),
        SessionColumn::What => {
            let style = match one.mark {
                SessionMark::Note | SessionMark::Session => styles.strong,
                SessionMark::Event | SessionMark::Clock | SessionMark::Person => styles.muted,
                SessionMark::Run | SessionMark::Command | SessionMark::Shell | SessionMark::Acknowledged => {
                    styles.base
                }
            };
            let more = if one.more.is_empty() { "" } else { " …" };
            span(format!("{}{more}", one.says), style).into()
        }
    }
}

/// The time today, the date before.
fn when(now: WallTime, at: WallTime) -> String {
    let day = |at: WallTime| at.0.div_euclid(86_400);
    at.written(if day(now) == day(at) { "%H:%M:%S" } else { "%m-%d %H:%M" })
}

fn in_full(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, one: &SessionRow) {
    let width = usize::from(area.width.saturating_sub(5));
    let texts = std::iter::once(&one.says).chain(&one.more);
    let lines = texts.flat_map(|text| match wrap(text.as_str(), width) {
        wrapped if wrapped.is_empty() => vec![String::new()],
        wrapped => wrapped,
    });
    let lines: Vec<String> = lines.collect();
    let room = usize::from(area.height.saturating_sub(1));
    let cut = lines.len().saturating_sub(room);
    let shown = if cut > 0 { room.saturating_sub(1) } else { room };
    for (y, line) in (1..area.height).zip(lines.iter().take(shown)) {
        left(buf, row(area, y), &span(format!("    {line}"), scene.styles.base).into());
    }
    if cut > 0 {
        let text = format!("    {} more: jumpdeck session show", count(cut + 1, "line"));
        left(buf, row(area, area.height.saturating_sub(1)), &span(text, scene.styles.muted).into());
    }
}

fn none(scene: &Scene<'_>) -> Vec<Line<'static>> {
    let (styles, env) = (scene.styles, scene.env.spec.name.as_str());
    let open = key(scene, Action::Open);
    let mut lines = vec![
        span(format!("no maintenance session of {env} is known"), styles.base).into(),
        span(format!("{open} starts one: reason, ticket, people, planned end"), styles.muted).into(),
    ];
    if let Some(why) = scene.model.session_news().and_then(|news| news.unknown.as_ref()) {
        lines.push(span(format!("? whether others have one is unknown: {why}"), styles.unknown).into());
    }
    lines
}

/// What the jump box does not have.
fn synced(scene: &Scene<'_>, sync: &SessionSync) -> Line<'static> {
    let styles = scene.styles;
    match sync {
        SessionSync::Unknown => {
            span("? whether the jump box has all lines is unknown", styles.unknown).into()
        }
        SessionSync::Same { shared: true } => span("on disk and on the jump box", styles.muted).into(),
        SessionSync::Same { shared: false } => span(
            "▲ others cannot see it: /run/lock/jumpdeck is missing on the jump box (docs/security.md)",
            styles.warning,
        )
        .into(),
        SessionSync::Behind { lines, why } => {
            let text = format!("▲ {} not on the jump box: {why}", count(*lines, "line"));
            span(text, styles.warning).into()
        }
    }
}

//! What changed, the newest first: when, for how long, where, what; the selected event in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::screens::events::{event_environments, event_rows, selected_event};
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::signs::Status;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, count, left, row, span, wrap};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::table::{Column, ColumnTable};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::time::short_age;
use jumpdeck_fleet::timeline::{RowMark, TimelineKeeping, TimelineRow, WallTime, clock};

use super::cells;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EventColumn {
    When,
    Lasted,
    Env,
    Host,
    What,
}

/// Lines kept for the selected event in full.
const DETAIL: u16 = 6;

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] =
    &[("WHEN", "it was seen, in UTC"), ("LASTED", "3m–40m: at least, at most; … goes on")];

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let rows = event_rows(scene.model);
    let all: usize = event_environments(scene.model).iter().map(|env| env.timeline.rows().len()).sum();
    if rows.is_empty() {
        centred(buf, area, &nothing(scene, all));
        return FooterStatus { says: reach(scene), place: (all > 0).then_some((0, 0, all)) };
    }
    let (list, detail) = cells::split(area, DETAIL);
    let table = ColumnTable::new(list, &columns(scene, &rows)).recorded(state);
    table.titles(buf, scene.styles, None);
    let selected = selected_event(scene.model);
    let at = selected.map(|(at, ..)| at);
    let offset = state.scroll(scene.model.active, List("events"), at, rows.len(), table.height());
    for (y, (i, (env, event))) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        table.row(buf, y, sign(scene, event.mark), None, |id, _| cell(scene, env, event, id));
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    if let Some((_, env, event)) = selected {
        in_full(buf, detail, scene, env, event);
    }
    FooterStatus { says: reach(scene), place: Some((at.map_or(0, |i| i + 1), rows.len(), all)) }
}

fn sign(scene: &Scene<'_>, mark: RowMark) -> Span<'static> {
    match mark {
        RowMark::Problem(severity) => cells::sign(scene, severity.into()),
        RowMark::Ended => cells::sign(scene, Status::Ok),
        RowMark::Gap => span("?", scene.styles.muted),
        RowMark::Acknowledged | RowMark::Neutral => span("–", scene.styles.muted),
    }
}

fn columns(scene: &Scene<'_>, rows: &[(&EnvName, &TimelineRow)]) -> Vec<Column<EventColumn>> {
    let widest = |of: &dyn Fn(&(&EnvName, &TimelineRow)) -> usize, least: u16, most: u16| {
        let widest = rows.iter().map(of).max().unwrap_or(0);
        u16::try_from(widest).unwrap_or(u16::MAX).clamp(least, most)
    };
    let host = widest(&|(_, row)| row.host.as_ref().map_or(1, |host| host.as_str().len()), 4, 30);
    let grows =
        |id, title, least: u16, most: u16, rank| Column { id, title, align: Align::Left, least, most, rank };
    let mut columns = vec![
        Column::fixed(EventColumn::When, "WHEN (UTC)", Align::Left, 11, 0),
        Column::fixed(EventColumn::Lasted, "LASTED", Align::Right, 9, 2),
        grows(EventColumn::Host, "HOST", host.min(12), host, 0),
        grows(EventColumn::What, "WHAT", 24, 400, 1),
    ];
    if scene.model.all_events {
        let env = widest(&|(env, _)| env.as_str().len(), 3, 16);
        columns.insert(2, grows(EventColumn::Env, "ENV", env.min(8), env, 0));
    }
    columns
}

fn cell<'a>(scene: &Scene<'a>, env: &'a EnvName, event: &'a TimelineRow, id: EventColumn) -> Line<'a> {
    let styles = scene.styles;
    match id {
        EventColumn::When => span(when(scene.model.wall(), event.at), styles.muted).into(),
        EventColumn::Lasted => lasted(scene, env, event),
        EventColumn::Env => Line::from(env.as_str()),
        EventColumn::Host => match &event.host {
            Some(host) => span(host.as_str(), styles.strong).into(),
            None => span("–", styles.muted).into(),
        },
        EventColumn::What => {
            let style = if event.mark == RowMark::Gap { styles.muted } else { styles.base };
            span(event.says.as_str(), style).into()
        }
    }
}

/// The time today, the date before.
fn when(now: WallTime, at: WallTime) -> String {
    let day = |at: WallTime| at.0.div_euclid(86_400);
    at.written(if day(now) == day(at) { "%H:%M:%S" } else { "%m-%d %H:%M" })
}

/// How long it lasted, or has lasted so far. A problem that nobody sees now may have ended.
fn lasted<'a>(scene: &Scene<'a>, env: &EnvName, event: &'a TimelineRow) -> Line<'a> {
    let styles = scene.styles;
    match open(scene, env, event) {
        Some((began, seen)) if is_seen(scene, seen) => {
            span(format!("… {}", short_age(scene.model.wall().since(began))), styles.base).into()
        }
        Some((began, seen)) => span(format!("≥{}", short_age(seen.since(began))), styles.unknown).into(),
        None => span(event.lasted.as_str(), styles.muted).into(),
    }
}

/// Of an event whose problem has not ended as far as is known: since when it is there, and when it was last seen.
fn open(scene: &Scene<'_>, env: &EnvName, event: &TimelineRow) -> Option<(WallTime, WallTime)> {
    let of = event_environments(scene.model).into_iter().find(|one| one.spec.name == *env)?;
    let open = of.timeline.known().open_problem(event.open.as_ref()?)?;
    Some((open.began, open.seen))
}

/// Whether what was last seen then is seen now: judgements are at most seconds apart.
fn is_seen(scene: &Scene<'_>, seen: WallTime) -> bool {
    scene.model.wall().since(seen).as_secs() < 30
}

fn in_full(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, env: &EnvName, event: &TimelineRow) {
    let styles = scene.styles;
    let width = usize::from(area.width.saturating_sub(5));
    let mut lines: Vec<(String, ratatui::style::Style)> =
        wrap(&event.says, width).into_iter().map(|line| (line, styles.base)).collect();
    let mut facts = vec![event.at.written("%Y-%m-%d %H:%M:%S UTC"), event.mark.word().to_owned()];
    facts.push(event.kind.replace('_', " "));
    if event.changes > 1 {
        facts.push(count(event.changes, "change"));
    }
    match open(scene, env, event) {
        Some((_, seen)) if is_seen(scene, seen) => facts.push("goes on".to_owned()),
        Some((_, seen)) => facts.push(format!(
            "not seen since {}; whether it has ended is unknown",
            clock(seen, scene.model.wall())
        )),
        None => {}
    }
    lines.push((facts.join("  "), styles.muted));
    for (y, (line, style)) in (1..area.height).zip(lines) {
        left(buf, row(area, y), &span(format!("    {line}"), style).into());
    }
}

fn nothing(scene: &Scene<'_>, all: usize) -> Vec<Line<'static>> {
    let muted = scene.styles.muted;
    if all > 0 {
        let text = format!("no event matches {}", scene.model.filter().text.as_str());
        return vec![span(text, muted).into()];
    }
    let reading = |keeping: TimelineKeeping| keeping == TimelineKeeping::Reading;
    if event_environments(scene.model).iter().any(|env| reading(env.timeline.keeping)) {
        return vec![span("reading the events on disk", muted).into()];
    }
    vec![
        span("no event so far", muted).into(),
        span("problems that begin and end, changed roles, hosts that come and go", muted).into(),
    ]
}

/// How far back it reaches, where nobody looked, and what is wrong with the file.
fn reach(scene: &Scene<'_>) -> Line<'static> {
    let (styles, now) = (scene.styles, scene.model.wall());
    let environments = event_environments(scene.model);
    if let Some(wrong) = environments.iter().find_map(|env| env.timeline.wrong.as_ref()) {
        return span(format!("▲ {wrong}"), styles.warning).into();
    }
    let mut parts = Vec::new();
    match environments.iter().filter_map(|env| env.timeline.looks().first()).min() {
        Some(first) => parts.push(format!("since {}", clock(first, now))),
        None => parts.push("nobody has looked yet".to_owned()),
    }
    let gaps: Vec<(WallTime, WallTime)> =
        environments.iter().flat_map(|env| env.timeline.looks().gaps()).collect();
    if let Some((from, to)) = gaps.last() {
        let n = count(gaps.len(), "gap");
        parts.push(format!("{n}, the last {}–{}", clock(*from, now), clock(*to, now)));
    }
    if environments.iter().any(|env| env.timeline.keeping == TimelineKeeping::Memory) {
        parts.push("not kept on disk".to_owned());
    } else if environments.iter().any(|env| env.timeline.keeping == TimelineKeeping::Following) {
        parts.push("another console of this account records".to_owned());
    }
    let all = key(scene, Action::AllEnvironments);
    if scene.model.environments.len() > 1 {
        let other = if scene.model.all_events { "this environment" } else { "all environments" };
        parts.push(format!("{all}: {other}"));
    }
    span(parts.join("  "), styles.muted).into()
}

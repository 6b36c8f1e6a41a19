//! Every host of the environment, a row each: how it stands, its roles, load, fullest disk, replication, and how old
//! all that is.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::Sort;
use crate::app::rows::order;
use crate::app::rows::selection::selected;
use crate::app::screens::fleet::{FleetLine, fleet_lines};
use crate::config::action::Action;
use crate::view::scene::{Scene, ShownFact};
use crate::view::screens::Drawing;
use crate::view::signs::Status;
use crate::view::state::{List, ViewState};
use crate::view::text::{self, centred, span};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::table::{Column, ColumnTable, EXTRA, Instead};
use jumpdeck_fleet::judge::likeness::short_names;
use jumpdeck_fleet::snapshot::HostSnapshot;

use super::cells;

pub(crate) mod columns;
#[cfg(test)]
mod tests;

use columns::{COLUMNS, FleetColumn, FleetRow, Of, alike};

/// How it looks.
pub(super) const DRAWING: Drawing =
    Drawing { columns: || COLUMNS.iter().filter_map(|column| column.help).collect(), ..Drawing::of(draw) };

/// Draws the fleet with its columns.
fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    draw_columns(buf, area, scene, state, &COLUMNS)
}

fn draw_columns<'a>(
    buf: &mut Buffer,
    area: Rect,
    scene: &Scene<'a>,
    state: &mut ViewState,
    columns: &'static [FleetColumn],
) -> FooterStatus<'a> {
    let lines = fleet_lines(scene.model);
    let hosts = lines.iter().map(|line| line.hosts().len()).sum();
    let all = scene.env.hosts.len();
    let at = selected(scene.model);
    let columns: Vec<_> = shown(columns, scene.model.columns.as_deref()).collect();
    let sorted = sorted(&columns, scene.model.sort);
    let wanted = wanted(&columns, scene, area.width, sorted);
    let table = ColumnTable::new(area, &wanted).recorded(state);
    let unfit = unfit(scene, &table, &wanted);
    let offset = state.scroll(scene.model.active, List("fleet"), at, lines.len(), table.height());
    table.titles(buf, scene.styles, sorted);
    if lines.is_empty() {
        centred(buf, area, &[nothing(scene)]);
        return FooterStatus { place: Some((0, 0, all)), ..FooterStatus::default() };
    }
    for (y, (i, line)) in (0..table.height()).zip(lines.iter().enumerate().skip(offset)) {
        match line {
            FleetLine::Host(host, differs) => draw_row(buf, y, &table, scene, (host, differs)),
            FleetLine::Alike(hosts) => draw_alike(buf, y, &table, scene, hosts),
        }
        if line.hosts().iter().all(|host| scene.model.is_marked(&host.id.host)) {
            table.mark(buf, y, scene.styles);
        }
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    let says = at.and_then(|i| lines.get(i)).map_or_else(Line::default, |line| match line {
        FleetLine::Host(host, differs) if differs.is_empty() => says(scene, host),
        FleetLine::Host(host, differs) => {
            let differs = span(format!("differs: {}  ", differs.join(", ")), scene.styles.muted);
            Line::from([vec![differs], says(scene, host).spans].concat())
        }
        FleetLine::Alike(hosts) => says_of_alike(scene, hosts),
    });
    let place = if scene.model.folded && hosts == all {
        (at.map_or(0, |i| i + 1), lines.len(), lines.len())
    } else {
        (at.map_or(0, |i| i + 1), hosts, all)
    };
    let says = Line::from([unfit, says.spans].concat());
    FooterStatus { says, place: Some(place) }
}

/// The chosen columns that do not fit: whoever chose them does not look for them.
fn unfit(
    scene: &Scene<'_>,
    table: &ColumnTable<&'static FleetColumn>,
    wanted: &[Column<&'static FleetColumn>],
) -> Vec<Span<'static>> {
    let is_placed = |column: &&Column<_>| table.columns.iter().any(|placed| placed.column.id == column.id);
    let missing = wanted.iter().filter(|column| !is_placed(column)).map(|column| column.title);
    let missing: Vec<&str> = missing.filter(|_| scene.model.columns.is_some()).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![span(format!("▲ no room for {}  ", missing.join(", ")), scene.styles.warning)]
}

fn nothing(scene: &Scene<'_>) -> Line<'static> {
    let why = if scene.env.hosts.is_empty() {
        "this environment has no hosts".to_owned()
    } else {
        format!("no host matches {}", scene.model.filter().text.as_str())
    };
    span(why, scene.styles.muted).into()
}

/// A column that is shown where it fits, and its rank.
type Ranked = (&'static FleetColumn, u8);

/// The columns that are shown where they fit. Of those that a person chose the first stays longest, and none is an extra.
fn shown(
    columns: &'static [FleetColumn],
    chosen: Option<&[&'static str]>,
) -> Box<dyn Iterator<Item = Ranked>> {
    let Some(titles) = chosen.map(<[_]>::to_vec) else {
        return Box::new(columns.iter().map(|column| (column, column.rank)));
    };
    let places = (0..EXTRA - 1).chain(std::iter::repeat(EXTRA - 1));
    let named = titles.into_iter().filter_map(|title| columns.iter().find(|column| column.title == title));
    Box::new(named.zip(places))
}

/// The columns that are of use here, as wide as they have to be.
fn wanted(
    columns: &[Ranked],
    scene: &Scene<'_>,
    width: u16,
    sorted: Option<(Option<&'static FleetColumn>, bool)>,
) -> Vec<Column<&'static FleetColumn>> {
    let by = sorted.and_then(|(by, _)| by);
    let column = |(column, rank): Ranked| {
        let (mut least, mut most) = (column.widths)(scene, width);
        if by == Some(column) {
            // The arrow of the sorted column needs a place beside its title.
            let title = u16::try_from(column.title.len() + 1).unwrap_or(u16::MAX);
            (least, most) = (least.max(title), most.max(title));
        }
        Column { id: column, title: column.title, align: column.align, least, most, rank }
    };
    columns.iter().copied().filter(|(column, _)| (column.is_useful)(scene)).map(column).collect()
}

/// The sorted column (none: the sign's), and whether its arrow points down.
fn sorted(columns: &[Ranked], sort: Sort) -> Option<(Option<&'static FleetColumn>, bool)> {
    if *sort.by == order::INVENTORY {
        return None;
    }
    let column =
        columns.iter().map(|(column, _)| *column).find(|column| column.order.as_ref() == Some(sort.by));
    Some((column, sort.by.down != sort.reversed))
}

fn draw_row<'a>(
    buf: &mut Buffer,
    y: u16,
    table: &ColumnTable<&'static FleetColumn>,
    scene: &Scene<'a>,
    (host, differs): (&'a HostSnapshot, &[String]),
) {
    let spec = scene.env.spec.host(&host.id.host).map(AsRef::as_ref);
    let sign = cells::sign(scene, scene.status(host));
    let row = FleetRow { scene, host, spec, differs };
    table.row(buf, y, sign, instead(scene, host), |column, width| (column.cell)(&row, width));
}

/// Hosts that are alike, in one row: they answer, and what is known of them is fresh, or was when the screen was paused.
fn draw_alike<'a>(
    buf: &mut Buffer,
    y: u16,
    table: &ColumnTable<&'static FleetColumn>,
    scene: &Scene<'a>,
    hosts: &[&'a Arc<HostSnapshot>],
) {
    let rows: Vec<FleetRow<'_, 'a>> = hosts
        .iter()
        .map(|host| {
            let spec = scene.env.spec.host(&host.id.host).map(AsRef::as_ref);
            FleetRow { scene, host, spec, differs: &[] }
        })
        .collect();
    let worst = hosts.iter().map(|host| scene.status(host)).max().unwrap_or(Status::Unknown);
    table.row(buf, y, cells::sign(scene, worst), None, |column, width| alike::cell(column, &rows, width));
}

/// What the footer says of a folded row: its hosts, and how to see each.
fn says_of_alike<'a>(scene: &Scene<'a>, hosts: &[&'a Arc<HostSnapshot>]) -> Line<'a> {
    let worst = hosts.iter().map(|host| scene.status(host)).max().unwrap_or(Status::Unknown);
    let names: Vec<_> = hosts.iter().map(|host| &host.id.host).collect();
    let unfold = key(scene, Action::Fold);
    Line::from(vec![
        cells::sign(scene, worst),
        span(format!(" {} hosts alike  ", hosts.len()), scene.styles.strong),
        span(format!("{unfold} unfolds · {}", short_names(&names)), scene.styles.muted),
    ])
}

/// The state of a host that does not answer stands in the place of its figures; a gap of its load in that of the
/// load's.
fn instead<'a>(scene: &Scene<'a>, host: &'a HostSnapshot) -> Option<Instead<'a, &'static FleetColumn>> {
    if let Some((state, detail)) = scene.silence(host) {
        let mut spans = vec![span(state, scene.styles.status(scene.status(host)))];
        if !detail.is_empty() {
            spans.push(span(format!("  {detail}"), scene.styles.muted));
        }
        return Some(Instead { covers: |column| column.of != Of::Host, says: Line::from(spans) });
    }
    match scene.shown(host, &host.facts.load) {
        ShownFact::Gap(gap) => {
            Some(Instead { covers: |column| column.of == Of::Load, says: cells::gap_word(scene, gap) })
        }
        ShownFact::Value(..) | ShownFact::Expired => None,
    }
}

/// What the footer says of the selected host: its worst problem, or that there is none.
fn says<'a>(scene: &Scene<'a>, host: &'a HostSnapshot) -> Line<'a> {
    if let Some((problem, n)) = scene.problem_of(&host.id.host).filter(|_| !scene.jump_is_down()) {
        return cells::problem(scene, problem, n - 1);
    }
    if let Some(effect) = scene.in_effect_on(&host.id.host) {
        return span(format!("▲ {}", effect.line()), scene.styles.warning).into();
    }
    let status = scene.status(host);
    let mut spans =
        vec![cells::sign(scene, status), span(format!(" {}  ", host.id.host), scene.styles.strong)];
    let style = scene.styles.muted;
    match (scene.silence(host), scene.jump_is_down(), host.reported_at) {
        (Some((state, detail)), _, _) => spans.push(span(format!("{state} {detail}"), style)),
        (None, true, Some(at)) => {
            spans.push(span(format!("last report {} ago", scene.ago(at)), style));
        }
        (None, false, _) | (None, true, None) => {
            spans.push(span(format!("no known problems · {}", host.address), style));
            if let Some(os) = host.facts.os.last() {
                spans.push(span(format!(" · {}", os.pretty), style));
            }
            if let Some(up) = host.facts.uptime.last() {
                spans.push(span(format!(" · up {}", text::two_units(*up)), style));
            }
        }
    }
    Line::from(spans)
}

//! Roles: what is required against what is there. Hosts that should have a role and of which nothing current is known
//! count as neither.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::screens::roles::role_rows;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::signs;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, left, row, span, wrap};
use crate::view::widgets::footer::FooterStatus;
use crate::view::widgets::table::{Column, ColumnTable};
use jumpdeck_fleet::judge::roles::{RoleStanding, RoleState};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoleColumn {
    Role,
    State,
    Required,
    Found,
    Unknown,
    Hosts,
}

/// Lines kept for the selected role's hosts.
const DETAIL: u16 = 4;

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] = &[
    ("REQUIRED", "what the inventory asks for"),
    ("FOUND", "hosts that have the role; +2?: two more should have it, but are unknown"),
];

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let rows = role_rows(scene.model);
    let all = scene.env.roles.len();
    let (list, detail) = super::cells::split(area, DETAIL);
    let table = ColumnTable::new(list, &columns(scene)).recorded(state);
    table.titles(buf, scene.styles, None);
    if rows.is_empty() {
        let why = match all {
            0 => "no roles are known yet".to_owned(),
            _ => format!("no role matches {}", scene.model.filter().text.as_str()),
        };
        centred(buf, area, &[span(why, scene.styles.muted).into()]);
        return FooterStatus { place: (all > 0).then_some((0, 0, all)), ..FooterStatus::default() };
    }
    let selected = scene.env.selection.role.as_ref();
    let at = rows.iter().position(|r| Some(&r.role) == selected);
    let offset = state.scroll(scene.model.active, List("roles"), at, rows.len(), table.height());
    for (y, (i, standing)) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        let status = status(standing);
        let sign = match status {
            Some(status) => span(status.sign(), scene.styles.status(status)),
            None => span("–", scene.styles.muted),
        };
        table.row(buf, y, sign, None, |id, _| cell(scene, standing, id));
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    let chosen = at.and_then(|i| rows.get(i)).copied();
    if let Some(standing) = chosen {
        in_full(buf, detail, scene, standing);
    }
    let says = chosen.map_or_else(Line::default, |s| says(scene, s));
    FooterStatus { says, place: Some((at.map_or(0, |i| i + 1), rows.len(), all)) }
}

fn columns(scene: &Scene<'_>) -> Vec<Column<RoleColumn>> {
    let widest = scene.env.roles.iter().map(|r| r.role.as_str().len()).max().unwrap_or(0);
    let role = u16::try_from(widest).unwrap_or(u16::MAX).clamp(8, 24);
    vec![
        Column::fixed(RoleColumn::Role, "ROLE", Align::Left, role, 0),
        Column::fixed(RoleColumn::State, "", Align::Left, 7, 1),
        Column::fixed(RoleColumn::Required, "REQUIRED", Align::Left, 11, 3),
        Column::fixed(RoleColumn::Found, "FOUND", Align::Right, 5, 2),
        Column::fixed(RoleColumn::Unknown, "", Align::Left, 4, 4),
        Column { id: RoleColumn::Hosts, title: "HOSTS", align: Align::Left, least: 15, most: 400, rank: 5 },
    ]
}

fn status(standing: &RoleStanding) -> Option<signs::Status> {
    match standing.state {
        RoleState::Ok => Some(signs::Status::Ok),
        RoleState::Unmet => Some(signs::Status::Critical),
        RoleState::Unknown => Some(signs::Status::Unknown),
        RoleState::Free => None,
    }
}

fn cell<'a>(scene: &Scene<'a>, standing: &'a RoleStanding, id: RoleColumn) -> Line<'a> {
    let styles = scene.styles;
    match id {
        RoleColumn::Role => span(standing.role.as_str(), styles.strong).into(),
        RoleColumn::State => match status(standing) {
            Some(status) => span(standing.state.word(), styles.status(status)).into(),
            None => Line::default(),
        },
        RoleColumn::Required => match &standing.required {
            Some(required) => Line::from(required.describe()),
            None => span("–", styles.muted).into(),
        },
        // Where nothing is known of any of its hosts, none found is not a finding.
        RoleColumn::Found if standing.hosts.is_empty() && !standing.unknown.is_empty() => {
            span("?", styles.unknown).into()
        }
        RoleColumn::Found => Line::from(standing.hosts.len().to_string()),
        RoleColumn::Unknown if standing.unknown.is_empty() || standing.hosts.is_empty() => Line::default(),
        RoleColumn::Unknown => span(format!("+{}?", standing.unknown.len()), styles.unknown).into(),
        RoleColumn::Hosts => hosts(scene, standing),
    }
}

/// The hosts that have it, then, each with a `?`, those that should.
fn hosts<'a>(scene: &Scene<'a>, standing: &'a RoleStanding) -> Line<'a> {
    let mut spans: Vec<Span<'a>> = Vec::new();
    for host in &standing.hosts {
        spans.push(span(host.as_str(), scene.styles.muted));
        spans.push(Span::raw("  "));
    }
    for host in &standing.unknown {
        spans.push(span(format!("{host}?"), scene.styles.unknown));
        spans.push(Span::raw("  "));
    }
    Line::from(spans)
}

fn in_full(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, standing: &RoleStanding) {
    let known = standing.hosts.iter().map(ToString::to_string);
    let names: Vec<String> = known.chain(standing.unknown.iter().map(|h| format!("{h}?"))).collect();
    let width = usize::from(area.width).saturating_sub(5);
    for (y, line) in (1..area.height).zip(wrap(&names.join("  "), width)) {
        left(buf, row(area, y), &span(format!("    {line}"), scene.styles.base).into());
    }
}

fn says<'a>(scene: &Scene<'a>, standing: &RoleStanding) -> Line<'a> {
    let required = match &standing.required {
        Some(required) => format!("{} required", required.describe()),
        None => "nothing required".to_owned(),
    };
    let mut text = match (standing.hosts.len(), standing.unknown.len()) {
        (found, 0) => format!("{}: {required}, {found} found", standing.role),
        (0, unknown) => {
            format!("{}: {required}; its {unknown} hosts are unknown", standing.role)
        }
        (found, unknown) => format!("{}: {required}, {found} found, {unknown} unknown", standing.role),
    };
    if let Some(required) = standing.required.as_ref().filter(|r| !r.implies.is_empty()) {
        let implied: Vec<&str> =
            required.implies.iter().map(jumpdeck_fleet::names::RoleName::as_str).collect();
        text.push_str(&format!("; each must also be {}", implied.join(", ")));
    }
    span(text, scene.styles.muted).into()
}

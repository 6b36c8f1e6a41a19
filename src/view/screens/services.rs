//! Every service of the environment: on how many hosts it runs, on how many it is well, and where it is not. Below them, what is
//! looked at from outside.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::screens::services::service_rows;
use crate::view::scene::{Scene, ShownFact};
use crate::view::screens::Drawing;
use crate::view::signs::Status;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, left, row, span, wrap};
use crate::view::widgets::footer::FooterStatus;
use crate::view::widgets::table::{Column, ColumnTable};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::ServiceEntry;
use jumpdeck_fleet::snapshot::HostSnapshot;

use super::cells;

mod outside;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServiceColumn {
    Name,
    State,
    Well,
    Hosts,
}

/// Lines kept for what is wrong with the selected service.
const DETAIL: u16 = 6;

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] = &[
    ("WELL", "on how many of its hosts it runs and nothing is wrong"),
    ("HOSTS", "those where it is not well come first, with how it is there"),
    ("from here, from jump", "looked at from outside: from this machine, or from the jump box"),
];

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

/// A service on one host.
struct ServiceOnHost<'a> {
    host: &'a HostSnapshot,
    entry: &'a ServiceEntry,
    severity: Option<Severity>,
    word: &'a str,
    style: Style,
}

/// A service on its hosts, the worst first.
fn of_service<'a>(scene: &Scene<'a>, name: &str) -> Vec<ServiceOnHost<'a>> {
    let mut found: Vec<ServiceOnHost<'a>> = Vec::new();
    for host in &scene.env.hosts {
        let Some(entry) = host.facts.services.iter().find(|entry| entry.name() == name) else { continue };
        let (severity, word, style) = cells::service_state(scene, host, entry);
        found.push(ServiceOnHost { host, entry, severity, word, style });
    }
    // Stable: hosts that are alike stay in the inventory's order.
    found.sort_by_key(|on| std::cmp::Reverse(on.severity));
    found
}

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let names = service_rows(scene.model);
    let (list, detail) = cells::split(area, DETAIL);
    let table = ColumnTable::new(list, &columns(&names)).recorded(state);
    table.titles(buf, scene.styles, None);
    if names.is_empty() {
        let why = "no service is looked at in this environment: docs/inventory.md, [services]";
        centred(buf, area, &[span(why, scene.styles.muted).into()]);
        return FooterStatus::default();
    }
    let selected = scene.env.selection.service.as_deref();
    let at = names.iter().position(|name| Some(*name) == selected);
    let offset = state.scroll(scene.model.active, List("services"), at, names.len(), table.height());
    for (y, (i, name)) in (0..table.height()).zip(names.iter().enumerate().skip(offset)) {
        if let Some(result) = outside::of_id(scene, name) {
            let sign = outside::sign(scene, result);
            table.row(buf, y, sign, None, |id, _| outside::cell(scene, result, id));
            if at == Some(i) {
                table.select(buf, y, scene.styles);
            }
            continue;
        }
        let hosts = of_service(scene, name);
        let status = hosts.first().and_then(|worst| worst.severity).map_or(Status::Ok, Status::from);
        let sign = span(status.sign(), scene.styles.status(status));
        table.row(buf, y, sign, None, |id, _| cell(scene, (name, &hosts), id));
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    let place = Some((at.map_or(0, |i| i + 1), names.len(), names.len()));
    if let Some(result) = at.and_then(|i| names.get(i)).and_then(|id| outside::of_id(scene, id)) {
        show(buf, detail, outside::lines(scene, result));
        return FooterStatus { says: outside::says(scene, result), place };
    }
    let chosen = at.and_then(|i| names.get(i)).map(|name| (*name, of_service(scene, name)));
    if let Some((_, hosts)) = &chosen {
        in_full(buf, detail, scene, hosts);
    }
    let says = chosen.map_or_else(Line::default, |(name, hosts)| says(scene, name, &hosts));
    FooterStatus { says, place }
}

fn columns(names: &[&str]) -> Vec<Column<ServiceColumn>> {
    // An id of what is looked at from outside ends with the place, which has a column of its own.
    let shown = |name: &str| name.split(" from ").next().unwrap_or_default().chars().count();
    let widest = names.iter().map(|name| shown(name)).max().unwrap_or(0);
    let name = u16::try_from(widest).unwrap_or(u16::MAX).clamp(8, 28);
    vec![
        Column::fixed(ServiceColumn::Name, "SERVICE", Align::Left, name, 0),
        Column::fixed(ServiceColumn::State, "", Align::Left, 8, 1),
        Column::fixed(ServiceColumn::Well, "WELL", Align::Right, 9, 2),
        Column {
            id: ServiceColumn::Hosts,
            title: "HOSTS",
            align: Align::Left,
            least: 15,
            most: 400,
            rank: 3,
        },
    ]
}

fn well(hosts: &[ServiceOnHost<'_>]) -> usize {
    hosts.iter().filter(|on| on.severity.is_none()).count()
}

fn cell<'a>(scene: &Scene<'a>, (name, hosts): (&str, &[ServiceOnHost<'a>]), id: ServiceColumn) -> Line<'a> {
    let styles = scene.styles;
    match id {
        ServiceColumn::Name => span(name.to_owned(), styles.strong).into(),
        ServiceColumn::State => match hosts.first() {
            Some(worst) if worst.severity.is_some() => span(worst.word, worst.style).into(),
            Some(_) => span("ok", styles.status(Status::Ok)).into(),
            None => Line::default(),
        },
        ServiceColumn::Well => Line::from(format!("{} of {}", well(hosts), hosts.len())),
        ServiceColumn::Hosts => names_of(scene, hosts),
    }
}

fn names_of<'a>(scene: &Scene<'a>, hosts: &[ServiceOnHost<'a>]) -> Line<'a> {
    let mut spans: Vec<Span<'a>> = Vec::new();
    for on in hosts {
        let name = on.host.id.host.as_str();
        spans.push(match on.severity {
            Some(_) => span(format!("{name} {}", on.word), on.style),
            None => span(name, scene.styles.muted),
        });
        spans.push(Span::raw("  "));
    }
    Line::from(spans)
}

/// What is wrong with it, a line for each finding; where nothing is, what each host says of it.
fn in_full(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, hosts: &[ServiceOnHost<'_>]) {
    let mut lines: Vec<(String, Style)> = Vec::new();
    for on in hosts {
        let name = &on.host.id.host;
        let limits = &scene.env.spec.thresholds;
        match scene.shown(on.host, &on.entry.fact) {
            ShownFact::Value(service, _) if on.severity.is_none() => {
                lines.push((format!("{name}: {}", service.detail), scene.styles.muted));
            }
            ShownFact::Value(service, _) => {
                let found = on.entry.findings(service, limits).into_iter();
                lines
                    .extend(found.map(|finding| (format!("{name}: {}", finding.message), scene.styles.base)));
            }
            ShownFact::Gap(gap) => lines.push((format!("{name}: {}", gap.describe()), scene.styles.base)),
            ShownFact::Expired => {
                lines.push((format!("{name}: its last answer is too old"), scene.styles.base));
            }
        }
    }
    show(buf, area, lines);
}

/// Lines in the pane below the list, wrapped.
fn show(buf: &mut Buffer, area: Rect, lines: Vec<(String, Style)>) {
    let width = usize::from(area.width).saturating_sub(5);
    let wrapped = lines
        .into_iter()
        .flat_map(|(text, style)| wrap(&text, width).into_iter().map(move |line| (line.to_string(), style)));
    for (y, (line, style)) in (1..area.height).zip(wrapped) {
        left(buf, row(area, y), &span(format!("    {line}"), style).into());
    }
}

fn says<'a>(scene: &Scene<'a>, name: &str, hosts: &[ServiceOnHost<'_>]) -> Line<'a> {
    // What is unknown is not said to be unwell.
    let unknown = hosts.iter().filter(|on| on.severity == Some(Severity::Unknown)).count();
    let text = match (hosts.len() - well(hosts) - unknown, unknown, hosts.len()) {
        (0, 0, 1) => format!("{name}: well on its host"),
        (0, 0, all) => format!("{name}: well on all {all} hosts"),
        (0, unknown, all) => format!("{name}: unknown on {unknown} of {all}"),
        (unwell, 0, all) => format!("{name}: not well on {unwell} of {all}"),
        (unwell, unknown, all) => format!("{name}: not well on {unwell} of {all}, unknown on {unknown}"),
    };
    span(text, scene.styles.muted).into()
}

//! Every host of the environment, a row each: how it stands, its roles, load, fullest disk, replication, and how old
//! all that is.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::app::model::{Sort, SortColumn};
use crate::view::scene::{Scene, Shown};
use crate::view::state::{List, ViewState};
use crate::view::text::{self, Align, centred, span};
use crate::view::widgets::footer::Status;
use crate::view::widgets::table::{Column, Instead, Table};
use crate::view::widgets::{bar, sparkline};
use jumpdeck_fleet::fleet::{Host, Thresholds};
use jumpdeck_fleet::judge::roles::reported;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::snapshot::{HostSnapshot, Load};
use jumpdeck_fleet::summary::{
    REPLICATION_WORDS_LEAST, replication_brief, replication_words, worst_filesystem,
};

use super::cells;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Host,
    Roles,
    One,
    Five,
    Fifteen,
    PerCpu,
    Trend,
    Memory,
    Disk,
    Mount,
    Replication,
    Service,
    Os,
    Uptime,
    Level,
    Problem,
    Age,
}

/// From so many columns on, texts have more room than the least.
const WIDE: u16 = 110;

/// One column of a trend: half a minute.
const TREND: Duration = Duration::from_secs(30);

pub(crate) fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> Status<'a> {
    let rows = crate::app::rows::fleet_rows(scene.model);
    let all = scene.env.hosts.len();
    let selected = scene.env.selection.host.as_ref();
    let at = rows.iter().position(|h| Some(&h.id.host) == selected);
    let table = Table::new(area, &columns(scene, area.width));
    let offset = state.scroll(scene.model.active, List::Fleet, at, rows.len(), table.height());
    table.titles(buf, scene.styles, sorted(scene.model.sort));
    if rows.is_empty() {
        centred(buf, area, &[nothing(scene)]);
        return Status { place: Some((0, 0, all)), ..Status::default() };
    }
    for (y, (i, host)) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        draw_row(buf, y, &table, scene, host);
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    let says = at.and_then(|i| rows.get(i)).map_or_else(Line::default, |host| says(scene, host));
    Status { says, place: Some((at.map_or(0, |i| i + 1), rows.len(), all)) }
}

fn nothing(scene: &Scene<'_>) -> Line<'static> {
    let why = if scene.env.hosts.is_empty() {
        "this environment has no hosts".to_owned()
    } else {
        format!("no host matches {}", scene.model.filter().text.as_str())
    };
    span(why, scene.styles.muted).into()
}

fn columns(scene: &Scene<'_>, width: u16) -> Vec<Column<Id>> {
    let widest = |width: fn(&Host) -> usize, least: u16, most: u16| {
        let widest = scene.env.spec.hosts.iter().map(|h| width(h)).max().unwrap_or(0);
        u16::try_from(widest).unwrap_or(u16::MAX).clamp(least, most)
    };
    let host = widest(|h| h.id.host.as_str().len(), 8, 40);
    let roles =
        widest(|h| h.roles.iter().map(|r| r.as_str().len() + 1).sum::<usize>().saturating_sub(1), 6, 30);
    // A mount is what the percentage beside it is about: it is shown to its end.
    let mounts =
        scene.env.hosts.iter().filter_map(|h| worst_filesystem(&h.facts)).map(|f| f.mount.as_str().width());
    let mount = u16::try_from(mounts.max().unwrap_or(0)).unwrap_or(u16::MAX).clamp(13, 30);
    let briefs = scene.env.hosts.iter().filter_map(|h| h.facts.databases.last());
    let words = briefs.map(|d| replication_words(replication_brief(d)).width()).max().unwrap_or(0);
    let words = u16::try_from(words).unwrap_or(u16::MAX).clamp(REPLICATION_WORDS_LEAST, 26);
    // With room for them, what is read as text is not cut for the sake of figures.
    let text = |least: u16, wide: u16, most: u16| if width < WIDE { least.min(most) } else { wide.min(most) };
    use Align::{Left, Right};
    let grows = |id, title, align, least, most, rank| Column { id, title, align, least, most, rank };
    let mut columns = vec![
        grows(Id::Host, "HOST", Left, host.min(15), host, 0),
        grows(Id::Roles, "ROLES", Left, text(9, 14, roles), roles, 4),
        Column::fixed(Id::One, "1m", Right, 5, 2),
        Column::fixed(Id::Five, "5m", Right, 5, 8),
        Column::fixed(Id::Fifteen, "15m", Right, 5, 15),
        Column::fixed(Id::PerCpu, "LOAD/CPU", Right, 8, 9),
        grows(Id::Trend, "TREND", Left, 5, 10, 10),
        grows(Id::Memory, "MEMORY", Left, 9, 11, 6),
        grows(Id::Disk, "DISK", Left, 9, 11, 3),
        grows(Id::Mount, "FULLEST MOUNT", Left, text(13, 18, mount), mount, 7),
        grows(Id::Replication, "REPLICATION", Left, text(REPLICATION_WORDS_LEAST, 20, words), words, 5),
        grows(Id::Service, "SERVICE", Left, 12, 22, 7),
        grows(Id::Os, "OS", Left, 12, 14, 13),
        Column::fixed(Id::Uptime, "UP", Right, 4, 12),
        grows(Id::Level, "ENV", Left, 10, 12, 14),
        grows(Id::Problem, "WORST PROBLEM", Left, 24, 80, 11),
        Column::fixed(Id::Age, "AGE", Right, 3, 1),
    ];
    if scene.env.hosts.iter().all(|host| host.facts.services.is_empty()) {
        columns.retain(|column| column.id != Id::Service);
    }
    // The arrow of the sorted column needs a place beside its title.
    let by = sorted(scene.model.sort).and_then(|(by, _)| by);
    if let Some(column) = columns.iter_mut().find(|column| Some(column.id) == by) {
        let title = u16::try_from(column.title.len() + 1).unwrap_or(u16::MAX);
        (column.least, column.most) = (column.least.max(title), column.most.max(title));
    }
    columns
}

/// The sorted column, and whether its arrow points down: figures start with the highest, names with A.
fn sorted(sort: Sort) -> Option<(Option<Id>, bool)> {
    let (column, down) = match sort.by {
        SortColumn::Inventory => return None,
        SortColumn::Host => (Some(Id::Host), false),
        SortColumn::Severity => (None, true),
        SortColumn::Roles => (Some(Id::Roles), false),
        SortColumn::Load => (Some(Id::One), true),
        SortColumn::Five => (Some(Id::Five), true),
        SortColumn::PerCpu => (Some(Id::PerCpu), true),
        SortColumn::Memory => (Some(Id::Memory), true),
        SortColumn::Uptime => (Some(Id::Uptime), false),
        SortColumn::Disk => (Some(Id::Disk), true),
        SortColumn::Lag => (Some(Id::Replication), true),
        SortColumn::Age => (Some(Id::Age), true),
    };
    Some((column, down != sort.reversed))
}

fn draw_row<'a>(buf: &mut Buffer, y: u16, table: &Table<Id>, scene: &Scene<'a>, host: &'a HostSnapshot) {
    let spec = scene.env.spec.host(&host.id.host).map(AsRef::as_ref);
    let sign = cells::sign(scene, scene.status(host));
    table.row(buf, y, sign, instead(scene, host), |id, width| cell(scene, host, spec, id, width));
}

/// The state of a host that does not answer stands in the place of its figures; a gap of its load in that of the
/// load's.
fn instead<'a>(scene: &Scene<'a>, host: &'a HostSnapshot) -> Option<Instead<'a, Id>> {
    if let Some((state, detail)) = scene.silence(host) {
        let mut spans = vec![span(state, scene.styles.status(scene.status(host)))];
        if !detail.is_empty() {
            spans.push(span(format!("  {detail}"), scene.styles.muted));
        }
        return Some(Instead {
            covers: |id| !matches!(id, Id::Host | Id::Roles | Id::Age),
            says: Line::from(spans),
        });
    }
    match scene.shown(host, &host.facts.load) {
        Shown::Gap(gap) => Some(Instead {
            covers: |id| matches!(id, Id::One | Id::Five | Id::Fifteen | Id::PerCpu | Id::Trend),
            says: cells::gap_word(scene, gap),
        }),
        Shown::Value(..) | Shown::Expired => None,
    }
}

fn cell<'a>(
    scene: &Scene<'a>,
    host: &'a HostSnapshot,
    spec: Option<&'a Host>,
    id: Id,
    width: u16,
) -> Line<'a> {
    let styles = scene.styles;
    let facts = &host.facts;
    match id {
        Id::Host => span(host.id.host.as_str(), styles.strong).into(),
        Id::Roles => roles(scene, host, spec),
        Id::One => figure(scene, host, |load, limits| {
            (Some(load.one), cells::above(load.one_per_cpu(), limits.load_one_per_cpu))
        }),
        Id::Five => figure(scene, host, |load, limits| {
            (Some(load.five), cells::above(load.five_per_cpu(), limits.load_five_per_cpu))
        }),
        Id::Fifteen => figure(scene, host, |load, _| (Some(load.fifteen), None)),
        Id::PerCpu => figure(scene, host, |load, limits| {
            (load.one_per_cpu(), cells::above(load.one_per_cpu(), limits.load_one_per_cpu))
        }),
        Id::Trend => trend(scene, host, width),
        Id::Memory => {
            cells::fact(scene, host, &facts.memory, |memory, freshness| match memory.used_percent() {
                Some(used) if memory.cache_unread => {
                    span(format!("≤{}", crate::view::text::percent(used)), styles.unknown).into()
                }
                Some(used) => {
                    let severity = cells::above(Some(used), scene.env.spec.thresholds.memory);
                    let style = styles.figure(severity, freshness);
                    Line::from(bar::with_percent(used, width, style, styles))
                }
                None => span("–", styles.muted).into(),
            })
        }
        Id::Disk => match (scene.shown(host, &facts.filesystems), worst_filesystem(facts)) {
            (Shown::Value(_, freshness), Some(disk)) => cells::disk(scene, disk, freshness, width),
            (Shown::Value(..), None) | (Shown::Gap(_) | Shown::Expired, _) => {
                cells::fact(scene, host, &facts.filesystems, |_, _| span("none", styles.unknown).into())
            }
        },
        Id::Mount => match (scene.shown(host, &facts.filesystems), worst_filesystem(facts)) {
            (Shown::Value(..), Some(disk)) => {
                span(text::tail(disk.mount.as_str(), usize::from(width)), styles.muted).into()
            }
            (Shown::Value(..), None) | (Shown::Gap(_) | Shown::Expired, _) => Line::default(),
        },
        Id::Replication => cells::replication(scene, host, spec.is_some_and(|s| s.has_role("db")), width),
        Id::Service => cells::service(scene, host),
        Id::Os => cells::fact(scene, host, &facts.os, |os, _| span(os.release.as_str(), styles.muted).into()),
        Id::Uptime => cells::fact(scene, host, &facts.uptime, |up, _| {
            span(jumpdeck_fleet::time::short_age(*up), styles.muted).into()
        }),
        Id::Level => cells::fact(scene, host, &facts.grains, |grains, freshness| match &grains.level {
            Some(level) if level.as_str() == scene.env.spec.level => {
                span(level.as_str(), styles.muted).into()
            }
            Some(level) => {
                let style = styles.figure(Some(Severity::Critical), freshness);
                span(level.as_str(), style).into()
            }
            None => span("none", styles.figure(Some(Severity::Warning), freshness)).into(),
        }),
        Id::Problem => match scene.problem_of(&host.id.host) {
            Some((problem, _)) => {
                span(problem.message.as_str(), styles.status(problem.severity.into())).into()
            }
            None => Line::default(),
        },
        Id::Age => {
            let (age, style) = scene.age_in_list(host);
            span(age, style).into()
        }
    }
}

/// One of the load's figures, and how bad it is.
fn figure(
    scene: &Scene<'_>,
    host: &HostSnapshot,
    of: impl Fn(Load, &Thresholds) -> (Option<f64>, Option<Severity>),
) -> Line<'static> {
    let (load, freshness) = match scene.shown(host, &host.facts.load) {
        Shown::Value(load, freshness) => (*load, freshness),
        Shown::Gap(_) => return Line::default(),
        Shown::Expired => return span("?", scene.styles.unknown).into(),
    };
    let (value, severity) = of(load, &scene.env.spec.thresholds);
    match value {
        Some(value) => span(text::load(value), scene.styles.figure(severity, freshness)).into(),
        None => span("?", scene.styles.unknown).into(),
    }
}

/// The roles it reports, else the inventory's; where they differ they stand out.
fn roles<'a>(scene: &Scene<'a>, host: &'a HostSnapshot, spec: Option<&'a Host>) -> Line<'a> {
    let Some(spec) = spec else { return Line::default() };
    let join = |roles: &[jumpdeck_fleet::names::RoleName]| {
        roles.iter().map(jumpdeck_fleet::names::RoleName::as_str).collect::<Vec<_>>().join(" ")
    };
    match reported(spec, host) {
        Some(roles) if roles != spec.roles => span(join(&roles), scene.styles.warning).into(),
        Some(_) | None => span(join(&spec.roles), scene.styles.muted).into(),
    }
}

#[allow(clippy::cast_precision_loss)] // no machine has 2²⁴ CPUs
fn trend<'a>(scene: &Scene<'a>, host: &HostSnapshot, width: u16) -> Line<'a> {
    let Some(history) = scene.env.history.get(&host.id.host) else { return Line::default() };
    let values = sparkline::buckets(&history.load, scene.now, TREND, width);
    let cpus = host.facts.load.last().and_then(|l| l.cpus).unwrap_or(1) as f32;
    let line = sparkline::rows(&values, sparkline::top(&values, cpus), 1).pop().unwrap_or_default();
    span(line, scene.styles.muted).into()
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

//! Who follows whom: masters with their replicas below them, each with its threads, its lag and its place in the log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::view::scene::{Scene, ShownFact};
use crate::view::screens::Drawing;
use crate::view::signs;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, left, row, span, wrap};
use crate::view::widgets::footer::FooterStatus;
use crate::view::widgets::table::{Column, ColumnTable, Instead};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::problem::{ProblemKind, Severity};
use jumpdeck_fleet::replication::{BinlogPosition, Database, Encryption, ReplicationRole};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::time::Freshness;
use jumpdeck_fleet::topology::{Branch, Server, tree};

use super::cells;
use super::connection::{follows, lag, place, threads, tls};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReplicationColumn {
    Server,
    Role,
    Lag,
    Threads,
    Tls,
    Writable,
    Position,
    Gtid,
    Version,
    Age,
}

/// Lines kept for what the selected server's threads stumbled on.
const DETAIL: u16 = 4;

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] = &[
    ("LAG", "seconds behind the master; ? means unknown, not zero"),
    ("IO, SQL", "the threads that fetch and apply"),
    ("TLS", "whether the connection to the master is encrypted"),
    ("LOG POSITION", "position applied of the master's log; of a master, its own"),
];

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let rows = tree(&scene.env.spec, &scene.env.hosts);
    let (list, detail) = super::cells::split(area, DETAIL);
    let table = ColumnTable::new(list, &columns(scene, &rows)).recorded(state);
    table.titles(buf, scene.styles, None);
    if rows.is_empty() {
        let why = "no database is known in this environment";
        centred(buf, area, &[span(why, scene.styles.muted).into()]);
        return FooterStatus::default();
    }
    let selected = scene.env.selection.host.as_ref();
    let is_selected = |b: &Branch<'_>| b.server.host().is_some_and(|h| Some(&h.id.host) == selected);
    let at = rows.iter().position(|b| is_selected(b) && !b.repeated);
    let offset = state.scroll(scene.model.active, List("replication"), at, rows.len(), table.height());
    for (y, (i, branch)) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        draw_row(buf, y, &table, scene, branch);
        if branch.server.host().is_some_and(|host| scene.model.is_marked(&host.id.host)) {
            table.mark(buf, y, scene.styles);
        }
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    let chosen = at.and_then(|i| rows.get(i));
    if let Some(branch) = chosen {
        in_full(buf, detail, scene, branch);
    }
    FooterStatus { says: says(scene, &rows), place: Some((at.map_or(0, |i| i + 1), rows.len(), rows.len())) }
}

fn columns(scene: &Scene<'_>, rows: &[Branch<'_>]) -> Vec<Column<ReplicationColumn>> {
    let widest = rows.iter().map(|b| name(&b.server).chars().count() + 2 * b.trail.len()).max().unwrap_or(0);
    let server = u16::try_from(widest).unwrap_or(u16::MAX).clamp(12, 50);
    let places = rows.iter().filter_map(position).map(|p| place(p).chars().count()).max().unwrap_or(0);
    let position = u16::try_from(places).unwrap_or(u16::MAX).clamp(SHORT_POSITION, 40);
    let words = rows.iter().map(|b| role(scene, b).chars().count()).max().unwrap_or(0);
    let role = u16::try_from(words).unwrap_or(u16::MAX).clamp(7, 18);
    let fixed = Column::fixed;
    use Align::{Left, Right};
    vec![
        Column {
            id: ReplicationColumn::Server,
            title: "SERVER",
            align: Left,
            least: server.min(20),
            most: server,
            rank: 0,
        },
        fixed(ReplicationColumn::Role, "ROLE", Left, role, 2),
        fixed(ReplicationColumn::Lag, "LAG", Right, 7, 1),
        fixed(ReplicationColumn::Threads, "THREADS", Left, 13, 4),
        fixed(ReplicationColumn::Tls, "TLS", Left, 3, 7),
        fixed(ReplicationColumn::Writable, "RW", Left, 2, 6),
        Column {
            id: ReplicationColumn::Position,
            title: "LOG POSITION",
            align: Left,
            least: SHORT_POSITION,
            most: position,
            rank: 5,
        },
        Column { id: ReplicationColumn::Gtid, title: "GTID", align: Left, least: 12, most: 40, rank: 9 },
        Column {
            id: ReplicationColumn::Version,
            title: "VERSION",
            align: Left,
            least: 8,
            most: 12,
            rank: 10,
        },
        fixed(ReplicationColumn::Age, "AGE", Right, 3, 3),
    ]
}

/// Room for a log's number and a place in it: `…000123:4294967295`.
const SHORT_POSITION: u16 = 18;

/// The end of a place, which is what differs: the number of the log and the offset.
fn fitted(place: String, width: u16) -> String {
    let (length, width) = (place.chars().count(), usize::from(width));
    if length <= width {
        return place;
    }
    let kept: String = place.chars().skip(length + 1 - width.max(1)).collect();
    format!("…{kept}")
}

/// Where a server is in a log: a replica in its master's, another in its own.
fn position<'a>(branch: &Branch<'a>) -> Option<&'a BinlogPosition> {
    let own = match branch.server {
        Server::Managed { database, .. } => database.server.as_ref().ok().and_then(|s| s.binlog.as_ref()),
        Server::Unasked { .. } | Server::UnmanagedReplica { .. } | Server::UnmanagedMaster { .. } => None,
    };
    branch.via.and_then(|c| c.executed.as_ref()).or(own)
}

fn role(scene: &Scene<'_>, branch: &Branch<'_>) -> String {
    let Server::Managed { host, database } = branch.server else { return String::new() };
    if scene.silence(host).is_some() {
        return String::new();
    }
    match database.server.as_ref().ok().and_then(|s| s.cluster.as_ref()) {
        Some(cluster) if cluster.state.is_empty() => format!("{} ?", cluster.kind.name()),
        Some(cluster) => format!("{} {}", cluster.kind.name(), cluster.state),
        None => database.role().word().to_owned(),
    }
}

fn name(server: &Server<'_>) -> String {
    match server {
        Server::Managed { host, .. } | Server::Unasked { host, .. } => host.id.host.to_string(),
        Server::UnmanagedReplica { replica, .. } if replica.host.is_empty() => {
            format!("server id {}", replica.server_id)
        }
        Server::UnmanagedReplica { replica, .. } => format!("{} (id {})", replica.host, replica.server_id),
        Server::UnmanagedMaster { connection, .. } => connection.master_host.to_string(),
    }
}

fn branches(trail: &[bool]) -> String {
    let mut out = String::new();
    for (i, more) in trail.iter().enumerate() {
        out.push_str(match (i + 1 == trail.len(), more) {
            (true, true) => "├ ",
            (true, false) => "└ ",
            (false, true) => "│ ",
            (false, false) => "  ",
        });
    }
    out
}

fn draw_row(
    buf: &mut Buffer,
    y: u16,
    table: &ColumnTable<ReplicationColumn>,
    scene: &Scene<'_>,
    branch: &Branch<'_>,
) {
    let status = match branch.server {
        Server::Managed { host, .. } | Server::Unasked { host, .. } => scene.status(host),
        Server::UnmanagedReplica { certain: true, .. } => signs::Status::Warning,
        Server::UnmanagedReplica { .. } | Server::UnmanagedMaster { .. } => signs::Status::Unknown,
    };
    let instead = instead(scene, branch).map(|says| Instead {
        covers: |id| !matches!(id, ReplicationColumn::Server | ReplicationColumn::Age),
        says,
    });
    table.row(buf, y, cells::sign(scene, status), instead, |id, width| match id {
        ReplicationColumn::Server => Line::from(vec![
            span(branches(&branch.trail), scene.styles.line),
            span(name(&branch.server), scene.styles.strong),
        ]),
        ReplicationColumn::Age => match branch.server.host() {
            Some(host) => {
                let (age, style) = scene.age_in_list(host);
                span(age, style).into()
            }
            None => Line::default(),
        },
        id => match branch.server {
            Server::Managed { host, database } => cell(scene, host, database, branch, (id, width)),
            Server::Unasked { .. } | Server::UnmanagedReplica { .. } | Server::UnmanagedMaster { .. } => {
                Line::default()
            }
        },
    });
}

/// What to say in place of figures.
fn instead(scene: &Scene<'_>, branch: &Branch<'_>) -> Option<Line<'static>> {
    let styles = scene.styles;
    let text = |text: String, style: Style| Some(Line::from(span(text, style)));
    match branch.server {
        Server::Managed { host, .. } if scene.silence(host).is_some() => {
            let (state, detail) = scene.silence(host)?;
            text(format!("{state}  {detail}"), styles.status(scene.status(host)))
        }
        Server::Managed { database: Database { server: Err(gap), .. }, .. } => {
            text(gap.describe_access(), styles.unknown)
        }
        Server::Managed { .. } if branch.repeated => text("see above".to_owned(), styles.muted),
        Server::Managed { .. } => None,
        Server::Unasked { host, gap } => match (scene.silence(host), gap) {
            (Some((state, detail)), _) => {
                text(format!("{state}  {detail}"), styles.status(scene.status(host)))
            }
            (None, None) => text("no database server found".to_owned(), styles.unknown),
            (None, Some(Gap::NotAsked)) => text("no data yet".to_owned(), styles.muted),
            (None, Some(gap)) => text(gap.describe_access(), styles.unknown),
        },
        Server::UnmanagedReplica { certain: true, .. } => {
            text("replica not in inventory".to_owned(), styles.warning)
        }
        Server::UnmanagedReplica { .. } => {
            text("unknown replica; may be a server that did not answer".to_owned(), styles.unknown)
        }
        Server::UnmanagedMaster { certain: true, .. } => {
            text("outside this environment".to_owned(), styles.muted)
        }
        Server::UnmanagedMaster { certain: false, .. } => {
            text("unknown master; may be outside this environment".to_owned(), styles.unknown)
        }
    }
}

fn cell<'a>(
    scene: &Scene<'_>,
    host: &HostSnapshot,
    database: &'a Database,
    branch: &Branch<'a>,
    (id, width): (ReplicationColumn, u16),
) -> Line<'a> {
    let via = branch.via;
    let styles = scene.styles;
    let freshness = match scene.shown(host, &host.facts.databases) {
        ShownFact::Value(_, freshness) => freshness,
        ShownFact::Gap(gap) if id == ReplicationColumn::Role => return cells::gap_word(scene, gap),
        ShownFact::Expired if id == ReplicationColumn::Role => return span("?", styles.unknown).into(),
        ShownFact::Gap(_) | ShownFact::Expired => return Line::default(),
    };
    let plain = styles.figure(None, freshness);
    let Ok(server) = &database.server else { return Line::default() };
    match id {
        ReplicationColumn::Role => {
            let style = match (&server.cluster, database.role()) {
                (_, ReplicationRole::Unknown) => styles.unknown,
                (Some(cluster), _) => cells::health(scene, cluster.health, freshness),
                (None, _) => plain,
            };
            span(role(scene, branch), style).into()
        }
        ReplicationColumn::Lag => via.map_or_else(Line::default, |c| lag(scene, c, freshness)),
        ReplicationColumn::Threads => via.map_or_else(Line::default, |c| threads(scene, c, freshness)),
        ReplicationColumn::Tls => match via.map(|c| tls(scene, database, c)) {
            None => Line::default(),
            Some(Encryption::NoConnection) => span("–", styles.muted).into(),
            Some(Encryption::Encrypted(_)) => span("yes", plain).into(),
            Some(Encryption::Clear(_)) => {
                span("NO", styles.figure(Some(Severity::Warning), freshness)).into()
            }
            Some(Encryption::Unknown(_)) => span("?", styles.unknown).into(),
        },
        ReplicationColumn::Writable => match (server.writable(), database.role()) {
            (None, _) => span("?", styles.unknown).into(),
            (Some(false), _) => span("RO", plain).into(),
            (Some(true), ReplicationRole::Replica) => {
                span("RW", styles.figure(Some(Severity::Critical), freshness)).into()
            }
            (Some(true), _) => span("RW", plain).into(),
        },
        ReplicationColumn::Position => position(branch)
            .map_or_else(Line::default, |p| span(fitted(place(p), width), muted(scene, freshness)).into()),
        ReplicationColumn::Gtid => server
            .gtid
            .as_ref()
            .map_or_else(Line::default, |g| span(g.as_str(), muted(scene, freshness)).into()),
        ReplicationColumn::Version => {
            // `10.0.17-MariaDB-log`: the rest is on the host's own page.
            let version = database.version.as_ref().and_then(|v| v.as_str().split('-').next());
            version.map_or_else(Line::default, |v| span(v, muted(scene, freshness)).into())
        }
        ReplicationColumn::Server | ReplicationColumn::Age => Line::default(),
    }
}

fn muted(scene: &Scene<'_>, freshness: Freshness) -> Style {
    if freshness == Freshness::Fresh { scene.styles.muted } else { scene.styles.stale }
}

/// The errors of the selected server's threads, and where it reads, as far as there is room.
fn in_full(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, branch: &Branch<'_>) {
    let width = usize::from(area.width).saturating_sub(5);
    let mut lines: Vec<(String, Style)> = Vec::new();
    if let Some(c) = branch.via {
        for (thread, error) in [("IO", &c.io_error), ("SQL", &c.sql_error)] {
            if let Some(error) = error {
                let text = format!("{thread} error {}: {}", error.number, error.message);
                lines.extend(wrap(&text, width).into_iter().map(|l| (l, scene.styles.critical)));
            }
        }
        lines.extend(wrap(&follows(c), width).into_iter().map(|l| (l, scene.styles.muted)));
    }
    for (y, (line, style)) in (1..area.height).zip(lines) {
        left(buf, row(area, y), &Line::from(vec![Span::raw("    "), span(line, style)]));
    }
}

/// Which servers are writable, and of how many that is not known.
fn says(scene: &Scene<'_>, rows: &[Branch<'_>]) -> Line<'static> {
    let mut writers: Vec<&str> = Vec::new();
    let mut unknown = 0;
    for branch in rows.iter().filter(|b| !b.repeated) {
        match branch.server {
            Server::Managed { host, database } => {
                let writable = match (&database.server, scene.shown(host, &host.facts.databases)) {
                    (Ok(server), ShownFact::Value(..)) => server.writable(),
                    (Ok(_) | Err(_), ShownFact::Value(..) | ShownFact::Gap(_) | ShownFact::Expired) => None,
                };
                match writable {
                    Some(true) => writers.push(host.id.host.as_str()),
                    Some(false) => {}
                    None => unknown += 1,
                }
            }
            Server::Unasked { .. } => unknown += 1,
            Server::UnmanagedReplica { .. } | Server::UnmanagedMaster { .. } => {}
        }
    }
    let mut text = match writers.as_slice() {
        [] => "no server is known to be writable".to_owned(),
        [one] => format!("{one} is writable"),
        many => format!("{} servers are writable: {}", many.len(), many.join(", ")),
    };
    if unknown > 0 {
        text.push_str(&format!("; {unknown} unknown"));
    }
    // Several nodes of a cluster may be: what is wrong is a problem of its own.
    let conflict = scene.env.problems.iter().any(|p| p.kind == ProblemKind::WritableMasters);
    let style = if conflict { scene.styles.critical } else { scene.styles.muted };
    span(text, style).into()
}

//! Who follows whom: masters with their replicas below them, each with its threads, its lag and its place in the log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::fact::Gap;
use crate::domain::problem::Severity;
use crate::domain::replication::{Connection, Database, ReplicationRole};
use crate::domain::snapshot::HostSnapshot;
use crate::domain::time::Freshness;
use crate::domain::topology::{Branch, Server, tree};
use crate::view::scene::{Scene, Shown};
use crate::view::signs;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, left, row, span, wrap};
use crate::view::widgets::footer::Status;
use crate::view::widgets::table::{Column, Instead, Table};

use super::cells;
use super::connection::{follows, lag, place, thread};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    Server,
    Role,
    Lag,
    Io,
    Sql,
    Tls,
    Writes,
    Position,
    Gtid,
    Version,
    Age,
}

/// Lines kept for what the selected server's threads stumbled on.
const DETAIL: u16 = 4;

pub(crate) fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> Status<'a> {
    let rows = tree(&scene.env.spec, &scene.env.hosts);
    let (list, detail) = super::problems::split(area, DETAIL);
    let table = Table::new(list, &columns(&rows));
    table.titles(buf, scene.styles, None);
    if rows.is_empty() {
        let why = "no database is known in this environment";
        centred(buf, area, &[span(why, scene.styles.muted).into()]);
        return Status::default();
    }
    let selected = scene.env.selection.host.as_ref();
    let is_selected = |b: &Branch<'_>| b.server.host().is_some_and(|h| Some(&h.id.host) == selected);
    let at = rows.iter().position(|b| is_selected(b) && !b.repeated);
    let offset = state.scroll(scene.model.active, List::Replication, at, rows.len(), table.height());
    for (y, (i, branch)) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        draw_row(buf, y, &table, scene, branch);
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    let chosen = at.and_then(|i| rows.get(i));
    if let Some(branch) = chosen {
        in_full(buf, detail, scene, branch);
    }
    Status { says: says(scene, &rows), place: Some((at.map_or(0, |i| i + 1), rows.len(), rows.len())) }
}

fn columns(rows: &[Branch<'_>]) -> Vec<Column<Id>> {
    let widest = rows.iter().map(|b| name(&b.server).chars().count() + 2 * b.trail.len()).max().unwrap_or(0);
    let server = u16::try_from(widest).unwrap_or(u16::MAX).clamp(12, 50);
    let fixed = Column::fixed;
    use Align::{Left, Right};
    vec![
        Column { id: Id::Server, title: "SERVER", align: Left, least: server.min(20), most: server, rank: 0 },
        fixed(Id::Role, "ROLE", Left, 10, 2),
        fixed(Id::Lag, "LAG", Right, 7, 1),
        fixed(Id::Io, "IO", Left, 10, 4),
        fixed(Id::Sql, "SQL", Left, 8, 5),
        fixed(Id::Tls, "TLS", Left, 3, 6),
        fixed(Id::Writes, "WRITES", Left, 6, 7),
        Column { id: Id::Position, title: "LOG POSITION", align: Left, least: 18, most: 30, rank: 8 },
        Column { id: Id::Gtid, title: "GTID", align: Left, least: 12, most: 40, rank: 9 },
        Column { id: Id::Version, title: "VERSION", align: Left, least: 8, most: 12, rank: 10 },
        fixed(Id::Age, "AGE", Right, 3, 3),
    ]
}

fn name(server: &Server<'_>) -> String {
    match server {
        Server::Managed { host, .. } | Server::Unasked { host, .. } => host.id.host.to_string(),
        Server::UnmanagedReplica { replica, .. } if replica.host.is_empty() => {
            format!("server id {}", replica.server_id)
        }
        Server::UnmanagedReplica { replica, .. } => format!("{} (id {})", replica.host, replica.server_id),
        Server::UnmanagedMaster { connection } => connection.master_host.to_string(),
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

fn draw_row(buf: &mut Buffer, y: u16, table: &Table<Id>, scene: &Scene<'_>, branch: &Branch<'_>) {
    let status = match branch.server {
        Server::Managed { host, .. } | Server::Unasked { host, .. } => scene.status(host),
        Server::UnmanagedReplica { certain: true, .. } => signs::Status::Warning,
        Server::UnmanagedReplica { .. } | Server::UnmanagedMaster { .. } => signs::Status::Unknown,
    };
    let instead =
        instead(scene, branch).map(|says| Instead { covers: |id| !matches!(id, Id::Server | Id::Age), says });
    table.row(buf, y, cells::sign(scene, status), instead, |id, _| match id {
        Id::Server => Line::from(vec![
            span(branches(&branch.trail), scene.styles.line),
            span(name(&branch.server), scene.styles.strong),
        ]),
        Id::Age => match branch.server.host() {
            Some(host) => {
                let (age, style) = scene.age_in_list(host);
                span(age, style).into()
            }
            None => Line::default(),
        },
        id => match branch.server {
            Server::Managed { host, database } => cell(scene, host, database, branch.via, id),
            _ => Line::default(),
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
            text(format!("cannot be asked: {}", gap.describe()), styles.unknown)
        }
        Server::Managed { .. } if branch.repeated => text("stands above already".to_owned(), styles.muted),
        Server::Managed { .. } => None,
        Server::Unasked { host, gap } => match (scene.silence(host), gap) {
            (Some((state, detail)), _) => {
                text(format!("{state}  {detail}"), styles.status(scene.status(host)))
            }
            (None, None) => text("no database installed".to_owned(), styles.critical),
            (None, Some(Gap::NotAsked)) => text("awaited".to_owned(), styles.muted),
            (None, Some(gap)) => text(format!("cannot be asked: {}", gap.describe()), styles.unknown),
        },
        Server::UnmanagedReplica { certain: true, .. } => {
            text("follows, and is no host of this environment".to_owned(), styles.warning)
        }
        Server::UnmanagedReplica { .. } => {
            text("follows; not told apart while a server cannot be asked".to_owned(), styles.unknown)
        }
        Server::UnmanagedMaster { .. } => text("outside this environment".to_owned(), styles.muted),
    }
}

fn cell<'a>(
    scene: &Scene<'_>,
    host: &HostSnapshot,
    database: &'a Database,
    via: Option<&'a Connection>,
    id: Id,
) -> Line<'a> {
    let styles = scene.styles;
    let freshness = match scene.shown(host, &host.facts.databases) {
        Shown::Value(_, freshness) => freshness,
        Shown::Gap(gap) if id == Id::Role => return cells::gap_word(scene, gap),
        Shown::Expired if id == Id::Role => return span("?", styles.unknown).into(),
        Shown::Gap(_) | Shown::Expired => return Line::default(),
    };
    let plain = styles.figure(None, freshness);
    let Ok(server) = &database.server else { return Line::default() };
    match id {
        Id::Role => {
            let role = database.role();
            let style = if role == ReplicationRole::Unknown { styles.unknown } else { plain };
            span(role.word(), style).into()
        }
        Id::Lag => via.map_or_else(Line::default, |c| lag(scene, c, freshness)),
        Id::Io => via.map_or_else(Line::default, |c| thread(scene, c.io, freshness)),
        Id::Sql => via.map_or_else(Line::default, |c| thread(scene, c.sql, freshness)),
        Id::Tls => match via.map(|c| c.tls) {
            None => Line::default(),
            Some(Some(true)) => span("yes", plain).into(),
            Some(Some(false)) => span("NO", styles.figure(Some(Severity::Warning), freshness)).into(),
            Some(None) => span("?", styles.unknown).into(),
        },
        Id::Writes => match (server.read_only, database.role()) {
            (None, _) => span("?", styles.unknown).into(),
            (Some(true), _) => span("no", plain).into(),
            (Some(false), ReplicationRole::Replica) => {
                span("YES", styles.figure(Some(Severity::Critical), freshness)).into()
            }
            (Some(false), _) => span("yes", plain).into(),
        },
        Id::Position => {
            let position = via.and_then(|c| c.executed.as_ref()).or(server.binlog.as_ref());
            position.map_or_else(Line::default, |p| span(place(p), muted(scene, freshness)).into())
        }
        Id::Gtid => server
            .gtid
            .as_ref()
            .map_or_else(Line::default, |g| span(g.as_str(), muted(scene, freshness)).into()),
        Id::Version => {
            // `10.0.17-MariaDB-log`: the rest is on the host's own page.
            let version = database.version.as_ref().and_then(|v| v.as_str().split('-').next());
            version.map_or_else(Line::default, |v| span(v, muted(scene, freshness)).into())
        }
        Id::Server | Id::Age => Line::default(),
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

fn says(scene: &Scene<'_>, rows: &[Branch<'_>]) -> Line<'static> {
    let writers: Vec<&str> = rows
        .iter()
        .filter(|b| !b.repeated)
        .filter_map(|b| match b.server {
            Server::Managed { host, database } => {
                match (&database.server, scene.shown(host, &host.facts.databases)) {
                    (Ok(server), Shown::Value(..)) if server.read_only == Some(false) => {
                        Some(host.id.host.as_str())
                    }
                    _ => None,
                }
            }
            _ => None,
        })
        .collect();
    let text = match writers.as_slice() {
        [] => "no server is known to take writes".to_owned(),
        [one] => format!("{one} takes writes"),
        many => format!("{} servers take writes: {}", many.len(), many.join(", ")),
    };
    let style = if writers.len() > 1 { scene.styles.critical } else { scene.styles.muted };
    span(text, style).into()
}

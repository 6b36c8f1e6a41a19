//! A connection of a replica to its master, as the replication screen and a host's page both show it.

use ratatui::text::Line;

use crate::view::scene::Scene;
use crate::view::text::span;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::replication::{BinlogPosition, Connection, Database, Encryption, Thread, encryption};
use jumpdeck_fleet::time::Freshness;
use jumpdeck_fleet::topology::status_of_master;

use super::cells;

/// A place in a log: `mariadb-bin.000012:34567`.
pub(super) fn place(position: &BinlogPosition) -> String {
    format!("{}:{}", position.file, position.position)
}

pub(super) fn lag(scene: &Scene<'_>, connection: &Connection, freshness: Freshness) -> Line<'static> {
    match connection.lag_s() {
        Some(lag) => {
            let beyond = connection.lag_beyond_delay().unwrap_or(lag);
            let style = scene.styles.figure(cells::lag_severity(scene, beyond), freshness);
            span(format!("{lag}s"), style).into()
        }
        None => span("?", scene.styles.unknown).into(),
    }
}

/// Whether a connection is encrypted, as far as that is known.
pub(super) fn tls(scene: &Scene<'_>, database: &Database, c: &Connection) -> Encryption {
    encryption(database, c, status_of_master(&scene.env.spec, &scene.env.hosts, c))
}

pub(super) fn thread(scene: &Scene<'_>, thread: Thread, freshness: Freshness) -> Line<'static> {
    let severity = match thread {
        Thread::Running => None,
        Thread::Connecting | Thread::Stopped => Some(Severity::Critical),
        Thread::Unknown => Some(Severity::Unknown),
    };
    span(thread.word(), scene.styles.figure(severity, freshness)).into()
}

/// Both threads in one cell: what does not run.
pub(super) fn threads(scene: &Scene<'_>, c: &Connection, freshness: Freshness) -> Line<'static> {
    let (name, state) = match (c.io, c.sql) {
        (Thread::Running, Thread::Running) => return thread(scene, Thread::Running, freshness),
        (Thread::Stopped, Thread::Stopped) => return thread(scene, Thread::Stopped, freshness),
        (Thread::Running, sql) => ("SQL", sql),
        (io, _) => ("IO", io),
    };
    let style = thread(scene, state, freshness).spans.first().map(|s| s.style).unwrap_or_default();
    span(format!("{name} {}", state.word()), style).into()
}

/// How a connection follows its master, in words.
pub(super) fn follows(c: &Connection) -> String {
    let mut text = format!("follows {}", c.master_host);
    if let Some(port) = c.master_port {
        text.push_str(&format!(":{port}"));
    }
    if let Some(id) = c.master_server_id.filter(|id| *id != 0) {
        text.push_str(&format!(" (server id {id})"));
    }
    text.push_str(&format!(" by {}", c.gtid_mode.word()));
    if !c.name.is_empty() {
        text.push_str(&format!(", connection {}", c.name));
    }
    if let Some(delay) = c.delay() {
        text.push_str(&format!(", delayed by {delay} s on purpose"));
    }
    if let Some(read) = &c.read {
        text.push_str(&format!(", read to {}", place(read)));
    }
    if let Some(executed) = &c.executed {
        text.push_str(&format!(", applied to {}", place(executed)));
    }
    if let Some(gtid) = &c.gtid_received {
        text.push_str(&format!(", GTID received {gtid}"));
    }
    text
}

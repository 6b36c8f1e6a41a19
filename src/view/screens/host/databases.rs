//! A host's databases in full: what each server says of itself, every connection to a master, every replica it sees.

use std::time::Duration;

use ratatui::text::{Line, Span};

use crate::view::scene::{Scene, ShownFact};
use crate::view::screens::cells;
use crate::view::screens::connection::{follows, lag, place, thread, tls};
use crate::view::text::span;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::replication::{Cluster, Connection, Database, Encryption, ServerActivity, ServerStatus};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::time::{Freshness, short_age};

use super::HostPage;

pub(super) fn lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, spec: &Host, host: &'a HostSnapshot) {
    let styles = scene.styles;
    let fact = &host.facts.databases;
    let expected = spec.has_role("db");
    page.section("REPLICATION");
    match scene.shown(host, fact) {
        ShownFact::Value(list, _) if list.is_empty() && expected => {
            page.plain(span("? its role is db, but no database server was found", styles.unknown));
        }
        ShownFact::Value(list, _) if list.is_empty() => {
            page.plain(span("no database on this host", styles.muted));
        }
        ShownFact::Value(databases, freshness) => {
            for database in databases {
                one(page, scene, database, freshness);
            }
        }
        ShownFact::Gap(Gap::NotInstalled) if !expected => {
            page.plain(span("no database on this host", styles.muted));
        }
        // Nobody has asked, so nobody knows.
        ShownFact::Gap(Gap::NotAsked) => page.plain(span("not asked", styles.muted)),
        ShownFact::Gap(gap) => page.wrapped("?", &gap.describe(), styles.unknown),
        ShownFact::Expired => match fact.last() {
            Some(databases) if !databases.is_empty() => {
                page.plain(span("?  last known:", styles.unknown));
                let from = page.lines.len();
                for database in databases {
                    one(page, scene, database, Freshness::Stale);
                }
                page.dim(from, styles.stale);
            }
            _ if expected => page.plain(span("?", styles.unknown)),
            _ => page.plain(span("no database on this host, when last asked", styles.stale)),
        },
    }
}

fn one<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, database: &'a Database, freshness: Freshness) {
    let styles = scene.styles;
    let version = database.version.as_ref().map_or("version unknown", |v| v.as_str());
    let mut spans = vec![
        Span::raw(database.role().word()),
        span(format!("   {} {version}", database.engine.word()), styles.muted),
    ];
    match &database.server {
        Err(gap) => {
            page.labelled("server", Line::from(spans));
            page.wrapped("", &format!("? {}", gap.describe()), styles.unknown);
        }
        Ok(server) => {
            let id = server.server_id.map_or_else(|| "?".to_owned(), |id| id.to_string());
            spans.push(span(format!(", server id {id}"), styles.muted));
            page.labelled("server", Line::from(spans));
            server_lines(page, scene, database, server, freshness);
        }
    }
}

fn server_lines<'a>(
    page: &mut HostPage<'a>,
    scene: &Scene<'a>,
    database: &'a Database,
    server: &'a ServerStatus,
    freshness: Freshness,
) {
    let styles = scene.styles;
    let told = |value: Option<bool>, yes: &'static str, no: &'static str| match value {
        Some(true) => Span::raw(yes),
        Some(false) => Span::raw(no),
        None => span("?", styles.unknown),
    };
    page.labelled(
        "settings",
        Line::from(vec![
            told(server.read_only, "read-only", "writable"),
            span("   binary log ", styles.muted),
            told(server.log_bin, "on", "off"),
            span("   log_slave_updates ", styles.muted),
            told(server.log_slave_updates, "yes", "no"),
            span("   TLS ", styles.muted),
            told(server.have_ssl, "ready", "off"),
        ]),
    );
    activity_lines(page, scene, &server.activity);
    if let Some(cluster) = &server.cluster {
        page.wrapped("cluster", &in_cluster(cluster), cells::health(scene, cluster.health, freshness));
    }
    if let Some(binlog) = &server.binlog {
        page.wrapped("own log", &place(binlog), styles.base);
    }
    if let Some(gtid) = server.gtid.as_ref().filter(|g| !g.is_empty()) {
        page.wrapped("GTID", gtid.as_str(), styles.base);
    }
    match &server.connections {
        Ok(connections) => {
            for connection in connections {
                connection_lines(page, scene, database, connection, freshness);
            }
        }
        Err(gap) => page.wrapped("follows", &format!("? {}", gap.describe()), styles.unknown),
    }
    match &server.replicas {
        Ok(replicas) => {
            for (i, replica) in replicas.iter().enumerate() {
                let host = if replica.host.is_empty() { "no name given" } else { replica.host.as_str() };
                let port = replica.port.map_or_else(String::new, |p| format!(":{p}"));
                let text = format!("{host}{port}   server id {}", replica.server_id);
                page.labelled(if i == 0 { "followed by" } else { "" }, Line::from(text));
            }
        }
        Err(gap) => page.wrapped("followed by", &format!("? {}", gap.describe()), styles.unknown),
    }
    for (what, gap) in &server.gaps {
        page.wrapped("unknown", &format!("? {what} {}", gap.describe()), styles.unknown);
    }
}

fn activity_lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, activity: &ServerActivity) {
    let styles = scene.styles;
    let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let mut spans = vec![
        Span::raw(format!("{} of {}", number(activity.connections), number(activity.max_connections))),
        span("   refused ", styles.muted),
        Span::raw(number(activity.refused)),
        span("   failed logins ", styles.muted),
        Span::raw(number(activity.aborted)),
    ];
    page.labelled("clients", Line::from(std::mem::take(&mut spans)));
    spans.extend([span("slow ", styles.muted), Span::raw(number(activity.slow_queries))]);
    if let Some(rate) = activity.commits_per_s {
        spans.extend([span("   commits ", styles.muted), Span::raw(format!("{rate:.1}/s"))]);
    }
    if let Some(open) = activity.longest {
        let age = short_age(Duration::from_secs(open.age_s));
        let whose = format!("{age}, connection {}", open.connection);
        spans.extend([span("   longest transaction ", styles.muted), Span::raw(whose)]);
    }
    page.labelled("queries", Line::from(spans));
}

fn in_cluster(cluster: &Cluster) -> String {
    let state = if cluster.state.is_empty() { "state ?" } else { cluster.state.as_str() };
    let nodes = cluster.size.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let why = if cluster.reason.is_empty() { String::new() } else { format!(": {}", cluster.reason) };
    format!("{} {}, {state}, nodes {nodes}{why}", cluster.kind.name(), cluster.name)
}

fn connection_lines<'a>(
    page: &mut HostPage<'a>,
    scene: &Scene<'a>,
    database: &'a Database,
    c: &'a Connection,
    freshness: Freshness,
) {
    let styles = scene.styles;
    let mut spans = vec![span("IO ", styles.muted)];
    spans.extend(thread(scene, c.io, freshness).spans);
    spans.push(span("   SQL ", styles.muted));
    spans.extend(thread(scene, c.sql, freshness).spans);
    spans.push(span("   lag ", styles.muted));
    spans.extend(lag(scene, c, freshness).spans);
    spans.push(span("   TLS ", styles.muted));
    let encryption = tls(scene, database, c);
    spans.push(match encryption {
        Encryption::Encrypted(_) => Span::raw("yes"),
        Encryption::Clear(_) => span("NO, not encrypted", styles.warning),
        Encryption::Unknown(_) => span("?", styles.unknown),
        Encryption::NoConnection => span("not connected", styles.muted),
    });
    page.labelled("follows", Line::from(spans));
    match encryption {
        Encryption::Encrypted(how) | Encryption::Clear(how) | Encryption::Unknown(how) => {
            page.wrapped("", &format!("TLS: {how}"), styles.muted);
        }
        Encryption::NoConnection => {}
    }
    page.wrapped("", &follows(c), styles.muted);
    for (thread, error) in [("IO", &c.io_error), ("SQL", &c.sql_error)] {
        if let Some(error) = error {
            page.wrapped(
                "",
                &format!("✖ {thread} error {}: {}", error.number, error.message),
                styles.critical,
            );
        }
    }
}

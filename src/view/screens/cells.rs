//! Cells that several screens share: figures with their threshold, age and gap.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::view::scene::{Scene, ShownFact};
use crate::view::signs::Status;
use crate::view::text::{self, span};
use crate::view::widgets::bar;
use jumpdeck_fleet::fact::{Fact, Gap};
use jumpdeck_fleet::fleet::Threshold;
use jumpdeck_fleet::problem::{Problem, Severity};
use jumpdeck_fleet::replication::NodeHealth;
use jumpdeck_fleet::service::{ServiceEntry, ServiceHealth};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::storage::Filesystem;
use jumpdeck_fleet::summary::{ReplicationBrief, replication_brief, replication_words_within};
use jumpdeck_fleet::time::Freshness;
use jumpdeck_fleet::timeline::{Acknowledgement, clock};

/// A sign in its style.
pub(crate) fn sign(scene: &Scene<'_>, status: Status) -> Span<'static> {
    span(status.sign(), scene.styles.status(status))
}

/// Old figures are dim; figures too old are `?`; a gap is its word.
pub(crate) fn fact<'a, T>(
    scene: &Scene<'a>,
    host: &HostSnapshot,
    fact: &'a Fact<T>,
    show: impl FnOnce(&'a T, Freshness) -> Line<'a>,
) -> Line<'a> {
    match scene.shown(host, fact) {
        ShownFact::Value(value, freshness) => show(value, freshness),
        ShownFact::Gap(gap) => gap_word(scene, gap),
        ShownFact::Expired => span("?", scene.styles.unknown).into(),
    }
}

/// A gap, short.
pub(crate) fn gap_word(scene: &Scene<'_>, gap: &Gap) -> Line<'static> {
    let style = if *gap == Gap::NotAsked { scene.styles.muted } else { scene.styles.unknown };
    span(text::gap(gap), style).into()
}

/// Judges a figure that is a problem above its threshold.
pub(crate) fn above(value: Option<f64>, limit: Threshold) -> Option<Severity> {
    let value = value?;
    if value > limit.critical {
        Some(Severity::Critical)
    } else if value > limit.warning {
        Some(Severity::Warning)
    } else {
        None
    }
}

/// Judges a percentage that is a problem at its threshold.
pub(crate) fn at_or_above(value: Option<u8>, limit: Threshold) -> Option<Severity> {
    let value = f64::from(value?);
    if value >= limit.critical {
        Some(Severity::Critical)
    } else if value >= limit.warning {
        Some(Severity::Warning)
    } else {
        None
    }
}

/// How full a filesystem is: a bar and a percentage, or why that is not known.
pub(crate) fn disk<'a>(
    scene: &Scene<'a>,
    disk: &'a Filesystem,
    freshness: Freshness,
    width: u16,
) -> Line<'a> {
    match &disk.usage {
        Ok(usage) => {
            let severity = at_or_above(usage.use_percent, scene.env.spec.thresholds.disk);
            let style = scene.styles.figure(severity, freshness);
            match usage.use_percent {
                Some(percent) => {
                    Line::from(bar::with_percent(f64::from(percent), width, style, scene.styles))
                }
                None => span("–", scene.styles.muted).into(),
            }
        }
        // A mount that hangs, hangs whoever touches it.
        Err(Gap::TimedOut) => {
            let style = scene.styles.figure(Some(Severity::Critical), freshness);
            span(text::gap(&Gap::TimedOut), style).into()
        }
        Err(gap) => gap_word(scene, gap),
    }
}

/// A host's replication in a few words; nothing where there is no database and none is expected.
pub(crate) fn replication<'a>(
    scene: &Scene<'a>,
    host: &'a HostSnapshot,
    expected: bool,
    width: u16,
) -> Line<'a> {
    let styles = scene.styles;
    match scene.shown(host, &host.facts.databases) {
        ShownFact::Value(databases, freshness) => {
            let brief = replication_brief(databases);
            if brief == ReplicationBrief::None && expected {
                return span("no database", styles.figure(Some(Severity::Critical), freshness)).into();
            }
            let style = match &brief {
                ReplicationBrief::Standalone { writable: Some(_) } => styles.muted,
                brief => styles.figure(replication_severity(scene, brief), freshness),
            };
            span(replication_words_within(brief, usize::from(width)), style).into()
        }
        ShownFact::Gap(Gap::NotAsked | Gap::NotInstalled) if !expected => Line::default(),
        ShownFact::Gap(gap) => gap_word(scene, gap),
        ShownFact::Expired if host.facts.databases.last().is_some_and(Vec::is_empty) && !expected => {
            Line::default()
        }
        ShownFact::Expired => span("?", styles.unknown).into(),
    }
}

fn replication_severity(scene: &Scene<'_>, brief: &ReplicationBrief<'_>) -> Option<Severity> {
    match brief {
        ReplicationBrief::Broken { .. } => Some(Severity::Critical),
        ReplicationBrief::Following { writable: Some(true), .. } => Some(Severity::Critical),
        ReplicationBrief::Unknown(_)
        | ReplicationBrief::Following { beyond_s: None, .. }
        | ReplicationBrief::Following { writable: None, .. }
        | ReplicationBrief::Standalone { writable: None }
        | ReplicationBrief::Master { writable: None, .. }
        | ReplicationBrief::Master { replicas: None, .. } => Some(Severity::Unknown),
        ReplicationBrief::Following { beyond_s: Some(lag), .. } => lag_severity(scene, *lag),
        ReplicationBrief::Member { cluster, writable } => match cluster.health {
            NodeHealth::Out => Some(Severity::Critical),
            NodeHealth::Unknown => Some(Severity::Unknown),
            NodeHealth::Behind => Some(Severity::Warning),
            NodeHealth::InSync => writable.is_none().then_some(Severity::Unknown),
        },
        ReplicationBrief::None | ReplicationBrief::Standalone { .. } | ReplicationBrief::Master { .. } => {
            None
        }
    }
}

/// How a node of a cluster is.
pub(crate) fn health(
    scene: &Scene<'_>,
    health: NodeHealth,
    freshness: jumpdeck_fleet::time::Freshness,
) -> Style {
    let severity = match health {
        NodeHealth::InSync => None,
        NodeHealth::Behind => Some(Severity::Warning),
        NodeHealth::Unknown => Some(Severity::Unknown),
        NodeHealth::Out => Some(Severity::Critical),
    };
    scene.styles.figure(severity, freshness)
}

/// The service of a host that somebody should look at first, in two words, and how many more are not well; nothing where jumpdeck
/// looks at none. Its name gives way before what is said of it. Of several of which there is nothing to say, how many.
pub(crate) fn service<'a>(scene: &Scene<'a>, host: &'a HostSnapshot, width: usize) -> Line<'a> {
    let shown = host.facts.services.iter().map(|entry| {
        let (severity, word, style) = service_state(scene, host, entry);
        let says_more = severity.is_none() && word != ServiceHealth::Ok.word();
        ((severity, says_more), entry.name(), word, style)
    });
    let shown: Vec<_> = shown.collect();
    let unwell = shown.iter().filter(|((severity, _), ..)| severity.is_some()).count();
    let all = shown.len();
    // Of those that are equally bad the one that says more, else the first.
    let worst = shown.into_iter().reduce(|worst, next| if next.0 > worst.0 { next } else { worst });
    worst.map_or_else(Line::default, |(rank, name, word, style)| {
        if rank == (None, false) && all > 1 {
            return span(format!("all {all} ok"), style).into();
        }
        let more = if unwell > 1 { format!(" +{}", unwell - 1) } else { String::new() };
        let room = width.saturating_sub(1 + word.width() + more.width()).max(3);
        span(format!("{} {word}{more}", text::cut(name, room)), style).into()
    })
}

/// How a service is on a host: what is wrong, in a word, and its style. One that nobody can tell about is unknown.
pub(crate) fn service_state<'a>(
    scene: &Scene<'_>,
    host: &HostSnapshot,
    entry: &'a ServiceEntry,
) -> (Option<Severity>, &'a str, Style) {
    match scene.shown(host, &entry.fact) {
        ShownFact::Value(service, freshness) => {
            let findings = entry.findings(service, &scene.env.spec.thresholds);
            let severity = findings.iter().map(|finding| finding.severity).max();
            let short = entry.short(service).filter(|_| service.running && severity.is_none());
            let word = short.unwrap_or_else(|| ServiceHealth::of(service, &findings).word());
            (severity, word, scene.styles.figure(severity, freshness))
        }
        ShownFact::Gap(_) | ShownFact::Expired => (Some(Severity::Unknown), "?", scene.styles.unknown),
    }
}

/// Judges a lag.
pub(crate) fn lag_severity(scene: &Scene<'_>, lag_s: u64) -> Option<Severity> {
    #[allow(clippy::cast_precision_loss)]
    above(Some(lag_s as f64), scene.env.spec.thresholds.lag)
}

/// A problem in one line: sign, where, what.
pub(crate) fn problem<'a>(scene: &Scene<'a>, problem: &'a Problem, more: usize) -> Line<'a> {
    let status = Status::from(problem.severity);
    let style = scene.styles.status(status);
    let mut spans = vec![span(format!("{} ", status.sign()), style)];
    if let Some(host) = &problem.host {
        spans.push(span(format!("{host}  "), scene.styles.strong));
    }
    spans.push(span(problem.message.as_str(), Style::default()));
    if more > 0 {
        spans.push(span(format!("  (+{more} more)"), scene.styles.muted));
    }
    Line::from(spans)
}

/// What somebody says who knows of a problem.
pub(crate) fn acknowledged(scene: &Scene<'_>, said: &Acknowledgement) -> String {
    let until = said.until.map_or_else(
        || "until it has ended".to_owned(),
        |until| format!("until {} UTC", clock(until, scene.model.wall())),
    );
    format!("acknowledged by {} {until}: {}", said.by, said.reason)
}

/// A list above, and a pane of that many lines below it.
pub(super) fn split(area: Rect, pane: u16) -> (Rect, Rect) {
    split_at_most(area, pane, area.height / 3)
}

/// The same, with a pane of at most `most` lines.
pub(super) fn split_at_most(area: Rect, pane: u16, most: u16) -> (Rect, Rect) {
    let pane = pane.min(most);
    let list = Rect { height: area.height - pane, ..area };
    (list, Rect { y: list.bottom(), height: pane, ..area })
}

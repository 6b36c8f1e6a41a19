//! The first two rows: every environment with its worst problem, then the one shown: what it is, the way to it, and
//! how old what is known of it is.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::EnvironmentState;
use crate::app::model::session::{SessionStage, stage};
use crate::view::scene::Scene;
use crate::view::signs::{Progress, Status};
use crate::view::text::{Align, left, put, right, round_trip, row, span, two_units};
use jumpdeck_fleet::fleet::Jump;
use jumpdeck_fleet::maintenance::SessionSync;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::snapshot::LinkState;
use jumpdeck_fleet::summary::HostsUp;
use jumpdeck_fleet::time::{Freshness, short_age};

const HEIGHT: u16 = 2;
/// From so many columns on, reasons are told at more length.
const WIDE: u16 = 110;
const HOUR: Duration = Duration::from_secs(3600);

/// Draws the header and returns its height.
pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let tabs = row(area, 0);
    buf.set_style(tabs, scene.styles.surface);
    let room = right(buf, tabs, &flags(scene, area.width));
    draw_tabs(buf, Rect { width: room, ..tabs }, scene);

    let band = row(area, 1);
    let guarded = scene.env.spec.is_guarded();
    buf.set_style(band, if guarded { scene.styles.guarded } else { scene.styles.unguarded });
    let room = right(buf, band, &Line::from(format!("{} ", freshness(scene))));
    left(buf, Rect { width: room, ..band }, &way(scene, room));
    HEIGHT
}

/// What must never be overlooked: a simulated fleet, a held screen.
fn flags(scene: &Scene<'_>, width: u16) -> Line<'static> {
    let mut spans = Vec::new();
    if let Some(paused) = &scene.model.paused {
        let since = short_age(scene.model.now.since(paused.since));
        spans.push(span(format!(" PAUSED {since}{} ", news(scene)), scene.styles.paused));
        spans.push(Span::raw(" "));
    }
    spans.extend(run_elsewhere(scene));
    spans.extend(command_elsewhere(scene));
    spans.extend(session(scene, width));
    spans.extend(arming(scene, width));
    if scene.model.fleet.simulated {
        spans.push(span(" SIMULATED ", scene.styles.simulated));
    }
    Line::from(spans)
}

/// Whether changes may be made here; for how long, and for what.
fn arming(scene: &Scene<'_>, width: u16) -> Vec<Span<'static>> {
    let (styles, runs) = (scene.styles, &scene.model.runs);
    let Some(armed) = runs.armed.as_ref().filter(|a| a.env == scene.env.spec.name) else {
        let why = match &runs.disarmed {
            Some((env, why)) if width >= WIDE && *env == scene.env.spec.name => format!(" ({why})"),
            Some(_) | None => String::new(),
        };
        return vec![span("READ-ONLY", styles.strong), span(why, styles.muted), Span::raw(" ")];
    };
    let left = armed.until.since(scene.model.now).as_secs();
    let clock = match left / 3600 {
        0 => format!("{:02}:{:02}", left / 60, left % 60),
        hours => format!("{hours}:{:02}:{:02}", left / 60 % 60, left % 60),
    };
    let most = if width >= WIDE { 40 } else { 12 };
    let reason = crate::view::text::cut(armed.reason.as_str(), most);
    vec![span(format!(" ARMED {clock} {reason} "), styles.armed), Span::raw(" ")]
}

/// The maintenance session of the environment: how long until its planned end, or how long past it; what is not there yet.
fn session(scene: &Scene<'_>, width: u16) -> Vec<Span<'static>> {
    let (styles, model) = (scene.styles, scene.model);
    let Some(seen) = model.session() else { return Vec::new() };
    let name = if width >= WIDE { "SESSION" } else { "SESS" };
    // Hours alone would hide most of one.
    let time = |span: Duration| if span < HOUR { short_age(span) } else { two_units(span) };
    let (text, style) = match (stage(&seen.session, model.wall()), seen.takes_part) {
        (SessionStage::Past(late), _) => (format!("▲ {name} {} over", time(late)), styles.warning),
        (SessionStage::Left(left), true) => (format!("{name} {}", time(left)), styles.strong),
        (SessionStage::Left(left), false) => (format!("{name} {} (not joined)", time(left)), styles.muted),
    };
    let mut spans = vec![span(text, style)];
    if let SessionSync::Behind { lines, .. } = &seen.sync {
        spans.push(span(format!(" ▲{lines} unsent"), styles.warning));
    }
    spans.push(Span::raw("  "));
    spans
}

/// A run that goes on where nobody looks.
fn run_elsewhere(scene: &Scene<'_>) -> Vec<Span<'static>> {
    let shown = scene.model.shown_run().map(|r| &r.id);
    let mut others = scene.model.runs_under_way().filter(|r| Some(&r.id) != shown).peekable();
    if others.peek().is_none() {
        return Vec::new();
    }
    let (progress, text) = if others.any(|r| r.prompt.is_some()) {
        (Progress::Asks, "RUN ASKS")
    } else {
        (Progress::Runs, "RUN")
    };
    vec![span(format!("{} {text}", progress.sign()), scene.styles.progress(progress)), Span::raw("  ")]
}

/// A command for which hosts are asked where nobody looks.
fn command_elsewhere(scene: &Scene<'_>) -> Vec<Span<'static>> {
    let shown = scene.model.last_command().filter(|_| scene.model.shows_answers());
    let shown = shown.map(|last| last.view.order.id);
    if scene.model.commands_under_way().all(|view| Some(view.order.id) == shown) {
        return Vec::new();
    }
    let text = format!("{} COMMAND", Progress::Runs.sign());
    vec![span(text, scene.styles.progress(Progress::Runs)), Span::raw("  ")]
}

/// On a held screen: how bad it is by now, when that is not what the screen shows.
fn news(scene: &Scene<'_>) -> String {
    let live = scene.model.environments.get(scene.model.active).and_then(tally);
    match live {
        live if live == tally(scene.env) => String::new(),
        Some((severity, n)) => format!(", now {}{n}", Status::from(severity).sign()),
        None => format!(", now {}", Status::Ok.sign()),
    }
}

/// The worst severity of the problems that nobody has acknowledged, and how many have it.
fn tally(env: &EnvironmentState) -> Option<(Severity, usize)> {
    let open = || env.problems.iter().filter(|problem| env.is_unacknowledged(problem));
    let worst = open().map(|problem| problem.severity).max()?;
    Some((worst, open().filter(|problem| problem.severity == worst).count()))
}

/// The worst severity of those that are acknowledged, and how many they are.
fn acknowledged(env: &EnvironmentState) -> Option<(Severity, usize)> {
    let known = || env.problems.iter().filter(|problem| !env.is_unacknowledged(problem));
    Some((known().map(|problem| problem.severity).max()?, known().count()))
}

fn draw_tabs(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    let styles = scene.styles;
    put(buf, area.x + 1, area.y, 8, &span("jumpdeck", styles.accent).into(), Align::Left);
    let environments = match &scene.model.paused {
        Some(paused) => &paused.environments,
        None => &scene.model.environments,
    };
    let tabs: Vec<Line<'_>> = environments.iter().enumerate().map(|(i, e)| tab(scene, e, i)).collect();
    let area = Rect { x: area.x + 11, width: area.width.saturating_sub(11), ..area };
    let first = first_tab(&tabs, scene.model.active, area.width);
    let mut x = area.x;
    for (i, tab) in tabs.iter().enumerate().skip(first) {
        let width = tab_width(tab);
        let fits = x + width <= area.right();
        if !fits && i != scene.model.active {
            put(
                buf,
                x.min(area.right().saturating_sub(1)),
                area.y,
                1,
                // On its own ground: it may cover the end of the tab that is shown.
                &span("…", styles.surface.patch(styles.muted)).into(),
                Align::Left,
            );
            break;
        }
        put(buf, x, area.y, width.min(area.right().saturating_sub(x)), tab, Align::Left);
        x += width + 1;
    }
}

/// The first tab to draw so that the active one is seen.
fn first_tab(tabs: &[Line<'_>], active: usize, room: u16) -> usize {
    let mut used = 0;
    for (i, tab) in tabs.iter().enumerate().take(active + 1).rev() {
        used += tab_width(tab) + 1;
        if used > room + 1 {
            return (i + 1).min(active);
        }
    }
    0
}

fn tab_width(tab: &Line<'_>) -> u16 {
    u16::try_from(tab.width()).unwrap_or(u16::MAX / 4).min(u16::MAX / 4)
}

fn tab<'a>(scene: &Scene<'_>, env: &'a EnvironmentState, at: usize) -> Line<'a> {
    let styles = scene.styles;
    let known = tally(env).filter(|_| env.watched);
    let acknowledged = acknowledged(env).filter(|_| env.watched);
    let (status, count) = match (known, acknowledged) {
        (Some((severity, n)), None) => (Status::from(severity), n.to_string()),
        (Some((severity, n)), Some((_, known))) => (Status::from(severity), format!("{n} +{known} ack")),
        // What is acknowledged is not well.
        (None, Some((severity, known))) => (Status::from(severity), format!(" {known} ack")),
        // Of an environment that nobody has opened nothing is known, and nothing is on its way.
        (None, None) if !env.watched => (Status::NotWatched, String::new()),
        (None, None) if env.jump.link.state == LinkState::Pending => (Status::Pending, String::new()),
        // Green once every host has answered: before, nobody knows.
        (None, None) if env.hosts.iter().any(|h| h.reported_at.is_none()) => (Status::Pending, String::new()),
        (None, None) => (Status::Ok, String::new()),
    };
    let name = env.spec.name.as_str();
    if at == scene.model.active {
        Line::from(span(format!(" {}{count} {name} ", status.sign()), styles.tab))
    } else {
        Line::from(vec![
            Span::raw(" "),
            span(format!("{}{count}", status.sign()), styles.status(status)),
            span(format!(" {name} "), styles.muted),
        ])
    }
}

/// What the environment is, and the way to it. Written on the band, in the band's own style.
fn way<'a>(scene: &Scene<'a>, room: u16) -> Line<'a> {
    let spec = &scene.env.spec;
    let mut text = format!(" {}", spec.level.to_uppercase());
    if spec.name.as_str() != spec.level {
        text.push_str(&format!(" {}", spec.name));
    }
    let jump = &scene.env.jump;
    match &spec.jump {
        Jump::Local { name } => text.push_str(&format!("  on {name} itself")),
        Jump::Remote(_) => {
            let state = match jump.link.state {
                LinkState::Up => jump
                    .rtt
                    .current()
                    .map_or_else(|| "● up".to_owned(), |rtt| format!("● {}", round_trip(*rtt))),
                LinkState::Pending => "◌ connecting".to_owned(),
                state => format!("✖ {}", state.label()),
            };
            text.push_str(&format!("  via {} {state}", jump.in_use()));
            // The banner says it, too.
            if jump.second.is_some() && room >= WIDE {
                text.push_str(&format!(", not {}", jump.name));
            }
        }
    }
    let hosts = scene.env.hosts.iter().map(AsRef::as_ref);
    let up = HostsUp::of(jump, hosts, |host| is_current(scene, host));
    let long = Line::from(format!("{text}  {up}"));
    if long.width() < usize::from(room) { long } else { Line::from(format!("{text}  {}", up.short())) }
}

/// An age with its unit: `14 s`, `3 m`.
fn spaced_age(age: std::time::Duration) -> String {
    let text = short_age(age);
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (figure, unit) = text.split_at(at);
    format!("{figure} {unit}")
}

fn is_current(scene: &Scene<'_>, host: &jumpdeck_fleet::snapshot::HostSnapshot) -> bool {
    scene.freshness(host).is_some_and(|f| f != Freshness::Expired)
}

/// How old the newest and the oldest report are, of the hosts that are up.
fn freshness(scene: &Scene<'_>) -> String {
    let down = scene.jump_is_down();
    let ages = || scene.env.hosts.iter().filter(|h| down || h.link.is_up()).filter_map(|h| h.age(scene.now));
    match (ages().min(), ages().max()) {
        (Some(newest), Some(oldest)) => {
            let words = (spaced_age(newest), spaced_age(oldest));
            match (words.0.split_once(' '), words.1.split_once(' ')) {
                _ if words.0 == words.1 => format!("data {} old", words.0),
                (Some((from, unit)), Some((to, other))) if unit == other => {
                    format!("data {from}–{to} {unit} old")
                }
                _ => format!("data {}–{} old", words.0, words.1),
            }
        }
        _ if scene.env.hosts.iter().any(|h| h.reported_at.is_some()) => "no current data".to_owned(),
        _ => "no data yet".to_owned(),
    }
}
